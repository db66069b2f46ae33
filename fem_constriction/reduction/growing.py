"""X with X' X = 1, growing: what is new of each solution is taken in, what all of it is stands in coordinates.

Every block of new columns goes through Gram-Schmidt twice and is normalised in between: one pass loses four digits. Where the
columns are held (in memory, as volumes of a label image, over several machines) is a matter of `Vectors` alone.
"""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from fem_constriction.arrays import Array
from fem_constriction.reduction.reduced import RANK

#: A block of k columns, however it is held.
Block = TypeVar("Block")


class Vectors(Protocol[Block]):
    """How blocks of columns are multiplied, wherever they are held.

    rounding: norm below which what is left of a column of norm 1, after both passes, is rounding.
    """

    rounding: float

    def products(self, one: Block, other: Block, /) -> Array:
        """Return one' other, (r, k)."""
        ...

    def without(self, new: Block, block: Block, products: Array, /) -> Block:
        """Return new - block products, in place of new where that saves memory."""
        ...

    def orthonormal(self, new: Block, /) -> tuple[Block, Array] | None:
        """Return Q (r columns) and R (r, k) of new = Q R, without directions that are rounding; None if all of them are."""
        ...


class Growing(Generic[Block]):
    """The basis X so far.

    Attributes
    ----------
    blocks : list
        Orthonormal columns, in blocks as they were taken in.
    coordinates : ndarray, (columns of X, columns taken in)
        X' times all that was taken in.
    """

    def __init__(self, vectors: Vectors[Block]) -> None:
        self.vectors = vectors
        self.blocks: list[Block] = []
        self.coordinates: Array = np.zeros((0, 0))

    def take(self, columns: Block, count: int) -> Block | None:
        """Take in k columns of norm 1 (overwritten where the vectors say so), and return what is new of them, orthonormal.

        Returns
        -------
        Block or None
            The new columns of X, which are the last of `blocks`; None if there are none.
        """
        size = len(self.coordinates)
        within, rest = np.zeros((size, count)), np.eye(count)
        new: Block | None = columns
        for again in range(3):
            assert new is not None
            found = [np.zeros((0, len(rest)))]
            for block in self.blocks:
                found.append(self.vectors.products(block, new))
                new = self.vectors.without(new, block, found[-1])
            within += np.concatenate(found) @ rest
            split = self.vectors.orthonormal(new)
            if split is None:
                new, rest = None, np.zeros((0, count))
                break
            new, rest = split[0], split[1] @ rest
            # Two passes are enough unless the second takes most of a column away, which the first had left little of.
            if again and np.linalg.norm(split[1], axis=0).min() > 0.5:
                break
        # Of a column that was rounding after the first pass, normalised, the second leaves rounding again.
        if new is not None and np.abs(rest).max() <= self.vectors.rounding:
            new, rest = None, np.zeros((0, count))
        if new is not None:
            self.blocks.append(new)
        old = np.vstack([self.coordinates, np.zeros((len(rest), self.coordinates.shape[1]))])
        self.coordinates = np.hstack([old, np.vstack([within, rest])])
        return new


def bordered(matrix: NDArray[Any], columns: NDArray[Any]) -> NDArray[Any]:
    """Return a symmetric matrix with new last rows and columns.

    Parameters
    ----------
    matrix : ndarray, (..., r, r)
        What is there.
    columns : ndarray, (..., r + k, k)
        The new last columns; the part that is symmetric itself is averaged.
    """
    size, width = matrix.shape[-1], columns.shape[-1]
    grown = np.zeros((*matrix.shape[:-2], size + width, size + width), dtype=matrix.dtype)
    grown[..., :size, :size] = matrix
    grown[..., :, size:] = columns
    grown[..., size:, :size] = columns[..., :size, :].swapaxes(-1, -2)
    grown[..., size:, size:] = (columns[..., size:, :] + columns[..., size:, :].swapaxes(-1, -2)) / 2
    return grown


class Rows:
    """Blocks (n, k) in memory."""

    rounding = RANK

    def products(self, one: Array, other: Array) -> Array:
        """Return one' other."""
        return np.asarray(one.T @ other)

    def without(self, new: Array, block: Array, products: Array) -> Array:
        """Return new - block products."""
        return np.asarray(new - block @ products)

    def orthonormal(self, new: Array) -> tuple[Array, Array] | None:
        """Return Q and R of what columns of norm 1 or less span; overwrites them."""
        return triangular(new)


def triangular(columns: Array) -> tuple[Array, Array] | None:
    """Return Q (n, r) and R (r, k) by Householder, without what is rounding; None if all is. Overwrites columns."""
    q, small, order = linalg.qr(columns, mode="economic", pivoting=True, overwrite_a=True, check_finite=False)
    kept = np.abs(np.diagonal(small)) > RANK
    if not kept.any():
        return None
    r = np.empty((int(kept.sum()), columns.shape[1]))
    r[:, order] = small[kept]
    return np.ascontiguousarray(q[:, kept]), r
