"""phi = u_h and J = -y_bulk grad u_h at points: the finite elements' potential itself, nothing smoothed.

Through every horizontal plane it carries the same current: functions of z alone are among the test functions, so the current
through a plane, piecewise of degree k - 1 in z, is orthogonal to all such functions of mean zero, hence constant in each layer,
and equal on the two sides of a boundary by the jump's equation. Locally J is conserved as far as elements of that size can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.fem.stacks.fields import shapes
from fem_constriction.fem.stacks.spaces import LineSpace, VerticalSpace
from fem_constriction.space.interpolation import at_points, each_once


@dataclass(frozen=True, eq=False)
class ElementFields:
    """One potential, layer by layer (`Inside`).

    row: number -> nodal values, (nodes of the plane, 1), V; y_bulk: of each layer, S/m.
    """

    x: LineSpace
    y: LineSpace
    line: VerticalSpace
    degree: int
    depth: float
    row: Callable[[int], NDArray[Any]]
    y_bulk: Sequence[complex]

    def potential(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return u_h at n points of a layer, (n,), V."""
        (in_z, _), (in_x, _), (in_y, _) = self._shapes(layer, x, y, z)
        return np.asarray(at_points(self._values(layer), in_z, in_x, in_y))

    def current_density(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return -y_bulk grad u_h at n points of a layer, (3, n), A/m2."""
        values = self._values(layer)
        (in_z, dz), (in_x, dx), (in_y, dy) = self._shapes(layer, x, y, z)
        parts = (at_points(values, in_z, dx, in_y), at_points(values, in_z, in_x, dy), at_points(values, dz, in_x, in_y))
        return -self.y_bulk[layer] / self.depth * np.stack(parts)

    def _shapes(self, layer: int, x: Array, y: Array, z: Array) -> list[tuple[sparse.csr_array, ...]]:
        """Basis functions at points and their derivatives (per unit of the mesh), along z, x and y."""
        spaces = (self.line.layers[layer], self.x, self.y)
        return [
            each_once(partial(shapes, space, self.degree), points / self.depth)
            for space, points in zip(spaces, (z, x, y), strict=True)
        ]

    def _values(self, layer: int) -> NDArray[Any]:
        first = int(self.line.starts[layer - 1]) if layer else 0
        rows = range(first, first + len(self.line.layers[layer].nodes))
        return np.stack([self.row(number).reshape(len(self.x.nodes), len(self.y.nodes)) for number in rows])
