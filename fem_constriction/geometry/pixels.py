"""A_c = sum over metal pixels of dx dy: a face as an image, first index x, second y."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from fem_constriction.arrays import Array

Pixels = NDArray[np.bool_]


def halved(pixels: Pixels, axis: int) -> Pixels | None:
    """Return the half beyond the middle along an axis where the other is its mirror image, else None; of an even number."""
    count = pixels.shape[axis]
    if count % 2 or not np.array_equal(pixels, np.flip(pixels, axis)):
        return None
    return pixels[count // 2 :] if axis == 0 else pixels[:, count // 2 :]


def steps(pixels: Pixels, axis: int) -> NDArray[np.int64]:
    """Return the numbers of the lines along an axis, walls left out, at which metal ends somewhere."""
    return np.flatnonzero(np.any(np.diff(pixels, axis=axis), axis=1 - axis)) + 1


def perimeter(pixels: Pixels, size: tuple[float, float]) -> float:
    """Return the length of all edges between metal and pore, walls left out, m; size: of a pixel."""
    across_x, across_y = (int(np.count_nonzero(np.diff(pixels, axis=axis))) for axis in range(2))
    return across_x * size[1] + across_y * size[0]


def extent(pixels: Pixels, size: tuple[float, float]) -> tuple[float, float]:
    """Return how far the metal reaches along x and y, m."""
    found = []
    for axis in range(2):
        where = np.flatnonzero(pixels.any(1 - axis))
        found.append(float(where[-1] + 1 - where[0]) * size[axis] if where.size else 0.0)
    return found[0], found[1]


def spots(pixels: Pixels) -> int:
    """Return how many pieces of metal there are: pixels that share an edge are of one piece."""
    return int(scipy.ndimage.label(pixels)[1])


def rims(pixels: Pixels, size: tuple[float, float]) -> list[Array]:
    """Return the rims of all spots and of the holes in them, corners (n, 2), for pixels of this size."""
    import shapely

    i, j = np.nonzero(pixels)
    boxes = shapely.box(i * size[0], j * size[1], (i + 1) * size[0], (j + 1) * size[1])
    parts = shapely.get_parts(shapely.union_all(boxes))
    return [np.array(ring.coords) for part in parts for ring in (part.exterior, *part.interiors)]


def covered(pixels: Pixels, size: tuple[float, float], x: Array, y: Array) -> Array:
    """Return the part of each cell of a grid that is metal, (x cells, y cells): exact, wherever its lines lie."""
    total = np.zeros((pixels.shape[0] + 1, pixels.shape[1] + 1))
    total[1:, 1:] = np.cumsum(np.cumsum(pixels, axis=0, dtype=float), axis=1)
    rows, columns = _at(total, x / size[0], 0), y / size[1]
    found = np.diff(np.diff(_at(rows, columns, 1), axis=0), axis=1)
    share = found * size[0] * size[1] / np.outer(np.diff(x), np.diff(y))
    share = np.clip(share, 0.0, 1.0)
    return np.asarray(np.where(share > 1 - 1e-9, 1.0, np.where(share < 1e-9, 0.0, share)))


def _at(total: Array, where: Array, axis: int) -> Array:
    """Linear interpolation of a table along an axis, which is exact between the lines of pixels."""
    count = total.shape[axis] - 1
    below = np.clip(np.floor(where + 1e-9), 0, count - 1).astype(int)
    part = np.clip(where - below, 0.0, 1.0)
    part = part[:, None] if axis == 0 else part
    return np.asarray(np.take(total, below, axis) * (1 - part) + np.take(total, below + 1, axis) * part)


def smallest_gap(pixels: Pixels, size: tuple[float, float]) -> float:
    """Return the smallest distance between two pieces of metal, m: 0 where corners touch, infinite of one piece alone.

    Between the pixels of metal nearest to two that are neighbours: pieces nearest to each other have such neighbours between.
    """
    labels, count = scipy.ndimage.label(pixels)
    if count < 2:
        return float("inf")
    _, nearest = scipy.ndimage.distance_transform_edt(~pixels, sampling=size, return_indices=True)
    least = float("inf")
    for step in ((1, 0), (0, 1), (1, 1), (1, -1)):
        one, other = (_shifted(nearest, step, side) for side in (0, 1))
        apart = labels[one[0], one[1]] != labels[other[0], other[1]]
        if apart.any():
            between = np.maximum(np.abs(one - other)[:, apart] - 1, 0)
            least = min(least, float(np.hypot(between[0] * size[0], between[1] * size[1]).min()))
    return least


def _shifted(indices: NDArray[np.int64], step: tuple[int, int], side: int) -> NDArray[np.int64]:
    """The values on one side of all pairs of pixels that are a step apart."""
    parts = []
    for axis, by in enumerate(step):
        count = indices.shape[axis + 1]
        low = side == 0 if by >= 0 else side == 1
        parts.append(slice(0, count - abs(by)) if low else slice(abs(by), count))
    return indices[:, parts[0], parts[1]]
