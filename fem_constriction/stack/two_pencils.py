"""[[p + t, -t], [-t, q + t]] as functions of one sparse pencil: a stack between two faces of triangles without their modes.

p + t and q + t rise with lambda as 1/u of one face does, t falls: all are interpolated at the same points with the same poles
(`rational`), p, t and q to an error relative to their sum, which is what the energy of a column is made of. Preconditioned face
by face, the other one held (`preconditioners.Augmented`): of all modes only those that reach from face to face see more, and of
these the uniform one is taken out by its 2 x 2 matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.stack.face_matrix import Sheet
from fem_constriction.stack.preconditioners import Augmented
from fem_constriction.stack.rational import Rational
from fem_constriction.stack.samples import SOLVED, OfPencil
from fem_constriction.stack.sparse_functions import Pencil
from fem_constriction.stack.two_faces import Between, SampledPair, TwoFaced


class TwoPencils:
    """The nodes of both faces as one plane, (2 n, 1), as `two_faces.TwoPlanes` is; circuits are (k, 3, points, 1)."""

    modal = False

    def __init__(self, plane: Pencil) -> None:
        self.plane, self.tolerance = plane, plane.tolerance
        self.size = plane.shape[0]
        self.shape = (2 * self.size, 1)

    @cached_property
    def diagonal(self) -> Array:
        """The diagonal of M."""
        return np.tile(self.plane.diagonal, (2, 1))

    @cached_property
    def even(self) -> Array:
        """Int of each function of one face, nodal."""
        return np.asarray(self.plane.mass.sum(1)).reshape(-1, 1)

    def apart(self, values: Array) -> Array:
        """Return nodes (k, 2 n, 1) as columns of each face, (2, n, k)."""
        return np.ascontiguousarray(values[:, :, 0].reshape(len(values), 2, -1).transpose(1, 2, 0))

    def conduct(self, phi: Array, f: Array) -> Array:
        """Return the currents into a stack of these circuits, nodal sums, (k, 2 n, 1)."""
        plane, (one, other) = self.plane, self.apart(phi)
        p, t, q = (_coefficients(plane.rational, f[:, part, :, 0]).T for part in range(3))
        drop = one - other
        columns = one.shape[1]
        near = np.zeros((3, *one.shape))  # of p, t and q, summed up over their poles
        for number, solved in enumerate(plane.solutions(np.hstack([one, drop, other])), 1):
            for into, weight, part in zip(near, (p, t, q), range(3), strict=True):
                into += solved[:, part * columns : (part + 1) * columns] * weight[number]
        parts = [
            plane.mass @ (given * weight[0]) + plane.stiffness @ found
            for given, weight, found in zip((one, drop, other), (p, t, q), near, strict=True)
        ]
        currents = np.concatenate([parts[0] + parts[1], parts[2] - parts[1]])
        return np.ascontiguousarray(currents.T)[:, :, None]

    def preconditioner(
        self, circuit: Array, face: Mapping[str, Sheet], y: Mapping[str, Array], free: NDArray[np.bool_]
    ) -> AugmentedPair:
        """Return about the inverse of the faces' problem."""
        return AugmentedPair(self, circuit[..., 0], face, y, free.ravel())

    def gathered(self, stack: TwoFaced) -> GatheredPencils:
        """Return what gathers the columns of a stack between these faces."""
        return GatheredPencils(stack, self)


class AugmentedPair:
    """`Augmented` of each face with the other one held, and [[t + y_1, -t], [-t, t + y_2]]^-1 of what is uniform on both."""

    def __init__(
        self, planes: TwoPencils, circuit: Array, face: Mapping[str, Sheet], y: Mapping[str, Array], free: NDArray[np.bool_]
    ) -> None:
        plane, size = planes.plane, planes.size
        self.free = free.reshape(2, size)
        self.faces: list[Augmented] = []
        area = float(plane.mass.sum())
        uniform = np.zeros((len(circuit), 2, 2))
        across = area * circuit[:, 1, 0]
        for number, own in enumerate((circuit[:, 0], circuit[:, 2])):
            here = slice(number * size, (number + 1) * size)
            parts = {name: sparse.csr_array(matrix.matrix[here, here]) for name, matrix in face.items()}
            sheets = {name: Sheet(part, plane.shape) for name, part in parts.items() if part.nnz}
            augmented = Augmented(plane, own + circuit[:, 1], sheets, y, self.free[number])
            augmented.uniform = np.zeros(len(circuit))
            self.faces.append(augmented)
            uniform[:, number, number] = across + area * own[:, 0]
            for name, sheet in sheets.items():
                uniform[:, number, number] += y[name] * float(sheet.matrix.sum())
            uniform[:, number, 1 - number] = -across
        self.uniform = np.zeros_like(uniform)
        whole = np.flatnonzero(self.free.all(1))  # a constant belongs to a face of which no node is held
        if whole.size:
            self.uniform[np.ix_(np.arange(len(circuit)), whole, whole)] = np.linalg.inv(uniform[:, whole][:, :, whole])

    def __call__(self, residual: Array) -> Array:
        """Return about the inverse times residual (k, 2 n, 1), on the free nodes."""
        parts = residual.reshape(len(residual), 2, -1, 1)
        steps = np.stack([each(np.ascontiguousarray(parts[:, number])) for number, each in enumerate(self.faces)], axis=1)
        means = np.einsum("kij,kj->ki", self.uniform, (parts[..., 0] * self.free).sum(2))
        steps += (means[:, :, None] * self.free)[..., None]
        return np.ascontiguousarray(steps.reshape(residual.shape))

    def only(self, columns: NDArray[np.bool_]) -> AugmentedPair:
        """Return the same at some of the shifts."""
        other = copy(self)
        other.faces, other.uniform = [each.only(columns) for each in self.faces], self.uniform[columns]
        return other


