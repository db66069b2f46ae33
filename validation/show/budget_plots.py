"""A picture of budgets: the parts of R_Cstr by process over contact fraction, in ohm, and stacked as shares of the whole."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from fem_constriction.arrays import Array
from fem_constriction.processes.circuits import CONSTRICTION
from validation.gate.budgets import Compared, processes_of
from validation.show.colours import BACKENDS, PROCESSES
from validation.show.plots import STYLE

#: Parts down to the smallest R_Cstr over this are shown.
SMALLEST = 1e3


@mpl.rc_context(STYLE)
def over_fraction(found: Sequence[Compared], title: str = "") -> Figure:
    """Return the parts of R_Cstr over A_c/A: lines and areas are of the backend that is known best, symbols of every one.

    found: ascending in fraction. A cell without constriction (full contact) is left out, and so is a part within its
    uncertainty. Negative parts (pores that conduct relieve the contact) are drawn by their size, dashed, and below zero.
    """
    there = [each for each in found if not each.vanished]
    x = np.array([each.cell.contact_fraction for each in there])
    processes = processes_of(there)
    names = list(found[0].budgets)
    best = _parts(there, processes)
    figure = Figure(figsize=(7.2, 3.5), layout="constrained")
    ohm, shares = figure.subplots(1, 2)
    total = np.array([each.best.constriction[0] for each in there])
    ohm.plot(x, total, color="black", label=r"$R_\mathrm{Cstr}$")
    for process, part in zip(processes, best, strict=True):
        colour, label = _colour(process), process.replace("_", " ")
        ohm.plot(x, np.where(part > 0, part, np.nan), color=colour, label=label)
        ohm.plot(x, np.where(part < 0, -part, np.nan), color=colour, ls="--")
    for name, (colour, marker) in zip(names, BACKENDS * len(names), strict=False):
        whole = np.array([each.budgets[name].constriction[0] for each in there])
        face = colour if marker in "x+" else "none"
        for k, part in enumerate([whole, *np.abs(_parts(there, processes, name))]):
            look = {"ls": "", "marker": marker, "mec": colour, "mfc": face, "mew": 0.8}
            ohm.plot(x, part, **look, label=name if k == 0 else None)
    _stack(shares, x, processes, 100 * best / total)
    ohm.set(yscale="log", ylabel=r"parts of $R_\mathrm{Cstr}$")
    ohm.set_ylim(bottom=max(ohm.get_ylim()[0], total.min() / SMALLEST))
    ohm.yaxis.set_major_formatter(EngFormatter(unit="Ω", sep=" "))
    shares.set(ylabel=r"share of $R_\mathrm{Cstr}$ / %")
    for axes in (ohm, shares):
        axes.set(xlabel=r"contact fraction $A_\mathrm{c}/A$", xlim=(0, 1))
    handles, labels = ohm.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels) if len(labels) < 7 else 5)
    if title:
        figure.suptitle(title, fontsize=9, parse_math=False)
    return figure


def _parts(found: Sequence[Compared], processes: Sequence[str], backend: str = "") -> Array:
    """Parts of R_Cstr in ohm, (processes, cells); left out: of the backend that is known best."""
    chosen = [(each.budgets[backend] if backend else each.best).parts for each in found]
    known = {name: [parts.get(name) for parts in chosen] for name in processes}
    return np.array(
        [
            [0.0 if part is None or abs(part.constriction) <= part.uncertainty else part.constriction for part in known[name]]
            for name in processes
        ]
    )


def _stack(axes: Axes, x: Array, processes: Sequence[str], shares: Array) -> None:
    """Areas one on the other, negative ones below zero."""
    for sign in (1, -1):
        below = np.zeros(x.size)
        for process, edge in zip(processes, sign * np.cumsum(np.maximum(sign * shares, 0), axis=0), strict=True):
            axes.fill_between(x, below, edge, color=_colour(process), alpha=0.8, lw=0)
            below = edge
    if np.all(shares >= 0):
        axes.set_ylim(0, 100)


def _colour(process: str) -> str:
    return PROCESSES.get(process, PROCESSES[CONSTRICTION])
