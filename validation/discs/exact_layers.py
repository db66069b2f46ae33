"""phi'' = k^2 phi between two planes: potentials and currents of a layer from what they are at its ends, in closed form.

A lateral mode of eigenvalue k^2 has, in a layer of height h, the potential that is harmonic between its two ends a and b, or
the current whose density there is p and q and whose energy is least. Per unit conductivity and area (lengths in m):

    int |grad phi|^2 = (c (a + b)^2 + d (a - b)^2)/2,    int |j|^2 = ((p + q)^2/d + (p - q)^2/c)/2,
    c = k tanh(k h/2),    d = k coth(k h/2),

sums of squares without cancellation. The uniform mode, k = 0, has c = 0, d = 2/h, and p = q: its current is conserved. Nothing
here is shared with the recursion that spectra are made of (`fem_constriction.stack.layered`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fem_constriction.arrays import Array

#: Attenuation k z beyond which a mode is taken for 0: any values are admissible, and these change energies by exp(-40).
DEAD = 20.0


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer.

    Parameters
    ----------
    k
        Roots of the eigenvalues, ascending, the first 0, (n,), 1/m.
    height
        m.
    """

    k: Array
    height: float

    @cached_property
    def alike(self) -> Array:
        """c, (n,), 1/m."""
        return np.asarray(self.k * np.tanh(self.k * self.height / 2))

    @cached_property
    def opposite(self) -> Array:
        """d, (n,), 1/m."""
        half = self.k * self.height / 2
        return np.asarray(2 / self.height * np.where(half > 0, half / np.tanh(np.where(half > 0, half, 1.0)), 1.0))

    def potentials(self, top: Array, bottom: Array) -> Array:
        """Return int grad phi_l . grad phi_m of potentials with these ends, (r, n) and (r, at most n: the others are 0)."""
        total, difference = _sum_and_difference(top, bottom)
        count = top.shape[1]
        return ((total * self.alike[:count]) @ total.T + (difference * self.opposite[:count]) @ difference.T) / 2

    def currents(self, top: Array, bottom: Array) -> Array:
        """Return int j_l . j_m of currents with these densities at the ends, (r, n) and (r, at most n: the others are 0)."""
        total, difference = _sum_and_difference(top, bottom)
        count = top.shape[1]
        sideways = difference[:, 1:] / self.alike[1:count]
        return ((total / self.opposite[:count]) @ total.T + sideways @ difference[:, 1:].T) / 2

    def seen(self, under: Array) -> Array:
        """Return kappa times the impedance at the top, m, of an impedance below it: both (r, n)."""
        damped = np.tanh(self.k * self.height)
        flat = np.where(self.k > 0, damped / np.where(self.k > 0, self.k, 1.0), self.height)
        return np.asarray((under + flat) / (1 + self.k * damped * under))

    def passed(self, under: Array) -> Array:
        """Return g, 1/m: an end a above leaves the end g under a below, a current p above the current g seen p: (r, n)."""
        decay = np.exp(-self.k * self.height)
        lost = -np.expm1(-2 * self.k * self.height)
        flat = np.where(self.k > 0, lost / np.where(self.k > 0, self.k, 1.0), 2 * self.height)
        return np.asarray(2 * decay / (flat + under * (1 + decay**2)))


def _sum_and_difference(top: Array, bottom: Array) -> tuple[Array, Array]:
    total, difference = top.copy(), top.copy()
    total[:, : bottom.shape[1]] += bottom
    difference[:, : bottom.shape[1]] -= bottom
    return total, difference


@dataclass(frozen=True, eq=False)
class Steps:
    """What is met on the way down, in units of the conductivity kappa of the layer above, at r real shifts, (r,) each.

    Parameters
    ----------
    ratios
        kappa of a layer over that of the next one.
    boundaries
        kappa/y of what lies below a layer, 0 where nothing does, m.
    counter
        kappa/y of the counter electrode, m.
    """

    ratios: Sequence[Array]
    boundaries: Sequence[Array]
    counter: Array


@dataclass(frozen=True, eq=False)
class Column:
    """All layers below the face, and how many modes are alive on each plane.

    Parameters
    ----------
    k
        Roots of the eigenvalues, ascending, the first 0, (n,), 1/m.
    heights
        Of the layers, from the working electrode down, m.
    """

    k: Array
    heights: Sequence[float]

    @cached_property
    def alive(self) -> tuple[int, ...]:
        """Numbers of modes on the planes from the face to the counter electrode, (layers + 1)."""
        depths = np.concatenate([[0.0], np.cumsum(self.heights)])
        return tuple(int(np.searchsorted(self.k * depth, DEAD)) for depth in depths)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, each with the modes alive at its top."""
        return tuple(Layer(self.k[:count], h) for h, count in zip(self.heights, self.alive, strict=False))

    def impedances(self, below: Steps) -> tuple[list[Array], list[Array]]:
        """Return kappa times the impedances seen at the top of each layer and at its bottom, (r, modes alive) each, m.

        kappa: of the layer itself; below: what lies below each layer, at r real shifts.
        """
        tops: list[Array] = []
        bottoms: list[Array] = []
        for number in range(len(self.layers) - 1, -1, -1):
            under = np.zeros((below.counter.size, self.alive[number]))
            if tops:
                under[:, : tops[0].shape[1]] = tops[0] * below.ratios[number][:, None] + below.boundaries[number][:, None]
            else:
                under += below.counter[:, None]
            bottoms.insert(0, under)
            tops.insert(0, self.layers[number].seen(under))
        return tops, bottoms
