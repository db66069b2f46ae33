"""Families of rectilinear grids whose lines sit on the contact edges and on the grain boundaries.

Grading: counted from a contact edge outwards (to both sides, and down into the electrolyte) the lines follow
T(r) = (r/l)^(1/mu) up to the distance l and 1 + ln(r/l)/mu beyond it, at equal steps of T. Near the edge this is the power
law r_i ~ (i/n)^mu that restores the full order of convergence at the edge singularity; farther out the cells keep a fixed
ratio to their distance. T and its slope are continuous, so doubling the number of steps is one systematic, nested
refinement everywhere (numerics: order 2k for degree k needs mu > 2k at an ideal contact).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fem_constriction.errors import ComputationError, InputError

if TYPE_CHECKING:
    from fem_constriction.cell import Cell

Lines = NDArray[np.float64]

#: Smallest allowed ratio of a cell's width to the thickness of the electrolyte: below it rounding in the lateral
#: eigenvectors (numerics: h_min/L >= 1e-5) and coincident lines become a danger.
SMALLEST_RATIO = 1e-9


#: Steepest power of 1/r that a density of lines may have at a contact edge: of mu = 1/(1 - 0.85), a little below 7.
STEEPEST = 0.85


@dataclass(frozen=True, eq=False)
class Grid:
    """Lines of a rectilinear grid over the part of the cell that mirror symmetry leaves, WE face at z = 0.

    x, y: lines (m), from one symmetry plane (or wall) to the wall; layers: for each electrolyte layer, from the WE to
    the CE, its own z lines (m): consecutive layers share their end, which is a grain boundary; contact: for each cell
    of the face, shape (len(x) - 1, len(y) - 1), whether the metal touches there; copies: how many such parts make the
    cell (4 for a quarter). Raises ComputationError if lines coincide.
    """

    x: Lines
    y: Lines
    layers: tuple[Lines, ...]
    contact: NDArray[np.bool_]
    copies: int
    name: str = ""

    def __post_init__(self) -> None:
        depth = self.depth
        for axis, lines in (("x", self.x), ("y", self.y), *(("z", z) for z in self.layers)):
            smallest = float(np.diff(lines).min())
            if not smallest > SMALLEST_RATIO * depth:
                raise ComputationError(
                    f"grid {self.name}: lines along {axis} are {smallest:.3g} m apart, allowed is more than "
                    f"{SMALLEST_RATIO:g} of the thickness ({SMALLEST_RATIO * depth:.3g} m)"
                )

    @property
    def depth(self) -> float:
        """L_z in m."""
        return float(self.layers[-1][-1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of cells along x, y and z."""
        return len(self.x) - 1, len(self.y) - 1, sum(len(z) - 1 for z in self.layers)

    @property
    def axes(self) -> tuple[Lines, Lines, Lines]:
        """All lines along x, y and z (m), from the WE down."""
        return self.x, self.y, np.concatenate([self.layers[0][:1], *(z[1:] for z in self.layers)])

    @cached_property
    def contact_area(self) -> float:
        """A_c of the whole electrode in m2, as the grid has it."""
        return float(self.copies * np.einsum("i,j,ij->", np.diff(self.x), np.diff(self.y), self.contact))

    @property
    def area(self) -> float:
        """A of the whole electrode in m2, as the grid has it."""
        return float(self.copies * (self.x[-1] - self.x[0]) * (self.y[-1] - self.y[0]))


@dataclass(frozen=True)
class Grading:
    """Exponent mu and number n of steps up to the distance l at the coarsest level, of one family of grids."""

    exponent: float
    steps: int


def graded(length: float, scale: float, grading: Grading, level: int) -> Lines:
    """Return lines from 0 (the edge) to length, equally spaced in T(r); level doubles their number each time.

    T(r) = (r/l)^(1/mu) for r <= l, 1 + ln(r/l)/mu beyond, with l = scale.
    """
    total = float(_steps(length, scale, grading.exponent))
    count = max(1, math.ceil(grading.steps * total - 1e-9)) << level
    lines = _inverse(np.linspace(0.0, total, count + 1), scale, grading.exponent)
    lines[0], lines[-1] = 0.0, length
    return lines


