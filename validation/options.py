"""Arguments and options that commands have in common, and the cell that is meant where none is given."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from fem_constriction.cell import Cell

DEFAULT_CELL = "figure_2_25.toml"

CellFile = Annotated[Path, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default=False)]
MaybeCellFile = Annotated[
    Path | None, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default="figure 2 of the paper, 25 % contact")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress, no tables: files and exit status only.")]
Frequencies = Annotated[
    str, typer.Option(metavar="a:b:n", help="n logarithmically spaced values from a to b in Hz, or a list: 1,10,100.")
]


def cell_of(file: Path | None) -> Cell:
    """Return the cell in a file; without one, that of the paper's figure 2 at 25 % contact."""
    return Cell.loads(files("validation").joinpath(DEFAULT_CELL).read_text("utf-8")) if file is None else Cell.load(file)
