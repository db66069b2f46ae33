"""Errors over step and over unknowns, log-log, with the slopes that theory expects: one picture for Z, one for the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from matplotlib.ticker import EngFormatter

from fem_constriction.arrays import Array
from fem_constriction.pictures.colours import BACKENDS, GREY
from fem_constriction.pictures.picture import Area, Axis, Line, Mark, Note, Panel, Picture, Series, Span, cycled, plain, prefix
from fem_constriction.pictures.printed import write as written
from validation.convergence.findings import Findings
from validation.convergence.series import Series as Errors

#: How a kind of grids is drawn: line, and whether symbols are filled.
LOOKS: Final[dict[str, tuple[Line, bool]]] = {
    "graded": ("solid", True),
    "uniform": ("dash", False),
    "subdivision": ("solid", True),
    "image": ("dash", False),
}
NAMES: Final = {"Z": "*Z*", "R_DC": "*R*_{DC}", "R_Cstr": "*R*_{Cstr}", "C_Cstr": "*C*_{Cstr}", "tau": "*\u03c4*_{Cstr}"}
#: Errors below this are drawn there.
LOWEST: Final = 1e-12
FAINT: Final = "#dddddd"


def write(result: Findings, folder: Path) -> list[Path]:
    """Write converge_impedance and converge_parameters, PNG and PDF, as far as there is something to draw; return the paths."""
    found: list[Path] = []
    if any(each.quantity == "Z" for each in result.series):
        found += written(impedance(result), folder)
    if any(each.quantity != "Z" for each in result.series):
        found += written(parameters(result), folder)
    return found


def impedance(result: Findings) -> Picture:
    """Errors of Z: the largest over frequency against step and unknowns, the finest grids', and at single frequencies."""
    every = [each for each in result.series if each.quantity == "Z"]
    largest = [each for each in every if each.frequency is None]
    title = "largest over frequency"
    first = [
        _panel(result, largest, _marks(result, largest, slopes=True, named=True), title),
        _panel(result, largest, _marks(result, largest, against="unknowns"), title, against="unknowns"),
        _over_frequency(result),
    ]
    shown = sorted({each.frequency for each in every if each.frequency is not None})
    chosen = list(dict.fromkeys((*shown[:1], *shown[2:4])))
    second: list[Panel | None] = []
    for kind in LOOKS:
        if chosen and any(each.solved.grids == kind for each in largest):
            second.append(_single(result, [each for each in every if each.solved.grids == kind], chosen, kind))
    rows: list[list[Panel | None]] = [list(first)]
    if second:
        rows.append([*second, *[None] * (3 - len(second))])
    return _picture("converge_impedance", result, rows, (7.6, 2.8 * len(rows) + 0.9))


def parameters(result: Findings) -> Picture:
    """Errors of R_DC and of the fitted R, C and tau against the step."""
    panels: list[Panel | None] = []
    for number, name in enumerate(name for name in result.quantities if name != "Z"):
        series = [each for each in result.series if each.quantity == name]
        marks = _marks(result, series, slopes=True, named=number == 0)
        panels.append(_panel(result, series, marks, NAMES[name]))
    return _picture("converge_parameters", result, [panels], (max(3.7, 1.9 * len(panels)), 4.0), together="y")


def _picture(
    name: str,
    result: Findings,
    rows: Sequence[Sequence[Panel | None]],
    size: tuple[float, float],
    together: Literal["", "y"] = "",
) -> Picture:
    return Picture(
        name=name,
        rows=rows,
        title=f"{result.cell.title or 'Cell'}: errors relative to the limit of {result.reference}",
        caption="Errors on every grid; dotted: the slopes that theory expects; grey: below the reference's uncertainty.",
        description="; ".join(f"{each.solved.name}, {each.quantity}: order {each.observed:.2f}" for each in result.series),
        size=size,
        columns=3 if size[0] > 5 else 1,
        together=together,
    )


def _panel(result: Findings, series: Sequence[Errors], marks: Sequence[Mark], title: str, against: str = "step") -> Panel:
    """The panel of some series, as far as their errors reach."""
    error = np.maximum(np.concatenate([each.error for each in series]), LOWEST)
    unit, letter = _unit(result)
    x = Axis(label=f"mean step *h* / {letter}m", scale="log", ticks="few", range=_reach(series, unit))
    if against == "unknowns":
        x = Axis(label="unknowns", scale="log")
    ends = float(error.min()) / 3, 3 * float(error.max())
    return Panel(marks=marks, x=x, y=Axis(label="relative error", scale="log", range=ends), title=title)


def _single(result: Findings, series: Sequence[Errors], frequencies: Sequence[float], kind: str) -> Panel:
    """Errors at single frequencies, which are written beside the finest grid, the first beside the coarsest."""
    marks: list[Mark] = []
    for number, frequency in enumerate(frequencies):
        chosen = [each for each in series if each.frequency == frequency]
        marks += _marks(result, chosen)
        for each in chosen:
            x, y = _points(result, each)
            end: Any = 0 if number == 0 else -1
            side: Any = "right" if number == 0 else "left"
            words = EngFormatter("Hz", sep=" ")(frequency)
            colour = _look(result, each)[0]
            marks.append(Note(text=words, x=float(x[end]), y=float(y[end]), side=side, size=7, colour=colour))
    drawn = [each for each in series if each.frequency in frequencies]
    made = _panel(result, drawn, marks, f"single frequencies, {kind}")
    low, high = _reach(drawn, _unit(result)[0])
    return replace(made, x=replace(made.x, range=(low / 3, 3 * high)))  # room for the frequencies


