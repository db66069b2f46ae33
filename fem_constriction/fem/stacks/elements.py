"""Hexahedra on lines that sit on the contact's edges, or with shares of the contact where equal cells are asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fem_constriction.fem.stacks.extruded import ExtrudedElements
from fem_constriction.fem.stacks.fields import Gradients
from fem_constriction.fem.stacks.operators import Numbering
from fem_constriction.fem.stacks.potentials import ElementFields
from fem_constriction.fem.stacks.sides import USUAL, rectangular_sides
from fem_constriction.fem.stacks.spaces import PlanarSpace, VerticalSpace
from fem_constriction.fem.stacks.traces import traces
from fem_constriction.grids.grid import Grading, Grid, family_member, uniform
from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.assembly import Potentials
from fem_constriction.solving.capabilities import ENCLOSURE, FAMILY, FIELDS, POTENTIALS, UNIFORM
from fem_constriction.space.protocols import Traces
from fem_constriction.space.reconstruction import Reconstruction
from fem_constriction.stack.sides import Sides

#: Per degree k: mu near 2 k for the full order 2 k (numerics: measured 1.9 for k = 1; 3.5 to 4.0 for k = 2).
GRADINGS = {
    1: Grading(exponent=2.5, steps=8),
    2: Grading(exponent=4.0, steps=2),
    3: Grading(exponent=5.0, steps=2),
    4: Grading(exponent=6.0, steps=2),
}


class Hexahedra(ExtrudedElements):
    """Rectangles of the face times lines along z."""

    offers = (FAMILY, UNIFORM, FIELDS, POTENTIALS, ENCLOSURE)

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return member `level` of the cell's family of graded grids."""
        return family_member(problem, GRADINGS[self.degree], level)

    def uniform(self, problem: Problem, resolution: int) -> Grid:
        """Return the grid of `resolution` elements per edge of the cell."""
        return uniform(problem, resolution)

    def sides(self, problem: Problem, level: int | None) -> Sides:
        """Return potentials and currents of the face's rectangles."""
        return rectangular_sides(problem, USUAL if level is None else level)

    def nodes(self, grid: Grid) -> int:
        """Return how many nodes the plane has."""
        nx, ny = (self.degree * cells + 1 for cells in grid.shape[:2])
        return nx * ny

    def plane(self, grid: Grid, *, ideal: bool) -> PlanarSpace:
        """Return the space of the face.

        Cells that an outline cuts are contact with their part of it; at an ideal contact, which holds nodes, with half or more.
        """
        touched = grid.contact.astype(float) if ideal else grid.touched
        return PlanarSpace.build(grid.x / grid.depth, grid.y / grid.depth, touched, self.degree)

    def in_space(
        self, plane: PlanarSpace, line: VerticalSpace, numbering: Numbering, grid: Grid
    ) -> dict[str, Callable[..., Any]]:
        """Return potentials and currents in space, and what guaranteed discs take."""
        x, y, degree, depth = plane.x, plane.y, self.degree, grid.depth

        def row(potentials: Potentials) -> Any:
            return numbering.row_of(potentials)

        return {
            "gradients": lambda potentials: Gradients(
                x, y, line, degree, depth, row(potentials), potentials.values(slice(-1, None))[0]
            ),
            "inside": lambda potential, y_bulk, _: ElementFields(x, y, line, degree, depth, row(potential), y_bulk),
            "traces": partial(_traces, plane, line, numbering, degree, depth, grid.copies),
        }


def _traces(
    plane: PlanarSpace,
    line: VerticalSpace,
    numbering: Numbering,
    degree: int,
    depth: float,
    copies: int,
    potentials: Potentials,
    x: Reconstruction,
    y: Reconstruction,
) -> Traces:
    row, metal = numbering.row_of(potentials), potentials.values(slice(-1, None))
    above = [int(below) - 1 for below in line.starts]
    jumps = traces(plane.x, plane.y, degree, row, [(a, a + 1) for a in above], line.size - 1, metal[0], (x, y), depth)
    area = copies * depth**2
    return Traces(jumps.metal * area, jumps.boundaries * area, jumps.counter * area)
