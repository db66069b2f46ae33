"""Figures 3 and 4: how electrolyte and constriction act on each other, by the order of their time constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from fem_constriction.pictures.printed import STYLE
from fem_constriction.processes.circuits import CONSTRICTION
from fem_constriction.processes.names import BULK, GRAIN_BOUNDARY
from fem_constriction.processes.of_cell import admittances
from validation.paper import pictures_arcs as arcs
from validation.paper import pictures_values as values
from validation.paper.cells import BOUNDARY, CONDUCTIVITY, SIGMA_BOUNDARY, SIGMA_BULK
from validation.paper.pictures_values import AXES
from validation.paper.sample import Sample

#: tau_Cstr over tau_GB from which on the boundaries relax well before the constriction.
ORDER: Final = 10.0
_CSTR: Final = r"\mathrm{Cstr}"


@mpl.rc_context(STYLE)
def figure_3(series: values.Series) -> Figure:
    """Constriction slower (a) and faster (b) than the boundaries: spectra, and R, C and tau over contact fraction."""
    cases = {"3a": r"(a) $\tau_\mathrm{GB} < \tau_\mathrm{Cstr}$", "3b": r"(b) $\tau_\mathrm{Cstr} < \tau_\mathrm{GB}$"}
    columns = [arcs.computed(series[label]) for label in cases]
    common = {row.text for row in columns[0]} & {row.text for row in columns[1]}
    columns = [[row for row in column if row.text in common] for column in columns]
    inches = 2.95
    tall = sum(arcs.heights(columns, inches)) + 0.12 * len(common) + 0.85 if common else 0.1
    figure = Figure(figsize=(values.WIDE, tall + 6.4), layout="constrained")
    top, bottom = arcs.halves(figure, tall, 6.2)
    names = [BULK, GRAIN_BOUNDARY, CONSTRICTION]
    if common:
        arcs.rows(top, columns, list(cases.values()), inches)
        top.legend(handles=arcs.legend(names), loc="outside lower center", ncols=5)
    drawn = bottom.subplots(4, 2, sharex=True, sharey="row")
    for column, label in enumerate(cases):
        for axes, letter in zip(drawn[:3, column], AXES, strict=True):
            for name in names:
                values.points(axes, series[label], name, letter, joined=False)
                if name != CONSTRICTION:
                    values.line(axes, values.physical_arc(label, name, letter), colour=arcs.COLOURS[name], style="-")
            values.finish(axes, letter, "i", below=False)
        _relative(drawn[3, column], series[label], label)
    for axes in drawn[:, 1]:
        axes.set_ylabel("")
    bottom.legend(handles=values.handles(names, joined=False), loc="outside lower center", ncols=4)
    figure.suptitle(f"{values.heading('3', series)}; symbols: fitted arcs, lines: 1D-PM;\n{values.BARS}", fontsize=9)
    return figure


def _relative(axes: Any, samples: Sequence[Sample], label: str) -> None:
    """R, C and tau of the boundaries over those of the 1D-PM, which do not depend on the contact fraction."""
    grey = arcs.COLOURS[GRAIN_BOUNDARY]
    for letter, marker, symbol in (("R", "^", "$R$"), ("C", "v", "$C$"), ("tau", "D", r"$\tau$")):
        reference = float(values.physical_arc(label, GRAIN_BOUNDARY, letter)(np.ones(1))[0])
        values.points(axes, samples, GRAIN_BOUNDARY, letter, colour=grey, marker=marker, scale=1 / reference)
        axes.plot([], [], color=grey, marker=marker, label=symbol)
    axes.set(xlim=(0, 1.03), ylim=(0, 2.2), xlabel=values.FRACTION, ylabel="grain boundary\nover 1D-PM")
    axes.legend(ncols=3, loc="upper right")


@mpl.rc_context(STYLE)
def figure_4(series: values.Series) -> Figure:
    """R, C and tau of the constriction over contact fraction, for each conductivity of (a) bulk and (b) boundaries."""
    figure = Figure(figsize=(values.WIDE, 6.6), layout="constrained")
    drawn = figure.subplots(3, 2, sharex=True, sharey="row")
    base = {SIGMA_BULK: CONDUCTIVITY, SIGMA_BOUNDARY: BOUNDARY}
    for column, (key, what) in enumerate(((SIGMA_BULK, r"\sigma_\mathrm{Bulk}"), (SIGMA_BOUNDARY, r"\sigma_\mathrm{GB}"))):
        other = SIGMA_BOUNDARY if key == SIGMA_BULK else SIGMA_BULK
        alike = [sample for sample in series["4"] if sample.varied[other] == base[other]]
        found = sorted({sample.varied[key] for sample in alike})
        for number, sigma in enumerate(found):
            colour, marker = _shade(number, len(found)), "vos^D"[number]
            own = [sample for sample in alike if sample.varied[key] == sigma]
            for axes, letter in zip(drawn[:, column], AXES, strict=True):
                values.points(axes, own, CONSTRICTION, letter, colour=colour, marker=marker, hollow=order_lost)
            text = rf"${what}$ = {sigma * 10:.3g} mS/cm" if key == SIGMA_BULK else rf"${what}$ = {sigma * 1e4:.3g} µS/cm"
            drawn[0, column].plot([], [], color=colour, marker=marker, label=text)
        for axes, letter in zip(drawn[:, column], AXES, strict=True):
            values.finish(axes, letter, _CSTR, below=letter == "tau")
        drawn[0, column].set_title("(a) bulk" if key == SIGMA_BULK else "(b) grain boundaries", loc="left")
        drawn[0, column].legend(loc="lower left")
    for axes in drawn[:, 1]:
        axes.set_ylabel("")
    rule = rf"open symbols: $\tau_\mathrm{{Cstr}} < {ORDER:g}\,\tau_\mathrm{{GB}}$, the order of time constants is not kept"
    figure.suptitle(f"{values.heading('4', series)}; {values.BARS};\n{rule}", fontsize=9)
    return figure


def order_lost(sample: Sample) -> bool:
    """Whether the constriction is not slower by `ORDER` than the boundaries."""
    tau = values.value(sample, CONSTRICTION, "tau")
    boundary = admittances(sample.cell)[GRAIN_BOUNDARY].relaxation_time
    return tau is None or tau.value is None or tau.value < ORDER * boundary


def _shade(number: int, count: int) -> Any:
    """Shades of the constriction's colour, from light to dark."""
    colour = np.array(mpl.colors.to_rgb(arcs.COLOURS[CONSTRICTION]))
    part = number / max(count - 1, 1)
    return tuple(colour + (1 - colour) * 0.45 * (1 - 2 * part) if part < 0.5 else colour * (1 - 0.65 * (2 * part - 1)))
