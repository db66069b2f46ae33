"""Lines per metre as a function of the distance to the contact's edge: grids made where an error is to be spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fem_constriction.grids.grading import about
from fem_constriction.grids.rectilinear import Grid, Lines, midpoints

#: Steepest power of 1/r that a density of lines may have at a contact edge: of mu = 1/(1 - 0.85), a little below 7.
STEEPEST = 0.85


def with_densities(grid: Grid, densities: Sequence[Density], name: str) -> Grid:
    """Return the grid of the same cell with so many lines per metre along x, y and z, counted from the contact edges.

    densities: of the distance to the nearest contact edge, inside and outside alike, for x and for y; of the depth for z. Lines
    stay on the edges and on every boundary; each piece between them has a whole number of steps, at least one.
    """
    lateral, places = [], []
    for axis, (lines, density) in enumerate(zip((grid.x, grid.y), densities[:2], strict=True)):
        edges = lines[list(grid.contact_lines(axis))]
        new = about(edges, float(lines[-1]), partial(_at_density, 0.0, density=density)) if edges.size else None
        lateral.append(_at_density(0.0, float(lines[-1]), density) if new is None else new)
        places.append(np.clip(np.searchsorted(lines, midpoints(lateral[-1])) - 1, 0, len(lines) - 2))
    return Grid(
        x=lateral[0],
        y=lateral[1],
        layers=tuple(_at_density(float(z[0]), float(z[-1]), densities[2]) for z in grid.layers),
        contact=grid.contact[np.ix_(*places)],
        copies=grid.copies,
        name=name,
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
    middle = midpoints(r)
    total = np.concatenate([[0.0], np.cumsum(density(middle) * np.diff(r))])
    count = max(1, round(float(total[-1])))
    lines = np.interp(np.linspace(0.0, total[-1], count + 1), total, r)
    lines[0], lines[-1] = start, end
    return np.asarray(lines)
