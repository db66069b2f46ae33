"""u/|Z - Z_o| over cells and frequencies, and the largest |Z - Z_o|/u of every cell."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from validation.benchmarks.honesty import BACKENDS, FLOOR, WIDTH
from validation.show.plots import STYLE


@mpl.rc_context(STYLE)
def honesty_plot(record: dict[str, Any]) -> Figure:
    """Histograms of u over error, and cells in the order of their largest error over u; both on logarithmic axes."""
    figure = Figure(figsize=(7.4, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    bins = np.logspace(-1, 3, 41)
    for backend, colour, style in zip(BACKENDS, ("C0", "C1"), ("-", "--"), strict=True):
        ratios, largest = [], []
        for row in record["cells"]:
            u, error, oracle = (np.array(each) for each in (row[backend]["u"], row[backend]["error"], row["u_oracle"]))
            ratios.append((u / np.maximum(error, 1e-300))[(error > FLOOR) & (error > oracle)])
            largest.append(float(np.max(error / (u + oracle))))
        left.hist(np.concatenate(ratios), bins=bins, histtype="step", color=colour, linestyle=style, label=backend)
        right.step(
            np.sort(largest), np.arange(1, len(largest) + 1) / len(largest), color=colour, linestyle=style, label=backend
        )
    left.axvline(1.0, color="0.3", linewidth=1)
    left.axvline(WIDTH, color="0.3", linewidth=1, linestyle=":")
    left.set(xscale="log", xlabel="u / |error| at one frequency", ylabel="points")
    right.axvline(1.0, color="0.3", linewidth=1)
    right.set(xscale="log", xlabel="largest |error| / (u + u of the oracle) of a cell", ylabel="share of cells", ylim=(0, 1.02))
    left.legend(frameon=False)
    right.legend(frameon=False, loc="upper left")
    return figure
