"""v(p) = sum over a, b, c of Z_pa X_pb Y_pc v_abc: values of a tensor grid at points anywhere, a few of them per point.

What a backend says of its potential and current inside a layer is a product of one-dimensional rules (shape functions, straight
lines between nodes, reconstructed densities), each a sparse matrix from the values along an axis to the points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array


class Inside(Protocol):
    """One potential and its current density in space, for V = 1, at points (n,) of a layer, in the grid's coordinates."""

    def potential(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return phi, (n,), V."""
        ...

    def current_density(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return J, (3, n), A/m2."""
        ...


def at_points(values: NDArray[Any], along_z: sparse.csr_array, along_x: sparse.csr_array, along_y: sparse.csr_array) -> Any:
    """Return v at n points from values (z, x, y) and three matrices with n rows, (n,)."""
    (z_at, z_weight), (x_at, x_weight), (y_at, y_weight) = (_entries(rule) for rule in (along_z, along_x, along_y))
    total = np.zeros(z_at.shape[1], dtype=values.dtype)
    _, nx, ny = values.shape
    flat = values.ravel()
    for z, of_z in zip(z_at, z_weight, strict=True):
        for x, of_x in zip(x_at, x_weight, strict=True):
            row, both = (z * nx + x) * ny, of_z * of_x
            for y, of_y in zip(y_at, y_weight, strict=True):
                total += both * of_y * flat.take(row + y)
    return total


def each_once(rules: Callable[[Array], Iterable[sparse.csr_array]], points: Array) -> tuple[sparse.csr_array, ...]:
    """Return the matrices of rules at points, made once per coordinate: points of planes and grids share most of them."""
    different, where = np.unique(points, return_inverse=True)
    return tuple(matrix[where] for matrix in rules(different))


def straight(nodes: Array, points: Array) -> sparse.csr_array:
    """Return the matrix from values at ascending nodes to points: straight between nodes, constant beyond, (points, nodes)."""
    if len(nodes) == 1:
        return sparse.csr_array(np.ones((len(points), 1)))
    left = np.clip(np.searchsorted(nodes, points) - 1, 0, len(nodes) - 2)
    t = np.clip((points - nodes[left]) / (nodes[left + 1] - nodes[left]), 0.0, 1.0)
    rows = np.tile(np.arange(len(points)), 2)
    entries = (np.concatenate([1 - t, t]), (rows, np.concatenate([left, left + 1])))
    return sparse.csr_array(entries, shape=(len(points), len(nodes)))


def _entries(rule: sparse.csr_array) -> tuple[NDArray[np.int64], Array]:
    """Columns and entries of every row, as many as the fullest row has, (most, rows); a row with fewer has entries 0."""
    count = np.diff(rule.indptr)
    most = int(count.max(initial=0))
    columns, entries = np.zeros((most, count.size), dtype=np.int64), np.zeros((most, count.size))
    row = np.repeat(np.arange(count.size), count)
    place = np.arange(rule.indices.size) - rule.indptr[row]
    columns[place, row], entries[place, row] = rule.indices, rule.data
    return columns, entries
