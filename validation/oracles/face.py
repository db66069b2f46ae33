"""Galerkin solution for the current density on the contact face."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import zsysv

from validation.oracles.graded import PORE_COST, FloatArray, GradedBasis
from validation.oracles.heat import heat_gram, inverse_as_heat
from validation.oracles.rectangles import Partition
from validation.oracles.stack import ComplexArray

T = TypeVar("T", FloatArray, ComplexArray)

FLOOR = 1e-9  # the quadratures and sums are better than this, relative to Z
RANK_TOLERANCE = 1e-11  # of the scaled mode impedance
DECAY = 12.5  # modes with g d > DECAY see a half space, to exp(-2 DECAY) = 1.4e-11


class Face:
    """(Zs + 1/y) j = V on the part of the face that symmetry leaves, j in products of graded bases; 1/Z = b' M^-1 b.

    M = Zs + 1/y is split as K/kappa + D: K the matrix of 1/g (frequency and material do not enter it), D
    the matrix of Zs - 1/(kappa g) over the modes with g d < DECAY; beyond, the difference is exp(-2 g d).
    At real s > 0 this minimises the energy over a subspace of all currents: Z is an upper bound, up to the
    1e-9 of the quadratures, falling with `order`.

    Lengths are in units of L_x (see `Partition`). Products are kept by the sum of the weights of their factors
    (hyperbolic cross in the level, total degree within a segment pair). `square` uses that j(x, y) = j(y, x).
    """

    def __init__(self, part: Partition, order: int) -> None:
        self.half = half = part.half
        touched = np.array(part.touched)
        self.square = half[0] == half[1] and part.edges[0] == part.edges[1] and np.array_equal(touched, touched.T)
        x, y = self.bases = tuple(
            GradedBasis(edges, length, order, tuple(bool(each) for each in np.any(touched, axis=1 - n).tolist()))
            for n, (edges, length) in enumerate(zip(part.edges, half, strict=True))
        )
        self._sort = tuple(np.argsort(b.weight, kind="stable") for b in self.bases)
        wx, wy = x.weight[self._sort[0]], y.weight[self._sort[1]]
        pore = ~touched[x.interval[self._sort[0]]][:, y.interval[self._sort[1]]]
        weight = wx[:, None] + wy + PORE_COST * pore
        keep = weight <= order + 1e-9
        if self.square:
            keep &= np.tri(x.size, dtype=bool)
        self.i, self.j = np.nonzero(keep)
        self.coarse: NDArray[np.bool_] = weight[keep] <= order - 1 + 1e-9
        self.pore: NDArray[np.bool_] = pore[keep]
        self.current: FloatArray = np.outer(x.integral[self._sort[0]], y.integral[self._sort[1]])[keep]
        if self.square:
            self.current = self.current * np.where(self.i == self.j, 1.0, np.sqrt(2.0))
        smallest = min(s.length for b in self.bases for s in b.segments)
        self.t, self.w, self.c = inverse_as_heat(0.05 * smallest, 2.0 * max(half))
        different = self.bases[:1] if self.square else self.bases
        gram = [self._ordered(heat_gram(b, self.t), n) for n, b in enumerate(different)]
        self.kernel: FloatArray = self._kronecker(gram[0] * self.w[:, None, None], gram[-1])
        self.kernel[np.diag_indices_from(self.kernel)] += self.c

    def impedance(
        self,
        stack: Callable[[FloatArray], ComplexArray],
        layer: float,
        contact: complex | None,
        pore: complex | None,
    ) -> tuple[complex, float]:
        """Z' = kappa L_x Z of this part of the face, and its estimated relative error.

        stack(g): scaled mode impedance kappa Zs/L_x at the wave numbers g (units 1/L_x); layer: thickness
        of one layer (units L_x); contact, pore: scaled interface impedances kappa/(y L_x), None where no
        current can pass. The error estimate is the difference to the same with one polynomial degree and
        level less (seen: 4 to 20 times the true error) plus 1e-9 for the quadratures.
        """
        area = self.half[0] * self.half[1]
        matrix, uniform = self._matrix(stack, layer)
        flows = np.where(self.pore, pore is not None, contact is not None)
        film = np.where(self.pore, 0.0 if pore is None else pore, 0.0 if contact is None else contact)
        matrix[np.diag_indices_from(matrix)] += film
        z = [uniform / area + self._resistance(matrix, flows & part) for part in (np.True_, self.coarse)]
        return z[0], abs(z[0] - z[1]) / abs(z[0]) + FLOOR

    def _resistance(self, matrix: ComplexArray, part: NDArray[np.bool_]) -> complex:
        """1/(b' M^-1 b) on the basis functions in `part`."""
        m, b = matrix[np.ix_(part, part)], self.current[part]
        scale = 1.0 / np.sqrt(np.abs(np.diagonal(m)))
        m *= scale[:, None] * scale
        x, status = zsysv(m.T, b * scale, lwork=64 * len(b), lower=1, overwrite_a=1)[2:]
        if status:
            raise np.linalg.LinAlgError(f"zsysv: singular at pivot {status}")
        return complex(1.0 / ((b * scale) @ x.ravel()))

    def _matrix(self, stack: Callable[[FloatArray], ComplexArray], layer: float) -> tuple[ComplexArray, complex]:
        """Matrix of the mode impedances without the uniform mode's excess, and that excess.

        All j carry the same total current: what is added to the uniform mode is added to Z, exactly.
        """
        modes = [0 if b.size == 1 else int(np.ceil(DECAY / layer * b.half / np.pi)) + 1 for b in self.bases]
        gx, gy = (b.wave_numbers(m) for b, m in zip(self.bases, modes, strict=True))
        g2 = gx[:, None] ** 2 + gy**2
        inverse = np.full(g2.shape, self.c)
        for w, t in zip(self.w, self.t, strict=True):
            inverse += w * np.outer(np.exp(-((gx * t) ** 2)), np.exp(-((gy * t) ** 2)))
        excess = stack(np.sqrt(g2)) - inverse
        uniform = complex(excess[0, 0])
        excess[0, 0] = 0.0
        left, right = _low_rank(excess)
        gram: list[ComplexArray] = []
        for n, (basis, factor) in enumerate(zip(self.bases, (left, right.T), strict=True)):
            cosines = basis.cosine_coefficients(modes[n])
            gram.append(self._ordered(np.stack([(cosines.T * f) @ cosines for f in factor.T]), n))
        out = self._kronecker(gram[0], gram[1])
        out += self.kernel
        return out, uniform

    def _ordered(self, gram: T, axis: int) -> T:
        order = self._sort[axis]
        return gram[:, order[:, None], order]

    def _kronecker(self, a: T, b: T) -> T:
        """sum_q a_q (x) b_q on the basis functions kept, symmetrised in a square."""
        nx, ny = a.shape[1], b.shape[1]
        out = np.empty((len(self.i), len(self.i)), dtype=a.dtype)
        for i in range(nx):
            rows = np.flatnonzero(self.i == i)
            if not len(rows):
                continue
            js = self.j[rows]
            m = int(js.max()) + 1
            product = (a[:, i, :].T @ b[:, :m, :].reshape(len(b), -1)).reshape(nx, m, ny)
            out[rows] = product[self.i, js[:, None], self.j]
            if self.square:
                out[rows] += product[self.j, js[:, None], self.i]
        if self.square:
            norm = np.where(self.i == self.j, np.sqrt(0.5), 1.0)
            out *= norm[:, None] * norm
        return out


def _low_rank(matrix: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    """Factors with left @ right = matrix to RANK_TOLERANCE in each entry, by a randomised range finder."""
    rng = np.random.default_rng(0)
    rank = 16
    while rank < min(matrix.shape):
        left = np.linalg.qr(matrix @ rng.standard_normal((matrix.shape[1], rank)))[0]
        right = left.conj().T @ matrix
        if np.abs(matrix - left @ right).max() < RANK_TOLERANCE:
            u, s, vh = np.linalg.svd(right, full_matrices=False)
            kept = max(1, int(np.sum(s > RANK_TOLERANCE)))
            return left @ (u[:, :kept] * s[:kept]), vh[:kept]
        rank *= 2
    if matrix.shape[0] <= matrix.shape[1]:
        return np.eye(matrix.shape[0], dtype=np.complex128), matrix
    return matrix, np.eye(matrix.shape[1], dtype=np.complex128)


@lru_cache(maxsize=4)
def face(part: Partition, order: int) -> Face:
    """Face(part, order), kept for the next call: it depends on the geometry alone."""
    return Face(part, order)