class GatheredPencils:
    """What functions of the pencil make of the columns so far on one face, of their difference, and on the other one."""

    def __init__(self, stack: TwoFaced, planes: TwoPencils) -> None:
        self.stack, self.planes = stack, planes
        self.parts = self._none()
        rational = planes.plane.squared
        self.points, self.halfway = (self._between(values) for values in (rational.points, rational.between))

    def _none(self) -> list[OfPencil]:
        return [OfPencil(self.stack, self.planes.plane) for _ in range(3)]

    def _between(self, values: Array) -> Between:
        stack = self.stack
        return Between(values / stack.unit**2, stack.layers, stack.two_port, stack.course)

    def add(self, new: Array) -> None:
        """Take in columns, (k, 2 n, 1)."""
        self._add(self.parts, new)

    def _add(self, parts: list[OfPencil], new: Array) -> None:
        one, other = self.planes.apart(new).transpose(0, 2, 1)[..., None]
        for part, columns in zip(parts, (one, one - other, other), strict=True):
            part.add(columns)

    def samples(self) -> InterpolatedPair:
        """Return the samples of all columns so far."""
        return self._sampled(self.parts)

    def other(self, columns: Array) -> InterpolatedPair:
        """Return the samples of other columns instead."""
        self._add(parts := self._none(), columns)
        return self._sampled(parts)

    def _sampled(self, parts: list[OfPencil]) -> InterpolatedPair:
        weights = np.stack([part.weights for part in parts])
        return InterpolatedPair(self.points, weights, self.planes.plane.squared, self.halfway)

    def solutions(self) -> list[tuple[float, Array]]:
        """Return none: no disc is made of two faces."""
        return []


@dataclass(frozen=True, eq=False)
class InterpolatedPair(SampledPair):
    """The same as of modes, p, t and q interpolated; weights: (3, 2 r + 1, k, k); between: circuits halfway between points."""

    rational: Rational
    between: Between

    def total(self, admittance: NDArray[Any]) -> NDArray[Any]:
        """Return sum over p, t, q and the terms of their interpolants of coefficients times W, (k, r, r)."""
        return super().total(self._terms(admittance))

    def size(self, admittance: NDArray[Any]) -> Array:
        """Return the same of the absolute values of all terms, as many times as their solutions are worse than rounding."""
        flat = np.abs(self.weights.reshape(-1, *self.weights.shape[2:]))
        coefficients = np.abs(self._terms(admittance)).reshape(len(admittance), -1)
        return SOLVED * np.tensordot(coefficients, flat, axes=1)

    def error(self, y: Mapping[str, NDArray[Any]]) -> float:
        """Return the largest error of p, t and q between the points of interpolation, relative to their sum."""
        given, exact = self.recursion.circuit(y), self.between.circuit(y)
        coefficients = self._terms(given)
        found = np.stack([self.rational.evaluate(coefficients[:, part], self.rational.between) for part in range(3)], axis=1)
        return float(np.max(np.abs(found - exact) / np.abs(exact).sum(1, keepdims=True)))

    def _terms(self, circuit: NDArray[Any]) -> NDArray[Any]:
        return np.stack([_coefficients(self.rational, circuit[:, part]) for part in range(3)], axis=1)


def _coefficients(rational: Rational, values: NDArray[Any]) -> NDArray[Any]:
    """Those of functions at the points, (k, points): of none where a function is 0 everywhere."""
    there = np.abs(values).max(1) > 0
    found = np.zeros(values.shape, dtype=values.dtype)
    if there.any():
        found[there] = rational.coefficients(values[there])
    return found