def family_member(cell: Cell, grading: Grading, level: int) -> Grid:
    """Return member `level` (0 is the coarsest) of the cell's nested family of graded grids, on a quarter of the cell."""
    width_x, width_y, depth = cell.geometry.lengths
    sides = cell.contact_sides
    halves = [(side / 2, (width - side) / 2) for side, width in zip(sides, (width_x, width_y), strict=True)]
    lengths = [length for half in halves for length in half if length > 0]
    partial = 0 < cell.working_electrode.contact.fraction < 1
    scale = min(*lengths, depth)
    lateral = []
    for inside, outside in halves:
        if not partial:
            lateral.append(np.linspace(0.0, inside + outside, (1 << level) + 1))
            continue
        left = inside - graded(inside, scale, grading, level)[::-1]
        right = inside + graded(outside, scale, grading, level) if outside > 0 else left[-1:]
        lateral.append(np.concatenate([left, right[1:]]))
    layers = _layers(cell, scale if partial else depth, grading if partial else Grading(1.0, 1), level)
    contact = [_midpoints(lines) < inside for lines, (inside, _) in zip(lateral, halves, strict=True)]
    return Grid(
        x=lateral[0],
        y=lateral[1],
        layers=layers,
        contact=np.logical_and.outer(*contact),
        copies=4,
        name=f"graded, level {level}",
    )


def with_densities(grid: Grid, densities: Sequence[Density], name: str) -> Grid:
    """Return the grid of the same cell with so many lines per metre along x, y and z, counted from the contact edges.

    densities: of the distance to the nearest contact edge, inside and outside alike, for x and for y; of the depth for z. Lines
    stay on the edges and on every boundary; each piece between them has a whole number of steps, at least one.
    """
    lateral = []
    sides: list[NDArray[np.bool_]] = [np.atleast_1d(np.any(grid.contact, axis=axis)) for axis in (1, 0)]
    for lines, touching, density in zip((grid.x, grid.y), sides, densities[:2], strict=True):
        edge = int(touching.sum())
        if not 0 < edge < len(lines) - 1:
            lateral.append(_at_density(0.0, float(lines[-1]), density))
            continue
        inside = float(lines[edge])
        left = inside - _at_density(0.0, inside, density)[::-1]
        right = inside + _at_density(0.0, float(lines[-1]) - inside, density)
        lateral.append(np.concatenate([[0.0], left[1:-1], [inside], right[1:-1], lines[-1:]]))
    layers = tuple(_at_density(float(z[0]), float(z[-1]), densities[2]) for z in grid.layers)
    contact = []
    for old, new, touching in zip((grid.x, grid.y), lateral, sides, strict=True):
        contact.append(touching[np.clip(np.searchsorted(old, _midpoints(new)) - 1, 0, touching.size - 1)])
    return Grid(
        x=lateral[0], y=lateral[1], layers=layers, contact=np.logical_and.outer(*contact), copies=grid.copies, name=name
    )


@dataclass(frozen=True, eq=False)
class Density:
    """Lines per metre at distances r: powers of r between the given ones and beyond, constant below an eighth of the first."""

    r: Lines
    value: Lines

    def __call__(self, r: Lines) -> Lines:
        """Return the density at distances r > 0."""
        x, y = np.log(self.r), np.log(self.value)
        if x.size == 1:
            return np.full(np.shape(r), self.value[0])
        at = np.maximum(np.log(r), x[0] - np.log(8))
        first, last = ((y[i + 1] - y[i]) / (x[i + 1] - x[i]) for i in (0, -2))
        # Steeper than 1/r has no integral; STEEPEST is that of mu = 1/(1 - STEEPEST), and no more than any edge needs.
        low = y[0] + np.clip(first, -STEEPEST, 0.0) * (at - x[0])
        high = y[-1] + np.minimum(last, 0.0) * (at - x[-1])
        return np.asarray(np.exp(np.where(at < x[0], low, np.where(at > x[-1], high, np.interp(at, x, y)))))


def _at_density(start: float, end: float, density: Density) -> Lines:
    """Return lines from start to end, equally spaced in the integral of the density."""
    r = np.concatenate([[0.0], np.geomspace(1e-9 * end, end, 4001)])
    r = np.concatenate([[start], r[(r > start) & (r < end)], np.linspace(start, end, 201)[1:-1], [end]])
    r = np.unique(r)
    middle = _midpoints(r)
    total = np.concatenate([[0.0], np.cumsum(density(middle) * np.diff(r))])
    count = max(1, round(float(total[-1])))
    lines = np.interp(np.linspace(0.0, total[-1], count + 1), total, r)
    lines[0], lines[-1] = start, end
    return np.asarray(lines)


