"""x of the whole cell -> |x - L_x/2| on a grid that starts in the middle: what mirror symmetry left out of a grid, unfolded.

The components of a current change sign with the coordinate that is mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.cell.units import array_in
from fem_constriction.errors import InputError
from fem_constriction.grids.grid import Grid

#: Points so far outside the cell, relative to its length, are taken to be on its face.
EDGE_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Unfolding:
    """The whole cell, lengths (L_x, L_y, L_z) in m, and the grid that covers it, or half of it along x or y or both."""

    grid: Grid
    lengths: tuple[float, float, float]

    @property
    def mirrored(self) -> tuple[bool, bool]:
        """Whether the grid covers half of the cell along x and along y, from the middle to the wall."""
        spans = (float(np.ptp(self.grid.x)), float(np.ptp(self.grid.y)))
        return spans[0] < 0.75 * self.lengths[0], spans[1] < 0.75 * self.lengths[1]

    def lines(self, axis: int) -> Array:
        """Return the grid's lines along x (0) or y (1) over the whole cell, m."""
        lines = (self.grid.x, self.grid.y)[axis]
        return self.lengths[axis] / 2 + np.concatenate([-lines[:0:-1], lines]) if self.mirrored[axis] else lines

    def fold(self, points: Array, axis: int) -> tuple[Array, Array]:
        """Return coordinates of the whole cell along x or y as the grid has them, and 1, or -1 where they were mirrored."""
        lines = (self.grid.x, self.grid.y)[axis]
        sign = np.ones_like(points)
        if self.mirrored[axis]:
            offset = points - self.lengths[axis] / 2
            points, sign = np.abs(offset), np.sign(offset)
        return np.clip(points, lines[0], lines[-1]), sign

    def points(self, x: Any, y: Any, z: Any) -> tuple[list[Array], Array, tuple[int, ...]]:
        """Return points in coordinates of the grid, the signs of a current's components there, (3, n), and the points' shape.

        Raises InputError for points outside the cell.
        """
        given = np.broadcast_arrays(*(array_in("m", each, "xyz"[axis]).astype(float) for axis, each in enumerate((x, y, z))))
        for name, each, length in zip("xyz", given, self.lengths, strict=True):
            inside = (each >= -EDGE_TOLERANCE * length) & (each <= (1 + EDGE_TOLERANCE) * length)
            if not np.all(inside):
                raise InputError(key=name, value=float(each[~inside].ravel()[0]), unit="m", allowed=f"from 0 to {length!r} m")
        (x_on, x_sign), (y_on, y_sign) = (self.fold(each.ravel(), axis) for axis, each in enumerate(given[:2]))
        points = [x_on, y_on, np.clip(given[2].ravel(), 0.0, self.lengths[2])]
        return points, np.stack([x_sign, y_sign, np.ones_like(x_sign)]), given[0].shape

    def contact(self, axis: int, at: float) -> tuple[tuple[float, float], ...]:
        """Return where the metal touches the line x = at (axis 0) or y = at (1): intervals of the other coordinate, m."""
        own = (self.grid.x, self.grid.y)[axis]
        folded = float(self.fold(np.array([at]), axis)[0][0])
        cell = int(np.clip(np.searchsorted(own, folded) - 1, 0, len(own) - 2))
        touching = self.grid.contact[cell] if axis == 0 else self.grid.contact[:, cell]
        if self.mirrored[1 - axis]:
            touching = np.concatenate([touching[::-1], touching])
        edges = self.lines(1 - axis)
        change = np.flatnonzero(np.diff(np.concatenate([[False], touching, [False]]).astype(int)))
        return tuple((float(edges[a]), float(edges[b])) for a, b in change.reshape(-1, 2))
