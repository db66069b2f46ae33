"""Z(s) = b' (X' A(s) X)^-1 b on the WE face alone: a laterally uniform stack without its three-dimensional unknowns.

Eliminating everything below the WE face, mode by mode or as functions of the plane (`layered`), is exact at every s, real or
complex. Left is the plane's problem with (V, phi on the face) as unknowns; its solutions at a few real shifts span a space on
which it is projected, as the whole network is in `projection`. It is the same discretisation, to rounding: Galerkin on the
plane's solutions is Galerkin on all potentials that continue them exactly. Memory and time grow with the plane, not the volume.

Both backends share it, so their agreement is silent on it: its oracle are sparse solutions of the matrices that each assembles
by itself (tests), and guaranteed discs, which read off potentials and currents and take nothing else from here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.processes.names import BULK
from fem_constriction.reduction.assembly import Assembly, Operator
from fem_constriction.reduction.conjugate_gradients import not_reached
from fem_constriction.reduction.projection import TARGET, Basis, blocks, enough_shifts
from fem_constriction.reduction.reduced import ReducedModel, Relaxation, spanned
from fem_constriction.reduction.solver import ShiftedSolutions
from fem_constriction.reduction.unfolding import by_process
from fem_constriction.stack.face_matrix import Sheet
from fem_constriction.stack.face_problem import Plane
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.modes import WIDE, Lateral
from fem_constriction.stack.samples import Gathered, Samples, gathered
from fem_constriction.stack.two_faces import TwoFaced

#: How often the plane is solved more closely until the error is small against what flows.
CLOSER = 3


def reduce_layered(
    layered: Layered,
    processes: Mapping[str, Admittance],
    band: tuple[float, float] | None,
    *,
    direct_current: bool = True,
    tolerance: float = TARGET / 10,
    most_shifts: int = 60,
    whole: Callable[[], ReducedModel] | None = None,
    observed: bool = False,
) -> LateralModel:
    """Return the model of a stack for angular frequencies band[0] to band[1] (1/s), as `projection.reduce` does of any
    assembly.

    whole: makes the model of all unknowns, for what the face alone does not tell; observed: of a stack between two patterned
    faces, the mean potential of the lower one as well (`LateralModel.mean_potential`). Raises ComputationError.
    """
    own = processes if layered.series is None else layered.series(processes)
    basis = PlaneBasis(layered, own, observed=observed)
    model, estimate = enough_shifts(basis, band, direct_current=direct_current, tolerance=tolerance, most_shifts=most_shifts)
    assert isinstance(model, LateralModel)
    off = _interpolation(model, own)
    statistics = basis.statistics(max(estimate, off))
    return replace(model, statistics=statistics, whole=whole, basis_error=off, series=layered.series)


@dataclass(frozen=True, eq=False)
class FaceSolutions:
    """phi on the WE face at r real shifts, as they were solved: what guaranteed discs continue downwards.

    shifts: 1/s, (r,); potential: (r, nx, ny); metal: V of each, (r,): the norms of the columns are 1; poles: of a plane
    without modes (K + p M)^-1 M phi for every pole p of its functions, (n, r) each, p in units of lambda.
    """

    shifts: Array
    potential: Array
    metal: Array
    poles: Mapping[float, Array] = field(default_factory=dict)


def solved_on_face(
    layered: Layered,
    processes: Mapping[str, Admittance],
    band: tuple[float, float] | None,
    *,
    direct_current: bool = True,
    tolerance: float = TARGET,
) -> FaceSolutions:
    """Return solutions on the face at as many shifts as `reduce_layered` takes for an error of Z of tolerance."""
    basis = PlaneBasis(layered, processes)
    enough_shifts(basis, band, direct_current=direct_current, tolerance=tolerance)
    columns = np.hstack(basis.blocks) @ basis.coordinates
    poles = {pole: solved @ basis.coordinates for pole, solved in basis.gathered.solutions()}
    return FaceSolutions(basis.shifts, basis.nodes.whole(columns), columns[-1], poles)


def _interpolation(model: LateralModel, processes: Mapping[str, Admittance]) -> float:
    """How far a pencil's functions are off, relative, at the model's shifts and at the same imaginary ones."""
    positive = model.shifts[model.shifts > 0]
    off = max([model.used.error(evaluate(processes, s)) for s in (model.shifts, 1j * positive) if s.size])
    if off > TARGET:
        raise ComputationError(f"functions of the plane are {off:.1e} off by interpolation, at most {TARGET:.0e} are allowed")
    return off


@dataclass(frozen=True, eq=False)
class LateralModel(ReducedModel):
    """A stack seen from its electrodes: matrices of the face, and the modes below it that reach the first boundary.

    matrices: those of charge transfer and pores, and as "bulk" that of all modes that do not; samples: those that do, summed
    up; whole: see `reduce_layered`; observer: X' m, m' phi the mean potential of the lower face, where it was asked for.
    """

    samples: Samples | None = field(default=None, repr=False)
    whole: Callable[[], ReducedModel] | None = field(default=None, repr=False)
    observer: Array | None = field(default=None, repr=False)

    def light(self) -> ReducedModel:
        """Return the model without the means of making that of all unknowns."""
        return replace(self, whole=None)

    def with_all_unknowns(self) -> ReducedModel:
        """Return the light model together with that of all unknowns, solved now: its relaxation times stay known."""
        return replace(self, whole=partial(_as_it_is, self._whole.light()))

    def within(self, columns: Array) -> ReducedModel:
        """Return the model on what some columns span; see `ReducedModel.within`."""
        found = super().within(columns)
        assert isinstance(found, LateralModel)
        span = spanned(columns)
        return replace(
            found, samples=self.used.within(span), observer=None if self.observer is None else span.T @ self.observer
        )

    @property
    def mean_potential(self) -> MeanPotential:
        """The mean potential of the counter electrode's face for unit current. ComputationError if it was not asked for."""
        if self.observer is None:
            raise ComputationError("the mean potential of the counter electrode's face was not asked for with this model")
        return MeanPotential(**{each.name: getattr(self, each.name) for each in fields(self) if each.init})

    @property
    def used(self) -> Samples:
        """The samples; every model of a stack has them."""
        assert self.samples is not None
        return self.samples

    def shares(self, s: ArrayLike) -> dict[str, NDArray[np.complex128]]:
        """Return the share of each process in Z(s), from the derivatives of the layers' recursion; they sum to 1."""
        points = np.atleast_1d(np.asarray(s))
        x = self.solution(points)
        z, y = self.port @ x, evaluate(self.processes, points)
        parts = {p: y[p] * np.sum(x * (matrix @ x), 0) for p, matrix in self.matrices.items()}
        for name, part in self.used.parts(y).items():
            parts[name] = parts.get(name, 0) + np.einsum("ik,kij,jk->k", x, part, x)
        shares = {name: np.asarray(parts[name] / z, dtype=np.complex128) for name in self.processes}
        return by_process(self.processes, shares, points)

    def _rounding_of(self, s: NDArray[Any], size: Array) -> Array:
        y = evaluate(self.processes, s)
        total = sum(
            (np.abs(y[name]) * np.sum(size * (self._uncertain(name) @ size), 0) for name in self.matrices), np.zeros(s.size)
        )
        below = np.sum(size * (self.used.absolute(y) @ size.T[:, :, None])[:, :, 0].T, 0)
        return np.asarray(total + self._rounded * below)

    def all_unknowns(self) -> ReducedModel:
        """Return the model of all unknowns of the same grid, solved the first time it is asked for."""
        return self._whole

    def relaxation(self) -> Relaxation:
        """Return the relaxation times of the discrete cell: those of the model of all unknowns."""
        return self._whole.relaxation()

    @cached_property
    def _whole(self) -> ReducedModel:
        if self.whole is None:
            raise ComputationError("the relaxation times of a stack that was solved on its face alone are not known any more")
        return self.whole()

    def _system(self, s: NDArray[Any], processes: Mapping[str, Admittance]) -> NDArray[Any]:
        y = evaluate(processes, s)
        system = super()._system(s, {name: each for name, each in processes.items() if name in self.matrices})
        return np.asarray(system + self.used.below(y))


