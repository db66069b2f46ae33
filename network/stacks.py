"""Z(s) = b' (sum_p y_p(s) L_p)^-1 b with L_p the Laplacian of one place's links: stacks of layers as a voxel network."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import ClassVar

import numpy as np
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.grids.grid import Grading, Grid, family_member, uniform, voxel_member
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from fem_constriction.reduction.assembly import Assembly, Operator, Potentials
from fem_constriction.solving.capabilities import CURRENTS, FAMILY, FIELDS, UNIFORM
from fem_constriction.solving.schemes import Scheme
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.modes import Lateral, Modes
from fem_constriction.stack.volume import Stack
from network.flux import currents, fluxes
from network.links import Column, Numbering, column, network_links
from network.potentials import NetworkFields

#: mu > 2 makes the order 2 even at the edge of an ideal contact (numerics: measured 1.9 to 2.0).
GRADING = Grading(exponent=2.5, steps=8)

#: Voxels per edge of the coarsest grid where the contact's outline is no grid line.
VOXELS = 128


class Graded(Scheme):
    """Voxels between lines on the contact's edges, graded towards them."""

    offers: ClassVar[Collection[str]] = (FAMILY, UNIFORM, FIELDS, CURRENTS)

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return member `level` of the cell's family of graded grids."""
        return family_member(problem, GRADING, level)

    def uniform(self, problem: Problem, resolution: int) -> Grid:
        """Return the grid of `resolution` voxels per edge of the cell."""
        return uniform(problem, resolution)

    def unknowns(self, problem: Problem, grid: Grid) -> int:
        """Return how many nodes there are at most."""
        nx, ny, nz = grid.shape
        return nx * ny * (nz + 2 * len(grid.layers)) + 1

    def layered(self, problem: Problem, grid: Grid) -> Layered | None:
        """Return the network as a stack to be solved mode by mode: every voxel is a symmetric T of half links."""
        area = grid.copies * np.outer(np.diff(grid.x), np.diff(grid.y)).ravel()
        vertical = column(grid.layers, counter_electrode=not problem.ideal_counter)
        numbering = Numbering(grid.contact.ravel(), vertical.rows, problem.ideal_contact)
        return Layered(
            lateral=Lateral(Modes.voxels(np.diff(grid.x)), Modes.voxels(np.diff(grid.y))),
            layers=[np.diff(lines) for lines in grid.layers],
            two_port=_voxel,
            area=grid.copies,
            unit=1.0,
            face=_face(grid, area, ideal=problem.ideal_contact),
            free=numbering.free,
            description={"grid": grid.name, "cells": grid.shape, "unknowns": numbering.unknowns},
        )

    def assemble(self, problem: Problem, grid: Grid) -> Assembly:
        """Return one Laplacian per place; currents that are admissible, where the contact ends on faces of voxels."""
        ideal = problem.ideal_contact
        vertical = column(grid.layers, counter_electrode=not problem.ideal_counter)
        links, numbering = network_links(grid, vertical, ideal_contact=ideal)
        size = numbering.unknowns
        operators: dict[str, Operator] = {place: links[place].laplacian(size) for place in problem.places}
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
            description={"grid": grid.name, "cells": grid.shape, "unknowns": size},
        )


class Shared(Graded):
    """Equal voxels, those that an outline cuts with their share of the contact."""

    offers = (FAMILY, UNIFORM, FIELDS)

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return member `level` of the cell's family of equal voxels."""
        return voxel_member(problem, VOXELS, level)


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
