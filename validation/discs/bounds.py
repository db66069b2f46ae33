"""Z_potentials(s) <= Z(s) <= Z_currents(s) at direct current and real s > 0, of any cell that has discs.

Stacks are enclosed on the triangles of their face (`fem.enclose`), label images on their voxels, each cut into 2, 4, 8, ...
along every edge until the interval is as narrow as asked. R_Cstr of an image is R_DC less that of the same body under full
contact, both enclosed: its interval is as wide as both together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.cell.units import relative_to_z
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fem import Enclosed, enclose
from fem_constriction.problem.one_dimensional import one_dimensional_resistance
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.solving.backends import BUILT_IN, backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.choice import FINEST
from fem_constriction.solving.full_contact import spread
from validation.discs.certificate import Pairing
from validation.discs.face import certifying, pairing_of

Progress = Callable[[str, int], None]


@dataclass(frozen=True, eq=False)
class Bounds:
    """Enclosures of a cell.

    Parameters
    ----------
    enclosed
        lower <= Z(s) <= upper at each real s, and a row for each grid that was tried.
    constriction
        lower <= R_Cstr <= upper, ohm; None without direct current, and where there is nothing that it is counted from.
    """

    enclosed: Enclosed
    constriction: tuple[float, float] | None


def bounds_of(cell: Described, accuracy: float, s: Array, *, progress: Progress | None = None) -> Bounds:
    """Return bounds of Z(s) at real s >= 0 with half a gap of at most accuracy times Z, and those of R_Cstr.

    Parameters
    ----------
    cell
        A Cell, what stands for one, or a Problem.
    accuracy
        Relative to Z.
    s
        1/s, (n,); 0 is direct current.
    progress
        Called with a name and the level after each grid.

    Returns
    -------
    Bounds
        In ohm.

    Raises
    ------
    InputError
        For what is wrong in the cell or the arguments.
    ComputationError
        With what was reached, where memory or the finest level ends it.
    """
    problem = Problem.of(cell)
    backends = [backend_named(name) for name in BUILT_IN]
    require("bounds", problem, backends)
    if certifying(problem, backends) is not None:
        found = enclose(problem, accuracy, s, progress=progress)
        plain = one_dimensional_resistance(problem) if np.any(s == 0) else 0.0
        return Bounds(found, _less(found, (plain, plain)))
    accuracy = relative_to_z("accuracy", accuracy)
    problem.check_solvable()
    if np.any(s == 0) and not problem.direct_current:
        raise InputError(key="s", value=0, why="no direct current can flow at contact fraction 0")
    rows: list[dict[str, float]] = []
    for level in range(FINEST + 1):
        reached = f"half the gap is {rows[-1]['radius']:.1e} of Z, asked {accuracy:.0e}; " if rows else ""
        try:
            found = _on(problem, backends, level, s)
        except (InputError, ComputationError) as error:
            raise ComputationError(f"{reached}{error}") from None
        widest = float(np.max(found.radius / found.middle))
        rows.append({"level": level, "voxels": float(np.prod(found.table[0]["cells"])), "radius": widest})
        if progress is not None:
            progress("bounds", level)
        if widest <= accuracy:
            even = spread(problem) if np.any(s == 0) else None
            whole = None if even is None else _on(even, backends, level, np.zeros(1))
            counted = None if whole is None else (float(whole.lower[0]), float(whole.upper[0]))
            return Bounds(Enclosed(s, found.lower, found.upper, tuple(rows)), counted and _less(found, counted))
    raise ComputationError(f"half the gap is {rows[-1]['radius']:.1e} of Z, asked {accuracy:.0e}; level {FINEST} is the finest")


def _on(problem: Problem, backends: Sequence[Any], level: int, s: Array) -> Enclosed:
    """Return the enclosure that one grid of each side gives; table: its cells."""
    positive = s[s > 0]
    band = (float(positive.min()), float(positive.max())) if positive.size else None
    made = pairing_of(problem.within(band), backends, level)
    assert made is not None, "as required"
    both = [_direct(made) if each == 0 else made.enclosure(float(each)) for each in s]
    lower, upper = np.array(both).T
    return Enclosed(s, lower, upper, (dict(made.grids["currents"]),))


def _direct(made: Pairing) -> tuple[float, float]:
    found = made.discs(np.zeros(0)).resistance
    if found is None:
        raise ComputationError("no direct current flows through these voxels")
    return found


def _less(found: Enclosed, counted: tuple[float, float]) -> tuple[float, float] | None:
    """Return bounds of R_DC less what R_Cstr is counted from, itself between two numbers."""
    at = np.flatnonzero(found.s == 0)
    if not at.size:
        return None
    return float(found.lower[at[0]] - counted[1]), float(found.upper[at[0]] - counted[0])
