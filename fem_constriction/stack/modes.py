"""K v = lambda M v: the lateral eigenvectors of a tensor grid, M-orthonormal, and the transforms to and from them.

In the plane K = K_x (x) M_y + M_x (x) K_y and M = M_x (x) M_y: eigenvectors are products and eigenvalues sums. On uniform
voxels the transform is the discrete cosine transform (type 2); on graded lines and finite elements it is a dense matrix per
direction.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.sparse import csgraph

from fem_constriction.arrays import Array

#: Lines per direction from which on the cosine transform is faster than a dense product (measured 100 to 200).
LONG = 160

#: Nodes of a plane without product structure from which on functions of its pencil are faster than its modes (measured 1300).
DENSE = 1000

#: Values in a plane from which on all processors are used.
WIDE = 1 << 17

#: Energy error of solutions on wide planes: with a quarter fewer iterations Z of 256 x 256 rough pixels changed by at most
#: 2e-15 (ideal contact) and 2.4e-11 (with a resistance) of itself, far below what pixels of such an image are uncertain by.
LOOSE = 1e-9


@dataclass(frozen=True, eq=False)
class Cosines:
    """V = E^-1 C S^-1, M V = E C S: modes whose transform is a cosine transform C, orthonormal, of type 2 or 1.

    Voxels of one size h: C of type 2, E = 1, S = sqrt(h). Elements of degree 1 and of one size: C of type 1, E = 1/sqrt(2) at
    both walls, else 1, S = sqrt(h (2 + cos theta)/3).

    kind: of the transform; ends: E, (n,); sizes: S, (n,); mass: the diagonal of M, (n,).
    """

    kind: Literal[1, 2]
    ends: Array
    sizes: Array
    mass: Array


class Modes:
    """Eigenvalues (n,), ascending, eigenvectors V (n, n) with V' M V = 1, and M V, of one direction; or cosines instead."""

    def __init__(self, values: Array, vectors: Array, dual: Array, cosines: Cosines | None = None) -> None:
        self.values, self.vectors, self.dual, self.cosines = values, vectors, dual, cosines

    @property
    def step(self) -> float | None:
        """The size of voxels that are all of one and whose modes are cosines, else None."""
        return None if self.cosines is None or self.cosines.kind != 2 else float(self.cosines.sizes[0] ** 2)

    @classmethod
    def generalised(cls, stiffness: Array, mass: Array) -> Modes:
        """Return the modes of two symmetric matrices (n, n), stiffness of zero row sums, mass positive definite."""
        return cls.refined(stiffness, mass, _Differences(stiffness))

    @classmethod
    def refined(cls, stiffness: Array, mass: Array, energies: Callable[[Array], Array]) -> Modes:
        """Return the same; energies: V -> V' K V with errors of eps times its own terms, not of the largest."""
        _, vectors = linalg.eigh(stiffness, mass)
        values, vectors = _refined(energies, mass, vectors)
        return cls(values, vectors, mass @ vectors)

    @classmethod
    def single(cls) -> Modes:
        """Return the one mode of a single node of unit mass: a plane without product structure has all its modes along x."""
        return cls(np.zeros(1), np.ones((1, 1)), np.ones((1, 1)))

    @classmethod
    def voxels(cls, sizes: Array) -> Modes:
        """Return the modes of voxels of these sizes in a row, links of the distance of their centres: (n,), m."""
        count, step = len(sizes), float(np.mean(sizes))
        if count >= LONG and np.allclose(sizes, step, rtol=1e-9, atol=0):
            ones = np.ones(count)
            values = (2 / step * np.sin(np.pi * np.arange(count) / (2 * count))) ** 2
            return cls._of_cosines(values, Cosines(2, ones, np.sqrt(step) * ones, step * ones))
        links = 2 / (sizes[1:] + sizes[:-1])
        stiffness = np.diag(np.append(links, 0) + np.append(0, links)) - np.diag(links, 1) - np.diag(links, -1)
        return cls.generalised(stiffness, np.diag(sizes))

    @classmethod
    def elements(cls, lines: Array) -> Modes | None:
        """Return the modes of elements of degree 1 between equally spaced lines, (n + 1,), as cosines; None for other lines."""
        count, step = len(lines) - 1, float(lines[-1] - lines[0]) / (len(lines) - 1)
        if count < LONG or not np.allclose(np.diff(lines), step, rtol=1e-9, atol=0):
            return None
        half = np.pi * np.arange(count + 1) / (2 * count)
        share = 1 - 2 / 3 * np.sin(half) ** 2  # (2 + cos theta)/3, what M has of the lumped mass in this mode
        ends = np.ones(count + 1)
        ends[[0, -1]] = np.sqrt(0.5)
        values = (2 / step * np.sin(half)) ** 2 / share
        return cls._of_cosines(values, Cosines(1, ends, np.sqrt(step * share), 2 / 3 * step * ends**2))

    @classmethod
    def _of_cosines(cls, values: Array, cosines: Cosines) -> Modes:
        return cls(values, np.empty((0, 0)), np.empty((0, 0)), cosines)


