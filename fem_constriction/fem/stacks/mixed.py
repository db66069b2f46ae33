"""J in Lagrange elements of degree m + 1 along x, div J in polynomials of degree m between the lines: currents on rectangles.

A product of two such lines is the Raviart-Thomas element of the rectangles: J_x = (J along x) (q along y), J_y the other way
round, densities j_z = q q. With A = int J J, B = int J' q and M = int q q the operator B A^-1 B' of the plane is K_x (x) M_y +
M_x (x) K_y as for potentials, and so are its modes. Densities are values at the Gauss points of each cell: M is diagonal, and a
density belongs to one cell alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy import linalg, sparse

from fem_constriction.arrays import Array
from fem_constriction.fem.stacks.spaces import LagrangeLine, LineSpace
from fem_constriction.stack.modes import Modes


@dataclass(frozen=True, eq=False)
class MixedLine:
    """Currents and densities on the intervals between lines, nothing leaving at the ends.

    Parameters
    ----------
    lines
        Ascending, (n + 1,).
    degree
        m, of the densities: m + 1 of them in each interval.
    """

    lines: Array
    degree: int = 1

    @cached_property
    def weights(self) -> Array:
        """The diagonal of M, (n (m + 1),)."""
        return np.outer(np.diff(self.lines), leggauss(self.degree + 1)[1] / 2).ravel()

    @cached_property
    def modes(self) -> Modes:
        """Modes of B A^-1 B' and M; of eigenvalue 0 the uniform density."""
        currents = LineSpace.build(self.lines, self.degree + 1)
        factor = linalg.cho_factor(currents.mass.toarray()[1:-1, 1:-1])
        slopes = self._at_points(slopes=True)[:, 1:-1]

        def energies(vectors: Array) -> Array:
            driven = slopes.T @ (self.weights[:, None] * vectors)
            return np.asarray(driven.T @ linalg.cho_solve(factor, driven))

        stiffness = energies(np.eye(self.weights.size))
        return Modes.refined((stiffness + stiffness.T) / 2, np.diag(self.weights), energies)

    def overlap(self) -> sparse.csr_array:
        """Return int N_i q_j with Lagrange elements N of degree m + 1 on the same lines, (nodes, densities): exact."""
        return sparse.csr_array((self.weights[:, None] * self._at_points(slopes=False)).T)

    def _at_points(self, *, slopes: bool) -> Array:
        """Values of the Lagrange elements of degree m + 1, or their slopes, at the Gauss points: (densities, nodes)."""
        element, degree = LagrangeLine(self.degree + 1), self.degree + 1
        points = (leggauss(degree)[0][None] + 1) / 2
        order = np.argsort(element.doflocs[:, 0])
        values, derivatives = (np.stack([np.atleast_2d(element.lbasis(points, i)[k])[0] for i in order], 1) for k in (0, 1))
        found = np.zeros((self.weights.size, degree * (len(self.lines) - 1) + 1))
        for cell, width in enumerate(np.diff(self.lines)):
            block = derivatives / width if slopes else values
            found[degree * cell : degree * (cell + 1), degree * cell : degree * (cell + 1) + 1] = block
        return found
