"""{kind of cell: scheme}: a backend that has a way of its own for each kind, and looks it up instead of asking which it is.

A `Scheme` is what a backend does with one kind of cell; its members are those of a backend. `ByKind` is the backend that they
make together: what it `offers` is what they do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.solving.capabilities import ENCLOSURE, FAMILY, GRID, UNIFORM, check_offered, offers
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.sides import Sides


@dataclass(frozen=True)
class Scheme:
    """What a backend does with one kind of cell.

    name: the backend's; offers: in the words of `capabilities`; grids: the class of the grids that it assembles;
    usual: the accuracy of limits where none is asked for, relative to |Z|.
    """

    offers: ClassVar[Collection[str]] = ()
    grids: ClassVar[type[Grid]] = Grid
    usual: ClassVar[float] = 1e-3

    name: str

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return member `level` of the family of grids, or at level 0 the grid that the cell brings with it."""
        raise NotImplementedError

    def uniform(self, problem: Problem, resolution: int) -> Grid:
        """Return the grid of so many equal cells per edge, of a scheme that offers them."""
        raise NotImplementedError

    def unknowns(self, problem: Problem, grid: Grid) -> int:
        """Return how many unknowns a grid has at most."""
        raise NotImplementedError

    def assemble(self, problem: Problem, grid: Grid) -> Assembly:
        """Return one matrix per place."""
        raise NotImplementedError

    def layered(self, problem: Problem, grid: Grid) -> Layered | None:
        """Return the same as a stack to be solved on its face; None for what is none."""
        return None

    def erratic(self, problem: Problem, grid: Grid, s: ArrayLike) -> Array:
        """Return which part of the difference between a grid and the one before follows no series, 0 to 1, (n,) of s in 1/s.

        Nothing of it where grids fit the contact; where outlines cut them all of it, unless the scheme knows better.
        """
        return np.full(np.shape(s), 0.0 if grid.fits else 1.0)

    def unseen(self, problem: Problem, grid: Grid, s: ArrayLike) -> Array:
        """Return what the limit may be off by beyond what differences of grids show, ohm, (n,) of s in 1/s: mostly nothing."""
        return np.zeros(np.shape(s))

    def edges(self, problem: Problem, grid: Grid, s: ArrayLike) -> tuple[Array, Array]:
        """Return the order that the most singular edges inside limit grids to, and what conducts along all of them.

        (n,) each, of s in 1/s; inf and S. Mostly there are none, or the family's order has them.
        """
        return np.full(np.shape(s), np.inf), np.full(np.shape(s), np.inf)

    def affordable(self, grid: Grid) -> None:
        """Raise MemoryShort where the grid is known to be too large before anything is computed."""

    def refusal(self, problem: Problem) -> InputError | None:
        """Return why this one cell cannot be taken although its kind is, None where it can."""
        return None

    def opposite(self, problem: Problem) -> Any:
        """Return a backend that bounds Z from the other side on the same kind of grids; None where there is no need."""
        return None

    def sides(self, problem: Problem, level: int | None) -> Sides:
        """Return potentials and currents of one plane, of a scheme that offers an enclosure; see `ByKind.sides`."""
        raise NotImplementedError


