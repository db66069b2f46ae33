"""A mesh from a file as the grid of its cell, as it is or refined uniformly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fem_constriction.cell.meshfile import Measure
from fem_constriction.grids.grid import Grid

if TYPE_CHECKING:
    from fem_constriction.cell.cell import Cell
from fem_constriction.cell.description import measure_of


@dataclass(frozen=True, eq=False)
class MeshGrid(Grid):
    """A mesh as the grid of its cell: lines are those of its box, areas those of its faces.

    level: how many times every cell is cut in eight; measure: of the mesh as the file has it.
    """

    level: int = 0
    measure: Measure | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of cells, times 1 times 1: a mesh has no directions."""
        return (0 if self.measure is None else self.measure.cells) << 3 * self.level, 1, 1

    @property
    def fits(self) -> bool:
        """Whether its Z may bound the continuum's: the polyhedra of the mesh are the cell, if integrals over them are exact."""
        return self.measure is not None and self.measure.affine

    @cached_property
    def contact_area(self) -> float:
        """A_c in m2, of the mesh's faces."""
        return 0.0 if self.measure is None else self.measure.contact

    @property
    def area(self) -> float:
        """A = A_c + A_pore in m2, of the mesh's faces."""
        return 0.0 if self.measure is None else self.measure.electrode


def mesh_grid(cell: Cell, level: int, order: float) -> MeshGrid:
    """Return the mesh of a cell, `level` times refined uniformly; order: of convergence of that family."""
    measure = measure_of(cell)
    x, y, z = (np.array([0.0, length]) for length in cell.geometry.lengths)
    name = "mesh" if not level else f"mesh, refined {level} time{'s' * (level > 1)}"
    grid = MeshGrid(x=x, y=y, layers=(z,), contact=np.ones((1, 1), dtype=bool), copies=1, name=name, level=level)
    return replace(grid, measure=measure, order=order)
