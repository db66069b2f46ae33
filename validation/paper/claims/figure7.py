"""WE and CE have to be told apart: claims 48 to 54, on figure 7's cell at 78 % contact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fem_constriction.fitting.drt import distribution
from fem_constriction.processes.circuits import CONSTRICTION, INTERFACE
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE
from fem_constriction.processes.of_cell import admittances
from validation.paper.claims.backend_view import SeenCell, Side
from validation.paper.claims.base import Finding, above, at_least, at_most, claim, every, worst
from validation.paper.claims.measured import Measured, Undecided
from validation.paper.claims.shapes import bumps, off, percent, ratio

FRACTION = 0.78
RIGHT = 1.0
WRONG = 10.0
ADEQUATE = 10.0
SAME_TAU = 6.0
BETTER = 5.0
TOO_FAR = 1.5


def _row(side: Side) -> SeenCell:
    return side.at("7", FRACTION)[0]


@claim(
    48,
    "7a",
    "Three visible arcs",
    statement="The Nyquist plot shows three arcs.",
    tolerance="exact",
    reason="A count: maxima of -Im Z over frequency.",
    needs=("7",),
)
def visible(side: Side) -> Finding:
    """Number of maxima of -Im Z of the exact relaxation spectrum, less 3."""
    found = bumps(_row(side).relaxation)
    seen = ", ".join(f"{f:.3g} Hz" for f in found)
    return at_most(Measured(abs(len(found) - 3.0)), 0.0, "arcs too many or few", f"maxima of -Im Z at {seen}")


@claim(
    49,
    "7a",
    "The modified 1D-PM: bulk right, interface wrong",
    statement="The modified 1D-PM has the bulk arc right and the interface wrong.",
    tolerance=f"bulk R and C within {RIGHT:g} %; interface more than {WRONG:g} % of |Z| off",
    reason="'Well' and 'significant deviations', an order of magnitude apart.",
    needs=("7",),
)
def modified(side: Side) -> Finding:
    """Deviation of the bulk arc from the 1D-PM, and max |Z - Z_1D|/|Z|, in %."""
    row = _row(side)
    arc, spectrum = row.one_dimensional[BULK], row.side.spectrum
    bulk = [
        at_most(percent(off(row.value(BULK, letter), wanted)), RIGHT, "%", f"{letter} of the bulk arc off the 1D-PM")
        for letter, wanted in (("R", arc.resistance), ("C", arc.capacitance))
    ]
    away = _relative(row.one_dimensional.impedance(spectrum.frequency), spectrum.impedance)
    where = int(np.argmax(away))
    wrong = Measured(float(away[where]), _doubt(row, where))
    text = f"|Z - Z_1D|/|Z| is largest at {spectrum.frequency[where]:.3g} Hz"
    return every(above(percent(wrong), WRONG, "%", text), *bulk)


def _relative(z: NDArray[np.complex128], wanted: NDArray[np.complex128]) -> NDArray[np.float64]:
    return np.abs(z - wanted) / np.abs(wanted)


def _doubt(row: SeenCell, where: int) -> float:
    """u/|Z| at one frequency."""
    spectrum = row.side.spectrum
    return 0.0 if spectrum.uncertainty is None else float(spectrum.uncertainty[where] / abs(spectrum.impedance[where]))


@claim(
    50,
    "7a",
    "The 1D-FM misses the middle range",
    statement="The 1D-FM misses the middle range of frequencies; its constriction is adequate.",
    tolerance=f"residual above 1 %, between bulk and constriction; R_Cstr and tau_Cstr within {ADEQUATE:g} % of those with "
    "WE and CE apart",
    reason="In figure 2 the same circuit leaves 0.35 % at most (claim 10).",
    needs=("7",),
)
def middle(side: Side) -> Finding:
    """Largest |Z_fit - Z|/|Z|, whether it lies between bulk and constriction, and the constriction's deviation, in %."""
    row = _row(side)
    spectrum = row.side.spectrum
    away = _relative(row.fit.circuit().impedance(spectrum.frequency), spectrum.impedance)
    where = int(np.argmax(away))
    low, high = (1 / (2 * np.pi * row.tau(name).value) for name in (CONSTRICTION, BULK))
    here = float(spectrum.frequency[where])
    inside = Measured(min(here / low, high / here))
    text = f"largest residual of the fit, at {here:.3g} Hz between {low:.3g} and {high:.3g} Hz"
    same = [
        at_most(
            percent(off(row.value(CONSTRICTION, letter), row.value(CONSTRICTION, letter, extended=True).value)),
            ADEQUATE,
            "%",
            f"{letter} of the constriction off that of the extended circuit",
        )
        for letter in ("R", "tau")
    ]
    residual = Measured(float(away[where]), _doubt(row, where))
    return every(above(percent(residual), 1.0, "%", text), above(inside, 1.0, "", "between the two"), worst(same))


