"""Z(s) = b' (sum_p y_p(s) L_p)^-1 b with L_p the Laplacian of one place's links: stacks of layers as a voxel network."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array
from fem_constriction.grids.grid import Grading, Grid, family_member, uniform, voxel_member
from fem_constriction.grids.pixelated import pixel_member, pixels_cut
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.course import Course
from fem_constriction.processes.names import BULK
from fem_constriction.reduction.assembly import Assembly, Operator, Potentials
from fem_constriction.solving.capabilities import CURRENTS, FAMILY, FIELDS, UNIFORM
from fem_constriction.solving.schemes import Scheme
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.modes import Lateral, Modes
from fem_constriction.stack.two_faced_volume import TwoFacedStack
from fem_constriction.stack.two_faces import TwoFaced, TwoPlanes
from fem_constriction.stack.volume import Stack
from network.flux import currents, fluxes
from network.links import Column, Electrodes, network_links
from network.metal import Metal, erratic
from network.potentials import NetworkFields

#: mu > 2 makes the order 2 even at the edge of an ideal contact (numerics: measured 1.9 to 2.0).
GRADING = Grading(exponent=2.5, steps=8)

#: Order of the term that follows: near an edge of an ideal contact |grad phi|^2 ~ 1/r, so the cells at it hold n^-mu of the
#: energy; where the contact resists, phi ~ r ln r leaves n^-2mu there, and the term of order 4 is the next. What double layers
#: make of an edge lies between both. (Measured on six grids: 2.48 to 2.50 where the contact is ideal, 3.90 to 3.98 where not.)
FOLLOWING = GRADING.exponent

#: Voxels per edge of the coarsest grid where the contact's outline is no grid line.
VOXELS = 128


class Graded(Scheme):
    """Voxels between lines on the contact's edges, graded towards them."""

    offers: ClassVar[Collection[str]] = (FAMILY, UNIFORM, FIELDS, CURRENTS)

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return member `level` of the cell's family of graded grids.

        Towards steps in the depth of pores no lines are graded: what follows there is not known.
        """
        grid = family_member(problem, GRADING, level)
        return replace(grid, following=FOLLOWING) if grid.pores is None and grid.counter_pores is None else grid

    def uniform(self, problem: Problem, resolution: int) -> Grid:
        """Return the grid of `resolution` voxels per edge of the cell."""
        return uniform(problem, resolution)

    def unknowns(self, problem: Problem, grid: Grid) -> int:
        """Return how many nodes there are at most."""
        nx, ny, nz = grid.shape
        return nx * ny * (nz + 2 * len(grid.layers)) + 1

    def layered(self, problem: Problem, grid: Grid) -> Layered | None:
        """Return the network as a stack to be solved mode by mode: every voxel is a symmetric T of half links."""
        electrodes = Electrodes.of(problem, grid)
        numbering = electrodes.numbering(electrodes.column(problem, grid))
        return Layered(
            lateral=Lateral(Modes.voxels(np.diff(grid.x)), Modes.voxels(np.diff(grid.y))),
            layers=[np.diff(lines) for lines in grid.layers],
            two_port=_voxel,
            area=grid.copies,
            unit=1.0,
            face=electrodes.working.matrices,
            free=numbering.free,
            description={"grid": grid.name, "cells": grid.shape, "unknowns": numbering.unknowns},
            course=problem.body.course,
            series=electrodes.series,
        )

    def assemble(self, problem: Problem, grid: Grid) -> Assembly:
        """Return one Laplacian per place; currents that are admissible, where the contact ends on faces of voxels."""
        electrodes = Electrodes.of(problem, grid)
        vertical = electrodes.column(problem, grid)
        links, numbering = network_links(grid, vertical, electrodes)
        size = numbering.unknowns
        conducting = electrodes.conducting(problem.places)
        operators: dict[str, Operator] = {name: links[name].laplacian(size) for name in conducting}
        stack = _stack(grid, vertical, electrodes.working)
        held = numbering.held
        # Potentials and currents in space are made for one material with boundaries of one kind, and pores of one depth.
        alike = problem.body.course == Course.alike(len(grid.layers)) and grid.pores is None
        return Assembly(
            operators=operators,
            precondition=partial(Stack.prepare, stack),
            fluxes=(lambda potentials, kappa: fluxes(grid, vertical, _rows(grid, held, potentials), kappa))
            if grid.fits and alike
            else None,
            currents=(
                lambda potentials, kappa, weights: currents(grid, vertical, _rows(grid, held, potentials), kappa, weights)
            )
            if grid.fits and alike
            else None,
            inside=(
                lambda potential, places, current: NetworkFields.build(
                    grid, vertical, _rows(grid, held, potential), places[BULK], current
                )
            )
            if alike
            else None,
            series=electrodes.series,
            bound="upper" if grid.fits else None,
            description={"grid": grid.name, "cells": grid.shape, "unknowns": size},
        )


class TwoGraded(Graded):
    """The same between two patterned electrodes."""

    offers = (FAMILY, UNIFORM)

    def layered(self, problem: Problem, grid: Grid) -> Layered | None:
        """Return the network as a stack between two faces, to be solved mode by mode."""
        electrodes = Electrodes.of(problem, grid)
        numbering = electrodes.numbering(electrodes.column(problem, grid))
        assert electrodes.counter is not None
        return TwoFaced.of(
            TwoPlanes(Lateral(Modes.voxels(np.diff(grid.x)), Modes.voxels(np.diff(grid.y)))),
            (electrodes.working.matrices, electrodes.counter.matrices),
            (~electrodes.working.held, ~electrodes.counter.held),
            layers=[np.diff(lines) for lines in grid.layers],
            two_port=_voxel,
            area=grid.copies,
            unit=1.0,
            description={"grid": grid.name, "cells": grid.shape, "unknowns": numbering.unknowns},
            course=problem.body.course,
            series=electrodes.series,
        )

    def assemble(self, problem: Problem, grid: Grid) -> Assembly:
        """Return one Laplacian per place."""
        electrodes = Electrodes.of(problem, grid)
        vertical = electrodes.column(problem, grid)
        links, numbering = network_links(grid, vertical, electrodes)
        size = numbering.unknowns
        bands, mass = _rows_of(grid, vertical)
        assert electrodes.counter is not None
        stack = TwoFacedStack(
            Lateral(Modes.voxels(np.diff(grid.x)), Modes.voxels(np.diff(grid.y))),
            bands,
            mass,
            (electrodes.working.matrices, electrodes.counter.matrices),
            (~electrodes.working.held, ~electrodes.counter.held),
        )
        return Assembly(
            operators={name: links[name].laplacian(size) for name in electrodes.conducting(problem.places)},
            precondition=partial(TwoFacedStack.prepare, stack),
            series=electrodes.series,
            bound="upper" if grid.fits else None,
            description={"grid": grid.name, "cells": grid.shape, "unknowns": size},
        )


class Shared(Graded):
    """Equal voxels, those that an outline cuts with their share of the contact."""

    offers = (FAMILY, UNIFORM, FIELDS)

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return member `level` of the cell's family of equal voxels."""
        return voxel_member(problem, VOXELS, level)

    def erratic(self, problem: Problem, grid: Grid, s: ArrayLike) -> Array:
        """Return which part of the difference between a grid and the one before follows no series: see `network.metal`."""
        return erratic(problem, grid, s)


