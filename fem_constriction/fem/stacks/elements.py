"""Hexahedra on lines that sit on the contact's edges, or with shares of the contact where equal cells are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.fem.stacks.extruded import ExtrudedElements
from fem_constriction.fem.stacks.fields import Gradients
from fem_constriction.fem.stacks.operators import Numbering
from fem_constriction.fem.stacks.potentials import ElementFields
from fem_constriction.fem.stacks.sides import USUAL, rectangular_sides
from fem_constriction.fem.stacks.spaces import PlanarSpace, VerticalSpace
from fem_constriction.fem.stacks.traces import traces
from fem_constriction.fem.stacks.two_faced import TwoFacedElements
from fem_constriction.grids.grid import CROWDED, Grading, Grid, family_member, uniform
from fem_constriction.grids.pixelated import pixel_member, pixels_cut
from fem_constriction.problem.faces import Mesher
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.course import Course
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

    offers: ClassVar[Collection[str]] = (FAMILY, UNIFORM, FIELDS, POTENTIALS, ENCLOSURE)

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return member `level` of the cell's family of graded grids."""
        return family_member(problem, GRADINGS[self.degree], level, CROWDED // self.degree)

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
        touched, free = _met(grid.contact, grid.touched, grid.pores, ideal=ideal)
        return PlanarSpace.build(grid.x / grid.depth, grid.y / grid.depth, touched, self.degree, free)

    def in_space(
        self, plane: PlanarSpace, line: VerticalSpace, numbering: Numbering, grid: Grid, course: Course
    ) -> dict[str, Callable[..., Any]]:
        """Return potentials and currents in space, and what guaranteed discs take."""
        x, y, degree, depth = plane.x, plane.y, self.degree, grid.depth

        def row(potentials: Potentials) -> Any:
            return numbering.row_of(potentials)

        return {
            "gradients": lambda potentials: Gradients(
                x, y, line, degree, depth, row(potentials), potentials.values(slice(-1, None))[0]
            ),
            "inside": lambda potential, places, _: ElementFields(
                x, y, line, degree, depth, row(potential), [places[name] for name in course.bulks]
            ),
            "traces": partial(_traces, plane, line, numbering, degree, depth, grid.copies),
        }


class TwoHexahedra(TwoFacedElements, Hexahedra):
    """The same between two patterned electrodes."""

    offers = (FAMILY, UNIFORM, FIELDS)

    def counter(self, plane: PlanarSpace, problem: Problem, grid: Grid) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Return int u v over the contact and over the pores of the counter electrode's face."""
        assert grid.counter is not None
        met = _met(grid.counter, grid.counter_touched, grid.counter_pores, ideal=problem.ideal_counter)
        return plane.touched(*met)


class PixelElements(Hexahedra):
    """Rectangles between the lines of an image's pixels, of degree 1: no degree is of a higher order at the edges of pixels.

    At an ideal contact; with a resistance degree 2 on half as many lines would be five times nearer, and its modes no cosines.
    """

    offers: ClassVar[Collection[str]] = (FAMILY, UNIFORM, FIELDS, POTENTIALS)

    def __init__(self, name: str, degree: int, mesher: Mesher | None) -> None:
        super().__init__(name, 1, mesher)

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return member `level` of the family that cuts pixels."""
        return pixel_member(problem, level)

    def uniform(self, problem: Problem, resolution: int) -> Grid:
        """Return the grid of `resolution` elements per edge of the cell, a whole number for every pixel."""
        return pixels_cut(problem, resolution)


class TwoPixelElements(TwoHexahedra, PixelElements):
    """The same between two patterned electrodes, images both of them, or one whose edges lie on the other's pixels."""

    offers = (FAMILY, UNIFORM, FIELDS)


def _met(contact: NDArray[np.bool_], touched: Array, pores: Array | None, *, ideal: bool) -> tuple[Array, Array | None]:
    """The part of each cell that is contact, and, of pores that are not equally deep, what each has of them: with d_0/d."""
    if not ideal:
        return touched, pores
    whole = None if pores is None else np.where(contact, 0.0, pores / np.where(contact, 1.0, 1 - touched))
    return contact.astype(float), whole


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
    above = line.above.tolist()
    jumps = traces(plane.x, plane.y, degree, row, [(a, a + 1) for a in above], line.size - 1, metal[0], (x, y), depth)
    area = copies * depth**2
    return Traces(jumps.metal * area, jumps.boundaries * area, jumps.counter * area)
