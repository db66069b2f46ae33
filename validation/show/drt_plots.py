"""gamma over tau: distributions of relaxation times beside the fitted arcs and a cell's exact relaxation spectrum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from fem_constriction.fitting.drt import DRT, broadened
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.processes.circuits import CONSTRICTION, Arc
from fem_constriction.reduction.reduced import Relaxation
from validation.show.colours import BACKENDS, DATA, of_arc
from validation.show.plots import STYLE


@mpl.rc_context(STYLE)
def relaxation_times(
    found: Mapping[str, DRT], extraction: Extraction | None = None, exact: Relaxation | None = None, *, title: str = ""
) -> Figure:
    """Gamma of each distribution over tau; filled: the fitted arcs, or by process the exact spectrum, drawn as wide.

    found: name -> distribution; the first gives tau and the width.
    """
    first = next(iter(found.values()))
    highest = max(float(each.gamma.max()) for each in found.values())
    exponent = 3 * math.floor(math.log10(highest) / 3) if highest > 0 else 0
    unit, prefix = 10.0**exponent, EngFormatter.ENG_PREFIXES.get(exponent, f"1e{exponent} ")
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.add_subplot()
    dense = np.geomspace(first.tau[0], first.tau[-1], 1500)
    filled: list[tuple[str, str, Any]] = []
    if exact is not None:
        for number, process in enumerate(exact.stored):
            colour = of_arc(CONSTRICTION if process == "pore" else process, number)
            filled.append(
                (f"exact, stored in {process.replace('_', ' ')}", colour, broadened(exact, dense, first.width, process))
            )
    elif extraction is not None:
        for number, arc in enumerate(extraction.circuit().arcs):
            colour = of_arc(arc.name, number)
            filled.append((f"fit: {arc.name.replace('_', ' ')}", colour, _drawn(arc, dense, first.width)))
    below = np.zeros(dense.size)
    for name, colour, gamma in filled:
        if gamma.max() > 1e-3 * highest:
            axes.fill_between(dense, below / unit, (below + gamma) / unit, color=colour, alpha=0.5, lw=0, label=name, zorder=1)
        below = below + gamma
    looks = [(DATA[0], "-"), *((colour, "--") for colour, _ in BACKENDS)]
    for (name, each), (colour, style) in zip(found.items(), looks, strict=False):
        axes.plot(each.tau, each.gamma / unit, color=colour, ls=style, lw=1.1, label=name, zorder=3)
    occupied = first.tau[first.gamma > 1e-3 * first.gamma.max()] if highest > 0 else first.tau
    decades = 2 + np.log10(occupied.max() / occupied.min())  # that are drawn
    labelled: list[float] = []
    for peak in sorted(first.peaks(), key=lambda each: -each.resistance):
        if any(abs(np.log10(peak.tau / other)) < 0.06 * decades for other in labelled):
            continue  # the higher of two that stand close has the label
        labelled.append(peak.tau)
        height = float(np.interp(np.log(peak.tau), np.log(first.tau), first.gamma)) / unit
        text = EngFormatter(unit="s", places=1, sep=" ")(peak.tau)
        axes.annotate(text, (peak.tau, height), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=8)
    axes.set(
        xscale="log",
        xlabel=r"relaxation time $\tau$ / s",
        ylabel=rf"$\gamma(\ln\,\tau)$ / {prefix}$\Omega$",
        xlim=(occupied.min() / 10, occupied.max() * 10),
        ylim=(0, 1.15 * max(highest, float(below.max())) / unit or 1.0),
    )
    axes.set_title(title, parse_math=False)
    axes.xaxis.set_major_locator(LogLocator(numticks=16))
    axes.xaxis.set_minor_formatter(NullFormatter())
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _drawn(arc: Arc, tau: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Gamma of an arc: a line, or R sin(pi a)/(2 pi (cosh(alpha ln tau/tau_0) - cos(pi a))), a = 1 - alpha (Cole, Cole)."""
    if arc.alpha >= 1:
        return broadened(Relaxation(np.array([arc.tau]), np.array([arc.resistance]), {}), tau, width)
    away = np.linspace(-25, 25, 2001) / arc.alpha  # e^-25 of the distribution is cut off
    part = 1 - arc.alpha
    gamma = arc.resistance * np.sin(np.pi * part) / (2 * np.pi * (np.cosh(arc.alpha * away) - np.cos(np.pi * part)))
    return broadened(Relaxation(arc.tau * np.exp(away), gamma * (away[1] - away[0]), {}), tau, width)
