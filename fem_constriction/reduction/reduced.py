"""Z_r(s) = b_r' (sum_p y_p(s) X' L_p X)^-1 b_r: a discretised cell seen from its electrodes, as small real matrices.

The matrices are real, symmetric, positive semidefinite, so the reduced model is passive, and its error is quadratic in that of
the potentials (Galerkin). It knows Z at any frequency, the relaxation times, the share of each process, and, since materials
enter as admittances alone, other materials on the same discretisation as far as its basis reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, sparse

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.processes.elements import Admittance, Series, evaluate
from fem_constriction.processes.names import CHARGE_TRANSFER
from fem_constriction.reduction.unfolding import Term, by_process, unfolded

#: Size below which a direction of the (normalised) solutions is rounding: at full contact they span a few dimensions only.
RANK = 1e-14

#: Times that small solutions are refined.
REFINEMENTS = 2

#: Solutions that relaxation times of constant-phase elements are taken from: what stands for these is off by a thousandth.
STANDING = 10


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Z(s) = sum over k of R_k/(1 + s tau_k): the relaxation spectrum of a cell, ascending in tau.

    tau: s, (r,); resistance: ohm, (r,); stored: process -> share of the energy of relaxation k that is stored in the
    capacitance of that process, (r,), summing to 1 over processes: what an arc is named by; dissipated: of processes that store
    any, the share of its heat, (r,). A blocking cell has a term with infinite tau and R, a cell with a purely resistive part
    one with tau = 0.
    off: what the sum is off, relative to |Z|, in the band: 0 of RC elements; constant-phase elements have a continuum of
    relaxation times, for which so many stand.
    """

    tau: Array
    resistance: Array
    stored: Mapping[str, Array]
    dissipated: Mapping[str, Array] = field(default_factory=dict)
    off: float = 0.0

    def impedance(self, s: ArrayLike) -> NDArray[np.complex128]:
        """Return the sum in ohm at s (1/s, any shape), without terms that block direct current or are not finite."""
        keep = np.isfinite(self.tau) & np.isfinite(self.resistance)
        points = np.asarray(s)[..., None]
        return np.asarray(np.sum(self.resistance[keep] / (1 + points * self.tau[keep]), axis=-1), dtype=np.complex128)


@dataclass(eq=False)
class _State:
    """A model at s, (n,): A(s) (n, r, r), x (r, n), Z (n,), and, once asked for, what rounding may do to Z, relative, (n,)."""

    s: NDArray[Any]
    system: NDArray[Any]
    x: NDArray[Any]
    z: NDArray[Any]
    rounding: Array | None = None


