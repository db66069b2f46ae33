"""A fourth arc, R_Cstr falling with x, and what of the 1D-PM survives: claims 7 to 17, on the series of figure 2."""

from __future__ import annotations

import math

from fem_constriction.admittance import BULK, CHARGE_TRANSFER, GRAIN_BOUNDARY
from fem_constriction.circuits import CONSTRICTION
from fem_constriction.extraction import fit_spectrum
from validation.paper.claims.base import Finding, Measured, above, at_least, at_most, claim, every, worst
from validation.paper.claims.shapes import (
    clusters,
    least_curvature,
    log_slope,
    off,
    peaks,
    percent,
    ratio,
    smallest_fall,
    smallest_rise,
)
from validation.paper.claims.side import Row, Side

FOURTH = 2.0
#: What is left of three exact arcs: the spectrum is known to 1e-8, and the fit stops a little above that.
THREE = 1e-6
RESIDUAL = 0.35
#: Element -> (R, C) of the arc may differ from the 1D-PM by so much, in %.
ELECTROLYTE = {BULK: (0.1, 0.1), GRAIN_BOUNDARY: (0.8, 1.0)}
SLOPE = 0.15
APART = 0.1
ROUNDING = 1e-9


@claim(
    7,
    "2",
    "A fourth arc",
    statement="At x < 1 there is a fourth arc: three leave far more of the spectrum than four; at x = 1 three are exact.",
    tolerance=f"residual of three arcs at least {FOURTH:g} times that of four; {THREE:g} at x = 1",
    reason="The relaxations of the constriction are a broad group, which merges with that of the boundaries near full contact: "
    "groups in the spectrum of relaxations cannot be counted at every x, the number of arcs that a fit needs can.",
    needs=("2",),
)
def fourth_arc(side: Side) -> Finding:
    """Smallest residual of three arcs over that of four at x < 1; residual of three at x = 1."""
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
        findings.append(at_least(Measured(three / max(four, 1e-300)), FOURTH, "times", text))
    return worst(findings, lambda each: -(each.number or 0.0) if each.unit == "times" else -math.inf)


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
    """Smallest relative step down of the fitted R_Cstr between neighbouring fractions, in %."""
    rows = side.rows("2", few=3)
    step = percent(smallest_fall([row.R() for row in rows]))
    return above(step, 0.0, "%", f"smallest relative step down of R_Cstr between neighbours, {len(rows)} fractions")


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


@claim(
    12,
    "2",
    "R_CT follows R_pol/A_c",
    statement="R_CT falls with the contact area as R_pol/A_c does, and is never below it.",
    tolerance=f"log slope -1 within {SLOPE}; at least R_pol/A_c",
    reason="The paper says that it matches; the contact's current is uneven, so that R_CT can only be larger (I8).",
    needs=("2",),
)
def charge_transfer(side: Side) -> Finding:
    """Slope of ln R_CT over ln x, and the smallest R_CT A_c/R_pol."""
    rows = side.rows("2", few=3)
    slope = log_slope([row.x for row in rows], [row.R(CHARGE_TRANSFER) for row in rows])
    least, x = min((ratio(row.R(CHARGE_TRANSFER), Measured(row.interface.resistance)), row.x) for row in rows)
    most = max(ratio(row.R(CHARGE_TRANSFER), Measured(row.interface.resistance)).value for row in rows)
    return every(
        at_most(
            Measured(abs(slope.value + 1), slope.uncertainty),
            SLOPE,
            "",
            f"d ln R_CT/d ln x is {slope.value:.4f}, the number its distance to -1",
        ),
        at_least(least, 1.0, "", f"R_CT A_c/R_pol from {least.value:.4f} (x = {x:g}) to {most:.4f}"),
    )


@claim(
    13,
    "2",
    "R_Cstr is shaped like R of the interface",
    statement="R_Cstr over x falls and is convex, as R of the 1D-PM's interface.",
    tolerance="0",
    reason="Signs of steps and of second differences, each beyond its uncertainty.",
    needs=("2",),
)
def convex(side: Side) -> Finding:
    """Smallest relative second difference of R_Cstr over x and of the 1D-PM's R, and the smallest step down, in %."""
    rows = side.rows("2", few=4)
    x, found = [row.x for row in rows], [row.R() for row in rows]
    plain = [Measured(row.interface.resistance) for row in rows]
    return every(
        above(percent(least_curvature(x, found)), 0.0, "%", "smallest gap of R_Cstr to the chord of its neighbours"),
        above(percent(smallest_fall(found)), 0.0, "%", "it falls"),
        above(percent(least_curvature(x, plain)), 0.0, "%", "R_pol/A_c is convex as well"),
    )


