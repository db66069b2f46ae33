"""Limits of a voxelised face held fixed: its grid refined inside the voxels, on each backend by its own means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fem_constriction.arrays import Array, Complex
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ComputationError
from fem_constriction.fem import MixedElements
from fem_constriction.fem.prisms.bounds import bounds_on
from fem_constriction.grids.grid import Grid
from fem_constriction.processes.of_cell import direct_current
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import angular_band, extrapolate, solve_family
from validation.errors_apart.voxels import edges, refined

#: Cells per edge of the cell that a voxelised face is refined to, at most, FEWEST- to MOST-fold: for backends whose modes
#: are dense matrices. Those of the network are cosine transforms, and so many times more cells cost no more.
FINEST = 320
CHEAPER = {"network": 4}
FEWEST, MOST = 4, 16

#: Lines on which a contact of rectangles may end for graded grids to be the cheaper way to its limit.
FEW_EDGES = 6

#: Orders inside a voxelised face, whose edges all lie on lines: h at an ideal edge, h^2 ln h with a contact resistance. The
#: logarithm is in the uncertainty: the observed order is below 2, and what it would extrapolate to is counted (`extrapolate`).
IDEAL, ROBIN = 1.0, 2.0

#: Level of the triangulation that encloses the reference at direct current.
ENCLOSING = 1


@dataclass(frozen=True, eq=False)
class Value:
    """Z and its uncertainty at each point, ohm."""

    z: Complex
    u: Array

    @property
    def worst(self) -> float:
        """The largest uncertainty, relative."""
        return float(np.max(self.u / np.abs(self.z)))


def band_of(frequency: Array) -> tuple[float, float] | None:
    """Return the band of angular frequencies of points in Hz, 0 being direct current; None for direct current alone."""
    positive = frequency[frequency > 0]
    return angular_band(positive) if positive.size else None


def on_grid(cell: Cell, backend: Backend, grid: Grid, frequency: Array) -> Complex:
    """Return Z of one grid at points in Hz, 0 being direct current, ohm."""
    return _at(solve_grid(cell, backend, grid, band_of(frequency)).model, frequency)


def body_fitted(cell: Cell, backend: Backend, frequency: Array) -> Value:
    """Return the limit of a backend's own family of grids, lines or triangles on the outline."""
    family = solve_family(cell, backend, band_of(frequency))
    z, u = np.zeros(frequency.size, dtype=complex), np.zeros(frequency.size)
    moving = frequency > 0
    if moving.any():
        limit = family.limit(frequency[moving])
        z[moving], u[moving] = limit.value, limit.uncertainty
    if not moving.all():
        z[~moving], u[~moving] = family.resistance()
    return Value(z, u)


def enclosure(cell: Cell) -> tuple[float, float] | None:
    """Return guaranteed bounds of R_DC in ohm; None where none flows or no mesh follows the outline."""
    if not direct_current(cell):
        return None
    try:
        lower, upper = bounds_on(cell, MixedElements().grid(cell, ENCLOSING), np.zeros(1))
    except ComputationError:
        return None
    return float(lower[0]), float(upper[0])


def sharp_limit(cell: Cell, backend: Backend, grid: Grid, frequency: Array, finest: int) -> Value:
    """Return the limit of a staircase (`voxels.staircase`) on a grid that it fits: graded where it has few edges."""
    if few_edges(grid):
        return body_fitted(cell, backend, frequency)
    return _limit([on_grid(cell, backend, each, frequency) for each in _family(backend, grid, finest, sharp=True)], cell)


def share_effect(cell: Cell, steps: Cell, backend: Backend, grid: Grid, frequency: Array, finest: int) -> Value:
    """Return the limit with shares less that of the sharp staircase `steps`: both on the same grids, grid by grid.

    An ideal contact has none: metal holds the potential or does not. What the network links to it in voxels that the outline
    cuts belongs to the grid.
    """
    ideal = cell.working_electrode.charge_transfer is None
    if ideal or grid.share is None or np.array_equal(grid.touched, grid.contact):
        return Value(np.zeros(frequency.size, dtype=complex), np.zeros(frequency.size))
    pairs = zip(*(_family(backend, grid, finest, sharp=sharp) for sharp in (False, True)), strict=True)
    differences = [
        on_grid(cell, backend, shared, frequency) - on_grid(steps, backend, sharp, frequency) for shared, sharp in pairs
    ]
    return _limit(differences, cell)


def few_edges(grid: Grid) -> bool:
    """Return whether graded grids are the cheaper way to the limit of a staircase."""
    return edges(grid) <= FEW_EDGES


def _family(backend: Backend, grid: Grid, finest: int, *, sharp: bool) -> list[Grid]:
    """The last three of 1-, 2-, 4-, ... fold refinements of a grid."""
    per_edge = max(grid.shape[:2]) * (2 if grid.copies > 1 else 1)
    most = finest * CHEAPER.get(backend.name, 1) // per_edge
    times = min(max(FEWEST, 1 << max(most, 1).bit_length() - 1), MOST)
    return [refined(grid, times >> k, sharp=sharp) for k in (2, 1, 0)]


def _limit(values: list[Complex], cell: Cell) -> Value:
    found = extrapolate(np.array(values), IDEAL if cell.working_electrode.charge_transfer is None else ROBIN)
    return Value(found.value, found.uncertainty)


def _at(model: ReducedModel, frequency: Array) -> Complex:
    z = np.zeros(frequency.size, dtype=complex)
    moving = frequency > 0
    if moving.any():
        z[moving] = model.impedance(2j * np.pi * frequency[moving])
    if not moving.all():
        z[~moving] = model.resistance()
    return z
