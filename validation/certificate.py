"""|Z - (Z_P + Z_C)/2| <= (1/2) eta^2 tan(pi/4 + delta/2): a guaranteed disc around Z(i omega) of the continuous cell.

g_h: gradients and jumps of any conforming potential phi_h; j_d: any divergence-free current of unit total; all arg y_p within
delta of a common angle (RC elements: delta <= pi/4); Z_P = 2 V_h - sum_p y_p int g_h . g_h, Z_C = sum_p int j_d . j_d/y_p (no
conjugates), eta^2 = sum_p int |y_p g_h - j_d|^2/|y_p|. Proof in docs/discs.md (Prager-Synge for complex coefficients).

No limit, no order, no second grid is assumed; how well the reduced models or the solvers did only decides how small the disc
is, since any potential and any conserved current will do. It takes one pair of grids and, per frequency, small matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.admissible import Fluxes
from fem_constriction.admittance import (
    BULK,
    CHARGE_TRANSFER,
    COUNTER_ELECTRODE,
    GRAIN_BOUNDARY,
    PORE,
    evaluate,
)
from fem_constriction.backends import Solution
from fem_constriction.errors import ComputationError
from fem_constriction.projection import TARGET

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

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


def certify(lower: Solution, upper: Solution, frequency: ArrayLike) -> Discs:
    """Return the discs that conforming potentials (lower) and admissible currents (upper) of one cell guarantee.

    Both solved with keep=True on the same part of the cell. Raises ComputationError for solutions that offer neither.
    """
    points = np.asarray(frequency, dtype=float)
    processes = lower.model.processes
    cross, fluxes = _cross_products(lower, upper)
    s = 2j * np.pi * points
    y = {name: np.asarray(value, dtype=np.complex128) for name, value in evaluate(processes, s).items()}
    angles = np.stack([np.angle(value) for value in y.values()])
    delta = (angles.max(0) - angles.min(0)) / 2
    potential = lower.model.solution(s)
    lowest = lower.model.impedance(s)
    rounding = lower.model.rounding(s) + upper.model.rounding(s)
    centre, radius = np.empty(s.size, dtype=np.complex128), np.empty(s.size)
    for k in range(s.size):
        at = {name: complex(value[k]) for name, value in y.items()}
        c = potential[:, k]
        energy = sum(abs(at[p]) * np.vdot(c, lower.model.matrices[p] @ c).real for p in at)
        linear = sum((at[p] / abs(at[p]) * (cross[p].T @ c) for p in at), np.zeros(len(upper.model.shifts), dtype=complex))
        quadratic = np.asarray(sum(fluxes.gram[p] / abs(at[p]) for p in at))
        w = _best(quadratic, linear, int(np.argmin(np.abs(np.log(np.maximum(upper.model.shifts, 1e-300) / abs(s[k]))))))
        own = np.vdot(w, quadratic @ w).real
        eta2 = max(energy - 2 * np.vdot(w, linear).real + own, 0.0) + (ROUNDING + rounding[k]) * (energy + own)
        current = sum(w @ (fluxes.gram[p] @ w) / at[p] for p in at)
        centre[k] = (lowest[k] + current) / 2
        radius[k] = 0.5 * eta2 * np.tan(np.pi / 4 + delta[k] / 2)
    names = (str(lower.description.get("backend", "")), str(upper.description.get("backend", "")))
    return Discs(points, centre, radius, delta, _direct(lower, upper, fluxes), names, fluxes.imbalance)


def _cross_products(lower: Solution, upper: Solution) -> tuple[dict[str, Array], Fluxes]:
    """Return int g_l . J_m for every process, (r potentials, r currents), and the currents.

    At the interfaces from traces. In the bulk from int g_l . J_m over all processes = V_l, the work of unit current.
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
    at_shifts = evaluate(model.processes, model.shifts)
    sealed = at_shifts[PORE] == 0 if PORE in at_shifts else np.ones(model.shifts.size, dtype=bool)
    fluxes = upper.assembly.fluxes(model.potentials(model.coordinates), at_shifts[BULK], np.asarray(sealed))
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
    return cross, fluxes


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


def _direct(lower: Solution, upper: Solution, fluxes: Fluxes) -> tuple[float, float] | None:
    """R_DC between that of the potentials and sum over processes of int J . J/y of the direct current (Raviart-Thomas)."""
    still = np.flatnonzero(upper.model.shifts == 0)
    if not still.size or 0.0 not in lower.model.shifts:
        return None
    k = int(still[0])
    highest = 0.0
    for name, process in upper.model.processes.items():
        if process.conductance > 0:
            highest += float(fluxes.gram[name][k, k]) / process.conductance
    return lower.model.resistance() * (1 - ROUNDING), highest * (1 + ROUNDING)
