"""h, h/2, h/4, ...: a backend's grids of a cell, graded or of equal cells, each solved with what it costs.

Memory is the largest increase of the process's resident memory while a grid is solved, seen every 5 ms
(`validation.benchmarks.harness.cost`): what the grid needs beyond what was there before; grids are solved one after another
for it, on one thread of dense algebra.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.units import whole
from fem_constriction.errors import InputError, MemoryShort, ResolutionWarning
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import FIRST_LEVELS, Family
from validation.benchmarks.harness import cost
from validation.convergence.theory import REDRAWN, Expected, Grids, expected_order, of_family

#: Cells per edge looked at for the coarsest grid of equal cells, and how far apart widths may be and still be called equal.
COARSEST: Final = range(16, 42, 2)
EQUAL: Final = 1e-6


@dataclass(frozen=True, eq=False, kw_only=True)
class Costs:
    """What is kept of a family that was solved: its grids, and what each cost; see `Solved`, whose members it has."""

    backend: str
    grids: Grids
    step: NDArray[np.float64]
    seconds: tuple[float, ...]
    memory: tuple[int, ...]
    notes: tuple[str, ...]
    unknowns: tuple[int, ...]
    cells: tuple[tuple[int, ...], ...]

    @property
    def name(self) -> str:
        """The backend and the kind of grids."""
        return f"{self.backend}, {self.grids}"

    @property
    def kept(self) -> Costs:
        """Itself."""
        return self


@dataclass(frozen=True, eq=False)
class Solved:
    """One family, solved: its grids with their costs, and what to know.

    step: mean step on the face in m, (grids,); seconds; memory: bytes, see the module's head.
    """

    family: Family
    grids: Grids
    step: NDArray[np.float64]
    seconds: tuple[float, ...]
    memory: tuple[int, ...]
    notes: tuple[str, ...] = ()

    @property
    def backend(self) -> str:
        """Name of the backend."""
        return self.family.backend.name

    @property
    def name(self) -> str:
        """The backend and the kind of grids."""
        return f"{self.backend}, {self.grids}"

    @property
    def kept(self) -> Costs:
        """What of it a file can hold."""
        own = {"grids": self.grids, "step": self.step, "seconds": self.seconds, "memory": self.memory, "notes": self.notes}
        return Costs(backend=self.backend, unknowns=self.unknowns, cells=self.cells, **own)  # type: ignore[arg-type]

    @property
    def unknowns(self) -> tuple[int, ...]:
        """Unknowns of every grid."""
        return tuple(int(solution.description["unknowns"]) for solution in self.family.solutions)

    @property
    def cells(self) -> tuple[tuple[int, ...], ...]:
        """Cells along x, y and z of every grid, of the part of the cell that symmetry leaves."""
        return tuple(solution.grid.shape for solution in self.family.solutions)

    def expected(self, frequency: NDArray[np.float64] | tuple[float, ...] = (0.0,)) -> Expected:
        """Return the order that theory gives it, at these frequencies in Hz."""
        found = expected_order(
            self.family.cell, self.family.backend, self.grids, tuple(map(float, frequency)), float(self.step[-1])
        )
        return of_family(self.family, found)


def solve_grids(
    cell: Cell,
    backend: Backend,
    grids: Grids,
    levels: int,
    band: tuple[float, float],
    progress: Callable[[str, int], None] | None = None,
) -> Solved:
    """Solve `levels` grids, each with half the step of the one before; progress(name, level) is called after each.

    A grid that does not fit in memory ends the family, with a note, if there are three already. Raises InputError,
    ComputationError.
    """
    solutions, steps, seconds, memory, notes = [], [], [], [], []
    base, count, order = None, 0, None
    if grids == "uniform":
        base, count, note = coarsest_uniform(cell, backend)
        if note:
            notes.append(note)
            warnings.warn(f"{backend.name}, uniform grids: {note}", ResolutionWarning, stacklevel=2)
        order = expected_order(cell, backend, "uniform").order
    for level in range(levels):
        at, number = (redrawn(cell, level), 0) if grids == REDRAWN else (cell, level)
        grid = backend.grid(Problem.of(at), number) if base is None else _finer(cell, backend, base, count, level)
        if order is not None and grid.order is None:
            grid = replace(grid, order=order)
        try:
            with cost() as spent:
                solutions.append(solve_grid(at, backend, grid, band))
        except MemoryShort as error:
            if level < len(FIRST_LEVELS):
                raise
            notes.append(f"level {level} is left out: {error}")
            break
        steps.append(mean_step(grid))
        seconds.append(float(spent["seconds"]))
        memory.append(max(0, int(spent["peak_bytes"])))
        if progress is not None:
            progress(f"{backend.name}, {grids}", level)
    family = Family(Problem.of(cell), backend, tuple(solutions))
    return Solved(family, grids, np.array(steps), tuple(seconds), tuple(memory), tuple(notes))


def redrawn(cell: Cell, level: int) -> Cell:
    """Return the cell with the same body drawn with voxels of half the edge, level times over.

    Raises InputError for an image from a file, which there is only once.
    """
    structure = cell.electrolyte.microstructure
    if structure is None or structure.generator is None:
        raise InputError(
            key="--by",
            value="image",
            why="only a generated image (electrolyte.microstructure.generator) can be drawn again with finer voxels",
            remedy="allowed is --by subdivision, or a generator",
        )
    return cell.vary({"electrolyte.microstructure.voxel": [edge / 2**level for edge in structure.edges]}) if level else cell


def coarsest_uniform(cell: Cell, backend: Backend) -> tuple[Grid, int, str]:
    """Return the coarsest grid of equal cells, how many per edge, and what to know if lines on the edges leave none.

    Of 16 to 40 cells per edge those whose widths differ least, the fewest first. Lines stay on the contact's edges and on
    every boundary; with more layers than cells per edge, cells are flatter than wide, equally so on all grids.
    """
    best: tuple[float, Grid, int] | None = None
    for count in COARSEST:
        grid = backend.uniform(Problem.of(cell), count)
        spread = max(_spread(lines) for lines in grid.axes)
        if best is None or spread < best[0] - EQUAL:
            best = spread, grid, count
        if spread < EQUAL:
            break
    assert best is not None
    spread, grid, count = best
    if not grid.fits:
        return (
            grid,
            count,
            f"the outline of the contact lies on no lines of a uniform grid: {grid.name} and finer ones cut it",
        )
    if spread < EQUAL:
        return grid, count, ""
    widths = np.diff(grid.x)
    return (
        grid,
        count,
        f"contact fraction {cell.contact_fraction:g} and the layers fit no grid of {COARSEST.start} to {COARSEST[-1]} equal "
        f"cells per edge: widths differ by {100 * spread:.2g} % ({widths.min():.4g} to {widths.max():.4g} m along x on the "
        "coarsest), on all levels alike",
    )


def mean_step(grid: Grid) -> float:
    """Return the mean step on the face in m: the square root of the mean area of its cells."""
    return math.sqrt(grid.area / grid.copies / math.prod(grid.shape[:-1]))


def _spread(lines: NDArray[np.float64]) -> float:
    widths = np.diff(lines)
    return float(widths.max() / widths.min() - 1)


def _finer(cell: Cell, backend: Backend, base: Grid, count: int, level: int) -> Grid:
    """Every cell of a grid cut in two along each axis, level times; where lines do not fit the contact, its own finer grid."""
    if not base.fits:
        return backend.uniform(Problem.of(cell), count << level)
    grid = base
    for _ in range(level):
        grid = replace(
            grid,
            x=_halved(grid.x),
            y=_halved(grid.y),
            layers=tuple(_halved(lines) for lines in grid.layers),
            contact=grid.contact.repeat(2, 0).repeat(2, 1),
            counter=None if grid.counter is None else grid.counter.repeat(2, 0).repeat(2, 1),
        )
    return replace(grid, name=f"uniform, {count << level} per edge")


def _halved(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sort(np.concatenate([lines, (lines[1:] + lines[:-1]) / 2]))


def check_levels(levels: int, most: int) -> None:
    """Raise InputError unless there are enough levels for an order, and no more than the families have."""
    if not len(FIRST_LEVELS) <= whole("levels", levels, "a whole number of grids") <= most:
        raise InputError(
            key="levels", value=levels, allowed=f"{len(FIRST_LEVELS)} to {most} grids, three give one observed order"
        )