@dataclass(frozen=True, eq=False)
class MeanPotential(LateralModel):
    """Z_12(s) = m' A(s)^-1 b: what a reference electrode on the counter electrode's face sees, for unit current.

    m' phi is the mean of phi over that face. By reciprocity it is the other entry of a two-port as well, whose second port
    feeds a current evenly into the face; the basis holds solutions for both ports, so that the error is quadratic as that of Z
    is.
    `impedance` and `error` are those of Z_12.
    """

    def impedance(self, s: ArrayLike, processes: Mapping[str, Admittance] | None = None) -> NDArray[np.complex128]:
        """Return Z_12(s) in ohm, shape of s."""
        points = np.asarray(s)
        x, _ = self.solved(points.ravel(), self._own(processes) if processes else self.processes)
        return np.asarray((self._mean @ x).reshape(points.shape), dtype=np.complex128)

    def two_port(self, s: ArrayLike) -> NDArray[np.complex128]:
        """Return [[Z, Z_12], [Z_12, Z_22]] in ohm, (number of s, 2, 2): at real s a bound as a quadratic form."""
        points = np.asarray(s).ravel()
        x, z = self.solved(points, self.processes)
        across = self._mean @ x
        own = self._fed_evenly.solved(points, self.processes)[1]
        return np.moveaxis(np.array([[z, across], [across, own]], dtype=np.complex128), -1, 0)

    def error(self, s: ArrayLike) -> Array:
        """Return max over j of |Z_12 - Z_12 without the solution j|/|Z_12|, rounding included; see `ReducedModel.error`."""
        points = np.asarray(s).ravel()
        other = self._fed_evenly.solved(points, self.processes)[0]
        change = self._lost(self._state(points), other) / np.abs(self.impedance(points))
        return np.asarray(self.basis_error + self.rounding(points) + change).reshape(np.shape(s))

    def rounding(self, s: ArrayLike) -> Array:
        """Return what rounding of the projected matrices may do to Z_12, relative: each between both ports' solutions."""
        points = np.asarray(s).ravel()
        y = evaluate(self.processes, points)
        one, other = (np.abs(model.solved(points, self.processes)[0]) for model in (self, self._fed_evenly))
        total = sum(
            (np.abs(y[name]) * np.sum(one * (self._uncertain(name) @ other), 0) for name in self.matrices),
            np.zeros(points.size),
        )
        total = total + self._rounded * np.einsum("ik,kij,jk->k", one, self.used.absolute(y), other)
        return np.asarray((total / np.abs(self.impedance(points))).reshape(np.shape(s)))

    @property
    def _mean(self) -> Array:
        assert self.observer is not None
        return self.observer

    @cached_property
    def _fed_evenly(self) -> LateralModel:
        """The same stack, its current fed evenly into the lower face."""
        return replace(self, port=self._mean)


