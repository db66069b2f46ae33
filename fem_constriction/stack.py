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
from scipy import linalg, sparse

from fem_constriction.admittance import BULK
from fem_constriction.assembly import Array


class Modes:
    """Lateral eigenvectors of K v = lambda M v, M-orthonormal: V' M V = 1."""

    def __init__(self, stiffness: Array, mass: Array) -> None:
        values, self.vectors = linalg.eigh(stiffness, mass)
        self.values: Array = np.maximum(values, 0.0)
        self.dual: Array = mass @ self.vectors  # (V^-1)'


@dataclass(frozen=True, eq=False)
class Stack:
    """A cell on a tensor grid, unknowns ordered (z, x, y) with the WE face first.

    x, y: lateral modes; vertical: process -> symmetric banded matrix in z, shape (bandwidth + 1, nz), row d holding the
    entries (i, i + d) at position i; mass: the same for the bulk's lateral conduction; face: WE process -> sparse matrix
    on the nodes of the face; free: those nodes of the face that are unknowns (nx * ny), the others are tied to V.
    All scaled like the operators of the assembly, lateral masses holding no further factor.
    """

    x: Modes
    y: Modes
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
        self.nx, self.ny = len(stack.x.values), len(stack.y.values)
        self.nz = stack.mass.shape[1]
        self._factorise(y)
        face = [(matrix, y[process]) for process, matrix in stack.face.items() if process in y]
        self.plane = _Plane(stack, self.pivot[0], face)

    def _factorise(self, y: Mapping[str, Array]) -> None:
        """U D U' of every mode's banded matrix, from the counter electrode (last row) up to the WE face (row 0)."""
        stack, width = self.stack, self.stack.mass.shape[0]
        lateral = y[BULK][:, None, None] * (stack.x.values[:, None] + stack.y.values)
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
        stack, x, y, width = self.stack, self.stack.x, self.stack.y, len(self.band)
        free = int(stack.free.sum())
        top = np.zeros((self.shifts, self.nx, self.ny))
        top.reshape(self.shifts, -1)[:, stack.free] = columns[:free].T
        below = columns[free:].reshape(self.nz - 1, self.nx, self.ny, self.shifts)
        work = _transform(below.transpose(0, 3, 1, 2), x.vectors.T, y.vectors.T)
        lift = np.zeros_like(top)
        for i in range(self.nz - 1, 0, -1):
            for d in range(1, min(width - 1, i) + 1):
                target = work[i - d - 1] if i > d else lift
                target -= self.band[d, i - d] * work[i - 1]
        face = self.plane.solve(top + _transform(lift, x.dual, y.dual))
        first = _transform(face, x.dual.T, y.dual.T)
        for i in range(1, self.nz):
            work[i - 1] /= self.pivot[i]
            for d in range(1, min(width - 1, i) + 1):
                work[i - 1] -= self.band[d, i - d] * (work[i - d - 1] if i > d else first)
        result = np.empty_like(columns)
        result[:free] = face.reshape(self.shifts, -1)[:, stack.free].T
        result[free:] = _transform(work, x.vectors, y.vectors).transpose(0, 2, 3, 1).reshape(-1, self.shifts)
        return result


class _Plane:
    """(M V Y V' M + sum_p y_p F_p) phi = r on the free nodes of the WE face, for each of k real shifts."""

    tolerance = 1e-11
    most_iterations = 2000

    def __init__(self, stack: Stack, admittance: Array, face: list[tuple[sparse.csr_array, Array]]) -> None:
        self.stack, self.admittance, self.face = stack, admittance, face
        self.free = stack.free.reshape(admittance.shape[1:])
        mass = np.outer(np.sum(stack.x.dual**2, 1), np.sum(stack.y.dual**2, 1))
        # Effective admittance of each node of the face, and the scaling that brings a large contrast down: with
        # W = 1 + y/y*, W^-1/2 (B + y) W^-1/2 has all its admittances below y*.
        local = np.zeros_like(admittance)
        for matrix, y in face:
            local += y[:, None, None] * (matrix.diagonal().reshape(mass.shape) / mass)
        low, high = admittance.min((1, 2)), admittance.max((1, 2))
        least = local[:, self.free].min(1) if self.free.any() else low
        weight = 1 + local / np.maximum(np.sqrt(low * high), least)[:, None, None]
        self.scaling = np.where(self.free, 1 / np.sqrt(weight), 0.0)
        weighted = (local / weight * mass)[:, self.free].sum(1) / max(mass[self.free].sum(), 1e-300)
        self.inverse = 1 / (admittance + weighted[:, None, None])

    def apply(self, phi: Array) -> Array:
        x, y = self.stack.x, self.stack.y
        result = _transform(_transform(phi, x.dual.T, y.dual.T) * self.admittance, x.dual, y.dual)
        flat = phi.reshape(len(phi), -1).T
        for matrix, weight in self.face:
            result += ((matrix @ flat) * weight).T.reshape(phi.shape)
        return np.asarray(result * self.free)

    def precondition(self, residual: Array) -> Array:
        x, y = self.stack.x, self.stack.y
        modes = _transform(residual * self.scaling, x.vectors.T, y.vectors.T) * self.inverse
        return _transform(modes, x.vectors, y.vectors) * self.scaling

    def solve(self, right: Array) -> Array:
        """Preconditioned conjugate gradients, stopped where the error's energy is tolerance^2 of the solution's."""
        residual = right * self.free
        phi = np.zeros_like(residual)
        step = self.precondition(residual)
        direction, energy = step.copy(), _dot(residual, step)
        start = energy.copy()
        for _ in range(self.most_iterations):
            active = energy > self.tolerance**2 * start
            if not active.any():
                break
            image = self.apply(direction)
            alpha = _ratio(energy, _dot(direction, image), active)
            phi += alpha * direction
            residual -= alpha * image
            step = self.precondition(residual)
            new = _dot(residual, step)
            direction = step + _ratio(new, energy, active) * direction
            energy = np.where(active, new, energy)
        return phi


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("kxy,kxy->k", a, b))


def _ratio(above: Array, below: Array, active: NDArray[np.bool_]) -> Array:
    fine = active & (below > 0)
    return np.where(fine, above / np.where(fine, below, 1.0), 0.0)[:, None, None]


def _transform(values: Array, along_x: Array, along_y: Array) -> Array:
    """Return sum over x, y of along_x[m, x] along_y[n, y] values[..., x, y]."""
    return np.asarray(np.matmul(along_x, values @ along_y.T))
