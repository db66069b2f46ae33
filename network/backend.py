"""Z(s) = b' (sum_p y_p(s) L_p)^-1 b with L_p the Laplacian of one process's links: the voxel RC network.

At every real s > 0 an upper bound of the continuum: its Kirchhoff currents are admissible, divergence-free
(Raviart-Thomas) currents of the continuous cell, and their link energy is at least the continuous one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.cell.image_check import own_resolution
from fem_constriction.grids.face import face_of
from fem_constriction.grids.grid import Grading, Grid, family_member, uniform, voxel_member
from fem_constriction.grids.image_grid import image_grid
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.assembly import Assembly, Bound, Operator, Potentials
from fem_constriction.solving.capabilities import (
    CURRENTS,
    FAMILY,
    FIELDS,
    GRID,
    IMAGE,
    OUTLINES,
    RECTANGLES,
    UNIFORM,
    check_offered,
)
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.modes import Lateral, Modes
from fem_constriction.stack.volume import Stack
from network.flux import currents, fluxes
from network.image.image_network import assemble_image
from network.links import Column, Numbering, column, network_links
from network.potentials import NetworkFields

if TYPE_CHECKING:
    from fem_constriction.cell.cell import Cell

#: mu > 2 makes the order 2 even at the edge of an ideal contact (numerics: measured 1.9 to 2.0).
GRADING = Grading(exponent=2.5, steps=8)


#: Voxels per edge of the coarsest grid where the contact's outline is no grid line.
VOXELS = 128


class Network:
    """The voxel RC network on rectilinear grids, as a backend."""

    name = "network"
    order = 2.0
    bound: Bound = "upper"
    offers: ClassVar[Mapping[str, Collection[str]]] = {
        RECTANGLES.name: (FAMILY, UNIFORM, FIELDS, CURRENTS),
        OUTLINES.name: (FAMILY, UNIFORM, FIELDS),
        IMAGE.name: (GRID,),
    }

    def grid(self, cell: Cell, level: int) -> Grid:
        """Return member `level` of the cell's family of graded grids; of a label image its voxels, level 0 alone."""
        if level == 0 and cell.electrolyte.microstructure is not None:
            return image_grid(cell)
        check_offered(self, cell, FAMILY)
        if face_of(cell).rectangles is None:
            return voxel_member(cell, VOXELS, level)
        return family_member(cell, GRADING, level)

    def uniform(self, cell: Cell, resolution: int) -> Grid:
        """Return the grid of `resolution` voxels per edge of the cell, or the voxels of its label image."""
        if own_resolution(cell, resolution) is None:
            return image_grid(cell)
        check_offered(self, cell, UNIFORM)
        return uniform(cell, resolution)

    def unknowns(self, cell: Cell, grid: Grid) -> int:
        """Return how many unknowns a grid has at most (nodes tied to an electrode are none), before anything is built."""
        nx, ny, nz = grid.shape
        return nx * ny * (nz + 2 * len(grid.layers)) + 1

    def layered(self, cell: Cell, grid: Grid) -> Layered | None:
        """Return the same network as a stack to be solved mode by mode: every voxel is a symmetric T of half links.

        None for a label image, which is no stack.
        """
        if cell.electrolyte.microstructure is not None:
            return None
        area = grid.copies * np.outer(np.diff(grid.x), np.diff(grid.y)).ravel()
        vertical = column(grid.layers, counter_electrode="counter_electrode" in admittances(cell))
        numbering = Numbering(grid.contact.ravel(), vertical.rows, _ideal(cell))
        return Layered(
            lateral=Lateral(Modes.voxels(np.diff(grid.x)), Modes.voxels(np.diff(grid.y))),
            layers=[np.diff(lines) for lines in grid.layers],
            two_port=_voxel,
            area=grid.copies,
            unit=1.0,
            face=_face(grid, area, ideal=_ideal(cell)),
            free=numbering.free,
            description={"backend": self.name, "grid": grid.name, "cells": grid.shape, "unknowns": numbering.unknowns},
        )

    def assemble(self, cell: Cell, grid: Grid) -> Assembly:
        """Return one Laplacian per process, or per kind of link of a label image."""
        if cell.electrolyte.microstructure is not None:
            return assemble_image(cell, grid)
        processes = admittances(cell)
        ideal = _ideal(cell)
        vertical = column(grid.layers, counter_electrode="counter_electrode" in processes)
        links, numbering = network_links(grid, vertical, ideal_contact=ideal)
        size = numbering.unknowns
        operators: dict[str, Operator] = {process: links[process].laplacian(size) for process in processes}
        stack = _stack(grid, vertical, ideal_contact=ideal)
        return Assembly(
            operators=operators,
            precondition=partial(Stack.prepare, stack),
            fluxes=(lambda potentials, kappa: fluxes(grid, vertical, _rows(grid, ideal, potentials), kappa))
            if grid.fits
            else None,
            currents=(
                lambda potentials, kappa, weights: currents(grid, vertical, _rows(grid, ideal, potentials), kappa, weights)
            )
            if grid.fits
            else None,
            inside=lambda potential, y_bulk, current: NetworkFields.build(
                grid, vertical, _rows(grid, ideal, potential), y_bulk, current
            ),
            bound="upper" if grid.fits else None,
            description={"backend": self.name, "grid": grid.name, "cells": grid.shape, "unknowns": size},
        )


