"""A mesh from a file as the grid of its cell, as it is or refined uniformly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fem_constriction.cell.meshfile import Measure
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.bodies import Mesh
from fem_constriction.problem.problem import Described, Problem


@dataclass(frozen=True, eq=False, kw_only=True)
class MeshGrid(Grid):
    """A mesh as the grid of its cell: lines are those of its box, areas those of its faces.

    body: the mesh as the file has it; level: how many times every cell is cut in eight.
    """

    body: Mesh
    level: int = 0

    @property
    def measure(self) -> Measure:
        """Areas and numbers of the mesh as the file has it."""
        return self.body.measure

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of cells, times 1 times 1: a mesh has no directions."""
        return self.measure.cells << 3 * self.level, 1, 1

    @property
    def fits(self) -> bool:
        """Whether its Z may bound the continuum's: the polyhedra of the mesh are the cell, if integrals over them are exact."""
        return self.measure.affine

    @cached_property
    def counter_area(self) -> float:
        """All of the working electrode's area: a mesh names what the counter electrode touches, and that is all of it."""
        return self.area

    @property
    def contact_area(self) -> float:
        """A_c in m2, of the mesh's faces."""
        return self.measure.contact

    @property
    def area(self) -> float:
        """A = A_c + A_pore in m2, of the mesh's faces."""
        return self.measure.electrode


def mesh_grid(described: Described, level: int, order: float) -> MeshGrid:
    """Return the mesh of a cell, `level` times refined uniformly; order: of convergence of that family."""
    body = Mesh.of(Problem.of(described).body)
    x, y, z = (np.array([0.0, length]) for length in body.lengths)
    name = "mesh" if not level else f"mesh, refined {level} time{'s' * (level > 1)}"
    touches = np.ones((1, 1), dtype=bool)
    return MeshGrid(x=x, y=y, layers=(z,), contact=touches, copies=1, name=name, order=order, body=body, level=level)
