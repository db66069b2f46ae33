"""div J = 0 voxel by voxel: the currents of an image's links as lowest-order Raviart-Thomas currents of unit total.

What the solver left of Kirchhoff's law, 1e-5 of the current or less, is led to the counter electrode along a tree of links:
the currents are then conserved to rounding, and discs made of them are guaranteed however well they were solved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from network.image.voxels import Voxels


def currents(voxels: Voxels, potentials: Array, y: Mapping[str, Array]) -> tuple[tuple[Array, Array, Array], float]:
    """Return the currents through faces across z, x and y, and the largest repair relative to the largest of them.

    Parameters
    ----------
    voxels
        Links of an image without metal in it.
    potentials
        Of all voxels and V, (unknowns, r).
    y
        What each kind of link conducts at the shift of each, (r,), S/m2.

    Returns
    -------
    tuple of ndarray
        (nz + 1, nx, ny, r), (nz, nx + 1, ny, r), (nz, nx, ny + 1, r), A for a total of 1 A.
    float
        Relative.
    """
    if voxels.metal_of is not None:
        raise ComputationError("currents through metal in an image are not reconstructed")
    shape, r = voxels.shape, potentials.shape[1]
    phi, metal = potentials[:-1].reshape(*shape, r), potentials[-1]
    down, across, aside = (np.zeros((*(n + (axis == k) for k, n in enumerate(shape)), r)) for axis in range(3))
    table = np.stack([np.zeros(r), *(y[name] for name in voxels.kinds)])
    down[0] = voxels.areas[0] * table[voxels.metal] * (metal - phi[0])
    down[1:-1] = voxels.areas[0] * table[voxels.z] * (phi[:-1] - phi[1:])
    down[-1] = voxels.areas[0] * table[voxels.counter] * phi[-1]
    across[:, 1:-1] = voxels.areas[1] * table[voxels.x] * (phi[:, :-1] - phi[:, 1:])
    aside[:, :, 1:-1] = voxels.areas[2] * table[voxels.y[:, :, :-1]] * (phi[:, :, :-1] - phi[:, :, 1:])
    left = down[:-1] - down[1:] + across[:, :-1] - across[:, 1:] + aside[:, :, :-1] - aside[:, :, 1:]
    largest = max(float(np.abs(each).max()) for each in (down, across, aside))
    worst = 0.0
    conducts = table > 0
    for pattern in np.unique(conducts, axis=1).T:  # at direct current what is led away has to keep out of dielectrics
        own = np.flatnonzero((conducts == pattern[:, None]).all(0))
        repair = _led_away(voxels, left.reshape(-1, r)[:, own], pattern)
        for flow, more in zip((down, across, aside), repair, strict=True):
            flow[..., own] += more
            worst = max(worst, float(np.abs(more).max()) / largest)
    total = down[0].sum((0, 1))
    return (down / total, across / total, aside / total), worst


def _led_away(voxels: Voxels, left: Array, conducts: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Return currents that carry what stays in each voxel, (voxels, r), along a tree of links to the counter electrode.

    conducts: which codes of links do.
    """
    shape, size, r = voxels.shape, left.shape[0], left.shape[1]
    number = np.arange(size).reshape(shape)
    ends: list[tuple[NDArray[Any], NDArray[Any]]] = []
    for one, other, codes in (
        (number[:-1], number[1:], voxels.z),
        (number[:, :-1], number[:, 1:], voxels.x),
        (number[:, :, :-1], number[:, :, 1:], voxels.y[:, :, :-1]),
        (number[-1], np.full(shape[1:], size), voxels.counter),
    ):
        ends.append((one[conducts[codes]], other[conducts[codes]]))
    a, b = (np.concatenate(each) for each in zip(*ends, strict=True))
    graph = sparse.csr_array((np.ones(a.size, dtype=np.int8), (a, b)), shape=(size + 1, size + 1))
    order, parent = breadth_first_order(graph, size, directed=False)
    held = np.vstack([left, np.zeros((1, r))])
    flow = np.zeros((size, r))
    for nodes in reversed(_levels(order, parent)):
        flow[nodes] = held[nodes]
        np.add.at(held, parent[nodes], held[nodes])
    down, across, aside = (np.zeros((*(n + (axis == k) for k, n in enumerate(shape)), r)) for axis in range(3))
    z, x, w = at = np.unravel_index(np.arange(size), shape)
    there = parent[:size]
    for axis, (target, step) in enumerate(((down, shape[1] * shape[2]), (across, shape[2]), (aside, 1))):
        unit = [int(axis == k) for k in range(3)]
        goes = (there == np.arange(size) + step) & (there < size) & (at[axis] < shape[axis] - 1)
        goes |= (there == size) & (axis == 0)
        target[z[goes] + unit[0], x[goes] + unit[1], w[goes] + unit[2]] += flow[goes]
        comes = (there == np.arange(size) - step) & (at[axis] > 0)
        target[z[comes], x[comes], w[comes]] -= flow[comes]
    return down, across, aside


def _levels(order: NDArray[Any], parent: NDArray[Any]) -> list[NDArray[Any]]:
    """Return what lies 1, 2, ... links away from the root, of a breadth-first order, which has one level before the next."""
    place = np.empty(len(parent), dtype=np.int64)
    place[order] = np.arange(len(order))
    above = place[parent[order[1:]]]  # ascending
    found, begin, end = [], 0, 1
    while end < len(order):
        begin, end = end, 1 + int(np.searchsorted(above, end))
        found.append(order[begin:end])
    return found
