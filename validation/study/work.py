"""What workers do: `prepare` what the points of a group share, then `evaluate` each point. A failure is a record, too.

`Work` is the one place where a study is bound to what computes: other work may be handed to the driver, in tests it is.
Everything here is picklable and knows nothing of folders, and of other points nothing but their group's cells.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Final, Literal, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from fem_constriction.api import provenance, spectrum_of
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ConstrictionError, InputError, MemoryShort
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.choice import Accuracy
from fem_constriction.solving.refinement import FIRST_LEVELS, solve_to
from validation.gate import run as gate
from validation.gate.result import Result
from validation.study import measured
from validation.study.points import TOLERANCE, Settings

Kind = Literal["", "input", "computation", "unexpected", "worker"]
#: Failures that say nothing of the point: it is computed again when the study goes on.
PASSING: Final = ("worker",)


@dataclass(frozen=True, eq=False)
class Record:
    """What is known of a point: numbers, texts and arrays by the name of their variable, or why there are none.

    kind: "" for a point that is done, else what failed; reason: the failure, or why nothing was extracted; versions: of what
    computed it.
    """

    kind: Kind = ""
    reason: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the point was computed."""
        return not self.kind


class Work(Protocol):
    """What a study computes at its points."""

    def group(self, cell: Cell, settings: Settings) -> str | None:
        """Return what points must have in common to share a preparation, None for a point that shares none."""
        ...

    def prepare(self, cells: Sequence[Cell], settings: Settings) -> Any:
        """Return what the cells of a group share, picklable."""
        ...

    def evaluate(self, cell: Cell, settings: Settings, prepared: Any) -> Record:
        """Return the record of a point; `prepared` is None for a point that shares nothing."""
        ...

    def memory(self, cell: Cell, settings: Settings) -> float:
        """Return about how many bytes a point takes, 0 if that is not known."""
        ...


class Spectra:
    """The cross-check of each cell, or the spectrum of one backend; cells that differ in materials alone share their grids."""

    def group(self, cell: Cell, settings: Settings) -> str | None:
        """Return what the grids of a cell depend on; one backend, refined to an accuracy, shares nothing."""
        return Problem.of(cell).discretisation if settings.crosschecked else None

    def prepare(self, cells: Sequence[Cell], settings: Settings) -> Any:
        """Solve the grids of the cells, once for all their materials."""
        return gate.prepare(cells, settings.frequencies, backends=settings.backends, side_by_side=False)

    def evaluate(self, cell: Cell, settings: Settings, prepared: Any) -> Record:
        """Cross-check the cell, by itself where the shared grids do not let it be extracted; or refine one backend."""
        versions = provenance(cell)["versions"]
        if settings.crosschecked:
            result = self._judged(cell, settings, prepared)
            numbers, texts, arrays = measured.of_result(result)
            return Record("", result.refusal or "", numbers, texts, arrays, versions)
        frequencies = np.array(settings.frequencies)
        family = solve_to(cell, backend_named(settings.backends[0]), frequencies, Accuracy(settings.accuracy or TOLERANCE))
        numbers, arrays = measured.of_family(family, spectrum_of(family, frequencies))
        return Record("", "", numbers, {}, arrays, versions)

    def _judged(self, cell: Cell, settings: Settings, prepared: Any) -> Result:
        tolerance = settings.tolerance or TOLERANCE
        if prepared is not None:
            result = gate.judge(cell, prepared, settings.frequencies, tolerance=tolerance, every_fit=False)
            if result.refusal is None:  # else by itself: one basis for many materials may lack more than it says of itself
                return result
        return gate.crosscheck(cell, settings.frequencies, backends=settings.backends, tolerance=tolerance)

    def memory(self, cell: Cell, settings: Settings) -> float:
        """Return what the finest of the first grids is estimated to take, of all backends together."""
        chosen = [backend_named(name) for name in settings.backends]
        problem = Problem.of(cell)
        unknowns = sum(each.unknowns(problem, each.grid(problem, FIRST_LEVELS[-1])) for each in chosen)
        return 8.0 * problem.body.doubles * unknowns


def prepare(work: Work, cells: Sequence[Cell], settings: Settings) -> bytes | None:
    """Return the group's preparation as bytes; None if it failed, and each point is then computed by itself."""
    try:
        _one_thread()
        return pickle.dumps(work.prepare(cells, settings), protocol=5)
    except MemoryError:
        raise
    except Exception:
        return None


def evaluate(work: Work, cell: Cell, settings: Settings, prepared: bytes | None) -> tuple[Record, float]:
    """Return the record of a point, that of a failure among them, and the seconds it took; KeyboardInterrupt passes."""
    start = time.perf_counter()
    try:
        _one_thread()
        record = work.evaluate(cell, settings, None if prepared is None else _unpickled(prepared))
    except Exception as error:
        record = failure(error)
    return record, time.perf_counter() - start


def failure(error: BaseException) -> Record:
    """Return the record of a failure.

    Memory that is short says nothing of the point: other workers have it, for the moment.
    """
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, (MemoryError, MemoryShort)):
        return Record("worker", f"memory: {text}")
    if isinstance(error, ConstrictionError):
        return Record("input" if isinstance(error, InputError) else "computation", text)
    return Record("unexpected", f"{type(error).__name__}: {text}")


@lru_cache(maxsize=1)
def _unpickled(prepared: bytes) -> Any:
    return pickle.loads(prepared)


@cache
def _one_thread() -> None:
    """Keep dense algebra of this process to one thread from now on: results then do not depend on who else computes here."""
    threadpool_limits(limits=1, user_api="blas")
