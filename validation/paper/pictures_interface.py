"""Figures 5 and 6: how charge transfer and constriction act on each other, by their time constants and by R_pol."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fem_constriction.pictures.printed import STYLE
from fem_constriction.processes.circuits import CONSTRICTION
from fem_constriction.processes.names import CHARGE_TRANSFER
from validation.paper import pictures_values as values
from validation.paper.cells import R_POL, TABLE, cell
from validation.paper.pictures_arcs import COLOURS
from validation.paper.pictures_values import AXES

_CT: Final = r"\mathrm{CT}"
_CSTR: Final = r"\mathrm{Cstr}"


@mpl.rc_context(STYLE)
def figure_5(series: values.Series) -> Figure:
    """R, C and tau of the charge transfer of both electrodes over contact fraction, in both orders of time constants."""
    cases = {
        "5a": r"(a) $\tau_\mathrm{CT} < \tau_\mathrm{Cstr}$",
        "5b": r"(b) $\tau_\mathrm{Cstr} < \tau_\mathrm{CT}$",
    }
    figure = Figure(figsize=(values.WIDE, 6.4), layout="constrained")
    drawn = figure.subplots(3, 2, sharex=True)
    row = TABLE["5a"]
    assert row.resistance is not None
    area = cell("5a", 1.0).area
    r, c = row.resistance / area, row.double_layer * area
    linear: dict[str, Any] = {"R": lambda x: r * (1 + x), "C": lambda x: c * (1 - x / 2), "tau": lambda x: r * c}
    serial: dict[str, Any] = {"R": lambda x: r * (1 + 1 / x), "C": lambda x: c * x / (1 + x), "tau": lambda x: r * c}
    for column, (label, lines) in enumerate((("5a", linear), ("5b", serial))):
        for axes, letter in zip(drawn[:, column], AXES, strict=True):
            values.points(axes, series[label], CHARGE_TRANSFER, letter)
            values.ladder_points(axes, series[label], CHARGE_TRANSFER, letter)
            values.line(axes, lines[letter])
            values.finish(axes, letter, _CT, below=letter == "tau", log=letter != "tau")  # arcs and ladder are decades apart
        drawn[0, column].set_title(cases[label], loc="left")
        drawn[0, column].set_ylim(top=12 * drawn[0, column].get_ylim()[1])  # where the legend stands
        drawn[0, column].legend(
            handles=[
                *values.handles([CHARGE_TRANSFER]),
                *values.crosses("ladder of the working electrode alone"),
                values.dashed(
                    "linear from WE and CE to CE alone" if label == "5a" else r"$R_\mathrm{pol}(1 + A/A_\mathrm{c})/A$"
                ),
            ]
        )
    drawn[2, 0].annotate("dashed: input value", (0.02, 0.05), xycoords="axes fraction", fontsize=8)
    figure.suptitle(f"{values.heading('5', series)}; {values.BARS}", fontsize=9)
    return figure


@mpl.rc_context(STYLE)
def figure_6(series: values.Series) -> Figure:
    """R, C and tau of charge transfer (top) and constriction (bottom) over contact fraction, for each R_pol."""
    figure = Figure(figsize=(values.WIDE, 5.4), layout="constrained")
    drawn = figure.subplots(2, 3, sharex=True)
    row = TABLE["6"]
    found = sorted({sample.varied[R_POL] for sample in series["6"]})
    handles: dict[str, list[Line2D]] = {"CT": [], "Cstr": []}
    looks = [
        *zip(
            ("#b5db85", COLOURS[CHARGE_TRANSFER], "#3f6b10"), ("#f5d87a", COLOURS[CONSTRICTION], "#7a5c00"), "vo^", strict=True
        )
    ]
    for resistance, (upper, lower, marker) in zip(found, looks, strict=False):
        own = [sample for sample in series["6"] if sample.varied[R_POL] == resistance]
        for number, (element, colour) in enumerate(((CHARGE_TRANSFER, upper), (CONSTRICTION, lower))):
            for axes, letter in zip(drawn[number], AXES, strict=True):
                values.points(axes, own, element, letter, colour=colour, marker=marker)
                values.ladder_points(axes, own, element, letter, colour=colour)
        values.line(drawn[0, 2], partial(np.full_like, fill_value=resistance * row.double_layer), colour=upper)
        for name, colour in (("CT", upper), ("Cstr", lower)):
            text = rf"{name}, $R_\mathrm{{pol}}$ = {resistance * 1e4:g} $\Omega\,$cm$^2$"
            handles[name].append(Line2D([], [], color=colour, marker=marker, lw=0.9, label=text))
    values.geometric(drawn[1, 0], [each for each in series["6"] if each.varied[R_POL] == found[0]], colour="#555555")
    values.line(drawn[1, 1], values.pores("6"))
    for number in range(2):
        for axes, letter in zip(drawn[number], AXES, strict=True):
            # Of charge transfer arcs and ladder are decades apart; C_pore (A - A_c) of the constriction is a straight line.
            values.finish(axes, letter, _CSTR if number else _CT, below=number == 1, log=letter != "C" or not number)
    beside = [
        values.dashed(r"top: input $R_\mathrm{pol} C_\mathrm{DL}$"),
        values.dashed(r"below: $C_\mathrm{pore}(A - A_\mathrm{c})$"),
        Line2D([], [], color="#555555", ls=":", lw=1.1, label=r"below: geometric $R_\mathrm{Cstr}$"),
        *values.crosses(),
    ]
    figure.legend(handles=[*handles["CT"], *handles["Cstr"], *beside], loc="outside lower center", ncols=3)
    figure.suptitle(f"{values.heading('6', series)}; {values.BARS}", fontsize=9)
    return figure
