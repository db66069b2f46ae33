"""R_pol shapes charge transfer and constriction: claims 40 to 47, on figure 6's series, one for each R_pol."""

from __future__ import annotations

from collections.abc import Callable, Sized

from fem_constriction.processes.circuits import CONSTRICTION
from fem_constriction.processes.names import CHARGE_TRANSFER
from fem_constriction.processes.of_cell import admittances
from validation.paper import cells
from validation.paper.claims.backend_view import SeenCell, Side
from validation.paper.claims.base import Finding, above, at_most, claim, every, worst
from validation.paper.claims.figure2_interface import pores
from validation.paper.claims.figure5 import from_linear
from validation.paper.claims.measured import Measured, Undecided
from validation.paper.claims.shapes import bend, off, percent, ratio, smallest_rise, to_zero

CHANGE = 1.0
LIMIT = 2.0
DEPARTURE = 1.0
_ARCS = (CHARGE_TRANSFER, CONSTRICTION)


def _at_every_x(side: Side, value: Callable[[SeenCell], Measured], what: str) -> Finding:
    """Smallest relative step up with R_pol over all x."""
    findings = []
    for x, rows in side.series("6", cells.R_POL).items():
        step = percent(smallest_rise([value(row) for row in rows]))
        findings.append(above(step, 0.0, "%", f"smallest step of {what} with R_pol, at x = {x:g}"))
    return worst(findings, lambda each: -(each.number or 0.0))


@claim(
    40,
    "6a",
    "R_pol raises both resistances",
    statement="R_CT and R_Cstr rise with R_pol at every x.",
    tolerance="0",
    reason="Every step beyond the uncertainty of its ends.",
    needs=("6",),
)
def resistances(side: Side) -> Finding:
    """Smallest relative step of R_CT and of R_Cstr between neighbouring R_pol, in %."""
    charge_transfer = _at_every_x(side, lambda row: row.R(CHARGE_TRANSFER), "R_CT")
    return every(charge_transfer, _at_every_x(side, lambda row: row.R(CONSTRICTION), "R_Cstr"))


@claim(
    41,
    "6b",
    "R_pol changes both capacitances",
    statement="C_CT and C_Cstr change with R_pol.",
    tolerance=f"more than {CHANGE:g} % at the x where they change most",
    reason="Conductivities of the electrolyte do not do so (claim 29).",
    needs=("6",),
)
def capacitances(side: Side) -> Finding:
    """Largest relative change of C_CT and of C_Cstr between the smallest and the largest R_pol over x, in %."""
    findings = []
    for name in _ARCS:
        changes = [(off(rows[-1].C(name), rows[0].C(name).value), x) for x, rows in side.series("6", cells.R_POL).items()]
        change, x = max(changes)
        text = f"largest change of C of {name.replace('_', ' ')}, at x = {x:g}"
        findings.append(above(percent(change), CHANGE, "%", text))
    return every(*findings)


@claim(
    42,
    "6",
    "R_pol bends R_CT and C_CT",
    statement="The deviation of R_CT and C_CT from linear grows with R_pol.",
    tolerance="0",
    reason="Largest relative distance from the straight lines R_pol (1 + x) and C_DL (1 - x/2), step by step.",
    needs=("6",),
)
def bending(side: Side) -> Finding:
    """Smallest growth with R_pol of the largest distance of R_CT and of C_CT from linear, in % of it."""
    by_value = side.groups("6", cells.R_POL)
    _several(by_value)
    bent = {value: from_linear(rows) for value, rows in by_value.items()}
    findings = []
    for letter in "RC":
        found = [each[letter] for each in bent.values()]
        seen = ", ".join(f"{100 * each.value:.1f} % at {1e4 * value:g}" for each, value in zip(found, bent, strict=True))
        text = f"{letter}_CT off linear by {seen} ohm cm2"
        findings.append(above(percent(smallest_rise(found)), 0.0, "%", text))
    return every(*findings)


@claim(
    43,
    "6b",
    "C_Cstr tends to C_pore",
    statement="C_Cstr -> C_pore (1 - x) as x -> 0, for every R_pol.",
    tolerance=f"{LIMIT:g} % in the limit",
    reason="The limit is the parabola through the three smallest fractions, uncertain by its distance to the straight line; "
    "the constriction of a small contact is one relaxation to 0.1 %.",
    needs=("6",),
)
def to_pores(side: Side) -> Finding:
    """|C_Cstr/(C_pore (1 - x) A) - 1| for x -> 0, the largest over R_pol, in %."""
    findings = []
    for value, rows in side.groups("6", cells.R_POL, few=3).items():
        found = [ratio(row.C(), Measured(pores(row))) for row in rows[:3]]
        limit = to_zero([row.x for row in rows[:3]], found)
        text = f"C_Cstr/(C_pore (1 - x) A) -> {limit.value:.4f} from {found[0].value:.4f} at x = {rows[0].x:g}, {_ohm(value)}"
        findings.append(at_most(percent(off(limit, 1.0)), LIMIT, "%", text))
    return worst(findings)


