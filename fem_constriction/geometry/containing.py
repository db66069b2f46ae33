"""x in a simplex: which triangle or tetrahedron holds each point of a grid of lines. Nothing but geometry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.geometry.facets import Integers

#: Tetrahedra that a cell or triangles that a face is made of, by the number of its vertices (in VTK's order).
TETRAHEDRA = {
    4: np.array([(0, 1, 2, 3)]),
    8: np.array([(0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6), (0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6)]),
}
TRIANGLES = {3: np.array([(0, 1, 2)]), 4: np.array([(0, 1, 2), (0, 2, 3)])}

#: Barycentric coordinates that are still inside: a point on a face between two simplices belongs to one of them.
INSIDE = -1e-9

#: Pairs of a simplex and a point that are looked at together.
_PIECE = 1 << 20


def split(cells: Integers, parts: dict[int, Integers]) -> tuple[Integers, Integers]:
    """Return the simplices that cells are made of, (n, d + 1), and the number of the cell that each is a part of, (n,)."""
    local = parts[cells.shape[1]]
    return cells[:, local].reshape(-1, local.shape[1]), np.repeat(np.arange(len(cells)), len(local))


def containing(points: Array, simplices: Integers, lines: Sequence[Array]) -> Integers:
    """Return which simplex holds each point (lines[0][i], lines[1][j], ...); -1 where none does.

    Parameters
    ----------
    points
        Vertices, (n, d).
    simplices
        Their numbers, (m, d + 1), of either orientation.
    lines
        d coordinates, ascending, (n_0,), (n_1,), ...

    Returns
    -------
    array
        (n_0, n_1, ...); on a face that two share the number of either.
    """
    shape = tuple(len(each) for each in lines)
    found = np.full(shape, -1, dtype=np.int64)
    corners = points[simplices]
    slack = 1e-9 * np.ptp(points, axis=0)
    low = np.stack([np.searchsorted(at, corners[:, :, k].min(1) - slack[k]) for k, at in enumerate(lines)], 1)
    high = np.stack([np.searchsorted(at, corners[:, :, k].max(1) + slack[k]) for k, at in enumerate(lines)], 1)
    sides = np.maximum(high - low, 0)
    counts = sides.prod(1)
    inverse = np.linalg.inv(np.moveaxis(corners[:, 1:] - corners[:, :1], 1, 2))
    held = np.flatnonzero(counts)
    ends = np.cumsum(counts[held])
    start = 0
    while start < len(held):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _PIECE, side="right")))
        some = held[start:stop]
        start = stop
        one = np.repeat(some, counts[some])
        place = np.arange(one.size) - np.repeat(np.cumsum(counts[some]) - counts[some], counts[some])
        index = np.empty((one.size, len(shape)), dtype=np.int64)
        for axis in range(len(shape) - 1, -1, -1):
            place, index[:, axis] = np.divmod(place, sides[one, axis])
        index += low[one]
        at = np.stack([each[index[:, axis]] for axis, each in enumerate(lines)], 1) - corners[one, 0]
        inside = np.einsum("nij,nj->ni", inverse[one], at)
        holds = (inside >= INSIDE).all(1) & (inside.sum(1) <= 1 - INSIDE)
        found[tuple(index[holds].T)] = one[holds]
    return found
