"""div J = 0, J . n = I_link/A in the mean over every voxel face: the network's currents as admissible currents of the cell.

Densities are known on voxel faces, where links cross them. Lateral ones are those of the links; the vertical ones are the
links' on the WE face and follow below by conservation, voxel by voxel, so that the divergence vanishes to rounding whatever
the solver left. In space they are reconstructed line by line (`Reconstruction`): across a face from means, along the current
from values, which keeps J free of divergence and makes it an order smoother than the network that it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.grids.grid import Grid
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.space.protocols import Fluxes
from fem_constriction.space.reconstruction import Reconstruction, along
from network.links import GROUND, Column

#: Part of the current below which pores are sealed: at direct current they must be, and as admissible it is either way.
SEALED = 1e-7

#: Potentials of all nodes of one row below the WE face, (x cells, y cells, r).
RowPotentials = Callable[[int], Array]


def fluxes(grid: Grid, vertical: Column, potential: RowPotentials, kappa: Array) -> Fluxes:
    """Return the currents of r potentials, scaled to unit total.

    potential: row of nodes -> potentials; kappa: y_bulk of each, (r,). Pores that carry next to nothing carry nothing.
    """
    gram, imbalance = np.zeros((kappa.size, kappa.size)), 0.0
    crossing: list[Array] = []
    for layer, wrong in _layers(grid, vertical, potential, kappa):
        gram += layer.gram()
        imbalance = max(imbalance, wrong)
        crossing += [layer.down[-1]] if crossing else [layer.down[0], layer.down[-1]]
        x, y = layer.x, layer.y
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


def currents(grid: Grid, vertical: Column, potential: RowPotentials, kappa: Array, weights: NDArray[Any]) -> Currents:
    """Return sum_l w_l J_l in space, the combinations of those currents with weights (r, k)."""
    return Currents([layer.combined(weights) for layer, _ in _layers(grid, vertical, potential, kappa)])


def _layers(grid: Grid, vertical: Column, potential: RowPotentials, kappa: Array) -> Iterator[tuple[_Layer, float]]:
    """Yield the currents of each layer, from the WE down, and how far from the links' own they are."""
    x, y = Reconstruction(grid.x, grid.contact_lines(0)), Reconstruction(grid.y, grid.contact_lines(1))
    dx, dy = x.widths[:, None, None], y.widths[:, None]
    bulk = [segment for segment in vertical.segments if segment.process == BULK]
    first = bulk[0]
    down = kappa * (potential(first.a) - potential(first.b)) / first.length
    pores = grid.touched == 0
    through_pores, total = (
        np.abs(np.einsum("xyr,x,y->r", part, x.widths, y.widths)) for part in (down * pores[:, :, None], down)
    )
    down[np.logical_and.outer(pores, through_pores <= SEALED * total)] = 0.0
    current = grid.copies * np.einsum("xyr,x,y->r", down, x.widths, y.widths)
    down /= current
    largest = float(np.abs(down).max())

    imbalance = 0.0
    lines = iter(grid.layers)
    layer = _Layer(x, y, next(lines), down)
    above = bulk[0]
    for below in bulk[1:]:
        if below.a != above.b:  # a boundary between two layers: the density is the same on its other side
            yield layer, imbalance
            layer = _Layer(x, y, next(lines), down)
            above = below
            continue
        row, height = above.b, float(vertical.heights[above.b])
        values = potential(row)
        across_x = np.zeros((grid.shape[0] + 1, *values.shape[1:]), dtype=down.dtype)
        across_y = np.zeros((values.shape[0], grid.shape[1] + 1, kappa.size), dtype=down.dtype)
        across_x[1:-1] = kappa * (values[:-1] - values[1:]) / ((dx[1:] + dx[:-1]) / 2) / current
        across_y[:, 1:-1] = kappa * (values[:, :-1] - values[:, 1:]) / ((dy[1:] + dy[:-1]) / 2) / current
        inwards = (across_x[:-1] - across_x[1:]) / dx + (across_y[:, :-1] - across_y[:, 1:]) / dy
        next_down = down + height * inwards
        end = potential(below.b) if below.b != GROUND else 0.0
        own = kappa * (values - end) / below.length / current
        imbalance = max(imbalance, float(np.abs(next_down - own).max()) / largest)
        layer.add(across_x, across_y, next_down)
        down, above = next_down, below
    yield layer, imbalance


class _Layer:
    """Densities on the faces of one electrolyte layer's voxels, row by row from its top down."""

    def __init__(self, x: Reconstruction, y: Reconstruction, lines: Array, top: NDArray[Any]) -> None:
        self.x, self.y, self.z = x, y, Reconstruction(lines)
        self.across_x: list[NDArray[Any]] = []
        self.across_y: list[NDArray[Any]] = []
        self.down = [top]

    def add(self, across_x: Array, across_y: Array, down: Array) -> None:
        """Add a row of voxels: the densities on their x and y faces and on their lower face."""
        self.across_x.append(across_x)
        self.across_y.append(across_y)
        self.down.append(down)

    def combined(self, weights: NDArray[Any]) -> _Layer:
        """Return the layer with combinations of its currents, (r, k)."""
        made = _Layer(self.x, self.y, self.z.lines, self.down[0] @ weights)
        made.across_x, made.across_y = ([row @ weights for row in rows] for rows in (self.across_x, self.across_y))
        made.down = [row @ weights for row in self.down]
        return made

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


@dataclass(frozen=True, eq=False)
class Currents:
    """k currents in space, layer by layer (`Field`)."""

    layers: list[_Layer]

    def at(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return J at the points of a tensor grid inside a layer, (3, z, x, y, k)."""
        found = self.layers[layer]
        parts = (
            (found.across_x, found.z.densities_at(z), found.x.values_at(x), found.y.densities_at(y)),
            (found.across_y, found.z.densities_at(z), found.x.densities_at(x), found.y.values_at(y)),
            (found.down, found.z.values_at(z), found.x.densities_at(x), found.y.densities_at(y)),
        )
        return np.stack([along(2, my, along(1, mx, along(0, mz, np.stack(rows)))) for rows, mz, mx, my in parts])

    def across(self, x: Array, y: Array) -> NDArray[Any]:
        """Return J_z through the WE face, every boundary and the CE face, (faces, x, y, k)."""
        faces = np.stack([self.layers[0].down[0], *(layer.down[-1] for layer in self.layers)])
        return along(2, self.layers[0].y.densities_at(y), along(1, self.layers[0].x.densities_at(x), faces))


def _product(one: Array, other: Array) -> Array:
    """Return the sum over all but the last axis of one_l other_m, symmetric (r, r)."""
    r = one.shape[-1]
    product = one.reshape(-1, r).T @ other.reshape(-1, r)
    return (product + product.T) / 2