class _Differences:
    """V' K V from differences, sum over i < j of -K_ij (v_i - v_j)(v_i - v_j)': with errors of eps sqrt(lambda_m lambda_n).

    Of many nodes V' (K V), K V from differences: as many times faster as there are links per node, errors eps sqrt(lambda_max
    lambda_n).
    """

    def __init__(self, stiffness: Array) -> None:
        first, second = np.nonzero(np.triu(stiffness, 1))
        pairs, ones = np.arange(first.size), np.ones(first.size)
        entries, places = np.append(ones, -ones), (np.tile(pairs, 2), np.append(first, second))
        self.drop = sparse.csr_array((entries, places), shape=(first.size, len(stiffness)))
        self.weight = -stiffness[first, second]
        self.back = sparse.csr_array((self.drop * self.weight[:, None]).T)

    def __call__(self, vectors: Array) -> Array:
        if len(vectors) < LARGE:
            drop = self.drop @ vectors
            return np.asarray(drop.T @ (self.weight[:, None] * drop))
        image = np.empty_like(vectors)
        for start in range(0, vectors.shape[1], COLUMNS):
            image[:, start : start + COLUMNS] = self.back @ (self.drop @ vectors[:, start : start + COLUMNS])
        return np.asarray(vectors.T @ image)


def _refined(energies: Callable[[Array], Array], mass: Array, vectors: Array) -> tuple[Array, Array]:
    """Return eigenvalues and eigenvectors to rounding of each, not of the largest.

    On lines graded to 1e-5 the largest eigenvalue is 1e10 times the second, and `eigh` leaves errors of eps times the largest
    in all of them (measured: 4e-8 in Z). Here V is corrected by V E, E_mn = (S_mn + lambda_n R_mn)/(lambda_n - lambda_m),
    S = V' K V, R = 1 - V' M V. Source: Ogita and Aishima 2018, doi 10.1007/s13160-018-0310-3. Eigenvectors that eigenvalues
    too close to each other have mixed up (E is not small) are first told apart among themselves.
    """
    sparse_mass = sparse.csr_array(mass)
    for _ in range(STEPS):
        small = energies(vectors)
        small = (small + small.T) / 2
        defect = np.eye(len(mass)) - vectors.T @ (sparse_mass @ vectors)
        values = np.maximum(np.diagonal(small) / (1 - np.diagonal(defect)), 0.0)
        gap = values - values[:, None]
        apart = np.abs(gap) > 1e-8 * np.maximum(values, values[:, None])
        change = np.where(apart, (small + values * defect) / np.where(apart, gap, 1.0), defect / 2)
        if (mixed := np.abs(change) > MIXED).any():
            vectors = _unmixed(vectors, small, defect, mixed)
            continue
        vectors = vectors + vectors @ change
        if np.abs(change).max() < SETTLED:  # its square is what is left
            break
    # Of the vectors as they are now: the square of even the last change, times the largest eigenvalue, leaked out of the plane
    # in the even mode, which behind a counter electrode of high resistance was 3e-8 of Z.
    small, norms = np.diagonal(energies(vectors)), np.einsum("ij,ij->j", vectors, sparse_mass @ vectors)
    values = np.maximum(small / norms, 0.0)
    order = np.argsort(values, kind="stable")
    return values[order], np.ascontiguousarray(vectors[:, order])


def _unmixed(vectors: Array, small: Array, defect: Array, mixed: NDArray[np.bool_]) -> Array:
    """Eigenvectors that are mixed up with each other, told apart by the problem on what they span."""
    found = vectors.copy()
    for label in np.unique(groups := csgraph.connected_components(sparse.csr_array(mixed), directed=False)[1]):
        if (members := np.flatnonzero(groups == label)).size > 1:
            block = np.ix_(members, members)
            _, turned = linalg.eigh(small[block], np.eye(members.size) - defect[block])
            found[:, members] = vectors[:, members] @ turned
    return found


#: Corrections of the eigenvectors at most: each squares their error, and below SETTLED no other is needed.
STEPS, SETTLED = 6, 1e-8

#: Correction above which eigenvectors count as mixed up.
MIXED = 0.03

#: Nodes from which on the faster sum is taken.
LARGE = 600

#: Columns whose differences are held at once.
COLUMNS = 256