class PlaneBasis(Basis):
    """Solutions of the plane's problem at real shifts, (phi on the free nodes, V), and what they are in modes."""

    #: As of `Basis`: coefficients of modes are off by the rounding of phi, not of themselves (seen: 1800 times).
    unseen = 4e3

    def __init__(self, layered: Layered, processes: Mapping[str, Admittance], *, observed: bool = False) -> None:
        self.layered, self.all = layered, processes
        self.nodes = _Nodes(layered)
        self.faces = {name: Sheet(each, layered.lateral.shape) for name, each in layered.face.items() if name in processes}
        self.ground = {name: Sheet(each, layered.lateral.shape) for name, each in layered.ground.items() if name in processes}
        operators: dict[str, Operator] = {name: _AtMetal(self.nodes, face) for name, face in self.faces.items()}
        grounded = {name: _AtGround(self.nodes, face) for name, face in self.ground.items()}
        operators[BULK] = _Shallow(layered, self.nodes, [each[BULK] for each in (operators, grounded) if BULK in each])
        operators |= {name: each for name, each in grounded.items() if name != BULK}
        description = {
            **layered.description,
            "route": "mode by mode" if layered.lateral.modal else "functions of the plane",
            "plane": self.nodes.unknowns,
        }
        used = {name: y for name, y in processes.items() if name in operators}
        super().__init__(Assembly(operators, description=description), used, max(1e-9, 10 * layered.lateral.tolerance))
        self.gathered: Gathered = layered.gathered() if isinstance(layered, TwoFaced) else gathered(layered)
        self.shifts = np.empty(0)
        self.even = layered.even() if observed and isinstance(layered, TwoFaced) else None

    def extend(self, shifts: Array) -> None:
        """Solve the plane at these shifts and add the solutions; after the first of them, each starts from the model so far."""
        pieces = blocks(shifts, self.assembly.unknowns)
        if self.layered.lateral.modal:  # each piece all over the band; neighbours share what preconditions without modes
            pieces = [shifts[first :: len(pieces)] for first in range(len(pieces))]
        for block in pieces:
            self.add(self._solve(block))
            self.shifts = np.append(self.shifts, block)
            if self.even is not None:
                self.add(self._fed_evenly(block, self.even))
                self.shifts = np.append(self.shifts, block)

    def turned(self, model: ReducedModel) -> ReducedModel:
        """Return the model on about its relaxations, see `Basis.turned`: what functions of the plane make of them as well."""
        found = super().turned(model)
        if found is model:
            return model
        assert isinstance(found, LateralModel)
        observer = None if (mean := self._mean()) is None else mean @ found.basis[0]
        return replace(found, samples=self.gathered.other(self.nodes.whole(found.basis[0])), observer=observer, basis=())

    def project(self, new: Array) -> None:
        """Take in what functions of the plane make of new columns."""
        self.gathered.add(self.nodes.whole(new))

    def model(self, shifts: Array) -> LateralModel:
        """Return the reduced model; its shifts are those solved, in the order of their solution."""
        samples = self.gathered.samples()
        known = (self.matrices, self.port, self.entries, self.coordinates, self.all, self.shifts)
        mean = self._mean()
        observer = None if mean is None else np.concatenate([mean @ block for block in self.blocks])
        return LateralModel(*known, samples=samples, unseen=self.unseen, observer=observer)

    def _mean(self) -> Array | None:
        """m of the mean potential of the lower face on the unknowns; None where it is not asked for."""
        return None if self.even is None else self.nodes.collect(self.even[None], tied=True)[:, 0]

    def _fed_evenly(self, shifts: Array, even: Array) -> ShiftedSolutions:
        """phi for V = 0 and unit current fed evenly into the lower face: with those for V = 1, what it takes for V free."""
        layered = self.layered
        y = evaluate(self.all, shifts)
        plane = Plane(layered.lateral, layered.admittance(y), self.faces, y, self.nodes.free, self.ground)
        right = np.repeat(even[None], shifts.size, axis=0)
        phi, iterated = plane.solve(right)
        gained = np.sum(phi * right, axis=(1, 2))
        error = np.sqrt(iterated.left / np.maximum(gained, 1e-300))
        if not np.all(error <= self.tolerance):
            where = str(dict(self.assembly.description))
            raise not_reached(iterated.iterations, float(error.max()), self.tolerance, where, " on the WE face")
        columns = np.vstack([phi.reshape(shifts.size, -1).T[self.nodes.free.ravel()], np.zeros(shifts.size)])
        return ShiftedSolutions(columns, error, iterated.iterations)

    def _guess(self, shifts: Array) -> Array | None:
        """phi for V = 1 of the model so far, columns (unknowns, k)."""
        if not self.shifts.size:
            return None
        found = self.model(self.shifts).solution(shifts)
        columns = np.hstack(self.blocks) @ found
        return np.asarray(columns / columns[-1])

    def _solve(self, shifts: Array) -> ShiftedSolutions:
        """Solve at some shifts; on wide planes every processor has its own, with about as many iterations."""
        guess = self._guess(shifts)
        wide = self.layered.lateral.modal and self.nodes.unknowns >= WIDE
        threads = min(os.cpu_count() or 1, shifts.size) if wide else 1
        if threads == 1:
            return self._solve_some(shifts, guess)
        parts = [np.arange(first, shifts.size, threads) for first in range(threads)]
        with ThreadPoolExecutor(threads) as pool:
            some = list(pool.map(lambda part: self._solve_some(shifts[part], None if guess is None else guess[:, part]), parts))
        order = np.argsort(np.concatenate(parts))
        potentials = np.hstack([each.potentials for each in some])[:, order]
        error = np.concatenate([each.error for each in some])[order]
        return ShiftedSolutions(potentials, error, max(each.iterations for each in some))

    def _solve_some(self, shifts: Array, guess: Array | None) -> ShiftedSolutions:
        """phi for V = 1, from whichever is the smaller: phi itself, driven by the face, or 1 - phi, driven from below."""
        layered = self.layered
        y = evaluate(self.all, shifts)
        free = self.nodes.free
        plane = Plane(layered.lateral, layered.admittance(y), self.faces, y, free, self.ground)
        ones = self.nodes.whole(np.ones((self.nodes.unknowns, shifts.size)))  # but where the counter electrode holds 0
        below, metal = plane.below(ones), plane.metal(ones)
        drop = below.sum((1, 2)) <= metal.sum((1, 2)) if free.all() else np.full(shifts.size, self.nodes.tied)
        start = None
        if guess is not None:
            start = self.nodes.whole(guess)
            start = np.where(drop[:, None, None], ones - start, start)
        right = np.where(drop[:, None, None], below, metal)
        for _ in range(CLOSER):
            found, iterated = plane.solve(right, start)
            phi = np.where(drop[:, None, None], ones - found, found)
            current = np.sum(phi * plane.below(phi) + (1 - phi) * plane.metal(1 - phi), axis=(1, 2))
            error = np.sqrt(iterated.left / np.maximum(current, 1e-300))
            if np.all(error <= self.tolerance):
                break
            # What drives it may be far more than what flows: thin layers that conduct well on both faces of a stack.
            start, plane.tolerance = found, plane.tolerance * self.tolerance / float(error.max()) / 3
        if not np.all(error <= self.tolerance):
            where = str(dict(self.assembly.description))
            raise not_reached(iterated.iterations, float(error.max()), self.tolerance, where, " on the WE face")
        columns = np.vstack([phi.reshape(shifts.size, -1).T[free.ravel()], np.ones(shifts.size)])
        return ShiftedSolutions(columns, error, iterated.iterations)


