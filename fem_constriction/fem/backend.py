"""sum_p y_p(s) a_p(phi, psi) = V_psi on graded hexahedra: the finite elements, as a backend.

Conforming within each layer, with exact quadrature, jumps across every grain boundary and thin-layer (Robin) terms on both
electrodes: at every real s > 0 a lower bound of the continuum, since the potential minimises over too few functions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from fem_constriction.admissible import Traces
from fem_constriction.admittance import (
    BULK,
    CHARGE_TRANSFER,
    COUNTER_ELECTRODE,
    GRAIN_BOUNDARY,
    PORE,
    admittances,
)
from fem_constriction.assembly import Array, Assembly, Bound, Operator, Potentials
from fem_constriction.fem.fields import Gradients
from fem_constriction.fem.mesh import PlanarSpace, VerticalSpace
from fem_constriction.fem.operators import Extruded, Numbering
from fem_constriction.fem.potentials import ElementFields
from fem_constriction.fem.traces import traces
from fem_constriction.grid import Grading, Grid, family_member, uniform
from fem_constriction.layered import Layered
from fem_constriction.microstructure import refuse_image
from fem_constriction.modes import Lateral, Modes
from fem_constriction.reconstruction import Reconstruction
from fem_constriction.stack import Stack

if TYPE_CHECKING:
    from fem_constriction.cell import Cell

#: Per degree k: mu near 2 k for the full order 2 k (numerics: measured 1.9 for k = 1; 3.5 to 4.0 for k = 2).
GRADINGS = {1: Grading(exponent=2.5, steps=8), 2: Grading(exponent=4.0, steps=2)}


class FiniteElements:
    """Lagrange elements of degree 1 or 2 on rectilinear hexahedra, as a backend."""

    name = "fem"
    bound: Bound = "lower"

    def __init__(self, degree: int = 2) -> None:
        self.degree = degree
        self.order = 2.0 * degree

    def grid(self, cell: Cell, level: int) -> Grid:
        """Return member `level` of the cell's family of graded grids."""
        refuse_image(cell, self.name)
        return family_member(cell, GRADINGS[self.degree], level)

    def uniform(self, cell: Cell, resolution: int) -> Grid:
        """Return the grid of `resolution` elements per edge of the cell."""
        refuse_image(cell, self.name)
        return uniform(cell, resolution)

    def unknowns(self, cell: Cell, grid: Grid) -> int:
        """Return how many unknowns a grid has at most (nodes tied to an electrode are none), before anything is built."""
        nx, ny, nz = (self.degree * cells + 1 for cells in grid.shape)
        return nx * ny * (nz + len(grid.layers) - 1) + 1

    def layered(self, cell: Cell, grid: Grid) -> Layered:
        """Return the same elements as a stack to be solved mode by mode: every element of a column is a symmetric two-port."""
        depth = grid.depth
        plane = PlanarSpace.build(grid.x / depth, grid.y / depth, grid.contact, self.degree)
        area = grid.copies * depth**2
        first = plane.contact.diagonal() == 0 if _ideal(cell) else np.ones(plane.size, dtype=bool)
        rows = sum(self.degree * (len(lines) - 1) + 1 for lines in grid.layers)
        return Layered(
            lateral=Lateral(*(Modes.generalised(each.stiffness.toarray(), each.mass.toarray()) for each in (plane.x, plane.y))),
            layers=[np.diff(lines) for lines in grid.layers],
            two_port=TWO_PORTS[self.degree],
            area=area,
            unit=depth,
            face={CHARGE_TRANSFER: plane.contact * area, PORE: plane.pore * area},
            free=first,
            description={
                "backend": self.name,
                "degree": self.degree,
                "grid": grid.name,
                "cells": grid.shape,
                "unknowns": Numbering(rows, first, grounded=COUNTER_ELECTRODE not in admittances(cell)).unknowns,
            },
        )

    def assemble(self, cell: Cell, grid: Grid) -> Assembly:
        """Return one matrix per process, from the forms assembled on the plane and along z."""
        refuse_image(cell, self.name)
        processes = admittances(cell)
        ideal = _ideal(cell)
        depth = grid.depth
        plane = PlanarSpace.build(grid.x / depth, grid.y / depth, grid.contact, self.degree)
        line = VerticalSpace.build([z / depth for z in grid.layers], self.degree)
        # The contact's edge belongs to the contact: at an ideal one its nodes are V as well.
        first = plane.contact.diagonal() == 0 if ideal else np.ones(plane.size, dtype=bool)
        numbering = Numbering(line.size, first, grounded=COUNTER_ELECTRODE not in processes)

        volume, area = grid.copies * depth, grid.copies * depth**2
        contact, pore, whole = plane.contact * area, plane.pore * area, plane.mass * area
        terms = {
            BULK: [(line.mass, plane.stiffness * volume), (line.stiffness, plane.mass * volume)],
            GRAIN_BOUNDARY: [(line.jumps, whole)],
            CHARGE_TRANSFER: [(line.row(0), contact)],
            PORE: [(line.row(0), pore)],
            COUNTER_ELECTRODE: [(line.row(-1), whole)],
        }
        metal = (CHARGE_TRANSFER, PORE)
        operators: dict[str, Operator] = {
            process: Extruded(terms[process], numbering, metal=process in metal) for process in processes
        }
        rows = line.size - numbering.grounded
        stack = Stack(
            lateral=Lateral(*(Modes.generalised(each.stiffness.toarray(), each.mass.toarray()) for each in (plane.x, plane.y))),
            vertical={
                BULK: self._banded(line.stiffness, rows) * volume,
                GRAIN_BOUNDARY: self._banded(line.jumps, rows) * area,
                COUNTER_ELECTRODE: self._banded(line.row(-1), rows) * area,
            },
            mass=self._banded(line.mass, rows) * volume,
            face={CHARGE_TRANSFER: contact, PORE: pore},
            free=first,
        )
        return Assembly(
            operators=operators,
            precondition=partial(Stack.prepare, stack),
            gradients=lambda potentials: Gradients(
                plane.x,
                plane.y,
                line,
                self.degree,
                depth,
                _rows(plane, numbering, potentials),
                potentials.values(slice(-1, None))[0],
            ),
            inside=lambda potential, y_bulk, _: ElementFields(
                plane.x, plane.y, line, self.degree, depth, _rows(plane, numbering, potential), y_bulk
            ),
            traces=partial(_traces, plane, line, numbering, self.degree, depth, grid.copies),
            bound="lower",
            description={
                "backend": self.name,
                "degree": self.degree,
                "grid": grid.name,
                "cells": grid.shape,
                "unknowns": numbering.unknowns,
            },
        )

    def _banded(self, matrix: sparse.csr_array, rows: int) -> Array:
        """Return the upper diagonals of the first rows of a symmetric matrix, entry (i, i + d) at [d, i]."""
        band = np.zeros((self.degree + 1, rows))
        for d in range(self.degree + 1):
            band[d, : rows - d] = matrix.diagonal(d)[: rows - d]
        return band


