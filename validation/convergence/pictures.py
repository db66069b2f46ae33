"""Errors over step and over unknowns, log-log, with the slopes that theory expects: one picture for Z, one for the numbers."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FormatStrFormatter, LogLocator, NullFormatter

from validation.convergence.findings import Findings
from validation.convergence.series import Series
from validation.show.colours import BACKENDS
from validation.show.printed import STYLE, save

#: How a kind of grids is drawn: line, and whether symbols are filled.
LOOKS: Final[Any] = {"graded": ("-", True), "uniform": ("--", False)}
NAMES: Final = {
    "Z": "$Z$", "R_DC": r"$R_\mathrm{DC}$", "R_Cstr": r"$R_\mathrm{Cstr}$", "C_Cstr": r"$C_\mathrm{Cstr}$",
    "tau": r"$\tau_\mathrm{Cstr}$",
}  # fmt: skip
#: Errors below this are drawn there.
LOWEST: Final = 1e-12
GREY: Final = "#dddddd"


def write(result: Findings, folder: Path) -> list[Path]:
    """Write converge_impedance and converge_parameters, PNG and PDF, as far as there is something to draw; return the paths."""
    written: list[Path] = []
    if any(each.quantity == "Z" for each in result.series):
        written += save(partial(impedance, result), folder, "converge_impedance")
    if any(each.quantity != "Z" for each in result.series):
        written += save(partial(parameters, result), folder, "converge_parameters")
    return written


@mpl.rc_context(STYLE)
def impedance(result: Findings) -> Figure:
    """Errors of Z: the largest over frequency against step and unknowns, the finest grids', and at single frequencies."""
    figure = Figure(figsize=(7.6, 5.6), layout="constrained")
    panels = figure.subplots(2, 3)
    every = [each for each in result.series if each.quantity == "Z"]
    largest = [each for each in every if each.frequency is None]
    _errors(panels[0, 0], result, largest, slopes=True)
    _errors(panels[0, 1], result, largest, against="unknowns")
    _over_frequency(panels[0, 2], result)
    for axes in panels[0, :2]:
        axes.set_title("largest over frequency")
    kinds = [kind for kind in LOOKS if any(each.solved.grids == kind for each in largest)]
    shown = sorted({each.frequency for each in every if each.frequency is not None})
    for axes, kind in zip(panels[1], kinds, strict=False):
        for number, frequency in enumerate(dict.fromkeys((*shown[:1], *shown[2:4]))):
            chosen = [each for each in every if each.frequency == frequency and each.solved.grids == kind]
            _errors(axes, result, chosen, named=frequency, end=0 if number == 0 else -1)
        axes.set_title(f"single frequencies, {kind}")
        steps = np.concatenate([each.solved.step for each in largest if each.solved.grids == kind]) / 10.0 ** _exponent(result)
        axes.set_xlim(steps.min() / 3, 3 * steps.max())
    for axes in panels[1, len(kinds) :]:
        axes.set_axis_off()
    for axes in panels[:, 0]:
        axes.set_ylabel("relative error")
    panels[1, -1].legend(handles=_handles(result, largest), loc="center")
    _title(figure, result)
    return figure


