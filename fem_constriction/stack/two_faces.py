"""[[p + t, -t], [-t, q + t]] for each lateral mode: a laterally uniform stack between two faces, both of them patterned.

Whatever lies between two faces is, for a lateral mode, a Pi circuit: p and q from either face to ground, t from face to face,
all positive at real s, in units of the conductivity of a layer's material. n equal cells have t = 1/(z_0 sinh theta) and
p = q = tanh(theta/2)/z_0 with the z_0 and theta of `layered`; a boundary is t = y_gb alone. Two Pi circuits one below the
other are one again when the node between them is eliminated, S = t_1 + t_2 + q_1 + p_2:

    t = t_1 t_2/S,   p = p_1 + t_1 (q_1 + p_2)/S,   q = q_2 + t_2 (q_1 + p_2)/S,

sums and products of positive numbers, so that no digit is lost between a mode that hardly decays and one that is gone after a
cell. Source: star-mesh transform of a node with three branches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.processes.course import Course
from fem_constriction.stack.face_matrix import Sheet
from fem_constriction.stack.layered import Layered, TwoPort, runs_of
from fem_constriction.stack.modes import Lateral
from fem_constriction.stack.preconditioners import scaled
from fem_constriction.stack.samples import Gathered, Octaves, Samples

#: p, t and q of a Pi circuit.
Pi = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def joined(upper: Pi, lower: Pi) -> Pi:
    """Return the Pi circuit of two of them, the second below the first."""
    (p, t, beside), (under, u, q) = upper, lower
    middle = beside + under
    total = t + u + middle
    return p + t * middle / total, t * u / total, q + u * middle / total


class Between:
    """The Pi circuits of all layers for modes of these eigenvalues (1/m2), any order.

    layers: heights of the cells of each (m); two_port: as of `Layered`; course: what the layers and their boundaries are, left
    out: all alike.
    """

    def __init__(self, eigenvalues: Array, layers: Sequence[Array], two_port: TwoPort, course: Course | None = None) -> None:
        self.course = Course.of(course, layers)
        self.layers: list[Pi] = []
        known: dict[tuple[Any, ...], Pi] = {}
        for heights in layers:
            runs = runs_of(heights)
            key = tuple((f"{height:.9e}", count) for height, count in runs)
            if key not in known:
                found: Pi | None = None
                for height, count in runs:
                    part = _cells(*two_port(eigenvalues, height), count)
                    found = part if found is None else joined(found, part)
                assert found is not None
                known[key] = found
            self.layers.append(known[key])

    def circuit(self, y: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return (p, t, q) of all that lies between the faces, (k, 3, modes) in S/m2, for y[p] of shape (k,)."""
        (_, found), *others = self._in_series(y)
        for _, part in others:
            found = joined(found, part)
        return np.stack(found, axis=1)

    def slopes(self, y: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return y_i d/dy_i of the same for every place i there, (k, 3, modes) each; they sum to the circuit.

        What is proportional to y_i is its own slope.
        """
        (name, found), *others = self._in_series(y)
        zero = np.zeros_like(found[0])
        none: Pi = (zero, zero, zero)
        slopes: dict[str, Pi] = dict.fromkeys((name, *(each for each, _ in others)), none)
        slopes[name] = found
        for name, part in others:
            slopes = {each: _joined_slope(found, part, slope, part if each == name else none) for each, slope in slopes.items()}
            found = joined(found, part)
        return {each: np.stack(slope, axis=1) for each, slope in slopes.items()}

    def _in_series(self, y: Mapping[str, NDArray[Any]]) -> list[tuple[str, Pi]]:
        """Every layer and every boundary, from the working electrode down: its place and its circuit, (k, modes) each."""
        found: list[tuple[str, Pi]] = []
        for number, layer in enumerate(self.layers):
            if number and (boundary := self.course.boundaries[number - 1]) is not None and boundary in y:
                across = np.repeat(y[boundary][:, None], layer[0].size, axis=1)
                found.append((boundary, (0 * across, across, 0 * across)))
            conducts = y[self.course.bulks[number]][:, None]
            p, t, q = layer
            found.append((self.course.bulks[number], (conducts * p, conducts * t, conducts * q)))
        return found


def _cells(even: Array, odd: Array, count: int) -> Pi:
    """The Pi circuit of so many equal cells: both ends alike, and opposite.

    Cells of low degree pass the highest modes with their sign turned, even > odd: theta has then a part of i pi per cell.
    """
    ratio = np.sqrt(even / odd)
    turned = ratio > 1
    theta = 2 * count * np.arctanh(np.minimum(ratio, 1 / np.maximum(ratio, 1e-300)) * (1 - 1e-16))
    size = np.sqrt(np.maximum(even * odd, 1e-300))
    decay = np.exp(-theta)
    flat = even <= 1e-24 * odd
    with np.errstate(divide="ignore", invalid="ignore"):
        across = 2 * size * decay / -np.expm1(-2 * theta) * np.where(turned & (count % 2 == 1), -1.0, 1.0)
        beside = size * (np.tanh(theta / 2) if count % 2 == 0 else np.where(turned, 1 / np.tanh(theta / 2), np.tanh(theta / 2)))
    beside, across = np.where(flat, count * even, beside), np.where(flat, odd / (2 * count), across)
    return beside, across, beside


def _joined_slope(upper: Pi, lower: Pi, upper_slope: Pi, lower_slope: Pi) -> Pi:
    """The derivative of what `joined` returns, of circuits with these derivatives."""
    (_, t, beside), (under, u, _) = upper, lower
    (dp, dt, dbeside), (dunder, du, dq) = upper_slope, lower_slope
    middle, dmiddle = beside + under, dbeside + dunder
    total, dtotal = t + u + middle, dt + du + dmiddle
    left, right = t / total, u / total
    dleft, dright = (dt - left * dtotal) / total, (du - right * dtotal) / total
    return dp + dleft * middle + left * dmiddle, dleft * u + left * du, dq + dright * middle + right * dmiddle


class Pair(Protocol):
    """The nodes of both faces as one plane: what a `TwoFaced` takes for its `lateral`."""

    modal: bool
    tolerance: float
    shape: tuple[int, int]

    @property
    def plane(self) -> Any:
        """One of the two faces: its modes, or its pencil."""
        ...

    @property
    def even(self) -> Array:
        """Int of each function of one face, nodal."""
        ...

    def gathered(self, stack: TwoFaced) -> Gathered:
        """Return what gathers the columns of a stack between these faces."""
        ...


class TwoPlanes:
    """The nodes of both faces as one plane, (2 nx, ny): those of the working electrode, then those of the counter electrode.

    Functions of it are Pi circuits (k, 3, nx, ny). It has the members of a `Lateral` that the faces' problem takes.
    """

    modal = True

    def __init__(self, plane: Lateral) -> None:
        self.plane, self.tolerance = plane, plane.tolerance
        self.shape = (2 * plane.shape[0], plane.shape[1])

    @cached_property
    def diagonal(self) -> Array:
        """The diagonal of M."""
        return np.tile(self.plane.diagonal, (2, 1))

    def apart(self, values: Array) -> Array:
        """Return nodes (..., 2 nx, ny) as (..., 2, nx, ny)."""
        return values.reshape(*values.shape[:-2], 2, *self.plane.shape)

    @cached_property
    def even(self) -> Array:
        """Int of each function of one face, nodal."""
        return np.asarray(self.plane.spread(self.plane.analyse(np.ones((1, *self.plane.shape))))[0])

    def conduct(self, phi: Array, f: Array) -> Array:
        """Return the currents into a stack of these circuits, nodal sums, (k, 2 nx, ny)."""
        modes = self.plane.analyse(self.apart(phi))
        across = f[:, 1] * (modes[:, 0] - modes[:, 1])
        currents = np.stack([f[:, 0] * modes[:, 0] + across, f[:, 2] * modes[:, 1] - across], axis=1)
        return np.asarray(self.plane.spread(currents).reshape(phi.shape))

    def preconditioner(
        self, circuit: Array, face: Mapping[str, Sheet], y: Mapping[str, Array], free: NDArray[np.bool_]
    ) -> ScaledPair:
        """Return about the inverse of the faces' problem."""
        return ScaledPair(self, circuit, face, y, free)

    def gathered(self, stack: TwoFaced) -> Gathered:
        """Return what gathers the columns of a stack between these faces."""
        return GatheredPair(stack, self)


class ScaledPair:
    """W^-1/2 (B + y*)^-1 W^-1/2 as of `preconditioners.Scaled`, B of 2 x 2 for each mode, W and y* of each face its own.

    Held nodes count in y* as what an infinite admittance becomes when it is scaled: without them B + y* would be about singular
    for a potential that is the same on both faces.
    """

    def __init__(
        self, planes: TwoPlanes, circuit: Array, face: Mapping[str, Sheet], y: Mapping[str, Array], free: NDArray[np.bool_]
    ) -> None:
        self.planes = planes
        shape = (len(circuit), *planes.shape)
        local = sum((y[name][:, None, None] * matrix.diagonal for name, matrix in face.items()), np.zeros(shape))
        local, unknown, mass = planes.apart(local), free.reshape(2, *planes.plane.shape), planes.plane.diagonal
        p, t, q = (circuit[:, part] for part in range(3))
        scalings, sums = [], []
        for number, own in enumerate((p, q)):
            scaling, constant, most = scaled(own + t, local[:, number], mass, unknown[number])
            held = mass[~unknown[number]].sum() / mass.sum()
            scalings.append(scaling)
            sums.append(own + ((1 - held) * constant + held * most)[:, None, None])
        self.scaling = np.stack(scalings, axis=1)
        one, other = sums
        self.circuit = np.stack([other + t, t, one + t], axis=1) / (one * other + t * (one + other))[:, None]

    def __call__(self, residual: Array) -> Array:
        """Return about the inverse times residual (k, 2 nx, ny), on the free nodes."""
        modes = self.planes.plane.adjoint(self.planes.apart(residual) * self.scaling)
        a, b, c = (self.circuit[:, part] for part in range(3))
        step = np.stack([a * modes[:, 0] + b * modes[:, 1], b * modes[:, 0] + c * modes[:, 1]], axis=1)
        return np.asarray((self.planes.plane.synthesise(step) * self.scaling).reshape(residual.shape))

    def only(self, columns: NDArray[np.bool_]) -> ScaledPair:
        """Return the same at some of the shifts."""
        other = copy(self)
        other.scaling, other.circuit = self.scaling[columns], self.circuit[columns]
        return other


Matrices = Mapping[str, sparse.csr_array]


def on_both(
    faces: tuple[Matrices, Matrices], free: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> tuple[Matrices, Matrices, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return matrices of the working and of the counter electrode's face on the nodes of both; free nodes; those at 0 V."""
    size = free[0].size
    none = sparse.csr_array((size, size))

    def placed(matrix: sparse.csr_array, number: int) -> sparse.csr_array:
        return sparse.csr_array(sparse.block_diag([none] * number + [matrix] + [none] * (1 - number), format="csr"))

    working, counter = ({name: placed(each, number) for name, each in face.items()} for number, face in enumerate(faces))
    return working, counter, np.concatenate(free), np.concatenate([np.zeros(size, dtype=bool), ~free[1]])


@dataclass(frozen=True, eq=False)
class TwoFaced(Layered):
    """A laterally uniform stack between two faces that are not.

    face, ground, free, grounded: of the nodes of both (`TwoPlanes`).
    """

    lateral: Pair  # type: ignore[assignment]

    @classmethod
    def of(
        cls,
        planes: Pair,
        faces: tuple[Mapping[str, sparse.csr_array], Mapping[str, sparse.csr_array]],
        free: tuple[NDArray[np.bool_], NDArray[np.bool_]],
        **others: Any,
    ) -> TwoFaced:
        """Return the stack between two faces, each with its own matrices and unknown nodes; others: as of `Layered`."""
        face, ground, unknown, grounded = on_both(faces, free)
        return cls(lateral=planes, face=face, ground=ground, free=unknown, grounded=grounded, **others)

    @property
    def eigenvalues(self) -> Array:
        """Of the modes in 1/m2, (nx, ny)."""
        return np.asarray(self.lateral.plane.values / self.unit**2)

    @cached_property
    def between(self) -> Between:
        """The layers' circuits."""
        return Between(self.eigenvalues.ravel(), self.layers, self.two_port, self.course)

    def admittance(self, y: Mapping[str, Array]) -> Array:
        """Return the circuit of each mode, (k, 3, nx, ny), siemens per unit of the lateral mass."""
        found = self.between.circuit(y)
        return np.asarray(self.area * found.reshape(*found.shape[:2], *self.lateral.plane.values.shape))

    def shallow(self) -> Array | None:
        """Return None: every mode is followed through all layers."""
        return None

    def even(self) -> Array:
        """Return m, (2 nx, ny): m' phi is the mean potential of the lower face, and m unit current fed evenly into it."""
        weights = self.lateral.even
        return np.concatenate([np.zeros_like(weights), weights / weights.sum()])

    def gathered(self) -> Gathered:
        """Return what gathers the columns of both planes."""
        return self.lateral.gathered(self)


class GatheredPair:
    """Coefficients of the columns so far in the modes of both faces."""

    def __init__(self, stack: TwoFaced, planes: TwoPlanes) -> None:
        self.stack, self.planes = stack, planes
        values = stack.eigenvalues.ravel()
        self.order = np.argsort(values, kind="stable")
        self.octaves = Octaves(values[self.order], stack.at)
        self.between = Between(self.octaves.points, stack.layers, stack.two_port, stack.course)
        self.modes: Array = np.zeros((2, values.size, 0))

    def add(self, new: Array) -> None:
        """Take in columns, (k, 2 nx, ny)."""
        self.modes = np.concatenate([self.modes, self._modes(new)], axis=2)

    def _modes(self, columns: Array) -> Array:
        planes = self.planes
        found = planes.plane.analyse(planes.apart(columns)).reshape(len(columns), 2, -1)
        return np.asarray(found[:, :, self.order].transpose(1, 2, 0) * np.sqrt(self.stack.area))

    def samples(self) -> SampledPair:
        """Return the samples of all columns so far."""
        return self._sampled(self.modes)

    def other(self, columns: Array) -> SampledPair:
        """Return the samples of other columns instead."""
        return self._sampled(self._modes(columns))

    def _sampled(self, modes: Array) -> SampledPair:
        first, second = modes
        weights = np.stack([self.octaves.samples(each).weights for each in (first, first - second, second)])
        return SampledPair(self.between, weights)

    def solutions(self) -> list[tuple[float, Array]]:
        """Return none: the plane has modes."""
        return []


@dataclass(frozen=True, eq=False)
class SampledPair(Samples):
    """sum over modes of p a a' + t (a - b)(a - b)' + q b b' for what columns are on both faces, a and b: see `Samples`.

    recursion: the circuits at the samples; weights: of p, t and q, (3, samples, r, r).
    """

    recursion: Between  # type: ignore[assignment]

    def below(self, y: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return the projected matrix of what lies between the faces, (k, r, r)."""
        return self.total(self.recursion.circuit(y))

    def absolute(self, y: Mapping[str, NDArray[Any]]) -> Array:
        """Return the same of the absolute values of all terms."""
        return self.size(np.abs(self.recursion.circuit(y)))

    def parts(self, y: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return y dA/dy of what lies between the faces, for every process there, (k, r, r) each."""
        return {name: self.total(slope) for name, slope in self.recursion.slopes(y).items()}

    def total(self, admittance: NDArray[Any]) -> NDArray[Any]:
        """Return sum over samples of circuits (k, 3, samples) times W, (k, r, r)."""
        flat = replace(self, weights=self.weights.reshape(-1, *self.weights.shape[2:]))
        return super(SampledPair, flat).total(admittance.reshape(len(admittance), -1))

    def size(self, admittance: NDArray[Any]) -> Array:
        """Return the same of the absolute values of all terms."""
        return replace(self, weights=np.abs(self.weights)).total(np.abs(admittance))
