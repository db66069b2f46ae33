"""Overlapping arcs merge, and constriction always raises R_DC: claims 55 and 56."""

from __future__ import annotations

import numpy as np

from validation.paper import cells
from validation.paper.claims.backend_view import SeenCell, Side
from validation.paper.claims.base import Finding, above, at_most, claim, every, worst
from validation.paper.claims.extra_series import C_DL, PORE
from validation.paper.claims.measured import Measured, Undecided
from validation.paper.claims.shapes import bumps, ratio

#: Series of 56: every figure's.
ALL = ("2", "3a", "3b", "4", "5a", "5b", "6", "7")


@claim(
    55,
    "2.3",
    "Overlapping arcs merge",
    statement="With C_pore near C_DL there is one distorted interface arc, where well separated time constants give more.",
    tolerance="exact",
    reason="A count: maxima of -Im Z below the bulk's frequency, homogeneous electrolyte at 25 % contact.",
)
def overlapping(side: Side) -> Finding:
    """Maxima of -Im Z beside the bulk's, less 1, with C_pore = C_DL; their number with C_pore = 10 C_DL."""
    rows = [row for row in side.rows("double_layer", few=2) if row.setting(C_DL) == cells.TABLE["5a"].double_layer]
    near = [row for row in rows if abs(row.setting(PORE) / row.setting(C_DL) - 1) < 1e-9]
    far = [row for row in rows if row not in near]
    if not near or not far:
        raise Undecided("both C_pore = C_DL and C_pore far from it are needed")
    merged, apart = _interface(near[0]), _interface(far[0])
    return every(
        at_most(
            Measured(abs(len(merged) - 1.0)),
            0.0,
            "arcs too many or few",
            f"C_pore = C_DL: maxima of -Im Z at {', '.join(f'{f:.3g}' for f in merged)} Hz",
        ),
        above(Measured(float(len(apart))), 1.0, "arcs", f"C_pore = 10 C_DL: {len(apart)} maxima beside the bulk's"),
    )


def _interface(row: SeenCell) -> list[float]:
    """Frequencies in Hz of the maxima of -Im Z at least a decade below that of the bulk."""
    bulk = 1 / (2 * np.pi * row.one_dimensional["bulk"].tau)
    return [float(f) for f in bumps(row.relaxation) if f < bulk / 10]


@claim(
    56,
    "summary",
    "Constriction raises R_DC",
    statement="Constriction always raises R_DC: the geometric R_Cstr is positive at every x < 1.",
    tolerance="0",
    reason="Beyond its uncertainty, in every cell of every figure.",
    needs=ALL,
)
def raises(side: Side) -> Finding:
    """Smallest R_Cstr/R_DC over all cells with 0 < x < 1."""
    findings = []
    for figure in ALL:
        for row in side.rows(figure):
            found = ratio(row.geometric, Measured(row.side.resistance[0]))
            text = f"smallest geometric R_Cstr over R_DC, figure {figure} at x = {row.x:g}"
            findings.append(above(found, 0.0, "R_DC", text))
    return worst(findings, lambda each: -(each.number or 0.0))
