"""Prisms on triangles that follow the contact's outline: the finite elements where no grid line does."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from fem_constriction.errors import InputError
from fem_constriction.fem.prisms.equilibrated import PER_TRIANGLE, MixedElements, triangular_sides
from fem_constriction.fem.prisms.gaps import check_gaps
from fem_constriction.fem.prisms.plane_memory import check_plane
from fem_constriction.fem.prisms.prism_fields import PrismFields
from fem_constriction.fem.prisms.prisms import STACKED, Prisms, TriangleSpace, prisms
from fem_constriction.fem.stacks.elements import GRADINGS
from fem_constriction.fem.stacks.extruded import ExtrudedElements
from fem_constriction.fem.stacks.operators import Numbering
from fem_constriction.fem.stacks.spaces import VerticalSpace
from fem_constriction.fem.stacks.two_faced import TwoFacedElements
from fem_constriction.grids.grid import Grid, uniform
from fem_constriction.problem.faces import Mask, overlaid
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.course import Course
from fem_constriction.reduction.projection import BLOCK
from fem_constriction.solving.capabilities import ENCLOSURE, FAMILY, FIELDS, TRIANGLES, UNIFORM
from fem_constriction.solving.one_grid import check_memory
from fem_constriction.stack.sides import Sides

#: Doubles per unknown of a factorisation for each mode along z, at each shift of a block (measured 80 to 140).
ENTRIES = 140


#: Triangles of the coarsest level up to which a cross-check's discs take the next one.
FEW = 120


class PrismElements(ExtrudedElements):
    """Triangles of the face times lines along z."""

    offers: ClassVar[Collection[str]] = (FAMILY, UNIFORM, FIELDS, ENCLOSURE, TRIANGLES)
    grids = Prisms

    def grid(self, problem: Problem, level: int) -> Prisms:
        """Return member `level` of the cell's family of prisms."""
        return prisms(problem, GRADINGS[self.degree], level, self.mesher)

    def uniform(self, problem: Problem, resolution: int) -> Grid:
        """Return the grid of `resolution` hexahedra per edge, those that the outline cuts with their share of the contact."""
        return uniform(problem, resolution)

    def opposite(self, problem: Problem) -> MixedElements | None:
        """Return what bounds Z from the other side on the same kind of grids: no voxel grid fits the outline."""
        return MixedElements(mesher=self.mesher)

    def sides(self, problem: Problem, level: int | None) -> Sides:
        """Return potentials and currents of the face's triangles; by themselves, twice as fine where the coarsest are few."""
        found = prisms(problem, GRADINGS[2], level or 0, self.mesher)
        if level is None and found.shape[0] <= FEW:
            found = prisms(problem, GRADINGS[2], 1, self.mesher)
        check_plane(found.shape[0] * PER_TRIANGLE[1], f"{self.name}, discs on {found.name} ({found.shape[0]} triangles)")
        return triangular_sides(problem, found)

    def nodes(self, grid: Prisms) -> int:
        """About how many nodes a triangulation has: vertices are half of its triangles, edges three halves."""
        return int(0.55 * self.degree**2 * grid.shape[0] + 50)

    def affordable(self, grid: Any) -> None:
        """Raise MemoryShort where functions of the triangulation would not fit."""
        check_plane(self.nodes(grid), f"{self.name} on {grid.name} ({grid.shape[0]} triangles)")

    def check(self, problem: Problem, grid: Prisms) -> None:
        """Raise MemoryShort where functions of the triangulation, or factorisations for all unknowns, would not fit."""
        self.affordable(grid)
        if (nodes := self.nodes(grid)) >= STACKED:
            unknowns = self.unknowns(problem, grid)
            width = int(np.clip(BLOCK // unknowns, 1, 8))
            check_memory(unknowns, f"{self.name}, all unknowns of {grid.name} ({nodes} nodes each)", ENTRIES * width)

    def plane(self, grid: Prisms, *, ideal: bool) -> TriangleSpace:
        """Return the space of the face."""
        return TriangleSpace.build(grid.plane, grid.depth, self.degree)

    def in_space(
        self, plane: TriangleSpace, line: VerticalSpace, numbering: Numbering, grid: Prisms, course: Course
    ) -> dict[str, Callable[..., Any]]:
        """Return potentials and currents in space; guaranteed discs need the lines of a rectilinear grid."""
        return {
            "inside": lambda potential, places, _: PrismFields(
                plane, line, self.degree, grid.depth, numbering.row_of(potential), [places[name] for name in course.bulks]
            )
        }


class TwoPrismElements(TwoFacedElements, PrismElements):
    """The same between two patterned electrodes: triangles that follow the outlines of both."""

    offers = (FAMILY, UNIFORM, FIELDS)

    def counter(self, plane: TriangleSpace, problem: Problem, grid: Any) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Return int u v over the contact and over the pores of the counter electrode's face."""
        return plane.touched(grid.plane.touched[1])

    def opposite(self, problem: Problem) -> None:
        """Return nothing: currents of triangles end on a counter electrode that is the same everywhere."""

    def refusal(self, problem: Problem) -> InputError | None:
        """Return why triangles cannot follow these faces: an image beside outlines, or outlines that cross."""
        for key, face in zip(("working_electrode", "counter_electrode"), problem.whole_faces, strict=True):
            if isinstance(face, Mask):
                return InputError(
                    key=f"{key}.contact",
                    when="for finite elements",
                    why="an image has edges of pixels, which triangles along the other electrode's outlines do not follow",
                    remedy="allowed are outlines at both electrodes, or images of the same pixels",
                )
        try:
            check_gaps(overlaid(*problem.whole_faces))
        except InputError as error:
            return error
        return None
