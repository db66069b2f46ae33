"""The cell that is meant where none is given: figure 2 of the paper at 25 % contact."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fem_constriction.cell.cell import Cell

DEFAULT_CELL = "figure_2_25.toml"


def cell_of(file: Path | None) -> Cell:
    """Return the cell in a file; without one, that of the paper's figure 2 at 25 % contact."""
    return Cell.loads(files("validation.gate").joinpath(DEFAULT_CELL).read_text("utf-8")) if file is None else Cell.load(file)
