"""The built-in backends on coarse grids: solved in a moment."""

from __future__ import annotations

from fem_constriction.cell.cell import Cell
from fem_constriction.fem import FiniteElements
from fem_constriction.grids.grid import Grading, Grid, family_member
from network import Network


class CoarseNetwork(Network):
    def grid(self, cell: Cell, level: int) -> Grid:
        return family_member(cell, Grading(exponent=2.5, steps=4), level)


class CoarseElements(FiniteElements):
    def grid(self, cell: Cell, level: int) -> Grid:
        return family_member(cell, Grading(exponent=4.0, steps=1), level)
