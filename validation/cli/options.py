"""Arguments and options that commands have in common, and the cell that is meant where none is given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CellFile = Annotated[Path, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default=False)]
MaybeCellFile = Annotated[
    Path | None, typer.Argument(metavar="CELL.toml", help="Cell file.", show_default="figure 2 of the paper, 25 % contact")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress, no tables: files and exit status only.")]
Frequencies = Annotated[
    str, typer.Option(metavar="a:b:n", help="n logarithmically spaced values from a to b in Hz, or a list: 1,10,100.")
]
