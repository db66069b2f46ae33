"""All unknowns of a stack between two patterned faces, solved mode by mode between them: a preconditioner, as `volume` is.

With both faces held, every mode's rows between them are a banded system, factorised from the lower face up. What is left are
the faces, with a Pi circuit for each mode (`two_faces`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.processes.names import BULK
from fem_constriction.stack.face_matrix import Sheet
from fem_constriction.stack.face_problem import Plane
from fem_constriction.stack.modes import Lateral
from fem_constriction.stack.two_faces import TwoPlanes, on_both
from fem_constriction.stack.volume import Stack


@dataclass(frozen=True, eq=False)
class TwoFacedStack:
    """A cell on lines, unknowns ordered (z, x, y) with the working electrode's face first and the other one last.

    lateral, vertical, mass: as of `volume.Stack`, both faces among the rows; faces: matrices of the thin layers on each; free:
    which nodes of each are unknowns.
    """

    lateral: Lateral
    vertical: Mapping[str, Array]
    mass: Mapping[str, Array]
    faces: tuple[Mapping[str, sparse.csr_array], Mapping[str, sparse.csr_array]]
    free: tuple[NDArray[np.bool_], NDArray[np.bool_]]

    def prepare(self, y: Mapping[str, Array]) -> FactorisedPair:
        """Factorise for k real shifts, y[p] of shape (k,)."""
        return FactorisedPair(self, y)


class FactorisedPair:
    """The stack at k real shifts; arrays are (z, shift, x, y), rows 0 to last - 1, the last face apart."""

    def __init__(self, stack: TwoFacedStack, y: Mapping[str, Array]) -> None:
        self.stack, self.lateral, lateral = stack, stack.lateral, stack.lateral
        whole = Stack(lateral, stack.vertical, stack.mass, {}, stack.free[0])
        vertical, mass = ({name: band[:, :-1] for name, band in each.items()} for each in (stack.vertical, stack.mass))
        upper = Stack(lateral, vertical, mass, {}, stack.free[0])
        self.last = whole.rows - 1
        self.shifts = len(y[BULK])
        self.band, self.pivot = upper.factorise(y, lateral.values)
        along, sideways = whole.along(y), whole.lateral_mass(y)

        def entry(d: int) -> Array:
            row = self.last - d
            return np.asarray(along[d, row][:, None, None] + sideways[d, row][:, None, None] * lateral.values)

        self.coupled = {self.last - d: entry(d) for d in range(1, min(len(self.band), self.last + 1))}
        response = np.zeros_like(self.pivot)
        for row, value in self.coupled.items():
            response[row] = value
        self._up(response)
        across = np.maximum(-response[0], 0.0)
        self.response = self._down(response, np.zeros_like(across))
        below = entry(0) - sum(value * self.response[row] for row, value in self.coupled.items() if row)
        circuit = np.stack([np.maximum(self.pivot[0] - across, 0.0), across, np.maximum(below - across, 0.0)], axis=1)
        planes = TwoPlanes(lateral)
        face, ground, free, _ = on_both(stack.faces, stack.free)
        sheets = [{name: Sheet(matrix, planes.shape) for name, matrix in each.items()} for each in (face, ground)]
        self.plane = Plane(cast(Any, planes), circuit, sheets[0], y, free.reshape(planes.shape), sheets[1])

    def _up(self, work: Array) -> None:
        """Eliminate rows from the last but one up to the first, in place: what is left on row 0 acts on the face."""
        for i in range(self.last - 1, 0, -1):
            for d in range(1, min(len(self.band) - 1, i) + 1):
                work[i - d] -= self.band[d, i - d] * work[i]

    def _down(self, work: Array, first: Array) -> Array:
        """Return the rows for what was eliminated and the face's own values."""
        found = np.empty_like(work)
        found[0] = first
        for i in range(1, self.last):
            found[i] = work[i] / self.pivot[i]
            for d in range(1, min(len(self.band) - 1, i) + 1):
                found[i] -= self.band[d, i - d] * found[i - d]
        return found

    def solve(self, columns: Array) -> Array:
        """Return the stack's inverse applied to columns of shape (unknowns - 1, shifts)."""
        lateral, (top, bottom) = self.lateral, self.stack.free
        shape, size = lateral.shape, lateral.values.size
        start, end = int(top.sum()), len(columns) - int(bottom.sum())
        faces = np.zeros((self.shifts, 2, size))
        faces[:, 0, top], faces[:, 1, bottom] = columns[:start].T, columns[end:].T
        work = np.zeros((self.last, self.shifts, *shape))
        work[1:] = lateral.adjoint(columns[start:end].reshape(-1, *shape, self.shifts).transpose(0, 3, 1, 2))
        self._up(work)
        held = self._down(work, np.zeros_like(work[0]))
        below = -sum((value * held[row] for row, value in self.coupled.items() if row), np.zeros_like(work[0]))
        right = faces.reshape(self.shifts, 2, *shape) + lateral.spread(np.stack([work[0], below], axis=1))
        found, _ = self.plane.solve(right.reshape(self.shifts, 2 * shape[0], shape[1]))
        modes = lateral.analyse(found.reshape(self.shifts, 2, *shape))
        inside = self._down(work, modes[:, 0]) - self.response * modes[:, 1]
        result = np.empty_like(columns)
        flat = found.reshape(self.shifts, 2, -1)
        result[:start], result[end:] = flat[:, 0, top].T, flat[:, 1, bottom].T
        result[start:end] = lateral.synthesise(inside[1:]).transpose(0, 2, 3, 1).reshape(-1, self.shifts)
        return result
