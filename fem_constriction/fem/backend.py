"""sum_p y_p(s) a_p(phi, psi) = V_psi on graded hexahedra: the finite elements, as a backend.

Conforming within each layer, with exact quadrature, jumps across every grain boundary and thin-layer (Robin) terms on both
electrodes: at every real s > 0 a lower bound of the continuum, since the potential minimises over too few functions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.fem.meshes.unstructured import assemble_mesh, family_order, most_unknowns
from fem_constriction.fem.prisms.equilibrated import MixedElements
from fem_constriction.fem.prisms.plane_memory import check_plane
from fem_constriction.fem.prisms.prism_fields import PrismFields
from fem_constriction.fem.prisms.prisms import Prisms, TriangleSpace, prisms
from fem_constriction.fem.prisms.triangulation import Mesher
from fem_constriction.fem.stacks.fields import Gradients
from fem_constriction.fem.stacks.operators import Extruded, Numbering
from fem_constriction.fem.stacks.potentials import ElementFields
from fem_constriction.fem.stacks.spaces import LineSpace, PlanarSpace, VerticalSpace
from fem_constriction.fem.stacks.traces import traces
from fem_constriction.grids.face import face_of
from fem_constriction.grids.grid import Grading, Grid, family_member, uniform
from fem_constriction.grids.mesh_grid import MeshGrid, mesh_grid
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.assembly import Assembly, Bound, Operator, Potentials
from fem_constriction.reduction.projection import BLOCK
from fem_constriction.solving.capabilities import (
    ENCLOSURE,
    FAMILY,
    FIELDS,
    GRID,
    MESH,
    OUTLINES,
    POTENTIALS,
    RECTANGLES,
    TRIANGLES,
    UNIFORM,
    check_offered,
    kind_of,
)
from fem_constriction.solving.one_grid import check_memory
from fem_constriction.space.protocols import Traces
from fem_constriction.space.reconstruction import Reconstruction
from fem_constriction.stack.layered import Layered, TwoPort
from fem_constriction.stack.volume import Stack

if TYPE_CHECKING:
    from fem_constriction.cell.cell import Cell

#: Per degree k: mu near 2 k for the full order 2 k (numerics: measured 1.9 for k = 1; 3.5 to 4.0 for k = 2).
GRADINGS = {
    1: Grading(exponent=2.5, steps=8),
    2: Grading(exponent=4.0, steps=2),
    3: Grading(exponent=5.0, steps=2),
    4: Grading(exponent=6.0, steps=2),
}


#: Nodes of a triangulation from which on all unknowns are preconditioned by modes along z: modes of the plane take 10 s there,
#: and what they then save, a factor of 2 to 10 per shift, no longer makes up for it.
STACKED = 2000


#: Doubles per unknown of a factorisation for each mode along z, at each shift of a block (measured 80 to 140).
ENTRIES = 140


class FiniteElements:
    """Lagrange elements of degree 1 to 4 as a backend: hexahedra, or prisms where the contact's outline is on no grid line."""

    name = "fem"
    bound: Bound = "lower"
    offers: ClassVar[Mapping[str, Collection[str]]] = {
        RECTANGLES.name: (FAMILY, UNIFORM, FIELDS, POTENTIALS, ENCLOSURE),
        OUTLINES.name: (FAMILY, UNIFORM, FIELDS, ENCLOSURE, TRIANGLES),
        MESH.name: (GRID, FAMILY),
    }

    def __init__(self, degree: int = 2, mesher: Mesher | None = None) -> None:
        self.degree, self.mesher = degree, mesher
        self.order = 2.0 * degree

    def grid(self, cell: Cell, level: int) -> Grid:
        """Return member `level` of the cell's family of graded grids."""
        check_offered(self, cell, FAMILY)
        if cell.mesh is not None:
            return mesh_grid(cell, level, family_order(cell))
        if face_of(cell).rectangles is None:
            return prisms(cell, GRADINGS[self.degree], level, self.mesher)
        return family_member(cell, GRADINGS[self.degree], level)

    def opposite(self, cell: Cell) -> MixedElements | None:
        """Return what bounds Z from the other side on the same kind of grids, where no voxel grid fits the outline."""
        return MixedElements(mesher=self.mesher) if kind_of(cell) is OUTLINES else None

    def uniform(self, cell: Cell, resolution: int) -> Grid:
        """Return the grid of `resolution` elements per edge of the cell."""
        check_offered(self, cell, UNIFORM)
        return uniform(cell, resolution)

    def unknowns(self, cell: Cell, grid: Grid) -> int:
        """Return how many unknowns a grid has at most (nodes tied to an electrode are none), before anything is built."""
        if isinstance(grid, MeshGrid):
            return most_unknowns(grid, self.degree)
        rows = self.degree * grid.shape[-1] + len(grid.layers)
        if isinstance(grid, Prisms):
            return self._nodes(grid) * rows + 1
        nx, ny = (self.degree * cells + 1 for cells in grid.shape[:2])
        return nx * ny * rows + 1

    def layered(self, cell: Cell, grid: Grid) -> Layered | None:
        """Return the same elements as a stack to be solved mode by mode: every element of a column is a symmetric two-port.

        None for a mesh from a file, which is no stack.
        """
        if isinstance(grid, MeshGrid):
            return None
        self.affordable(grid)
        depth = grid.depth
        plane = self._plane(grid, ideal=_ideal(cell))
        area = grid.copies * depth**2
        first = plane.contact.diagonal() == 0 if _ideal(cell) else np.ones(plane.size, dtype=bool)
        rows = sum(self.degree * (len(lines) - 1) + 1 for lines in grid.layers)
        return Layered(
            lateral=plane.functions,
            layers=[np.diff(lines) for lines in grid.layers],
            two_port=two_port(self.degree),
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
        check_offered(self, cell, FAMILY)
        if isinstance(grid, MeshGrid):
            return assemble_mesh(cell, grid, self.degree)
        self.affordable(grid)
        if isinstance(grid, Prisms) and (nodes := self._nodes(grid)) >= STACKED:
            unknowns = self.unknowns(cell, grid)
            width = int(np.clip(BLOCK // unknowns, 1, 8))
            check_memory(unknowns, f"{self.name}, all unknowns of {grid.name} ({nodes} nodes each)", ENTRIES * width)
        processes = admittances(cell)
        ideal = _ideal(cell)
        depth = grid.depth
        plane = self._plane(grid, ideal=_ideal(cell))
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
            lateral=plane.lateral if isinstance(plane, PlanarSpace) or plane.size < STACKED else plane.functions,
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
            **_in_space(plane, line, numbering, self.degree, depth, grid.copies),
            bound="lower" if grid.fits else None,
            description={
                "backend": self.name,
                "degree": self.degree,
                "grid": grid.name,
                "cells": grid.shape,
                "unknowns": numbering.unknowns,
            },
        )

    def affordable(self, grid: Grid) -> None:
        """Raise MemoryShort where functions of a triangulation would not fit: known before anything is computed."""
        if isinstance(grid, Prisms):
            check_plane(self._nodes(grid), f"{self.name} on {grid.name} ({grid.shape[0]} triangles)")

    def _nodes(self, grid: Prisms) -> int:
        """About how many nodes a triangulation has: vertices are half of its triangles, edges three halves."""
        return int(0.55 * self.degree**2 * grid.shape[0] + 50)

    def _plane(self, grid: Grid, *, ideal: bool) -> PlanarSpace | TriangleSpace:
        """The space that every horizontal face carries, lengths in units of the thickness.

        Cells that an outline cuts are contact with their part of it; at an ideal contact, which holds nodes, with half or more.
        """
        if isinstance(grid, Prisms):
            return TriangleSpace.build(grid.plane, grid.depth, self.degree)
        touched = grid.contact.astype(float) if ideal else grid.touched
        return PlanarSpace.build(grid.x / grid.depth, grid.y / grid.depth, touched, self.degree)

    def _banded(self, matrix: sparse.csr_array, rows: int) -> Array:
        """Return the upper diagonals of the first rows of a symmetric matrix, entry (i, i + d) at [d, i]."""
        band = np.zeros((self.degree + 1, rows))
        for d in range(self.degree + 1):
            band[d, : rows - d] = matrix.diagonal(d)[: rows - d]
        return band


def _in_space(
    plane: PlanarSpace | TriangleSpace, line: VerticalSpace, numbering: Numbering, degree: int, depth: float, copies: int
) -> dict[str, Callable[..., Any]]:
    """What an assembly offers of potentials in space; guaranteed discs need the lines of a rectilinear grid."""
    if isinstance(plane, TriangleSpace):
        return {
            "inside": lambda potential, y_bulk, _: PrismFields(
                plane, line, degree, depth, _rows(plane, numbering, potential), y_bulk
            )
        }
    return {
        "gradients": lambda potentials: Gradients(
            plane.x,
            plane.y,
            line,
            degree,
            depth,
            _rows(plane, numbering, potentials),
            potentials.values(slice(-1, None))[0],
        ),
        "inside": lambda potential, y_bulk, _: ElementFields(
            plane.x, plane.y, line, degree, depth, _rows(plane, numbering, potential), y_bulk
        ),
        "traces": partial(_traces, plane, line, numbering, degree, depth, copies),
    }


def _ideal(cell: Cell) -> bool:
    return cell.working_electrode.charge_transfer is None and cell.contact_fraction > 0


def two_port(degree: int) -> TwoPort:
    """Return c and d of an element of a column (`layered`): S = K/h + lambda h M, its inner nodes eliminated.

    c: a row of S summed, both ends alike; d: its two entries' difference, ends opposite. Degree 2:
    c = x (60 + x)/(120 + 12 x)/h, x = lambda h^2.
    """
    line = LineSpace.build(np.array([0.0, 1.0]), degree)
    order = np.append([0, degree], np.arange(1, degree))
    k, m = (each.toarray()[np.ix_(order, order)] for each in (line.stiffness, line.mass))
    inner, opposite = slice(2, None), np.array([1.0, -1.0])

    def found(values: Array, height: float) -> tuple[Array, Array]:
        x = values[:, None] * height**2
        system = k[inner, inner] + x[:, :, None] * m[inner, inner]
        # Inner nodes of alike ends as 1 + w: K sees only w, so that no difference of large numbers is taken at small lambda.
        w = np.linalg.solve(system, -(x * m[inner].sum(1))[:, :, None])[:, :, 0]
        v = np.linalg.solve(system, -((k + x[:, :, None] * m)[:, inner, :2] @ opposite)[:, :, None])[:, :, 0]
        even = x[:, 0] * (m[0].sum() + w @ m[0, inner]) + w @ k[0, inner]
        odd = (k[0, :2] + x * m[0, :2]) @ opposite + np.sum((k[0, inner] + x * m[0, inner]) * v, 1)
        return even / height, odd / height

    return found


def _rows(plane: PlanarSpace | TriangleSpace, numbering: Numbering, potentials: Potentials) -> Callable[[int], Array]:
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