@dataclass(frozen=True, eq=False)
class ReducedModel:
    """A discretised cell seen from its electrodes: small process matrices and what they were made from.

    matrices: process -> X' L_p X (r, r); port: X' b; entries: process at the metal -> X' L_p b; coordinates: of the
    normalised solutions in the basis, one column per shift; shifts: 1/s; statistics: shifts, iterations, solver and
    projection errors, unknowns and grid; basis: X itself in blocks of columns, where it was kept.
    A model for several materials (`materials`): the columns belong to some of them, `sampled` says to which, and `of` gives the
    model of one; basis_error: what the basis may lack for any of them, relative to Z, part of every `error`.
    defects: process -> |X' (L_p X) - (X' (L_p X))'|, entry by entry, where it was measured: the rounding of its matrix;
    unseen: how many times larger than eps of its entries rounding may be where it was not. series: {place: y} -> {matrix: y}
    where matrices are not those of places themselves (`Assembly.series`). alone: number of a material -> its model, projected
    anew, where rounding of what all of them share would count.
    """

    matrices: Mapping[str, Array]
    port: Array
    entries: Mapping[str, Array]
    coordinates: Array
    processes: Mapping[str, Admittance]
    shifts: Array
    statistics: Mapping[str, Any] = field(default_factory=dict)
    basis: tuple[Array, ...] = field(default=(), repr=False)
    materials: tuple[Mapping[str, Admittance], ...] = ()
    sampled: NDArray[np.int64] | None = None
    basis_error: float = 0.0
    defects: Mapping[str, Array] = field(default_factory=dict, repr=False)
    unseen: float = 1.0
    series: Series | None = None
    alone: Mapping[int, ReducedModel] = field(default_factory=dict, repr=False)
    _last: _State | None = field(default=None, init=False, repr=False)

    def of(self, processes: Mapping[str, Admittance]) -> ReducedModel:
        """Return the model of one of the materials, from the small solutions at all shifts of this one.

        It has as many columns as a model that was made for this material alone, and estimates its errors like one.
        """
        processes = self._own(processes)
        made_for = (self.processes,) if self.sampled is None else self.materials
        number = next((m for m, each in enumerate(made_for) if dict(processes) == dict(each)), None)
        if number is None:
            raise ComputationError(f"a reduced model that was made for {len(made_for)} materials is none of another one")
        if self.sampled is None:
            return self
        if number in self.alone:
            return self.alone[number]
        shifts, columns = self.columns_of(processes)
        found = self.within(columns)
        return replace(found, processes=processes, shifts=shifts, basis=(), materials=(), sampled=None, alone={})

    def columns_of(self, processes: Mapping[str, Admittance]) -> tuple[Array, Array]:
        """Return all shifts, in order, and the small solutions of one material there, of norm 1, in this basis, (r, k)."""
        shifts = np.unique(self.shifts)
        x, _ = self.solved(shifts, processes)
        return shifts, np.asarray(x / np.linalg.norm(x, axis=0))

    def _own(self, places: Mapping[str, Admittance]) -> Mapping[str, Admittance]:
        """What matrices are multiplied by where places conduct like this."""
        return places if self.series is None else self.series(places)

    def all_unknowns(self) -> ReducedModel:
        """Return the model that knows the whole cell, relaxation times among it: this one."""
        return self

    def light(self) -> ReducedModel:
        """Return the model without what takes memory: Z at any frequency stays."""
        return replace(self, basis=())

    def within(self, columns: Array) -> ReducedModel:
        """Return the model on what some columns span, given in the basis of this one and of norm about 1: (r, k)."""
        span = spanned(columns)
        return replace(
            self,
            matrices={name: span.T @ matrix @ span for name, matrix in self.matrices.items()},
            # Rounding stays where it is, however much smaller entries become.
            defects={name: np.abs(span.T) @ self._uncertain(name) @ np.abs(span) for name in self.matrices},
            port=span.T @ self.port,
            entries={name: row @ span for name, row in self.entries.items()},
            coordinates=span.T @ columns,
        )

    def admittances_at_shifts(self) -> dict[str, Array]:
        """Return y_p at each solution, of the material it belongs to, {process: (number of shifts,)}."""
        if self.sampled is None:
            return evaluate(self.processes, self.shifts)
        each = [evaluate(self.materials[m], s) for m, s in zip(self.sampled, self.shifts, strict=True)]
        return {name: np.array([float(y[name]) for y in each]) for name in self.processes}

    def impedance(self, s: ArrayLike, processes: Mapping[str, Admittance] | None = None) -> NDArray[np.complex128]:
        """Return Z(s) in ohm at s = i omega (or any s with Re s >= 0), shape of s.

        processes: other materials on the same discretisation (same names); accuracy is then that of the basis.
        """
        points = np.asarray(s)
        z = self.solved(points.ravel(), self._own(processes))[1] if processes else self._state(points.ravel()).z
        return np.asarray(z.reshape(points.shape), dtype=np.complex128)

    def resistance(self) -> float:
        """Z(0) in ohm; infinite where no direct current can flow (s = 0 was not solved)."""
        return float(self.impedance(np.zeros(1))[0].real) if 0.0 in self.shifts else float("inf")

    def error(self, s: ArrayLike) -> Array:
        """Return max over j of |Z - Z_without_j|/|Z|: what leaving out the solution at any one shift would change.

        An estimate of the projection's relative error, shape of s, rounding included. Shifts lie so close that one more or
        less near a frequency changes Z by far more than the error that is left (tests: on every frequency and cell tried).
        With W spanning what no other solution reaches, Z_without_j = Z - (W'x)' (W' A^-1 W)^-1 (W'x): one system for all j.
        """
        points = np.asarray(s)
        state = self._state(points.ravel())
        change = self._lost(state, state.x)
        return np.asarray(self.basis_error + self.rounding(s) + (change / np.abs(state.z)).reshape(points.shape))

    def rounding(self, s: ArrayLike) -> Array:
        """Return sum_p |y_p| |x|' E_p |x| / |Z| for unit current: what rounding E_p of the projected matrices may do to Z.

        Relative, shape of s: 1e-13 where all processes conduct alike, 1e-7 where a double layer short-circuits (1e11 S/m2)
        what a purely resistive bulk leaves in series.
        """
        points = np.asarray(s)
        state = self._state(points.ravel())
        if state.rounding is None:
            state.rounding = np.asarray(self._rounding_of(state.s, np.abs(state.x)) / np.abs(state.z))
        return state.rounding.reshape(points.shape)

    def _lost(self, state: _State, other: NDArray[Any]) -> Array:
        """max over j of |(W'x)' (W' A^-1 W)^-1 (W'z)|, (n,), for x of the model and other small solutions z, (r, n)."""
        lost = np.zeros(state.s.size)
        alone = [each for each in self._alone if each.size]
        if alone:
            ends = np.cumsum([each.shape[1] for each in alone])[:-1]
            answers = np.split(_scaled_solution(state.system, np.hstack(alone)), ends, axis=2)
            for own, answer in zip(alone, answers, strict=True):
                x, z = ((own.T @ each).T[:, :, None] for each in (state.x, other))
                lost = np.maximum(lost, np.abs(np.sum(x * _small_solution(own.T @ answer, z), (1, 2))))
        return lost

    def _rounding_of(self, s: NDArray[Any], size: Array) -> Array:
        """sum_p |y_p| |x|' E_p |x| at s (n,), for |x| (r, n)."""
        total = np.zeros(s.size)
        for name, y in evaluate(self.processes, s).items():
            total += np.abs(y) * np.sum(size * (self._uncertain(name) @ size), 0)
        return total

    def apart(self) -> Array | None:
        """Return directions v, (r, r), whose energies at every real shift add up without cancelling; None where there are none.

        (A(s_2) - A(s_1)) v = mu A(s) v for the ends of the shifts and their middle: of RC elements the relaxations of the cell,
        which make A(s) diagonal at every s.
        """
        positive = self.shifts[self.shifts > 0]
        if not positive.size or not len(self.port):
            return None
        low, high = float(positive.min()), float(positive.max())
        first, middle, last = self._system(np.array([low, np.sqrt(low * high), high]), self.processes)
        scale = 1 / np.sqrt(np.maximum(np.diagonal(middle), 1e-300))
        both = np.outer(scale, scale)
        try:
            vectors = linalg.eigh((last - first) * both, middle * both)[1]
        except linalg.LinAlgError:  # rounding has taken the smallest energies
            return None
        return np.asarray(scale[:, None] * vectors)

    def _uncertain(self, name: str) -> Array:
        """How far rounding may have moved each entry of a matrix: `_rounded` of it, and what was measured."""
        found = self._rounded * np.abs(self.matrices[name])
        return np.asarray(found + self.defects[name] if name in self.defects else found)

    @property
    def _rounded(self) -> float:
        return float(np.finfo(float).eps) * (1.0 if self.defects else self.unseen)

    def potentials(self, coefficients: NDArray[Any]) -> Combination:
        """Return the potentials X c of the whole cell, one for each column of coefficients (r, k)."""
        return Combination(self.basis, coefficients)

    @cached_property
    def _alone(self) -> list[Array]:
        """What none but each of the solutions at positive shifts reaches, (r, 0 or 1); direct current is never left out."""
        found = []
        for j in np.flatnonzero(self.shifts > 0):
            left, size, _ = np.linalg.svd(np.delete(self.coordinates, j, axis=1))
            found.append(left[:, int(np.sum(size > RANK)) :])
        return found

    def _state(self, s: NDArray[Any]) -> _State:
        """The model at s, (n,), which is asked for several times in a row: the last one is kept."""
        if self._last is None or not np.array_equal(self._last.s, s):
            system = self._system(s, self.processes)
            object.__setattr__(self, "_last", _State(s.copy(), system, *solve_small(system, self.port, REFINEMENTS)))
        assert self._last is not None
        return self._last

    def solution(self, s: ArrayLike) -> NDArray[Any]:
        """Return the coefficients x(s) of the potential in the basis for unit current, shape (r, number of s)."""
        return self.solved(np.atleast_1d(np.asarray(s)), self.processes)[0]

    def shares(self, s: ArrayLike) -> dict[str, NDArray[np.complex128]]:
        """Return y_p x' L_p x / x' A x, the share of each process in Z(s); they sum to 1.

        What a link of a label image takes is divided among the processes that are in series in it.
        """
        x = self.solution(s)
        z = self.port @ x
        y = evaluate(self.processes, np.atleast_1d(np.asarray(s)))
        shares = {p: np.asarray(y[p] * np.sum(x * (matrix @ x), 0) / z) for p, matrix in self.matrices.items()}
        return by_process(self.processes, shares, s)

    def entry(self, s: ArrayLike) -> dict[str, NDArray[np.complex128]]:
        """Return the share of the current that enters through each process at the metal: y_p b' L_p x(s), b' A x = 1.

        "charge_transfer" is the contact's share, an ideal contact's included; the shares sum to 1.
        """
        points = np.atleast_1d(np.asarray(s))
        x, y = self.solution(points), evaluate(self.processes, points)
        shares = {name: np.asarray(y[name] * (row @ x), dtype=complex) for name, row in self.entries.items()}
        if CHARGE_TRANSFER not in shares:
            shares[CHARGE_TRANSFER] = 1 - sum(shares.values(), np.zeros(points.shape, dtype=complex))
        return shares

    def relaxation(self) -> Relaxation:
        """Return the relaxation times of the discrete cell with their resistances and where their energy is stored.

        From C v = mu A(s_0) v at s_0 in the middle of the band: tau = mu/(1 - s_0 mu), R = (b'v)^2/(1 - s_0 mu). Exact
        for RC elements, in series as well. For constant-phase elements stand RC branches, and `off` says what that changes.
        """
        return self._relaxing

    @cached_property
    def _relaxing(self) -> Relaxation:
        positive = self.shifts[self.shifts > 0]
        band = float(positive.min()), float(positive.max())
        middle = float(np.sqrt(band[0] * band[1]))
        if any(element.cpe for y in self.processes.values() for element in y.elements):
            return self._standing(band, middle)
        return _relaxation(*unfolded(self.matrices, self.processes, self.port, band), middle)

    def _standing(self, band: tuple[float, float], middle: float) -> Relaxation:
        """The same with RC branches for constant-phase elements, on as few solutions as these are accurate to."""
        kept = np.unique(np.round(np.linspace(0, self.shifts.size - 1, STANDING)).astype(int))
        order = np.argsort(self.shifts, kind="stable")
        fewer = self.within(self.coordinates[:, order[kept]])
        found = _relaxation(*unfolded(fewer.matrices, self.processes, fewer.port, band), middle)
        s = 1j * np.geomspace(*band, 60)
        z = self.impedance(s)
        return replace(found, off=float(np.max(np.abs(found.impedance(s) / z - 1))))

    def solved(self, s: NDArray[Any], processes: Mapping[str, Admittance]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return x(s), (r, n), and Z(s) = 2 b'x - x'A x, (n,), which is quadratic in whatever error is left in x.

        Scaled to a unit diagonal, since entries span the decades of the admittances, and refined with residuals in extended
        precision where the machine has it: the condition reaches 1e12 and more.
        """
        return solve_small(self._system(s.ravel(), processes), self.port, REFINEMENTS)

    def _system(self, s: NDArray[Any], processes: Mapping[str, Admittance]) -> NDArray[Any]:
        """A(s) on the basis, (n, r, r)."""
        size = len(self.port)
        system = np.zeros((s.size, size, size), dtype=np.result_type(s.dtype, np.float64))
        for name, y in evaluate(processes, s).items():
            system += y[:, None, None] * self.matrices[name]
        return system


def _relaxation(terms: Sequence[Term], port: Array, middle: float) -> Relaxation:
    """Relaxations of what is linear in s: see `ReducedModel.relaxation`; middle: s_0 in 1/s."""
    conductance = capacitance = sparse.csr_array((len(port), len(port)))
    for term in terms:
        matrix = term.matrix
        conductance = conductance + term.element.conductance * matrix
        capacitance = capacitance + term.element.capacitance * matrix
    conductance, capacitance = conductance.toarray(), capacitance.toarray()
    mu, vectors = linalg.eigh(capacitance, conductance + middle * capacitance)
    mu = np.clip(mu, 0.0, 1 / middle)
    rest = 1 - middle * mu
    stores = {term.process for term in terms if term.element.capacitance}
    with np.errstate(divide="ignore", invalid="ignore"):
        tau, resistance = mu / rest, (port @ vectors) ** 2 / rest
        stored: dict[str, Array] = {}
        dissipated: dict[str, Array] = {}
        for term in terms:
            name, y, square = term.process, term.element, term.squares(vectors)
            stored[name] = stored.get(name, 0.0) + np.nan_to_num(y.capacitance * square / mu)
            if name in stores:
                dissipated[name] = dissipated.get(name, 0.0) + np.nan_to_num(y.conductance * square / rest)
    order = np.argsort(tau)
    return Relaxation(
        tau[order],
        resistance[order],
        {name: share[order] for name, share in stored.items()},
        {name: np.clip(share[order], 0.0, 1.0) for name, share in dissipated.items()},
    )


def spanned(columns: Array) -> Array:
    """Return an orthonormal basis of what columns span, without directions that are rounding: (r, at most k)."""
    left, size, _ = np.linalg.svd(columns, full_matrices=False)
    return np.ascontiguousarray(left[:, size > RANK])


def solve_small(system: NDArray[Any], port: Array, refinements: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return x (r, n) and 2 b'x - x'A x of small symmetric systems (n, r, r); see `ReducedModel.solved`."""
    scaled, scale = _to_unit_diagonal(system)
    right = port * scale
    extended = scaled
    if refinements:
        extended = scaled.astype(np.clongdouble if np.iscomplexobj(scaled) else np.longdouble)
    x = np.zeros_like(right, dtype=extended.dtype)
    residual = right.astype(extended.dtype)
    for _ in range(1 + refinements):
        x += _small_solution(scaled, residual.astype(scaled.dtype)[:, :, None])[:, :, 0]
        residual = right - np.einsum("kij,kj->ki", extended, x)
    z = np.sum(x * (right + residual), 1)
    return np.asarray((x * scale).T.astype(scaled.dtype)), np.asarray(z.astype(scaled.dtype))


def _to_unit_diagonal(system: NDArray[Any]) -> tuple[NDArray[Any], Array]:
    """S A S with a diagonal of about 1, and the diagonal of S, (n, r)."""
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diagonal(system, axis1=1, axis2=2)), 1e-300))
    return system * scale[:, :, None] * scale[:, None, :], scale


def _scaled_solution(system: NDArray[Any], right: Array) -> NDArray[Any]:
    """A^-1 B, (n, r, k), for B (r, k), by way of a unit diagonal."""
    scaled, scale = _to_unit_diagonal(system)
    return np.asarray(scale[:, :, None] * _small_solution(scaled, scale[:, :, None] * right))


def _small_solution(system: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """A^-1 b of small systems, (n, r, k)."""
    try:
        return np.asarray(np.linalg.solve(system, right))
    except np.linalg.LinAlgError:
        raise ComputationError(
            "the model of the cell is singular: its admittances differ by more than double precision tells apart"
        ) from None


@dataclass(frozen=True, eq=False)
class Combination:
    """X c, a piece at a time: the columns of a basis in blocks, combined only where they are looked at."""

    blocks: tuple[Array, ...]
    coefficients: NDArray[Any]

    def values(self, unknowns: slice | NDArray[np.bool_]) -> NDArray[Any]:
        """Return the potentials of some unknowns, (unknowns there, k)."""
        return np.asarray(np.hstack([block[unknowns] for block in self.blocks]) @ self.coefficients)