@dataclass(frozen=True, eq=False)
class Lateral:
    """The modes of a plane: products of those of x and y. All transforms take arrays (..., x, y)."""

    #: Whether `values` are eigenvalues.
    modal = True

    x: Modes
    y: Modes

    @cached_property
    def values(self) -> Array:
        """Eigenvalues lambda_m + lambda_n, (nx, ny)."""
        return np.asarray(self.x.values[:, None] + self.y.values)

    @property
    def tolerance(self) -> float:
        """Relative energy error to which the plane's problem is solved; errors of Z are far below (`LOOSE`)."""
        return 1e-12 if self.values.size < WIDE else LOOSE

    @property
    def shape(self) -> tuple[int, int]:
        """Number of modes along x and y."""
        return len(self.x.values), len(self.y.values)

    @cached_property
    def diagonal(self) -> Array:
        """The diagonal of M, (nx, ny)."""
        rows = [np.sum(each.dual**2, 1) if each.cosines is None else each.cosines.mass for each in (self.x, self.y)]
        return np.outer(*rows)

    def conduct(self, phi: Array, f: Array) -> Array:
        """Return M V f V' M phi, f: function of the eigenvalues, (..., nx, ny)."""
        return self.spread(self.analyse(phi) * f)

    def analyse(self, values: Array) -> Array:
        """Return V' M u: nodal values to coefficients of modes."""
        return self._apply(values, forward=True, weight=0.5)

    def synthesise(self, coefficients: Array) -> Array:
        """Return V c: coefficients of modes to nodal values."""
        return self._apply(coefficients, forward=False, weight=-0.5)

    def adjoint(self, values: Array) -> Array:
        """Return V' r: nodal sums to coefficients."""
        return self._apply(values, forward=True, weight=-0.5)

    def spread(self, coefficients: Array) -> Array:
        """Return M V c: coefficients of modes to nodal sums."""
        return self._apply(coefficients, forward=False, weight=0.5)

    def _apply(self, values: Array, *, forward: bool, weight: float) -> Array:
        """Return the transform along both axes; weight: above 0 with M V, below with V."""
        x, y = self.x.cosines, self.y.cosines
        if x is not None and y is not None and x.kind == y.kind:
            workers = os.cpu_count() if values.size == self.values.size >= WIDE else 1  # several planes have a thread each
            first, last = (self._ends, self._sizes) if forward else (self._sizes, self._ends)
            factor = _power(first, weight)
            found = transform(values if factor is None else values * factor, x.kind, forward, workers)
            return _scaled(found, _power(last, weight))
        along_y = _along(values, self.y, -1, forward, weight)
        return _along(along_y, self.x, -2, forward, weight)

    @cached_property
    def _ends(self) -> Array:
        return _outer(self.x.cosines, self.y.cosines, "ends")

    @cached_property
    def _sizes(self) -> Array:
        return _outer(self.x.cosines, self.y.cosines, "sizes")


def _outer(x: Cosines | None, y: Cosines | None, name: str) -> Array:
    """The products of one part of both, as one number where they are all alike."""
    assert x is not None
    assert y is not None
    one, other = getattr(x, name), getattr(y, name)
    if np.ptp(one) == np.ptp(other) == 0:
        return np.array(one[0] * other[0])
    return np.outer(one, other)


def _power(scale: Array, weight: float) -> Array | None:
    """Return a scale, or its inverse, None for one that changes nothing."""
    if scale.ndim == 0 and scale == 1:
        return None
    return scale if weight > 0 else 1 / scale


def _scaled(values: Array, factor: Array | None) -> Array:
    if factor is not None:
        values *= factor
    return values


def transform(values: Array, kind: Literal[1, 2], forward: bool, workers: int | None) -> Array:
    """Return the orthonormal cosine transform of both axes, or its inverse."""
    return np.asarray(
        (scipy.fft.dctn if forward else scipy.fft.idctn)(values, type=kind, norm="ortho", axes=(-2, -1), workers=workers)
    )


def _along(values: Array, modes: Modes, axis: int, forward: bool, weight: float) -> Array:
    if (cosines := modes.cosines) is not None:
        shape = (-1, 1) if axis == -2 else (-1,)
        first, last = (cosines.ends, cosines.sizes) if forward else (cosines.sizes, cosines.ends)
        power = 1 if weight > 0 else -1
        change = scipy.fft.dct if forward else scipy.fft.idct
        found = change(values * first.reshape(shape) ** power, type=cosines.kind, norm="ortho", axis=axis)
        return np.asarray(found * last.reshape(shape) ** power)
    matrix = modes.dual if weight > 0 else modes.vectors
    matrix = matrix.T if forward else matrix
    return np.asarray(values @ matrix.T if axis == -1 else np.matmul(matrix, values))