def uniform(cell: Cell, resolution: int) -> Grid:
    """Return the grid of `resolution` cells per edge of the cell, equal ones wherever contact edges and layers allow.

    Lines sit on the contact edges and on every grain boundary, always: where they fit no uniform grid, the cells are
    equal between those lines and their number is shared out by length. An even split about the centre is cut to a
    quarter. Each layer has at least one cell, so there may be more than `resolution` of them along z. Raises InputError
    if there are too few to put lines on the contact edges.
    """
    partial = 0 < cell.working_electrode.contact.fraction < 1
    smallest = 4 if partial else 1
    if resolution < smallest:
        raise InputError(
            f"resolution = {resolution} is not allowed: a whole number of cells per edge of at least {smallest}, "
            "so that lines can sit on the contact edges"
        )
    lateral: list[tuple[Lines, NDArray[np.bool_]]] = []
    quarter = resolution % 2 == 0
    for side, width in zip(cell.contact_sides, cell.geometry.lengths[:2], strict=True):
        pieces = [side / 2, (width - side) / 2] if quarter else [(width - side) / 2, side, (width - side) / 2]
        pieces = [piece for piece in pieces if piece > 0]
        counts = _share(pieces, resolution // 2 if quarter else resolution, mirrored=not quarter)
        lines = _pieces(pieces, counts)
        centre = 0.0 if quarter else width / 2
        lateral.append((lines, np.abs(_midpoints(lines) - centre) < side / 2))
    ends = _layer_ends(cell)
    counts = _share(list(np.diff(ends)), max(resolution, len(ends) - 1))
    layers = tuple(np.linspace(a, b, n + 1) for a, b, n in zip(ends, ends[1:], counts, strict=False))
    (x, touches_x), (y, touches_y) = lateral
    return Grid(
        x=x,
        y=y,
        layers=layers,
        contact=np.logical_and.outer(touches_x, touches_y),
        copies=4 if quarter else 1,
        name=f"uniform, {resolution} per edge",
    )


def _layers(cell: Cell, scale: float, grading: Grading, level: int) -> tuple[Lines, ...]:
    """Return the z lines of each layer; equally spaced in T where a layer needs more than one step, plain otherwise."""
    ends = _layer_ends(cell)
    found = []
    for top, bottom in pairwise(ends):
        first, last = _steps(np.array([top, bottom]), scale, grading.exponent)
        count = max(1, math.ceil(grading.steps * (last - first) - 1e-9))
        if count == 1:
            lines = np.linspace(top, bottom, (1 << level) + 1)
        else:
            lines = _inverse(np.linspace(first, last, (count << level) + 1), scale, grading.exponent)
            lines[0], lines[-1] = top, bottom
        found.append(lines)
    return tuple(found)


def _layer_ends(cell: Cell) -> Lines:
    boundaries = cell.electrolyte.grain_boundaries
    count = boundaries.layers if boundaries is not None else 1
    return np.linspace(0.0, cell.geometry.lengths[2], count + 1)


def _steps(r: float | Lines, scale: float, exponent: float) -> Lines:
    ratio = np.asarray(r, dtype=float) / scale
    return np.where(ratio <= 1, ratio ** (1 / exponent), 1 + np.log(np.maximum(ratio, 1)) / exponent)


def _inverse(steps: Lines, scale: float, exponent: float) -> Lines:
    return scale * np.where(steps <= 1, steps**exponent, np.exp(exponent * (np.maximum(steps, 1) - 1)))


def _share(pieces: Sequence[float], total: int, mirrored: bool = False) -> list[int]:
    """Share `total` cells over pieces by length, at least one each; mirrored: the first and the last equally many."""
    lengths = np.asarray(pieces)
    counts = np.maximum(1, np.floor(lengths / lengths.sum() * total + 1e-9).astype(int))
    while counts.sum() != total:
        step = 1 if counts.sum() < total else -1
        widths = np.where((counts + step) >= 1, lengths / counts, -np.inf if step > 0 else np.inf)
        counts[int(np.argmax(widths) if step > 0 else np.argmin(widths))] += step
    if mirrored and len(counts) == 3 and counts[0] != counts[2]:
        outer = max(1, round((counts[0] + counts[2]) / 2))
        counts = np.array([outer, total - 2 * outer, outer])
    return [int(count) for count in counts]


def _pieces(pieces: Sequence[float], counts: Sequence[int]) -> Lines:
    ends = np.concatenate([[0.0], np.cumsum(pieces)])
    parts = [np.linspace(a, b, n + 1)[:-1] for a, b, n in zip(ends, ends[1:], counts, strict=False)]
    return np.concatenate([*parts, ends[-1:]])


def _midpoints(lines: Lines) -> Lines:
    return np.asarray((lines[1:] + lines[:-1]) / 2)
