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
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.processes.names import BULK, COUNTER_ELECTRODE, GRAIN_BOUNDARY
from fem_constriction.stack.modes import Lateral
from fem_constriction.stack.sparse_functions import Pencil

#: Attenuation theta beyond which what is below does not matter: exp(-2 theta) is 1e-17.
DEAD = 20.0

#: Heights that differ by less, relatively, are equal.
EQUAL = 1e-9

TwoPort = Callable[[Array, float], tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class Layered:
    """A laterally uniform stack below a WE face that is not.

    lateral: modes of the plane, or its pencil, lambda in 1/m2 times unit^2; layers: heights of the cells of each, from the WE
    down (m), a boundary between layers; two_port: (lambda in 1/m2, height in m) -> c, d in 1/m; area: m2 of the whole cell per
    unit of the lateral mass; unit: m per unit of lateral length; face: process
    -> matrix of its links from the metal to the nodes of the face, m2 (of the bulk m); free:
    which of them are unknowns (nx * ny), the others are tied to V, or, where they are `grounded`, to 0; ground: process ->
    matrix of its links from the nodes to 0 V, of a stack with nodes on its lower face as well (`two_faces`); unknowns: how many
    the whole grid has; description: carried into the provenance.
    """

    lateral: Lateral | Pencil
    layers: Sequence[Array]
    two_port: TwoPort
    area: float
    unit: float
    face: Mapping[str, sparse.csr_array]
    free: NDArray[np.bool_]
    description: Mapping[str, Any]
    ground: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    grounded: NDArray[np.bool_] | None = None

    @cached_property
    def recursion(self) -> Recursion:
        """The layers' matrices."""
        return Recursion(self.lateral.values.ravel() / self.unit**2, self.layers, self.two_port, whole=not self.lateral.modal)

    def admittance(self, y: Mapping[str, Array]) -> Array:
        """Return that of what lies below the face, mode by mode, (k, nx, ny), siemens per unit of the lateral mass."""
        recursion = self.recursion
        modes = np.empty((len(y[BULK]), recursion.count))
        modes[:, recursion.order[: recursion.deep]] = y[BULK][:, None] / recursion.impedance(y)
        modes[:, recursion.order[recursion.deep :]] = y[BULK][:, None] / recursion.shallow
        return np.asarray(self.area * modes.reshape(len(modes), *self.lateral.values.shape))

    def shallow(self) -> Array | None:
        """Return what modes that die out before the first boundary conduct in units of the bulk, (nx, ny), 0 for all others."""
        weights = np.zeros(self.recursion.count)
        weights[self.recursion.order[self.recursion.deep :]] = self.area / self.recursion.shallow
        return weights.reshape(self.lateral.values.shape) if weights.any() else None


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
            runs = runs_of(heights)
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


def runs_of(heights: Array) -> list[tuple[float, int]]:
    """Return equal neighbours together: (height, number of cells)."""
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
