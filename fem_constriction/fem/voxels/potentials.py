"""phi = u_h and J = -kappa grad u_h at points of a label image's elements: the function itself, voxel by voxel.

Where grains or phases meet phi jumps and J has two values: a point on a face belongs to the voxel behind it. Metal has its
potential and no current of its own, holes have neither. Functions of z alone are among the test functions, so that every plane
without metal passes the same current.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array, Complex
from fem_constriction.fem.voxels.medium import NOTHING, Medium
from fem_constriction.fem.voxels.nodes import OCTANTS, Nodes
from fem_constriction.space.voxels import voxels_at


@dataclass(frozen=True, eq=False)
class VoxelPotential:
    """One potential of an image (`Inside`).

    Parameters
    ----------
    medium, nodes
        Of the image.
    values
        Of all unknowns, V last, (unknowns,), V.
    y
        What each phase conducts, S/m.
    """

    medium: Medium
    nodes: Nodes
    values: NDArray[Any]
    y: Mapping[str, complex]

    def potential(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return u_h at n points, (n,), V; nan in holes."""
        at, local = voxels_at(self.medium.edges, self.medium.shape, z, x, y)
        phi = self._summed(at, [_shapes(self.nodes.degree, each)[0] for each in local])
        return np.where(self.medium.inside[at] == NOTHING, np.nan, phi)

    def current_density(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return -kappa grad u_h at n points, (3, n), A/m2; 0 in holes and nan in metal."""
        at, local = voxels_at(self.medium.edges, self.medium.shape, z, x, y)
        both = [_shapes(self.nodes.degree, each) for each in local]
        # Numbers below 0 are nothing and metal: the last two.
        kappa = np.append([self.y[name] for name in self.medium.phases], [0.0, np.nan])[self.medium.inside[at]]
        found = []
        for axis in (1, 2, 0):
            rules = [pair[int(each == axis)] for each, pair in enumerate(both)]
            found.append(-kappa * self._summed(at, rules) / self.medium.edges[axis])
        return np.stack(found)

    def _summed(self, at: tuple[NDArray[np.intp], ...], rules: list[Array]) -> Complex:
        """Return the sum over the nodes of each point's voxel of their values times rules (degree + 1, n) along z, x and y."""
        d, known = self.nodes.degree, np.append(self.values, 0.0)  # the last one, -1, is 0 V
        total = np.zeros(len(at[0]), dtype=np.complex128)
        for p, q, r in product(range(d + 1), repeat=3):
            octant = OCTANTS.index((int(p < d), int(q < d), int(r < d)))
            number = self.nodes.number[octant, d * at[0] + p, d * at[1] + q, d * at[2] + r]
            total += rules[0][p] * rules[1][q] * rules[2][r] * known[number]
        return total


def _shapes(degree: int, t: Array) -> tuple[Array, Array]:
    """Lagrange's functions of degree + 1 equidistant nodes on (0, 1) at t (n,), and their derivatives, (degree + 1, n)."""
    nodes = np.arange(degree + 1) / degree
    values, slopes = [], []
    for k, own in enumerate(nodes):
        others = np.delete(nodes, k)
        line = np.poly1d(others, r=True) / np.prod(own - others)
        values.append(line(t))
        slopes.append(line.deriv()(t) + 0 * t)
    return np.array(values), np.array(slopes)
