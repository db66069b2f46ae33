"""A label image in Lagrange elements: its own voxels, or each of them cut into 2, 4, 8, ... along every edge."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array
from fem_constriction.fem.elements import Elements
from fem_constriction.fem.voxels.meanfield import Lattice
from fem_constriction.fem.voxels.medium import NONE, NOTHING, Medium, medium_of
from fem_constriction.fem.voxels.nodes import Nodes, numbered
from fem_constriction.fem.voxels.operators import operators
from fem_constriction.fem.voxels.potentials import VoxelPotential
from fem_constriction.fem.voxels.shifts import Live, Systems, reduced
from fem_constriction.grids.boundary_area import area_of, warn_of_remainder
from fem_constriction.grids.grid import Grid
from fem_constriction.grids.image_grid import UNKNOWN, edges_of, image_grid, subdivided
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.grids.image_paths import no_path
from fem_constriction.grids.singular_edges import edge_orders
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.assembly import Assembly, Potentials
from fem_constriction.solving.capabilities import FAMILY, FIELDS, GRID, POTENTIALS
from fem_constriction.solving.one_grid import check_memory
from fem_constriction.space.voxels import FaceMeans

#: Doubles per unknown that the matrices, their sum at a shift and the factors of small ones take at their peak.
DOUBLES = 400


class VoxelElements(Elements):
    """The voxels of an image as elements, a family by subdividing them."""

    offers = (GRID, FAMILY, POTENTIALS, FIELDS)

    #: Edges between grains and phases decide how fast grids converge, whatever the degree.
    usual_degree = 1

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return the image's voxels, each cut into 2^level along every edge."""
        return image_grid(problem, level)

    def unknowns(self, problem: Problem, grid: Grid) -> int:
        """Return how many unknowns there are at most: every voxel a grain of its own, of the image as it is given."""
        own = Image.of(problem.body).shape
        parts = grid.shape[2] // own[0]
        return math.prod(self.degree * parts * n + n for n in own) + 1

    def erratic(self, problem: Problem, grid: Grid, s: ArrayLike) -> Array:
        """Return what is not known of the order of voxels, as a part of the last difference, (n,) of s in 1/s."""
        return np.full(np.shape(s), UNKNOWN)

    def edges(self, problem: Problem, grid: Grid, s: ArrayLike) -> tuple[Array, Array]:
        """Return the order of edges between phases; a node on one conducts as the best phase does, whatever there should be."""
        order, _ = edge_orders(problem, s)
        return order, np.full(order.shape, np.inf)

    def assemble(self, problem: Problem, grid: Grid) -> Assembly:
        """Return one matrix per place. Raises InputError without a path for current."""
        labels, made = labels_of(problem)
        medium = image_medium(problem, labels, grid)
        if not np.any(medium.faces[0][0] != NONE):
            raise no_path(problem, labels, _contact(grid, labels.shape))
        described = {"grid": grid.name, "cells": grid.shape, "degree": self.degree, **made}
        return voxel_assembly(medium, self.degree, grid.copies, described)


def image_medium(problem: Problem, labels: NDArray[Any], grid: Grid) -> Medium:
    """Return what a cell's label image is on a grid, without islands: what no path joins to the counter electrode."""
    body = Image.of(problem.body)
    area = area_of(body, labels).cut(grid.shape[2] // body.shape[0])
    warn_of_remainder(problem)
    medium = medium_of(
        subdivided(labels, grid),
        grid.contact,
        edges=edges_of(grid),
        inclusions=body.inclusions,
        places=tuple(problem.places),
        electrodes=body.electrodes,
        voids=body.voids,
        area=area,
    )
    every = np.ones(len(medium.phases), dtype=bool), np.ones(len(medium.places), dtype=bool)
    islands = (medium.voxels != NOTHING) & ~medium.grounded(*every)
    islands[0] = islands[-1] = False
    return medium.without(islands)


def voxel_assembly(medium: Medium, degree: int, copies: int, description: Mapping[str, Any]) -> Assembly:
    """Return one matrix per phase and place of a medium: a lower bound of the continuum at every real s > 0.

    No bound where voids are torn from metal ("torn" in the description says at how many nodes).
    """
    nodes = numbered(medium, degree)
    check_memory(nodes.unknowns, str(description.get("grid", "voxels")), DOUBLES)
    matrices = operators(medium, nodes, copies)
    systems = Systems(matrices, Live(medium, nodes), Lattice(medium, nodes, copies))
    exact = degree == 1 and not nodes.torn  # slopes of higher degrees are no constants
    assembly = Assembly(
        operators=matrices,
        means=partial(face_means, medium, nodes) if exact else None,
        inside=lambda potential, y, _: VoxelPotential(medium, nodes, potential.values(slice(None))[:, 0], y),
        bound=None if nodes.torn else "lower",
        description={**description, "unknowns": nodes.unknowns, **({"torn": nodes.torn} if nodes.torn else {})},
    )
    return reduced(assembly, systems)


def face_means(medium: Medium, nodes: Nodes, potentials: Potentials) -> FaceMeans:
    """Return the means of trilinear potentials over the faces of voxels; 0 where a voxel is nothing."""
    values = potentials.values(slice(None))
    r = values.shape[1]
    known = np.vstack([values, np.zeros((1, r))])  # the last one, -1, is 0 V
    there = medium.inside != NOTHING
    corners = known[nodes.of_voxels(there)].reshape(-1, 2, 2, 2, r)
    sides = np.zeros((2, 3, *medium.shape, r))
    for axis in range(3):
        for side in (0, 1):
            sides[side, axis][there] = np.take(corners, side, axis=1 + axis).mean((1, 2))
    return FaceMeans(medium.described, values[-1], sides[0], sides[1])


def _contact(grid: Grid, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The contact by the image's own voxels, (nx, ny)."""
    return grid.contact[:: grid.shape[0] // shape[1], :: grid.shape[1] // shape[2]]
