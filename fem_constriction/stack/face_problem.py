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
    the others are held; ground: as face, from the nodes to 0 V.
    """

    most_iterations = 2000

    def __init__(
        self,
        lateral: Lateral | Pencil,
        admittance: Array,
        face: Mapping[str, Sheet],
        y: Mapping[str, Array],
        free: NDArray[np.bool_],
        ground: Mapping[str, Sheet] | None = None,
    ) -> None:
        self.lateral, self.admittance, self.free = lateral, admittance, free
        self.tolerance = lateral.tolerance
        shape = (len(admittance), *lateral.shape)
        self.working, self.counter = _Films.of(face, y, shape), _Films.of(ground, y, shape) if ground else None
        both = dict(face)
        for name, matrix in (ground or {}).items():  # metal that an outline cuts is joined by bulk, at either face
            both[name] = Sheet(face[name].matrix + matrix.matrix, lateral.shape) if name in face else matrix
        self.precondition = preconditioner(lateral, admittance, both, y, free)

    def below(self, phi: Array) -> Array:
        """Return the current that flows down at each node, (k, nx, ny), and out of the stack where it has a lower face."""
        found = self.lateral.conduct(phi, self.admittance)
        return found if self.counter is None else found + self.counter(phi)

    def metal(self, drop: Array) -> Array:
        """Return the current through contact and pores at each node for drops of potential across them, (k, nx, ny)."""
        return self.working(drop)

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
        other.admittance, other.precondition = self.admittance[columns], self.precondition.only(columns)
        other.working = self.working.only(columns)
        other.counter = self.counter and self.counter.only(columns)
        return other


@dataclass(frozen=True, eq=False)
class _Films:
    """sum of y_p F_p of the thin layers on a face: what is diagonal (k, nx, ny), and matrices with their y."""

    local: Array
    coupled: list[tuple[Sheet, Array]]

    @classmethod
    def of(cls, face: Mapping[str, Sheet], y: Mapping[str, Array], shape: tuple[int, ...]) -> _Films:
        weights = {name: y[name][:, None, None] for name in face if name in y}
        local = np.zeros(shape)
        for name, matrix in face.items():
            if name in y and matrix.plain:
                local += weights[name] * matrix.diagonal
        return cls(local, [(matrix, weights[name]) for name, matrix in face.items() if name in y and not matrix.plain])

    def __call__(self, drop: Array) -> Array:
        found = self.local * drop
        for matrix, weight in self.coupled:
            found += weight * matrix(drop)
        return found

    def only(self, columns: NDArray[np.bool_]) -> _Films:
        return _Films(self.local[columns], [(matrix, weight[columns]) for matrix, weight in self.coupled])


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
