"""Seconds and memory of a spectrum on triangulations of a face: by its modes, and by sparse functions of its two matrices.

Both reduce the same elements to the same face, so their impedances are to be equal; what they share is the reduction, and what
they do not is everything done in the plane: eigenvectors, transforms and preconditioner here, factorisations there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.console import Group, RenderableType
from rich.text import Text
from threadpoolctl import threadpool_limits

from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError, MemoryShort
from fem_constriction.fem import FiniteElements
from fem_constriction.fem.prisms.plane_memory import SQUARES, check_plane
from fem_constriction.fem.prisms.prisms import Prisms, TriangleSpace
from fem_constriction.processes.of_cell import admittances, direct_current
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.one_grid import check_memory
from fem_constriction.solving.refinement import angular_band
from fem_constriction.spectra.frequencies import frequencies_taken
from fem_constriction.stack.face_model import reduce_layered
from validation.benchmarks.harness import LIMIT, Climber, Row, climb, cost
from validation.show.tables import table

MODES: Final = "modes of the plane"
SPARSE: Final = "sparse functions"

#: Triangulations, each with half the step of the one before.
TRIANGULATIONS: Final = 3

#: Exponents of the nodes that the time of a next triangulation is foreseen with.
GROWTH: Final = {MODES: 3.0, SPARSE: 1.3}


def planes(cell: Cell, frequencies: ArrayLike, levels: int = TRIANGULATIONS, *, limit: float = LIMIT) -> dict[str, Any]:
    """Return a row per route and triangulation, as JSON can hold it, with the largest relative difference of the routes.

    `left_out` says what was not measured, and why; "honest" is False where routes differ by more than both models state
    together and by more than 1e-8, which each is made for. Raises InputError for a contact that has no triangles.
    """
    points = np.sort(frequencies_taken(frequencies))
    elements = FiniteElements()
    if levels < 1:
        raise InputError(key="levels", value=levels, allowed="a number of triangulations from 1")
    require("benchmark planes", cell, [elements])
    triangulated = cache(partial(_triangulated, cell, elements))
    left_out: dict[str, str] = {}
    rows: list[Row] = []
    for route in (MODES, SPARSE):
        climber = Climber(
            measure=partial(_row, cell, route, points, triangulated),
            size=lambda level: float(triangulated(level)[1].size),
            growth=GROWTH[route],
            called=lambda level: f"{triangulated(level)[1].size} nodes",
            room=lambda level, route=route: _room(route, triangulated(level)[1].size),  # type: ignore[misc]
        )
        for row in climb(climber, range(levels), limit):
            if isinstance(row, str):
                left_out[route] = row
            else:
                rows.append(row)
    rows = sorted(rows, key=lambda row: int(row["level"]))
    for before, row in pairwise(rows):
        if before["level"] == row["level"]:
            row["difference"] = float(np.max(np.abs(before["Z"] / row["Z"] - 1)))
            row["allowed"] = max(before["error"] + row["error"], 1e-8)
    rows = [{key: value for key, value in row.items() if key not in ("Z", "error")} for row in rows]
    differing = [row for row in rows if row.get("difference", 0.0) > row.get("allowed", 0.0)]
    return {**provenance(cell), "frequencies": points.size, "rows": rows, "left_out": left_out, "honest": not differing}


def _triangulated(cell: Cell, elements: FiniteElements, level: int) -> tuple[Prisms, TriangleSpace]:
    grid = elements.grid(cell, level)
    assert isinstance(grid, Prisms)
    return grid, TriangleSpace.build(grid.plane, grid.depth, elements.degree)


def _row(
    cell: Cell,
    route: str,
    points: NDArray[np.float64],
    triangulated: Callable[[int], tuple[Prisms, TriangleSpace]],
    level: int,
) -> Row:
    """What one route cost on one triangulation, with Z and the largest error that its model states."""
    grid, plane = triangulated(level)
    row, z, error = _measured(cell, grid, plane, route, points)
    found = {"route": route, "level": level, "triangles": grid.shape[0], "nodes": plane.size}
    return {**found, **row, "Z": z, "error": error}


def _measured(
    cell: Cell, grid: Prisms, plane: TriangleSpace, route: str, points: NDArray[np.float64]
) -> tuple[Row, NDArray[np.complex128], float]:
    """What a spectrum costs on one triangulation, Z, and the largest relative error that the model states."""
    stack = FiniteElements().layered(cell, grid)
    assert stack is not None
    s = 2j * np.pi * points
    with threadpool_limits(limits=1, user_api="blas"), cost() as spent:
        lateral = plane.lateral if route == MODES else plane.pencil
        model = reduce_layered(
            replace(stack, lateral=lateral), admittances(cell), angular_band(points), direct_current=direct_current(cell)
        )
        z = model.impedance(s)
    taken = {"seconds": spent["seconds"], "cpu_seconds": spent["cpu_seconds"], "peak_bytes": spent["peak_bytes"]}
    return {**taken, "iterations": model.statistics["iterations"]}, z, float(np.max(model.error(s)))


def _room(route: str, nodes: int) -> str:
    """Why a route would not fit, "" if it does."""
    try:
        if route == MODES:
            check_memory(nodes, route, SQUARES * nodes)
        else:
            check_plane(nodes, route)
    except MemoryShort as error:
        return str(error)
    return ""


def planes_table(record: dict[str, Any]) -> RenderableType:
    """Return the table of a record."""
    rows = [
        (
            row["route"],
            *(f"{row[name]:,}" for name in ("triangles", "nodes", "iterations")),
            f"{row['seconds']:.3g}",
            f"{row['cpu_seconds']:.3g}",
            f"{row['peak_bytes'] / 2**20:.0f}",
            f"{row['difference']:.1e}" if "difference" in row else "",
        )
        for row in record["rows"]
    ]
    heads = ("route", "triangles", "nodes", "iterations", "seconds", "cpu s", "MiB", "difference / |Z|")
    notes = [f"Left out: {route}, {reason}." for route, reason in record["left_out"].items()]
    return Group(table(f"Triangulated faces, {record['frequencies']} frequencies", heads, rows), *map(Text, notes))