def _marks(
    result: Findings, series: Sequence[Errors], *, against: str = "step", slopes: bool = False, named: bool = False
) -> list[Mark]:
    """Errors of some series, the slopes expected of them, and what the reference is not known to; named: in a legend."""
    marks: list[Mark] = []
    floor = max((each.floor for each in series), default=0.0)
    if floor > 0 and (slopes or against == "unknowns"):
        label = "below the reference's uncertainty" if named else ""
        marks.append(Span(low=LOWEST / 10, high=floor, colour=FAINT, label=label))
    for each in series:
        colour, marker, line, filled = _look(result, each)
        x, y = _points(result, each, against)
        label = plain(each.solved.name) if named else ""
        look: dict[str, Any] = {"colour": colour, "marker": marker, "line": line, "filled": filled, "width": 1.0}
        marks.append(Series(x=x, y=y, label=label, told=_told(each), **look))
    if slopes:
        marks += _slopes(result, series, named)
    return marks


def _slopes(result: Findings, series: Sequence[Errors], named: bool) -> Iterator[Mark]:
    """A dotted line of each expected order, a little below the errors, with the order beside it."""
    kinds: dict[float, list[str]] = {}
    for each in series:
        if each.expected.order is not None:
            kinds.setdefault(each.expected.order, []).append(_kind(each))
    for each in series:
        if (order := each.expected.order) is None:
            continue
        x, y = _points(result, each)
        offset = float(np.mean(np.log(y) - order * np.log(x)))
        ends = np.array([x[0], x[-1]])
        slope = 0.55 * np.exp(offset) * ends**order
        label = plain(f"slope {order:g}: {', '.join(dict.fromkeys(kinds[order]))}") if named else ""
        yield Series(x=ends, y=slope, label=label, colour=GREY, line="dot", width=0.8)
        middle = float(np.sqrt(ends.prod())), float(np.sqrt(slope.prod()))
        yield Note(text=f"{order:g}", x=middle[0], y=middle[1], side="right", size=7, colour=GREY)


def _over_frequency(result: Findings) -> Panel:
    """The finest grids' errors over frequency, and the uncertainty of the reference."""
    best = next(each for each in result.spectra if each.solved.name == result.reference)
    size = np.abs(best.limit.value)
    lines: list[Mark] = []
    lowest, highest = 1.0, LOWEST
    for each in result.spectra:
        name = each.solved.backend
        error = np.maximum(np.abs(each.impedance[-1] - best.limit.value) / size, LOWEST)
        lowest, highest = min(lowest, float(error.min())), max(highest, float(error.max()))
        colour, line = _colour(result, name)[0], LOOKS[each.solved.grids][0]
        lines.append(Series(x=each.frequency, y=error, colour=colour, line=line, width=1.0))
    unknown = np.maximum(best.limit.uncertainty / size, LOWEST)
    below = np.full(unknown.size, LOWEST / 10)
    return Panel(
        marks=[Area(x=best.frequency, low=below, high=unknown, colour=FAINT), *lines],
        x=Axis(label="frequency / Hz", scale="log"),
        y=Axis(label="relative error", scale="log", range=(lowest / 3, 3 * highest)),
        title="finest grids",
    )


def _points(result: Findings, each: Errors, against: str = "step") -> tuple[Array, Array]:
    x = each.solved.step / _unit(result)[0] if against == "step" else np.array(each.solved.unknowns, dtype=float)
    return np.asarray(x), np.asarray(np.maximum(each.error, LOWEST))


def _told(each: Errors) -> list[str]:
    solved = each.solved
    return [
        f"{solved.name}\n{each.quantity}, grid {k + 1}\nerror {each.error[k]:.2e}\n{solved.unknowns[k]:,} unknowns"
        for k in range(each.error.size)
    ]


def _reach(series: Sequence[Errors], unit: float) -> tuple[float, float]:
    steps = np.concatenate([each.solved.step for each in series]) / unit
    return float(steps.min()) / 1.3, 1.3 * float(steps.max())


def _unit(result: Findings) -> tuple[float, str]:
    """Metres in the unit of steps, and its prefix."""
    steps = np.concatenate([each.step for each in result.families])
    return prefix(10.0 ** (math.floor(float(np.log10(steps).mean()) / 3 + 0.5) * 3))


def _kind(series: Errors) -> str:
    """The theory's reason in three words."""
    if series.solved.grids == "uniform" and series.expected.case in ("Robin edge", "ideal edge"):
        return f"{series.expected.case}, equal cells"
    return series.expected.case


def _look(result: Findings, each: Errors) -> tuple[str, str, Line, bool]:
    colour, marker = _colour(result, each.solved.backend)
    return colour, marker, *LOOKS[each.solved.grids]


def _colour(result: Findings, backend: str) -> tuple[str, str]:
    names = list(dict.fromkeys(each.backend for each in result.families))
    colour, marker = cycled(BACKENDS, names.index(backend))
    return colour, {"x": "s", "+": "D"}.get(marker, marker)