class _Nodes:
    """The unknowns of the plane: phi on its free nodes, then V, which the tied ones are but for those that are 0.

    tied: whether any node is V.
    """

    def __init__(self, layered: Layered) -> None:
        self.free = layered.free.reshape(layered.lateral.shape)
        self.unknowns = int(self.free.sum()) + 1
        none = np.zeros(self.free.shape, dtype=bool)
        self.grounded = none if layered.grounded is None else layered.grounded.reshape(self.free.shape)
        self.metal = ~self.free & ~self.grounded
        self.tied = bool(self.metal.any())

    def whole(self, columns: Array) -> Array:
        """Return phi on all nodes, (k, nx, ny), of columns (unknowns, k)."""
        found = np.repeat(columns[-1], self.free.size).reshape(-1, self.free.size)
        found[:, self.free.ravel()] = columns[:-1].T
        found[:, self.grounded.ravel()] = 0
        return found.reshape(-1, *self.free.shape)

    def collect(self, sums: Array, *, tied: bool) -> Array:
        """Return columns (unknowns, k) of nodal sums (k, nx, ny); tied: those on tied nodes belong to V."""
        flat = sums.reshape(len(sums), -1)
        inside = self.free.ravel()
        last = flat[:, self.metal.ravel()].sum(1) if tied else -flat[:, inside].sum(1)
        return np.vstack([flat[:, inside].T, last])


