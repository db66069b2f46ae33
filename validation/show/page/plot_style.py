"""How the plots of a page look: colours and symbols of the printed figures, one layout, and text that plotly takes as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from matplotlib.ticker import EngFormatter
from numpy.typing import ArrayLike, NDArray

from validation.show import colours
from validation.show.colours import BACKENDS

#: plotly's names of matplotlib's markers.
SYMBOLS: Final = {"o": "circle-open", "x": "x-thin", "^": "triangle-up-open", "+": "cross-thin"}
_FULL: Final = {"o": "circle", "^": "triangle-up", "X": "x"}
#: Colour and symbol of a frequency's verdict.
VERDICTS: Final = {verdict: (colour, _FULL[marker]) for verdict, (colour, marker) in colours.VERDICTS.items()}
#: Relative: where a difference of exactly zero is drawn on a logarithmic axis.
FLOOR: Final = 1e-16
GREY: Final = colours.GREY


def backend(number: int) -> tuple[str, str]:
    """Colour and symbol of the backend of that place; they repeat after four."""
    colour, marker = BACKENDS[number % len(BACKENDS)]
    return colour, SYMBOLS[marker]


def plain(text: str) -> str:
    """Any text as plotly shows it unchanged: its labels are a dialect of HTML."""
    return escape(text, quote=False)


def shown(values: ArrayLike) -> list[float]:
    """Values for a logarithmic axis: at least `FLOOR`."""
    found: NDArray[np.float64] = np.maximum(np.asarray(values, dtype=float), FLOOR)
    return [float(value) for value in found]


def prefix(size: float) -> tuple[float, str]:
    """(1000^n, SI prefix) for numbers of that size: 2e5 -> (1e3, "k")."""
    exponent = 3 * math.floor(math.log10(size) / 3) if size > 0 else 0
    return 10.0**exponent, EngFormatter.ENG_PREFIXES.get(exponent, f"1e{exponent} ").replace("\N{MICRO SIGN}", "u")


def figure(traces: Sequence[Any], *, height: int, **layout: Any) -> go.Figure:
    """A figure on white, legend below, axes drawn on all sides; further keys of plotly's layout as they are."""
    axis = {
        "showline": True,
        "mirror": True,
        "linecolor": GREY,
        "gridcolor": "#e4e4e4",
        "zeroline": False,
        "ticks": "outside",
        "tickangle": 0,
        "automargin": True,
    }
    merged: dict[str, Any] = {
        "template": "none",
        "height": height,
        "font": {"size": 13, "family": "system-ui, DejaVu Sans, sans-serif", "color": "#1b1b1b"},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "margin": {"l": 76, "r": 20, "t": 24, "b": 96},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 0, "yanchor": "bottom"},
        "hoverlabel": {"align": "left", "bgcolor": "#ffffff", "font": {"color": "#1b1b1b"}},
        "hovermode": "closest",
    }
    axes = {
        key: axis | value | {"title": {"standoff": 10} | value.get("title", {})}
        for key, value in layout.items()
        if "axis" in key
    }
    return go.Figure(data=list(traces), layout=merged | layout | axes)


def logarithmic(title: str, **more: Any) -> dict[str, Any]:
    """A logarithmic axis labelled with powers of ten, as many as there is room for."""
    return {"type": "log", "title": {"text": title}, "exponentformat": "power", **more}


def few_decades(values: Sequence[float], title: str) -> dict[str, Any]:
    """A logarithmic axis for values over few decades: ticks at powers of ten, the fewer the decades the more between."""
    known = [value for value in values if value > 0]
    low, high = (math.log10(end) for end in (min(known, default=1.0), max(known, default=1.0)))
    if high - low > 2.5:
        return logarithmic(title, dtick=1)
    multiples = (1,) if high - low > 2 else (1, 3) if high - low > 1.2 else (1, 2, 5)
    ticks = [m * 10.0**e for e in range(math.floor(low) - 1, math.ceil(high) + 1) for m in multiples]
    margin = 0.08 * max(high - low, 0.3)
    return {
        "type": "log",
        "title": {"text": title},
        "tickvals": ticks,
        "ticktext": [_tick(tick) for tick in ticks],
        "range": [low - margin, high + margin],
    }


def _tick(value: float) -> str:
    """0.5, 20, 10k, 2u."""
    if 1e-3 < value < 1e3:
        return f"{value:g}"
    return EngFormatter(sep="")(value).replace("\N{MICRO SIGN}", "u")
