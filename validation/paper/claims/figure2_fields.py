"""Equipotentials under the contact, their depth, and the pores' switching: claims 18 to 20, on figure 2's cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from validation.paper import cells
from validation.paper.claims.backend_view import SeenCell, Side
from validation.paper.claims.base import Finding, above, at_most, claim, every, worst
from validation.paper.claims.measured import Measured, Undecided
from validation.paper.claims.shapes import off, percent

FRACTION = 0.25
#: Hz: far below and far above the switching of the pores of figure 2 (a few kHz at 25 % contact).
LOW, HIGH = 10.0, 1e7
BENT, FLAT = 1e-2, 1e-3
DECAY = 2.0
#: S/m, a thousand times the bulk's: boundaries that are as good as none, on the grid of the stack.
CONDUCTING = 46.0
SWITCHING = 3.0
PLATEAU = 5.0


@claim(
    18,
    "2b",
    "Equipotentials bend at low frequency",
    statement="One micrometre below the face equipotentials are bent at low and flat at high frequency.",
    tolerance=f"spread of |phi| above {BENT:g} V at {LOW:g} Hz and below {FLAT:g} V at {HIGH:g} Hz, of 1 V",
    reason="Ten times apart. At high frequency the pores' impedance, 1/(omega C_pore), is a thousandth of the bulk's, L/(2 pi "
    "sigma_b), and so is what is left of the spread.",
)
def equipotentials(side: Side) -> Finding:
    """Max |phi| - min |phi| in the plane z = 1 um for 1 V, at both frequencies."""
    cell, plane = cells.cell("2", FRACTION), np.array([1e-6])
    low, high = (Measured(float(side.context.grids.spread(cell, side.name, f, plane)[0])) for f in (LOW, HIGH))
    return every(
        above(low, BENT, "V", f"spread of |phi| at z = 1 um, x = {FRACTION:g}: {low.value:.3g} V at {LOW:g} Hz"),
        at_most(high, FLAT, "V", f"{high.value:.2g} V at {HIGH:g} Hz"),
    )


@claim(
    19,
    "2b",
    "The constriction region shrinks with frequency",
    statement="The depth of the constriction region shrinks with frequency; at low frequency its bending decays with 2 pi/L "
    "in a homogeneous electrolyte, and with 2 pi/L sqrt(sigma_xy/sigma_z) in a stack of layers with resistive boundaries.",
    tolerance=f"{DECAY:g} %",
    reason="The slowest lateral mode decays as exp(-2 pi z/L); boundaries lower the conductivity along z alone. Homogenised "
    "layers of 1 um cost 0.3 %, the ideal counter electrode up to 0.7 % at 0.6 L, faster modes up to 1 % at 0.3 L.",
)
def depth(side: Side) -> Finding:
    """Depth at which the spread of |phi| is a thousandth of V, over frequency; decay of the spread from 0.3 to 0.6 L."""
    cell = cells.cell("2", FRACTION)
    findings = []
    length = cell.geometry.thickness
    middles = (np.arange(50) + 0.5) * length / 50  # of the layers
    for which, name in ((cell, "stack"), (cell.vary({cells.SIGMA_BOUNDARY: CONDUCTING}), "boundaries that conduct")):
        planes = middles[15:30]
        spread = side.context.grids.spread(which, side.name, LOW, planes)
        rate = float(-np.polyfit(planes, np.log(spread), 1)[0]) * length / (2 * np.pi)
        wanted = np.sqrt(which.electrolyte.conductivity / along(which))
        text = f"{name}: decay {rate:.4f} times 2 pi/L, expected {wanted:.4f}"
        findings.append(at_most(percent(off(Measured(rate), wanted)), DECAY, "%", text))
    depths = [reach(middles, side.context.grids.spread(cell, side.name, f, middles)) for f in (LOW, 1e4, 1e5)]
    step = min(depths[0] - depths[1], depths[1] - depths[2])
    seen = ", ".join(f"{1e6 * each:.1f} um at {f:g} Hz" for each, f in zip(depths, (LOW, 1e4, 1e5), strict=True))
    return every(*findings, above(Measured(step), 0.0, "m", f"depth of a spread of 1 mV: {seen}"))


def along(cell: Cell) -> float:
    """Return sigma_z of a stack, layers and boundaries in series, in S/m."""
    boundaries, sigma = cell.electrolyte.grain_boundaries, cell.electrolyte.conductivity
    if boundaries is None:
        return sigma
    layer = cell.geometry.thickness / boundaries.layers
    return layer / (layer / sigma + boundaries.thickness / boundaries.conductivity)


def reach(planes: Array, spread: Array, least: float = 1e-3) -> float:
    """Return the depth at which a falling spread passes `least`, 0 if it is below it everywhere."""
    below = np.flatnonzero(spread < least)
    if below.size == 0:
        return float(planes[-1])
    if below[0] == 0:
        return 0.0
    here = below[0]
    return float(np.interp(-np.log(least), -np.log(spread[here - 1 : here + 1]), planes[here - 1 : here + 1]))


@claim(
    20,
    "2",
    "tau_Cstr is the switching of the pores",
    statement="The share of current through pores goes from 0 to 1 - x and passes half of that near 1/(2 pi tau_Cstr).",
    tolerance=f"ends within {PLATEAU:g} %; the frequency within a factor {SWITCHING:g}",
    reason="The paper's 'characteristic frequency'; the fitted arc is no single relaxation, so that a factor is left. At the "
    "top of the band the bulk's permittivity beside a pore of width w counts, eps_b/(w C_pore): 0.1 % to 3 %.",
    needs=("2",),
)
def switching(side: Side) -> Finding:
    """2 pi f_half tau_Cstr over x, and the share at both ends of the band."""
    findings, factors, ladders = [], [], []
    for row in side.rows("2", few=2):
        share = np.abs(row.side.entry)
        away = max(float(share[0]), abs(float(share[-1]) / (1 - row.x) - 1))
        ends = at_most(percent(Measured(away)), PLATEAU, "%", f"share at the ends at x = {row.x:g}")
        found = 2 * np.pi * half(row, share) * row.tau().value
        factor = Measured(float(max(found, 1 / found)), float(max(found, 1 / found)) * row.tau().uncertainty / row.tau().value)
        text = f"2 pi f_half tau_Cstr is {found:.3g} at x = {row.x:g}, the share goes from {share[0]:.1e} to {share[-1]:.4f}"
        findings.append(every(at_most(factor, SWITCHING, "", text), ends))
        factors.append(f"{found:.3g} at {row.x:g}")
        resistance, pore = row.ladder("R_Cstr"), row.ladder("C_pore")
        if resistance is not None and pore is not None:
            ladders.append(f"{2 * np.pi * half(row, share) * resistance.value * pore.value:.3g} at {row.x:g}")
    gravest = worst(findings)
    beside = f"; of the ladder, with tau = R_Cstr C_pore: {', '.join(ladders)}" if ladders else ""
    return replace(gravest, evidence=f"{gravest.evidence}; 2 pi f_half tau_Cstr over x: {', '.join(factors)}{beside}")


def half(row: SeenCell, share: Array) -> float:
    """Return the frequency in Hz at which the pores' share first passes (1 - x)/2."""
    passed = np.flatnonzero(share >= (1 - row.x) / 2)
    if not passed.size or not passed[0]:
        raise Undecided(f"the pores' share does not pass half of 1 - x within the band at x = {row.x:g}")
    here = slice(passed[0] - 1, passed[0] + 1)
    return float(np.exp(np.interp((1 - row.x) / 2, share[here], np.log(row.side.spectrum.frequency[here]))))
