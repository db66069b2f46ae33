"""radius/|Z - centre| over random cells: the guaranteed discs against an independent solution of the same cells.

Materials over decades, contact fractions from 1 to 99 %, squares and rectangles, ideal and finite contacts, boundaries or none,
counter electrode or none; the truth is that of `validation.oracles`, with its own error estimate. A truth outside its disc
would refute the theorem or its implementation; how much larger the discs are than they need be is their effectivity.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.fem import FiniteElements
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.of_cell import direct_current
from validation import oracles
from validation.benchmarks.random_cells import FREQUENCY, SEED, random_cell
from validation.discs.face import certificate
from validation.show.tables import table

#: Oracles' orders that are tried until the truth is known this well.
ORDERS, TRUTH = (9, 10, 11), 1e-6


def effectivity(cells: int, level: int = 0, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Return radius, error of the centre and effectivity of every cell at every frequency, and what they come to.

    cells: how many; level: grid of both families. Everything relative to |Z|. Raises InputError for less than one cell.
    """
    if cells < 1:
        raise InputError(key="cells", value=cells, allowed="at least 1")
    rows = []
    for number in range(cells):
        rows.append({"cell": number, **_one(random_cell(number), level)})
        if progress is not None:
            progress(number + 1)
    ratio = np.array([row["effectivity"] for row in rows]).ravel()
    ratio = ratio[np.isfinite(ratio)]  # centres known better than the truth have none
    percentiles = (1, 10, 25, 50, 75, 90, 99)
    return {
        "seed": SEED,
        "level": level,
        "frequency_Hz": FREQUENCY.tolist(),
        "cells": rows,
        "outside": [row["cell"] for row in rows if not row["inside"]],
        "effectivity": {
            "smallest": float(ratio.min()),
            **{f"{p} %": float(np.percentile(ratio, p)) for p in percentiles},
            "values": int(ratio.size),
        },
        "radius": {f"{p} %": float(np.percentile([max(row["radius"]) for row in rows], p)) for p in (10, 50, 90, 100)},
    }


def _one(cell: Cell, level: int) -> dict[str, Any]:
    problem = Problem.of(cell).over(FREQUENCY)
    discs = certificate(problem, FiniteElements(), level).discs(FREQUENCY)
    described = oracles.from_description(tomllib.loads(cell.dumps()))
    for order in ORDERS:
        truth, error = oracles.spectrum(described, FREQUENCY, order)
        if np.max(error) <= TRUTH:
            break
    size = np.abs(truth)
    off = np.abs(discs.centre - truth)
    inside = bool(np.all(off <= discs.radius + error * size))
    if direct_current(cell) and discs.resistance is not None:
        resistance, wrong = oracles.resistance(described, order)
        low, high = discs.resistance
        inside = inside and low * (1 - wrong) <= resistance <= high * (1 + wrong)
    known = off > 3 * error * size
    ratio = np.where(known, discs.radius / np.where(known, off, 1.0), np.nan)
    return {
        "inside": inside,
        "radius": (discs.radius / size).tolist(),
        "error_of_centre": (off / size).tolist(),
        "error_of_truth": np.asarray(error).tolist(),
        "effectivity": ratio.tolist(),
    }


def effectivity_report(record: dict[str, Any]) -> RenderableType:
    """The distribution as a table, and whether every truth lies inside."""
    found, cells = record["effectivity"], record["cells"]
    rows = [(name, f"{value:.3g}") for name, value in found.items() if name != "values"]
    radius = ", ".join(f"{name} of the cells {value:.1e}" for name, value in record["radius"].items())
    verdict = "all" if not record["outside"] else f"all but {len(record['outside'])} ({record['outside']})"
    return Group(
        table(f"Guaranteed discs of {len(cells)} random cells, level {record['level']}", ("", "radius over true error"), rows),
        Text(f"The truth lies inside at {len(record['frequency_Hz'])} frequencies and direct current for {verdict} cells."),
        Text(f"Largest radius over |Z|: {radius}. Effectivities: {found['values']}, where the truth is known well enough."),
    )
