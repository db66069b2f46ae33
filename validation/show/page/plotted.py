"""Picture -> a plot of a page, by plotly: the same marks, that tell their numbers when pointed at, and zoom."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import singledispatch
from html import escape
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from matplotlib.colors import to_rgb

from fem_constriction.pictures.colours import GREY
from fem_constriction.pictures.picture import (
    Area,
    Axis,
    Circles,
    Mark,
    Note,
    Panel,
    Picture,
    Rule,
    Series,
    Span,
    few_ticks,
    marked,
    tick_text,
)
from validation.show.page.sections import Plot

#: plotly's names of matplotlib's markers, open and filled.
OPEN: Final = {"o": "circle-open", "x": "x-thin", "^": "triangle-up-open", "+": "cross-thin", "s": "square-open",
               "D": "diamond-open", "v": "triangle-down-open"}  # fmt: skip
FULL: Final = {"o": "circle", "^": "triangle-up", "X": "x", "s": "square", "D": "diamond", "v": "triangle-down", "P": "cross",
               ".": "circle", "x": "x-thin", "+": "cross-thin"}  # fmt: skip

#: Of a picture in points: a page is larger.
LARGER: Final = 1.35

#: Parts of the width and of the height that are left between panels.
BESIDE, BELOW = 0.09, 0.1


def plot(picture: Picture) -> Plot:
    """Return the picture as a section of a page."""
    return Plot(name=picture.name, caption=picture.caption, description=picture.description, figure=figure(picture))


def figure(picture: Picture) -> go.Figure:
    """Return the picture as a figure on white, legend below, axes drawn on all sides."""
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"annotations": []}
    for tail, across, up, panel in _placed(picture):
        layout |= _axes(picture, panel, tail, across, up)
        for mark in panel.marks:
            for made in _draw(mark, panel):
                if "name" in made and panel.legend and panel.title and len(picture.panels) > 1:
                    made["name"] = _told_apart(mark, panel, picture)
                if isinstance(mark, Note):
                    layout["annotations"].append(_on_axes(made, tail) | {"name": "note"})
                else:
                    traces.append({"xaxis": f"x{tail}", "yaxis": f"y{tail}"} | made)
        if panel.title:
            layout["annotations"].append(_heading(panel.title, across, up))
    _legend_once(traces)
    if picture.panels[0].equal:
        (x0, x1), (y0, y1) = (picture.panels[0].extent(across) for across in ("x", "y"))
        layout["meta"] = {"shape": (y1 - y0) / (x1 - x0)}
    return go.Figure(data=traces, layout=_LAYOUT | {"height": picture.pixels} | layout)


def html(text: str) -> str:
    """Return marked words in plotly's dialect of HTML, whatever else is in them as it is."""
    forms = {"": "{}", "variable": "<i>{}</i>", "below": "<sub>{}</sub>", "above": "<sup>{}</sup>"}
    return "".join(forms[kind].format(escape(words, quote=False)) for kind, words in marked(text))


