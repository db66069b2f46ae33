"""Extruded elements between two patterned electrodes, whatever the plane is made of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.fem.stacks.extruded import ExtrudedElements
from fem_constriction.fem.stacks.operators import Extruded, Numbering
from fem_constriction.fem.stacks.spaces import VerticalSpace, free_of
from fem_constriction.fem.stacks.two_port import two_port
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE, COUNTER_PORE, PORE
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.modes import Lateral
from fem_constriction.stack.two_faced_volume import TwoFacedStack
from fem_constriction.stack.two_faces import TwoFaced, TwoPlanes
from fem_constriction.stack.two_pencils import TwoPencils


class TwoFacedElements(ExtrudedElements):
    """A plane times lines along z, with a face of its own at either electrode."""

    def counter(self, plane: Any, problem: Problem, grid: Any) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Return int u v over the contact and over the pores of the counter electrode's face."""
        raise NotImplementedError

    def layered(self, problem: Problem, grid: Any) -> Layered | None:
        """Return the elements as a stack between two faces, to be solved there."""
        self.affordable(grid)
        plane = self.plane(grid, ideal=problem.ideal_contact)
        contact, pore = self.counter(plane, problem, grid)
        area = grid.copies * grid.depth**2
        free = plane.free(ideal=problem.ideal_contact), free_of(contact, ideal=problem.ideal_counter)
        joined = problem.body.course.boundaries.count(None)
        rows = sum(self.degree * (len(lines) - 1) + 1 for lines in grid.layers) - joined
        functions = plane.functions
        return TwoFaced.of(
            TwoPlanes(functions) if isinstance(functions, Lateral) else TwoPencils(functions),
            (
                {CHARGE_TRANSFER: plane.contact * area, PORE: plane.pore * area},
                {COUNTER_ELECTRODE: contact * area, COUNTER_PORE: pore * area},
            ),
            free,
            layers=[np.diff(lines) for lines in grid.layers],
            two_port=two_port(self.degree),
            area=area,
            unit=grid.depth,
            description=self.described(grid, Numbering(rows, *free)),
            course=problem.body.course,
        )

    def assemble(self, problem: Problem, grid: Grid) -> Assembly:
        """Return one matrix per place, from the forms assembled on the plane and along z."""
        self.check(problem, grid)
        depth = grid.depth
        plane: Any = self.plane(grid, ideal=problem.ideal_contact)
        contact, pore = self.counter(plane, problem, grid)
        line = VerticalSpace.build([z / depth for z in grid.layers], self.degree, problem.body.course)
        numbering = Numbering(line.size, plane.free(ideal=problem.ideal_contact), free_of(contact, ideal=problem.ideal_counter))
        area, top, bottom = grid.copies * depth**2, line.row(0), line.row(-1)
        terms = self.below(plane, line, grid) | {
            CHARGE_TRANSFER: [(top, plane.contact * area)],
            PORE: [(top, plane.pore * area)],
            COUNTER_ELECTRODE: [(bottom, contact * area)],
            COUNTER_PORE: [(bottom, pore * area)],
        }
        metal = (CHARGE_TRANSFER, PORE)
        volume, banded = grid.copies * depth, partial(self._banded, rows=line.size)

        def prepare(y: Mapping[str, Array]) -> Any:
            stack = TwoFacedStack(
                plane.lateral,
                {name: banded(matrix) * volume for name, matrix in line.stiffnesses.items()}
                | {name: banded(matrix) * area for name, matrix in line.jumps_of.items()},
                {name: banded(matrix) * volume for name, matrix in line.masses.items()},
                (
                    {CHARGE_TRANSFER: plane.contact * area, PORE: plane.pore * area},
                    {COUNTER_ELECTRODE: contact * area, COUNTER_PORE: pore * area},
                ),
                (numbering.first, numbering.last),
            )
            return stack.prepare(y)

        return Assembly(
            operators={place: Extruded(terms[place], numbering, metal=place in metal) for place in problem.places},
            precondition=prepare,
            **self._offered(problem, plane, line, numbering, grid),
            bound="lower" if grid.fits else None,
            description=self.described(grid, numbering),
        )
