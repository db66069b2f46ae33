"""A plane of normal n has |n_x| + |n_y| + |n_z| times its area as faces of voxels: 3/2 on average, at every resolution.

So y_gb of a face is divided by that sum where boundaries are `smooth`. The normal of a boundary between two grains is that of
the plane between their seeds where grains are generated as Voronoi cells. In an image it is the gradient of a line fitted by
weighted least squares to which of the two grains voxels around the face belong to (+1 and -1; voxels of others are left out).
Measured, with weights exp(-r^2/2 WIDTH^2) up to RADIUS voxels: areas of 20 planes of any direction in 16^3 voxels are at most
1.0 % off, 0.2 % on average (voxels of 4 : 2 : 1: 6 and 0.8 %); of spheres with radii of 4 to 10 voxels 2.6 %; of all boundaries
of 30 Voronoi grains in 16^3 to 32^3 voxels 0.4 %.

The area is then right. What is left is an error of first order in h y_gb/kappa, since the staircase is not the plane
(`remainder`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.errors import PicturedWarning
from fem_constriction.geometry.grains import seeds_of
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import BULK, GRAIN_BOUNDARY

Labels = NDArray[Any]
Index = tuple[NDArray[np.intp], ...]

#: Voxels around a face, in edges of a voxel.
RADIUS: Final = 3.5
#: Of the weights, likewise.
WIDTH: Final = 1.5

#: Shares of faces are rounded to so many steps between 3^-1/2 and 1, each having the mean of its faces: what boundaries conduct
#: in all is kept, and every step is a kind of links of the network (measured: docs/microstructures.md).
STEPS: Final = 8

#: Relative error of areas below which nothing is said: normals are estimated to about as much.
LITTLE: Final = 0.02

#: Faces that are looked at together.
_PIECE: Final = 1 << 14

#: Faces that the area of all is estimated from where nothing more is needed.
_SAMPLE: Final = 4000

#: Relative error of a plane's resistance over h y_gb/kappa: measured 0.46, 0.45 for a slope of 1/2, where that is 0.06, 0.008.
SLOPE: Final = 0.5


@dataclass(frozen=True, eq=False)
class BoundaryArea:
    """shares: what y_gb of a face may be multiplied by; codes: of each face across z, x and y the number of its share, from 1.

    Faces are between neighbouring voxels, (nz - 1, nx, ny) and so on; 0 where there is no boundary. None: all have the share 1.
    """

    shares: tuple[float, ...] = (1.0,)
    codes: tuple[NDArray[np.uint8], ...] | None = None

    def cut(self, parts: int) -> BoundaryArea:
        """Return the shares of an image whose voxels are cut into so many parts along every edge: new faces have none."""
        if self.codes is None or parts == 1:
            return self
        found = []
        for axis, codes in enumerate(self.codes):
            shape = [n * parts for n in codes.shape]
            shape[axis] += parts - 1
            wide = np.zeros(shape, dtype=np.uint8)
            across = [each for each in range(3) if each != axis]
            fine = codes.repeat(parts, across[0]).repeat(parts, across[1])
            np.moveaxis(wide, axis, 0)[parts - 1 :: parts] = np.moveaxis(fine, axis, 0)
            found.append(wide)
        return BoundaryArea(self.shares, tuple(found))


def area_of(body: Image, labels: Labels) -> BoundaryArea:
    """Return the shares of an image's faces, labels (nz, nx, ny) on its own voxels.

    Warns (PicturedWarning) with the factor where faces of voxels have another area than the boundaries that they picture.
    """
    boundary = body.structure.boundary
    if boundary is None:
        return BoundaryArea()
    if boundary.area == "voxels":
        if (factor := overcounted(body, labels)) > 1 + LITTLE:
            said = (
                f"faces of voxels have {factor:.3g} times the area of the boundaries that they picture, at every resolution, "
                f"and for these R_GB is about {1 - 1 / factor:.0%} too low: allowed is area = 'smooth' as well"
            )
            warnings.warn(PicturedWarning(f"electrolyte.microstructure.boundary.area = 'voxels': {said}"), stacklevel=2)
        return BoundaryArea()
    return rounded([(index, share) for _, index, share in _shares(body, labels)], labels.shape)


def overcounted(body: Image, labels: Labels) -> float:
    """Return the area of all faces between grains over that of the boundaries that they picture, from some; 1 without any."""
    shares = [share for _, _, share in _shares(body, labels, _SAMPLE)]
    every = np.concatenate(shares) if shares else np.zeros(0)
    return float(1 / every.mean()) if every.size else 1.0


def rounded(shares: list[tuple[Index, Array]], shape: tuple[int, ...]) -> BoundaryArea:
    """Return shares of the faces across z, x and y in STEPS steps, each with the mean of its faces."""
    every = np.concatenate([share for _, share in shares])
    low = 3**-0.5
    step = np.clip(np.ceil((1 - every) / (1 - low) * (STEPS - 1) - 1e-9), 0, STEPS - 1).astype(np.intp)  # 1 alone is exact
    counts = np.bincount(step, minlength=STEPS)
    sums = np.bincount(step, every, minlength=STEPS)
    used = np.flatnonzero(counts)
    number = np.zeros(STEPS, dtype=np.uint8)
    number[used] = np.arange(1, len(used) + 1)
    codes, begin = [], 0
    for axis, (index, share) in enumerate(shares):
        size = list(shape)
        size[axis] -= 1
        found = np.zeros(size, dtype=np.uint8)
        found[index] = number[step[begin : begin + len(share)]]
        codes.append(found)
        begin += len(share)
    return BoundaryArea(tuple(float(sums[k] / counts[k]) for k in used) or (1.0,), tuple(codes))


def _shares(body: Image, labels: Labels, most: int | None = None) -> Iterator[tuple[int, Index, Array]]:
    """The faces between grains across each axis, by the voxel before them, and 1/(|n_x| + |n_y| + |n_z|) of each."""
    others = list(body.inclusions) + list(body.electrodes)
    normal = _normals(body, labels)
    grain = ~np.isin(labels, others) if others else None
    for axis in range(3):
        one, other = (np.moveaxis(labels, axis, 0)[part] for part in (slice(None, -1), slice(1, None)))
        between = one != other
        if grain is not None:
            moved = np.moveaxis(grain, axis, 0)
            between &= moved[:-1] & moved[1:]
        index = np.nonzero(np.moveaxis(between, 0, axis))
        if most is not None and len(index[0]) > most:
            chosen = np.linspace(0, len(index[0]) - 1, most).astype(np.intp)
            index = tuple(each[chosen] for each in index)
        share = np.empty(len(index[0]))
        for begin in range(0, len(share), _PIECE):
            piece = tuple(each[begin : begin + _PIECE] for each in index)
            share[begin : begin + _PIECE] = 1 / np.abs(normal(axis, piece)).sum(1)
        yield axis, index, share


def _normals(body: Image, labels: Labels) -> Callable[[int, Index], Array]:
    """Return what gives unit normals (z, x, y) of faces across an axis, by the voxel before them."""
    structure, edges = body.structure, np.array(body.structure.edges)
    if structure.generator == "voronoi":
        shape = labels.shape[0], labels.shape[1], labels.shape[2]
        seeds = seeds_of(shape, structure.grains or 1, structure.seed or 0, structure.edges)

        def of_seeds(axis: int, index: Index) -> Array:
            after = tuple(each + (number == axis) for number, each in enumerate(index))
            return _unit(seeds[labels[after]] - seeds[labels[index]])

        return of_seeds
    reach = int(np.ceil(RADIUS))
    low = labels.min()
    # Labels from 1 on, and 0 around them: what is outside the image belongs to no grain.
    padded = np.pad((labels.astype(np.int64) - int(low) + 1).astype(np.uint64), reach)

    def of_fit(axis: int, index: Index) -> Array:
        rows = [range(-reach, reach + 1)] * 3
        offsets = np.array(list(product(*rows)))
        away = offsets - 0.5 * (np.arange(3) == axis)
        near = (away**2).sum(1) <= RADIUS**2
        offsets, away = offsets[near], away[near]
        weights = np.exp(-(away**2).sum(1) / (2 * WIDTH**2))
        columns = np.column_stack([away * (edges / edges.min()), np.ones(len(away))])
        strides = np.array([padded.shape[1] * padded.shape[2], padded.shape[2], 1])
        first = np.stack(index, 1) @ strides + reach * strides.sum()
        around = padded.reshape(-1)[first[:, None] + offsets @ strides]
        here = padded.reshape(-1)[first]
        there = padded.reshape(-1)[first + strides[axis]]
        one, other = around == here[:, None], around == there[:, None]
        pairs = (columns[:, :, None] * columns[:, None, :]).reshape(len(columns), 16) * weights[:, None]
        matrix = ((one | other).astype(np.float64) @ pairs).reshape(-1, 4, 4)
        right = (other.astype(np.float64) - one) @ (columns * weights[:, None])
        # Voxels in one line or plane leave slopes open, which are then 0.
        matrix += 1e-9 * np.eye(4) * np.trace(matrix, axis1=1, axis2=2)[:, None, None]
        return _unit(np.linalg.solve(matrix, right[..., None])[:, :3, 0])

    return of_fit


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1)[:, None])


def warn_of_remainder(problem: Problem) -> None:
    """Warn (PicturedWarning) where smooth boundaries leave more than LITTLE of their resistance at direct current."""
    body = Image.of(problem.body)
    if body.structure.boundary is None or body.structure.boundary.area == "voxels":
        return
    bulk, boundary = (float(problem.places[name](0.0)) for name in (BULK, GRAIN_BOUNDARY))
    left = remainder(body, bulk, boundary)
    if left > LITTLE:
        said = (
            f"h y_gb/kappa = {left / SLOPE:.2g} at direct current, so that the staircase of the voxels makes R_GB too large by "
            f"about {min(left, 1):.0%}: smaller voxels of the image lower that, subdivided ones do not"
        )
        warnings.warn(PicturedWarning(f"electrolyte.microstructure.boundary.area = 'smooth': {said}"), stacklevel=2)


def remainder(body: Image, bulk: float, boundary: float) -> float:
    """Return the error that smooth boundaries leave, relative to their resistance: SLOPE h y_gb/kappa, of first order in h.

    bulk, boundary: kappa in S/m and y_gb in S/m2 at one s.
    """
    return SLOPE * max(body.structure.edges) * boundary / bulk if bulk else np.inf
