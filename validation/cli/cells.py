"""`fem-constriction backends`, `schema`, `show`: what there is, and what a cell file says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fem_constriction.cell.cell import Cell
from validation.cli.options import CellFile, Json, Quiet
from validation.show import capability_report, contact_report, image_report, report, terminal


def backends(
    cell_file: Annotated[
        Path | None, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default="every kind of cell")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """List the installed backends, and which command takes which kind of cell on which of them; or this cell."""
    if cell_file is not None:
        found = capability_report.of_cell(Cell.load(cell_file))
        terminal.show(found, lambda: capability_report.cell_report(found), as_json, quiet)
        return 0
    rows = capability_report.general_rows()
    terminal.show(rows, lambda: capability_report.general_report(rows), as_json, quiet)
    return 0


def schema(as_json: Json = False, quiet: Quiet = False) -> int:
    """Print the JSON schema of the cell file, for editors to complete it."""
    terminal.show(Cell.json_schema(), lambda: "", not quiet, quiet)
    return 0


def show(
    cell_file: CellFile,
    as_json: Json = False,
    quiet: Quiet = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Draw the cell here, from above and in section; of a label image its sections.",
            show_default="none",
        ),
    ] = None,
) -> int:
    """Show a cell in SI units, and what follows from it; with --quiet only check the file."""
    cell = Cell.load(cell_file)
    record = {"cell": cell.model_dump(mode="json", exclude_none=True), "derived": report.derived(cell)}
    seen = image_report.seen(cell)
    if seen is not None:
        record["image"] = image_report.record(seen.facts)
    facts = contact_report.record(cell)
    if facts is not None:
        record["face"] = facts
    more = [*image_report.tables(seen), *contact_report.tables(facts)]
    terminal.show(record, lambda: report.cell_report(cell, more), as_json, quiet)
    if out is not None:
        times = {name: arc["tau_s"] for name, arc in record["derived"]["1D-PM"].items()}
        written = image_report.write(cell, seen, out) if facts is None else contact_report.write(cell, facts, times, out)
        if not quiet and not as_json:
            terminal.console().print(f"Written to {out}: {', '.join(path.name for path in written)}")
    return 0
