"""Which command takes which cell on which backend: the table of `fem_constriction.solving.capabilities`, as records and as
text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from fem_constriction.cell.cell import Cell
from fem_constriction.solving.backends import installed
from fem_constriction.solving.capabilities import KINDS, TASKS, choices, gap, kind_of, taken
from validation.show.report import backend_report, backend_rows, table

#: Kinds of cell beside each other in one table of 120 columns.
BESIDE = 5


def general_rows() -> list[dict[str, Any]]:
    """Return every installed backend with the commands that it takes part in, by kind of cell."""
    backends = installed()
    found = {kind.name: taken(kind, backends) for kind in KINDS}
    rows = backend_rows()
    for row in rows:
        row["takes"] = {
            kind: [task for task, sets in tasks.items() if any(row["name"] in names for names in sets)]
            for kind, tasks in found.items()
        }
    return rows


def general_report(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Backends, and a row per command with a column per kind of cell, of few enough kinds a table that names stay whole."""
    backends, tables = installed(), []
    for start in range(0, len(KINDS), BESIDE):
        kinds = KINDS[start : start + BESIDE]
        found = [taken(kind, backends) for kind in kinds]
        lines = [(task, *(_sets(each[task]) for each in found)) for task in TASKS]
        heads = ("command", *(kind.name for kind in kinds))
        title = "Which command takes which cell, with which backends"
        tables.append(table(title, heads, lines, left=len(heads)))
    return Group(backend_report(rows), *tables, *(Text(f"{kind.name}: {kind.words} ({kind.key})") for kind in KINDS))


def of_cell(cell: Cell) -> dict[str, Any]:
    """Return what kind of cell it is, and for each command the backends that it can be asked of, or why of none."""
    kind, backends = kind_of(cell), installed()
    commands = []
    for name, task in TASKS.items():
        asked = [(each, gap(name, cell, each)) for each in choices(task, backends)]
        allowed = [[backend.name for backend in each] for each, wrong in asked if wrong is None]
        reason = None if allowed else next((wrong for _, wrong in asked if wrong), "no backend is installed")
        commands.append({"command": name, "backends": allowed, "reason": reason})
    return {"kind": kind.name, "words": kind.words, "key": kind.key, "commands": commands}


def cell_report(found: Mapping[str, Any]) -> RenderableType:
    """A row per command."""
    lines = [(each["command"], _sets(each["backends"])) for each in found["commands"]]
    return table(f"{found['words'].capitalize()} ({found['key']})", ("command", "with backends"), lines, left=2)


def _sets(found: Sequence[Sequence[str]]) -> str:
    return ", ".join(" + ".join(names) for names in found) or "none"