class _OnPlane:
    """A matrix on the unknowns of the plane."""

    def __init__(self, nodes: _Nodes) -> None:
        self.nodes = nodes

    @property
    def shape(self) -> tuple[int, int]:
        return self.nodes.unknowns, self.nodes.unknowns

    def __matmul__(self, columns: Array) -> Array:
        return self._apply(columns) if columns.shape[1] else np.zeros_like(columns)

    def _apply(self, columns: Array) -> Array:
        raise NotImplementedError

    def tocsr(self) -> sparse.csr_array:
        return sparse.csr_array(self @ np.eye(self.nodes.unknowns))


class _AtMetal(_OnPlane):
    """int over contact or pores of (V - phi)(V_psi - psi): differences first, then the matrix."""

    def __init__(self, nodes: _Nodes, face: Sheet) -> None:
        super().__init__(nodes)
        self.face = face

    def _apply(self, columns: Array) -> Array:
        return self.nodes.collect(self.face(self.nodes.whole(columns) - columns[-1][:, None, None]), tied=False)


class _AtGround(_OnPlane):
    """int over contact or pores of the counter electrode of phi psi."""

    def __init__(self, nodes: _Nodes, face: Sheet) -> None:
        super().__init__(nodes)
        self.face = face

    def _apply(self, columns: Array) -> Array:
        return self.nodes.collect(self.face(self.nodes.whole(columns)), tied=True)


class _Shallow(_OnPlane):
    """sum over the modes that die out before the first boundary of phi_mn psi_mn/u_mn, and what the bulk is at the metal."""

    def __init__(self, layered: Layered, nodes: _Nodes, at_metal: list[Operator]) -> None:
        super().__init__(nodes)
        self.at_metal = at_metal
        self.lateral, self.weights = layered.lateral, layered.shallow()

    def _apply(self, columns: Array) -> Array:
        found = sum((each @ columns for each in self.at_metal), np.zeros_like(columns))
        return found + self._modes(columns)

    def _modes(self, columns: Array) -> Array:
        if self.weights is None or not isinstance(self.lateral, Lateral):
            return np.zeros_like(columns)
        modes = self.lateral.analyse(self.nodes.whole(columns)) * self.weights
        return self.nodes.collect(self.lateral.spread(modes), tied=True)


def _as_it_is(model: ReducedModel) -> ReducedModel:
    """What a pickle can hold of a model that is solved already."""
    return model
