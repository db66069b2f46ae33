"""|Z - (Z_P + Z_C)/2| <= (1/2) eta^2 tan(pi/4 + delta/2): a guaranteed disc around Z(i omega) of the continuous cell.

g_h: gradients and jumps of any conforming potential phi_h; j_d: any divergence-free current of unit total; all arg y_p within
delta of a common angle (RC elements: delta <= pi/4); Z_P = 2 V_h - sum_p y_p int g_h . g_h, Z_C = sum_p int j_d . j_d/y_p (no
conjugates), eta^2 = sum_p int |y_p g_h - j_d|^2/|y_p|. Proof in docs/discs.md (Prager-Synge for complex coefficients).

No limit, no order, no second grid is assumed; how well the reduced models or the solvers did only decides how small the disc
is, since any potential and any conserved current will do. It takes one pair of grids and, per frequency, small matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array, Complex
from fem_constriction.cell.units import array_in
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.reduction.projection import TARGET
from fem_constriction.reduction.reduced import ReducedModel

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
    """Potentials and currents as the small matrices that discs are made of, for any materials.

    Parameters
    ----------
    potentials
        r of them, as a reduced model: its matrices are int g_l . g_m.
    gram, cross
        Process -> int j_l . j_m of m currents, (m, m), and int g_l . j_m, (r, m).
    totals
        Of the currents, (m,): 1, or 0 for differences between some.
    shifts
        1/s, (m,), of those of total 1: which is nearest to a frequency.
    names
        What gave the potentials and the currents.
    imbalance
        Largest difference, relative to the largest density, that was made up for to conserve the currents; see `Discs`.
    grids
        What potentials and currents were made on: "unknowns" and "cells" of "potentials" and of "currents".
    """

    potentials: ReducedModel
    gram: Mapping[str, Array]
    cross: Mapping[str, Array]
    totals: Array
    shifts: Array
    names: tuple[str, str]
    imbalance: float = 0.0
    grids: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def discs(self, frequency: ArrayLike, places: Mapping[str, Admittance] | None = None) -> Discs:
        """Return the discs at frequencies in Hz; places: of other materials than the potentials' own, on the same grids.

        Any potentials and currents will do, so that the discs are guaranteed whatever materials the models were made for. What
        rounding may do to the sums, and what they lack to the work of unit current, sum over p of int g . j = V, is added.
        """
        points = array_in("Hz", frequency, "frequency").astype(float)
        model = replace(self.potentials, processes=places or self.potentials.processes)
        s = 2j * np.pi * points
        y = {name: np.asarray(value, dtype=np.complex128) for name, value in evaluate(model.processes, s).items()}
        angles = np.stack([np.angle(value) for value in y.values()])
        delta = (angles.max(0) - angles.min(0)) / 2
        potential, weights = self.chosen(points, model.processes)
        lowest, rounding = model.impedance(s), model.rounding(s)
        lacking = sum(self.cross.values(), np.zeros(())) - np.outer(model.port, self.totals)
        centre, radius = np.empty(s.size, dtype=np.complex128), np.empty(s.size)
        for k in range(s.size):
            at = {name: complex(value[k]) for name, value in y.items()}
            c, w = potential[:, k], weights[:, k]
            energy = sum(abs(at[p]) * np.vdot(c, model.matrices[p] @ c).real for p in at)
            own = sum(np.vdot(w, self.gram[p] @ w).real / abs(at[p]) for p in at)
            mixed = sum((at[p] / abs(at[p]) * (c @ self.cross[p] @ w.conj())).real for p in at)
            size = sum(np.abs(w) @ (np.abs(self.gram[p]) @ np.abs(w)) / abs(at[p]) for p in at)
            allowed = (ROUNDING + rounding[k]) * (energy + own) + np.finfo(float).eps * size + 2 * abs(c @ lacking @ w.conj())
            centre[k] = (lowest[k] + sum(w @ (self.gram[p] @ w) / at[p] for p in at)) / 2
            radius[k] = 0.5 * (max(energy - 2 * mixed + own, 0.0) + allowed) * np.tan(np.pi / 4 + delta[k] / 2)
        return Discs(points, centre, radius, delta, self._direct(model), self.names, self.imbalance)

    def enclosure(self, s: float) -> tuple[float, float]:
        """Return the lower and the upper bound of Z at real s > 0, ohm: Z_P and the least Z_C, rounding added."""
        y = {name: float(process(s)) for name, process in self.potentials.processes.items()}
        quadratic = np.asarray(sum(self.gram[p] / y[p] for p in y if y[p] > 0))
        w = _best(quadratic, np.zeros(len(quadratic), dtype=complex), self.totals, self._near(s)).real
        at, eps = np.array([s]), float(np.finfo(float).eps)
        lost = ROUNDING + float(self.potentials.rounding(at)[0])
        upper = float(w @ quadratic @ w) * (1 + ROUNDING) + eps * float(np.abs(w) @ np.abs(quadratic) @ np.abs(w))
        return float(self.potentials.impedance(at)[0].real) * (1 - lost), upper

    def chosen(self, frequency: Array, places: Mapping[str, Admittance]) -> tuple[Complex, Complex]:
        """Return the coefficients of the potentials, (r, n), and the weights of the currents, (m, n), of discs."""
        s = 2j * np.pi * frequency
        y = evaluate(places, s)
        potential = np.asarray(replace(self.potentials, processes=places).solution(s), dtype=np.complex128)
        weights = np.empty((self.totals.size, s.size), dtype=np.complex128)
        for k in range(s.size):
            at = {name: complex(value[k]) for name, value in y.items()}
            quadratic = np.asarray(sum(self.gram[p] / abs(at[p]) for p in at))
            linear = np.asarray(sum(at[p] / abs(at[p]) * (self.cross[p].T @ potential[:, k]) for p in at))
            weights[:, k] = _best(quadratic, linear, self.totals, self._near(abs(s[k])))
        return potential, weights

    def _near(self, s: float) -> int:
        """The number of the current of total 1 whose shift is nearest."""
        whole = np.flatnonzero(self.totals)
        return int(whole[np.argmin(np.abs(np.log(np.maximum(self.shifts[whole], 1e-300) / s)))])

    def _direct(self, model: ReducedModel) -> tuple[float, float] | None:
        """R_DC between that of the potentials and the least sum over processes of int j . j/y at direct current.

        Where nothing conducts at direct current nothing may go: only currents that have none there are allowed.
        """
        y = {name: place.conductance for name, place in model.processes.items()}
        blocked = sum((np.diag(self.gram[name]) for name, value in y.items() if value == 0), np.zeros(self.totals.size))
        allowed = np.flatnonzero(blocked == 0)
        if 0.0 not in model.shifts or not self.totals[allowed].any():
            return None
        quadratic = np.asarray(sum(self.gram[name] / value for name, value in y.items() if value > 0))
        own, totals = quadratic[np.ix_(allowed, allowed)], self.totals[allowed]
        near = int(np.argmin(np.where(totals > 0, np.diag(own), np.inf)))
        w = _best(own, np.zeros(allowed.size, dtype=complex), totals, near).real
        rounding = ROUNDING + float(model.rounding(np.zeros(1))[0])
        lost = float(np.finfo(float).eps * (np.abs(w) @ np.abs(own) @ np.abs(w)))
        return model.resistance() * (1 - rounding), float(w @ own @ w) * (1 + ROUNDING) + lost


def _best(quadratic: Array, linear: Complex, totals: Array, near: int) -> Complex:
    """Return the weights, of total 1, that minimise w* H w - 2 Re(w* h): around one current of total 1."""
    size = len(linear)
    others = np.delete(np.arange(size), near)
    start = np.zeros(size, dtype=np.complex128)
    start[near] = 1.0
    gradient = linear - quadratic[:, near]
    # Differences to that current have total 0; in these coordinates, scaled to a unit diagonal, the minimum is free.
    part, column = totals[others], quadratic[others, near]
    reduced = quadratic[np.ix_(others, others)] - np.outer(column, part) - np.outer(part, column)
    reduced += quadratic[near, near] * np.outer(part, part)
    scale = 1 / np.sqrt(np.maximum(np.diag(reduced), FLUX_RANK * quadratic[near, near]))
    values, vectors = np.linalg.eigh((reduced + reduced.T) / 2 * np.outer(scale, scale))
    kept = values > FLUX_RANK
    right = vectors[:, kept].T @ (scale * (gradient[others] - part * gradient[near]))
    step = scale * (vectors[:, kept] @ (right / values[kept]))
    start[others] += step
    start[near] -= part @ step
    return start
