"""J = sum of lowest-order Raviart-Thomas fluxes: the network's currents as admissible currents of the continuous cell.

Each voxel face carries its link's current uniformly; inside a voxel the density is linear from face to face. Lateral currents
are those of the links. The vertical ones are the links' on the WE face and follow below by conservation, voxel by voxel, so
that the divergence vanishes to rounding whatever the solver left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fem_constriction.admissible import Array, Fluxes
from fem_constriction.admittance import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.grid import Grid
from network.links import GROUND, Column

#: Potentials of all nodes of one row below the WE face, (x cells, y cells, r).
RowPotentials = Callable[[int], Array]


def fluxes(grid: Grid, vertical: Column, potential: RowPotentials, kappa: Array, sealed: Array) -> Fluxes:
    """Return the currents of r potentials, scaled to unit total.

    potential: row of nodes -> potentials; kappa: y_bulk of each, (r,); sealed: of each, whether its pores carry no current.
    """
    dx, dy = np.diff(grid.x)[:, None, None], np.diff(grid.y)[:, None]
    area = dx * dy
    bulk = [segment for segment in vertical.segments if segment.process == BULK]
    first = bulk[0]
    down = kappa * (potential(first.a) - potential(first.b)) / first.length
    down[np.logical_and.outer(~grid.contact, sealed)] = 0.0
    current = grid.copies * np.einsum("xyr,xy->r", down, area[..., 0])
    down /= current
    largest = float(np.abs(down).max())

    gram = np.zeros((kappa.size, kappa.size))
    crossing, imbalance = [down], 0.0
    above = bulk[0]
    for below in bulk[1:]:
        if below.a != above.b:  # a boundary between two layers: the density is the same on its other side
            crossing.append(down)
            above = below
            continue
        row, height = above.b, float(vertical.heights[above.b])
        values = potential(row)
        lateral = [np.zeros((grid.shape[0] + 1, *values.shape[1:])), np.zeros((values.shape[0], grid.shape[1] + 1, kappa.size))]
        lateral[0][1:-1] = kappa * (values[:-1] - values[1:]) / ((dx[1:] + dx[:-1]) / 2) / current
        lateral[1][:, 1:-1] = kappa * (values[:, :-1] - values[:, 1:]) / ((dy[1:] + dy[:-1]) / 2) / current
        inwards = (lateral[0][:-1] - lateral[0][1:]) / dx + (lateral[1][:, :-1] - lateral[1][:, 1:]) / dy
        next_down = down + height * inwards
        end = potential(below.b) if below.b != GROUND else 0.0
        own = kappa * (values - end) / below.length / current
        imbalance = max(imbalance, float(np.abs(next_down - own).max()) / largest)
        weight = grid.copies * height * area
        pairs = [(down, next_down), (lateral[0][:-1], lateral[0][1:]), (lateral[1][:, :-1], lateral[1][:, 1:])]
        for one, other in pairs:
            gram += _linear_gram(one, other, weight)
        down, above = next_down, below
    crossing.append(down)

    face = np.stack(crossing)
    weight = grid.copies * area[..., 0]
    parts = {
        CHARGE_TRANSFER: face[:1] * grid.contact[:, :, None],
        PORE: face[:1] * ~grid.contact[:, :, None],
        GRAIN_BOUNDARY: face[1:-1],
        COUNTER_ELECTRODE: face[-1:],
    }
    grams = {name: np.einsum("fxyl,xy,fxym->lm", part, weight, part, optimize=True) for name, part in parts.items()}
    return Fluxes({BULK: gram, **grams}, parts, grid.x, grid.y, imbalance)


def _linear_gram(one: Array, other: Array, weight: Array) -> Array:
    """Return int J_l J_m over voxels where J is linear between the densities of two opposite faces."""
    r = one.shape[-1]
    a, b = (np.sqrt(weight) * one).reshape(-1, r), (np.sqrt(weight) * other).reshape(-1, r)
    cross = a.T @ b
    return np.asarray((2 * (a.T @ a) + 2 * (b.T @ b) + cross + cross.T) / 6)
