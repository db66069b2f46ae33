"""phi = u_h, J = -y_bulk grad u_h at points of prisms: the triangle of the face a point lies in, then its basis functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.fem.prisms.prisms import TRIANGLE, TriangleSpace
from fem_constriction.fem.stacks.fields import shapes
from fem_constriction.fem.stacks.spaces import VerticalSpace

#: Triangles tried first for a point, those whose middles are nearest, and how many Newton steps invert a bent one.
TRIED, STEPS = 32, 12

#: Coordinates of a triangle up to which points are looked for.
FAR = 1e6

#: How far outside a triangle a point may be, in its own coordinates: rounding, and the wall's.
OUTSIDE = 1e-7


@dataclass(frozen=True, eq=False)
class PrismFields:
    """One potential, layer by layer (`Inside`).

    row: number -> nodal values, (nodes of the plane, 1), V; y_bulk: of each layer, S/m.
    """

    plane: TriangleSpace
    line: VerticalSpace
    degree: int
    depth: float
    row: Callable[[int], NDArray[Any]]
    y_bulk: Sequence[complex]

    def potential(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return u_h at n points of a layer, (n,), V."""
        (over, _, _), (along, _) = self._shapes(layer, x, y, z)
        return self._at(layer, over, along)

    def current_density(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return -y_bulk grad u_h at n points of a layer, (3, n), A/m2."""
        (over, by_x, by_y), (along, by_z) = self._shapes(layer, x, y, z)
        parts = (self._at(layer, by_x, along), self._at(layer, by_y, along), self._at(layer, over, by_z))
        return -self.y_bulk[layer] / self.depth * np.stack(parts)

    def _shapes(self, layer: int, x: Array, y: Array, z: Array) -> tuple[tuple[sparse.csr_array, ...], tuple[Any, ...]]:
        points, back = np.unique(np.stack([x, y]) / self.depth, axis=1, return_inverse=True)
        planar = _planar(self.plane, points.tobytes())
        heights, places = np.unique(z / self.depth, return_inverse=True)
        along = shapes(self.line.layers[layer], self.degree, heights)
        return tuple(each[back.ravel()] for each in planar), tuple(each[places.ravel()] for each in along)

    def _at(self, layer: int, over: sparse.csr_array, along: sparse.csr_array) -> NDArray[Any]:
        """sum over nodes of over(point, planar node) along(point, row) u(row, node)."""
        first = int(self.line.starts[layer - 1]) if layer else 0
        found: NDArray[Any] = np.zeros(over.shape[0], dtype=complex)
        columns = sparse.csc_array(along)
        for number in range(columns.shape[1]):
            used = slice(columns.indptr[number], columns.indptr[number + 1])
            here = columns.indices[used]
            if here.size:
                found[here] += columns.data[used] * (over[here] @ self.row(first + number)[:, 0])
        return found


@lru_cache(maxsize=8)
def _planar(plane: TriangleSpace, raw: bytes) -> tuple[sparse.csr_array, sparse.csr_array, sparse.csr_array]:
    """Values and derivatives by x and y of the plane's basis functions at points (2, n), each (n, nodes)."""
    points = np.frombuffer(raw).reshape(2, -1)
    triangle, local = locate(plane, points)
    mapping, element = plane.basis.mapping, TRIANGLE[plane.degree]()
    found = []
    d = mapping.each(local, triangle)[1]
    det = d[0, 0] * d[1, 1] - d[0, 1] * d[1, 0]
    inverse = np.stack([np.stack([d[1, 1], -d[0, 1]]), np.stack([-d[1, 0], d[0, 0]])]) / det
    nodes = plane.basis.element_dofs[:, triangle]
    values, slopes = zip(*(element.lbasis(local, i) for i in range(len(nodes))), strict=True)
    gradient = np.einsum("dkn,idn->kin", inverse, np.stack(slopes))
    rows = np.tile(np.arange(triangle.size), len(nodes))
    for entries in (np.stack(values), *gradient):
        shape = (triangle.size, plane.size)
        found.append(sparse.csr_array((entries.ravel(), (rows, nodes.ravel())), shape=shape))
    return found[0], found[1], found[2]


def locate(plane: TriangleSpace, points: Array) -> tuple[NDArray[np.int64], Array]:
    """Return the triangle of each point of the face, (n,), and its coordinates there, (2, n). Raises ComputationError."""
    mapping = plane.basis.mapping
    count = plane.mesh.t.shape[1]
    middles = mapping.F(np.array([[1 / 3], [1 / 3]]))[:, :, 0]
    tree, left = cKDTree(middles.T), np.arange(points.shape[1])
    triangle, local = np.full(left.size, -1), np.zeros_like(points)
    tried = min(TRIED, count)
    while left.size:
        near = tree.query(points[:, left].T, k=tried)[1].reshape(left.size, -1)
        place = np.full((2, *near.shape), 1 / 3)
        for _ in range(STEPS):
            x, d = _mapped(mapping, place, near)
            away = points[:, left, None] - x
            det = d[0, 0] * d[1, 1] - d[0, 1] * d[1, 0]
            step = np.stack([d[1, 1] * away[0] - d[0, 1] * away[1], d[0, 0] * away[1] - d[1, 0] * away[0]]) / det
            place = np.clip(np.nan_to_num(place + step), -FAR, FAR)  # thin ones: the first step may lead far out
        x, _ = _mapped(mapping, place, near)
        reached = np.abs(points[:, left, None] - x).max(0) < 1e-9
        inside = np.min(np.stack([place[0], place[1], 1 - place.sum(0)]), 0)
        score = np.where(reached, inside, -np.inf)
        best = np.argmax(score, axis=1)
        good = score[np.arange(left.size), best] > -OUTSIDE
        chosen = left[good]
        triangle[chosen] = near[good, best[good]]
        local[:, chosen] = place[:, good, best[good]]
        left = left[~good]
        if left.size and tried == count:
            lost = points[:, left[0]]
            raise ComputationError(f"no triangle of the face holds the point {lost.tolist()} (in units of the thickness)")
        tried = min(4 * tried, count)
    return triangle, local


def _mapped(mapping: Any, place: Array, triangles: NDArray[np.int64]) -> tuple[Array, Array]:
    """x and DF at a point of its own for each triangle; place: (2, n, k), triangles: (n, k)."""
    x, d = mapping.each(place.reshape(2, -1), triangles.ravel())
    return x.reshape(2, *triangles.shape), d.reshape(2, 2, *triangles.shape)
