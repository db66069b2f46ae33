"""a_p(phi, psi) on a plane times along z: elements of a stack whose face is meshed once and carried through all layers.

Matrices are sums of products, one of the plane and one along z. Hexahedra and prisms differ in the plane alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.fem.elements import Elements
from fem_constriction.fem.stacks.operators import Extruded, Numbering
from fem_constriction.fem.stacks.spaces import Plane, VerticalSpace
from fem_constriction.fem.stacks.two_port import two_port
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.course import Course
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE, PORE
from fem_constriction.reduction.assembly import Assembly, Operator
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.volume import Stack

#: Place -> matrices along z and over the plane, whose products make its own in sum.
Terms = dict[str, list[tuple[sparse.csr_array, sparse.csr_array]]]


class ExtrudedElements(Elements):
    """Elements of the plane times elements along z."""

    def plane(self, grid: Any, *, ideal: bool) -> Plane:
        """Return the space of the face."""
        raise NotImplementedError

    def nodes(self, grid: Any) -> int:
        """Return how many nodes the plane has at most."""
        raise NotImplementedError

    def in_space(
        self, plane: Any, line: VerticalSpace, numbering: Numbering, grid: Any, course: Course
    ) -> dict[str, Callable[..., Any]]:
        """Return what the assembly offers of potentials in space, by member of `Assembly`."""
        raise NotImplementedError

    def check(self, problem: Problem, grid: Any) -> None:
        """Raise MemoryShort where all unknowns of the grid would not fit."""
        self.affordable(grid)

    def unknowns(self, problem: Problem, grid: Grid) -> int:
        """Return how many unknowns a grid has at most."""
        return self.nodes(grid) * (self.degree * grid.shape[-1] + len(grid.layers)) + 1

    def layered(self, problem: Problem, grid: Grid) -> Layered | None:
        """Return the elements as a stack to be solved mode by mode: every element of a column is a symmetric two-port."""
        self.affordable(grid)
        plane = self.plane(grid, ideal=problem.ideal_contact)
        area = grid.copies * grid.depth**2
        free = plane.free(ideal=problem.ideal_contact)
        rows = sum(self.degree * (len(lines) - 1) + 1 for lines in grid.layers) - problem.body.course.boundaries.count(None)
        return Layered(
            lateral=plane.functions,
            layers=[np.diff(lines) for lines in grid.layers],
            two_port=two_port(self.degree),
            area=area,
            unit=grid.depth,
            face={CHARGE_TRANSFER: plane.contact * area, PORE: plane.pore * area},
            free=free,
            description=self.described(grid, Numbering.of(rows, free, grounded=problem.ideal_counter)),
            course=problem.body.course,
        )

    def assemble(self, problem: Problem, grid: Grid) -> Assembly:
        """Return one matrix per place, from the forms assembled on the plane and along z."""
        self.check(problem, grid)
        depth = grid.depth
        plane = self.plane(grid, ideal=problem.ideal_contact)
        line = VerticalSpace.build([z / depth for z in grid.layers], self.degree, problem.body.course)
        numbering = Numbering.of(line.size, plane.free(ideal=problem.ideal_contact), grounded=problem.ideal_counter)
        volume, area = grid.copies * depth, grid.copies * depth**2
        contact, pore, whole = plane.contact * area, plane.pore * area, plane.mass * area
        terms = self.below(plane, line, grid) | {
            CHARGE_TRANSFER: [(line.row(0), contact)],
            PORE: [(line.row(0), pore)],
            COUNTER_ELECTRODE: [(line.row(-1), whole)],
        }
        metal = (CHARGE_TRANSFER, PORE)
        operators: dict[str, Operator] = {
            place: Extruded(terms[place], numbering, metal=place in metal) for place in problem.places
        }
        banded = partial(self._banded, rows=line.size - numbering.grounded)
        stack = Stack(
            lateral=plane.cheapest,
            vertical={
                **{material: banded(matrix) * volume for material, matrix in line.stiffnesses.items()},
                **{boundary: banded(matrix) * area for boundary, matrix in line.jumps_of.items()},
                COUNTER_ELECTRODE: banded(line.row(-1)) * area,
            },
            mass={material: banded(matrix) * volume for material, matrix in line.masses.items()},
            face={CHARGE_TRANSFER: contact, PORE: pore},
            free=numbering.first,
        )
        return Assembly(
            operators=operators,
            precondition=partial(Stack.prepare, stack),
            **self._offered(problem, plane, line, numbering, grid),
            bound="lower" if grid.fits else None,
            description=self.described(grid, numbering),
        )

    def _offered(
        self, problem: Problem, plane: Plane, line: VerticalSpace, numbering: Numbering, grid: Grid
    ) -> dict[str, Callable[..., Any]]:
        """What the assembly offers in space; what discs take is made for one material, boundaries of one kind, pores alike."""
        found = self.in_space(plane, line, numbering, grid, problem.body.course)
        alike = problem.body.course == Course.alike(len(grid.layers)) and problem.face.thinness is None
        return found if alike and not problem.patterned_counter else {"inside": found["inside"]}

    def below(self, plane: Plane, line: VerticalSpace, grid: Grid) -> Terms:
        """Return the matrices of what lies between the faces, (along z, over the plane) of each place."""
        volume, area = grid.copies * grid.depth, grid.copies * grid.depth**2
        found = {
            material: [(line.masses[material], plane.stiffness * volume), (matrix, plane.mass * volume)]
            for material, matrix in line.stiffnesses.items()
        }
        return found | {boundary: [(matrix, plane.mass * area)] for boundary, matrix in line.jumps_of.items()}

    def described(self, grid: Grid, numbering: Numbering) -> dict[str, Any]:
        """Return what was built, in words and numbers."""
        return {"degree": self.degree, "grid": grid.name, "cells": grid.shape, "unknowns": numbering.unknowns}

    def _banded(self, matrix: sparse.csr_array, rows: int) -> Array:
        """Return the upper diagonals of the first rows of a symmetric matrix, entry (i, i + d) at [d, i]."""
        band = np.zeros((self.degree + 1, rows))
        for d in range(self.degree + 1):
            band[d, : rows - d] = matrix.diagonal(d)[: rows - d]
        return band
