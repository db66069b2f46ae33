"""Z(s) = b' (sum_p y_p(s) L_p)^-1 b with L_p the Laplacian of one process's links: the voxel RC network.

At every real s > 0 an upper bound of the continuum: its Kirchhoff currents are admissible, divergence-free
(Raviart-Thomas) currents of the continuous cell, and their link energy is at least the continuous one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from fem_constriction.admittance import CHARGE_TRANSFER, PORE, admittances
from fem_constriction.assembly import Array, Assembly, Bound, Operator, Potentials
from fem_constriction.grid import Grading, Grid, family_member, uniform
from fem_constriction.stack import Modes, Stack
from network.flux import currents, fluxes
from network.links import Column, column, network_links

if TYPE_CHECKING:
    from fem_constriction.cell import Cell

#: mu > 2 makes the order 2 even at the edge of an ideal contact (numerics: measured 1.9 to 2.0).
GRADING = Grading(exponent=2.5, steps=8)


class Network:
    """The voxel RC network on rectilinear grids, as a backend."""

    name = "network"
    order = 2.0
    bound: Bound = "upper"

    def grid(self, cell: Cell, level: int) -> Grid:
        """Return member `level` of the cell's family of graded grids."""
        return family_member(cell, GRADING, level)

    def uniform(self, cell: Cell, resolution: int) -> Grid:
        """Return the grid of `resolution` voxels per edge of the cell."""
        return uniform(cell, resolution)

    def unknowns(self, cell: Cell, grid: Grid) -> int:
        """Return how many unknowns a grid has at most (nodes tied to an electrode are none), before anything is built."""
        nx, ny, nz = grid.shape
        return nx * ny * (nz + 2 * len(grid.layers)) + 1

    def assemble(self, cell: Cell, grid: Grid) -> Assembly:
        """Return one Laplacian per process."""
        processes = admittances(cell)
        contact = cell.working_electrode
        ideal = contact.charge_transfer is None and contact.contact.fraction > 0
        vertical = column(grid.layers, counter_electrode="counter_electrode" in processes)
        links, numbering = network_links(grid, vertical, ideal_contact=ideal)
        size = numbering.unknowns
        operators: dict[str, Operator] = {process: links[process].laplacian(size) for process in processes}
        stack = _stack(grid, vertical, ideal_contact=ideal)
        return Assembly(
            operators=operators,
            precondition=partial(Stack.prepare, stack),
            fluxes=lambda potentials, kappa: fluxes(grid, vertical, _rows(grid, ideal, potentials), kappa),
            currents=lambda potentials, kappa, weights: currents(
                grid, vertical, _rows(grid, ideal, potentials), kappa, weights
            ),
            bound="upper",
            description={"backend": self.name, "grid": grid.name, "cells": grid.shape, "unknowns": size},
        )


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
        x=_modes(np.diff(grid.x)),
        y=_modes(np.diff(grid.y)),
        vertical=bands,
        mass=mass,
        face={
            CHARGE_TRANSFER: sparse.diags_array(area * touching).tocsr(),
            PORE: sparse.diags_array(area * ~touching).tocsr(),
        },
        free=~touching if ideal_contact else np.ones(touching.size, dtype=bool),
    )


def _modes(sizes: Array) -> Modes:
    links = 2 / (sizes[1:] + sizes[:-1])
    stiffness = np.diag(np.append(links, 0) + np.append(0, links)) - np.diag(links, 1) - np.diag(links, -1)
    return Modes(stiffness, np.diag(sizes))
