"""Where the claims' data come from: the figures' folder and single grids, each computed once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array
from fem_constriction.budgets import Budget, budget
from fem_constriction.cell.cell import Cell
from fem_constriction.fields import Fields, solve_fields
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.elements import evaluate
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import angular_band
from validation.benchmarks.one_grid import superlu
from validation.gate.run import FREQUENCIES
from validation.paper import series
from validation.paper.claims import extra_series as extra
from validation.paper.claims.backend_view import Context
from validation.paper.claims.measured import Undecided
from validation.paper.sample import Sample


@dataclass(frozen=True, eq=False)
class SingleGrids:
    """Cells on single grids; nothing is computed twice."""

    kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    def model(self, cell: Cell, backend: str, *, direct: bool = False) -> ReducedModel:
        """Return the reduced model of the backend's coarsest graded grid, over the usual band or for direct current alone."""
        found: ReducedModel = self._once(("model", cell, backend, direct), lambda: _model(cell, backend, direct))
        return found

    def sparse(self, cell: Cell, backend: str, frequency: Array, resolution: int = 4) -> NDArray[np.complex128]:
        """Return Z in ohm on a uniform grid of `resolution` per edge, one complex sparse solve per frequency in Hz."""
        key = ("sparse", cell, backend, resolution, tuple(frequency.tolist()))
        found: NDArray[np.complex128] = self._once(key, lambda: _sparse(cell, backend, frequency, resolution))
        return found

    def spread(self, cell: Cell, backend: str, frequency: float, z: Array) -> Array:
        """Return max |phi| - min |phi| over planes z (m) for 1 V at a frequency in Hz, in V, on the backend's middle grid."""
        found: Fields = self._once(("fields", cell, backend, frequency), lambda: solve_fields(cell, frequency, backend=backend))
        return found.lateral_spread(z)

    def budget(self, cell: Cell, backend: str) -> Budget:
        """Return the parts of R_DC and R_Cstr by process, limits of the backend's family."""
        found: Budget = self._once(("budget", cell, backend), lambda: budget(cell, backend=backend))
        return found

    def _once(self, key: Any, compute: Callable[[], Any]) -> Any:
        if key not in self.kept:
            self.kept[key] = compute()
        return self.kept[key]


def _model(cell: Cell, backend: str, direct: bool) -> ReducedModel:
    chosen = backend_named(backend)
    return solve_grid(cell, chosen, chosen.grid(Problem.of(cell), 0), None if direct else angular_band(FREQUENCIES)).model


def _sparse(cell: Cell, backend: str, frequency: Array, resolution: int) -> NDArray[np.complex128]:
    chosen = backend_named(backend)
    problem = Problem.of(cell)
    assembly = chosen.assemble(problem, chosen.uniform(problem, resolution))
    port = np.zeros(assembly.unknowns, dtype=complex)
    port[-1] = 1.0
    found = []
    for s in 2j * np.pi * frequency:
        y = {name: complex(value) for name, value in evaluate(assembly.admittances(problem.places), s).items()}
        found.append(complex(superlu(assembly.matrix(y), port)[-1]))
    return np.array(found)


def on_disk(
    folder: Path,
    *,
    quick: bool = False,
    watch: series.Watch | None = None,
    workers: int | None = None,
    frequencies: ArrayLike | None = None,
) -> Context:
    """Return the context of a folder of figures: what is missing there is computed when a claim asks for it."""
    told: series.Watch = (lambda _: nullcontext()) if watch is None else watch
    kept: dict[str, tuple[Sample, ...] | Undecided] = {}

    def samples(name: str) -> tuple[Sample, ...]:
        if name not in kept:
            try:
                kept[name] = compute(name)
            except Undecided as error:
                kept[name] = error
        found = kept[name]
        if isinstance(found, Undecided):
            raise found
        return found

    def compute(name: str) -> tuple[Sample, ...]:
        if name in extra.NAMES:
            return extra.samples(folder, name, told, workers=workers, frequencies=frequencies)
        figure = name[0]
        found = series.compute(folder, [figure], quick=quick, frequencies=frequencies, progress=told, workers=workers)
        failed = series.failures(folder, figure, quick=quick)
        if failed:
            raise Undecided(f"{len(failed)} of the cells of figure {figure} failed: {failed[0][1]}")
        return found[name]

    return Context(samples=samples, grids=SingleGrids())
