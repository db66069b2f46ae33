"""eta^2 = sum over slabs of int |y g_h - j_d|^2/|y|: where the two sides of a disc differ, and which way to refine there.

The integrand is looked at on the union of both grids, at Gauss points, and summed over the slabs between neighbouring lines of
each axis. A slab's part is told apart by what would mend it. Elements: the component of the gradient along an axis is wrong
because their steps along that axis are too long. Voxels: the component of the current across an axis is, since along its own
direction it is conserved; and so is the current through every interface, along x and y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.grids.grid import Grid
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.solving.one_grid import Solution
from fem_constriction.spectra.frequencies import frequencies_taken
from validation.discs.certificate import Pairing

#: Values of the integrand held at once: 64 MB.
BLOCK = 4_000_000


@dataclass(frozen=True, eq=False)
class Contributions:
    """Parts of eta^2 between lines of the union of two grids, relative to |Z|, summed over the frequencies looked at.

    lines: x, y, z of the union, m; elements, voxels: per axis, what steps of that side along this axis are to blame for,
    (intervals,); total: of eta^2/|Z| at each frequency, (k,).
    """

    lines: tuple[Array, Array, Array]
    elements: tuple[Array, Array, Array]
    voxels: tuple[Array, Array, Array]
    total: Array

    def on(self, grid: Grid, parts: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        """Return such parts summed over the slabs of one of the grids, per axis."""
        found = []
        for own, lines, part in zip(grid.axes, self.lines, parts, strict=True):
            slab = np.searchsorted(own, (lines[1:] + lines[:-1]) / 2) - 1
            found.append(np.asarray(np.bincount(slab, part, len(own) - 1), dtype=float))
        return found[0], found[1], found[2]


def contributions(
    lower: Solution,
    upper: Solution,
    pairing: Pairing,
    frequency: ArrayLike,
    processes: Mapping[str, Admittance] | None = None,
    *,
    points: int = 2,
) -> Contributions:
    """Return the local parts of eta^2 at k frequencies in Hz, of two solutions that were kept and their pairing.

    points: Gauss points per interval; 3 integrate exactly. Raises ComputationError for solutions without fields.
    """
    if lower.assembly is None or upper.assembly is None or lower.assembly.gradients is None or upper.assembly.currents is None:
        raise ComputationError("local contributions take the potentials and the currents of two solutions, both kept")
    material = processes or lower.model.processes
    f = frequencies_taken(frequency)
    y = {name: np.asarray(value, dtype=np.complex128) for name, value in evaluate(material, 2j * np.pi * f).items()}
    potential, weights = pairing.chosen(f, material)
    gradients = lower.assembly.gradients(lower.model.potentials(potential))
    model = upper.model
    kappa = model.admittances_at_shifts()[BULK]
    currents = upper.assembly.currents(model.potentials(model.coordinates), kappa, weights)

    size = np.abs(pairing.discs(f, material).centre)
    axes = [_Line(np.union1d(one, other), points) for one, other in zip(lower.grid.axes, upper.grid.axes, strict=True)]
    x, y_line, z = axes
    components = [[np.zeros(len(line.lines) - 1) for line in axes] for _ in range(3)]
    faces = [np.zeros(len(line.lines) - 1) for line in (x, y_line)]
    total = np.zeros(f.size)
    copies = lower.grid.copies
    across = np.einsum("i,j->ij", x.weights, y_line.weights) * copies
    for layer, lines in enumerate(lower.grid.layers):
        inside = np.flatnonzero((z.points > lines[0]) & (z.points < lines[-1]))
        rows = max(1, BLOCK // (across.size * 6 * f.size))
        for some in np.array_split(inside, max(1, -(-inside.size // rows))):
            g = gradients.at(layer, x.points, y_line.points, z.points[some])
            j = currents.at(layer, x.points, y_line.points, z.points[some])
            density = np.abs(y[BULK] * g - j) ** 2 / np.abs(y[BULK]) * across[:, :, None] * z.weights[some, None, None, None]
            total += density.sum((0, 1, 2, 3))
            relative = density @ (1 / size)
            for c in range(3):
                components[c][0] += x.slabs(relative[c].sum((0, 2)))
                components[c][1] += y_line.slabs(relative[c].sum((0, 1)))
                components[c][2] += z.slabs(relative[c].sum((1, 2)), some)
    for face, (drop, through) in enumerate(
        zip(gradients.across(x.points, y_line.points), currents.across(x.points, y_line.points), strict=True)
    ):
        density = np.zeros(through.shape)
        for name, where in _at_face(face, len(lower.grid.layers), lower.grid, x.points, y_line.points):
            if name in material:
                density += where * np.abs(y[name] * drop - through) ** 2 / np.abs(y[name]) * across[:, :, None]
        total += density.sum((0, 1))
        relative = density @ (1 / size)
        faces[0] += x.slabs(relative.sum(1))
        faces[1] += y_line.slabs(relative.sum(0))
    elements = tuple(components[axis][axis] for axis in range(3))
    halves = [(components[axis - 1][axis] + components[axis - 2][axis]) / 2 for axis in range(3)]
    voxels = (halves[0] + faces[0] / 2, halves[1] + faces[1] / 2, halves[2])
    return Contributions((x.lines, y_line.lines, z.lines), (elements[0], elements[1], elements[2]), voxels, total / size)


class _Line:
    """Gauss points between lines."""

    def __init__(self, lines: Array, points: int) -> None:
        kept = np.concatenate([[True], np.diff(lines) > 1e-13 * (lines[-1] - lines[0])])
        self.lines = lines[kept]
        self.count = points
        at, weights = leggauss(points)
        half = np.diff(self.lines)[:, None] / 2
        self.points = ((self.lines[1:] + self.lines[:-1])[:, None] / 2 + half * at).ravel()
        self.weights = (half * weights).ravel()

    def slabs(self, values: Array, at: NDArray[np.int64] | None = None) -> Array:
        """Return values at points (all, or some) summed over each interval."""
        where = np.arange(self.points.size) if at is None else at
        return np.asarray(np.bincount(where // self.count, values, len(self.lines) - 1), dtype=float)


def _at_face(number: int, layers: int, grid: Grid, x: Array, y: Array) -> list[tuple[str, Array]]:
    """Return the processes of a face, counted from the WE, and where on it they are, (x, y, 1)."""
    if number == 0:
        column, row = (np.searchsorted(lines, points) - 1 for lines, points in ((grid.x, x), (grid.y, y)))
        touching = grid.contact[np.ix_(column, row)][:, :, None]
        return [(CHARGE_TRANSFER, touching.astype(float)), (PORE, (~touching).astype(float))]
    everywhere = np.ones((len(x), len(y), 1))
    return [(GRAIN_BOUNDARY if number < layers else COUNTER_ELECTRODE, everywhere)]
