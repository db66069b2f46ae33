"""|Z - (Z_P + Z_C)/2| <= (1/2) eta^2 tan(pi/4 + delta/2): a guaranteed disc around Z(i omega) of the continuous cell.

g_h: gradients and jumps of any conforming potential phi_h; j_d: any divergence-free current of unit total; all arg y_p within
delta of a common angle (RC elements: delta <= pi/4); Z_P = 2 V_h - sum_p y_p int g_h . g_h, Z_C = sum_p int j_d . j_d/y_p (no
conjugates), eta^2 = sum_p int |y_p g_h - j_d|^2/|y_p|. Proof in docs/discs.md (Prager-Synge for complex coefficients).

No limit, no order, no second grid is assumed; how well the reduced models or the solvers did only decides how small the disc
is, since any potential and any conserved current will do. It takes one pair of grids and, per frequency, small matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array, Complex
from fem_constriction.cell.units import array_in
from fem_constriction.errors import ComputationError
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.reduction.projection import TARGET
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.one_grid import Solution

#: Rounding of the small matrices, relative to the size of their terms, added to eta^2: admittances span up to ten decades, and
#: enclosures of exact cells were seen to be off by 2e-9.
ROUNDING = TARGET

#: Directions of the flux space below this part of the largest (in energy, so the square of their size) are left out.
FLUX_RANK = 1e-13


@dataclass(frozen=True, eq=False)
class Discs:
    """|Z - centre| <= radius for the continuous cell, guaranteed, at each frequency.

    frequency: Hz, (n,); centre, radius: ohm, (n,); delta: half the spread of the admittances' phases, rad, (n,);
    resistance: (lower, upper) of R_DC in ohm, None where no direct current flows; names: backends that gave the potentials and
    the currents; imbalance: see `Fluxes`.
    """

    frequency: Array
    centre: Complex
    radius: Array
    delta: Array
    resistance: tuple[float, float] | None
    names: tuple[str, str]
    imbalance: float

    def as_dict(self) -> dict[str, object]:
        """Return everything as JSON can hold it."""
        return {
            "potentials": self.names[0],
            "currents": self.names[1],
            "frequency_Hz": self.frequency.tolist(),
            "centre_real_ohm": self.centre.real.tolist(),
            "centre_imag_ohm": self.centre.imag.tolist(),
            "radius_ohm": self.radius.tolist(),
            "resistance_ohm": None if self.resistance is None else list(self.resistance),
        }

    def holds(self, z: ArrayLike, uncertainty: ArrayLike = 0.0) -> NDArray[np.bool_]:
        """Whether the disc around z of radius uncertainty meets this one, at each frequency."""
        return np.asarray(np.abs(np.asarray(z) - self.centre) <= self.radius + np.asarray(uncertainty))


@dataclass(frozen=True, eq=False)
class Pairing:
    """Potentials of one grid and currents of another, as the small matrices that discs are made of, for any materials.

    lower, upper: the reduced models; cross: process -> int g_l . J_m (r potentials, r currents); gram: process ->
    int J_l . J_m; names, imbalance: as in `Discs`.
    """

    lower: ReducedModel
    upper: ReducedModel
    cross: Mapping[str, Array]
    gram: Mapping[str, Array]
    names: tuple[str, str]
    imbalance: float

    def discs(self, frequency: ArrayLike, processes: Mapping[str, Admittance] | None = None) -> Discs:
        """Return the discs at frequencies in Hz; processes: of other materials than the models' own, on the same grids.

        Any potentials and currents will do, so that the discs are guaranteed whatever materials the models were made for.
        """
        points = array_in("Hz", frequency, "frequency").astype(float)
        lower, upper = (replace(m, processes=processes or m.processes) for m in (self.lower, self.upper))
        s = 2j * np.pi * points
        y = {name: np.asarray(value, dtype=np.complex128) for name, value in evaluate(lower.processes, s).items()}
        angles = np.stack([np.angle(value) for value in y.values()])
        delta = (angles.max(0) - angles.min(0)) / 2
        potential, weights = self.chosen(points, lower.processes)
        lowest = lower.impedance(s)
        rounding = lower.rounding(s) + upper.rounding(s)
        centre, radius = np.empty(s.size, dtype=np.complex128), np.empty(s.size)
        for k in range(s.size):
            at = {name: complex(value[k]) for name, value in y.items()}
            c, w = potential[:, k], weights[:, k]
            energy = sum(abs(at[p]) * np.vdot(c, lower.matrices[p] @ c).real for p in at)
            own = sum(np.vdot(w, self.gram[p] @ w).real / abs(at[p]) for p in at)
            mixed = sum((at[p] / abs(at[p]) * (c @ self.cross[p] @ w.conj())).real for p in at)
            eta2 = max(energy - 2 * mixed + own, 0.0) + (ROUNDING + rounding[k]) * (energy + own)
            centre[k] = (lowest[k] + sum(w @ (self.gram[p] @ w) / at[p] for p in at)) / 2
            radius[k] = 0.5 * eta2 * np.tan(np.pi / 4 + delta[k] / 2)
        return Discs(points, centre, radius, delta, _direct(lower, upper, self.gram), self.names, self.imbalance)

    def enclosure(self, s: float) -> tuple[float, float]:
        """Return the lower and the upper bound of Z at real s > 0, ohm: Z_P and the least Z_C."""
        y = {name: float(process(s)) for name, process in self.upper.processes.items()}
        quadratic = np.asarray(sum(self.gram[p] / y[p] for p in y if y[p] > 0))
        near = int(np.argmin(np.abs(np.log(np.maximum(self.upper.shifts, 1e-300) / s))))
        w = _best(quadratic, np.zeros(len(quadratic), dtype=complex), near).real
        return float(self.lower.impedance(np.array([s]))[0].real), float(w @ quadratic @ w)

    def chosen(self, frequency: Array, processes: Mapping[str, Admittance]) -> tuple[Complex, Complex]:
        """Return the coefficients of the potentials and the weights of the currents that discs are made of, (r, n) each."""
        s = 2j * np.pi * frequency
        y = evaluate(processes, s)
        potential = np.asarray(replace(self.lower, processes=processes).solution(s), dtype=np.complex128)
        shifts = np.maximum(self.upper.shifts, 1e-300)
        weights = np.empty((shifts.size, s.size), dtype=np.complex128)
        for k in range(s.size):
            at = {name: complex(value[k]) for name, value in y.items()}
            quadratic = np.asarray(sum(self.gram[p] / abs(at[p]) for p in at))
            linear = np.asarray(sum(at[p] / abs(at[p]) * (self.cross[p].T @ potential[:, k]) for p in at))
            weights[:, k] = _best(quadratic, linear, int(np.argmin(np.abs(np.log(shifts / abs(s[k]))))))
        return potential, weights


def certify(lower: Solution, upper: Solution, frequency: ArrayLike) -> Discs:
    """Return the discs that conforming potentials (lower) and admissible currents (upper) of one cell guarantee.

    Both solved with keep=True on the same part of the cell. Raises ComputationError for solutions that offer neither.
    """
    return pair(lower, upper).discs(frequency)


def pair(lower: Solution, upper: Solution) -> Pairing:
    """Return what the discs of these two solutions are made of; the solutions themselves are not needed any more.

    Cross products at the interfaces from traces; in the bulk from int g_l . J_m over all processes = V_l, the work of unit
    current. Raises ComputationError as `certify` does.
    """
    if lower.assembly is None or upper.assembly is None or lower.assembly.traces is None or upper.assembly.fluxes is None:
        raise ComputationError(
            "a certificate takes conforming potentials from one backend and currents from another, both kept"
        )
    if lower.grid.copies != upper.grid.copies:
        raise ComputationError("a certificate takes two grids of the same part of the cell")
    if len(lower.grid.layers) != len(upper.grid.layers):
        raise ComputationError("a certificate takes two grids of the same layers")
    model = upper.model
    fluxes = upper.assembly.fluxes(model.potentials(model.coordinates), model.admittances_at_shifts()[BULK])
    identity = np.eye(len(lower.model.port))
    jumps = lower.assembly.traces(lower.model.potentials(identity), fluxes.x, fluxes.y)
    sides = {
        CHARGE_TRANSFER: jumps.metal,
        PORE: jumps.metal,
        GRAIN_BOUNDARY: jumps.boundaries,
        COUNTER_ELECTRODE: jumps.counter,
    }
    if jumps.boundaries.shape[0] != fluxes.through[GRAIN_BOUNDARY].shape[0]:
        raise ComputationError("a certificate takes potentials and currents across the same boundaries")
    cross = {
        name: np.einsum("fxyl,fxym->lm", sides[name], fluxes.through[name], optimize=True)
        for name in model.processes
        if name != BULK
    }
    work = np.repeat(lower.model.port[:, None], model.shifts.size, axis=1)
    cross[BULK] = work - sum(cross.values(), np.zeros_like(work))
    names = (str(lower.description.get("backend", "")), str(upper.description.get("backend", "")))
    small = [replace(solution.model, basis=()) for solution in (lower, upper)]
    return Pairing(small[0], small[1], cross, fluxes.gram, names, fluxes.imbalance)


def _best(quadratic: Array, linear: Complex, near: int) -> Complex:
    """Return the weights, of sum 1, that minimise w* H w - 2 Re(w* h): around the currents of the nearest shift."""
    size = len(linear)
    others = np.delete(np.arange(size), near)
    start = np.zeros(size, dtype=np.complex128)
    start[near] = 1.0
    gradient = linear - quadratic[:, near]
    # Differences to the nearest current have total 0; in these coordinates the minimum is free.
    reduced = (
        quadratic[np.ix_(others, others)] - quadratic[others, near][:, None] - quadratic[near, others] + quadratic[near, near]
    )
    values, vectors = np.linalg.eigh((reduced + reduced.T) / 2)
    kept = values > FLUX_RANK * quadratic[near, near]
    right = vectors[:, kept].T @ (gradient[others] - gradient[near])
    step = vectors[:, kept] @ (right / values[kept])
    start[others] += step
    start[near] -= step.sum()
    return start


def _direct(lower: ReducedModel, upper: ReducedModel, gram: Mapping[str, Array]) -> tuple[float, float] | None:
    """R_DC between that of the potentials and min over the currents of sum over processes of int J . J/y at direct current."""
    if 0.0 not in lower.shifts or 0.0 not in upper.shifts:
        return None
    y = {name: process.conductance for name, process in upper.processes.items()}
    # Where nothing conducts at direct current, nothing may go: only currents that have none there are allowed.
    blocked = sum((np.diag(gram[name]) for name, value in y.items() if value == 0), np.zeros(upper.shifts.size))
    quadratic = np.asarray(sum(gram[name] / value for name, value in y.items() if value > 0))
    allowed = np.flatnonzero(blocked == 0)
    own = quadratic[np.ix_(allowed, allowed)]
    w = _best(own, np.zeros(allowed.size, dtype=complex), int(np.argmin(np.diag(own)))).real
    return lower.resistance() * (1 - ROUNDING), float(w @ own @ w) * (1 + ROUNDING)
