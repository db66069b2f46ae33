"""P = T (x) 1 + face: the stack that a microstructure is on average, inverted exactly, as a preconditioner of its network.

In every layer the links along x, along y and down to the next layer are replaced by their means. The lateral modes of uniform
voxels are cosines (the transform DCT-II), each of which sees a tridiagonal system in z; eliminated from the counter electrode
upwards it leaves the mode's admittance Y_mn on the WE face. Contact and pores differ by many decades there, so the face is
kept as it is: (C' Y C + face) phi_0 = r_0 is solved by conjugate gradients on the plane. Nothing depends on how exact this is
but the number of iterations.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from fem_constriction.reduction.conjugate_gradients import conjugate_gradients
from network.image.voxels import Weights

Real = NDArray[Any]

#: Relative residual energy at which the plane is solved: the iteration around it is of the flexible kind.
PLANE = 1e-2

#: Iterations on the plane at most.
MOST = 60

WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


class MeanField:
    """The mean-field stack at one real shift, ready to be applied; arrays (nz, nx, ny) in the precision of the weights."""

    name = "mean-field stack"

    def __init__(self, weights: Weights, kept: NDArray[np.bool_] | None) -> None:
        shape = nz, nx, ny = weights.y.shape
        kind = weights.y.dtype
        self.kept = kept
        self.face = weights.metal
        links_x, links_y, links_z, shunt = weights.x, weights.y[:, :, :-1], weights.z, np.zeros(nz)
        if weights.metal_of is not None:
            (links_z, links_x, links_y), shunt = _grounded(weights)
        along_x = links_x.mean((1, 2), dtype=np.float64) if nx > 1 else np.zeros(nz)
        along_y = links_y.mean((1, 2), dtype=np.float64) if ny > 1 else np.zeros(nz)
        down = links_z.mean((1, 2), dtype=np.float64)
        ground = float(weights.counter.mean(dtype=np.float64))
        # A layer that conducts nothing on average would leave its modes undefined.
        least = 1e-12 * max(float(each.max(initial=0.0)) for each in (along_x, along_y, down, np.array([ground])))
        self.down = np.maximum(down, least).astype(kind)
        x, y = (4 * np.sin(np.pi * np.arange(n) / (2 * n)) ** 2 for n in (nx, ny))
        self.inverse = np.empty(shape, kind)
        pivot = np.full((nx, ny), max(ground, least))
        for k in range(nz - 1, -1, -1):
            pivot = pivot + (shunt[k] + along_x[k] * x[:, None] + along_y[k] * y)
            self.inverse[k] = 1 / (pivot + (self.down[k - 1] if k else 0.0))
            if k:
                above = float(self.down[k - 1])
                pivot = above * pivot / (above + pivot)
        self.admittance = pivot.astype(kind)  # Y_mn of the first layer
        low, high = float(pivot.min()), float(pivot.max())
        local = np.asarray(self.face, dtype=np.float64)
        weight = 1 + local / max(np.sqrt(low * high), float(local.min()))
        self.scaling = (1 / np.sqrt(weight)).astype(kind)
        self.plane = (1 / (pivot + float(np.mean(local / weight)))).astype(kind)

    def solve(self, residual: Real, out: Real) -> Real:
        """Write P^-1 residual into out and return it."""
        out[...] = residual
        work = _transform(out, 2)
        for k in range(len(work) - 1, 0, -1):
            work[k] *= self.inverse[k]
            work[k - 1] += self.down[k - 1] * work[k]
        if self.kept is None and np.ptp(self.face) == 0:
            work[0] /= self.admittance + self.face[0, 0]
        else:
            work[0] = _transform(self._face(_transform(work[0], 3)), 2)
        for k in range(1, len(work)):
            work[k] += self.down[k - 1] * self.inverse[k] * work[k - 1]
        work = _transform(work, 3)
        if work is not out and not np.shares_memory(work, out):
            out[...] = work
        if self.kept is not None:
            out *= self.kept
        return out

    def _face(self, right: Real) -> Real:
        """Solve (C' Y C + face) phi = right on the first layer."""
        phi = np.zeros_like(right)
        conjugate_gradients(_Face(self), phi[None], right.copy()[None], lambda begin, _gained: PLANE**2 * begin, MOST)
        return phi


def _grounded(weights: Weights) -> tuple[list[Real], Real]:
    """Return the links between voxels that metal does not hold, along z, x and y, and the mean in every layer of the others.

    What metal at V or at ground is linked to is held by it, as V is: that is a shunt of its layer.
    """
    assert weights.metal_of is not None, "there is metal"
    free = weights.metal_of.free
    found, shunt = [], np.zeros(free.shape)
    for axis, links in enumerate((weights.z, weights.x, weights.y[:, :, :-1])):
        one, other = (np.moveaxis(free, axis, 0)[part] for part in (slice(None, -1), slice(1, None)))
        moved = np.moveaxis(links, axis, 0)
        found.append(np.moveaxis(np.where(one & other, moved, 0), 0, axis))
        held = np.where(one ^ other, moved, 0)
        place = np.moveaxis(shunt, axis, 0)
        place[:-1] += held
        place[1:] += held
    shunt *= free
    return found, shunt.mean((1, 2))


@dataclass(frozen=True, eq=False)
class _Face:
    """C' Y C + face, for conjugate gradients: one system, columns (1, nx, ny)."""

    stack: MeanField

    def apply(self, direction: Real) -> Real:
        below = _transform(_transform(direction.copy(), 2) * self.stack.admittance, 3)
        return np.asarray(below + self.stack.face * direction)

    def precondition(self, residual: Real) -> Real:
        scaling = self.stack.scaling
        return np.asarray(_transform(_transform(residual * scaling, 2) * self.stack.plane, 3) * scaling)

    def only(self, columns: NDArray[np.bool_]) -> _Face:
        return self


def _transform(values: Real, kind: int) -> Real:
    """Return the orthonormal cosine transform of type 2, or its inverse, type 3, of every layer, in place where it can."""
    workers = WORKERS if values.size > 1 << 17 else 1
    return np.asarray(scipy.fft.dctn(values, kind, axes=(-2, -1), norm="ortho", overwrite_x=True, workers=workers))