def _ideal(cell: Cell) -> bool:
    return cell.working_electrode.charge_transfer is None and cell.working_electrode.contact.fraction > 0


def _linear(values: Array, height: float) -> tuple[Array, Array]:
    """Stiffness [[1, -1], [-1, 1]]/h + lambda h/6 [[2, 1], [1, 2]] of a linear element: both ends alike, and opposite."""
    return values * height / 2, 2 / height + values * height / 6


def _quadratic(values: Array, height: float) -> tuple[Array, Array]:
    """The same of a quadratic element, its middle node eliminated: x (60 + x)/(120 + 12 x)/h with x = lambda h^2."""
    x = values * height**2
    return x * (60 + x) / (120 + 12 * x) / height, 2 / height + values * height / 6


TWO_PORTS = {1: _linear, 2: _quadratic}


def _rows(plane: PlanarSpace, numbering: Numbering, potentials: Potentials) -> Callable[[int], Array]:
    """Potentials of all nodes of one row, tied ones included, (nodes of the plane, r)."""
    size, start = plane.size, int(numbering.first.sum())
    metal = potentials.values(slice(-1, None))

    def row(number: int) -> Array:
        if number == 0:
            values = np.repeat(metal, size, axis=0)
            values[numbering.first] = potentials.values(slice(0, start))
            return values
        if numbering.grounded and number == numbering.rows - 1:
            return np.zeros((size, metal.shape[1]))
        first = start + (number - 1) * size
        return potentials.values(slice(first, first + size))

    return row


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
    row, metal = _rows(plane, numbering, potentials), potentials.values(slice(-1, None))
    above = [int(below) - 1 for below in line.starts]
    found = traces(plane.x, plane.y, degree, row, [(a, a + 1) for a in above], line.size - 1, metal[0], (x, y), depth)
    area = copies * depth**2
    return Traces(found.metal * area, found.boundaries * area, found.counter * area)
