"""phi and J of the voxel network at points: straight between its nodes, and the currents of its links.

phi: node values, at voxel centres and on the faces of every layer, joined by straight lines along x, y and z: along a link the
potential of a resistor. Between the last centre and a wall, and across a plane of symmetry, it is constant: no link, no current
goes there. The two sides of a boundary have nodes of their own, so the jump is the drop over its links. J: the currents of the
links, spread over the faces they cross (`network.flux`): free of divergence, the same current through every plane.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.grids.grid import Grid
from fem_constriction.processes.names import BULK
from fem_constriction.space.interpolation import at_points, each_once, straight
from fem_constriction.space.reconstruction import Reconstruction
from network.flux import Currents, currents
from network.links import GROUND, Column


@dataclass(frozen=True, eq=False)
class NetworkFields:
    """One potential and its currents, layer by layer (`Inside`).

    rows: of nodes of each layer, from its upper to its lower face; potential_of: row -> (x cells, y cells, 1), V.
    """

    grid: Grid
    rows: list[list[int]]
    potential_of: Callable[[int], NDArray[Any]]
    flow: Currents

    @classmethod
    def build(
        cls, grid: Grid, vertical: Column, row: Callable[[int], NDArray[Any]], y_bulk: complex, current: complex
    ) -> NetworkFields:
        """Return the fields of one potential; y_bulk: S/m; current: the total, A."""
        rows: list[list[int]] = []
        for segment in vertical.segments:
            if segment.process == BULK:
                if not rows or rows[-1][-1] != segment.a:  # below a boundary
                    rows.append([segment.a])
                rows[-1].append(segment.b)
        flow = currents(grid, vertical, row, np.array([y_bulk]), np.array([[current]]))
        return cls(grid, rows, row, flow)

    def potential(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return phi at n points of a layer, (n,), V."""
        lines = self.grid.layers[layer]
        zero = np.zeros(self.grid.contact.shape)  # an ideal counter electrode
        values = np.stack([zero if row == GROUND else self.potential_of(row)[:, :, 0] for row in self.rows[layer]])
        nodes = [np.concatenate([lines[:1], _centres(lines), lines[-1:]]), _centres(self.grid.x), _centres(self.grid.y)]
        rules = [each_once(partial(_straight, along), points) for along, points in zip(nodes, (z, x, y), strict=True)]
        return np.asarray(at_points(values, *(rule for (rule,) in rules)))

    def current_density(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return J at n points of a layer, (3, n), A/m2."""
        found = self.flow.layers[layer]
        lines = (found.z, found.x, found.y)
        (in_z, on_z), (in_x, on_x), (in_y, on_y) = (
            each_once(partial(_densities_and_values, line), at) for line, at in zip(lines, (z, x, y), strict=True)
        )  # along the current from values on the faces it crosses, across it from means
        parts = ((found.across_x, in_z, on_x, in_y), (found.across_y, in_z, in_x, on_y), (found.down, on_z, in_x, in_y))
        return np.stack([at_points(np.stack(rows)[..., 0], *rules) for rows, *rules in parts])


def _straight(nodes: Array, points: Array) -> tuple[sparse.csr_array]:
    return (straight(nodes, points),)


def _densities_and_values(line: Reconstruction, points: Array) -> tuple[sparse.csr_array, sparse.csr_array]:
    return line.densities_at(points), line.values_at(points)


def _centres(lines: Array) -> Array:
    return np.asarray((lines[1:] + lines[:-1]) / 2)
