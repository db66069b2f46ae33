"""u ~ r^lambda, lambda = (4/pi) arctan(c^-1/2), around an edge where good conductors meet across voxels c times worse.

At c = 3 that is r^(2/3), as around a re-entrant corner: no other edge of a voxel image is more singular, however its phases
differ. Above, voxels resolve the edge ever worse: the R of a chessboard (exactly that of sqrt(k1 k2), Keller, Dykhne) is 14, 8,
4.5 % too large on 8, 16, 32 voxels with c = 10, and 144, 108, 83 % with c = 100. What that does to an image depends on its
current. The links around such edges take a share of Z of the error's size: 2.3 times it for c = 10, as much for c = 30, 0.8
of it for c = 100, on each of these grids.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.image.clusters import Codes
from network.image.voxels import Voxels

#: Contrast from which on an edge counts: its exponent is below 2/3. Nine digits of it, whatever the conductivities' rounding.
CONTRAST, DIGITS = 3.0, 1e-9

#: Share of Z from which on edges are spoken of.
SHARE = 0.02


@dataclass(frozen=True)
class Edges:
    """count; contrast: the largest; share: of Z that the links of their voxels take at a real s (1/s)."""

    count: int
    contrast: float
    share: float
    s: float

    def __str__(self) -> str:
        where = f"at {self.s / (2 * math.pi):.3g} Hz" if self.s else "at direct current"
        exponent = 4 / math.pi * math.atan(self.contrast**-0.5)
        return (
            f"electrolyte.microstructure: phases meet like the fields of a chessboard at {self.count} edges of voxels, with a "
            f"contrast of up to {self.contrast:.3g} (potentials like r^{exponent:.2g}), and the links there take "
            f"{self.share:.0%} of Z {where}: Z may be too large by about as much, or more, for the continuum that the voxels "
            "picture, and no uncertainty is stated"
        )


def worst_edges(voxels: Voxels, y: Mapping[str, float], potential: NDArray[Any], s: float) -> Edges | None:
    """Return the edges of a voxel image at a real s, from its potential at V = 1; None where there are none that count."""
    if voxels.phase is None:
        return None
    # Metal comes last, as what conducts nothing: it makes no chessboard, its edges are those of any contact.
    kappa = np.zeros(int(voxels.phase.max()) + 1)
    own = [y.get(kind, 0.0) for kind in voxels.alike]
    kappa[: len(own)] = own[: len(kappa)]
    count, contrast, near = _edges(voxels.phase, kappa)
    if not count:
        return None
    weights = voxels.weights(y)
    total = around = 0.0
    links = ((weights.z, 0), (weights.x, 1), (weights.y[:, :, :-1], 2))
    for conductance, axis in links:
        for place in range(len(potential) - (axis == 0)):
            here, drop = _drops(potential, near, axis, place)
            power = conductance[place] * drop**2
            total += float(power.sum())
            around += float(power[here].sum())
    total += float(np.sum(weights.metal * (potential[0] - 1.0) ** 2) + np.sum(weights.counter * potential[-1] ** 2.0))
    return Edges(count, contrast, around / total, s)


def _drops(potential: NDArray[Any], near: NDArray[np.bool_], axis: int, place: int) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Which links of a layer along an axis touch a voxel that is near an edge, and their potential differences."""
    if axis == 0:
        return near[place] | near[place + 1], potential[place + 1].astype(np.float64) - potential[place]
    mask, values = (np.moveaxis(each[place], axis - 1, 0) for each in (near, potential))
    drop = values[1:].astype(np.float64) - values[:-1]
    return np.moveaxis(mask[1:] | mask[:-1], 0, axis - 1), np.moveaxis(drop, 0, axis - 1)


def _edges(phase: Codes, kappa: NDArray[np.float64]) -> tuple[int, float, NDArray[np.bool_]]:
    """Return how many edges count, the largest contrast among them, and which voxels are at one."""
    count, largest, near = 0, 1.0, np.zeros(phase.shape, dtype=bool)
    for axis in range(3):
        for here, at in zip(np.moveaxis(phase, axis, 0), np.moveaxis(near, axis, 0), strict=True):
            a, b, c, d = here[:-1, :-1], here[1:, :-1], here[:-1, 1:], here[1:, 1:]
            crossed = (a != b) & (a != c) & (d != b) & (d != c)
            if not crossed.any():
                continue
            k = [kappa[each[crossed]] for each in (a, b, c, d)]
            falling, rising = (np.maximum(k[1], k[2]), np.maximum(k[0], k[3]))
            with np.errstate(divide="ignore", invalid="ignore"):
                ratios = np.minimum(k[0], k[3]) / falling, np.minimum(k[1], k[2]) / rising
            # Conductors that meet across holes are not connected at all, neither here nor in the continuum.
            contrast = np.maximum(*(np.where(bad > 0, r, 0.0) for r, bad in zip(ratios, (falling, rising), strict=True)))
            counts = contrast > CONTRAST * (1 + DIGITS)
            if not counts.any():
                continue
            count += int(counts.sum())
            largest = max(largest, float(contrast.max()))
            crossed[crossed] = counts
            for corner in (np.s_[:-1, :-1], np.s_[1:, :-1], np.s_[:-1, 1:], np.s_[1:, 1:]):
                at[corner] |= crossed
    return count, largest, near
