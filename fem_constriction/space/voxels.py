"""Potentials and currents of a label image as its voxels' faces have them: what guaranteed discs are made of there.

A potential is known by its means over the six faces of every voxel, a divergence-free lowest-order Raviart-Thomas current by
what passes through them. Along an axis the current density of such a field is a straight line, and the derivative of a
trilinear potential, averaged over the voxel's cross-section, a constant: int J . grad phi is exact from these numbers alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array

#: Through the faces across z, x and y, of r currents.
Currents = tuple[Array, Array, Array]


def voxels_at(
    edges: tuple[float, float, float], shape: tuple[int, int, int], z: Array, x: Array, y: Array
) -> tuple[tuple[NDArray[np.intp], ...], list[Array]]:
    """Return the voxels that points (n,) lie in, along z, x and y, and where in them, 0 to 1; on a face in the one behind it.

    edges: of a voxel, m; shape: of the image.
    """
    numbers, local = [], []
    for points, edge, count in zip((z, x, y), edges, shape, strict=True):
        scaled = points / edge
        # Faces are multiples of the edge to rounding alone.
        number = np.clip(np.floor(scaled + 1e-9), 0, count - 1).astype(np.intp)
        numbers.append(number)
        local.append(np.clip(scaled - number, 0.0, 1.0))
    return tuple(numbers), local


@dataclass(frozen=True, eq=False)
class VoxelFaces:
    """What voxels and faces of an image are, for whoever adds over them.

    Parameters
    ----------
    edges
        Of a voxel along z, x and y, m.
    phases, places
        Names.
    inside
        Number of the phase of each voxel, below 0 for none, (nz, nx, ny).
    faces
        Number of the place that each face across z, x and y carries, below 0 for none: (nz + 1, nx, ny), (nz, nx - 1, ny) and
        (nz, nx, ny - 1); those of the electrodes are the first and last along z.
    weights
        Axis -> what a face's area is multiplied by where it carries a place; left out: 1.
    """

    edges: tuple[float, float, float]
    phases: tuple[str, ...]
    places: tuple[str, ...]
    inside: NDArray[np.int8]
    faces: tuple[NDArray[np.int8], ...]
    weights: Mapping[int, Array]

    def area(self, axis: int) -> float:
        """Return the area of a face across an axis, m2."""
        return float(np.prod([edge for number, edge in enumerate(self.edges) if number != axis]))


@dataclass(frozen=True, eq=False)
class FaceMeans:
    """Means of r potentials over the faces of voxels, V.

    voxels: which these are; metal: V itself, (r,); low, high: before and behind each voxel along z, x and y,
    (3, nz, nx, ny, r).
    """

    voxels: VoxelFaces
    metal: Array
    low: Array
    high: Array


def dissipated(phases: VoxelFaces, currents: Currents) -> dict[str, Array]:
    """Return int J_l . J_m of r currents over every phase (1/m) and place (1/m2), each (r, r).

    currents: A through the faces across z, x and y, (nz + 1, nx, ny, r), (nz, nx + 1, ny, r) and (nz, nx, ny + 1, r).
    """
    r = currents[0].shape[-1]
    gram = {name: np.zeros((r, r)) for name in (*phases.phases, *phases.places)}
    for axis in range(3):
        moved = np.moveaxis(currents[axis], axis, 0)
        first, second = moved[:-1], moved[1:]
        scale = phases.edges[axis] / phases.area(axis)
        solid = np.moveaxis(phases.inside, axis, 0)
        for number, name in enumerate(phases.phases):
            one, other = first[solid == number], second[solid == number]
            mixed = one.T @ other
            gram[name] += scale / 6 * (2 * (one.T @ one + other.T @ other) + mixed + mixed.T)
        inner = moved if axis == 0 else moved[1:-1]
        codes = np.moveaxis(phases.faces[axis], axis, 0)
        shares = phases.weights.get(axis)
        for number, name in enumerate(phases.places):
            chosen = inner[codes == number]
            weight = 1.0 if shares is None else np.moveaxis(shares, axis, 0)[codes == number][:, None]
            gram[name] += chosen.T @ (chosen / weight) / phases.area(axis)
    return gram


def crossed(means: FaceMeans, currents: Currents) -> dict[str, Array]:
    """Return int g_l . J_m over every phase and place, g the drops of q potentials, (q, r) each."""
    phases = means.voxels
    q, r = len(means.metal), currents[0].shape[-1]
    found = {name: np.zeros((q, r)) for name in (*phases.phases, *phases.places)}
    for axis in range(3):
        moved = np.moveaxis(currents[axis], axis, 0)
        low, high = (np.moveaxis(each[axis], axis, 0) for each in (means.low, means.high))
        solid = np.moveaxis(phases.inside, axis, 0)
        for number, name in enumerate(phases.phases):
            at = solid == number
            found[name] += (low[at] - high[at]).T @ (moved[:-1][at] + moved[1:][at]) / 2
        codes = np.moveaxis(phases.faces[axis], axis, 0)
        if axis == 0:
            drops = np.concatenate([(means.metal - low[:1]), high[:-1] - low[1:], high[-1:]])
            inner = moved
        else:
            drops, inner = high[:-1] - low[1:], moved[1:-1]
        for number, name in enumerate(phases.places):
            at = codes == number
            found[name] += drops[at].T @ inner[at]
    return found
