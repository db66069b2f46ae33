"""(M V Y V' M + sum_p y_p F_p) phi = r on the WE face, at k real shifts together: all that is left of a uniform stack.

Below the face every lateral mode conducts by itself (admittances Y); contact and pores on the face couple the modes. Solved by
conjugate gradients. With local admittances y of a large contrast, W = 1 + y/y* makes W^-1/2 (B + y) W^-1/2 nearly one of
constant coefficients, which the modes diagonalise: 10 to 35 iterations, nearly independent of the grid (numerics).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.assembly import Array
from fem_constriction.modes import Lateral


class Face:
    """A symmetric matrix on the nodes of the face, applied to arrays (..., x, y); most are diagonal, and known to be."""

    def __init__(self, matrix: sparse.csr_array, shape: tuple[int, int]) -> None:
        self.matrix, self.shape = matrix, shape
        self.diagonal: Array = matrix.diagonal().reshape(shape)
        self.plain = bool(np.count_nonzero(self.diagonal) == matrix.count_nonzero())

    def __call__(self, values: Array) -> Array:
        """Return F u, of the shape of u."""
        if self.plain:
            return np.asarray(self.diagonal * values)
        flat = values.reshape(-1, self.matrix.shape[0])
        return np.asarray((self.matrix @ np.ascontiguousarray(flat.T)).T.reshape(values.shape))


class Plane:
    """The plane's problem at k real shifts.

    lateral: modes of the plane; admittance: of each mode, (k, nx, ny), siemens per unit of the lateral mass; face: process ->
    its matrix, with y: process -> (k,); free: which nodes are unknowns, (nx, ny), the others are held.
    """

    tolerance = 1e-12
    most_iterations = 2000

    def __init__(
        self, lateral: Lateral, admittance: Array, face: Mapping[str, Face], y: Mapping[str, Array], free: NDArray[np.bool_]
    ) -> None:
        self.lateral, self.admittance, self.free = lateral, admittance, free
        weights = {name: y[name][:, None, None] for name in face if name in y}
        self.coupled = [(matrix, weights[name]) for name, matrix in face.items() if name in y and not matrix.plain]
        self.local = np.zeros_like(admittance)
        for name, matrix in face.items():
            if name in y and matrix.plain:
                self.local += weights[name] * matrix.diagonal
        self.iterations = 0
        # Effective admittance of each node of the face, and the scaling that brings a large contrast down: with
        # W = 1 + y/y*, W^-1/2 (B + y) W^-1/2 has all its admittances below y*.
        mass = lateral.diagonal
        local = (self.local + sum(weight * matrix.diagonal for matrix, weight in self.coupled)) / mass
        low, high = admittance.min((1, 2)), admittance.max((1, 2))
        least = local[:, free].min(1) if free.any() else low
        weight = 1 + local / np.maximum(np.sqrt(low * high), least)[:, None, None]
        self.scaling = np.where(free, 1 / np.sqrt(weight), 0.0)
        weighted = (local / weight * mass)[:, free].sum(1) / max(mass[free].sum(), 1e-300)
        self.inverse = 1 / (admittance + weighted[:, None, None])

    def below(self, phi: Array) -> Array:
        """Return the current that flows down at each node, (k, nx, ny)."""
        return self.lateral.spread(self.lateral.analyse(phi) * self.admittance)

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

    def precondition(self, residual: Array) -> Array:
        """Return about the inverse times residual, on the free nodes."""
        modes = self.lateral.adjoint(residual * self.scaling)
        modes *= self.inverse
        step = self.lateral.synthesise(modes)
        step *= self.scaling
        return step

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
        other.scaling, other.inverse = self.scaling[columns], self.inverse[columns]
        other.coupled = [(matrix, weight[columns]) for matrix, weight in self.coupled]
        return other


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("kxy,kxy->k", a, b))


def _ratio(above: Array, below: Array) -> Array:
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), 0.0)[:, None, None]
