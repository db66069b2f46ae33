"""A picture of guaranteed discs: in the impedance plane, and their radii over frequency beside the true errors."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator
from numpy.typing import ArrayLike

from validation.discs.certificate import Discs
from validation.show.colours import DISCS
from validation.show.plots import STYLE

#: The largest disc is drawn at least this large, as a part of the width of the spectrum.
VISIBLE = 0.02


@mpl.rc_context(STYLE)
def discs(found: Discs, truth: ArrayLike | None = None, title: str = "") -> Figure:
    """Return the discs in the impedance plane, larger by a factor that is stated, and radius/|Z| over frequency.

    truth: Z in ohm at the same frequencies, if it is known: its distance from the centres is drawn as well.
    """
    figure = Figure(figsize=(7.4, 2.9), layout="constrained")
    plane, sizes = figure.subplots(1, 2, width_ratios=(1.35, 1))
    z, radius = found.centre, found.radius
    unit = EngFormatter(unit="Ω", sep=" ")
    width = float(np.ptp(z.real))
    magnified = 10 ** max(0, int(np.ceil(np.log10(VISIBLE * width / radius.max()))))
    plane.plot(z.real, -z.imag, color="black", lw=0.7, marker=".", ms=2.5, label="centres")
    diameters = 2 * magnified * radius
    plane.add_collection(
        EllipseCollection(
            diameters, diameters, 0, units="xy", offsets=np.column_stack([z.real, -z.imag]), offset_transform=plane.transData,
            facecolors=f"{DISCS}33", edgecolors=DISCS, linewidths=0.6,
        )
    )  # fmt: skip
    plane.plot([], [], ls="", marker="o", mfc=f"{DISCS}33", mec=DISCS, label=f"discs, radius × {magnified:g}")
    reach = magnified * radius
    plane.set_xlim(float((z.real - reach).min()) - 0.02 * width, float((z.real + reach).max()) + 0.02 * width)
    plane.set_ylim(float((-z.imag - reach).min()) - 0.02 * width, float((-z.imag + reach).max()) + 0.22 * width)
    plane.set_aspect("equal", adjustable="box")
    plane.xaxis.set_major_formatter(unit)
    plane.yaxis.set_major_formatter(unit)
    plane.set(xlabel="Re Z", ylabel="−Im Z")
    plane.legend(loc="upper left")

    size = np.abs(z)
    sizes.plot(found.frequency, radius / size, color=DISCS, label="guaranteed radius")
    if truth is not None:
        off = np.abs(z - np.asarray(truth))
        sizes.plot(
            found.frequency, np.maximum(off / size, 1e-12), color="black", ls="--", lw=0.9, label="true error of the centre"
        )
    sizes.set(xscale="log", yscale="log", xlabel="frequency / Hz", ylabel="relative to |Z|")
    sizes.xaxis.set_major_locator(LogLocator(numticks=7))
    sizes.legend(loc="lower left")
    if title:
        figure.suptitle(title, fontsize=9)
    return figure
