"""radius(omega) <= accuracy |Z(i omega)| at every frequency: grids made for the disc until it is so.

Potentials and currents, each on a grid of its own, begin with the coarsest of their families. With E_i what the slab i of an
axis is to blame for (`validation.discs.local`) and h_i its width, w = E_i/h_i^5 is its density for unit steps (both sides
converge with the fourth power of the steps), so the lines that leave E along this axis in the fewest steps lie at the density
w^(1/5) (int w^(1/5)/E)^(1/4). Near the contact edges w follows a power of the distance, and so do the lines. How much of eta^2
is whose, the change of each side's one-sided bound at real s says. Only the size of the discs ends it; that is guaranteed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.api import provenance
from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.cell.units import relative_to_z
from fem_constriction.errors import ComputationError, InputError, Written
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.solving.backends import Backend, backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.choice import FINEST
from fem_constriction.solving.one_grid import Solution, solve_grid
from fem_constriction.spectra.frequencies import frequencies_taken
from fem_constriction.spectra.spectrum import Spectrum
from validation.discs.all_unknowns import pair
from validation.discs.certificate import Discs, Pairing
from validation.discs.densities import Density, with_densities
from validation.discs.local import Contributions, contributions

#: Frequencies looked at: the worst, and others nearly as bad, a decade apart.
LOOKED_AT = 3

#: Power of the steps that both sides' errors of Z fall with.
ORDER = 4

#: Largest factor that eta^2 is to shrink by in one step (the density is only known as far as the grid resolves it), and what
#: is aimed at below what is asked: a step more costs more than a few unknowns.
STRIDE, BELOW = 16.0, 0.7

#: Shares are estimates, as good as the predicted order: neither side is taken for less than this.
LEAST_SHARE = 0.1

#: Ratio of distances to the contact edge that share one density: about the ratio of neighbouring widths on the graded grids.
BIN = 1.5

#: Steps before it is given up.
MOST_STEPS = 12

Progress = Callable[[str, int], None]


@dataclass(frozen=True, eq=False)
class Guaranteed:
    """Discs as small as asked, and how they came to be.

    Parameters
    ----------
    cell
        What was solved.
    discs
        Centres and radii in ohm: the true Z lies in each.
    steps
        One record per pair of grids: unknowns and cells of both sides, seconds spent so far, largest radius over |Z|.
    """

    cell: Cell
    discs: Discs
    steps: tuple[dict[str, Any], ...]

    def spectrum(self) -> Spectrum:
        """Return centres and radii as a spectrum, whose uncertainty is a guarantee."""
        made = {**provenance(self.cell), "guaranteed": True, "backends": list(self.discs.names), "grids": list(self.steps)}
        return Spectrum(self.discs.frequency, self.discs.centre, self.discs.radius, made)


def guarantee(
    cell: Described,
    frequencies: Any,
    accuracy: float,
    *,
    backends: Sequence[str | Backend] = ("network", "fem"),
    adaptive: bool = True,
    progress: Progress | None = None,
) -> Guaranteed:
    """Return discs with radius <= accuracy |Z| at frequencies in Hz, and at direct current where it flows.

    Parameters
    ----------
    cell
        A Cell, the path of a cell file, or a dictionary with its keys.
    frequencies
        Hz, shape (n,).
    accuracy
        Relative to |Z|, between 0 and 1.
    backends
        One that bounds from below with potentials and one that bounds from above with currents.
    adaptive
        Refine where the discs are made; else whole grids, each the next of its family: the a-priori grading.
    progress
        Called with a backend's name and the step after each grid.

    Returns
    -------
    Guaranteed
        The discs, and one record per pair of grids.

    Raises
    ------
    InputError
        For other backends or accuracies.
    ComputationError
        With what was reached, where memory or rounding end it.
    """
    accuracy = relative_to_z("accuracy", accuracy)
    points = frequencies_taken(frequencies)
    problem = Problem.of(cell).over(points)
    chosen = _sides(backends)
    require("spectrum --guaranteed", problem, chosen)
    sides = [_Side(problem, backend) for backend in chosen]
    steps: list[dict[str, Any]] = []
    while True:
        lower, upper = (side.solution for side in sides)
        pairing = pair(lower, upper)
        discs = pairing.discs(points)
        relative, worst = _relative(discs, problem)
        steps.append(_record(sides, relative))
        if relative <= accuracy:
            return Guaranteed(problem.cell, discs, tuple(steps))
        reached = f"the guaranteed radius is {relative:.1e} of |Z| at {points[worst[0]]:.3g} Hz, asked {accuracy:.0e}"
        if len(steps) > MOST_STEPS:
            raise ComputationError(f"{reached}, after {MOST_STEPS} steps")
        ratio = max(BELOW * accuracy / relative, 1 / STRIDE)
        shares = _shares(sides, pairing, 2 * np.pi * points[worst[0]])
        parts = contributions(lower, upper, pairing, points[worst]) if adaptive else None
        for side, share in zip(sides, shares, strict=True):
            goal = 0.5 * ratio / share  # half of what is to be left to each side
            if goal < 1:
                try:
                    side.refine(parts, max(goal, 1 / STRIDE))
                except (InputError, ComputationError) as error:
                    raise ComputationError(f"{reached}; {error}") from None
                if progress is not None:
                    progress(side.backend.name, len(steps))


class _Side:
    """One of the two grids, its solution, and by how much its last step was to shrink the error."""

    def __init__(self, problem: Problem, backend: Backend) -> None:
        self.problem, self.backend = problem, backend
        self.level, self.ratio = 0, 1.0
        self.before: Solution | None = None
        self.seconds = 0.0
        self.solution = self._solve(backend.grid(problem, 0))

    def refine(self, parts: Contributions | None, ratio: float) -> None:
        """Solve the grid that leaves `ratio` of this side's error; without parts, the family's next."""
        self.level += 1
        if parts is None:
            if self.level > FINEST:
                raise ComputationError(f"{self.backend.name}: level {FINEST} is the finest grid of a family")
            grid, self.ratio = self.backend.grid(self.problem, self.level), 2.0**-ORDER
        else:
            own = parts.elements if self.backend.bound == "lower" else parts.voxels
            densities = _densities(self.solution.grid, parts.on(self.solution.grid, own), ratio)
            grid, self.ratio = with_densities(self.solution.grid, densities, f"adapted, step {self.level}"), ratio
        self.before, self.solution = self.solution.without_potentials(), self._solve(grid)

    def error(self, s: float) -> float | None:
        """Return what is left of this side's error of Z at real s, from what the last step changed; None: not known."""
        if self.before is None:
            return None
        z, before = (float(solution.model.impedance(np.array([s]))[0].real) for solution in (self.solution, self.before))
        return float(abs(before - z) * self.ratio / (1 - self.ratio))

    def _solve(self, grid: Grid) -> Solution:
        solution = solve_grid(self.problem, self.backend, grid, self.problem.band, keep=True)
        self.seconds += solution.seconds
        return solution


