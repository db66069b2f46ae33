"""u/|Z - Z_true| over cells and points, and the largest |Z - Z_true|/u of every cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.pictures import colours
from fem_constriction.pictures.picture import Axis, Line, Mark, Panel, Picture, Rule, Series, cycled
from validation.benchmarks.honesty.cells import BACKENDS
from validation.benchmarks.honesty.judging import FLOOR, WIDTH

_LINES: Final[tuple[Line, ...]] = ("solid", "dash", "dashdot", "dot")


def honesty_picture(record: Mapping[str, Any]) -> Picture:
    """Histograms of u over error, and cells in the order of their largest error over u: a colour a backend, a line a kind."""
    edges = np.logspace(-1, 3, 41)
    widths: list[Mark] = [Rule(at=1.0, across="x", line="solid"), Rule(at=WIDTH, across="x", line="dot")]
    shares: list[Mark] = [Rule(at=1.0, across="x", line="solid")]
    for number, backend in enumerate(reversed(BACKENDS)):
        colour = cycled(colours.BACKENDS, number)[0]
        for place, kind in enumerate(record["kinds"]):
            rows = [row for row in record["cells"] if row["kind"] == kind and backend in row]
            if not rows:
                continue
            ratios, largest = zip(*(_of_cell(row[backend]) for row in rows), strict=True)
            counts = np.histogram(np.concatenate(ratios), bins=edges)[0]
            label = backend if len(record["kinds"]) == 1 else f"{kind}: {backend}"
            look: dict[str, Any] = {"colour": colour, "line": cycled(_LINES, place), "steps": True, "label": label}
            widths.append(Series(x=edges, y=np.append(counts, 0), **look))
            share = np.arange(1, len(largest) + 1) / len(largest)
            shares.append(Series(x=np.sort(largest), y=share, **look))
    ratio = Axis(label="*u* / |error| at one point", scale="log")
    most = Axis(label="largest |error| / (*u* + *u* of the reference)", scale="log")
    return Picture(
        name="honesty",
        rows=[
            [
                Panel(marks=widths, x=ratio, y=Axis(label="points")),
                Panel(marks=shares, x=most, y=Axis(label="share of cells", range=(0, 1.02))),
            ]
        ],
        caption="Left: how much wider u is than the error it covers. Right: a cell beyond 1 is outside of its u somewhere.",
        description="Ratios of stated uncertainty and true error over random cells.",
        size=(7.4, 3.3),
        columns=4,
    )


def _of_cell(found: Mapping[str, Any]) -> tuple[Array, float]:
    """u over error where it is known, and the largest error over u of a cell."""
    u, error, unknown = (np.array(found[key], dtype=float) for key in ("u", "error", "u_reference"))
    known = (error > FLOOR) & (error > unknown)
    return (u / np.maximum(error, 1e-300))[known], float(np.max(error / (u + unknown)))
