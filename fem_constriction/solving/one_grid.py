"""(problem, backend, grid) -> Z at any frequency: how one grid is solved, on its face or with all its unknowns."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from fem_constriction import memory
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.grids.affordable import DOUBLES_PER_NODE
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.bodies import Stack
from fem_constriction.problem.problem import Band, Described, Problem
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.reduction.materials import reduce_together
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.backends import Backend, LayeredBackend
from fem_constriction.stack.face_model import reduce_layered
from fem_constriction.stack.layered import Layered


@dataclass(frozen=True, eq=False)
class Solution:
    """One grid, solved: its reduced model, which knows Z at any frequency of the band, and what it cost.

    assembly: kept, with the model's basis, where guaranteed bounds are to be made.
    """

    model: ReducedModel
    grid: Grid
    seconds: float
    description: Mapping[str, Any] = field(default_factory=dict)
    assembly: Assembly | None = None

    def of(self, described: Described) -> Solution:
        """Return the solution of one of the problems that the model serves."""
        return replace(self, model=self.model.of(Problem.of(described).places), assembly=None)

    def without_potentials(self) -> Solution:
        """Return the solution without what takes memory: Z at any frequency stays."""
        return replace(self, model=self.model.light(), assembly=None)


def solve_grid(
    described: Described,
    backend: Backend,
    grid: Grid,
    band: Band | None,
    *,
    keep: bool = False,
    others: Sequence[Described] = (),
    coarser: Solution | None = None,
) -> Solution:
    """Solve one grid for angular frequencies band[0] to band[1] (1/s; None: none), and direct current where it can flow.

    Parameters
    ----------
    described
        A Cell, the path of a cell file, a dictionary with its keys, or a Problem.
    backend, grid
        What it is solved with: a grid of this backend for this cell.
    band
        Lowest and highest angular frequency in 1/s; None: direct current alone.
    keep
        The potentials and the assembly as well, for guaranteed bounds and fields.
    others
        Further cells, of the same discretisation, that the model is to serve as well (`ReducedModel.of`).
    coarser
        The solution of the family's grid before.

    Returns
    -------
    Solution
        The reduced model of Z, with what it took.

    Raises
    ------
    InputError
        If no current can flow at all or if the grid would not fit in memory (before anything is allocated).
    ComputationError
        If the grid is not that of the cell or if a solver fails.
    """
    problem = Problem.of(described).within(band)
    together = [problem, *(Problem.of(each) for each in others)]
    for each in together:
        each.check_solvable()
        if each is not problem and each.discretisation != problem.discretisation:
            raise InputError("cells are not allowed to share grids unless they differ in materials alone")
    check_areas(problem, grid)
    flows = problem.direct_current
    # One thread for dense algebra: its products are small here, and backends run side by side.
    with threadpool_limits(limits=1, user_api="blas"):
        if isinstance(backend, LayeredBackend) and _of_one_mind(backend) and not keep and not (others and band is not None):
            start = time.perf_counter()
            if (stack := _layered(problem, backend, grid)) is not None:
                more: dict[str, Any] = {"whole": partial(_whole, problem, backend, grid), "observed": problem.observed}
                model: ReducedModel = reduce_layered(stack, problem.places, band, direct_current=flows, **more)
                return Solution(model, grid, time.perf_counter() - start, model.statistics)
        # A basis for many materials has more columns, known from the coarser grid; its currents take three times as much.
        columns = 0 if coarser is None or not others else len(coarser.model.shifts)
        what = f"{backend.name} on {_cells(grid)}"
        check_memory(
            backend.unknowns(problem, grid), what, max(grid.doubles or problem.body.doubles, 60 * bool(others) + 4 * columns)
        )
        start = time.perf_counter()
        assembly = backend.assemble(problem, grid)
        if others and band is not None:
            materials = [each.places for each in together]
            like = None if coarser is None else coarser.model
            model = reduce_together(assembly, materials, band, direct_current=flows, like=like, keep=keep)
        else:
            model = reduce(assembly, problem.places, band, direct_current=flows, keep=keep)
    return Solution(model, grid, time.perf_counter() - start, model.statistics, assembly if keep else None)


def _of_one_mind(backend: LayeredBackend) -> bool:
    """True if `layered` comes from the class that defines `assemble`, or from a subclass of it.

    A subclass that overrides `assemble` alone would otherwise be solved with its parent's matrices.
    """
    stacks, matrices = (next(kind for kind in type(backend).__mro__ if name in vars(kind)) for name in ("layered", "assemble"))
    return issubclass(stacks, matrices)


def _layered(problem: Problem, backend: LayeredBackend, grid: Grid) -> Layered | None:
    """The grid as a stack to be solved on its face, if it fits in memory."""
    plane = backend.unknowns(problem, grid) // grid.shape[-1]
    check_memory(plane, f"{backend.name} on {_cells(grid)}, mode by mode", DOUBLES_PER_NODE)
    return backend.layered(problem, grid)


def _whole(problem: Problem, backend: Backend, grid: Grid) -> ReducedModel:
    """The model of all unknowns of a grid, for what its face does not tell."""
    check_memory(backend.unknowns(problem, grid), f"{backend.name} on {_cells(grid)}, for its relaxation times")
    with threadpool_limits(limits=1, user_api="blas"):
        assembly = backend.assemble(problem, grid)
        return reduce(assembly, problem.places, problem.band, direct_current=problem.direct_current)


def _cells(grid: Grid) -> str:
    return f"{grid.name} ({' x '.join(map(str, grid.shape))} cells)"


def check_memory(unknowns: int, what: str, doubles: int = Stack.doubles) -> None:
    """Raise MemoryShort, an InputError, with the estimate if `unknowns` would take more memory than is free."""
    memory.require(unknowns * doubles * 8, f"{what}: {min(unknowns, 1e300):.3g} unknowns")


def check_areas(problem: Problem, grid: Grid) -> None:
    """A grid that has another contact or another face solves another cell."""
    for what, has, should in (
        ("contact area", grid.contact_area, problem.contact_area),
        ("contact area of the counter electrode", grid.counter_area, problem.counter_area),
        ("area", grid.area, problem.area),
        ("thickness", grid.depth, problem.body.lengths[2]),
    ):
        if not np.isclose(has, should, rtol=1e-9, atol=0):
            raise ComputationError(f"grid {grid.name}: its {what} is {has:.9g}, the cell's {should:.9g} (SI)")
