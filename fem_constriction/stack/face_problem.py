"""(M V Y V' M + sum_p y_p F_p) phi = r on the WE face, at k real shifts together: all that is left of a uniform stack.

Below the face every lateral mode conducts by itself (admittances Y); contact and pores on the face couple the modes. Solved by
conjugate gradients, preconditioned as suits the plane (`preconditioners`): 10 to 35 iterations, nearly independent of the grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
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
        self.iterations = 0
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

    def solve(self, right: Array, start: Array | None = None) -> tuple[Array, Array]:
        """Return phi on the free nodes (0 elsewhere), and the energy of the error that is left, (k,).

        Stopped where that is tolerance^2 of the solution's. start: a guess, 0 on held nodes.
        """
        residual = right * self.free
        phi = np.zeros_like(residual) if start is None else start * self.free
        step = self.precondition(residual)
        energy = _dot(residual, step)
        enough = self.tolerance**2 * energy
        if start is not None:
            residual -= self.apply(phi) * self.free
            step = self.precondition(residual)
            energy = _dot(residual, step)
        found, left = phi.copy(), energy.copy()
        columns = np.arange(len(phi))
        problem, direction = self, step
        for number in range(self.most_iterations):
            self.iterations = number
            active = energy > enough[columns]
            if not active.all():  # what is done is put aside, and the rest goes on
                found[columns], left[columns] = phi, energy
                if not active.any():
                    break
                problem, columns = problem._only(active), columns[active]
                phi, residual, direction, energy = (each[active] for each in (phi, residual, direction, energy))
            image = problem.apply(direction)
            image *= self.free
            alpha = _ratio(energy, _dot(direction, image))
            phi += alpha * direction
            residual -= alpha * image
            step = problem.precondition(residual)
            new = _dot(residual, step)
            direction *= _ratio(new, energy)
            direction += step
            energy = new
        else:
            found[columns], left[columns] = phi, energy
        return found, left

    def _only(self, columns: NDArray[np.bool_]) -> Plane:
        """The same problem at some of the shifts."""
        other = copy(self)
        other.admittance, other.local = self.admittance[columns], self.local[columns]
        other.precondition = self.precondition.only(columns)
        other.coupled = [(matrix, weight[columns]) for matrix, weight in self.coupled]
        return other


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("kxy,kxy->k", a, b))


def _ratio(above: Array, below: Array) -> Array:
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), 0.0)[:, None, None]
