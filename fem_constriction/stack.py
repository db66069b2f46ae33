"""(M (x) T_s + face) phi = r: the laterally uniform stack, solved mode by mode, as a preconditioner.

On a tensor grid every matrix of the cell but those of the WE face is a sum of Kronecker products: with the lateral
eigenvectors K v = lambda M v of x and y the stack falls apart into one banded problem in z per mode, with
T = sum_p y_p K_z,p + (lambda_m + lambda_n) y_bulk M_z. Eliminating z from the counter electrode upwards leaves each mode's
admittance Y_mn on the WE face, where contact and pores couple the modes: (M V Y V' M + face) phi_0 = r_0, a small problem,
solved by conjugate gradients. Both backends use it, as a preconditioner only: what is converged to is the residual of the
backend's own matrices, so nothing can be wrong here that the agreement would then not see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.admittance import BULK
from fem_constriction.assembly import Array
from fem_constriction.modes import Lateral
from fem_constriction.plane import Plane
from fem_constriction.sheet import Sheet


@dataclass(frozen=True, eq=False)
class Stack:
    """A cell on a tensor grid, unknowns ordered (z, x, y) with the WE face first.

    lateral: modes of the plane; vertical: process -> symmetric banded matrix in z, shape (bandwidth + 1, nz), row d holding the
    entries (i, i + d) at position i; mass: the same for the bulk's lateral conduction; face: WE process -> sparse matrix
    on the nodes of the face; free: those nodes of the face that are unknowns (nx * ny), the others are tied to V.
    All scaled like the operators of the assembly, lateral masses holding no further factor.
    """

    lateral: Lateral
    vertical: Mapping[str, Array]
    mass: Array
    face: Mapping[str, sparse.csr_array]
    free: NDArray[np.bool_]

    def prepare(self, y: Mapping[str, Array]) -> FactorisedStack:
        """Factorise for k real shifts, y[p] of shape (k,)."""
        return FactorisedStack(self, y)


class FactorisedStack:
    """The stack at k real shifts, ready to be applied to any number of right-hand sides.

    Inside, arrays are (z, shift, x, y) and (shift, x, y), so that every lateral transform is a large matrix product.
    """

    def __init__(self, stack: Stack, y: Mapping[str, Array]) -> None:
        self.stack = stack
        self.shifts = len(y[BULK])
        self.nx, self.ny = stack.lateral.shape
        self.nz = stack.mass.shape[1]
        self._factorise(y)
        face = {process: Sheet(matrix, stack.lateral.shape) for process, matrix in stack.face.items()}
        self.plane = Plane(stack.lateral, self.pivot[0], face, y, stack.free.reshape(stack.lateral.shape))

    def _factorise(self, y: Mapping[str, Array]) -> None:
        """U D U' of every mode's banded matrix, from the counter electrode (last row) up to the WE face (row 0)."""
        stack, width = self.stack, self.stack.mass.shape[0]
        lateral = y[BULK][:, None, None] * stack.lateral.values
        rows = np.zeros((width, self.nz, self.shifts))
        for process, banded in stack.vertical.items():
            if process in y:
                rows += banded[:, :, None] * y[process]
        # Entry (i, i + d) of each mode's matrix, overwritten by the factor's.
        band = rows[..., None, None] + stack.mass[:, :, None, None, None] * lateral
        pivot = band[0]
        for i in range(self.nz - 1, 0, -1):
            reach = min(width - 1, i)
            scaled = [band[d, i - d] / pivot[i] for d in range(1, reach + 1)]
            for a in range(1, reach + 1):
                for b in range(a, reach + 1):
                    band[b - a, i - b] -= scaled[a - 1] * band[b, i - b]
            for d in range(1, reach + 1):
                band[d, i - d] = scaled[d - 1]
        self.band, self.pivot = band, pivot

    def solve(self, columns: Array) -> Array:
        """Return the stack's inverse applied to columns of shape (unknowns - 1, shifts)."""
        stack, lateral, width = self.stack, self.stack.lateral, len(self.band)
        free = int(stack.free.sum())
        top = np.zeros((self.shifts, self.nx, self.ny))
        top.reshape(self.shifts, -1)[:, stack.free] = columns[:free].T
        below = columns[free:].reshape(self.nz - 1, self.nx, self.ny, self.shifts)
        work = lateral.adjoint(below.transpose(0, 3, 1, 2))
        lift = np.zeros_like(top)
        for i in range(self.nz - 1, 0, -1):
            for d in range(1, min(width - 1, i) + 1):
                target = work[i - d - 1] if i > d else lift
                target -= self.band[d, i - d] * work[i - 1]
        face, _ = self.plane.solve(top + lateral.spread(lift))
        first = lateral.analyse(face)
        for i in range(1, self.nz):
            work[i - 1] /= self.pivot[i]
            for d in range(1, min(width - 1, i) + 1):
                work[i - 1] -= self.band[d, i - d] * (work[i - d - 1] if i > d else first)
        result = np.empty_like(columns)
        result[:free] = face.reshape(self.shifts, -1)[:, stack.free].T
        result[free:] = lateral.synthesise(work).transpose(0, 2, 3, 1).reshape(-1, self.shifts)
        return result
