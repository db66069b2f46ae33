"""cell -> families of grids -> errors, orders, limits: a convergence study, with a verdict on every order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from fem_constriction.cell.cell import Cell, CellLike
from fem_constriction.errors import InputError, Written
from fem_constriction.problem.problem import Problem, check_solvable
from fem_constriction.processes.of_cell import direct_current
from fem_constriction.reduction.projection import TARGET
from fem_constriction.solving.backends import Backend, backend_named
from fem_constriction.solving.capabilities import GRID, offers, require
from fem_constriction.solving.choice import FINEST
from fem_constriction.solving.refinement import Limit, angular_band
from fem_constriction.spectra.frequencies import frequencies_taken
from validation.convergence.families import Solved, check_levels, solve_grids
from validation.convergence.findings import Spectra
from validation.convergence.parameters import FITTED, contributions, fitted, numbers
from validation.convergence.result import Convergence
from validation.convergence.series import Series, make_series
from validation.convergence.theory import GRIDS, OWN, REDRAWN, SUBDIVISION, Grids
from validation.gate.run import BACKENDS, FREQUENCIES

IMPEDANCE: Final = "Z"
RESISTANCE: Final = "R_DC"
QUANTITIES: Final = (IMPEDANCE, RESISTANCE, *FITTED)

#: Relative differences that solving leaves in Z and R_DC, and fitting in R, C and tau: spectra are solved to 1e-8, and a fit
#: multiplies their errors by up to a hundred.
NOISE: Final = {IMPEDANCE: TARGET, RESISTANCE: 1e-9, **dict.fromkeys(FITTED, 1e-6)}

#: Limits that differ by more than so many times their uncertainties together (95 % each) are not the same.
APART: Final = 3.0

Progress = Callable[[str, int], None]


def converge(
    cell: CellLike,
    *,
    backends: Sequence[str | Backend] = BACKENDS,
    grids: Sequence[Grids] | None = None,
    levels: int = 4,
    quantities: Sequence[str] = QUANTITIES,
    frequencies: Any = None,
    progress: Progress | None = None,
) -> Convergence:
    """Return errors and orders of every backend on its graded grids and on grids of equal cells.

    Errors are relative to the best limit known, of any of the families. A shortfall is a result: `.failures` says which order
    falls short of theory's, and by how much. Warns (ResolutionWarning) where a contact fits no grid of equal cells.

    Parameters
    ----------
    cell
        A Cell, the path of a cell file, or a dictionary with its keys.
    backends
        Names of installed ones, or backends themselves.
    grids
        "graded", "uniform", or both, which is what is left out; of a label image or a mesh "subdivision" (its own cells cut
        finer), which is left out there, or "image" (a generated image drawn again with finer voxels).
    levels
        Grids of each family, from three, each with half the step of the one before.
    quantities
        Of "Z" (at every frequency), "R_DC", "R_Cstr", "C_Cstr", "tau".
    frequencies
        Hz; left out: 61 from 1 mHz to 1 GHz.
    progress
        Called with a backend's name and the level after each grid.

    Returns
    -------
    Convergence
        Errors, orders and what falls short; as tables, files and pictures.

    Raises
    ------
    InputError
        For what is wrong in the cell or the arguments.
    ComputationError
        Where a solver fails.
    """
    cell = Cell.of(cell)
    points = FREQUENCIES if frequencies is None else frequencies_taken(frequencies)
    band = angular_band(points)
    chosen = [backend_named(backend) for backend in backends]
    _check("backends", [backend.name for backend in chosen], None)
    grids, allowed = families_of(cell, chosen, grids)
    _check("grids", grids, allowed)
    _check("quantities", quantities, QUANTITIES)
    check_levels(levels, FINEST + 1)
    check_solvable(cell)
    require(task_of(grids), cell, chosen)
    with threadpool_limits(limits=1, user_api="blas"):
        solved = [solve_grids(cell, backend, kind, levels, band, progress) for backend in chosen for kind in grids]
        return study(cell, solved, points, quantities)


def families_of(
    cell: Cell, backends: Sequence[Backend], asked: Sequence[Grids] | None
) -> tuple[Sequence[Grids], tuple[Grids, ...]]:
    """Return the families of grids that are meant, and those that a cell has: asked None, all, or those of its own cells."""
    kind = Problem.of(cell).kind
    own = any(GRID in offers(each, kind) for each in backends)
    allowed = OWN if own else GRIDS
    return ((SUBDIVISION,) if own else GRIDS) if asked is None else asked, allowed


def task_of(grids: Sequence[Grids]) -> str:
    """Return the name of the task that families are."""
    if len(grids) > 1 or grids[0] in OWN:
        return "converge"
    return f"converge --grids {grids[0]}"


def study(cell: Cell, solved: Sequence[Solved], points: np.ndarray, quantities: Sequence[str]) -> Convergence:
    """Return the study of families that are solved."""
    limits = [each.family.limit(points) for each in solved]
    chosen = min(range(len(solved)), key=lambda n: float(np.max(limits[n].uncertainty / np.abs(limits[n].value))))
    best = limits[chosen]
    reference = best.value, best.uncertainty
    notes = [f"{each.name}: {note}" for each in solved for note in each.notes]
    if any(each.grids == REDRAWN for each in solved):
        notes.append("every level is another image of the same grains: they differ in what they picture")
    notes.append(f"errors are relative to the limit of {solved[chosen].name}, the best known")
    if len(solved) == 1:
        notes.append("one family alone: nothing checks that its limit is the right one")
    found: list[Series] = []
    if IMPEDANCE in quantities:
        for each, limit in zip(solved, limits, strict=True):
            found += _impedance(each, points, limit, reference)
    if RESISTANCE in quantities:
        if direct_current(cell):
            found += _resistance(solved)
        else:
            notes.append("R_DC is left out: no direct current flows")
    asked = [quantity for quantity in FITTED if quantity in quantities]
    if asked:
        more, said = _fitted(solved, points, limits, chosen, asked)
        found += more
        notes += said
    spectra = [Spectra.of(each, points, each.family.spectra(points), limit) for each, limit in zip(solved, limits, strict=True)]
    apart: list[str] = []
    for each, limit in zip(solved, limits, strict=True):
        apart += _apart(each, limit, solved[chosen], best, points)
    return Convergence(cell, tuple(solved), solved[chosen].name, tuple(found), tuple(spectra), tuple(notes), tuple(apart))


def _impedance(solved: Solved, points: np.ndarray, limit: Limit, reference: tuple[np.ndarray, np.ndarray]) -> list[Series]:
    """The largest error over frequency, which is judged, and a few frequencies, which are not."""
    z = solved.family.spectra(points)
    worst = int(np.argmax(np.abs(z[-1] - reference[0]) / np.abs(reference[0])))
    make = partial(make_series, solved, IMPEDANCE, "ohm", noise=NOISE[IMPEDANCE])
    found = [make(z, reference, limit, solved.expected((points[worst],)))]
    for n in np.unique(np.linspace(0, points.size - 1, 5).round().astype(int)):
        own = Limit(limit.value[n : n + 1], limit.uncertainty[n : n + 1], limit.order[n : n + 1], limit.asymptotic[n : n + 1])
        at = float(points[n])
        best = reference[0][n], reference[1][n]
        found.append(make(z[:, n : n + 1], best, own, solved.expected((at,)), frequency=at, judged=False))
    return found


def _resistance(solved: Sequence[Solved]) -> list[Series]:
    limits = [each.family.resistance() for each in solved]
    best = min(limits, key=lambda pair: pair[1])
    found = []
    for each, (value, uncertainty) in zip(solved, limits, strict=True):
        r = np.array([[solution.model.resistance()] for solution in each.family.solutions])
        limit = each.family.extrapolated(r, np.zeros(1))
        own = Limit(np.array([value]), np.array([uncertainty]), limit.order, limit.asymptotic)
        found.append(make_series(each, RESISTANCE, "ohm", r, best, own, each.expected((0.0,)), noise=NOISE[RESISTANCE]))
    return found


def _fitted(
    solved: Sequence[Solved], points: np.ndarray, limits: Sequence[Limit], chosen: int, asked: Sequence[str]
) -> tuple[list[Series], list[str]]:
    naming = min(solved, key=lambda each: each.unknowns[0])
    best = limits[chosen]
    pair = best.value, best.uncertainty
    every = [fitted(each, naming, points, limit, pair) for each, limit in zip(solved, limits, strict=True)]
    notes = [why for _, why in every if why]
    reference = every[chosen][0]
    if not reference:
        return [], [f"{', '.join(asked)} left out: {every[chosen][1]}"]
    found = []
    # What happens half a decade around the arc decides its R, C and tau.
    around = 10.0 ** np.array([-0.5, 0.0, 0.5]) / (2 * np.pi * (reference["tau"][-1].value or 1.0))
    for quantity in asked:
        _, unit = FITTED[quantity]
        last = reference[quantity][-1]
        for each, (values, _) in zip(solved, every, strict=True):
            if not values:
                continue
            v = numbers(values[quantity])
            parts = contributions(values[quantity])
            own = each.family.extrapolated(v[:-1, None], 2j * np.pi * around[1:2])
            limit = Limit(v[-1:].astype(complex), parts["discretisation"][-1:], own.order, own.asymptotic)
            best_known = last.value or np.nan, last.discretisation or 0.0
            found.append(
                make_series(
                    each, quantity, unit, v[:-1, None], best_known, limit, each.expected(around),
                    noise=NOISE[quantity], parts=parts,
                )
            )  # fmt: skip
    return found, notes


def _apart(solved: Solved, limit: Limit, other: Solved, best: Limit, points: np.ndarray) -> list[str]:
    """Limits that are not the same, in one sentence."""
    excess = np.abs(limit.value - best.value) / (limit.uncertainty + best.uncertainty)
    worst = int(np.argmax(excess))
    if excess[worst] <= APART:
        return []
    gap = abs(limit.value[worst] - best.value[worst]) / abs(best.value[worst])
    return [
        f"{solved.name} and {other.name}: their limits of Z differ by {gap:.1e} |Z| at {points[worst]:.3g} Hz, "
        f"{excess[worst]:.1f} times their uncertainties together"
    ]


def _check(key: str, given: Sequence[str], allowed: Sequence[str] | None) -> None:
    names = [*given]
    wrong = [name for name in names if allowed is not None and name not in allowed]
    if wrong or not names or len(set(names)) < len(names):
        listed = "at least one, each once" if allowed is None else f"one or more of {', '.join(allowed)}, each once"
        raise InputError(key=key, value=Written(",".join(names) or "[]"), allowed=listed)
