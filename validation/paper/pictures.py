"""Samples -> the paper's figures 2 to 7, as PNG and PDF; figure 2: spectra, fitted arcs and the 1D-PM beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fem_constriction.errors import ComputationError, InputError
from fem_constriction.pictures.printed import STYLE, save
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.circuits import CONSTRICTION, INTERFACE
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, GRAIN_BOUNDARY
from validation.paper import pictures_arcs as arcs
from validation.paper import pictures_values as values
from validation.paper.pictures_electrolyte import figure_3, figure_4
from validation.paper.pictures_fields import figure_2b
from validation.paper.pictures_interface import figure_5, figure_6
from validation.paper.pictures_relaxation import figure_7
from validation.paper.pictures_values import AXES


def write(series: values.Series, folder: Path, figure: str) -> list[Path]:
    """Draw a figure of the paper ("2" to "7") from the series it is made of, as PNG and PDF; return their paths."""
    draw: Mapping[str, Callable[[values.Series], Figure]] = {
        "2": figure_2,
        "3": figure_3,
        "4": figure_4,
        "5": figure_5,
        "6": figure_6,
        "7": figure_7,
    }
    try:
        written = save(partial(draw[figure], series), folder, f"figure-{figure}")
        return written + (save(figure_2b, folder, "figure-2b") if figure == "2" else [])
    except InputError as error:  # the folder was fine before: its disk is full, for instance
        raise ComputationError(str(error)) from None


@mpl.rc_context(STYLE)
def figure_2(series: values.Series) -> Figure:
    """Spectra with the arcs of the fit, those of the 1D-PM, and R, C, tau of every arc over contact fraction."""
    samples = series["2"]
    computed = arcs.computed(samples)
    plain = [arcs.ArcRow(text=row.text, circuit=physical(s.cell)) for row, s in zip(computed, arcs.drawn(samples), strict=True)]
    inches = 2.95
    tall = sum(arcs.heights([computed, plain], inches)) + 0.12 * len(computed) + 0.85 if computed else 0.1
    figure = Figure(figsize=(values.WIDE, tall + 3.2), layout="constrained")
    top, bottom = arcs.halves(figure, tall, 2.9)
    names = [BULK, GRAIN_BOUNDARY, CONSTRICTION, CHARGE_TRANSFER]
    if computed:
        titles = ["(a) computed, arcs of the fitted circuit", "(c) 1D-PM of the same cells"]
        arcs.rows(top, [computed, plain], titles, inches)
        top.legend(handles=arcs.legend(names, physical=True), loc="outside lower center", ncols=6)
    for axes, letter in zip(bottom.subplots(1, 3), AXES, strict=True):
        for name in names:
            values.points(axes, samples, name, letter, joined=False)
            values.ladder_points(axes, samples, name, letter)
            if name != CONSTRICTION:
                element = INTERFACE if name == CHARGE_TRANSFER else name
                values.line(axes, values.physical_arc("2", element, letter), colour=arcs.COLOURS[name], style="-")
        if letter == "R":
            values.geometric(axes, samples)
        if letter == "C":
            values.line(axes, values.pores("2"), colour=arcs.COLOURS[CONSTRICTION])
        values.finish(axes, letter, "i")
    bottom.suptitle("(d) fitted arcs (symbols) and 1D-PM (lines)", x=0.01, ha="left", fontsize=9)
    colour = arcs.COLOURS[CONSTRICTION]
    beside = [
        *values.crosses(),
        Line2D([], [], color=colour, ls=":", lw=1.1, label=r"geometric $R_\mathrm{Cstr}$"),
        Line2D([], [], color=colour, ls=(0, (5, 3)), lw=0.9, label=r"$C_\mathrm{pore}(A - A_\mathrm{c})$"),
    ]
    bottom.legend(handles=[*values.handles(names, joined=False), *beside], loc="outside lower center", ncols=4)
    figure.suptitle(f"{values.heading('2', series)}; {values.BARS}", fontsize=9)
    return figure
