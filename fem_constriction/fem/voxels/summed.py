"""A(s) = sum over p of y_p(s) L_p at many s: one pattern for all of them, so that a sum is a sum of arrays of entries.

V is the last unknown: what it meets is kept as a vector beside the matrix of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array


@dataclass(frozen=True, eq=False)
class Bordered:
    """A of the unknowns without V, what ties them to V, and the entry of V: inner (free, free), border (free,), corner."""

    inner: sparse.csr_array
    border: Array
    corner: float

    def apply(self, x: Array) -> Array:
        """Return A x, x (free + 1,) with V last."""
        return np.append(self.inner @ x[:-1] + self.border * x[-1], self.border @ x[:-1] + self.corner * x[-1])


@dataclass(frozen=True, eq=False)
class Summands:
    """Matrices with V last, as entries of one pattern.

    Parameters
    ----------
    pattern
        Of all of them together, V left out; its entries mean nothing.
    places
        Name -> where in the pattern its entries are.
    entries
        Name -> they themselves.
    borders
        Name -> its column of V, V last, (free + 1,).
    """

    pattern: sparse.csr_array
    places: Mapping[str, NDArray[np.int64]]
    entries: Mapping[str, Array]
    borders: Mapping[str, Array]

    @classmethod
    def of(cls, matrices: Mapping[str, sparse.csr_array]) -> Summands:
        """Return matrices (free + 1, free + 1) as summands."""
        inner, borders = {}, {}
        for name, matrix in matrices.items():
            each = sparse.csr_array(matrix[:-1, :-1])
            each.sort_indices()
            inner[name] = each
            borders[name] = matrix[:, [-1]].toarray().ravel()
        every = [_ones(each) for each in inner.values()]
        pattern = every[0]
        for each in every[1:]:
            pattern = pattern + each
        pattern = _ones(pattern)
        pattern.sort_indices()
        places = {name: np.flatnonzero((pattern + each).data > 1.5) for name, each in zip(inner, every, strict=True)}
        return cls(pattern, places, {name: each.data for name, each in inner.items()}, borders)

    def summed(self, y: Mapping[str, float]) -> Bordered:
        """Return the sum of y_p L_p."""
        data = np.zeros(self.pattern.nnz)
        for name, entries in self.entries.items():
            if not y[name]:
                continue
            if entries.size == data.size:
                data += y[name] * entries
            else:
                data[self.places[name]] += y[name] * entries
        inner = sparse.csr_array((data, self.pattern.indices, self.pattern.indptr), shape=self.pattern.shape)
        border = sum((y[name] * each for name, each in self.borders.items() if y[name]), np.zeros(inner.shape[0] + 1))
        return Bordered(inner, border[:-1], float(border[-1]))


def _ones(matrix: sparse.csr_array) -> sparse.csr_array:
    """Return the pattern of a matrix."""
    return sparse.csr_array((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
