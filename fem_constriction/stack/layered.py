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
from fem_constriction.processes.course import Course
from fem_constriction.processes.elements import Series
from fem_constriction.processes.names import BULK, COUNTER_ELECTRODE
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
    the whole grid has; description: carried into the provenance; course: what the layers and their boundaries are, left out:
    all alike; thinness: d_0/d at each node of a face whose nodes are densities, where pores are not equally deep: their
    entries of `face` are so many times their area; series: {place: y} -> {process of a face: y}, where these are several places
    in series.
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
    course: Course | None = None
    thinness: Array | None = None
    series: Series | None = None

    @cached_property
    def recursion(self) -> Recursion:
        """The layers' matrices."""
        return self.at(self.lateral.values.ravel() / self.unit**2, whole=not self.lateral.modal)

    def at(self, eigenvalues: Array, *, whole: bool) -> Recursion:
        """Return the layers' matrices for any eigenvalues, 1/m2."""
        return Recursion(eigenvalues, self.layers, self.two_port, whole=whole, course=self.course)

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
    number (m): their admittance is kappa/u at every frequency, kappa that of the first layer. whole: count all modes as deep.
    """

    def __init__(
        self,
        eigenvalues: Array,
        layers: Sequence[Array],
        two_port: TwoPort,
        *,
        whole: bool = False,
        course: Course | None = None,
    ) -> None:
        self.course = Course.of(course, layers)
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

    def parts(self, y: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """Return u, and the part -du/dln y of each place in it, which sum to u, (k, deep) each.

        Of u_0 = f(u), f = (A u + B)/(C u + D), the layer itself has f - u f' = (A C u^2 + 2 B C u + B D)/(C u + D)^2, and
        whatever lies below f' times what it had.
        """
        return self._climb(y, derive=True)

    def _climb(self, y: Mapping[str, NDArray[Any]], derive: bool = False) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """From the counter electrode up, u in units of the conductivity of the layer that it is seen from."""
        last = len(self.layers) - 1
        counter = y[self.course.bulks[last]] / y[COUNTER_ELECTRODE] if COUNTER_ELECTRODE in y else 0.0 * y[BULK]
        kind = np.result_type(*y.values())
        u = np.repeat(counter[:, None].astype(kind), self.layers[-1][0].size, axis=1)
        parts = {COUNTER_ELECTRODE: u} if derive and COUNTER_ELECTRODE in y else {}
        for number in range(last, -1, -1):
            a, b, c, d = self.layers[number]
            bulk = self.course.bulks[number]
            if a.size > u.shape[1]:  # modes that do not reach farther down: what is below does not matter
                u = _widened(u, a.size)
                parts = {name: _widened(part, a.size) for name, part in parts.items()}
            under = c * u + d
            if derive:
                gain = (a * d - b * c) / under**2
                parts = {name: part * gain for name, part in parts.items()}
                parts[bulk] = parts.get(bulk, 0.0) + (a * c * u**2 + 2 * b * c * u + b * d) / under**2
            u = (a * u + b) / under
            if not number:
                break
            above, boundary = self.course.bulks[number - 1], self.course.boundaries[number - 1]
            if above != bulk:
                ratio = (y[above] / y[bulk])[:, None]
                u = u * ratio
                parts = {name: part * ratio for name, part in parts.items()}
            if boundary is not None and boundary in y:
                step = (y[above] / y[boundary])[:, None]
                u = u + step
                if derive:
                    parts[boundary] = parts.get(boundary, np.zeros_like(u)) + step
        return u, parts


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
    """Return A, B, C, D of a layer for modes of these eigenvalues, scaled to A D - B C <= 1, and its attenuation.

    Modes that have died out part of the way down are left at what they are there: what is below changes nothing any more.
    """
    a, b, c, d = np.ones_like(values), np.zeros_like(values), np.zeros_like(values), np.ones_like(values)
    total = np.zeros_like(values)
    alive = slice(0, values.size)
    for height, count in runs:  # from the top: the product of the matrices in this order
        even, odd = two_port(values[alive], height)
        ratio = np.sqrt(even / odd)
        with np.errstate(divide="ignore"):  # a cell that lets nothing through has an infinite one
            theta = 2 * count * np.arctanh(np.minimum(ratio, 1 / np.maximum(ratio, 1e-300)))
        tangent, size = np.tanh(theta), 1 / np.sqrt(np.maximum(even * odd, 1e-300))
        uniform = even <= 1e-24 * odd  # lambda = 0: a resistor of 2 count/odd
        upper = np.where(uniform, 2 * count / odd, size * tangent)
        lower = np.where(uniform, 0.0, tangent / size)
        left, right = a[alive] + b[alive] * lower, a[alive] * upper + b[alive]
        under, beside = c[alive] + d[alive] * lower, c[alive] * upper + d[alive]
        norm = np.maximum(left, beside)
        a[alive], b[alive], c[alive], d[alive] = left / norm, right / norm, under / norm, beside / norm
        total[alive] += np.where(uniform, 0.0, theta)
        reaching = np.flatnonzero(total[alive] < DEAD)
        if not reaching.size:
            break
        alive = slice(0, int(reaching[-1]) + 1)
    return a, b, c, d, total
