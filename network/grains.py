"""label(r) = the nearest of n seeds, or the brick that r lies in: grains made from a few numbers, the same every time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Labels = NDArray[np.int32]


def voronoi(shape: tuple[int, int, int], grains: int, seed: int = 0) -> Labels:
    """Return the number of the seed nearest to every voxel's centre, (z, x, y), seeds uniform in the box (not periodic)."""
    seeds = np.random.default_rng(seed).random((grains, 3)) * shape
    tree = cKDTree(seeds)
    nz, nx, ny = shape
    x, y = np.meshgrid(np.arange(nx) + 0.5, np.arange(ny) + 0.5, indexing="ij")
    labels = np.empty(shape, dtype=np.int32)
    for layer in range(nz):
        points = np.column_stack([np.full(nx * ny, layer + 0.5), x.ravel(), y.ravel()])
        labels[layer] = tree.query(points, workers=-1)[1].reshape(nx, ny)
    return labels


def bricks(shape: tuple[int, int, int], edge: int) -> Labels:
    """Return cubic grains of so many voxels per edge, counted from the corner z = x = y = 0; the last ones may be cut."""
    z, x, y = (np.arange(n) // edge for n in shape)
    across = int(y[-1]) + 1
    along = int(x[-1]) + 1
    return np.asarray((z[:, None, None] * along + x[:, None]) * across + y, dtype=np.int32)
