"""F(x) = (1 - t) F_c + t F_{c+1} - t (1 - t) h_c^2 F''_c/2 in interval c: a parabola through the values at its two ends.

F''_c is the mean of the second divided differences at those ends (of one of them where the line ends there, 0 for a single
interval): the mean of the two parabolas through three neighbouring values. F' then has the mean (F_{c+1} - F_c)/h_c in every
interval: *interpolating* values at lines and *reconstructing* a density from its means over intervals commute with the
derivative. Three such lines make a divergence-free current of the whole cell from the conserved currents of voxels, and one
that is a whole order smoother than the lowest Raviart-Thomas one; without the curvature it is that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Values at n + 1 lines, or means over the n intervals between them, as functions of x.

    lines: ascending, (n + 1,), m; breaks: numbers of lines across which nothing is smooth (a contact edge): values and means of
    one side say nothing about the other.
    """

    lines: Array
    breaks: tuple[int, ...] = ()

    @property
    def widths(self) -> Array:
        """Widths of the intervals, (n,)."""
        return np.diff(self.lines)

    @cached_property
    def slopes(self) -> sparse.csr_array:
        """Slope in each interval of a density from its means, (n, n): mean of the difference quotients to its neighbours."""
        count = len(self.lines) - 1
        middles = (self.lines[1:] + self.lines[:-1]) / 2
        matrix = sparse.lil_array((count, count))
        for first, end in pairwise([0, *self.breaks, count]):
            for cell in range(first, end):
                sides = [(a, a + 1) for a in (cell - 1, cell) if first <= a and a + 1 < end]
                for a, b in sides:
                    share = 1 / (len(sides) * (middles[b] - middles[a]))
                    matrix[cell, b] += share
                    matrix[cell, a] -= share
        return sparse.csr_array(matrix)

    @cached_property
    def mean_mass(self) -> sparse.csr_array:
        """Gram matrix int H_i H_j of densities by their means, (n, n), m."""
        return sparse.csr_array(
            sparse.diags_array(self.widths) + self.slopes.T @ sparse.diags_array(self.widths**3 / 12) @ self.slopes
        )

    @cached_property
    def value_mass(self) -> sparse.csr_array:
        """Gram matrix int P_i P_j of functions by their values at the lines, (n + 1, n + 1), m."""
        total = sparse.csr_array((len(self.lines), len(self.lines)))
        for point, weight in zip(*leggauss(3), strict=True):  # degree 4
            values = self.values_at((self.lines[1:] + self.lines[:-1]) / 2 + point / 2 * self.widths)
            total = total + values.T @ sparse.diags_array(weight / 2 * self.widths) @ values
        return sparse.csr_array(total)

    def values_at(self, points: Array) -> sparse.csr_array:
        """Return the matrix from values at the lines to those at points, (points, n + 1)."""
        cells = self._cells(points)
        h = self.widths[cells]
        t = (points - self.lines[cells]) / h
        count, rows = len(self.widths), np.arange(len(points))
        straight = sparse.csr_array(
            (np.concatenate([1 - t, t]), (np.tile(rows, 2), np.concatenate([cells, cells + 1]))), shape=(len(points), count + 1)
        )
        left, right = sparse.eye_array(count, count + 1), sparse.eye_array(count, count + 1, k=1)
        quotients = sparse.diags_array(1 / self.widths) @ (right - left)
        return sparse.csr_array(straight - sparse.diags_array(t * (1 - t) / 2 * h**2) @ self.slopes[cells] @ quotients)

    def densities_at(self, points: Array) -> sparse.csr_array:
        """Return the matrix from means over the intervals to the density at points, (points, n)."""
        cells = self._cells(points)
        middles = (self.lines[cells] + self.lines[cells + 1]) / 2
        chosen = sparse.csr_array(
            (np.ones(len(points)), (np.arange(len(points)), cells)), shape=(len(points), len(self.widths))
        )
        return sparse.csr_array(chosen + sparse.diags_array(points - middles) @ self.slopes[cells])

    def _cells(self, points: Array) -> NDArray[np.int64]:
        return np.clip(np.searchsorted(self.lines, points) - 1, 0, len(self.lines) - 2)


def along(axis: int, matrix: sparse.csr_array, values: Array) -> Array:
    """Return the product of a matrix with one axis of an array, the other axes as they are."""
    moved = np.moveaxis(values, axis, 0)
    product = matrix @ np.ascontiguousarray(moved).reshape(moved.shape[0], -1)
    return np.moveaxis(np.asarray(product).reshape(matrix.shape[0], *moved.shape[1:]), 0, axis)
