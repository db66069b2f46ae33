"""The paper's cells, and their files."""

from __future__ import annotations

from pathlib import Path

import fem_constriction as fc

DATA = Path(__file__).parents[1] / "data"

#: The paper's figure 2 at 25 % contact with 5 layers instead of 50: every process, a fifth of the time.
SMALL = {"electrolyte.grain_boundaries.layers": 5, "electrolyte.grain_boundaries.conductivity": "0.597 uS/cm"}


def paper_cell(name: str) -> fc.Cell:
    return fc.Cell.load(DATA / "cells" / f"{name}.toml")
