"""Pixels of the face, each cut into n x n cells, n doubled from grid to grid: lines for a contact that is an image.

Along z cells are as high as they are wide down to a depth of `NEAR` of them at the coarsest, and in a fixed ratio to the depth
farther down; every next grid halves all of them. Towards the edges of pixels nothing is graded, and with an ideal contact that
makes every scheme one of first order.
"""

from __future__ import annotations

import math

import numpy as np

from fem_constriction.cell.units import whole
from fem_constriction.errors import InputError
from fem_constriction.grids.affordable import check_counts, doubled
from fem_constriction.grids.equal import IDEAL_ORDER, ROBIN_ORDER, voxelised
from fem_constriction.grids.grading import Grading, layers_of
from fem_constriction.grids.rectilinear import Grid, midpoints
from fem_constriction.problem.faces import SAME, Face, Mask
from fem_constriction.problem.problem import Described, Problem

#: Cells below the WE, at the coarsest grid, down to which their height is their width.
NEAR = 8

#: Cells per edge of the face that the coarsest grid has at least.
COARSEST = 64


def pixel_member(described: Described, level: int) -> Grid:
    """Return member `level` of the family of a cell whose contact is an image.

    Parameters
    ----------
    described
        A Cell, the path of a cell file, a dictionary with its keys, or a Problem.
    level
        0 is the coarsest, which cuts no pixel where there are enough of them; each next one halves every cell.

    Returns
    -------
    Grid
        Over the part of the cell that mirror symmetry leaves.
    """
    problem = Problem.of(described)
    pixels = _pixels(problem.whole_faces)
    return _cut(problem, math.ceil(COARSEST / max(pixels)), level, f"pixels, level {level}")


def pixels_cut(described: Described, resolution: int) -> Grid:
    """Return the grid of so many equal cells per edge of the face.

    A multiple of the pixels cuts each of them evenly; of any other number cells have their share of the metal, and such a grid
    bounds nothing. Raises InputError for fewer than four.
    """
    resolution = whole("resolution", resolution, "a whole number of cells per edge of the cell")
    problem = Problem.of(described)
    count = max(_pixels(problem.whole_faces))
    if resolution < count or resolution % count:
        return voxelised(problem, resolution)
    return _cut(problem, resolution // count, 0, f"uniform, {resolution} per edge")


def _cut(problem: Problem, cuts: int, level: int, name: str) -> Grid:
    face, counter = problem.faces
    pixels = _pixels(problem.faces)
    each = cuts << min(level, 60)
    counts = [count * each for count in pixels]
    check_counts(name, math.prod(doubled(count * cuts, level) for count in pixels), problem.body.layers)
    x, y = (np.linspace(0.0, width, count + 1) for width, count in zip(face.width, counts, strict=True))
    near = NEAR * min(width / count for width, count in zip(face.width, pixels, strict=True)) / cuts
    middles = midpoints(x), midpoints(y)
    both = problem.patterned_counter
    return Grid(
        x=x,
        y=y,
        layers=layers_of(problem.body, near, Grading(1.0, NEAR), level, both=both),
        contact=face.touches(*middles),
        copies=face.copies,
        name=name,
        order=IDEAL_ORDER if problem.ideal_edge or problem.ideal_contact else ROBIN_ORDER,
        pores=face.pores(x, y),
        counter=counter.touches(*middles) if both else None,
        counter_pores=counter.pores(x, y),
    )


def _pixels(faces: tuple[Face, Face]) -> tuple[int, int]:
    """The pixels along x and y on whose lines both contacts end: those of the one image, or of both."""
    shapes = {face.pixels.shape for face in faces if isinstance(face, Mask)}
    lines = [np.lcm.reduce([shape[axis] for shape in shapes]) for axis in range(2)]
    (nx, ny) = int(lines[0]), int(lines[1])
    for key, face in zip(("working_electrode", "counter_electrode"), faces, strict=True):
        for axis, count in enumerate((nx, ny)):
            at = face.edges(axis) / face.width[axis] * count
            if np.any(np.abs(at - np.round(at)) > SAME * count):
                raise InputError(
                    key=f"{key}.contact",
                    why="its edges lie on no line between the pixels of the other electrode's image",
                    remedy="allowed are images at both electrodes, or rectangles on lines between the pixels",
                )
    return nx, ny
