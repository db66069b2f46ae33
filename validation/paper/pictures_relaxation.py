"""Figure 7: one cell's spectrum, what the circuits make of it, and their distributions of relaxation times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter

from fem_constriction.fitting.drt import broadened, distribution
from fem_constriction.pictures.printed import STYLE
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.circuits import CONSTRICTION, Circuit
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from fem_constriction.processes.of_cell import admittances
from fem_constriction.spectra.spectrum import Spectrum
from validation.paper.pictures_arcs import COLOURS, words
from validation.paper.sample import BySide, Sample

_COMPUTED: Final = "black"
#: Circuit -> its colour and line, as in the paper: the fit red, the modified 1D-PM blue.
_LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "1D-FM, one element for WE and CE": ("#d55e00", "-"),
    "1D-FM, WE and CE apart": ("#7d3c98", "--"),
    "modified 1D-PM": ("#0072b2", "-"),
}


@mpl.rc_context(STYLE)
def figure_7(series: Mapping[str, Sequence[Sample]]) -> Figure:
    """Spectrum (a) and distribution of relaxation times (b) of the cell and of three circuits, beside its exact relaxations."""
    found = [sample for sample in series["7"] if sample.agreed is not None and sample.agreed.fit is not None]
    figure = Figure(figsize=(7.2, 6.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=[1, 1.25])
    if not found or found[0].agreed is None:
        figure.suptitle("Figure 7: nothing was agreed on", fontsize=9)
        return figure
    sample, side = found[0], found[0].agreed
    assert side.fit is not None
    assert side.extended is not None
    made = [side.fit.circuit(), side.extended.circuit(), physical(sample.cell)]
    circuits = dict(zip(_LOOKS, made, strict=True))
    _plane(upper, side.spectrum, circuits)
    _distributions(lower, sample, side, circuits)
    upper.set_title("(a)", loc="left")
    lower.set_title("(b) filled: exact relaxations of the cell, by the process that stores their energy", loc="left")
    names = " and ".join(sample.backends)
    figure.suptitle(f"Figure 7, {100 * sample.fraction:g} % contact: {names} {sample.verdict}", fontsize=9)
    return figure


def _plane(axes: Axes, spectrum: Spectrum, circuits: Mapping[str, Circuit]) -> None:
    z, dense = spectrum.impedance, np.geomspace(spectrum.frequency.min(), spectrum.frequency.max(), 600)
    exponent = 3 * math.floor(math.log10(float(z.real.max())) / 3)
    unit, prefix = 10.0**exponent, EngFormatter.ENG_PREFIXES.get(exponent, f"1e{exponent} ")
    axes.plot(z.real / unit, -z.imag / unit, ls="", marker="o", ms=3.5, color=_COMPUTED, label="computed (3D)", zorder=4)
    for name, circuit in circuits.items():
        curve, (colour, style) = circuit.impedance(dense) / unit, _LOOKS[name]
        axes.plot(curve.real, -curve.imag, color=colour, ls=style, label=name, zorder=3)
    axes.set(xlabel=rf"Re $Z$ / {prefix}$\Omega$", ylabel=rf"$-$Im $Z$ / {prefix}$\Omega$", xlim=(0, None), ylim=(0, None))
    axes.set_aspect("equal", adjustable="box")


def _distributions(axes: Axes, sample: Sample, side: BySide, circuits: Mapping[str, Circuit]) -> None:
    frequency = side.spectrum.frequency
    own = distribution(side.spectrum)
    below = np.zeros(own.tau.size)
    for process in side.relaxation.stored:
        part = broadened(side.relaxation, own.tau, own.width, process)
        colour = COLOURS[CONSTRICTION if process == PORE else process]
        axes.fill_between(own.tau, below / 1e3, (below + part) / 1e3, color=colour, alpha=0.55, lw=0, zorder=1)
        below = below + part
    axes.plot(own.tau, own.gamma / 1e3, color=_COMPUTED, label="computed (3D)", zorder=4)
    for name, circuit in circuits.items():
        found, (colour, style) = distribution(Spectrum(frequency, circuit.impedance(frequency))), _LOOKS[name]
        axes.plot(found.tau, found.gamma / 1e3, color=colour, ls=style, label=name, zorder=3)
    for name, y in admittances(sample.cell).items():
        if np.isfinite(y.relaxation_time) and name != CHARGE_TRANSFER:  # the counter electrode's input value is the same
            axes.axvline(y.relaxation_time, color="#555555", ls=":", lw=0.9, zorder=2)
    axes.plot([], [], color="#555555", ls=":", lw=0.9, label=r"input $\tau$ of bulk and of WE and CE")
    shown = own.tau[(own.gamma > 1e-3 * own.gamma.max()) | (below > 1e-3 * below.max())]
    axes.set(
        xscale="log",
        xlim=(shown.min() / 10, shown.max() * 10),
        ylim=(0, None),
        xlabel=r"relaxation time $\tau$ / s",
        ylabel=r"$\gamma(\ln\tau)$ / k$\Omega$",
    )
    patches = [
        Patch(color=COLOURS[CONSTRICTION if name == PORE else name], alpha=0.55, lw=0, label=f"stored: {words(name)}")
        for name in side.relaxation.stored
    ]
    handles, _ = axes.get_legend_handles_labels()
    axes.legend(handles=[*handles, *patches], loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3)
