"""The voxels of a label image as the grid of its cell, and a family of grids: every voxel cut into 2^level cubed.

What is solved stays the continuum that the image's own voxels are: cutting them moves no boundary and no contact edge.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction import memory
from fem_constriction.grids.grid import Grid
from fem_constriction.grids.orders import uniform_order
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Described, Problem

#: Order of Z on voxels that are cut finer: edges of the contact, of grains and of phases make it less than 2, how much less
#: depends on the image. Measured on polycrystals of 8^3 voxels, each cut into 1, 2 and 4 along every edge: limits of both
#: backends differ by at most 0.7 of their uncertainties together over eleven decades; made with 2, by up to 1.05.
ORDER = 1.5

#: Part of a difference that is added because that order is measured and not known: limits with 1.5 (edges between grains) and
#: with 2 (a contact with charge transfer) are 0.21 of the last difference apart, 1/8 of the one before over 2^(1.5/2). On
#: 4 x 6 x 6 voxels of two grains under 4/9 contact limits without it were 2.5 and 1.02 times what they stated off the stack's.
UNKNOWN = 1 / 8


def image_grid(described: Described, level: int = 0) -> Grid:
    """Return the voxels of a label image as the grid of its cell, all of it, each cut into 2^level along every edge.

    Raises MemoryShort where they would not fit.
    """
    problem = Problem.of(described)
    body, parts = Image.of(problem.body), 1 << level
    nz, nx, ny = (n * parts for n in body.shape)
    cut = f", each cut into {parts} x {parts} x {parts}" if level else ""
    name = f"image, {' x '.join(map(str, body.shape))} voxels{cut}"
    needed = 8 * body.doubles * math.prod((nz, nx, ny))
    what = f"electrolyte.microstructure with {nz} x {nx} x {ny} = {nz * nx * ny:.3g} voxels"
    memory.require(needed, what, "larger voxels" if not level else "fewer levels, or larger voxels")
    x, y, z = body.lengths
    contact = np.zeros(body.shape[1:], dtype=bool)
    contact[body.contact] = True
    return Grid(
        x=np.linspace(0, x, nx + 1),
        y=np.linspace(0, y, ny + 1),
        layers=(np.linspace(0, z, nz + 1),),
        contact=contact.repeat(parts, 0).repeat(parts, 1),
        copies=1,
        name=name,
        order=min(uniform_order(problem), ORDER),
    )


def edges_of(grid: Grid) -> tuple[float, float, float]:
    """Return the edges of the voxels of an image's grid along z, x and y, m."""
    nx, ny, nz = grid.shape
    return grid.depth / nz, float(grid.x[-1]) / nx, float(grid.y[-1]) / ny


def subdivided(labels: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """Return the labels of a grid's voxels, (nz, nx, ny), from those of the image that they are parts of."""
    nx, ny, nz = grid.shape
    for axis, (many, few) in enumerate(zip((nz, nx, ny), labels.shape, strict=True)):
        labels = labels if many == few else labels.repeat(many // few, axis)
    return labels
