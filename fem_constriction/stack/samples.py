"""x' M f(M^-1 K) x for the columns x of a basis and all functions f of a stack: what does not depend on frequency, summed up.

Of modes f is sampled at Chebyshev points in every octave of lambda, of a pencil at its points of interpolation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.processes.names import BULK
from fem_constriction.reduction.growing import bordered
from fem_constriction.stack.layered import Layered, Recursion
from fem_constriction.stack.modes import Lateral
from fem_constriction.stack.rational import Rational
from fem_constriction.stack.sparse_functions import Pencil

#: Errors of sparse solutions over those of rounding (measured where terms of 1e5 cancel: 30).
SOLVED = 100.0


class Gathered(Protocol):
    """What a growing basis is for all functions of a plane."""

    def add(self, new: Array) -> None:
        """Take in columns, (k, nx, ny)."""
        ...

    def samples(self) -> Samples:
        """Return the samples of all columns so far."""
        ...

    def other(self, columns: Array) -> Samples:
        """Return the samples of other columns instead, (k, nx, ny)."""
        ...

    def solutions(self) -> list[tuple[float, Array]]:
        """Return the poles p of a plane without modes, and (K + p M)^-1 M of all columns so far, (n, k)."""
        ...


def gathered(layered: Layered) -> Gathered:
    """Return what gathers the columns of a stack's plane."""
    return OfPencil(layered, layered.lateral) if isinstance(layered.lateral, Pencil) else _OfModes(layered, layered.lateral)


@dataclass(frozen=True, eq=False)
class Samples:
    """sum over modes of f(lambda) x x' = sum over samples of f(lambda_j) W_j: what does not depend on frequency, summed up
    before.

    f(lambda) = kappa/u is analytic for Re lambda > 0 (poles are eigenvalues of the column, and have Re lambda <= 0), so on
    octaves of lambda its Chebyshev interpolant in NODES points is exact to 5.8^-NODES (the Bernstein ellipse through 0).
    Octaves with at most NODES modes are summed exactly, without interpolation.

    recursion: of the samples; weights: (samples, r, r).
    """

    recursion: Recursion
    weights: Array

    def below(self, y: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return the projected matrix of what lies below the face, (k, r, r), for y[p] of shape (k,)."""
        return self.total(y[BULK][:, None] / self.recursion.impedance(y))

    def absolute(self, y: Mapping[str, NDArray[Any]]) -> Array:
        """Return the same of the absolute values of all terms."""
        return self.size(np.abs(y[BULK][:, None] / self.recursion.impedance(y)))

    def parts(self, y: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return y dA/dy of what lies below the face, for every process there, (k, r, r) each."""
        u, parts = self.recursion.parts(y)
        # Y = kappa/u, kappa that of the first layer: y dY/dy = Y (-du/dln y)/u, which sum to Y.
        share = y[BULK][:, None] / u**2
        return {name: self.total(share * part) for name, part in parts.items()}

    def total(self, admittance: NDArray[Any]) -> NDArray[Any]:
        """Return sum over samples of admittance (k, samples) times W, (k, r, r)."""
        flat = self.weights.reshape(len(self.weights), -1)
        parts = [part @ flat for part in (admittance.real, admittance.imag)[: 1 + np.iscomplexobj(admittance)]]
        found = parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]
        return np.asarray(found.reshape(len(admittance), *self.weights.shape[1:]))

    def size(self, admittance: NDArray[Any]) -> Array:
        """Return the same of the absolute values of all terms: what rounding is relative to."""
        return replace(self, weights=np.abs(self.weights)).total(np.abs(admittance))

    def error(self, y: Mapping[str, NDArray[Any]]) -> float:
        """Return the largest relative error of f that the samples make: those of modes, rounding alone."""
        return 0.0

    def within(self, span: Array) -> Samples:
        """Return span' W span."""
        return replace(self, weights=np.asarray(span.T @ self.weights @ span))


@dataclass(frozen=True, eq=False)
class Interpolated(Samples):
    """The same without modes: f(M^-1 K) = sum of c_j g_j(M^-1 K) (`Rational`), weights: x' M g_j(M^-1 K) x, (2 r + 1, k, k).

    between: the recursion halfway between the points, where the interpolants are farthest off.
    """

    rational: Rational
    between: Recursion

    def total(self, admittance: NDArray[Any]) -> NDArray[Any]:
        """Return sum over j of c_j W_j for functions given at the points, (k, r, r)."""
        return super().total(self.rational.coefficients(admittance))

    def size(self, admittance: NDArray[Any]) -> Array:
        """Return the same of the absolute values of all terms, as many times as their solutions are worse than rounding."""
        coefficients = np.abs(self.rational.coefficients(admittance))
        return SOLVED * np.tensordot(coefficients, np.abs(self.weights), axes=1)

    def error(self, y: Mapping[str, NDArray[Any]]) -> float:
        """Return the largest relative error of f = kappa/u between the points of interpolation."""
        given, exact = (y[BULK][:, None] / each.impedance(y) for each in (self.recursion, self.between))
        found = self.rational.evaluate(self.rational.coefficients(given), self.rational.between)
        return float(np.max(np.abs(found / exact - 1)))