@claim(
    14,
    "2",
    "C_CT rises as the interface of the 1D-PM",
    statement="C_CT rises with x as the capacitance of the 1D-PM's interface does.",
    tolerance=f"every step up; log slope against it 1 within {SLOPE}",
    reason="'Approximately', says the paper: the same closeness as for R_CT (claim 12).",
    needs=("2",),
)
def interface_capacitance(side: Side) -> Finding:
    """Smallest relative step up of C_CT, and the slope of ln C_CT over ln C of the interface."""
    rows = side.rows("2", few=3)
    found = [row.C(CHARGE_TRANSFER) for row in rows]
    slope = log_slope([row.interface.capacitance for row in rows], found)
    text = f"d ln C_CT/d ln C_1D is {slope.value:.4f}, the number its distance to 1"
    return every(
        at_most(Measured(abs(slope.value - 1), slope.uncertainty), SLOPE, "", text),
        above(percent(smallest_rise(found)), 0.0, "%", "C_CT rises with x"),
    )


@claim(
    15,
    "2",
    "C_Cstr does not follow C_pore",
    statement="C_Cstr does not follow C_pore (1 - x) over x.",
    tolerance=f"more than {100 * APART:g} % apart in shape",
    reason="Followed would mean a constant ratio; a tenth is far above all uncertainties.",
    needs=("2",),
)
def pore_capacitance(side: Side) -> Finding:
    """Largest over smallest C_Cstr/(C_pore (1 - x) A) over x, less 1, in %."""
    found = [(ratio(row.C(), Measured(pores(row))), row.x) for row in side.rows("2", few=2)]
    (low, at_low), (high, at_high) = min(found), max(found)
    whole = ratio(high, low)
    text = f"C_Cstr/(C_pore (1 - x) A) from {low.value:.3f} at x = {at_low:g} to {high.value:.3f} at {at_high:g}"
    return above(percent(Measured(whole.value - 1, whole.uncertainty)), 100 * APART, "%", text)


@claim(
    16,
    "2",
    "No constriction only at full contact",
    statement="R_Cstr is zero at x = 1, and only there.",
    tolerance=f"{ROUNDING:g} of R_DC at x = 1, above 0 elsewhere",
    reason="At x = 1 both discretisations are exact, and rounding is left.",
    needs=("2",),
)
def only_there(side: Side) -> Finding:
    """The smallest R_Cstr/R_DC at x < 1, and |R_DC(3D) - R_DC(1D-PM)|/R_DC at x = 1."""
    rows = side.rows("2", full=True, few=2)
    full = [row for row in rows if row.x == 1]
    nothing = [
        at_most(
            Measured(abs(row.geometric.value) / row.side.resistance[0]), ROUNDING, "", "|R_DC(3D) - R_DC(1D-PM)|/R_DC at x = 1"
        )
        for row in full
    ]
    least = min((ratio(row.R(), Measured(row.side.resistance[0])), row.x) for row in rows if row.x < 1)
    return every(above(least[0], 0.0, "R_DC", f"the smallest R_Cstr at x < 1 is at {least[1]:g}"), *nothing)


@claim(
    17,
    "2",
    "Time constants vary otherwise than in the 1D-PM",
    statement="tau_Cstr and tau_CT depend on x, otherwise than tau of the 1D-PM's interface.",
    tolerance="1 %",
    reason="Largest change of tau over tau of the 1D-PM along the series; far above the uncertainties of tau.",
    needs=("2",),
)
def time_constants(side: Side) -> Finding:
    """Largest over smallest tau/tau_1D over x, less 1, in %, for the charge transfer and the constriction."""
    rows, findings = side.rows("2", few=2), []
    for name in (CHARGE_TRANSFER, CONSTRICTION):
        found = [ratio(row.tau(name), Measured(row.interface.tau)) for row in rows]
        whole = ratio(max(found), min(found))
        times = [row.tau(name).value for row in rows]
        text = f"tau of {name.replace('_', ' ')} from {min(times):.3g} to {max(times):.3g} s"
        findings.append(above(percent(Measured(whole.value - 1, whole.uncertainty)), 1.0, "%", text))
    return every(*findings)


def pores(row: Row) -> float:
    """Return C_pore (1 - x) A of a cell in F."""
    pore = row.cell.working_electrode.pore
    return 0.0 if pore is None else pore.areal_capacitance * (row.cell.area - row.cell.contact_area)


def worst_of(findings: list[tuple[Finding, float]]) -> Finding:
    """Return the gravest finding; of equals the one with the largest number beside it."""
    gravest = worst(finding for finding, _ in findings).verdict
    return max((each for each in findings if each[0].verdict == gravest), key=lambda each: each[1])[0]
