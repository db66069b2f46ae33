"""A label image as the grid of its cell: its own voxels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fem_constriction import memory
from fem_constriction.grids.grid import Grid

if TYPE_CHECKING:
    from fem_constriction.cell.cell import Cell
from fem_constriction.cell.image_check import contact_voxels, counts
from fem_constriction.cell.microstructure import DOUBLES_PER_VOXEL


def image_grid(cell: Cell) -> Grid:
    """Return the voxels of a label image as the grid of its cell, all of it. Raises MemoryShort where they would not fit."""
    nz, nx, ny = counts(cell)
    name = f"image, {nz} x {nx} x {ny} voxels"
    needed = 8 * DOUBLES_PER_VOXEL * math.prod((nz, nx, ny))
    memory.require(needed, f"electrolyte.microstructure with {nz} x {nx} x {ny} = {nz * nx * ny:.3g} voxels", "larger voxels")
    x, y, z = cell.geometry.lengths
    contact = np.zeros((nx, ny), dtype=bool)
    contact[contact_voxels(cell)] = True
    return Grid(
        x=np.linspace(0, x, nx + 1),
        y=np.linspace(0, y, ny + 1),
        layers=(np.linspace(0, z, nz + 1),),
        contact=contact,
        copies=1,
        name=name,
    )
