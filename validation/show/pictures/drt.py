"""gamma over tau: distributions of relaxation times beside the fitted arcs and a cell's exact relaxation spectrum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from matplotlib.ticker import EngFormatter

from fem_constriction.arrays import Array
from fem_constriction.fitting.drt import DRT, broadened
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.pictures.colours import BACKENDS, DATA, of_arc
from fem_constriction.pictures.picture import Area, Axis, Mark, Note, Panel, Picture, Rule, Series, plain, prefix
from fem_constriction.processes.circuits import CONSTRICTION, Arc
from fem_constriction.reduction.reduced import Relaxation


def relaxation_times(
    found: Mapping[str, DRT], extraction: Extraction | None = None, exact: Relaxation | None = None, *, title: str = ""
) -> Picture:
    """Gamma of each distribution over tau; filled: the fitted arcs, or by process the exact spectrum, drawn as wide.

    found: name -> distribution; the first gives tau and the width.
    """
    first = next(iter(found.values()))
    highest = max(float(each.gamma.max()) for each in found.values())
    unit, letter = prefix(highest) if highest > 0 else (1.0, "")
    dense = np.geomspace(first.tau[0], first.tau[-1], 1500)
    marks: list[Mark] = []
    below = np.zeros(dense.size)
    for name, colour, gamma in _filled(extraction, exact, dense, first.width):
        if gamma.max() > 1e-3 * highest:
            area = {"low": below / unit, "high": (below + gamma) / unit}
            marks.append(Area(x=dense, colour=colour, opacity=0.5, label=plain(name), **area))
        below = below + gamma
    if first.low is not None and first.high is not None:
        band = {"low": first.low / unit, "high": first.high / unit}
        marks.append(Area(x=first.tau, colour=DATA[0], opacity=0.2, label="95 % of spectra with noise", **band))
    omega = 2 * np.pi * first.frequency
    ends = ((omega.max(), "ends of the data"), (omega.min(), ""))
    marks += [Rule(at=float(1 / each), across="x", line="dot", width=0.7, label=label) for each, label in ends]
    looks = [(DATA[0], "solid"), *((colour, "dash") for colour, _ in BACKENDS)]
    for (name, each), (colour, line) in zip(found.items(), looks, strict=False):
        look = {"colour": colour, "line": line, "width": 1.1}
        marks.append(Series(x=each.tau, y=each.gamma / unit, label=plain(name), **look))  # type: ignore[arg-type]
    occupied = first.tau[first.gamma > 1e-3 * first.gamma.max()] if highest > 0 else first.tau
    marks += _peaks(first, unit, 2 + float(np.log10(occupied.max() / occupied.min())))
    top = 1.15 * max(highest, float(below.max())) / unit or 1.0
    panel = Panel(
        marks=marks,
        x=Axis(label="relaxation time *\u03c4* / s", scale="log", range=(occupied.min() / 10, occupied.max() * 10)),
        y=Axis(label=f"*\u03b3*(ln *\u03c4*) / {letter}\N{GREEK CAPITAL LETTER OMEGA}", range=(0, top)),
    )
    return Picture(
        name="drt",
        rows=[[panel]],
        title=title,
        caption="Distribution of relaxation times; filled: what the fitted arcs, or the processes of the cell, make of it.",
        description=f"Distributions of relaxation times: {', '.join(found)}.",
        size=(7, 3.6),
    )


def _filled(
    extraction: Extraction | None, exact: Relaxation | None, tau: Array, width: float
) -> Iterator[tuple[str, str, Array]]:
    """Name, colour and gamma of what is drawn as areas, one on the other."""
    if exact is not None:
        for number, process in enumerate(exact.stored):
            colour = of_arc(CONSTRICTION if process == "pore" else process, number)
            yield f"exact, stored in {process.replace('_', ' ')}", colour, broadened(exact, tau, width, process)
    elif extraction is not None:
        for number, arc in enumerate(extraction.circuit().arcs):
            yield f"fit: {arc.name.replace('_', ' ')}", of_arc(arc.name, number), _drawn(arc, tau, width)


def _peaks(found: DRT, unit: float, decades: float) -> Iterator[Note]:
    """The relaxation time of every peak above it; of two that stand close the higher one's."""
    labelled: list[float] = []
    for peak in sorted(found.peaks(), key=lambda each: -each.resistance):
        if any(abs(np.log10(peak.tau / other)) < 0.06 * decades for other in labelled):
            continue
        labelled.append(peak.tau)
        height = float(np.interp(np.log(peak.tau), np.log(found.tau), found.gamma)) / unit
        yield Note(text=EngFormatter(unit="s", places=1, sep=" ")(peak.tau), x=float(peak.tau), y=height)


def _drawn(arc: Arc, tau: Array, width: float) -> Array:
    """Gamma of an arc: a line, or R sin(pi a)/(2 pi (cosh(alpha ln tau/tau_0) - cos(pi a))), a = 1 - alpha (Cole, Cole)."""
    if arc.alpha >= 1:
        return broadened(Relaxation(np.array([arc.tau]), np.array([arc.resistance]), {}), tau, width)
    away = np.linspace(-25, 25, 2001) / arc.alpha  # e^-25 of the distribution is cut off
    part = 1 - arc.alpha
    gamma = arc.resistance * np.sin(np.pi * part) / (2 * np.pi * (np.cosh(arc.alpha * away) - np.cos(np.pi * part)))
    return broadened(Relaxation(arc.tau * np.exp(away), gamma * (away[1] - away[0]), {}), tau, width)
