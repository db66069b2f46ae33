"""w(x, y), constant between lines along x and y: what differs from place to place on a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.geometry.pixels import Pixels

#: Lines nearer to each other than this part of the face's width are one.
SAME = 1e-9

#: Values that differ by less, relatively, are equal: rounding of what they were made from.
EQUAL = 1e-12


@dataclass(frozen=True, eq=False)
class Tiles:
    """Values between lines; x: (n + 1,), y: (m + 1,), ascending, m; values: (n, m)."""

    x: Array
    y: Array
    values: Array

    @classmethod
    def of_image(cls, values: NDArray[Any], width: tuple[float, float]) -> Tiles:
        """Return the pixels of an image over a face, first index x."""
        x, y = (np.linspace(0.0, length, count + 1) for length, count in zip(width, values.shape, strict=True))
        return cls(x, y, np.asarray(values, dtype=float))

    @property
    def lines(self) -> tuple[Array, Array]:
        """Along x and y."""
        return self.x, self.y

    def at(self, x: Array, y: Array) -> Array:
        """Return the values at the points of a tensor grid, (x, y)."""
        inside = (
            np.clip(np.searchsorted(lines, points, "right") - 1, 0, lines.size - 2)
            for lines, points in zip(self.lines, (x, y), strict=True)
        )
        return np.asarray(self.values[np.ix_(*inside)])

    def on(self, x: Array, y: Array) -> Tiles:
        """Return the same between other lines, on which all of its own lie."""
        return Tiles(x, y, self.at((x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2))

    def plain(self) -> Tiles:
        """Return the same without lines at which nothing changes."""
        kept = []
        for axis, lines in enumerate(self.lines):
            changes = np.any(np.diff(self.values, axis=axis) != 0, axis=1 - axis)
            kept.append(lines[np.concatenate([[True], changes, [True]])])
        return self.on(kept[0], kept[1])

    def mean(self, x: Array, y: Array) -> Array:
        """Return the mean of each cell of a grid, (x cells, y cells): exact, wherever its lines lie."""
        found = np.zeros((self.x.size, self.y.size))
        found[1:, 1:] = np.cumsum(np.cumsum(self.values * np.outer(np.diff(self.x), np.diff(self.y)), axis=0), axis=1)
        found = _interpolated(_interpolated(found.T, self.y, y).T, self.x, x)
        return np.asarray(np.diff(np.diff(found, axis=0), axis=1) / np.outer(np.diff(x), np.diff(y)))

    def halved(self, axis: int) -> Tiles | None:
        """Return the half beyond the middle along an axis, the origin there; None where the other is no mirror image."""
        lines, length = self.lines[axis], float(self.lines[axis][-1])
        both = union(lines, length - lines[::-1], np.array([length / 2]))
        whole = self.on(both, self.y) if axis == 0 else self.on(self.x, both)
        if not np.allclose(whole.values, np.flip(whole.values, axis), rtol=EQUAL, atol=0):
            return None
        count = both.size // 2
        half = both[count:] - length / 2
        half[0] = 0.0
        values = whole.values[count:] if axis == 0 else whole.values[:, count:]
        return Tiles(half, self.y, values) if axis == 0 else Tiles(self.x, half, values)

    def pixels(self, counts: tuple[int, int]) -> Pixels:
        """Return where the values are 0 on so many equal pixels, on whose edges all lines lie."""
        x, y = (np.linspace(0.0, lines[-1], count + 1) for lines, count in zip(self.lines, counts, strict=True))
        found: Pixels = self.on(x, y).values == 0
        return found

    def lie_on(self, counts: tuple[int, int]) -> bool:
        """Whether all lines lie on the edges of so many equal pixels."""
        for lines, count in zip(self.lines, counts, strict=True):
            places = lines * (count / lines[-1])
            if np.any(np.abs(places - np.rint(places)) > SAME * count):
                return False
        return True


def union(*lines: Array) -> Array:
    """Return all lines in order, those that are one but once, the first and the last as the first argument has them."""
    own = lines[0]
    found = np.sort(np.concatenate(lines))
    found = found[np.append(True, np.diff(found) > SAME * own[-1])]
    found[0], found[-1] = own[0], own[-1]
    return np.asarray(found)


def _interpolated(table: Array, lines: Array, where: Array) -> Array:
    """Linear interpolation along the first axis, exact between the lines that an integral of tiles has."""
    below = np.clip(np.searchsorted(lines, where, "right") - 1, 0, lines.size - 2)
    part = np.clip((where - lines[below]) / (lines[below + 1] - lines[below]), 0.0, 1.0)[:, None]
    return np.asarray(table[below] * (1 - part) + table[below + 1] * part)
