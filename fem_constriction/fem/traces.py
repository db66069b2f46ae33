"""int over cells of [phi]: jumps of finite-element potentials, integrated exactly over the lateral cells of any other grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial.legendre import leggauss

from fem_constriction.admissible import Array, Traces
from fem_constriction.fem.mesh import LineSpace

#: Potentials of all nodes of one row, (nodes of the plane, r).
RowPotentials = Callable[[int], Array]


def cell_integrals(space: LineSpace, degree: int, lines: Array) -> Array:
    """Return int over each interval of `lines` of each basis function of a line space, (nodes, intervals), exactly."""
    corners = space.nodes[::degree]
    breaks = np.union1d(corners, np.clip(lines, corners[0], corners[-1]))
    breaks = breaks[np.concatenate([[True], np.diff(breaks) > 1e-14 * (corners[-1] - corners[0])])]
    middle = (breaks[1:] + breaks[:-1]) / 2
    element, interval = np.searchsorted(corners, middle) - 1, np.searchsorted(lines, middle) - 1
    points, weights = leggauss(degree // 2 + 1)
    result = np.zeros((space.nodes.size, len(lines) - 1))
    for piece, (e, i) in enumerate(zip(element, interval, strict=True)):
        half = (breaks[piece + 1] - breaks[piece]) / 2
        x = middle[piece] + half * points
        nodes = space.nodes[e * degree : e * degree + degree + 1]
        for k, node in enumerate(nodes):
            others = np.delete(nodes, k)
            shape = np.prod((x[:, None] - others) / (node - others), axis=1)
            result[e * degree + k, i] += half * float(weights @ shape)
    return result


def traces(
    x: LineSpace,
    y: LineSpace,
    degree: int,
    potential: RowPotentials,
    boundaries: list[tuple[int, int]],
    last: int,
    metal: Array,
    grid: tuple[Array, Array],
) -> Traces:
    """Return the jumps of r potentials over the cells of a lateral grid (lines x, y in the units of the mesh).

    potential: row -> nodal values; boundaries: rows above and below each; last: the CE row; metal: V of each, (r,).
    """
    over_x, over_y = cell_integrals(x, degree, grid[0]), cell_integrals(y, degree, grid[1])

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
