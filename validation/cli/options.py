"""Arguments and options that commands have in common, and the cell that is meant where none is given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperOption

CellFile = Annotated[Path, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default=False)]
MaybeCellFile = Annotated[
    Path | None, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default="figure 2 of the paper, 25 % contact")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress, no tables: files and exit status only.")]
Frequencies = Annotated[
    str, typer.Option(metavar="a:b:n", help="n logarithmically spaced values from a to b in Hz, or a list: 1,10,100.")
]

#: Groups in which a command's help lists its options, by the names of their parameters; all others stand under "Options".
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "Accuracy and grids": (
        *("tolerance", "accuracy", "discs", "guaranteed", "resolution", "resolutions"),
        *("level", "levels", "grids", "sizes", "limit", "by", "quantity"),
    ),
    "Circuit": ("circuit", "fix", "bound", "share", "intervals", "bootstrap"),
    "Cell that is fitted": ("cell", "free", "each", "prior", "area", "noise"),
    "How it runs": ("workers", "scheduler", "retry_failed", "quick", "seed"),
    "Output": ("out", "no_header", "part", "plane", "file_format", "as_json", "quiet"),
}


def grouped(command: Any) -> Any:
    """Return a command whose options, and those of commands in it, stand in the groups of its help."""
    group_of = {name: group for group, names in GROUPS.items() for name in names}
    for each in (command, *getattr(command, "commands", {}).values()):
        for parameter in each.params:
            if isinstance(parameter, TyperOption) and parameter.name in group_of:
                parameter.rich_help_panel = group_of[parameter.name]
    return command