@mpl.rc_context(STYLE)
def parameters(result: Findings) -> Figure:
    """Errors of R_DC and of the fitted R, C and tau against the step."""
    names = [name for name in result.quantities if name != "Z"]
    figure = Figure(figsize=(max(3.7, 1.9 * len(names)), 4.0), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    every = [each for each in result.series if each.quantity != "Z"]
    for axes, name in zip(panels, names, strict=True):
        _errors(axes, result, [each for each in every if each.quantity == name], slopes=True)
        axes.set_title(NAMES[name])
    errors = np.maximum(np.concatenate([each.error for each in every]), LOWEST)
    panels[0].set_ylim(float(errors.min()) / 3, 3 * float(errors.max()))
    panels[0].set_ylabel("relative error")
    figure.legend(handles=_handles(result, every), loc="outside lower center", ncols=2 if len(names) > 1 else 1)
    _title(figure, result)
    return figure


def _errors(
    axes: Axes,
    result: Findings,
    series: Sequence[Series],
    *,
    against: str = "step",
    slopes: bool = False,
    named: float | None = None,
    end: int = -1,
) -> None:
    """Errors of some series; named: a frequency that is written beside the finest grid, or beside the coarsest if end is 0."""
    exponent = _exponent(result)
    for each in series:
        colour, marker = _colour(result, each.solved.family.backend.name)
        line, filled = LOOKS[each.solved.grids]
        x = each.solved.step / 10.0**exponent if against == "step" else np.array(each.solved.unknowns, dtype=float)
        y = np.maximum(each.error, LOWEST)
        axes.plot(x, y, color=colour, ls=line, marker=marker, mfc=colour if filled else "white", mec=colour, lw=1.0)
        if slopes and each.expected.order is not None:
            _slope(axes, x, y, each.expected.order)
        if named is not None:
            side, align = (-5, "right") if end else (5, "left")
            axes.annotate(
                EngFormatter("Hz", sep=" ")(named), (x[end], y[end]), xytext=(side, 0), textcoords="offset points",
                ha=align, va="center", fontsize=7, color=colour,
            )  # fmt: skip
    floor = max((each.floor for each in series), default=0.0)
    if floor > 0 and named is None:
        low, high = axes.get_ylim() if axes.has_data() else (LOWEST, 1.0)
        axes.axhspan(LOWEST / 10, floor, color=GREY, lw=0, zorder=0)
        axes.set_ylim(low, high)
    axes.set(xscale="log", yscale="log")
    every = [np.asarray(each.get_ydata(), dtype=float) for each in axes.get_lines() if each.get_marker() != "None"]
    drawn = np.concatenate(every)
    axes.set_ylim(float(drawn.min()) / 3, 3 * float(drawn.max()))
    if against == "unknowns":
        axes.set_xlabel("unknowns")
        return
    axes.set_xlabel(f"mean step $h$ / {EngFormatter.ENG_PREFIXES.get(exponent, f'1e{exponent} ')}m")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _exponent(result: Findings) -> int:
    """That of the prefix of the unit of steps."""
    steps = np.concatenate([each.step for each in result.families])
    return 3 * math.floor(float(np.log10(steps).mean()) / 3 + 0.5)


def _slope(axes: Axes, x: Any, y: Any, order: float) -> None:
    """A dotted line of the expected order, a little below the errors."""
    offset = float(np.mean(np.log(y) - order * np.log(x)))
    reach = np.array([x[0], x[-1]])
    line = 0.55 * np.exp(offset) * reach**order
    axes.plot(reach, line, color="#555555", ls=":", lw=0.8, zorder=1)
    middle = np.sqrt(reach.prod()), np.sqrt(line.prod())
    axes.annotate(
        f"{order:g}", middle, xytext=(3, -5), textcoords="offset points", va="center", fontsize=7, color="#555555"
    )  # fmt: skip


def _over_frequency(axes: Axes, result: Findings) -> None:
    """The finest grids' errors over frequency, and the uncertainty of the reference."""
    best = next(each for each in result.spectra if each.solved.name == result.reference)
    size = np.abs(best.limit.value)
    lowest, highest = 1.0, LOWEST
    for each in result.spectra:
        colour, _ = _colour(result, each.solved.family.backend.name)
        line, _ = LOOKS[each.solved.grids]
        error = np.maximum(np.abs(each.impedance[-1] - best.limit.value) / size, LOWEST)
        lowest, highest = min(lowest, float(error.min())), max(highest, float(error.max()))
        axes.plot(each.frequency, error, color=colour, ls=line, lw=1.0)
    axes.fill_between(best.frequency, LOWEST / 10, best.limit.uncertainty / size, color=GREY, lw=0, zorder=0)
    axes.set(xscale="log", yscale="log", xlabel="frequency / Hz", title="finest grids")
    axes.set_ylim(lowest / 3, 3 * highest)
    axes.xaxis.set_major_locator(LogLocator(numticks=6))


def _handles(result: Findings, series: Sequence[Series]) -> list[Line2D]:
    """Families, what the dotted slopes are, and the grey range."""
    handles: list[Line2D] = []
    for solved in result.families:
        colour, marker = _colour(result, solved.family.backend.name)
        line, filled = LOOKS[solved.grids]
        face = colour if filled else "white"
        handles.append(Line2D([], [], color=colour, ls=line, marker=marker, mfc=face, label=solved.name, lw=1.0))
    cases: dict[float, list[str]] = {}
    for each in series:
        if each.expected.order is not None:
            cases.setdefault(each.expected.order, []).append(_kind(each))
    for order, kinds in sorted(cases.items()):
        label = f"slope {order:g}: " + ",\n".join(dict.fromkeys(kinds))
        handles.append(Line2D([], [], color="#555555", ls=":", lw=0.8, label=label))
    return [*handles, Line2D([], [], color=GREY, lw=6, label="below the reference's\nuncertainty")]


def _title(figure: Figure, result: Findings) -> None:
    title = f"{result.cell.title or 'Cell'}: errors relative to the limit of {result.reference}"
    figure.suptitle(textwrap.fill(title, 95), fontsize=9, parse_math=False)


def _kind(series: Series) -> str:
    """The theory's reason in three words."""
    if series.solved.grids == "uniform" and series.expected.case in ("Robin edge", "ideal edge"):
        return f"{series.expected.case}, equal cells"
    return series.expected.case


def _colour(result: Findings, backend: str) -> tuple[str, str]:
    names = list(dict.fromkeys(each.family.backend.name for each in result.families))
    colour, marker = BACKENDS[names.index(backend) % len(BACKENDS)]
    return colour, {"x": "s", "+": "D"}.get(marker, marker)
