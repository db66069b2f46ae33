"""error = C h^p over h, and what an error costs: families of grids on logarithmic axes, from a cross-check or `converge`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import plotly.graph_objects as go

from validation.show.page import plot_style as look
from validation.show.page.sections import Plot

Cost = Literal["seconds", "unknowns", "memory_MB"]
_COSTS: Final = {"seconds": "seconds per grid", "unknowns": "unknowns", "memory_MB": "memory / MB"}


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Errors (relative) of one quantity on one family of grids, coarse to fine, with what each grid costs.

    h: step, in any unit that all curves of a plot share; memory: MB; expected, observed: orders, None where there is none.
    """

    name: str
    quantity: str
    h: Sequence[float]
    error: Sequence[float]
    unknowns: Sequence[int]
    seconds: Sequence[float]
    memory: Sequence[float] = ()
    expected: float | None = None
    observed: float | None = None


def curves(families: Iterable[Mapping[str, Any]]) -> list[Curve]:
    """Return the curves of the families in `converge.json`; those of one backend, grids and quantity each."""
    found = []
    for family in families:
        orders = family["observed_order"]
        known = [order for order in (orders if isinstance(orders, list) else [orders]) if order is not None]
        at = family.get("frequency_Hz")
        found.append(
            Curve(
                name=f"{family['backend']}, {family['grids']}",
                quantity=family["quantity"] if at is None else f"{family['quantity']} at {at:g} Hz",
                h=family["h"],
                error=family["error"],
                unknowns=family["unknowns"],
                seconds=family["seconds"],
                memory=family.get("memory_MB") or (),
                expected=family["expected_order"],
                observed=known[-1] if known else None,
            )
        )
    return found


def convergence(shown: Sequence[Curve], step: str, quantity: str = "Z") -> Plot:
    """Error over h, log-log, with a dotted line of the expected order beside every family; step: what h is, with its unit."""
    traces: list[Any] = []
    for number, curve in enumerate(shown):
        colour, symbol = look.backend(number)
        exact = max(curve.error, default=0.0) < 1e-9
        orders = "exact to rounding" if exact else f"order {_order(curve.observed)}, expected {_order(curve.expected)}"
        text = [_told(curve, k) for k in range(len(curve.h))]
        traces.append(_points(curve.h, curve.error, f"{look.plain(curve.name)}: {orders}", colour, symbol, text))
        if curve.expected and not exact:
            traces.append(_slope(curve, colour))
    return Plot(
        name="convergence",
        caption=f"Error of {quantity} on every grid over its step. Dotted: the slope that theory expects.",
        description="; ".join(
            f"{curve.name}: error {curve.error[0]:.1e} on the coarsest to {curve.error[-1]:.1e} on the finest of "
            f"{len(curve.h)} grids, order {_order(curve.observed)}, expected {_order(curve.expected)}"
            for curve in shown
            if len(curve.error)
        ),
        figure=look.figure(
            traces,
            height=470,
            xaxis=look.few_decades([h for curve in shown for h in curve.h], step),
            yaxis=look.logarithmic("error, relative", dtick=1),
            legend=_legend(),
        ),
    )


def work_precision(shown: Sequence[Curve], quantity: str = "Z", costs: Sequence[Cost] = ("seconds", "unknowns")) -> Plot:
    """Error over seconds, and over unknowns, side by side: the lower left is the better."""
    traces: list[Any] = []
    axes: dict[str, Any] = {}
    width = 1 / len(costs)
    for place, what in enumerate(costs):
        tail = "" if place == 0 else str(place + 1)
        every = [max(float(value), 1e-3) for curve in shown for value in _cost(curve, what)]
        axes[f"xaxis{tail}"] = look.few_decades(every, _COSTS[what]) | {
            "domain": [place * width + 0.05 * (place > 0), (place + 1) * width - 0.03 * (place + 1 < len(costs))],
            "anchor": f"y{tail}",
        }
        axes[f"yaxis{tail}"] = look.logarithmic("error, relative" if place == 0 else "", anchor=f"x{tail}", dtick=1)
        if place:
            axes[f"yaxis{tail}"] |= {"matches": "y", "showticklabels": False}
        for number, curve in enumerate(shown):
            colour, symbol = look.backend(number)
            values = [max(float(value), 1e-3) for value in _cost(curve, what)]
            text = [_told(curve, k) for k in range(len(curve.error))]
            made = _points(values, curve.error, look.plain(curve.name), colour, symbol, text)
            made.update(xaxis=f"x{tail}", yaxis=f"y{tail}", legendgroup=str(number), showlegend=place == 0)
            traces.append(made)
    return Plot(
        name="work-precision",
        caption=f"Error of {quantity} against what a grid costs. Seconds are of this run on its machine, beside what else ran.",
        description="; ".join(
            f"{curve.name}: error {curve.error[-1]:.1e} with {curve.unknowns[-1]:,} unknowns in {curve.seconds[-1]:.2g} s"
            for curve in shown
            if len(curve.error)
        ),
        figure=look.figure(traces, height=430, **axes),
    )


def _cost(curve: Curve, what: Cost) -> Sequence[float]:
    return {"seconds": curve.seconds, "unknowns": curve.unknowns, "memory_MB": curve.memory}[what]


def _points(x: Sequence[float], y: Sequence[float], name: str, colour: str, symbol: str, text: Sequence[str]) -> go.Scatter:
    return go.Scatter(
        x=list(x),
        y=look.shown(y),
        mode="lines+markers",
        name=name,
        line={"color": colour, "width": 1.6},
        marker={"symbol": symbol, "size": 9, "color": colour, "line": {"color": colour, "width": 1.6}},
        text=list(text),
        hovertemplate="%{text}<extra></extra>",
    )


def _slope(curve: Curve, colour: str) -> go.Scatter:
    """A line of the expected order, a factor above the first error."""
    h = np.asarray(curve.h, dtype=float)
    y = 1.8 * curve.error[0] * (h / h[0]) ** float(curve.expected or 0.0)
    line = {"color": colour, "width": 1.2, "dash": "dot"}
    return go.Scatter(x=h.tolist(), y=look.shown(y), mode="lines", line=line, showlegend=False, hoverinfo="skip")


def _legend() -> dict[str, Any]:
    return {"orientation": "v", "x": 0, "xanchor": "left", "yref": "container", "y": 0, "yanchor": "bottom"}


def _order(order: float | None) -> str:
    return "not known" if order is None or not math.isfinite(order) else f"{order:.2f}"


def _told(curve: Curve, k: int) -> str:
    lines = [
        f"<b>{look.plain(curve.name)}</b>",
        f"grid {k + 1} of {len(curve.error)}",
        f"error {curve.error[k]:.2e}",
        f"{curve.unknowns[k]:,} unknowns",
        f"{curve.seconds[k]:.2g} s",
    ]
    return "<br>".join(lines)