@claim(
    51,
    "7b",
    "Four peaks in the DRT",
    statement="The DRT of the three-dimensional spectrum has four peaks; bulk and CE are at the input time constants.",
    tolerance=f"tau within {SAME_TAU:g} %",
    reason="The spacing of the lines of a DRT, 40 per decade.",
    needs=("7",),
)
def peaks(side: Side) -> Finding:
    """Number of peaks of the DRT, less 4, and how far the nearest are from the input tau of bulk and CE, in %."""
    row = _row(side)
    found = distribution(row.side.spectrum).peaks()
    seen = ", ".join(f"{peak.tau:.3g} s ({peak.resistance:.3g} ohm)" for peak in found)
    count = at_most(Measured(abs(len(found) - 4.0)), 0.0, "peaks too many or few", f"peaks at {seen}")
    if not found:
        return count
    same = []
    for name in (BULK, COUNTER_ELECTRODE):
        wanted = admittances(row.cell)[name].relaxation_time
        nearest = min((peak.tau for peak in found), key=lambda tau: abs(np.log(tau / wanted)))
        text = f"tau of {name.replace('_', ' ')}: peak at {nearest:.4g} s, input {wanted:.4g} s"
        same.append(at_most(percent(off(Measured(nearest), wanted)), SAME_TAU, "%", text))
    return every(count, *same)


def _electrode(row: SeenCell) -> tuple[Measured, float]:
    """tau of the WE's arc and R_pol C_DL in s."""
    return row.value(CHARGE_TRANSFER, "tau", extended=True), admittances(row.cell)[CHARGE_TRANSFER].relaxation_time


@claim(
    52,
    "7b",
    "The WE is faster than its charge transfer",
    statement="The WE's peak is at a smaller tau than the input tau_CT.",
    tolerance="0",
    reason="Beyond the uncertainty of tau, from the circuit with WE and CE apart.",
    needs=("7",),
)
def faster(side: Side) -> Finding:
    """tau_WE/(R_pol C_DL)."""
    tau, wanted = _electrode(_row(side))
    found = ratio(tau, Measured(wanted))
    smaller = above(Measured(1 - found.value, found.uncertainty), 0.0, "", f"tau_WE = {tau.value:.3g} s, input {wanted:.3g} s")
    return Finding(smaller.verdict, found.value, "of the input", smaller.evidence, found.uncertainty)


@claim(
    53,
    "7b",
    "The 1D-PM shifts the WE the wrong way",
    statement="The 1D-PM shifts the WE the other way and far too much.",
    tolerance=f"opposite sign; at least {TOO_FAR:g} times as far on the logarithmic axis of a DRT",
    reason="'Incorrectly predicted' direction, 'significantly overestimated' size.",
    needs=("7",),
)
def wrong_way(side: Side) -> Finding:
    """ln(tau_1D/tau_in) over ln(tau_WE/tau_in)."""
    row = _row(side)
    tau, wanted = _electrode(row)
    shift = Measured(float(np.log(tau.value / wanted)), tau.uncertainty / tau.value)
    predicted = float(np.log(row.one_dimensional[INTERFACE].tau / wanted))
    if abs(shift.value) <= shift.uncertainty:
        raise Undecided("the WE's tau is not known to differ from the input")
    found = Measured(-predicted / shift.value, abs(predicted) * shift.uncertainty / shift.value**2)
    text = f"tau over its input: {np.exp(shift.value):.3g} in three dimensions, {np.exp(predicted):.3g} in the 1D-PM"
    return at_least(found, TOO_FAR, "times, opposite", text)


@claim(
    54,
    "7",
    "WE and CE apart cure the fit",
    statement="Separate RC elements for WE and CE cure the fit.",
    tolerance=f"residual at least {BETTER:g} times smaller",
    reason="The list's number.",
    needs=("7",),
)
def cured(side: Side) -> Finding:
    """Largest residual of the 1D-FM over that of the extended circuit."""
    row = _row(side)
    plain, apart = row.fit.residual, row.extended.residual
    if not plain or not apart:
        raise Undecided("a fit has no residual")
    text = f"largest residual {100 * plain:.3g} % with one element, {100 * apart:.3g} % with two"
    return at_least(Measured(plain / apart), BETTER, "times", text)
