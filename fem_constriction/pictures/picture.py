"""What a picture shows: series, areas, notes, axes, words; drawn in a file by `printed`, on a page by `page.plotted`.

A picture is a function from a result to a `Picture`; nothing here draws. Later marks lie in front of earlier ones, and labels
that occur in several panels are one entry of the legend. Words of axes, labels and notes may be marked: `*Z*` is a variable,
`_{Cstr}` and `^{1/3}` are below and above the line; `plain(text)` makes any text mean itself. Titles, captions and what points
tell are text as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.arrays import Array
from fem_constriction.pictures.words import SIGNS as _PREFIXES

Line = Literal["", "solid", "dash", "dashdot", "dot"]
Scale = Literal["linear", "log"]
Ticks = Literal["auto", "few", "unit", "none"]
Across = Literal["x", "y"]

#: What is left on both sides of the points of an axis, as a part of its length.
MARGIN: Final = 0.05

#: Where a difference of exactly zero is drawn on a logarithmic axis.
FLOOR: Final = 1e-16


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """Points (x, y), (n,) each, joined by a line, marked, or both; without points it is an entry of the legend alone.

    label: its entry in the legend, "" none; line, marker: "" none, markers by matplotlib's letters; width, size: in points;
    filled: whether markers are; fill: opacity of what lies between the line and y = 0; steps: y holds up to the next x; told:
    what a point says when it is pointed at, lines of plain text.
    """

    x: ArrayLike
    y: ArrayLike
    label: str = ""
    colour: str = "#000000"
    line: Line = "solid"
    width: float = 1.2
    marker: str = ""
    size: float = 4.5
    filled: bool = False
    opacity: float = 1.0
    fill: float = 0.0
    steps: bool = False
    told: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Area:
    """What lies between low and high over x, (n,) each."""

    x: ArrayLike
    low: ArrayLike
    high: ArrayLike
    label: str = ""
    colour: str = "#dddddd"
    opacity: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Span:
    """Everything between two values of y, or of x, from one end of the panel to the other."""

    low: float
    high: float
    across: Across = "y"
    label: str = ""
    colour: str = "#dddddd"
    opacity: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A line at one value of y, or of x, from one end of the panel to the other."""

    at: float
    across: Across = "y"
    label: str = ""
    colour: str = "#555555"
    line: Line = "dash"
    width: float = 0.9


@dataclass(frozen=True, kw_only=True)
class Note:
    """Words at a point: with their middle at `place`, joined to the point by a thin line, or, without a place, at its `side`.

    side "inside": x and y are parts of the panel's width and height, from its lower left corner.
    """

    text: str
    x: float
    y: float
    place: tuple[float, float] | None = None
    side: Literal["above", "left", "right", "inside"] = "above"
    colour: str = "#000000"
    size: float = 8.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Circles:
    """Circles of radius r around (x, y), (n,) each, in the units of the axes, which are to have one scale."""

    x: ArrayLike
    y: ArrayLike
    radius: ArrayLike
    label: str = ""
    colour: str = "#000000"


Mark = Series | Area | Span | Rule | Note | Circles


@dataclass(frozen=True, kw_only=True)
class Axis:
    """label: with its unit; range: (low, high), None: as far as there is something.

    ticks: "few" at 1, 2, 5 of each decade, "unit" with SI prefixes of `unit`.
    """

    label: str = ""
    scale: Scale = "linear"
    range: tuple[float, float] | None = None
    ticks: Ticks = "auto"
    unit: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """Marks on two axes; equal: one scale for both; weight: of its width beside the others'.

    legend: in a file, a place for one of its own in matplotlib's words ("upper left") or "below" it; "" the picture's.
    """

    marks: Sequence[Mark]
    x: Axis
    y: Axis
    title: str = ""
    equal: bool = False
    legend: str = ""
    weight: float = 1.0

    @property
    def series(self) -> list[Series]:
        """The series alone."""
        return [mark for mark in self.marks if isinstance(mark, Series)]

    def extent(self, across: Across) -> tuple[float, float]:
        """Return the range of an axis: as given, else that of its points (positive ones if logarithmic), with a margin."""
        axis = self.x if across == "x" else self.y
        if axis.range is not None:
            return axis.range
        low, high = self._occupied(across, axis.scale)
        if axis.scale == "log":
            wider = (high / low if high > low else 10.0) ** MARGIN
            return low / wider, high * wider
        wider = MARGIN * (high - low or 1.0)
        return low - wider, high + wider

    def _occupied(self, across: Across, scale: Scale) -> tuple[float, float]:
        parts: list[ArrayLike] = [getattr(each, across) for each in self.series]
        for area in (mark for mark in self.marks if isinstance(mark, Area)):
            parts += [area.x] if across == "x" else [area.low, area.high]
        values = np.concatenate([[], *(np.ravel(np.asarray(part, dtype=float)) for part in parts)])
        values = values[np.isfinite(values) & ((values > 0) | (scale == "linear"))]
        return (float(values.min()), float(values.max())) if values.size else (1.0, 10.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """Panels in rows, with words: title (in a file), caption and description (on a page, the latter for who cannot see it).

    name: of its files; rows: of one length, None leaves a place free; size: in inches, in a file; pixels: its height on a page;
    columns: of the legend; together: which axes of panels are one: those in a row ("y"), in a column ("x"), or none;
    fitted: the same with its words placed for axes so many inches wide.
    """

    name: str
    rows: Sequence[Sequence[Panel | None]]
    title: str = ""
    caption: str = ""
    description: str = ""
    size: tuple[float, float] = (7.0, 3.8)
    pixels: int = 460
    columns: int = 3
    together: Literal["", "x", "y"] = ""
    fitted: Callable[[float], Picture] | None = None

    @property
    def panels(self) -> list[Panel]:
        """All panels, row by row."""
        return [panel for row in self.rows for panel in row if panel is not None]

    def extent(self, panel: Panel, across: Across) -> tuple[float, float]:
        """Return the range of a panel's axis: its own, or that of all panels with which it is one."""
        if across != self.together:
            return panel.extent(across)
        lines: Sequence[Sequence[Panel | None]] = self.rows if across == "y" else list(zip(*self.rows, strict=True))
        (line,) = (each for each in lines if any(other is panel for other in each))
        ends = [each.extent(across) for each in line if each is not None]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def titled(self, title: str) -> Picture:
        """Return the same with another title."""
        return replace(self, title=title)


def plain(text: str) -> str:
    """Return any text so that it means itself."""
    return re.sub(r"([\\*_^])", r"\\\1", text)


_MARKED: Final = re.compile(r"\\(?P<plain>.)|\*(?P<variable>[^*]+)\*|_\{(?P<below>[^}]*)\}|\^\{(?P<above>[^}]*)\}", re.DOTALL)


def marked(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, words) of marked text, kind "" (as it is), "variable", "below" or "above"."""
    at = 0
    for found in _MARKED.finditer(text):
        if found.start() > at:
            yield "", text[at : found.start()]
        kind = str(found.lastgroup)
        yield ("" if kind == "plain" else kind), str(found[kind])
        at = found.end()
    if at < len(text):
        yield "", text[at:]


def prefix(size: float) -> tuple[float, str]:
    """Return (1000^n, SI prefix) for numbers of that size: 2e5 -> (1e3, "k")."""
    exponent = 3 * math.floor(math.log10(size) / 3) if size > 0 else 0
    return 10.0**exponent, _PREFIXES.get(exponent // 3, f"1e{exponent} ")


def shown(values: ArrayLike) -> Array:
    """Return values for a logarithmic axis: at least `FLOOR`."""
    return np.asarray(np.maximum(np.asarray(values, dtype=float), FLOOR))


def few_ticks(low: float, high: float) -> list[float]:
    """Return ticks of a logarithmic axis over few decades: powers of ten, the fewer the decades the more between them."""
    decades = math.log10(high / low)
    multiples = (1,) if decades > 2 else (1, 3) if decades > 1.2 else (1, 2, 5)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    ticks = [m * 10.0**e for e in range(first, last + 1) for m in multiples]
    return [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]


def tick_text(value: float) -> str:
    """Return 0.5, 20, 10k, 2u."""
    if 1e-3 < value < 1e4:
        return f"{value:g}"
    exponent = math.floor(math.log10(abs(value)) / 3 + 1e-12) if value else 0
    return f"{value / 1000.0**exponent:g}{_PREFIXES.get(exponent, f'e{3 * exponent}')}"


def power_text(value: float, _position: int | None = None) -> str:
    """Return 10⁻³ for a tick of a logarithmic axis, in letters: a formula takes matplotlib twenty times as long to set."""
    exponent = math.floor(math.log10(value) + 1e-9)
    factor = "" if math.isclose(value, 10.0**exponent) else f"{value / 10.0**exponent:g}\N{MULTIPLICATION SIGN}"
    return f"{factor}10{str(exponent).translate(_RAISED)}"


#: Digits and the minus sign as superscripts.
_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def cycled(looks: Sequence[Any], number: int) -> Any:
    """Return the look of that number; they repeat."""
    return looks[number % len(looks)]