class ByKind:
    """A backend made of schemes, whose public methods take a Cell, or whatever stands for one, as well as a Problem."""

    name: str

    @property
    def schemes(self) -> Mapping[str, Scheme]:
        """Name of a kind of cell -> what the backend does with it."""
        raise NotImplementedError

    def _of(self, described: Described, offer: str) -> tuple[Problem, Scheme]:
        """The problem, and the scheme of its kind. Raises InputError unless it offers this."""
        problem = Problem.of(described)
        check_offered(self, problem, offer)
        return problem, self.schemes[problem.kind.name]

    def _assembling(self, described: Described, grid: Grid) -> tuple[Problem, Scheme]:
        """The problem, and the scheme of its kind, or of another kind that assembles such grids."""
        problem = Problem.of(described)
        has = offers(self, problem.kind)
        problem, own = self._of(problem, GRID if GRID in has else FAMILY)
        return problem, self._on(grid, own)

    def _on(self, grid: Grid, *first: Scheme) -> Scheme:
        found = [*first, *self.schemes.values()]
        return next((scheme for scheme in found if type(grid) is scheme.grids), found[0])

    def grid(self, described: Described, level: int) -> Grid:
        """Return member `level` of the cell's family of grids; of a cell that brings a grid with it that one at level 0."""
        problem = Problem.of(described)
        own = level == 0 and GRID in offers(self, problem.kind)
        problem, scheme = self._of(problem, GRID if own else FAMILY)
        return scheme.grid(problem, level)

    def uniform(self, described: Described, resolution: int) -> Grid:
        """Return the grid of `resolution` voxels or elements per edge of the cell, or that of a body that has no other."""
        problem = Problem.of(described)
        if GRID in offers(self, problem.kind) and problem.body.resolution(resolution) is None:
            return self.grid(problem, 0)
        problem, scheme = self._of(problem, UNIFORM)
        return scheme.uniform(problem, resolution)

    def unknowns(self, described: Described, grid: Grid) -> int:
        """Return how many unknowns a grid has at most (nodes tied to an electrode are none), before anything is built."""
        problem, scheme = self._assembling(described, grid)
        return scheme.unknowns(problem, grid)

    def erratic(self, described: Described, grid: Grid, s: ArrayLike) -> Array:
        """Return which part of the difference between a grid and the one before follows no series, 0 to 1, (n,) of s in 1/s."""
        problem, scheme = self._assembling(described, grid)
        return scheme.erratic(problem, grid, s)

    def unseen(self, described: Described, grid: Grid, s: ArrayLike) -> Array:
        """Return what the limit may be off by beyond what differences of grids show, ohm, (n,) of s in 1/s."""
        problem, scheme = self._assembling(described, grid)
        return scheme.unseen(problem, grid, s)

    def edges(self, described: Described, grid: Grid, s: ArrayLike) -> tuple[Array, Array]:
        """Return the order of the most singular edges inside, and what conducts along all of them, S, (n,) of s in 1/s each."""
        problem, scheme = self._assembling(described, grid)
        return scheme.edges(problem, grid, s)

    def affordable(self, grid: Grid) -> None:
        """Raise MemoryShort where a grid is known to be too large before anything is computed."""
        self._on(grid).affordable(grid)

    def refusal(self, described: Described) -> InputError | None:
        """Return why this one cell cannot be taken although its kind is (what its voxels are), None where it can."""
        problem = Problem.of(described)
        scheme = self.schemes.get(problem.kind.name)
        return None if scheme is None else scheme.refusal(problem)

    def usual(self, described: Described) -> float:
        """Return the accuracy of a limit where none is asked for, relative to |Z|."""
        return self.schemes[Problem.of(described).kind.name].usual

    def opposite(self, described: Described) -> Any:
        """Return a backend that bounds Z from the other side on the same kind of grids; None where there is no need."""
        problem = Problem.of(described)
        scheme = self.schemes.get(problem.kind.name)
        return None if scheme is None else scheme.opposite(problem)

    def sides(self, described: Described, level: int | None = None) -> Sides:
        """Return potentials and currents of one plane, exact along z: what guaranteed discs are made of.

        level: each halves every step; None: as fine as a cross-check takes them.
        """
        problem, scheme = self._of(described, ENCLOSURE)
        return scheme.sides(problem, level)

    def layered(self, described: Described, grid: Grid) -> Layered | None:
        """Return what `assemble` gives as a stack to be solved mode by mode on its face; None for a cell that is no stack."""
        problem, scheme = self._assembling(described, grid)
        found = scheme.layered(problem, grid)
        return found and replace(found, description={"backend": self.name, **found.description})

    def assemble(self, described: Described, grid: Grid) -> Assembly:
        """Return one matrix per place of the cell, or per kind of link of a label image."""
        problem, scheme = self._assembling(described, grid)
        found = scheme.assemble(problem, grid)
        return replace(found, description={"backend": self.name, **found.description})
