"""A fourth arc, R_Cstr falling with x, bulk and boundaries as they are: claims 7 to 11, on the series of figure 2."""

from __future__ import annotations

import math

from fem_constriction.fitting.extraction import fit_spectrum
from fem_constriction.processes.names import BULK, GRAIN_BOUNDARY
from validation.paper.claims.backend_view import SeenCell, Side
from validation.paper.claims.base import Finding, above, at_most, claim, worst
from validation.paper.claims.measured import Measured
from validation.paper.claims.shapes import (
    clusters,
    least_curvature,
    off,
    peaks,
    percent,
    smallest_fall,
)

#: What is left of three exact arcs: the spectrum is known to 1e-8, and the fit stops a little above that.
THREE = 1e-6
RESIDUAL = 0.35
#: Element -> (R, C) of the arc may differ from the 1D-PM by so much, in %.
ELECTROLYTE = {BULK: (0.1, 0.1), GRAIN_BOUNDARY: (0.8, 1.0)}


@claim(
    7,
    "2",
    "A fourth arc",
    statement="At x < 1 there is a fourth arc: three leave more of the spectrum than four; at x = 1 three are exact.",
    tolerance=f"residuals differ by more than the spectrum's uncertainty; {THREE:g} at x = 1",
    reason="The relaxations of the constriction are a broad group, which merges with that of the boundaries near full contact: "
    "groups in the spectrum of relaxations cannot be counted at every x, the number of arcs that a fit needs can.",
    needs=("2",),
)
def fourth_arc(side: Side) -> Finding:
    """Smallest residual of three arcs less that of four at x < 1, in % of |Z|; residual of three at x = 1."""
    rows = side.rows("2", full=True, few=2)
    findings = []
    for row in rows:
        three = fit_spectrum(row.side.spectrum, "p(R1,C1)-p(R2,C2)-p(R3,C3)").residual or 0.0
        if row.x == 1:
            findings.append(at_most(Measured(three), THREE, "of |Z|", "three arcs at x = 1"))
            continue
        four = row.fit.residual or 0.0
        seen = peaks(row.relaxation)
        text = (
            f"residual of three arcs {100 * three:.2g} %, of four {100 * four:.2g} % at x = {row.x:g} ({seen} groups are seen)"
        )
        findings.append(above(Measured(100 * (three - four), 100 * known(row)), 0.0, "% more", text))
    return worst(findings, lambda each: -(each.number or 0.0) if each.unit == "% more" else -math.inf)


def known(row: SeenCell) -> float:
    """Return the largest u/|Z| of a spectrum."""
    found = row.side.spectrum
    return 0.0 if found.uncertainty is None else float((found.uncertainty / abs(found.impedance)).max())


@claim(
    8,
    "2",
    "R_Cstr falls with x",
    statement="R_Cstr falls strictly with the contact area.",
    tolerance="0",
    reason="Strict: every step must exceed the uncertainty of its ends.",
    needs=("2",),
)
def falling(side: Side) -> Finding:
    """Smallest relative step down of the fitted R_Cstr between neighbouring fractions, in %; told of the ladder as well."""
    rows = side.rows("2", few=3)
    step = percent(smallest_fall([row.R() for row in rows]))
    geometric = percent(smallest_fall([row.geometric for row in rows]))
    text = f"smallest step down; R_Cstr is {over_x(rows)}; steps of the geometric one are {geometric.value:.3g} % or more"
    return above(step, 0.0, "%", f"{text}; {as_ladders(rows)}")


@claim(
    9,
    "2",
    "The 1D-PM has three arcs",
    statement="The 1D-PM has three arcs for every x > 0.",
    tolerance="exact",
    reason="A count; arcs closer than 0.57 decades of tau, half the width of an arc, would be one.",
    needs=("2",),
)
def three_arcs(side: Side) -> Finding:
    """Groups of the RC elements of the 1D-PM over x; the number is how many fractions have not three."""
    rows = side.rows("2", full=True, few=2)
    counts = {}
    for row in rows:
        arcs = row.one_dimensional.arcs
        counts[row.x] = len(clusters([arc.tau for arc in arcs], [arc.resistance for arc in arcs]))
    wrong = [x for x, count in counts.items() if count != 3]
    return at_most(Measured(float(len(wrong))), 0.0, "cells", f"x without three arcs: {wrong or 'none'} of {list(counts)}")


@claim(
    10,
    "2",
    "The 1D-FM fits the series",
    statement="The 1D-FM fits every three-dimensional spectrum of the series.",
    tolerance=f"{RESIDUAL} % of |Z|",
    reason="Largest relative residual of the fit, seen in an independent computation of the limit.",
    needs=("2",),
)
def fits(side: Side) -> Finding:
    """Largest relative residual of the fit over x and frequency, in %."""
    found = [(Measured(100 * (row.fit.residual or 0.0)), row.x) for row in side.rows("2", full=True)]
    residual, x = max(found, key=lambda each: each[0].value)
    return at_most(residual, RESIDUAL, "%", f"largest residual of the fits, at x = {x:g}")


@claim(
    11,
    "2",
    "Bulk and boundaries as in the 1D-PM",
    statement="Fitted bulk and grain boundaries equal the 1D-PM.",
    tolerance="R within 0.1 % and 0.8 %, C within 0.1 % and 1 %",
    reason="What an independent computation of the limit gives: faster arcs lend a little to slower ones in the fit.",
    needs=("2",),
)
def electrolyte(side: Side) -> Finding:
    """Largest relative deviation of R and C from the 1D-PM over x, each as a part of what it may be."""
    findings = []
    for row in side.rows("2", full=True):
        for name, limits in ELECTROLYTE.items():
            arc = row.one_dimensional[name]
            for letter, wanted, limit in zip("RC", (arc.resistance, arc.capacitance), limits, strict=True):
                away = percent(off(row.value(name, letter), wanted))
                text = f"{letter} of {name.replace('_', ' ')} off the 1D-PM at x = {row.x:g}, allowed {limit:g} %"
                findings.append((at_most(away, limit, "%", text), away.value / limit))
    return worst_of(findings)


def as_ladders(rows: list[SeenCell]) -> str:
    """Return what the same fits say of R_Cstr read as ladders, in which no names change places."""
    known = [(row.x, value) for row in rows if (value := row.ladder()) is not None]
    if len(known) < 3:
        return "too few of the fits are read as ladders"
    x, found = [at for at, _ in known], [each for _, each in known]
    step, bend = percent(smallest_fall(found)), percent(least_curvature(x, found))
    values = ", ".join(f"{each.value:.4g} ohm at {at:g}" for at, each in known)
    falls = "falls at every step" if step.value > step.uncertainty else "does not fall at every step"
    shape = "convex" if bend.value > bend.uncertainty else "not convex"
    return (
        f"read as ladders the same fits have R_Cstr {values}: it {falls}, by {step.value:.3g} % or more, and is {shape}, "
        f"its smallest gap to the chord of its neighbours {bend.value:.3g} %"
    )


def over_x(rows: list[SeenCell]) -> str:
    """Return the fitted R_Cstr over x in words."""
    return ", ".join(f"{row.R().value:.4g} ohm at {row.x:g}" for row in rows)


def worst_of(findings: list[tuple[Finding, float]]) -> Finding:
    """Return the gravest finding; of equals the one with the largest number beside it."""
    gravest = worst(finding for finding, _ in findings).verdict
    return max((each for each in findings if each[0].verdict == gravest), key=lambda each: each[1])[0]
