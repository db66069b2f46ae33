"""`fem-constriction bounds`: lower <= Z(s) <= upper at direct current and real s, guaranteed, for any outline."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Group, RenderableType

from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.fem import Enclosed, FiniteElements, enclose
from fem_constriction.files import json_text, write_text
from fem_constriction.pictures import printed
from fem_constriction.pictures.words import amount
from fem_constriction.problem.one_dimensional import one_dimensional_resistance
from fem_constriction.processes.of_cell import direct_current
from fem_constriction.solving.capabilities import require
from fem_constriction.spectra.frequencies import parse_frequencies
from validation.cli.options import Json, MaybeCellFile, Quiet
from validation.gate.default_cell import cell_of
from validation.show import bounds_plots, report, terminal


def bounds(
    cell_file: MaybeCellFile = None,
    accuracy: Annotated[float, typer.Option(help="Half of upper less lower, at most, relative to Z.")] = 1e-4,
    rates: Annotated[
        str, typer.Option("--rates", metavar="a:b:n", help="Real s in 1/s beside direct current: Z(s), not Z(i omega).")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for bounds.json and a picture.", show_default="none")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Enclose R_DC, R_Cstr and Z at real s between potentials and currents on the same triangles."""
    cell = cell_of(cell_file)
    points = terminal.named("--rates", lambda: parse_frequencies(rates, "1/s", "rates")) if rates else np.zeros(0)
    require("bounds", cell, [FiniteElements()])
    s = np.append(0.0, points) if direct_current(cell) else points
    with terminal.progress(["bounds"], "", quiet or as_json, grids=3) as step:
        found = enclose(cell, accuracy, s, progress=step)
    record = described(cell, found)
    if out is not None:
        terminal.check_folder(out, [])
        write_text(out / "bounds.json", json_text(record))
        printed.save(partial(bounds_plots.bounds, cell, found), out, "bounds")
    terminal.show(record, lambda: drawn(cell, found), as_json, quiet)
    return 0


def described(cell: Cell, found: Enclosed) -> dict[str, Any]:
    """Return bounds as JSON holds them."""
    return {
        **provenance(cell),
        "s_per_second": found.s.tolist(),
        "lower_ohm": found.lower.tolist(),
        "upper_ohm": found.upper.tolist(),
        "constriction_ohm": constriction(cell, found),
        "triangulations": list(found.table),
    }


def constriction(cell: Cell, found: Enclosed) -> tuple[float, float] | None:
    """Return the enclosure of R_Cstr = R_DC(3D) - R_DC(1D-PM) in ohm, None without direct current."""
    if not np.any(found.s == 0):
        return None
    one_dimensional = one_dimensional_resistance(cell)
    return float(found.lower[found.s == 0][0] - one_dimensional), float(found.upper[found.s == 0][0] - one_dimensional)


def drawn(cell: Cell, found: Enclosed) -> RenderableType:
    """Return bounds as tables."""
    rows = [
        ("R_DC" if s == 0 else f"Z({s:.4g} 1/s)", _ohm(low), _ohm(high), f"{(high - low) / (high + low):.1e}")
        for s, low, high in zip(found.s, found.lower, found.upper, strict=True)
    ]
    squeezed = constriction(cell, found)
    if squeezed is not None:
        low, high = squeezed
        rows.insert(1, ("R_Cstr", _ohm(low), _ohm(high), f"{(high - low) / (high + low):.1e}"))
    tried = [(str(row["level"]), str(row["triangles"]), f"{row['radius']:.1e}") for row in found.table]
    return Group(
        report.table(cell.title or "Bounds", ("", "at least", "at most", "half the gap"), rows),
        report.table("Triangulations of the face", ("level", "triangles", "half the gap, worst"), tried),
    )


def _ohm(value: float) -> str:
    return amount(value, "ohm", 8)
