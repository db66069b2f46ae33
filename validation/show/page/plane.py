"""Z(f) on a page: -Im Z over Re Z on equal axes with the frequency of each point, |Z| and its phase over frequency."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fem_constriction.arrays import Complex
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.processes.circuits import CONSTRICTION, physical
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.result import Result
from validation.show.colours import FIT, of_arc
from validation.show.page import plot_style as look
from validation.show.page.sections import Plot
from validation.show.report import amount

#: Least distance of two frequency labels, as a part of the width of the plot.
APART = 0.075


def nyquist(result: Result) -> Plot:
    """-Im Z over Re Z: every backend with the frequency of each point, the fitted circuit, its arcs, the 1D-PM.

    A cell that blocks direct current is shown from the high-frequency end, as far up as it is wide.
    """
    limits, verdicts = result.agreement.limits, result.agreement.verdicts
    every = np.concatenate([limit.impedance for limit in limits.values()])
    width = float(every.real.max())
    height = min(float((-every.imag).max()), 0.6 * width)
    unit, prefix = look.prefix(width)
    dense = np.geomspace(result.agreement.frequency.min(), result.agreement.frequency.max(), 400)
    extraction, traces = result.extraction, []
    if extraction is not None and extraction.arcs:
        fitted = extraction.circuit().impedance(dense) / unit
        traces = [*_arcs(extraction, unit), _line("fit", fitted, FIT)]
    traces.append(_line("1D-PM", physical(result.cell).impedance(dense) / unit, look.GREY, "dash"))
    for number, (name, limit) in enumerate(limits.items()):
        colour, symbol = look.backend(number)
        z = limit.impedance / unit
        traces.append(
            go.Scatter(
                x=z.real.tolist(),
                y=(-z.imag).tolist(),
                mode="markers",
                name=look.plain(name),
                marker={"symbol": symbol, "size": 9, "color": colour, "line": {"color": colour, "width": 1.6}},
                text=[_told(name, limit, k, str(verdicts[k])) for k in range(len(limit))],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    figure = look.figure(
        traces,
        height=520,
        xaxis={
            "title": {"text": f"Re Z / {prefix}ohm"},
            "range": [-0.03 * width / unit, 1.08 * width / unit],
            "constrain": "domain",
        },
        yaxis={
            "title": {"text": f"\N{MINUS SIGN}Im Z / {prefix}ohm"},
            "range": [-0.06 * height / unit, 1.3 * height / unit],
            "scaleanchor": "x",
            "scaleratio": 1,
            "constrain": "domain",
        },
        annotations=_labels(next(iter(limits.values())), unit, width, height),
        meta={"shape": 1.36 * height / (1.11 * width)},
    )
    return Plot(
        name="nyquist",
        caption="Impedance plane: a point shows its frequency, impedance, uncertainty and verdict; drag to zoom, double click "
        "to return. Filled half circles are the arcs of the fitted circuit; dashed, the physical one-dimensional circuit "
        "without constriction.",
        description=f"Nyquist plot of {' and '.join(limits)} from {_hertz(limits, min)} to {_hertz(limits, max)}; the real "
        f"part reaches {amount(width, 'ohm')}. The numbers are in the table of all frequencies.",
        figure=figure,
    )


def bode(result: Result) -> Plot:
    """|Z| and the phase -arg Z over frequency, of every backend and of the fitted circuit."""
    limits, frequency = result.agreement.limits, result.agreement.frequency
    dense = np.geomspace(frequency.min(), frequency.max(), 400)
    circuit = None if result.extraction is None or not result.extraction.arcs else result.extraction.circuit()
    traces: list[Any] = []
    if circuit is not None:
        z = circuit.impedance(dense)
        for axis, values in (("y", np.abs(z)), ("y2", -np.angle(z, deg=True))):
            first = axis == "y"
            line = {"color": "#000000", "width": 1.3}
            traces.append(
                go.Scatter(
                    x=dense.tolist(), y=values.tolist(), yaxis=axis, mode="lines", name="fit", line=line, showlegend=first,
                    legendgroup="fit", hoverinfo="skip",
                )
            )  # fmt: skip
    for number, (name, limit) in enumerate(limits.items()):
        colour, symbol = look.backend(number)
        told = [_told(name, limit, k) for k in range(len(limit))]
        for axis, values in (("y", np.abs(limit.impedance)), ("y2", -np.angle(limit.impedance, deg=True))):
            traces.append(
                go.Scatter(
                    x=limit.frequency.tolist(), y=values.tolist(), yaxis=axis, mode="markers", name=look.plain(name),
                    marker={"symbol": symbol, "size": 8, "color": colour, "line": {"color": colour, "width": 1.5}},
                    legendgroup=name, showlegend=axis == "y", text=told, hovertemplate="%{text}<extra></extra>",
                )
            )  # fmt: skip
    figure = look.figure(
        traces,
        height=520,
        xaxis=look.logarithmic("frequency / Hz", anchor="y2"),
        yaxis=look.logarithmic("|Z| / ohm", domain=[0.54, 1.0], dtick=1),
        yaxis2={"title": {"text": "\N{MINUS SIGN}phase / degrees"}, "domain": [0.0, 0.46], "range": [-3, 93], "dtick": 30},
    )
    return Plot(
        name="bode",
        caption="Modulus and phase over frequency.",
        description=f"Bode plot: modulus and phase of {' and '.join(limits)} over frequency.",
        figure=figure,
    )


def _told(name: str, limit: Spectrum, k: int, verdict: str = "") -> str:
    f, z = limit.frequency[k], limit.impedance[k]
    unit, prefix = look.prefix(float(np.abs(z)))
    lines = [
        f"<b>{look.plain(name)}</b>",
        f"f = {amount(float(f), 'Hz')}",
        f"Z = {z.real / unit:.6g} \N{MINUS SIGN} {-z.imag / unit:.6g} i {prefix}ohm",
    ]
    if limit.uncertainty is not None:
        lines.append(f"u = {amount(float(limit.uncertainty[k]), 'ohm', 2)}")
    return "<br>".join([*lines, verdict] if verdict else lines)


def _hertz(limits: Mapping[str, Spectrum], chosen: Any) -> str:
    return amount(float(chosen(next(iter(limits.values())).frequency)), "Hz", 0)


def _line(name: str, z: Complex, colour: str, dash: str = "solid") -> go.Scatter:
    line = {"color": colour, "width": 1.5, "dash": dash}
    return go.Scatter(x=z.real.tolist(), y=(-z.imag).tolist(), mode="lines", name=name, line=line, hoverinfo="skip")


def _arcs(extraction: Extraction, unit: float) -> Iterator[go.Scatter]:
    """Half circles side by side, ascending in tau, filled with the colour of their process; dashed if not determined."""
    circuit = extraction.circuit()
    angle = np.linspace(1e-9, np.pi - 1e-9, 80)
    start = circuit.r_elec / unit
    for number, arc in enumerate(circuit.arcs):
        z = start + arc.resistance / unit / (1 + (1j * np.tan(angle / 2)) ** arc.alpha)
        colour = of_arc(arc.name, number)
        name = arc.name.replace("_", " ")
        known = arc.name not in extraction.arcs or extraction.arcs[arc.name].known
        name += "" if known else " (not determined)"
        yield go.Scatter(
            x=z.real.tolist(), y=(-z.imag).tolist(), mode="lines", fill="tozeroy" if known else "none", name=look.plain(name),
            line={"color": colour, "width": 2 if arc.name == CONSTRICTION else 1, "dash": "solid" if known else "dash"},
            opacity=0.8,
            hovertemplate=f"<b>arc of {look.plain(name)}</b><br>R = {amount(arc.resistance, 'ohm')}<br>"
            f"C = {amount(arc.capacitance, 'F')}<br>tau = {amount(arc.tau, 's')}<extra></extra>",
        )  # fmt: skip
        start += arc.resistance / unit


def _labels(limit: Spectrum, unit: float, width: float, height: float) -> list[dict[str, Any]]:
    """Decades named beside the curve, outwards, where two are far enough apart to be read."""
    log, z = np.log10(limit.frequency), limit.impedance.conj() / unit
    order = np.argsort(log)
    taken: list[complex] = []
    found = []
    for decade in range(math.floor(log.max() + 1e-9), math.ceil(log.min() - 1e-9) - 1, -1):
        before, at, after = np.interp(decade + np.array([0.05, 0.0, -0.05]), log[order], z[order])
        inside = at.real > 0.05 * width / unit and 0.08 * height / unit < at.imag < 1.02 * height / unit
        if not inside or any(abs(at - other) < APART * width / unit for other in taken) or before == after:
            continue
        taken.append(complex(at))
        outward = 30 * np.exp(1j * np.angle(1j * (after - before)))
        if ((before + after - 2 * at) * outward.conjugate()).real > 0:  # a valley between two arcs
            outward = -outward
        found.append(
            {
                "x": float(at.real), "y": float(at.imag), "ax": float(outward.real), "ay": -float(outward.imag),
                "text": amount(10.0**decade, "Hz", 0), "arrowhead": 0, "arrowwidth": 1, "standoff": 5, "font": {"size": 12},
            }
        )  # fmt: skip
    return found
