"""(M V Y V' M + sum_p y_p F_p) phi = r on the WE face, at k real shifts together: all that is left of a uniform stack.

Below the face every lateral mode conducts by itself (admittances Y); contact and pores on the face couple the modes. Solved by
conjugate gradients, preconditioned as suits the plane (`preconditioners`): 10 to 35 iterations, nearly independent of the grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.reduction.conjugate_gradients import Iterated, conjugate_gradients, dot
from fem_constriction.stack.face_matrix import Sheet
from fem_constriction.stack.modes import Lateral
from fem_constriction.stack.preconditioners import preconditioner
from fem_constriction.stack.sparse_functions import Pencil


class Plane:
    """The plane's problem at k real shifts.

    lateral: modes of the plane, or its pencil; admittance: of each mode, (k, nx, ny), or at the pencil's points, siemens per
    unit of the lateral mass; face: process -> its matrix, with y: process -> (k,); free: which nodes are unknowns, (nx, ny),
    the others are held.
    """

    most_iterations = 2000

    def __init__(
        self,
        lateral: Lateral | Pencil,
        admittance: Array,
        face: Mapping[str, Sheet],
        y: Mapping[str, Array],
        free: NDArray[np.bool_],
    ) -> None:
        self.lateral, self.admittance, self.free = lateral, admittance, free
        self.tolerance = lateral.tolerance
        weights = {name: y[name][:, None, None] for name in face if name in y}
        self.coupled = [(matrix, weights[name]) for name, matrix in face.items() if name in y and not matrix.plain]
        self.local = np.zeros((len(admittance), *lateral.shape))
        for name, matrix in face.items():
            if name in y and matrix.plain:
                self.local += weights[name] * matrix.diagonal
        self.precondition = preconditioner(lateral, admittance, face, y, free)

    def below(self, phi: Array) -> Array:
        """Return the current that flows down at each node, (k, nx, ny)."""
        return self.lateral.conduct(phi, self.admittance)

    def metal(self, drop: Array) -> Array:
        """Return the current through contact and pores at each node for drops of potential across them, (k, nx, ny)."""
        found = self.local * drop
        for matrix, weight in self.coupled:
            found += weight * matrix(drop)
        return found

    def apply(self, phi: Array) -> Array:
        """Return the matrix times phi, all nodes, (k, nx, ny)."""
        found = self.below(phi)
        found += self.metal(phi)
        return found

    def solve(self, right: Array, start: Array | None = None) -> tuple[Array, Iterated]:
        """Solve on the free nodes, to a squared error of tolerance^2 of the solution's own, in energy.

        Parameters
        ----------
        right : ndarray, (k, nx, ny)
            Currents into the nodes.
        start : ndarray, (k, nx, ny), optional
            A guess, 0 on held nodes.

        Returns
        -------
        phi : ndarray, (k, nx, ny)
            The solution, 0 on held nodes.
        iterated : Iterated
            What was reached, `left` the energy of the error.
        """
        residual = right * self.free
        if start is None:
            phi = np.zeros_like(residual)
        else:
            asked = self.tolerance**2 * dot(residual, self.precondition(residual))
            phi = start * self.free
            residual -= self.apply(phi) * self.free

        def enough(begin: Array, _gained: Array) -> Array:
            return self.tolerance**2 * begin if start is None else asked

        return phi, conjugate_gradients(_Free(self), phi, residual, enough, self.most_iterations)

    def only(self, columns: NDArray[np.bool_]) -> Plane:
        """Return the same problem at some of the shifts."""
        other = copy(self)
        other.admittance, other.local = self.admittance[columns], self.local[columns]
        other.precondition = self.precondition.only(columns)
        other.coupled = [(matrix, weight[columns]) for matrix, weight in self.coupled]
        return other


@dataclass(frozen=True, eq=False)
class _Free:
    """The plane's problem on its free nodes, for conjugate gradients."""

    plane: Plane

    def apply(self, direction: Array) -> Array:
        image = self.plane.apply(direction)
        image *= self.plane.free
        return image

    def precondition(self, residual: Array) -> Array:
        return self.plane.precondition(residual)

    def only(self, columns: NDArray[np.bool_]) -> _Free:
        return _Free(self.plane.only(columns))
