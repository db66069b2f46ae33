"""div J = 0 voxel by voxel: the currents of an image's links as lowest-order Raviart-Thomas currents of unit total.

What the solver left of Kirchhoff's law, 1e-5 of the current or less, is led to an electrode along a tree of links:
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
from network.image.voxels import Voxels


def currents(voxels: Voxels, potentials: Array, y: Mapping[str, Array]) -> tuple[tuple[Array, Array, Array], float]:
    """Return the currents through faces across z, x and y, and the largest repair relative to the largest of them.

    Parameters
    ----------
    voxels
        Links of an image. Through metal no current is given, only what crosses its faces.
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
    r, pieces = potentials.shape[1], voxels.metal_of
    _, (down, across, aside) = through_faces(voxels, potentials, y)
    table = np.stack([np.zeros(r), *(y[name] for name in voxels.kinds)])
    left = -_divergence(down, across, aside)
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
    if pieces is not None:
        total = total + _divergence(down, across, aside).reshape(-1, r)[pieces.tied].sum(0)
    return (down / total, across / total, aside / total), worst


def through_faces(
    voxels: Voxels, potentials: NDArray[Any], y: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[Any], tuple[Array, Array, Array]]:
    """Return potentials of the voxels' centres, (nz, nx, ny, r), and the currents of links through faces across z, x and y, A.

    potentials: of all voxels and V, (unknowns, r); y: of every kind of link for each, (r,), S/m2.
    """
    shape, r = voxels.shape, potentials.shape[1]
    phi, metal, pieces = np.array(potentials[:-1]).reshape(*shape, r), potentials[-1], voxels.metal_of
    if pieces is not None:
        for column in range(r):
            phi[..., column] = pieces.hold(np.ascontiguousarray(phi[..., column]), metal[column])
    table = np.stack([np.zeros(r), *(y[name] for name in voxels.kinds)])
    kind = np.result_type(phi, table)
    down, across, aside = (np.zeros((*(n + (axis == k) for k, n in enumerate(shape)), r), kind) for axis in range(3))
    down[0] = voxels.areas[0] * table[voxels.metal] * (metal - phi[0])
    down[1:-1] = voxels.areas[0] * table[voxels.z] * (phi[:-1] - phi[1:])
    down[-1] = voxels.areas[0] * table[voxels.counter] * phi[-1]
    across[:, 1:-1] = voxels.areas[1] * table[voxels.x] * (phi[:, :-1] - phi[:, 1:])
    aside[:, :, 1:-1] = voxels.areas[2] * table[voxels.y[:, :, :-1]] * (phi[:, :, :-1] - phi[:, :, 1:])
    return phi, (down, across, aside)


def _divergence(down: Array, across: Array, aside: Array) -> Array:
    """Return what flows out of every voxel, (nz, nx, ny, r)."""
    return np.asarray(np.diff(down, axis=0) + np.diff(across, axis=1) + np.diff(aside, axis=2))


def _led_away(voxels: Voxels, left: Array, conducts: NDArray[np.bool_]) -> list[Array]:
    """Return currents that carry what stays in each voxel, (voxels, r), along a tree of links to either electrode.

    conducts: which codes of links do. A floating piece of metal is one node of the tree, and so is all metal at V or at ground.
    """
    shape, size, r = voxels.shape, left.shape[0], left.shape[1]
    ground, working, metal = size, size + 1, voxels.metal_of
    node = np.arange(size)
    if metal is not None:
        node[metal.tied], node[metal.grounded], node[metal.floating] = working, ground, working + 1 + metal.piece
    number = node.reshape(shape)
    flows = [np.zeros((*(n + (axis == k) for k, n in enumerate(shape)), r)) for axis in range(3)]
    faces = np.split(np.arange(sum(each[..., 0].size for each in flows)), np.cumsum([each[..., 0].size for each in flows])[:-1])
    down, across, aside = (index.reshape(flow.shape[:3]) for index, flow in zip(faces, flows, strict=True))
    links: list[tuple[NDArray[Any], ...]] = [(np.array([working]), np.array([ground]), np.array([-1]))]
    for one, other, face, codes in (
        (number[:-1], number[1:], down[1:-1], voxels.z),
        (number[:, :-1], number[:, 1:], across[:, 1:-1], voxels.x),
        (number[:, :, :-1], number[:, :, 1:], aside[:, :, 1:-1], voxels.y[:, :, :-1]),
        (np.full(shape[1:], working), number[0], down[0], voxels.metal),
        (number[-1], np.full(shape[1:], ground), down[-1], voxels.counter),
    ):
        links.append((one[conducts[codes]], other[conducts[codes]], face[conducts[codes]]))
    a, b, face = (np.concatenate(each) for each in zip(*links, strict=True))
    nodes = working + 1 + (0 if metal is None else len(metal.sizes))
    graph = sparse.csr_array((np.ones(a.size), (a, b)), shape=(nodes, nodes))  # links of metal add up
    order, parent = breadth_first_order(graph, ground, directed=False)
    held = np.zeros((nodes, r))
    np.add.at(held, node, left)
    flow = np.zeros((nodes, r))
    for level in reversed(_levels(order, parent)):
        flow[level] = held[level]
        np.add.at(held, parent[level], held[level])
    # Which link leads from each node to its parent: any one of them, where metal has several.
    keys = np.minimum(a, b) * nodes + np.maximum(a, b)
    first = np.argsort(keys, kind="stable")
    child = order[1:]
    above = parent[child]
    chosen = first[np.searchsorted(keys[first], np.minimum(child, above) * nodes + np.maximum(child, above))]
    there = face[chosen] >= 0
    signs = np.where(a[chosen] == child, 1.0, -1.0)[there, None]
    whole = np.zeros((sum(each.size for each in faces), r))
    whole[face[chosen][there]] = signs * flow[child[there]]
    return [whole[index].reshape(flow.shape) for index, flow in zip(faces, flows, strict=True)]


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
