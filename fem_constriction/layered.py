"""u <- (A u + B)/(C u + D): the impedance of a laterally uniform stack, mode by mode, in closed form inside every layer.

For a lateral mode of eigenvalue lambda every cell of a column, voxel or element, is a symmetric two-port: c and d are its
conductances per area with both ends at the same potential and at opposite ones, in units of the conductivity kappa, a function
of lambda and the height alone. With z_0 = 1/sqrt(c d) and theta = 2 artanh sqrt(c/d), n equal cells take the impedance below
them, u = kappa Z, to z_0 (u + z_0 T)/(z_0 + u T), T = tanh(n theta); a boundary adds kappa/y_gb. So whatever is inside a layer
is one real matrix per mode, the same at every frequency, and a mode that has died out before the first boundary is kappa times
a number. Source: image parameters of ladder networks; the continuous limit is 'Stack of laterally uniform layers' in
transmission-line theory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.admittance import BULK, COUNTER_ELECTRODE, GRAIN_BOUNDARY
from fem_constriction.assembly import Array
from fem_constriction.modes import Lateral

#: Attenuation theta beyond which what is below does not matter: exp(-2 theta) is 1e-17.
DEAD = 20.0

#: Heights that differ by less, relatively, are equal.
EQUAL = 1e-9

TwoPort = Callable[[Array, float], tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class Layered:
    """A laterally uniform stack below a WE face that is not.

    lateral: modes of the plane, eigenvalues in 1/m2 times unit^2; layers: heights of the cells of each, from the WE down (m), a
    boundary between layers; two_port: (lambda in 1/m2, height in m) -> c, d in 1/m; area: m2 of the whole cell per unit of the
    lateral mass; unit: m per unit of lateral length; face: WE process -> matrix on the nodes of the face, m2; free: which of
    them are unknowns (nx * ny), the others are tied to V; unknowns: how many the whole grid has; description: carried into the
    provenance.
    """

    lateral: Lateral
    layers: Sequence[Array]
    two_port: TwoPort
    area: float
    unit: float
    face: Mapping[str, sparse.csr_array]
    free: NDArray[np.bool_]
    description: Mapping[str, Any]

    @cached_property
    def recursion(self) -> Recursion:
        """The layers' matrices."""
        return Recursion(self.lateral.values.ravel() / self.unit**2, self.layers, self.two_port)


@dataclass(frozen=True, eq=False)
class Samples:
    """sum over modes of f(lambda) x x' = sum over samples of f(lambda_j) W_j: what does not depend on frequency, summed up
    before.

    f(lambda) = kappa/u is analytic for Re lambda > 0 (poles are eigenvalues of the column, and have Re lambda <= 0), so on
    octaves of lambda its Chebyshev interpolant in NODES points is exact to 5.8^-NODES (the Bernstein ellipse through 0); fewer
    modes than points in an octave stand for themselves. recursion: of the samples; weights: (samples, r, r).
    """

    recursion: Recursion
    weights: Array

    def total(self, admittance: NDArray[Any]) -> NDArray[Any]:
        """Return sum over samples of admittance (k, samples) times W, (k, r, r)."""
        flat = self.weights.reshape(len(self.weights), -1)
        parts = [part @ flat for part in (admittance.real, admittance.imag)[: 1 + np.iscomplexobj(admittance)]]
        found = parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]
        return np.asarray(found.reshape(len(admittance), *self.weights.shape[1:]))

    def within(self, span: Array) -> Samples:
        """Return span' W span."""
        return Samples(self.recursion, np.asarray(span.T @ self.weights @ span))


#: Chebyshev points per octave of lambda: 5.8^-18 is 2e-14.
NODES = 18


def sample(values: Array, columns: Array, layers: Sequence[Array], two_port: TwoPort) -> Samples:
    """Return the samples for modes of these eigenvalues, ascending, and their coefficients, (modes, r)."""
    points, weights = [], []
    octave = np.floor(np.log2(np.maximum(values, 1e-300)))
    edges = np.flatnonzero(np.diff(octave)) + 1
    for part in np.split(np.arange(values.size), edges):
        own, x = values[part], columns[part]
        if part.size <= NODES:
            points.append(own)
            weights.append(x[:, :, None] * x[:, None, :])
            continue
        low = 2.0 ** octave[part[0]]
        angles = (2 * np.arange(NODES) + 1) * np.pi / (2 * NODES)
        nodes = low * (1.5 + 0.5 * np.cos(angles))
        away = own[:, None] - nodes
        exact = np.abs(away) < 1e-14 * low
        cardinal = np.sin(angles) * (-1.0) ** np.arange(NODES) / np.where(exact, 1.0, away)
        hit = exact.any(1)
        cardinal[hit] = exact[hit]
        cardinal /= cardinal.sum(1, keepdims=True)
        points.append(nodes)
        weights.append(np.stack([(x * column[:, None]).T @ x for column in cardinal.T]))
    chosen, found = np.concatenate(points), np.concatenate(weights)
    order = np.argsort(chosen, kind="stable")
    recursion = Recursion(chosen[order], layers, two_port, whole=True)
    return Samples(recursion, found[order])


