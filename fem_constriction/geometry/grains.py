"""label(r) = the nearest of n seeds, or the brick that r lies in: grains made from a few numbers, the same every time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from fem_constriction import memory

Labels = NDArray[np.integer[Any]]

#: Bytes per seed, with its place in the tree, and per voxel of a layer, whose centres are looked up together: measured 48 and
#: 51 (3 million seeds, 2 million voxels).
BYTES_PER_SEED, BYTES_PER_PATCH = 60, 60


def voronoi(
    shape: tuple[int, int, int], grains: int, seed: int = 0, edges: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Labels:
    """Return the number of the seed nearest to every voxel's centre, (z, x, y), seeds uniform in the box (not periodic).

    edges: of a voxel along z, x and y, in any unit.
    """
    needed = BYTES_PER_SEED * grains + BYTES_PER_PATCH * shape[1] * shape[2] + 4 * math.prod(shape)
    memory.require(needed, f"{grains:.3g} grains on {math.prod(shape):.3g} voxels", "fewer grains, or larger voxels")
    hz, hx, hy = (each / min(edges) for each in edges)
    tree = cKDTree(seeds_of(shape, grains, seed, edges))
    nz, nx, ny = shape
    x, y = np.meshgrid(np.arange(nx) + 0.5, np.arange(ny) + 0.5, indexing="ij")
    labels = np.empty(shape, dtype=np.int32)
    for layer in range(nz):
        points = np.column_stack([np.full(nx * ny, (layer + 0.5) * hz), hx * x.ravel(), hy * y.ravel()])
        labels[layer] = tree.query(points, workers=-1)[1].reshape(nx, ny)
    return labels


def seeds_of(shape: tuple[int, int, int], grains: int, seed: int, edges: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the seeds of Voronoi grains, (grains, 3): z, x and y in shortest edges of a voxel."""
    return np.asarray(np.random.default_rng(seed).random((grains, 3)) * shape * np.array(edges) / min(edges))


def bricks(shape: tuple[int, int, int], edge: int | tuple[int, ...]) -> Labels:
    """Return bricks of so many voxels along every axis, counted from the corner z = x = y = 0; the last ones may be cut."""
    steps = edge if isinstance(edge, tuple) else (edge,) * 3
    z, x, y = (np.arange(n) // step for n, step in zip(shape, steps, strict=True))
    across = int(y[-1]) + 1
    along = int(x[-1]) + 1
    kind = np.int32 if (int(z[-1]) + 1) * along * across < 2**31 else np.int64
    return np.asarray((z[:, None, None] * along + x[:, None]) * across + y, dtype=kind)
