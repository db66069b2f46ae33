"""Z_h - Z ~ h^p, Z_lower <= Z <= Z_upper: what the grids of a family promise, order by order and bound by bound."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.grids.grid import Grid
from fem_constriction.solving.refinement import Family
from validation import oracles
from validation.conformance.cells import CELLS
from validation.conformance.exceptions import DoesNotApplyError
from validation.conformance.outcome import SAME, Check, Measurement, together, worst
from validation.conformance.subject import BUILT_IN, Subject, built_in, reference
from validation.gate.agreement import enclose

#: Part of the stated order that three grids must show: they are seldom finer than where two error terms compete.
LEAST = 0.75
#: Real s in 1/s where bounds are compared with the mode expansion, one per four decades, besides direct current.
REAL = 2 * np.pi * np.array([1.0, 1e4, 1e8])


def order(name: str) -> Check:
    """Return the check of a cell's observed order at direct current."""

    def run(subject: Subject) -> Measurement:
        family = subject.family(name)
        z = np.array([solution.model.resistance() for solution in family.solutions[-3:]])
        steps, floor = np.abs(np.diff(z)), SAME * abs(z[-1])
        stated = family.order
        if steps[-1] <= floor:
            return Measurement("converged", f"{LEAST * stated:.2f}", True, "the last two grids differ by rounding")
        observed = float(np.log2(steps[0] / steps[1]))
        detail = f"stated {stated:g}; the last two grids differ by {steps[1] / z[-1]:.1e} R_DC"
        return Measurement(f"{observed:.2f}", f"{LEAST * stated:.2f}", observed >= LEAST * stated, detail)

    return Check(
        f"order: {name}",
        f"log2 |Z_1 - Z_0|/|Z_2 - Z_1| >= {LEAST:g} p",
        "the limit is extrapolated with p: where the grids do not show it, the limit is wrong",
        run,
        (name,),
        "matrices",
    )


def monotone(name: str) -> Check:
    """Return the check that a bound improves from grid to grid."""

    def run(subject: Subject) -> Measurement:
        family = subject.family(name)
        shifts = _shifts(family)
        parts = []
        for coarse, fine in pairwise(family.solutions):
            if not _nested(coarse.grid, fine.grid):
                continue
            before, after = (solution.model.impedance(shifts).real for solution in (coarse, fine))
            worse = after - before if subject.backend.bound == "upper" else before - after
            allowed = (SAME + coarse.model.error(shifts) + fine.model.error(shifts)) * after
            where = [f"{fine.grid.name}, s = {s:.3g} 1/s" for s in shifts]
            parts.append(worst(worse, allowed, after, where, "Z(s)"))
        if not parts:
            raise DoesNotApplyError("its grids are not nested")
        return together(parts)

    return Check(
        f"bound improves: {name}",
        "upper: Z_2h(s) >= Z_h(s), lower: <=, at real s on nested grids",
        "a minimum over more; the projections' own estimates of their errors, and 1e-8",
        run,
        (name,),
        "bound",
    )


def bound(name: str) -> Check:
    """Return the check of a bound against the mode expansion: every grid at real s, or R_DC of a spectra-only backend."""

    def run(subject: Subject) -> Measurement:
        _, r, r_error = reference(name)
        if subject.assembling is None:
            own, _ = subject.resistance(name)
            return worst(_violation(subject, own, r), r_error + SAME * r, r, ["direct current"], "R_DC")
        cell = oracles.from_description(CELLS[name].model_dump(mode="json", exclude_none=True))
        z, error = oracles.impedance(cell, REAL)
        s, known = np.append(0.0, REAL), np.append(r, z.real)
        slack = np.append(r_error, error * z.real)
        parts = []
        for solution in subject.family(name).solutions:
            value = solution.model.impedance(s).real
            gap = _violation(subject, value, known)
            allowed = slack + (SAME + solution.model.error(s)) * known
            parts.append(worst(gap, allowed, known, [f"{solution.grid.name}, s = {each:.3g} 1/s" for each in s], "Z(s)"))
        return together(parts)

    return Check(
        f"bound holds: {name}",
        "upper: Z_h(s) >= Z(s), lower: <=, at real s >= 0",
        "the mode expansion's error (below 1e-6), the projection's own estimate, and 1e-8",
        run,
        (name,),
        "bound",
    )


def enclosure(name: str) -> Check:
    """Return the check of a bound against every grid of the built-in backend that bounds from the other side."""

    def run(subject: Subject) -> Measurement:
        side = subject.backend.bound
        other = next(each for each in map(built_in, BUILT_IN) if each.backend.bound not in (side, None))
        lower, upper = (subject, other) if side == "lower" else (other, subject)
        if subject.assembling is None:
            mine, _ = subject.resistance(name)
            theirs = np.array([solution.model.resistance() for solution in other.family(name).solutions])
            return worst(_violation(subject, mine, theirs), SAME * theirs, theirs, ["direct current"] * len(theirs), "R_DC")
        found = enclose(lower.family(name), upper.family(name))
        detail = found.violations[0] if found.violations else f"{found.pairs} pairs of grids at {found.s.size} shifts"
        return Measurement(f"{len(found.violations)} violations", "0 violations", not found.violations, detail)

    return Check(
        f"enclosure: {name}",
        "Z_lower(s) <= Z_upper(s) at real s, every pair of grids",
        "two minima of energy; the projections' own estimates of their errors, and 1e-8",
        run,
        (name,),
        "bound",
    )


def _violation(subject: Subject, value: Array | float, known: Array | float) -> Array:
    gap = np.asarray(known) - np.asarray(value)
    return np.asarray(gap if subject.backend.bound == "upper" else -gap)


def _shifts(family: Family) -> Array:
    low, high = family.band
    s = family.finest.model.shifts
    return np.asarray(np.sort(s[(s == 0) | ((s >= 2 * np.pi * low) & (s <= 2 * np.pi * high))]))


def _nested(coarse: Grid, fine: Grid) -> bool:
    """Whether every line of the coarse grid is one of the fine grid."""
    near = 1e-9 * coarse.depth
    return all(np.all(np.min(np.abs(a[:, None] - b), axis=1) <= near) for a, b in zip(coarse.axes, fine.axes, strict=True))


_CASES = ("every process", "ideal contact")

CHECKS = (
    *map(order, _CASES),
    *(make(name) for name in _CASES for make in (monotone, enclosure, bound)),
)
