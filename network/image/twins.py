"""A mesh from a file as its twin of voxels: what the network solves of it, with a family whose limit is the mesh itself.

Each grid pictures the mesh anew with voxels of half the edge, so what differs from grid to grid is the outline of grains and
contact as well as the discretisation: an error of first order, of which no part is taken for regular (`erratic`). It is all in
the uncertainty of the network's limit, and nothing here bounds the mesh's Z.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.grids.mesh_twin import TwinGrid, twin_grid, unfit, unseen
from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.solving.capabilities import FAMILY
from network.image.image_network import Images, image_assembly, image_voxels


class Twins(Images):
    """The voxels that picture a mesh, twice as many along every edge with each level."""

    offers: ClassVar[Collection[str]] = (FAMILY,)
    grids = TwinGrid
    usual = 0.05

    def refusal(self, problem: Problem) -> InputError | None:
        """Return why a mesh has no twin (electrodes that are not flat, open boundaries), None where it has one."""
        return unfit(problem)

    def grid(self, problem: Problem, level: int) -> TwinGrid:
        """Return the voxels of member `level`."""
        return twin_grid(problem, level)

    def erratic(self, problem: Problem, grid: Any, s: ArrayLike) -> Array:
        """Return 1: the outlines cut voxels ever differently."""
        return np.ones(np.shape(s))

    def edges(self, problem: Problem, grid: Any, s: ArrayLike) -> tuple[Array, Array]:
        """Return inf, without bound: a mesh says where its own edges are, and all of a twin's last difference counts anyhow."""
        return np.full(np.shape(s), np.inf), np.full(np.shape(s), np.inf)

    def unseen(self, problem: Problem, grid: Any, s: ArrayLike) -> Array:
        """Return what the steps of boundaries add that no difference of twins shows, ohm, (n,) of s in 1/s."""
        return unseen(problem, grid, s)

    def assemble(self, problem: Problem, grid: Any) -> Assembly:
        """Return the assembly of the twin's links. Raises InputError without a path for current."""
        labels, _ = labels_of(grid.twin)
        voxels = image_voxels(grid.twin, labels, grid, grid.stands_for, grid.boundaries)
        made = {"grid": grid.name, "cells": grid.shape, "unknowns": voxels.unknowns, "mesh": grid.body.source.file}
        return replace(image_assembly(voxels, made), bound=None)
