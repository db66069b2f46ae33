"""int [phi] J: jumps of finite-element potentials, integrated exactly against the current densities of any other grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial.legendre import leggauss

from fem_constriction.arrays import Array
from fem_constriction.fem.stacks.spaces import LineSpace
from fem_constriction.space.protocols import Traces
from fem_constriction.space.reconstruction import Reconstruction

#: Potentials of all nodes of one row, (nodes of the plane, r).
RowPotentials = Callable[[int], Array]


def moments(space: LineSpace, degree: int, density: Reconstruction, unit: float = 1.0) -> Array:
    """Return int N_i H_j for each basis function N of a line space and each unit mean, (nodes, intervals), exactly.

    unit: length of 1 on the mesh in the unit of the density's lines; integrals are in those of the mesh.
    """
    lines = density.lines / unit
    corners = space.nodes[::degree]
    breaks = np.union1d(corners, np.clip(lines, corners[0], corners[-1]))
    breaks = breaks[np.concatenate([[True], np.diff(breaks) > 1e-14 * (corners[-1] - corners[0])])]
    middle = (breaks[1:] + breaks[:-1]) / 2
    element, interval = np.searchsorted(corners, middle) - 1, np.searchsorted(lines, middle) - 1
    centres = (lines[1:] + lines[:-1]) / 2
    points, weights = leggauss((degree + 3) // 2)  # exact for a slope times the basis function
    mean, first = (np.zeros((space.nodes.size, len(lines) - 1)) for _ in range(2))
    for piece, (e, i) in enumerate(zip(element, interval, strict=True)):
        half = (breaks[piece + 1] - breaks[piece]) / 2
        x = middle[piece] + half * points
        nodes = space.nodes[e * degree : e * degree + degree + 1]
        for k, node in enumerate(nodes):
            others = np.delete(nodes, k)
            shape = half * weights * np.prod((x[:, None] - others) / (node - others), axis=1)
            mean[e * degree + k, i] += shape.sum()
            first[e * degree + k, i] += shape @ (x - centres[i])
    return np.asarray(mean + (density.slopes.T @ first.T).T * unit)


def traces(
    x: LineSpace,
    y: LineSpace,
    degree: int,
    potential: RowPotentials,
    boundaries: list[tuple[int, int]],
    last: int,
    metal: Array,
    densities: tuple[Reconstruction, Reconstruction],
    unit: float,
) -> Traces:
    """Return the jumps of r potentials against the densities of currents along x and y, unit being 1 on the mesh in theirs.

    potential: row -> nodal values; boundaries: rows above and below each; last: the CE row; metal: V of each, (r,).
    """
    over_x, over_y = (moments(space, degree, density, unit) for space, density in zip((x, y), densities, strict=True))

    def integrated(values: Array) -> Array:
        planar = values.reshape(x.nodes.size, y.nodes.size, -1)
        return np.asarray(np.einsum("ijr,ix,jy->xyr", planar, over_x, over_y, optimize=True))

    across = [integrated(potential(above) - potential(below)) for above, below in boundaries]
    empty = np.zeros((0, over_x.shape[1], over_y.shape[1], metal.size))
    return Traces(
        metal=integrated(metal - potential(0))[None],
        boundaries=np.stack(across) if across else empty,
        counter=integrated(potential(last))[None],
    )
