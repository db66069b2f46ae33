"""(M (x) T_s + face) phi = r: the laterally uniform stack, solved mode by mode, as a preconditioner.

Modes of the plane where it has them, else modes along z (`SeparatedStack`).

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
from scipy import linalg, sparse

from fem_constriction.arrays import Array
from fem_constriction.processes.names import BULK
from fem_constriction.reduction.factors import Solver
from fem_constriction.stack.face_matrix import Sheet
from fem_constriction.stack.face_problem import Plane
from fem_constriction.stack.modes import Lateral
from fem_constriction.stack.preconditioners import preconditioner
from fem_constriction.stack.sparse_functions import Pencil


@dataclass(frozen=True, eq=False)
class Stack:
    """A cell on lines or prisms, unknowns ordered (z, x, y) with the WE face first.

    lateral: modes of the plane, or its pencil; vertical: process -> symmetric banded matrix in z, shape (bandwidth + 1, nz),
    row d holding the entries (i, i + d) at position i; mass: material -> the same for its lateral conduction; face: WE place ->
    sparse matrix on the nodes of the face; free: those nodes of the face that are unknowns (nx * ny), the others are tied to
    V. All scaled like the operators of the assembly, lateral masses holding no further factor.
    """

    lateral: Lateral | Pencil
    vertical: Mapping[str, Array]
    mass: Mapping[str, Array]
    face: Mapping[str, sparse.csr_array]
    free: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """How many rows of nodes there are."""
        return int(self.mass[BULK].shape[1])

    def lateral_mass(self, y: Mapping[str, Array]) -> Array:
        """Return sum over materials of y M_z in bands, (bandwidth + 1, nz, k)."""
        return np.asarray(sum(band[:, :, None] * y[name] for name, band in self.mass.items()))

    def prepare(self, y: Mapping[str, Array]) -> FactorisedStack | SeparatedStack:
        """Factorise for k real shifts, y[p] of shape (k,)."""
        return SeparatedStack(self, self.lateral, y) if isinstance(self.lateral, Pencil) else FactorisedStack(self, y)

    def along(self, y: Mapping[str, Array]) -> Array:
        """Return sum of y_p K_z,p in bands, (bandwidth + 1, nz, k): what does not depend on the mode."""
        rows = np.zeros((*self.mass[BULK].shape, len(y[BULK])))
        for process, banded in self.vertical.items():
            if process in y:
                rows += banded[:, :, None] * y[process]
        return rows

    def factorise(self, y: Mapping[str, Array], values: Array) -> tuple[Array, Array]:
        """Return U and D of U D U' of each mode's banded matrix, from the counter electrode (last row) up to the face (row 0).

        values: lambda of the modes, any shape; (bandwidth + 1, nz, k, *shape) and (nz, k, *shape). D of row 0 is the admittance
        of what lies below the face.
        """
        width, shape = len(self.mass[BULK]), (1,) * values.ndim
        # Entry (i, i + d) of each mode's matrix, overwritten by the factor's.
        rows, mass = self.along(y), self.lateral_mass(y)
        band = rows.reshape(*rows.shape, *shape) + mass.reshape(*mass.shape, *shape) * values
        pivot = band[0]
        for i in range(self.rows - 1, 0, -1):
            reach = min(width - 1, i)
            scaled = [band[d, i - d] / pivot[i] for d in range(1, reach + 1)]
            for a in range(1, reach + 1):
                for b in range(a, reach + 1):
                    band[b - a, i - b] -= scaled[a - 1] * band[b, i - b]
            for d in range(1, reach + 1):
                band[d, i - d] = scaled[d - 1]
        return band, pivot


class FactorisedStack:
    """The stack at k real shifts, ready to be applied to any number of right-hand sides.

    Inside, arrays are (z, shift, x, y) and (shift, x, y), so that every lateral transform is a large matrix product.
    """

    def __init__(self, stack: Stack, y: Mapping[str, Array]) -> None:
        assert isinstance(stack.lateral, Lateral)
        self.stack, self.lateral = stack, stack.lateral
        self.shifts = len(y[BULK])
        self.nx, self.ny = stack.lateral.shape
        self.nz = stack.rows
        self.band, self.pivot = stack.factorise(y, stack.lateral.values)
        face = {process: Sheet(matrix, stack.lateral.shape) for process, matrix in stack.face.items()}
        self.plane = Plane(stack.lateral, self.pivot[0], face, y, stack.free.reshape(stack.lateral.shape))

    def solve(self, columns: Array) -> Array:
        """Return the stack's inverse applied to columns of shape (unknowns - 1, shifts)."""
        stack, lateral, width = self.stack, self.lateral, len(self.band)
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


