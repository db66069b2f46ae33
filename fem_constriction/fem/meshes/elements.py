"""Tetrahedra or hexahedra of a mesh from a file: the finite elements of a body that is no stack."""

from __future__ import annotations

from typing import Any

from fem_constriction.fem.elements import Elements
from fem_constriction.fem.meshes.unstructured import assemble_mesh, most_unknowns
from fem_constriction.grids.mesh_grid import MeshGrid, mesh_grid
from fem_constriction.grids.orders import uniform_order
from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.solving.capabilities import FAMILY, GRID


class MeshElements(Elements):
    """The mesh as it is, or with every cell cut in eight, level by level."""

    offers = (GRID, FAMILY)
    grids = MeshGrid

    def grid(self, problem: Problem, level: int) -> MeshGrid:
        """Return the mesh, refined `level` times."""
        return mesh_grid(problem, level, uniform_order(problem))

    def unknowns(self, problem: Problem, grid: Any) -> int:
        """Return how many nodes there are at most, from the mesh's numbers."""
        return most_unknowns(grid, self.degree)

    def assemble(self, problem: Problem, grid: Any) -> Assembly:
        """Return one matrix per place."""
        return assemble_mesh(problem, grid, self.degree)
