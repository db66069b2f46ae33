"""-grad u_h and the drops of u_h across interfaces, on the points of any tensor grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.fem.stacks.spaces import LineSpace, VerticalSpace
from fem_constriction.space.reconstruction import along


def shapes(space: LineSpace, degree: int, points: Array) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return the basis functions of a line space at points, and their derivatives, each (points, nodes)."""
    corners = space.nodes[::degree]
    element = np.clip(np.searchsorted(corners, points) - 1, 0, len(corners) - 2)
    local = element[:, None] * degree + np.arange(degree + 1)
    nodes = space.nodes[local]
    values, slopes = np.ones_like(nodes), np.zeros_like(nodes)
    for k in range(degree + 1):
        for m in range(degree + 1):
            if m == k:
                continue
            factor = (points - nodes[:, m]) / (nodes[:, k] - nodes[:, m])
            slopes[:, k] = slopes[:, k] * factor + values[:, k] / (nodes[:, k] - nodes[:, m])
            values[:, k] *= factor
    rows = np.repeat(np.arange(len(points)), degree + 1)
    shape = (len(points), len(space.nodes))
    return tuple(sparse.csr_array((part.ravel(), (rows, local.ravel())), shape=shape) for part in (values, slopes))


@dataclass(frozen=True, eq=False)
class Gradients:
    """k potentials in space, layer by layer (`Field`): row: number -> nodal values, (nodes of the plane, k); metal: V, (k,)."""

    x: LineSpace
    y: LineSpace
    line: VerticalSpace
    degree: int
    depth: float
    row: Callable[[int], NDArray[Any]]
    metal: NDArray[Any]

    def at(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return -grad phi at the points of a tensor grid inside a layer, (3, z, x, y, k), V/m."""
        first = int(self.line.starts[layer - 1]) if layer else 0
        spaces = (self.line.layers[layer], self.x, self.y)
        (nz, dz), (nx, dx), (ny, dy) = (
            shapes(space, self.degree, points / self.depth) for space, points in zip(spaces, (z, x, y), strict=True)
        )
        used = np.unique(nz.indices)  # the rows that these points see
        values = np.stack([self._plane(self.row(first + int(number))) for number in used])
        (nz, dz) = (matrix[:, used] for matrix in (nz, dz))
        level = along(0, nz, values)
        parts = (
            along(2, ny, along(1, dx, level)),
            along(2, dy, along(1, nx, level)),
            along(2, ny, along(1, nx, along(0, dz, values))),
        )
        return -np.stack(parts) / self.depth

    def across(self, x: Array, y: Array) -> NDArray[Any]:
        """Return V - phi on the WE face, phi above less below at every boundary and phi on the CE face, (faces, x, y, k), V."""
        drops = [self.metal - self._plane(self.row(0))]
        drops += [self._plane(self.row(int(above)) - self.row(int(above) + 1)) for above in self.line.above]
        drops.append(self._plane(self.row(self.line.size - 1)))
        nx, ny = (shapes(s, self.degree, p / self.depth)[0] for s, p in ((self.x, x), (self.y, y)))
        return along(2, ny, along(1, nx, np.stack(drops)))

    def _plane(self, values: NDArray[Any]) -> NDArray[Any]:
        return values.reshape(len(self.x.nodes), len(self.y.nodes), -1)
