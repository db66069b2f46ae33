"""`fem-constriction bounds`: lower <= Z(s) <= upper at direct current and real s, guaranteed, of any outline or image."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Group, RenderableType

from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.files import json_text, write_text
from fem_constriction.pictures import printed
from fem_constriction.pictures.words import amount
from fem_constriction.processes.of_cell import direct_current
from fem_constriction.solving.backends import BUILT_IN, backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.spectra.frequencies import parse_frequencies
from validation.cli.options import Json, MaybeCellFile, Quiet
from validation.discs.bounds import Bounds, bounds_of
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
    """Enclose R_DC, R_Cstr and Z at real s between potentials and currents on the same triangles, or voxels."""
    cell = cell_of(cell_file)
    points = terminal.named("--rates", lambda: parse_frequencies(rates, "1/s", "rates")) if rates else np.zeros(0)
    require("bounds", cell, [backend_named(name) for name in BUILT_IN])
    s = np.append(0.0, points) if direct_current(cell) else points
    with terminal.progress(["bounds"], "", quiet or as_json, grids=3) as step:
        found = bounds_of(cell, accuracy, s, progress=step)
    record = described(cell, found)
    if out is not None:
        terminal.check_folder(out, [])
        write_text(out / "bounds.json", json_text(record))
        printed.save(partial(bounds_plots.bounds, cell, found.enclosed), out, "bounds")
    terminal.show(record, lambda: drawn(cell, found), as_json, quiet)
    return 0


def described(cell: Cell, found: Bounds) -> dict[str, Any]:
    """Return bounds as JSON holds them."""
    enclosed = found.enclosed
    return {
        **provenance(cell),
        "s_per_second": enclosed.s.tolist(),
        "lower_ohm": enclosed.lower.tolist(),
        "upper_ohm": enclosed.upper.tolist(),
        "constriction_ohm": found.constriction,
        bounds_plots.GRIDS[unit_of(found)]: list(enclosed.table),
    }


def unit_of(found: Bounds) -> str:
    """Return what the grids that were tried are made of, as their rows call it."""
    return next(name for name in bounds_plots.GRIDS if name in found.enclosed.table[0])


def drawn(cell: Cell, found: Bounds) -> RenderableType:
    """Return bounds as tables."""
    enclosed, unit = found.enclosed, unit_of(found)
    rows = [
        ("R_DC" if s == 0 else f"Z({s:.4g} 1/s)", _ohm(low), _ohm(high), f"{(high - low) / (high + low):.1e}")
        for s, low, high in zip(enclosed.s, enclosed.lower, enclosed.upper, strict=True)
    ]
    if found.constriction is not None:
        low, high = found.constriction
        gap = (high - low) / abs(high + low) if high + low else float("nan")
        rows.insert(1, ("R_Cstr", _ohm(low), _ohm(high), f"{gap:.1e}"))
    tried = [(str(row["level"]), f"{row[unit]:.0f}", f"{row['radius']:.1e}") for row in enclosed.table]
    return Group(
        report.table(cell.title or "Bounds", ("", "at least", "at most", "half the gap"), rows),
        report.table(f"{bounds_plots.GRIDS[unit].capitalize()} that were tried", ("level", unit, "half the gap, worst"), tried),
    )


def _ohm(value: float) -> str:
    return amount(value, "ohm", 8)