class TwoShared(TwoGraded):
    """Equal voxels between two patterned electrodes, those that an outline cuts with their share of its contact."""

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return member `level` of the cell's family of equal voxels."""
        return voxel_member(problem, VOXELS, level)

    def erratic(self, problem: Problem, grid: Grid, s: ArrayLike) -> Array:
        """Return which part of the difference between a grid and the one before follows no series: see `network.metal`."""
        return erratic(problem, grid, s)


class Pixelated(Graded):
    """Equal voxels between the lines of an image's pixels."""

    offers = (FAMILY, UNIFORM, FIELDS)

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return member `level` of the family that cuts pixels."""
        return pixel_member(problem, level)

    def uniform(self, problem: Problem, resolution: int) -> Grid:
        """Return the grid of `resolution` voxels per edge of the cell, a whole number for every pixel."""
        return pixels_cut(problem, resolution)


class TwoPixelated(TwoGraded):
    """Equal voxels between two patterned electrodes, between the lines of their images' pixels."""

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return member `level` of the family that cuts pixels."""
        return pixel_member(problem, level)

    def uniform(self, problem: Problem, resolution: int) -> Grid:
        """Return the grid of `resolution` voxels per edge of the cell, a whole number for every pixel."""
        return pixels_cut(problem, resolution)


def _voxel(values: Array, height: float) -> tuple[Array, Array]:
    """Half links 2/h above and below a node that conducts lambda h sideways: both ends alike, and opposite."""
    return values * height / (2 + values * height**2 / 2), np.full_like(values, 2 / height)


def _rows(grid: Grid, held: NDArray[np.bool_], potentials: Potentials) -> Callable[[int], Array]:
    """Potentials of all nodes of one row, those that an ideal contact holds included, (x cells, y cells, r)."""
    free = ~held
    start = int(free.sum())

    def row(number: int) -> Array:
        if number:
            first = start + (number - 1) * held.size
            values = potentials.values(slice(first, first + held.size))
        else:
            electrode = potentials.values(slice(-1, None))
            values = np.repeat(electrode, held.size, axis=0)
            values[free] = potentials.values(slice(0, start))
        return values.reshape(*grid.contact.shape, -1)

    return row


def _stack(grid: Grid, vertical: Column, face: Metal) -> Stack:
    """The same network as a tensor product: what the preconditioner needs."""
    bands, mass = _rows_of(grid, vertical)
    return Stack(
        lateral=Lateral(Modes.voxels(np.diff(grid.x)), Modes.voxels(np.diff(grid.y))),
        vertical=bands,
        mass=mass,
        face=face.matrices,
        free=~face.held,
    )


def _rows_of(grid: Grid, vertical: Column) -> tuple[dict[str, Array], dict[str, Array]]:
    """Links between rows of nodes and heights of rows in bands, of each place and of the bulk's sideways links."""
    bands: dict[str, Array] = {}
    for segment in vertical.segments:
        band = bands.setdefault(segment.process, np.zeros((2, vertical.rows)))
        weight = grid.copies * segment.per_area
        band[0, segment.a] += weight
        if segment.b >= 0:
            band[0, segment.b] += weight
            band[1, segment.a] -= weight
    mass = {material: np.zeros((2, vertical.rows)) for material in vertical.materials if material}
    for row, (material, height) in enumerate(zip(vertical.materials, vertical.heights, strict=True)):
        if material:
            mass[material][0, row] = grid.copies * height
    return bands, mass
