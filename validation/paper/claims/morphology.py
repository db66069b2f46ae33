"""Depth of the pores and number of the spots: claims 5 and 6, with an ideal contact."""

from __future__ import annotations

import numpy as np

from fem_constriction.processes.circuits import CONSTRICTION
from validation.paper.claims.backend_view import Side
from validation.paper.claims.base import Finding, above, at_most, claim, every, worst
from validation.paper.claims.extra_series import DEPTH, EPS_BOUNDARY, EPS_BULK, WIDTH
from validation.paper.claims.measured import Measured
from validation.paper.claims.shapes import log_slope, percent, smallest_fall

PROPORTIONAL = 0.01
FURTHER = 1.0


@claim(
    5,
    "text",
    "tau_Cstr and the depth of the pores",
    statement="tau_Cstr is proportional to 1/pore depth at fixed x (ideal contact), and falls with rising x.",
    tolerance=f"log slope -1 within {PROPORTIONAL:g}; every step down with x",
    reason="The pores' capacitance is eps/depth; what is left is of the order tau_GB/tau_Cstr, about 1 %.",
    needs=("3a",),
)
def depth(side: Side) -> Finding:
    """|d ln tau_Cstr/d ln depth + 1| at 25 % contact, and the smallest relative step of tau_Cstr down with x."""
    rows = [row for row in side.rows("depth", few=2) if row.setting(EPS_BULK) == row.setting(EPS_BOUNDARY) == 150]
    rows.sort(key=lambda row: row.setting(DEPTH))
    slope = log_slope([row.setting(DEPTH) for row in rows], [row.tau() for row in rows])
    first, last = (1e9 * row.setting(DEPTH) for row in (rows[0], rows[-1]))
    text = f"d ln tau_Cstr/d ln depth is {slope.value:.4f} from {first:g} to {last:g} nm"
    falls = percent(smallest_fall([row.tau() for row in side.rows("3a", few=3)]))
    return every(
        at_most(Measured(abs(slope.value + 1), slope.uncertainty), PROPORTIONAL, "", text),
        above(falls, 0.0, "%", f"smallest step of tau_Cstr down with x in figure 3 (a): {falls.value:.3g} %"),
    )


@claim(
    6,
    "text",
    "Morphology changes magnitudes",
    statement="One contact split into n x n spots lowers R_Cstr, and there is still one further arc.",
    tolerance=f"every step down; bulk and one further arc fit within {FURTHER:g} % of |Z|",
    reason="n x n spots on a regular array are by mirror symmetry n^2 cells of width L/n side by side: Z/n^2, exactly. "
    "Homogeneous electrolyte and ideal contact, for which the paper cites it.",
)
def spots(side: Side) -> Finding:
    """Smallest relative step down of R_Cstr/n^2 over n = 1, 2, 3, and the residual with one further arc, in %."""
    rows = sorted(side.rows("spots", few=2), key=lambda row: -row.setting(WIDTH))
    widest = rows[0].setting(WIDTH)
    numbers = [round(widest / row.setting(WIDTH)) for row in rows]
    scaled = [Measured(*(np.array(row.R(CONSTRICTION)) / n**2)) for row, n in zip(rows, numbers, strict=True)]
    seen = ", ".join(f"{value.value:.4g} ohm ({n} x {n})" for value, n in zip(scaled, numbers, strict=True))
    one_more = [
        at_most(
            percent(Measured(row.fit.residual or 0.0)),
            FURTHER,
            "%",
            f"bulk and one arc more leave {100 * (row.fit.residual or 0.0):.2g} %",
        )
        for row in rows
    ]
    return every(above(percent(smallest_fall(scaled)), 0.0, "%", f"smallest step of R_Cstr: {seen}"), worst(one_more))
