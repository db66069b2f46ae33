"""-Im Z over Re Z of a measurement and of the cell that was fitted to it, and what is left of log Z over frequency."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.interpolate import CubicSpline

from fem_constriction.pictures.colours import DATA, FIT, GREY
from fem_constriction.pictures.picture import Axis, Mark, Panel, Picture, Rule, Series, Span, plain, prefix
from fem_constriction.spectra.spectrum import Spectrum

_VERDICTS: Final = {"agree": "cross-checked", "disagree": "backends disagree"}


def measured_and_fitted(
    measured: Spectrum, fitted: Spectrum, noise: float | None, verdict: str, name: str = "measured"
) -> Picture:
    """The impedance plane beside the residuals, with the noise, relative to |Z|, as a band; name: of the measured file."""
    order = np.argsort(fitted.frequency)
    z, fit = measured.impedance[order], fitted.impedance[order]
    unit, letter = prefix(float(np.abs(z).max()))
    colour, marker = DATA
    points = Series(x=z.real / unit, y=-z.imag / unit, label=plain(name), colour=colour, line="", marker=marker)
    log = np.log(fitted.frequency[order])
    smooth = np.exp(CubicSpline(log, np.log(np.abs(fit)) + 1j * np.unwrap(np.angle(fit)))(np.linspace(log[0], log[-1], 600)))
    line = Series(x=smooth.real / unit, y=-smooth.imag / unit, label="fitted cell", colour=FIT)
    off = 100 * np.log(z / fit)
    marks: list[Mark] = []
    if noise is not None:
        size = 100 * noise
        marks.append(Span(low=-size, high=size, label=f"noise, {size:.2g} %"))
    marks.append(Rule(at=0.0, colour=GREY, line="solid", width=0.6))
    frequency = measured.frequency[order]
    for part, label, look in ((off.real, "modulus", (colour, "o")), (off.imag, "phase", (GREY, "x"))):
        marks.append(Series(x=frequency, y=part, label=label, colour=look[0], line="", marker=look[1]))
    ohm = f"{letter}\N{GREEK CAPITAL LETTER OMEGA}"
    return Picture(
        name="cell_fit",
        rows=[
            [
                Panel(
                    marks=[points, line],
                    x=Axis(label=f"Re *Z* / {ohm}"),
                    y=Axis(label=f"\N{MINUS SIGN}Im *Z* / {ohm}"),
                    equal=True,
                ),
                Panel(
                    marks=marks,
                    x=Axis(label="frequency / Hz", scale="log"),
                    y=Axis(label="measured over fitted, log / %"),
                ),
            ]
        ],
        title=f"{name}: {_VERDICTS.get(verdict, verdict)}",
        caption="Left: what was measured and the cell that was fitted. Right: what is left, with the noise as a band.",
        description=f"Nyquist plot of {name} and the fitted cell, and the residuals over frequency.",
        size=(9.0, 3.8),
        columns=5,
    )
