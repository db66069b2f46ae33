"""The order of tau_Cstr and tau_CT decides what R_CT is: claims 35 to 39, on the two cases of figure 5."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from fem_constriction.cell.cell import Cell
from fem_constriction.processes.names import CHARGE_TRANSFER
from validation import oracles
from validation.paper import cells
from validation.paper.claims.backend_view import SeenCell, Side
from validation.paper.claims.base import Finding, above, at_least, at_most, claim, every, worst
from validation.paper.claims.extra_series import C_DL, PORE
from validation.paper.claims.measured import Measured, Undecided
from validation.paper.claims.shapes import off, off_line, percent, ratio, smallest_fall, smallest_rise, spread, to_zero

NEARLY = 20.0
LIMIT = 2.0
DOUBLE_LAYER = 1.0
LEAST = 0.25
#: Polynomial degree of the oracle: good to 1e-5 of R, a thousandth of the bounds' width.
ORDER = 6


def resistance_of(row: SeenCell) -> float:
    """Return R_pol in ohm m2."""
    return row.setting(cells.R_POL)


def in_r_pol(row: SeenCell) -> Measured:
    """Return R_CT A/R_pol: 1 for one electrode, 2 for two at full contact."""
    unit = resistance_of(row) / row.cell.area
    value, uncertainty = row.R(CHARGE_TRANSFER)
    return Measured(value / unit, uncertainty / unit)


def in_c_dl(row: SeenCell) -> Measured:
    """Return C_CT/(C_DL A): 1 for one electrode, 1/2 for two at full contact."""
    unit = row.setting(C_DL) * row.cell.area
    value, uncertainty = row.C(CHARGE_TRANSFER)
    return Measured(value / unit, uncertainty / unit)


def from_linear(rows: list[SeenCell]) -> dict[str, Measured]:
    """Return the largest relative distances of R_CT and C_CT from the lines R_pol (1 + x) and C_DL (1 - x/2)."""
    x = [row.x for row in rows]
    return {
        "R": off_line(x, [in_r_pol(row) for row in rows], ((0.0, 1.0), (1.0, 2.0))),
        "C": off_line(x, [in_c_dl(row) for row in rows], ((0.0, 1.0), (1.0, 0.5))),
    }


@claim(
    35,
    "5a",
    "R_CT falls with the contact area, nearly linearly",
    statement="(a, tau_CT < tau_Cstr) R_CT falls and C_CT rises as x falls, nearly linearly.",
    tolerance=f"within {NEARLY:g} % of the line through the ends; every step in the stated direction",
    reason="'Nearly': in case (b) R_CT is off the same line by several hundred %. R_pol is what bends it (claim 37).",
    needs=("5a",),
)
def falls(side: Side) -> Finding:
    """Largest distance of R_CT and C_CT from a straight line, in %, and their smallest steps."""
    rows = side.rows("5a", full=True, few=3)
    bent = from_linear(rows)
    findings = [at_most(percent(bent[name]), NEARLY, "%", f"{name}_CT off the line through its ends") for name in bent]
    rising, falling = (smallest_rise([in_r_pol(row) for row in rows]), smallest_fall([in_c_dl(row) for row in rows]))
    seen = {
        "R_CT A/R_pol": ", ".join(f"{in_r_pol(row).value:.4f} at {row.x:g}" for row in rows),
        "C_CT/(C_DL A)": ", ".join(f"{in_c_dl(row).value:.4f} at {row.x:g}" for row in rows),
    }
    return every(
        worst(findings),
        *(
            above(percent(step), 0.0, "%", f"smallest step; {name} is {text}")
            for step, (name, text) in zip((rising, falling), seen.items(), strict=True)
        ),
    )


@claim(
    36,
    "5a",
    "Half the resistance without contact",
    statement="(a) For x -> 0, R_CT is half and C_CT twice the value at x = 1.",
    tolerance=f"{LIMIT:g} %",
    reason="Only the counter electrode is left. The limit is the parabola through the three smallest fractions, "
    "uncertain by its distance to the straight line.",
    needs=("5a",),
)
def half(side: Side) -> Finding:
    """R_CT(0)/R_CT(1) over 1/2 and C_CT(0)/C_CT(1) over 2, less 1, in %."""
    rows = side.rows("5a", full=True, few=4)
    if rows[-1].x != 1:
        raise Undecided("figure 5 (a) was not computed at x = 1")
    findings = []
    for name, scaled, wanted in (("R", in_r_pol, 0.5), ("C", in_c_dl, 2.0)):
        start, full = to_zero([row.x for row in rows[:3]], [scaled(row) for row in rows[:3]]), scaled(rows[-1])
        limit = ratio(start, full)
        text = f"{name}_CT(0)/{name}_CT(1) is {limit.value:.4f}, from x = {rows[0].x:g} to {rows[2].x:g}"
        findings.append(at_most(percent(off(limit, wanted)), LIMIT, "%", text))
    return worst(findings)


@claim(
    37,
    "5a",
    "R_pol bends the line",
    statement="(a) The deviation from linear comes from R_pol: R_CT A is at most R_pol (1 + x) for 1 ohm cm2 and more.",
    tolerance="0",
    reason="An inequality; equality needs the whole current to pass both electrodes evenly.",
    needs=("5a", "6"),
)
def bends(side: Side) -> Finding:
    """Largest R_CT A/(R_pol (1 + x)) over x and R_pol."""
    findings = []
    for figure in ("5a", "6"):
        for row in side.rows(figure):
            value, uncertainty = in_r_pol(row)
            found = Measured(value / (1 + row.x), uncertainty / (1 + row.x))
            text = f"largest R_CT A/(R_pol (1 + x)), x = {row.x:g}, R_pol = {1e4 * resistance_of(row):g} ohm cm2"
            findings.append(at_most(found, 1.0, "", text))
    return worst(findings)


@claim(
    38,
    "5b",
    "Non-linear where constriction is faster",
    statement="(b, tau_Cstr < tau_CT) R_CT is strongly non-linear: for x >= 0.25 R_CT A lies between R_pol (1 + 1/x) and that "
    "plus (uniform-flux minus equipotential R_Cstr) A.",
    tolerance="0",
    reason="Below the pores' switching the current passes the contact alone; charge transfer evens it out, from the "
    "equipotential towards the uniform flux (series of Mikic and Yovanovich; equipotential: the mode-expansion oracle).",
    needs=("5b",),
)
def between(side: Side) -> Finding:
    """Smallest of R_CT A/R_pol - (1 + 1/x) and what is left to the upper bound, over the width between the bounds."""
    findings = []
    for row in side.rows("5b", least=LEAST):
        low = 1 + 1 / row.x
        width = squeezing(row.cell) * row.cell.area / resistance_of(row)
        value, uncertainty = in_r_pol(row)
        place = Measured((value - low) / width, uncertainty / width)
        text = (
            f"R_CT A/R_pol is {value:.4f} between {low:.4f} and {low + width:.4f} at x = {row.x:g}, the number its place there"
        )
        margin = at_least(Measured(min(place.value, 1 - place.value), place.uncertainty), 0.0, "", text)
        findings.append(Finding(margin.verdict, place.value, "of the width", text, place.uncertainty))
    if not findings:
        raise Undecided(f"figure 5 (b) has no x from {LEAST:g} on")
    bent = from_linear(side.rows("5b", least=LEAST))["R"]
    text = f"largest distance of R_CT from the line of case (a): {100 * bent.value:.0f} %"
    return every(worst(findings, lambda each: abs((each.number or 0.0) - 0.5)), above(percent(bent), NEARLY, "%", text))


@lru_cache
def squeezing(cell: Cell) -> float:
    """Return the uniform-flux less the equipotential constriction resistance of a homogeneous cell's contact, in ohm."""
    sigma, length = cell.electrolyte.conductivity, cell.geometry.lengths[0]
    depth = cell.geometry.thickness
    ideal = oracles.LayeredCell(width=(length, length), thickness=depth, contact=cell.contact_sides, conductivity=sigma)
    equipotential = oracles.resistance(ideal, ORDER)[0] - depth / (sigma * cell.area)
    side = float(np.sqrt(cell.contact_fraction))
    return oracles.square_tube_isoflux(side, depth / length) / (sigma * length) - equipotential


@claim(
    39,
    "5",
    "C_DL does not matter for the constriction",
    statement="C_DL changes neither R_Cstr nor C_Cstr, while the order of the tau stays.",
    tolerance=f"{DOUBLE_LAYER:g} %",
    reason="What is left is what the fit shifts between arcs that are finitely far apart.",
)
def double_layer(side: Side) -> Finding:
    """Spread of R_Cstr and C_Cstr over C_DL in figure 5 (a) at 25 % contact, in %."""
    rows = [row for row in side.rows("double_layer", few=2) if abs(row.setting(PORE) / cells.TABLE["5a"].pore - 1) < 1e-9]
    values = sorted(1e2 * row.setting(C_DL) for row in rows)
    findings = [
        at_most(
            percent(spread([getattr(row, letter)() for row in rows])),
            DOUBLE_LAYER,
            "%",
            f"spread of {letter}_Cstr over C_DL from {values[0]:g} to {values[-1]:g} uF/cm2",
        )
        for letter in "RC"
    ]
    return worst(findings)
