"""A label image as the grid of its cell: its own voxels."""

from __future__ import annotations

import math

import numpy as np

from fem_constriction import memory
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Described, Problem


def image_grid(described: Described) -> Grid:
    """Return the voxels of a label image as the grid of its cell, all of it. Raises MemoryShort where they would not fit."""
    body = Image.of(Problem.of(described).body)
    nz, nx, ny = body.shape
    name = f"image, {nz} x {nx} x {ny} voxels"
    needed = 8 * body.doubles * math.prod((nz, nx, ny))
    memory.require(needed, f"electrolyte.microstructure with {nz} x {nx} x {ny} = {nz * nx * ny:.3g} voxels", "larger voxels")
    x, y, z = body.lengths
    contact = np.zeros((nx, ny), dtype=bool)
    contact[body.contact] = True
    return Grid(
        x=np.linspace(0, x, nx + 1),
        y=np.linspace(0, y, ny + 1),
        layers=(np.linspace(0, z, nz + 1),),
        contact=contact,
        copies=1,
        name=name,
    )
