"""div J = 0, J . n = I_link/A in the mean over every voxel face: the network's currents as admissible currents of the cell.

Densities are known on voxel faces, where links cross them. Lateral ones are those of the links; the vertical ones are the
links' on the WE face and follow below by conservation, voxel by voxel, so that the divergence vanishes to rounding whatever
the solver left. In space they are reconstructed line by line (`Reconstruction`): across a face from means, along the current
from values, which keeps J free of divergence and makes it an order smoother than the network that it came from.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fem_constriction.admissible import Array, Fluxes
from fem_constriction.admittance import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.grid import Grid
from fem_constriction.reconstruction import Reconstruction, along, lateral
from network.links import GROUND, Column

#: Part of the current below which pores are sealed: at direct current they must be, and as admissible it is either way.
SEALED = 1e-7

#: Potentials of all nodes of one row below the WE face, (x cells, y cells, r).
RowPotentials = Callable[[int], Array]


def fluxes(grid: Grid, vertical: Column, potential: RowPotentials, kappa: Array) -> Fluxes:
    """Return the currents of r potentials, scaled to unit total.

    potential: row of nodes -> potentials; kappa: y_bulk of each, (r,). Pores that carry next to nothing carry nothing.
    """
    x, y = lateral(grid.x, np.any(grid.contact, axis=1)), lateral(grid.y, np.any(grid.contact, axis=0))
    dx, dy = x.widths[:, None, None], y.widths[:, None]
    bulk = [segment for segment in vertical.segments if segment.process == BULK]
    first = bulk[0]
    down = kappa * (potential(first.a) - potential(first.b)) / first.length
    through_pores, total = (
        np.abs(np.einsum("xyr,x,y->r", part, x.widths, y.widths)) for part in (down * ~grid.contact[:, :, None], down)
    )
    down[np.logical_and.outer(~grid.contact, through_pores <= SEALED * total)] = 0.0
    current = grid.copies * np.einsum("xyr,x,y->r", down, x.widths, y.widths)
    down /= current
    largest = float(np.abs(down).max())

    gram = np.zeros((kappa.size, kappa.size))
    crossing, imbalance = [down], 0.0
    layers = iter(grid.layers)
    layer = _Layer(x, y, next(layers), down)
    above = bulk[0]
    for below in bulk[1:]:
        if below.a != above.b:  # a boundary between two layers: the density is the same on its other side
            gram += layer.gram()
            crossing.append(down)
            layer = _Layer(x, y, next(layers), down)
            above = below
            continue
        row, height = above.b, float(vertical.heights[above.b])
        values = potential(row)
        across_x = np.zeros((grid.shape[0] + 1, *values.shape[1:]))
        across_y = np.zeros((values.shape[0], grid.shape[1] + 1, kappa.size))
        across_x[1:-1] = kappa * (values[:-1] - values[1:]) / ((dx[1:] + dx[:-1]) / 2) / current
        across_y[:, 1:-1] = kappa * (values[:, :-1] - values[:, 1:]) / ((dy[1:] + dy[:-1]) / 2) / current
        inwards = (across_x[:-1] - across_x[1:]) / dx + (across_y[:, :-1] - across_y[:, 1:]) / dy
        next_down = down + height * inwards
        end = potential(below.b) if below.b != GROUND else 0.0
        own = kappa * (values - end) / below.length / current
        imbalance = max(imbalance, float(np.abs(next_down - own).max()) / largest)
        layer.add(across_x, across_y, next_down)
        down, above = next_down, below
    gram += layer.gram()
    crossing.append(down)

    face = np.stack(crossing)
    parts = {
        CHARGE_TRANSFER: face[:1] * grid.contact[:, :, None],
        PORE: face[:1] * ~grid.contact[:, :, None],
        GRAIN_BOUNDARY: face[1:-1],
        COUNTER_ELECTRODE: face[-1:],
    }
    grams = {
        name: grid.copies * _product(part, along(2, y.mean_mass, along(1, x.mean_mass, part))) for name, part in parts.items()
    }
    return Fluxes({BULK: grid.copies * gram, **grams}, parts, x, y, imbalance)


class _Layer:
    """Densities on the faces of one electrolyte layer's voxels, row by row from its top down."""

    def __init__(self, x: Reconstruction, y: Reconstruction, lines: Array, top: Array) -> None:
        self.x, self.y, self.z = x, y, Reconstruction(lines)
        self.across_x: list[Array] = []
        self.across_y: list[Array] = []
        self.down = [top]

    def add(self, across_x: Array, across_y: Array, down: Array) -> None:
        """Add a row of voxels: the densities on their x and y faces and on their lower face."""
        self.across_x.append(across_x)
        self.across_y.append(across_y)
        self.down.append(down)

    def gram(self) -> Array:
        """Return int J_l . J_m over the layer (r, r)."""
        x, y, z = self.x, self.y, self.z
        parts = (
            (self.down, z.value_mass, x.mean_mass, y.mean_mass),
            (self.across_x, z.mean_mass, x.value_mass, y.mean_mass),
            (self.across_y, z.mean_mass, x.mean_mass, y.value_mass),
        )
        total: Array = np.zeros(())
        for rows, along_z, along_x, along_y in parts:
            values = np.stack(rows)
            total = total + _product(values, along(2, along_y, along(1, along_x, along(0, along_z, values))))
        return total


def _product(one: Array, other: Array) -> Array:
    """Return the sum over all but the last axis of one_l other_m, symmetric (r, r)."""
    r = one.shape[-1]
    product = one.reshape(-1, r).T @ other.reshape(-1, r)
    return (product + product.T) / 2
