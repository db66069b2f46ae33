"""Guaranteed discs: in the impedance plane, and their radii over frequency beside the true errors."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.pictures.colours import DISCS
from fem_constriction.pictures.picture import Axis, Circles, Mark, Panel, Picture, Series
from validation.discs.certificate import Discs

#: The largest disc is drawn at least this large, as a part of the width of the spectrum.
VISIBLE: Final = 0.02


def discs(found: Discs, truth: ArrayLike | None = None, title: str = "") -> Picture:
    """The discs in the impedance plane, larger by a factor that is stated, and radius/|Z| over frequency.

    truth: Z in ohm at the same frequencies, if it is known: its distance from the centres is drawn as well.
    """
    z, radius = found.centre, found.radius
    width = float(np.ptp(z.real))
    larger = 10 ** max(0, int(np.ceil(np.log10(VISIBLE * width / radius.max()))))
    reach = larger * radius
    plane = Panel(
        marks=[
            Series(x=z.real, y=-z.imag, label="centres", width=0.7, marker=".", size=2.5, filled=True),
            Circles(x=z.real, y=-z.imag, radius=reach, colour=DISCS, label=f"discs, radius \N{MULTIPLICATION SIGN} {larger:g}"),
        ],
        x=Axis(label="Re *Z*", ticks="unit", unit="\N{GREEK CAPITAL LETTER OMEGA}",
               range=(float((z.real - reach).min()) - 0.02 * width, float((z.real + reach).max()) + 0.02 * width)),
        y=Axis(label="\N{MINUS SIGN}Im *Z*", ticks="unit", unit="\N{GREEK CAPITAL LETTER OMEGA}",
               range=(float((-z.imag - reach).min()) - 0.02 * width, float((-z.imag + reach).max()) + 0.22 * width)),
        equal=True,
        legend="upper left",
        weight=1.35,
    )  # fmt: skip
    size = np.abs(z)
    marks: list[Mark] = [Series(x=found.frequency, y=radius / size, colour=DISCS, label="guaranteed radius")]
    if truth is not None:
        off = np.maximum(np.abs(z - np.asarray(truth)) / size, 1e-12)
        marks.append(Series(x=found.frequency, y=off, label="true error of the centre", line="dash", width=0.9))
    over = Panel(
        marks=marks,
        x=Axis(label="frequency / Hz", scale="log"),
        y=Axis(label="relative to |*Z*|", scale="log"),
        legend="lower left",
    )
    return Picture(
        name="discs",
        rows=[[plane, over]],
        title=title,
        caption=f"Discs that are guaranteed to hold Z, drawn {larger:g} times as large, and their radii over frequency.",
        description=f"Radii of guaranteed discs from {np.min(radius / size):.1e} to {np.max(radius / size):.1e} of |Z|.",
        size=(7.4, 2.9),
        pixels=420,
    )