class Recursion:
    """The matrices of all layers, for modes in ascending order of their eigenvalue.

    order: of the modes; deep: how many reach the first boundary, or the counter electrode; shallow: u of all others, which is a
    number (m): their admittance is kappa/u at every frequency. whole: count all modes as deep.
    """

    def __init__(self, eigenvalues: Array, layers: Sequence[Array], two_port: TwoPort, *, whole: bool = False) -> None:
        self.order = np.argsort(eigenvalues, kind="stable")
        values = eigenvalues[self.order]
        self.count = values.size
        self.layers: list[tuple[Array, Array, Array, Array]] = []
        known: dict[tuple[Any, ...], tuple[Array, ...]] = {}
        reach = np.zeros(values.size)
        for number, heights in enumerate(layers):
            alive = int(np.searchsorted(reach, DEAD)) if number else values.size
            if not alive:
                break
            runs = _runs(heights)
            key = tuple((round(float(np.log(height)) / EQUAL), count) for height, count in runs)
            if key not in known or known[key][0].size < alive:
                known[key] = _layer(values[:alive], runs, two_port)
            *matrix, attenuation = (part[:alive] for part in known[key])
            # Monotone from below: elements of low degree attenuate the highest modes less than some before them.
            reach = np.minimum.accumulate((reach[:alive] + attenuation)[::-1])[::-1]
            if number == 0:
                self.deep = values.size if whole else int(np.searchsorted(reach, DEAD))
                _, b, _, d = matrix
                self.shallow = b[self.deep :] / d[self.deep :]
                reach, matrix = reach[: self.deep], [part[: self.deep] for part in matrix]
            a, b, c, d = matrix
            self.layers.append((a, b, c, d))

    def impedance(self, y: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return u = kappa Z of the deep modes in m, (k, deep), for y[p] of shape (k,), real or complex."""
        return self._climb(y)[0]

    def derivatives(self, y: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """Return u, and du/dv for v = kappa/y of the boundaries and of the counter electrode, each (k, deep)."""
        return self._climb(y, derive=True)

    def _climb(self, y: Mapping[str, NDArray[Any]], derive: bool = False) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        below = np.zeros(y[BULK].shape, dtype=np.result_type(*y.values()))
        steps = {name: y[BULK] / y[name] if name in y else below for name in (GRAIN_BOUNDARY, COUNTER_ELECTRODE)}
        size = self.layers[-1][0].size
        u = np.repeat(steps[COUNTER_ELECTRODE][:, None].astype(below.dtype), size, axis=1)
        slopes = {}
        if derive:
            slopes = {GRAIN_BOUNDARY: np.zeros_like(u), COUNTER_ELECTRODE: np.ones_like(u)}
        for number in range(len(self.layers) - 1, -1, -1):
            a, b, c, d = self.layers[number]
            if a.size > u.shape[1]:  # modes that do not reach farther down: what is below does not matter
                u = _widened(u, a.size)
                slopes = {name: _widened(slope, a.size) for name, slope in slopes.items()}
            under = c * u + d
            if derive:
                gain = (a * d - b * c) / under**2
                slopes = {name: slope * gain for name, slope in slopes.items()}
            u = (a * u + b) / under
            if number:
                u += steps[GRAIN_BOUNDARY][:, None]
                if derive:
                    slopes[GRAIN_BOUNDARY] = slopes[GRAIN_BOUNDARY] + 1
        return u, slopes


def _widened(values: NDArray[Any], size: int) -> NDArray[Any]:
    return np.concatenate([values, np.zeros((len(values), size - values.shape[1]), dtype=values.dtype)], axis=1)


def _runs(heights: Array) -> list[tuple[float, int]]:
    """Equal neighbours together: (height, number of cells)."""
    keys = np.concatenate([[0], np.cumsum(np.abs(np.diff(heights)) > EQUAL * heights[1:])])
    found = []
    for _, places in groupby(range(len(heights)), key=lambda place: keys[place]):
        members = list(places)
        found.append((float(np.mean(heights[members])), len(members)))
    return found


def _layer(values: Array, runs: Sequence[tuple[float, int]], two_port: TwoPort) -> tuple[Array, Array, Array, Array, Array]:
    """Return A, B, C, D of a layer for modes of these eigenvalues, scaled to A D - B C <= 1, and its attenuation."""
    a, b, c, d = np.ones_like(values), np.zeros_like(values), np.zeros_like(values), np.ones_like(values)
    total = np.zeros_like(values)
    for height, count in runs:  # from the top: the product of the matrices in this order
        even, odd = two_port(values, height)
        ratio = np.sqrt(even / odd)
        with np.errstate(divide="ignore"):  # a cell that lets nothing through has an infinite one
            theta = 2 * count * np.arctanh(np.minimum(ratio, 1 / np.maximum(ratio, 1e-300)))
        tangent, size = np.tanh(theta), 1 / np.sqrt(np.maximum(even * odd, 1e-300))
        uniform = even <= 1e-24 * odd  # lambda = 0: a resistor of 2 count/odd
        upper = np.where(uniform, 2 * count / odd, size * tangent)
        lower = np.where(uniform, 0.0, tangent / size)
        a, b, c, d = a + b * lower, a * upper + b, c + d * lower, c * upper + d
        total = total + np.where(uniform, 0.0, theta)
        norm = np.maximum(a, d)
        a, b, c, d = a / norm, b / norm, c / norm, d / norm
    return a, b, c, d, total
