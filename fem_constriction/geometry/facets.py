"""Facets of tetrahedra and hexahedra: which cells share one, how large it is, which parts hang together. Nothing but geometry.

Vertices of a cell are in the order of VTK and meshio: a tetrahedron (0, 1, 2) and 3 above, a hexahedron (0, 1, 2, 3) around its
bottom and (4, 5, 6, 7) above them. A facet has its vertices in order around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from fem_constriction.arrays import Array

Integers = NDArray[np.int64]

#: Local vertices of the facets, by number of vertices of the cell.
LOCAL = {
    4: np.array([(0, 1, 2), (0, 1, 3), (1, 2, 3), (0, 2, 3)]),
    8: np.array([(0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]),
}

#: The neighbours of each local vertex that its edges lead to, so that their triple product is positive.
CORNERS = {
    4: np.array([(0, 1, 2, 3)]),
    8: np.array(
        [(0, 1, 3, 4), (1, 2, 0, 5), (2, 3, 1, 6), (3, 0, 2, 7), (4, 7, 5, 0), (5, 4, 6, 1), (6, 5, 7, 2), (7, 6, 4, 3)]
    ),
}

#: The same cell with its vertices in the order of the other orientation.
MIRRORED = {4: [0, 2, 1, 3], 8: [4, 5, 6, 7, 0, 1, 2, 3]}


def numbered(rows: Integers) -> tuple[Integers, Integers]:
    """Return a number for every row, equal for rows that hold the same vertices, and where each number stands first."""
    keys = np.sort(rows, axis=1)
    order = np.lexsort(keys.T[::-1])
    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = np.any(keys[order[1:]] != keys[order[:-1]], axis=1)
    number = np.empty(len(rows), dtype=np.int64)
    number[order] = np.cumsum(fresh) - 1
    return number, order[fresh]


@dataclass(frozen=True, eq=False)
class Facets:
    """The facets of cells: of each cell (cells, local facets) its numbers, and of each facet its vertices (facets, 3 or 4).

    count: how many cells have it; first: one of them, and its local number there, (facets,).
    """

    of_cell: Integers
    vertices: Integers
    count: Integers
    first: tuple[Integers, Integers]

    @classmethod
    def build(cls, cells: Integers) -> Facets:
        """Number the facets of cells (n, 4 or 8)."""
        local = LOCAL[cells.shape[1]]
        rows = cells[:, local].reshape(-1, local.shape[1])
        number, at = numbered(rows)
        return cls(
            number.reshape(len(cells), len(local)),
            rows[at],
            np.bincount(number),
            (at // len(local), at % len(local)),
        )

    def find(self, faces: Integers) -> Integers:
        """Return the number of each face, given by its vertices; -1 for what is no facet."""
        if not len(faces):
            return np.zeros(0, dtype=np.int64)
        number, _ = numbered(np.concatenate([self.vertices, faces]))
        known = np.full(number.max() + 1, -1, dtype=np.int64)
        known[number[: len(self.vertices)]] = np.arange(len(self.vertices))
        return known[number[len(self.vertices) :]]

    @property
    def pairs(self) -> tuple[Integers, Integers, Integers]:
        """The facets between two cells, and the cells: facet, one, other."""
        flat = self.of_cell.ravel()
        order = np.argsort(flat, kind="stable")
        start = np.concatenate([[0], np.cumsum(self.count)[:-1]])
        inner = np.flatnonzero(self.count == 2)
        cell = order // self.of_cell.shape[1]
        return inner, cell[start[inner]], cell[start[inner] + 1]

    def overlapping(self, points: Array, cells: Integers) -> int:
        """Return how many facets have the middles of both their cells on one side."""
        inner, one, other = self.pairs
        corners = self.vertices[inner]
        normal, at = areas(points, corners), points[corners].mean(1)
        first, second = (np.sum((points[cells[cell]].mean(1) - at) * normal, axis=1) for cell in (one, other))
        return int(np.sum(first * second >= 0))


def parts(facets: Facets) -> tuple[int, Integers]:
    """Return the number of parts whose cells hang together by facets, and the part of each cell."""
    _, one, other = facets.pairs
    cells = len(facets.of_cell)
    graph = sparse.coo_array((np.ones(one.size), (one, other)), shape=(cells, cells))
    number, part = connected_components(graph, directed=False)
    return int(number), part.astype(np.int64)


def spans(points: Array, cells: Integers) -> Array:
    """Return the triple products of the edges at each corner of each cell, (cells, 1 or 8): positive where it is not folded."""
    corner = points[cells[:, CORNERS[cells.shape[1]]]]
    edges = corner[:, :, 1:] - corner[:, :, :1]
    return np.asarray(np.linalg.det(edges))


def volumes(points: Array, cells: Integers) -> Array:
    """Return the volume of each cell, (cells,): exact for tetrahedra, by 2 x 2 x 2 Gauss points (exact) for hexahedra."""
    if cells.shape[1] == 4:
        return spans(points, cells)[:, 0] / 6
    total = np.zeros(len(cells))
    at = (0.5 - 0.5 / np.sqrt(3), 0.5 + 0.5 / np.sqrt(3))
    corner = points[cells]
    for x, y, z in np.ndindex(2, 2, 2):
        total += np.linalg.det(np.stack([corner.transpose(0, 2, 1) @ d for d in _slopes(at[x], at[y], at[z])], axis=1)) / 8
    return total


def areas(points: Array, faces: Integers) -> Array:
    """Return the vector area, normal times area, of each face (faces, 3)."""
    corner = points[faces]
    if faces.shape[1] == 3:
        return np.asarray(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]) / 2)
    return np.asarray(np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1]) / 2)


def affine(points: Array, cells: Integers, rounding: float = 1e-9) -> bool:
    """Whether every cell is an affine image of its reference: tetrahedra always, hexahedra if they are parallelepipeds."""
    if cells.shape[1] == 4:
        return True
    c = points[cells]
    edges = c[:, [1, 3, 4]] - c[:, :1]
    whole = c[:, :1] + np.stack([edges[:, 0] + edges[:, 1], *(edges[:, i] + edges[:, 2] for i in (0, 1))], axis=1)
    last = c[:, 0] + edges.sum(1)
    away = np.concatenate([np.abs(whole - c[:, [2, 5, 7]]).reshape(len(c), -1), np.abs(last - c[:, 6])], axis=1)
    return bool(np.all(away.max(1) <= rounding * np.abs(edges).reshape(len(c), -1).max(1)))


def _slopes(x: float, y: float, z: float) -> Sequence[Array]:
    """Derivatives of the eight trilinear functions, in VTK's order, along x, y and z."""
    at = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)], dtype=float)
    value = [np.where(at[:, i] == 1, p, 1 - p) for i, p in enumerate((x, y, z))]
    sign = 2 * at - 1
    return [sign[:, 0] * value[1] * value[2], sign[:, 1] * value[0] * value[2], sign[:, 2] * value[0] * value[1]]
