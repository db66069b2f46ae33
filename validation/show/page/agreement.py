"""|Z_1 - Z_2| beside u_1 + u_2 and the tolerance over frequency, with the verdict of each point, as a plot and as a table."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from validation.gate.result import Result
from validation.show import colours
from validation.show.page import plot_style as look
from validation.show.page.sections import Plot, Table
from validation.show.report import amount


def agreement(result: Result) -> Plot:
    """|Z_1 - Z_2|/|Z|, the allowed difference, each backend's u/|Z|, the guaranteed radius and the tolerance, log-log."""
    found = result.agreement
    f = found.frequency.tolist()
    size = np.min([np.abs(limit.impedance) for limit in found.limits.values()], axis=0)
    gap, allowed = found.difference / size, found.allowance / size
    ends = [f[int(np.argmin(f))], f[int(np.argmax(f))]]
    traces = [
        _line("tolerance", ends, [found.tolerance] * 2, look.GREY, "dash"),
        _line("allowed: u\N{SUBSCRIPT ONE} + u\N{SUBSCRIPT TWO}", f, look.shown(allowed), "#000000"),
    ]
    for number, (name, limit) in enumerate(found.limits.items()):
        u = np.zeros(len(f)) if limit.uncertainty is None else limit.uncertainty / size
        traces.append(_line(f"u of {look.plain(name)}", f, look.shown(u), look.backend(number)[0], "dashdot"))
    if found.discs is not None:
        traces.append(_line("guaranteed radius", f, look.shown(found.discs.radius / size), colours.DISCS, "dot"))
    for verdict, (colour, symbol) in look.VERDICTS.items():
        at = np.flatnonzero(found.verdicts == verdict)
        if at.size:
            traces.append(
                go.Scatter(
                    x=[f[k] for k in at],
                    y=look.shown(gap[at]),
                    mode="markers",
                    name=f"difference: {verdict}",
                    marker={"color": colour, "symbol": symbol, "size": 9},
                    text=[
                        f"<b>{verdict}</b><br>f = {amount(f[k], 'Hz')}<br>difference {gap[k]:.2e} |Z|<br>"
                        f"allowed {allowed[k]:.2e} |Z|<br>tolerance {found.tolerance:.2e} |Z|"
                        for k in at
                    ],
                    hovertemplate="%{text}<extra></extra>",
                )
            )
    figure = look.figure(
        traces, height=460, xaxis=look.logarithmic("frequency / Hz"), yaxis=look.logarithmic("relative to |Z|", dtick=1)
    )
    caption = (
        "Difference of the backends' limits at each frequency (points, with the verdict) against what their uncertainties "
        "allow. Agree: below the black line, and that below the dashed one."
    )
    if not gap.all():
        caption += f" A difference of zero is drawn at {look.FLOOR:g}."
    counts = ", ".join(f"{verdict} {int(np.sum(found.verdicts == verdict))}" for verdict in look.VERDICTS)
    return Plot(
        name="agreement",
        caption=caption,
        description=f"Relative difference of {' and '.join(found.limits)} over frequency, at most {gap.max():.1e}, against "
        f"the allowed difference, at most {allowed.max():.1e}, and the tolerance {found.tolerance:g}. Verdicts: {counts}.",
        figure=figure,
    )


def numbers(result: Result) -> Table:
    """Every frequency: Z and u of every backend, |Z_1 - Z_2|, u_1 + u_2, the verdict; ten digits, the files have all."""
    found = result.agreement
    columns, parts = ["f / Hz"], [[f"{f:.6g}" for f in found.frequency]]
    for name, limit in found.limits.items():
        columns += [f"{name}: Re Z / ohm", "Im Z / ohm", "u / ohm"]
        parts += [[f"{value:.10g}" for value in part] for part in (limit.impedance.real, limit.impedance.imag)]
        parts.append([""] * len(limit) if limit.uncertainty is None else [f"{u:.2e}" for u in limit.uncertainty])
    columns += ["difference / ohm", "allowed / ohm", "verdict"]
    parts += [[f"{value:.2e}" for value in part] for part in (found.difference, found.allowance)]
    parts.append([str(verdict) for verdict in found.verdicts])
    return Table(caption="All frequencies", columns=columns, rows=list(zip(*parts, strict=True)), left=1)


def _line(name: str, x: list[float], y: list[float], colour: str, dash: str = "solid") -> go.Scatter:
    line = {"color": colour, "width": 1.6, "dash": dash}
    return go.Scatter(x=x, y=y, mode="lines", name=name, line=line, hovertemplate="%{y:.2e} at %{x:.3g} Hz")
