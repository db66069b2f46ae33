"""`fem-constriction fields`: potential and current density as files for ParaView, and a picture of a section."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer
from rich.table import Table

from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.fields import Fields, fields_at
from fem_constriction.fields.section import Plane
from fem_constriction.files import json_text, write_text
from fem_constriction.problem.problem import check_solvable
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.spectra.frequencies import frequencies_taken
from validation.show import terminal

#: Planes at which the current is compared with the total: so many, and the same number of depths in the table.
PLANES = 21


def fields(
    cell_file: Annotated[Path, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default=False)],
    frequency: Annotated[
        str, typer.Option(metavar="f[,f…]", help="Frequencies in Hz, with commas between; 0 is direct current.")
    ] = "1e3",
    backend: Annotated[str, typer.Option(help="Backend, see `backends`.")] = "fem",
    level: Annotated[int | None, typer.Option(help="Grid of the backend's family, 0 the coarsest.", show_default="1")] = None,
    resolution: Annotated[int | None, typer.Option(help="A uniform grid of so many cells per edge instead.")] = None,
    part: Annotated[str, typer.Option(help="What is drawn of the potential: modulus, real, imaginary or phase.")] = "modulus",
    plane: Annotated[str, typer.Option(help="Section drawn: x or y, the coordinate that is constant on it.")] = "y",
    file_format: Annotated[str, typer.Option("--format", help="vtu or xdmf.")] = "vtu",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for fields and pictures.")] = Path("fields"),
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout, and nothing else there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no tables: files and exit status only.")] = False,
) -> int:
    """Compute potential and current density of a cell, write them for ParaView and draw the section through the middle."""
    from fem_constriction.fields import drawn as field_plots
    from fem_constriction.pictures import printed

    cell = Cell.load(cell_file)
    points = _frequencies(frequency)
    chosen = terminal.named("--backend", lambda: backend_named(backend))
    for option, value, allowed in (
        ("--part", part, tuple(field_plots.PARTS)),
        ("--plane", plane, ("x", "y")),
        ("--format", file_format, ("vtu", "xdmf")),
    ):
        if value not in allowed:
            raise InputError(key=option, value=value, allowed=f"one of {', '.join(allowed)}")
    check_solvable(cell)
    require("fields" if resolution is None else "fields --resolution", cell, [chosen])
    terminal.check_folder(out, [])
    with terminal.progress([], f"fields by {chosen.name}", quiet):
        solve = partial(fields_at, cell, points, backend=chosen, level=level, resolution=resolution)
        found = _named(("--frequency", "--level", "--resolution"), terminal.aside(solve))
        records, written = [], []
        for each in found:
            path = out / f"fields-{each.frequency:g}Hz.{file_format}".replace("e+0", "e")
            each.write(path)
            each.save(path.with_suffix(".npz"))
            written += [path, path.with_suffix(".npz")]
            records.append(summary(each))
        sections = [each.section(cast("Plane", plane)) for each in found]
        title = f"{cell.title or 'Cell'}: 1 V at the working electrode, {chosen.name}"
        draw = partial(field_plots.sections, sections, cast("field_plots.Part", part), title=title)
        written += printed.save(draw, out, "section")
    record = {**provenance(cell), "backend": chosen.name, "grid": dict(found[0].description), "fields": records}
    record["files"] = [str(path) for path in written]
    write_text(out / "fields.json", json_text(record) + "\n")
    terminal.show(record, lambda: report(records), as_json, quiet)
    if not (quiet or as_json):
        terminal.console().print(f"Written to {out}: {', '.join(path.name for path in [*written, out / 'fields.json'])}")
    return 0


def summary(found: Fields) -> dict[str, Any]:
    """Return Z, the current through planes beside the total, and how far equipotentials are from flat at depths."""
    depth = found.grid.depth * np.linspace(0, 1, PLANES)
    through = found.through(depth)
    differences = np.abs(through / found.current - 1)
    differences = differences[np.isfinite(differences)]  # planes through metal are left out
    return {
        "frequency_Hz": found.frequency,
        "real_ohm": found.impedance.real,
        "imag_ohm": found.impedance.imag,
        "largest_difference_of_current": float(differences.max(initial=0.0)) if differences.size else None,
        "solver_error": found.error,
        "depth_m": depth,
        "lateral_spread_V": found.lateral_spread(depth),
    }


def report(records: list[dict[str, Any]]) -> Table:
    """Return a table of the summaries."""
    table = Table("frequency / Hz", "Re Z / Ohm", "Im Z / Ohm", "current conserved to", "spread of |phi| at the face / V")
    for record in records:
        numbers = (record[key] for key in ("frequency_Hz", "real_ohm", "imag_ohm"))
        lost = record["largest_difference_of_current"]
        cells = [*(f"{number:.7g}" for number in numbers), "metal in every plane" if lost is None else f"{lost:.0e}"]
        table.add_row(*cells, f"{record['lateral_spread_V'][0]:.4g}")
    return table


def _named(options: Sequence[str], call: Callable[[], tuple[Fields, ...]]) -> tuple[Fields, ...]:
    """What `call` gives; a value that it refuses is called by whichever of the options it came from."""
    for option in options:
        call = partial(terminal.named, option, call)
    return call()


def _frequencies(text: str) -> list[float]:
    allowed = "numbers in Hz from 0 (direct current), with commas between, each once"
    numbers: list[float] = frequencies_taken(text, name="--frequency", zero=True).tolist()
    if len(set(numbers)) < len(numbers):
        raise InputError(key="--frequency", value=text, allowed=allowed)
    return numbers
