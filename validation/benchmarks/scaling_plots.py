"""The scaling benchmark as a log-log plot of seconds and memory over voxels."""

from __future__ import annotations

from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from validation.show.plots import STYLE

#: Colour and marker of each method; the limit is a line without markers.
LOOKS: Final = {
    "mode by mode": ("#0072b2", "o"),
    "all unknowns": ("#56b4e9", "s"),
    "polycrystal": ("#009e73", "^"),
    "SuperLU": ("#d55e00", "x"),
    "multigrid": ("#e69f00", "v"),
    "taufactor": ("#cc79a7", "D"),
    "3D DCT": ("#000000", ""),
}


@mpl.rc_context(STYLE)
def scaling_plot(record: dict[str, Any]) -> Figure:
    """Seconds (spectrum solid, one solve dashed) and peak memory over the number of voxels."""
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    seconds, memory = figure.subplots(1, 2)
    for name, (colour, marker) in LOOKS.items():
        rows = [row for row in record["rows"] if row["method"] == name]
        if not rows:
            continue
        voxels = [row["voxels"] for row in rows]
        only_once = name == "3D DCT" or rows[0].get("direct_current_only", False)
        line = {"color": colour, "marker": marker or None}
        style = ":" if name == "3D DCT" else "--"
        if not only_once:
            seconds.plot(voxels, [row["seconds"] for row in rows], label=_label(record, name), **line)
        seconds.plot(
            voxels, [row["seconds_once"] for row in rows], ls=style, alpha=1.0 if only_once else 0.6,
            label=_label(record, name) if only_once else None, **line,
        )  # fmt: skip
        memory.plot(
            voxels, np.array([max(row["peak_bytes"], 2**20) for row in rows]) / 2**30, ls=style if only_once else "-", **line
        )
    for axes, label in ((seconds, "time / s"), (memory, "peak memory / GiB")):
        axes.set(xscale="log", yscale="log", xlabel="voxels N³", ylabel=label)
    seconds.set_title("solid: spectrum, dashed: one solve")
    figure.legend(loc="outside lower center", ncols=4)
    return figure


def _label(record: dict[str, Any], name: str) -> str:
    growth = record["growth"].get(name)
    words = {"taufactor": "TauFactor, one solve", "3D DCT": "one 3D DCT"}.get(name, name)
    return words if growth is None else f"{words}, power {growth:.2f}"