_LAYOUT: Final[dict[str, Any]] = {
    "template": "none",
    "font": {"size": 13, "family": "system-ui, DejaVu Sans, sans-serif", "color": "#1b1b1b"},
    "paper_bgcolor": "#ffffff",
    "plot_bgcolor": "#ffffff",
    "margin": {"l": 76, "r": 20, "t": 24, "b": 96},
    "legend": {"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 0, "yanchor": "bottom"},
    "hoverlabel": {"align": "left", "bgcolor": "#ffffff", "font": {"color": "#1b1b1b"}},
    "hovermode": "closest",
}
_AXIS: Final[dict[str, Any]] = {
    "showline": True,
    "mirror": True,
    "linecolor": GREY,
    "gridcolor": "#e4e4e4",
    "zeroline": False,
    "ticks": "outside",
    "tickangle": 0,
    "automargin": True,
}


def _placed(picture: Picture) -> Iterator[tuple[str, list[float], list[float], Panel]]:
    """Every panel with the tail of its axes' names and its place, as parts of the width and of the height."""
    rows, number = len(picture.rows), 0
    for row_number, row in enumerate(picture.rows):
        weights = np.array([1.0 if panel is None else panel.weight for panel in row])
        ends = np.concatenate([[0.0], np.cumsum(weights / weights.sum())])
        gap = BESIDE if picture.together != "y" else BESIDE / 3
        for column, panel in enumerate(row):
            if panel is None:
                continue
            number += 1
            across = [ends[column] + gap * (column > 0) / 2, ends[column + 1] - gap * (column + 1 < len(row)) / 2]
            top, bottom = 1 - row_number / rows, 1 - (row_number + 1) / rows
            up = [bottom + BELOW * (row_number + 1 < rows) / (1 if picture.together != "x" else 2), top]
            yield ("" if number == 1 else str(number)), [float(v) for v in across], [float(v) for v in up], panel


def _axes(picture: Picture, panel: Panel, tail: str, across: list[float], up: list[float]) -> dict[str, Any]:
    together = picture.together
    x = _AXIS | _axis(panel.x, picture.extent(panel, "x")) | {"domain": across, "anchor": f"y{tail}"}
    y = _AXIS | _axis(panel.y, picture.extent(panel, "y")) | {"domain": up, "anchor": f"x{tail}"}
    if panel.equal:
        x |= {"constrain": "domain"}
        y |= {"constrain": "domain", "scaleanchor": f"x{tail}", "scaleratio": 1}
    if tail and together == "y":
        y |= {"matches": "y", "showticklabels": False, "title": {"text": ""}}
    if tail and together == "x":
        x |= {"matches": "x"}
    if together == "x" and up[0] > 0:
        x |= {"showticklabels": False, "title": {"text": ""}}
    return {f"xaxis{tail}": x, f"yaxis{tail}": y}


def _axis(axis: Axis, extent: tuple[float, float]) -> dict[str, Any]:
    found: dict[str, Any] = {"title": {"text": html(axis.label), "standoff": 10}}
    if axis.scale == "linear":
        if axis.ticks == "unit":
            found |= {"tickformat": "~s", "ticksuffix": axis.unit}
        return found | {"range": list(extent)}
    low, high = (math.log10(end) for end in extent)
    found |= {"type": "log", "exponentformat": "power", "range": [low, high], "dtick": math.ceil((high - low) / 14)}
    if axis.ticks == "few":
        ticks = few_ticks(*extent)
        found |= {"tickvals": ticks, "ticktext": [tick_text(tick) for tick in ticks]}
    return found


def _heading(text: str, across: list[float], up: list[float]) -> dict[str, Any]:
    place = {"x": sum(across) / 2, "y": up[1], "xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom"}
    return {"text": html(text), "showarrow": False, "name": "heading", **place}


def _told_apart(mark: Mark, panel: Panel, picture: Picture) -> str:
    """The name of a mark in a legend that is that of all panels here, of its own panel in a file."""
    label = getattr(mark, "label", "")
    panels = [each for each in picture.panels if any(getattr(other, "label", "") == label for other in each.marks)]
    return html(label if len(panels) > 1 else f"{panel.title}: {label}")


def _on_axes(note: dict[str, Any], tail: str) -> dict[str, Any]:
    """A note whose x and y are those of one panel."""
    references = {"xref": "x", "yref": "y"} | {key: note[key] for key in _REFERENCES if key in note}
    return note | {key: value[0] + tail + value[1:] for key, value in references.items()}


_REFERENCES: Final = ("xref", "yref", "axref", "ayref")


def _legend_once(traces: Sequence[dict[str, Any]]) -> None:
    """The first trace of a name stands for all of that name."""
    seen: set[str] = set()
    for trace in traces:
        name = trace.get("name", "")
        trace["showlegend"] = bool(name) and name not in seen
        if name:
            trace["legendgroup"] = name
            seen.add(name)


@singledispatch
def _draw(mark: Mark, panel: Panel) -> Iterator[dict[str, Any]]:
    raise TypeError(f"no way to draw a {type(mark).__name__}")


@_draw.register
def _series(mark: Series, panel: Panel) -> Iterator[dict[str, Any]]:
    x, y = _numbers(mark.x), _numbers(mark.y)
    modes = [*(["lines"] if mark.line else []), *(["markers"] if mark.marker else [])]
    made: dict[str, Any] = {"type": "scatter", "x": x or [None], "y": y or [None], "mode": "+".join(modes) or "lines"}
    if mark.label:
        made["name"] = html(mark.label)
    if mark.line:
        shape = {"shape": "hv"} if mark.steps else {}
        made["line"] = {"color": mark.colour, "width": LARGER * mark.width, "dash": mark.line, **shape}
    if mark.marker:
        symbol = FULL[mark.marker] if mark.filled else OPEN.get(mark.marker, FULL.get(mark.marker, "circle-open"))
        edge = {"color": mark.colour, "width": 1.6}
        made["marker"] = {"symbol": symbol, "size": 2 * mark.size, "color": mark.colour, "line": edge}
    if mark.fill:
        made |= {"fill": "tozeroy", "fillcolor": _faint(mark.colour, mark.fill)}
    if mark.opacity < 1:
        made["opacity"] = mark.opacity
    if mark.told:
        made |= {"text": [_lines(each) for each in mark.told], "hovertemplate": "%{text}<extra></extra>"}
    elif mark.marker or not mark.label:
        made["hoverinfo"] = "skip"
    else:
        made["hovertemplate"] = "%{y:.3~g} at %{x:.3~g}"
    yield made


@_draw.register
def _area(mark: Area, panel: Panel) -> Iterator[dict[str, Any]]:
    x, low, high = (_numbers(each) for each in (mark.x, np.broadcast_to(mark.low, np.shape(mark.x)), mark.high))
    yield _surface([*x, *reversed(x)], [*low, *reversed(high)], mark)


@_draw.register
def _span(mark: Span, panel: Panel) -> Iterator[dict[str, Any]]:
    a, b = panel.extent("x" if mark.across == "y" else "y")
    ends, values = [a, b, b, a], [mark.low, mark.low, mark.high, mark.high]
    yield _surface(ends, values, mark) if mark.across == "y" else _surface(values, ends, mark)


@_draw.register
def _rule(mark: Rule, panel: Panel) -> Iterator[dict[str, Any]]:
    ends, values = list(panel.extent("x" if mark.across == "y" else "y")), [mark.at, mark.at]
    x, y = (ends, values) if mark.across == "y" else (values, ends)
    yield from _series(Series(x=x, y=y, label=mark.label, colour=mark.colour, line=mark.line, width=mark.width), panel)


@_draw.register
def _note(mark: Note, panel: Panel) -> Iterator[dict[str, Any]]:
    made: dict[str, Any] = {"text": html(mark.text), "font": {"size": 1.5 * mark.size, "color": mark.colour}}
    scales = [(mark.x, panel.x.scale), (mark.y, panel.y.scale)]
    x, y = (math.log10(value) if scale == "log" and mark.side != "inside" else value for value, scale in scales)
    if mark.place is not None:
        line = {"showarrow": True, "arrowhead": 0, "arrowwidth": 0.8, "standoff": 4, "arrowcolor": mark.colour}
        yield made | line | {"x": x, "y": y, "ax": mark.place[0], "ay": mark.place[1], "axref": "x", "ayref": "y"}
    elif mark.side == "inside":
        corner = {"xref": "x domain", "yref": "y domain", "xanchor": "left", "yanchor": "bottom"}
        yield made | {"x": x, "y": y, "showarrow": False} | corner
    else:
        anchors = {"above": ("center", "bottom", 0, 4), "left": ("right", "middle", -8, 0), "right": ("left", "middle", 8, 0)}
        xanchor, yanchor, xshift, yshift = anchors[mark.side]
        place = {"xanchor": xanchor, "yanchor": yanchor, "xshift": xshift, "yshift": yshift}
        yield made | {"x": x, "y": y, "showarrow": False} | place


@_draw.register
def _circles(mark: Circles, panel: Panel) -> Iterator[dict[str, Any]]:
    """All circles are one line with gaps."""
    turn = np.exp(1j * np.linspace(0, 2 * np.pi, 49))
    parts = [
        np.append(x + 1j * y + r * turn, np.nan) for x, y, r in zip(*map(_numbers, (mark.x, mark.y, mark.radius)), strict=True)
    ]
    every = np.concatenate(parts)
    made = {"type": "scatter", "x": _numbers(every.real), "y": _numbers(every.imag), "mode": "lines", "hoverinfo": "skip"}
    look = {"line": {"color": mark.colour, "width": 0.8}, "fill": "toself", "fillcolor": _faint(mark.colour, 0.2)}
    yield made | look | ({"name": html(mark.label)} if mark.label else {})


def _surface(x: Sequence[Any], y: Sequence[Any], mark: Area | Span) -> dict[str, Any]:
    found = {"type": "scatter", "x": list(x), "y": list(y), "mode": "lines", "fill": "toself", "line": {"width": 0}}
    named = {"name": html(mark.label)} if mark.label else {}
    return {**found, "fillcolor": _faint(mark.colour, mark.opacity), "hoverinfo": "skip", **named}


def _numbers(values: Any) -> list[float]:
    return [float(value) for value in np.ravel(np.asarray(values, dtype=float))]


def _faint(colour: str, opacity: float) -> str:
    red, green, blue = (round(255 * part) for part in to_rgb(colour))
    return f"rgba({red},{green},{blue},{opacity:g})"


def _lines(text: str) -> str:
    """Lines of plain text, the first of them bold."""
    first, *rest = (escape(line, quote=False) for line in text.split("\n"))
    return "<br>".join([f"<b>{first}</b>", *rest])
