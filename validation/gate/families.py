"""Families of grids of several backends, solved side by side, and what bounds Z from a side that none of them does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from threadpoolctl import threadpool_limits

from fem_constriction import memory
from fem_constriction.errors import MemoryShort
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.refinement import FIRST_LEVELS, Family, check_affordable, solve_family

#: Called with the name of a backend and the level that it has solved.
Progress = Callable[[str, int], None]


def solve_families(
    problems: Sequence[Problem],
    chosen: Sequence[Backend],
    progress: Progress | None = None,
    *,
    side_by_side: bool = True,
) -> dict[str, Family]:
    """Return {backend: family} of problems that differ in materials alone; an interruption waits for nothing that still runs.

    Parameters
    ----------
    problems
        The first one's band is solved for; the others are served by the same solutions.
    chosen
        The backends.
    side_by_side
        A thread per backend; not where every processor has work already.
    """
    for problem in problems:
        problem.lowered().check_solvable()
    first, *others = problems
    at_once = len(chosen) if side_by_side else 1
    # Threads of dense algebra are held here as well: the limit of one grid, when it ends, must not give its threads back while
    # another one runs.
    with memory.shared(at_once), threadpool_limits(limits=1, user_api="blas"):
        for backend in chosen:
            check_affordable(first, backend)
        pool = ThreadPoolExecutor(at_once)
        try:
            solve = partial(solve_family, first, progress=progress, others=others)
            jobs = {backend.name: pool.submit(solve, backend, first.band) for backend in chosen}
            return {name: job.result() for name, job in jobs.items()}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def bounding_families(problem: Problem, families: Mapping[str, Family]) -> list[Family]:
    """Return families that supply the missing bound, from backends that offer `opposite(problem)`, where memory allows them."""
    sides = {family.bound for family in families.values()}
    found = []
    for family in families.values():
        opposite = getattr(family.backend, "opposite", lambda _: None)(problem)
        if opposite is not None and opposite.bound not in sides:
            with suppress(MemoryShort):
                found.append(solve_family(problem, opposite, problem.band, levels=FIRST_LEVELS[:2]))
    return found