def _sides(backends: Sequence[str | Backend]) -> list[Backend]:
    chosen = [backend_named(backend) for backend in backends]
    found = [next((b for b in chosen if b.bound == bound), None) for bound in ("lower", "upper")]
    if found[0] is None or found[1] is None:
        names = Written(",".join(backend.name for backend in chosen))
        raise InputError(key="backends", value=names, allowed="one that bounds from below and one that bounds from above")
    return [found[0], found[1]]


def _relative(discs: Discs, problem: Problem) -> tuple[float, NDArray[np.int64]]:
    """Return the largest radius over |Z|, direct current included, and the frequencies to look at, worst first."""
    relative = discs.radius / np.abs(discs.centre)
    largest = float(relative.max())
    if problem.direct_current and discs.resistance is not None:
        low, high = discs.resistance
        largest = max(largest, (high - low) / (high + low))
        relative[np.argmin(discs.frequency)] = max(relative[np.argmin(discs.frequency)], (high - low) / (high + low))
    order = [int(k) for k in np.argsort(relative)[::-1] if relative[k] >= relative.max() / 2]
    chosen: list[int] = []
    for k in order:
        apart = [abs(np.log10(discs.frequency[k] / discs.frequency[other])) >= 1 for other in chosen]
        if all(apart) and len(chosen) < LOOKED_AT:
            chosen.append(k)
    return largest, np.array(chosen, dtype=np.int64)


def _shares(sides: Sequence[_Side], pairing: Pairing, s: float) -> tuple[float, float]:
    """Return the parts of eta^2 that are the potentials' and the currents', from the enclosure at real s; halves at first."""
    (low, high), below = pairing.enclosure(s), sides[0].error(s)
    gap = high - low
    if below is None or not gap > 0:
        return 0.5, 0.5
    share = float(np.clip(below / gap, LEAST_SHARE, 1 - LEAST_SHARE))
    return share, 1 - share


def _densities(grid: Grid, parts: Sequence[Array], ratio: float) -> list[Density]:
    """Return the densities of lines along x, y and z that leave `ratio` of the contributions, a third of it to each axis."""
    goal = ratio * sum(float(part.sum()) for part in parts) / 3
    edges = [lines[[*grid.contact_lines(axis)] or [0]] for axis, lines in enumerate((grid.x, grid.y))]
    found = []
    for lines, part, near in zip(grid.axes, parts, [*edges, np.zeros(1)], strict=True):
        widths = np.diff(lines)
        w = np.maximum(part, 1e-12 * part.max()) / widths ** (ORDER + 1)
        root = w ** (1 / (ORDER + 1))
        scale = (float(root @ widths) / goal) ** (1 / ORDER)
        distance = np.abs((lines[1:] + lines[:-1])[:, None] / 2 - near).min(1)
        found.append(_smooth(distance, scale * root))
    return found


def _smooth(distance: Array, density: Array) -> Density:
    """Return the density over the distance to the edge: both sides of it together, the larger one of neighbouring slabs."""
    order = np.argsort(distance)
    r, value = distance[order], density[order]
    # Wherever two sides see the same distance, the finer one decides; a slab's neighbours may not be much coarser than itself.
    bins = np.unique(np.round(np.log(r / r[0]) / np.log(BIN)).astype(int), return_inverse=True)[1]
    centre = np.array([np.exp(np.mean(np.log(r[bins == k]))) for k in range(bins.max() + 1)])
    largest = np.array([value[bins == k].max() for k in range(bins.max() + 1)])
    return Density(centre, largest)


def _record(sides: Sequence[_Side], relative: float) -> dict[str, Any]:
    record: dict[str, Any] = {"radius": relative, "seconds": sum(side.seconds for side in sides)}
    for side in sides:
        record[side.backend.name] = {key: side.solution.description[key] for key in ("unknowns", "cells")}
    return record