def _voxel(values: Array, height: float) -> tuple[Array, Array]:
    """Half links 2/h above and below a node that conducts lambda h sideways: both ends alike, and opposite."""
    return values * height / (2 + values * height**2 / 2), np.full_like(values, 2 / height)


def _face(grid: Grid, area: Array, *, ideal: bool) -> dict[str, sparse.csr_array]:
    """Areas of contact and of pores at each voxel of the WE face: those that an outline cuts have both, side by side.

    An ideal contact holds voxels: they are contact or pore, as half of them or more is metal.
    """
    touched = (grid.contact.astype(float) if ideal else grid.touched).ravel()
    return {
        CHARGE_TRANSFER: sparse.diags_array(area * touched).tocsr(),
        PORE: sparse.diags_array(area * (1 - touched)).tocsr(),
    }


def _ideal(cell: Cell) -> bool:
    return cell.working_electrode.charge_transfer is None and cell.contact_fraction > 0


def _rows(grid: Grid, ideal_contact: bool, potentials: Potentials) -> Callable[[int], Array]:
    """Potentials of all nodes of one row, those at an ideal contact included, (x cells, y cells, r)."""
    touching = grid.contact.ravel()
    free = ~touching if ideal_contact else np.ones(touching.size, dtype=bool)
    start = int(free.sum())

    def row(number: int) -> Array:
        if number:
            first = start + (number - 1) * touching.size
            values = potentials.values(slice(first, first + touching.size))
        else:
            metal = potentials.values(slice(-1, None))
            values = np.repeat(metal, touching.size, axis=0)
            values[free] = potentials.values(slice(0, start))
        return values.reshape(*grid.contact.shape, -1)

    return row


def _stack(grid: Grid, vertical: Column, *, ideal_contact: bool) -> Stack:
    """The same network as a tensor product: what the preconditioner needs."""
    area = grid.copies * np.outer(np.diff(grid.x), np.diff(grid.y)).ravel()
    touching = grid.contact.ravel()
    bands: dict[str, Array] = {}
    for segment in vertical.segments:
        band = bands.setdefault(segment.process, np.zeros((2, vertical.rows)))
        weight = grid.copies * segment.per_area
        band[0, segment.a] += weight
        if segment.b >= 0:
            band[0, segment.b] += weight
            band[1, segment.a] -= weight
    mass = np.zeros((2, vertical.rows))
    mass[0] = grid.copies * vertical.heights
    return Stack(
        lateral=Lateral(Modes.voxels(np.diff(grid.x)), Modes.voxels(np.diff(grid.y))),
        vertical=bands,
        mass=mass,
        face=_face(grid, area, ideal=ideal_contact),
        free=~touching if ideal_contact else np.ones(touching.size, dtype=bool),
    )
