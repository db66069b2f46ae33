"""What of the 1D-PM's interface survives: claims 12 to 17, on the series of figure 2."""

from __future__ import annotations

from fem_constriction.processes.circuits import CONSTRICTION
from fem_constriction.processes.names import CHARGE_TRANSFER
from validation.paper.claims.backend_view import SeenCell, Side
from validation.paper.claims.base import Finding, above, at_least, at_most, claim, every
from validation.paper.claims.figure2 import as_ladders, over_x
from validation.paper.claims.measured import Measured
from validation.paper.claims.shapes import least_curvature, log_slope, percent, ratio, smallest_fall, smallest_rise

SLOPE = 0.15
APART = 0.1
ROUNDING = 1e-9


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
        above(
            percent(least_curvature(x, found)),
            0.0,
            "%",
            f"smallest gap of R_Cstr to the chord of its neighbours; it is {over_x(rows)}; {as_ladders(rows)}",
        ),
        above(percent(smallest_fall(found)), 0.0, "%", "its smallest step down"),
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


def pores(row: SeenCell) -> float:
    """Return C_pore (1 - x) A of a cell in F."""
    pore = row.cell.working_electrode.pore
    return 0.0 if pore is None else pore.areal_capacitance * (row.cell.area - row.cell.contact_area)