@claim(
    44,
    "6b",
    "R_pol turns C_Cstr over x",
    statement="Slope and curvature of C_Cstr over x change sign with R_pol.",
    tolerance="0",
    reason="At one and the same x both signs must be seen over R_pol, each beyond its uncertainty; where it is clearest.",
    needs=("6",),
)
def turning(side: Side) -> Finding:
    """The smaller of the largest slopes of either sign of C_Cstr/(C_pore A) over x, and of the largest curvatures."""
    curves = {}
    for value, rows in side.groups("6", cells.R_POL, few=4).items():
        curves[value] = [(row.x, ratio(row.C(), Measured(pores(row) / (1 - row.x)))) for row in rows]
    _several(curves)
    findings = []
    for width, name in ((2, "slope"), (3, "curvature")):
        found = []
        for place in range(min(map(len, curves.values())) - width + 1):
            parts = [curve[place : place + width] for curve in curves.values()]
            if len({tuple(x for x, _ in part) for part in parts}) == 1:
                found.append((_turned(parts), parts))
        if not found:
            raise Undecided("the series of figure 6 have not the same fractions")
        clearest, parts = max(found, key=lambda each: each[0].value - each[0].uncertainty)
        shapes = (f"{_shape(part).value:+.3g} at {_ohm(value)}" for value, part in zip(curves, parts, strict=True))
        text = f"{name} of C_Cstr/(C_pore A) from x = {parts[0][0][0]:g} to {parts[0][-1][0]:g}: {', '.join(shapes)}"
        findings.append(above(clearest, 0.0, "", text))
    return every(*findings)


Points = list[tuple[float, Measured]]


def _shape(part: Points) -> Measured:
    """The slope of two points, the curvature of three."""
    x, values = [at for at, _ in part], [value for _, value in part]
    if len(part) == 3:
        return bend(x, values)
    (first, last), step = values, x[1] - x[0]
    return Measured((last.value - first.value) / step, (last.uncertainty + first.uncertainty) / step)


def _turned(parts: list[Points]) -> Measured:
    """How far the shapes reach to the side of 0 that they reach less far to: above 0 where both signs occur."""
    shapes = [_shape(part) for part in parts]
    low, high = min(shapes), max(shapes)
    return min(Measured(-low.value, low.uncertainty), high)


@claim(
    45,
    "6b",
    "Large R_pol makes C_Cstr that of the pores",
    statement="With rising R_pol C_Cstr(x) approaches C_pore (1 - x).",
    tolerance="0",
    reason="At every x the distance must shrink with every step of R_pol.",
    needs=("6",),
)
def approaching(side: Side) -> Finding:
    """Smallest step with R_pol by which |C_Cstr/(C_pore (1 - x) A) - 1| shrinks over all x, in % of it."""
    findings = []
    for x, rows in side.series("6", cells.R_POL).items():
        away = [off(row.C(), pores(row)) for row in rows]
        step = percent(smallest_rise([Measured(-each.value, each.uncertainty) for each in away]))
        seen = " to ".join(f"{100 * each.value:.2g} %" for each in (away[0], away[-1]))
        findings.append(above(step, 0.0, "%", f"smallest step at x = {x:g}, where the distance shrinks from {seen}"))
    return worst(findings, lambda each: -(each.number or 0.0))


@claim(
    46,
    "6c",
    "tau_Cstr rises with R_pol",
    statement="tau_Cstr rises with R_pol.",
    tolerance="0",
    reason="Every step beyond the uncertainty of its ends, at every x.",
    needs=("6",),
)
def time_constant(side: Side) -> Finding:
    """Smallest relative step of tau_Cstr between neighbouring R_pol, in %."""
    return _at_every_x(side, lambda row: row.tau(), "tau_Cstr")


@claim(
    47,
    "6c",
    "tau_CT departs from the input",
    statement="tau_CT departs from R_pol C_DL for some x.",
    tolerance=f"by more than {DEPARTURE:g} %",
    reason="Far above the uncertainties of tau.",
    needs=("6",),
)
def departure(side: Side) -> Finding:
    """Largest |tau_CT/(R_pol C_DL) - 1| over x, the smallest of these over R_pol, in %."""
    findings = []
    for value, rows in side.groups("6", cells.R_POL).items():
        away = [(off(row.tau(CHARGE_TRANSFER), admittances(row.cell)[CHARGE_TRANSFER].relaxation_time), row.x) for row in rows]
        most, x = max(away)
        findings.append(above(percent(most), DEPARTURE, "%", f"largest departure of tau_CT at {_ohm(value)}, x = {x:g}"))
    return worst(findings, lambda each: -(each.number or 0.0))


def _ohm(value: float) -> str:
    return f"{1e4 * value:g} ohm cm2"


def _several(groups: Sized) -> None:
    if len(groups) < 2:
        raise Undecided("figure 6 has one R_pol only")