class _OfModes:
    """Coefficients in the modes that reach the first boundary."""

    def __init__(self, layered: Layered, lateral: Lateral) -> None:
        self.layered, self.lateral = layered, lateral
        self.deep: Array = np.zeros((layered.recursion.deep, 0))
        recursion = layered.recursion
        eigenvalues = lateral.values.ravel()[recursion.order[: recursion.deep]] / layered.unit**2
        self.octaves = Octaves(eigenvalues, layered.at)

    def add(self, new: Array) -> None:
        self.deep = np.hstack([self.deep, self._deep(new)])

    def _deep(self, columns: Array) -> Array:
        modes = self.lateral.analyse(columns).reshape(len(columns), -1).T
        return np.asarray(modes[self.layered.recursion.order[: len(self.deep)]] * np.sqrt(self.layered.area))

    def samples(self) -> Samples:
        return self.octaves.samples(self.deep)

    def other(self, columns: Array) -> Samples:
        return self.octaves.samples(self._deep(columns))

    def solutions(self) -> list[tuple[float, Array]]:
        return []


class OfPencil:
    """x' M (1, lambda/(lambda + p_j), lambda p_j/(lambda + p_j)^2) x of the columns so far: S' K S for the double poles."""

    def __init__(self, layered: Layered, pencil: Pencil) -> None:
        self.layered, self.pencil = layered, pencil
        poles = pencil.squared.poles.size
        self.columns: Array = np.zeros((pencil.shape[0], 0))
        self.solved: list[Array] = [self.columns] * poles
        self.weights: Array = np.zeros((1 + 2 * poles, 0, 0))

    def add(self, new: Array) -> None:
        """Take in columns, (k, n, 1)."""
        pencil, poles = self.pencil, self.pencil.squared.poles
        columns = np.ascontiguousarray(new[:, :, 0].T)
        self.columns = np.hstack([self.columns, columns])
        found = np.empty((len(self.weights), self.columns.shape[1], columns.shape[1]))
        found[0] = self.columns.T @ (pencil.mass @ columns)
        for j, solved in enumerate(pencil.solutions(columns)):
            self.solved[j] = np.hstack([self.solved[j], solved])
            image = pencil.stiffness @ solved
            found[1 + j] = self.columns.T @ image
            found[1 + poles.size + j] = poles[j] * (self.solved[j].T @ image)
        self.weights = bordered(self.weights, found * self.layered.area)

    def samples(self) -> Samples:
        """Return the samples of all columns so far."""
        rational = self.pencil.squared
        return Interpolated(self.at_points, self.weights, rational, self.between)

    def other(self, columns: Array) -> Samples:
        """Return the samples of other columns instead."""
        found = OfPencil(self.layered, self.pencil)
        found.add(columns)
        return replace(self.samples(), weights=found.weights)

    @cached_property
    def at_points(self) -> Recursion:
        """The recursion at the points of interpolation."""
        return self._at(self.pencil.squared.points)

    @cached_property
    def between(self) -> Recursion:
        """The recursion halfway between them."""
        return self._at(self.pencil.squared.between)

    def solutions(self) -> list[tuple[float, Array]]:
        """Return the poles p, and (K + p M)^-1 M of all columns so far."""
        return list(zip(self.pencil.squared.poles.tolist(), self.solved, strict=True))

    def _at(self, values: Array) -> Recursion:
        layered = self.layered
        return layered.at(values / layered.unit**2, whole=True)


#: Chebyshev points per octave of lambda: 5.8^-18 is 2e-14.
NODES = 18


class Octaves:
    """Where functions of modes with these eigenvalues, ascending, are sampled, and what each sample stands for.

    Parameters
    ----------
    values : ndarray, (modes,)
        Eigenvalues lambda in 1/m2.
    at
        Makes the layers' matrices for eigenvalues: `Layered.at`.
    """

    def __init__(self, values: Array, at: Callable[..., Recursion]) -> None:
        self.parts: list[tuple[slice, Array | None]] = []
        points = []
        octave = np.floor(np.log2(np.maximum(values, 1e-300)))
        ends = [0, *(np.flatnonzero(np.diff(octave)) + 1).tolist(), values.size]
        for first, last in pairwise(ends):
            own = values[first:last]
            nodes, cardinal = _interpolated(own) if own.size > NODES else (own, None)
            points.append(nodes)
            self.parts.append((slice(first, last), cardinal))
        chosen = np.concatenate(points)
        self.order = np.argsort(chosen, kind="stable")
        self.points = chosen[self.order]
        self.recursion = at(self.points, whole=True)

    def samples(self, columns: Array) -> Samples:
        """Return the samples of columns given by their coefficients, (modes, r)."""
        weights = []
        for part, cardinal in self.parts:
            x = columns[part]
            if cardinal is None:  # few modes in an octave are summed exactly
                weights.append(x[:, :, None] * x[:, None, :])
            else:
                weights.append(np.stack([(x * column[:, None]).T @ x for column in cardinal.T]))
        return Samples(self.recursion, np.concatenate(weights)[self.order])


def _interpolated(values: Array) -> tuple[Array, Array]:
    """Chebyshev points in the octave of some values, and the cardinal functions of each there, (values, points)."""
    low = 2.0 ** np.floor(np.log2(values[0]))
    angles = (2 * np.arange(NODES) + 1) * np.pi / (2 * NODES)
    nodes = low * (1.5 + 0.5 * np.cos(angles))
    away = values[:, None] - nodes
    exact = np.abs(away) < 1e-14 * low
    cardinal = np.sin(angles) * (-1.0) ** np.arange(NODES) / np.where(exact, 1.0, away)
    hit = exact.any(1)
    cardinal[hit] = exact[hit]
    cardinal /= cardinal.sum(1, keepdims=True)
    return nodes, cardinal