class SeparatedStack:
    """The same where the plane has no modes: modes along z instead, S w = mu M w below the face, S = sum of y_p K_z,p and
    M that of lateral conduction.

    Each takes one sparse factorisation of K + mu M. With the face held they are exact; what the face itself is left with is
    preconditioned as in the plane's problem (`preconditioners`): an inverse but for that, used in the same way.
    """

    def __init__(self, stack: Stack, pencil: Pencil, y: Mapping[str, Array]) -> None:
        self.stack, self.pencil = stack, pencil
        self.nz, self.mass = stack.rows, stack.lateral_mass(y)
        along = stack.along(y)
        self.top = along[1:, 0]  # what couples the face to the rows below it, (bandwidth, k)
        self.modes: list[Array] = []
        self.solvers: list[list[Solver]] = []
        for k in range(len(y[BULK])):
            if k and all(np.array_equal(each[k], each[k - 1]) for each in y.values()):  # the two parts of a complex potential
                self.modes.append(self.modes[-1])
                self.solvers.append(self.solvers[-1])
                continue
            mu, vectors = linalg.eigh(_dense(along[:, :, k])[1:, 1:], _dense(self.mass[:, :, k])[1:, 1:])
            self.modes.append(vectors)
            everywhere = np.ones(pencil.shape[0], dtype=bool)
            self.solvers.append(pencil.factorised([max(each, 0.0) * pencil.mass for each in mu], everywhere))
        face = {process: Sheet(matrix, pencil.shape) for process, matrix in stack.face.items()}
        _, pivot = stack.factorise(y, pencil.values)
        self.face = preconditioner(pencil, pivot[0], face, y, stack.free.reshape(pencil.shape))

    def solve(self, columns: Array) -> Array:
        """Return about the stack's inverse applied to columns of shape (unknowns - 1, shifts)."""
        free, size, shifts = int(self.stack.free.sum()), self.pencil.shape[0], columns.shape[1]
        below = columns[free:].reshape(self.nz - 1, size, shifts)
        lifted = self._inside(below)
        top = np.zeros((shifts, size, 1))
        top[:, self.stack.free, 0] = columns[:free].T
        reach = len(self.top)
        for d in range(min(reach, self.nz - 1)):
            top[:, :, 0] -= self._coupled(lifted[d], d).T
        face = self.face(top)
        right = np.zeros_like(below)
        for d in range(min(reach, self.nz - 1)):
            right[d] = self._coupled(face[:, :, 0].T, d)
        result = np.empty_like(columns)
        result[:free] = face[:, self.stack.free, 0].T
        result[free:] = (lifted - self._inside(right)).reshape(-1, shifts)
        return result

    def _coupled(self, values: Array, d: int) -> Array:
        """The block between the face and row d + 1 times values (n, k)."""
        along = self.pencil.mass @ values * self.top[d]
        return np.asarray(along + self.pencil.stiffness @ values * self.mass[d + 1, 0])

    def _inside(self, below: Array) -> Array:
        """The inverse with the face held, applied to rows (nz - 1, n, k)."""
        found = np.empty_like(below)
        for k, (vectors, solvers) in enumerate(zip(self.modes, self.solvers, strict=True)):
            each = vectors.T @ below[:, :, k]
            solved = np.stack([solver.solve(right) for solver, right in zip(solvers, each, strict=True)])
            found[:, :, k] = vectors @ solved
        return found


def _dense(band: Array) -> Array:
    """The symmetric matrix of bands, entry (i, i + d) at [d, i]."""
    upper = sum((np.diag(row[: row.size - d], d) for d, row in enumerate(band)), np.zeros((band.shape[1],) * 2))
    return np.asarray(upper + np.triu(upper, 1).T)
