"""`fem-constriction budget`: the parts of R_DC and R_Cstr by process, backends side by side; exit status 1 if they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from fem_constriction import budgets
from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.files import json_text, write_text
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.capabilities import require
from validation.cli.options import CellFile, Json, Quiet
from validation.gate.budgets import Compared, compare
from validation.show import terminal
from validation.show.budget_tables import budget_report

FRACTION = "working_electrode.contact.fraction"


def budget(
    cell_file: CellFile,
    backends: Annotated[str, typer.Option(help="One backend or more, with commas between.")] = "network,fem",
    fractions: Annotated[
        str | None, typer.Option(metavar="0.04,0.25,...", help="Contact fractions.", show_default="that of the cell")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for budget.json and, over fractions, a picture.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Say how much of R_DC and of the constriction resistance each process makes, from two backends side by side."""
    cell = Cell.load(cell_file)
    names = list(dict.fromkeys(name.strip() for name in backends.split(",") if name.strip()))
    if not names:
        raise InputError(key="--backends", value=backends, allowed="name at least one backend")
    chosen = terminal.named("--backends", lambda: [backend_named(name) for name in names])
    cells = [cell] if fractions is None else _over(cell, fractions)
    require("budget", cell, chosen)
    for each in cells:
        budgets.check_flows(each)
    if out is not None:
        terminal.check_folder(out, [])
    with terminal.counted("budgets", len(cells), quiet) as step:
        found = terminal.aside(partial(compare, cells, chosen, step))()
    record = {**provenance(cell), "budgets": [each.as_dict() for each in found]}
    written = [] if out is None else _write(record, found, out)
    terminal.show(record, lambda: budget_report(found), as_json, quiet)
    if written and not (quiet or as_json):
        terminal.console().print(f"Written to {out}: {', '.join(path.name for path in written)}")
    wrong = [(one, name, verdict) for one in found for name, verdict in one.verdicts.items() if verdict != "agree"]
    for one, name, verdict in wrong[:1]:
        gap, width = one.difference(name)
        terminal.say(
            f"{' and '.join(one.budgets)} {'are ' * (verdict == 'unresolved')}{verdict} on {name} at contact fraction "
            f"{one.cell.contact_fraction:g}: they differ by {gap:.2g} ohm, uncertainties {width:.2g} ohm"
        )
    return 1 if wrong else 0


def _over(cell: Cell, fractions: str) -> list[Cell]:
    """The cell at other contact fractions, ascending."""
    values = set()
    for part in filter(None, map(str.strip, fractions.split(","))):
        try:
            values.add(float(part))
        except ValueError:
            raise InputError(key="--fractions", value=part, allowed="numbers from 0 to 1, with commas between") from None
    if not values:
        raise InputError(key="--fractions", value=fractions, allowed="numbers from 0 to 1, with commas between")
    return [cell.vary({FRACTION: value}) for value in sorted(values)]


def _write(record: Mapping[str, Any], found: Sequence[Compared], folder: Path) -> list[Path]:
    path = folder / "budget.json"
    write_text(path, json_text(record) + "\n")
    if sum(each.stated and not each.vanished for each in found) < 2:
        return [path]
    from fem_constriction.pictures.printed import write
    from validation.show.pictures.budget import over_fraction

    title = "Geometric constriction resistance by process, over contact fraction"
    return [path, *write(over_fraction(found, title), folder)]
