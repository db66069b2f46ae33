"""S_N = union of the voxels of the face that are half or more metal: a voxelised contact as a cell, and its grids."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.faces import face_of


def staircase(cell: Cell, resolution: int, grid: Grid) -> Cell:
    """Return the cell whose contact is the voxels of half or more metal, as rectangles along the axes.

    Parameters
    ----------
    cell
        With a contact of any outline.
    resolution
        Voxels per edge.
    grid
        The one of so many voxels per edge.

    Returns
    -------
    Cell
        Otherwise the same.

    Raises
    ------
    InputError
        Where no voxel is half metal.
    """
    cut = face_of(cell, whole=resolution % 2 == 1).cut
    x, y, contact = grid.x, grid.y, grid.contact
    if cut[0]:
        x, contact = _mirrored(x), np.concatenate([contact[::-1], contact])
    if cut[1]:
        y, contact = _mirrored(y), np.concatenate([contact[:, ::-1], contact], axis=1)
    if not contact.any():
        raise InputError(key="resolution", value=resolution, why="no voxel is half metal, take more of them")
    regions = [
        {"shape": "rectangle", "centre": [(x0 + x1) / 2, (y0 + y1) / 2], "size": [x1 - x0, y1 - y0]}
        for x0, y0, x1, y1 in _rectangles(x, y, contact)
    ]
    return cell.vary({"working_electrode.contact": {"shape": "regions", "regions": regions}})


def refined(grid: Grid, times: int, *, sharp: bool) -> Grid:
    """Return the grid with every voxel cut into times^3, each with the contact, and the share of it, that the voxel has.

    Parameters
    ----------
    grid
        Of voxels.
    times
        Parts per edge of a voxel.
    sharp
        Without shares: voxels are metal or not.

    Returns
    -------
    Grid
        Of the finer voxels.
    """
    return Grid(
        x=_divided(grid.x, times),
        y=_divided(grid.y, times),
        layers=tuple(_divided(z, times) for z in grid.layers),
        contact=_repeated(grid.contact, times),
        copies=grid.copies,
        name=f"{grid.name}, each cut {times}-fold" + (", sharp" if sharp else ""),
        share=None if sharp or grid.share is None else _repeated(grid.share, times),
        order=grid.order,
    )


def edges(grid: Grid) -> int:
    """Return on how many lines along x and y the voxelised contact ends somewhere."""
    return sum(len(grid.contact_lines(axis)) for axis in range(2))


def _mirrored(lines: Array) -> Array:
    return np.asarray(np.concatenate([-lines[:0:-1], lines]) + lines[-1])


def _rectangles(x: Array, y: Array, contact: NDArray[np.bool_]) -> list[tuple[float, float, float, float]]:
    """Equal neighbouring columns of voxels together, each run of metal in them a rectangle: x_0, y_0, x_1, y_1."""
    new = np.concatenate([[0], np.flatnonzero(np.any(contact[1:] != contact[:-1], axis=1)) + 1, [len(contact)]])
    found = []
    for first, last in pairwise(new):
        steps = np.diff(np.concatenate([[0], contact[first].astype(int), [0]]))
        for start, end in zip(np.flatnonzero(steps > 0), np.flatnonzero(steps < 0), strict=True):
            found.append((float(x[first]), float(y[start]), float(x[last]), float(y[end])))
    return found


def _divided(lines: Array, times: int) -> Array:
    inside = lines[:-1, None] + np.diff(lines)[:, None] * np.arange(times) / times
    return np.append(inside.ravel(), lines[-1])


def _repeated(values: NDArray[Any], times: int) -> NDArray[Any]:
    return np.repeat(np.repeat(values, times, axis=0), times, axis=1)
