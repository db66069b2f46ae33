"""The work-precision study as log-log plots: error over processor seconds, and over unknowns."""

from __future__ import annotations

from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from validation.show.plots import STYLE

#: Colour, marker and line of each method.
LOOKS: Final = {
    "network, uniform": ("#999999", "v", "-"),
    "network, graded": ("#0072b2", "o", "-"),
    "fem, degree 1": ("#56b4e9", "s", "-"),
    "fem, degree 2": ("#009e73", "D", "-"),
    "fem 1, all unknowns": ("#56b4e9", "s", "--"),
    "fem 2, all unknowns": ("#009e73", "D", "--"),
    "prisms, exact along z": ("#cc79a7", "^", "-"),
    "NGSolve, our shifts": ("#d55e00", "P", "--"),
    "NGSolve": ("#d55e00", "x", "-"),
}


@mpl.rc_context(STYLE)
def precision_plot(record: dict[str, Any]) -> Figure:
    """Error of Z over processor seconds for the spectrum, and over unknowns; what the reference may be off is shaded."""
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    floor = max(record["reference"]["uncertainty"], record["reference"]["resistance_uncertainty"])
    for axes, key in zip(panels, ("cpu_seconds", "unknowns"), strict=True):
        for name in dict.fromkeys(row["method"] for row in record["rows"]):
            colour, marker, style = LOOKS.get(name, ("#000000", "+", "-"))
            rows = [row for row in record["rows"] if row["method"] == name]
            rows.sort(key=lambda row: float(row[key]))
            axes.plot(
                [row[key] for row in rows], [row["error"] for row in rows], color=colour, marker=marker, ls=style,
                mfc="none" if style == "--" else colour, label=name,
            )  # fmt: skip
        axes.set(xscale="log", yscale="log")
        if min(row["error"] for row in record["rows"]) < 10 * floor:
            axes.axhspan(floor / 10, floor, color="#000000", alpha=0.12, lw=0)
    panels[0].set(xlabel=f"processor time for {record['frequencies']} frequencies / s", ylabel="largest error of Z / |Z|")
    panels[1].set(xlabel="unknowns")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure
