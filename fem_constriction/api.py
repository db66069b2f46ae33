"""z = solve(cell, frequencies): what most users import."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ResolutionWarning
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.solving import reference
from fem_constriction.solving.backends import Backend, backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.choice import Accuracy, Level, PerEdge, brings_grid, one_of, settled
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import Family, solve_family, solve_to
from fem_constriction.spectra.frequencies import frequencies_taken
from fem_constriction.spectra.spectrum import Spectrum


def solve(
    cell: Described,
    frequencies: Any,
    *,
    backend: str | Backend = "network",
    accuracy: float | None = None,
    resolution: int | None = None,
) -> Spectrum:
    """Return Z(f) of the whole cell in ohm, at frequencies in Hz, shape (n,).

    Parameters
    ----------
    cell
        A Cell, the path of a cell file, or a dictionary with its keys.
    frequencies
        One or several in Hz, a text such as "1e-3:1e9:61" or "1 kHz:1 MHz:61", or quantities (`frequencies_taken`).
    backend
        The name of an installed one, or the backend itself.
    accuracy
        A family of grids is refined until the uncertainty is at most accuracy |Z| everywhere (default 1e-3); the value is its
        limit, `.uncertainty` its uncertainty.
    resolution
        One grid of that many voxels or elements per edge of the cell instead; its uncertainty is not known (None). A label
        image is such a grid, the only one its cell has; a mesh from a file is one as well, unless an accuracy is asked, which
        refines it uniformly.

    Returns
    -------
    Spectrum
        At the frequencies in the order given; with the cell and the grids in its provenance. Of a cell with a reference
        electrode `.electrodes` has the spectra of the working and of the counter electrode, which sum to it.

    Raises
    ------
    InputError
        For what is wrong in the cell or the arguments, before anything is computed.
    ComputationError
        Where the accuracy is not reached, with what was.

    Warns
    -----
    ResolutionWarning
        Where the grids are outside the asymptotic range, with the worst frequency, its observed order and uncertainty.
    """
    problem = Problem.of(cell)
    choice = one_of(accuracy=accuracy, resolution=resolution)
    points = frequencies_taken(frequencies)
    problem = problem.over(points)
    chosen = backend_named(backend)
    return spectrum_on(problem, points, chosen, settled("spectrum", problem, chosen, choice))


def spectrum_on(
    problem: Problem,
    points: Array,
    backend: Backend,
    choice: Level | PerEdge | Accuracy,
    progress: Callable[[str, int], None] | None = None,
) -> Spectrum:
    """Return Z(f) in ohm at points in Hz, (n,): the limit of a family, or what one grid says (no uncertainty)."""
    if isinstance(choice, Accuracy):
        return spectrum_of(solve_to(problem, backend, points, choice, progress), points, doubts=True)
    solution = solve_grid(problem, backend, choice.grid(problem, backend), problem.band)
    z = solution.model.impedance(2j * np.pi * points)
    found = Spectrum(points, z, None, {**provenance(problem.cell), "grids": [dict(solution.description)]})
    return replace(found, electrodes=reference.of_model(problem, solution.model, points, found))


def spectrum_of(family: Family, frequencies: Any, *, doubts: bool = False) -> Spectrum:
    """Return the limit of a family as a spectrum, with what it was made from; doubts: warn as `solve` does."""
    points = frequencies_taken(frequencies)
    limit = family.limit(points)
    if doubts:
        _warn(family.doubt(points, limit), 3)
    made = {**provenance(family.cell), "backend": family.backend.name, "grids": family.table(points)}
    found = Spectrum(points, limit.value, limit.uncertainty, made)
    return replace(found, electrodes=reference.of_family(family, points, found))


def resistance(cell: Described, *, backend: str | Backend = "network", uncertainty: bool = False) -> Any:
    """Return R_DC = Z(0) of the whole cell in ohm: the limit of a family of grids; infinite at contact fraction 0.

    Parameters
    ----------
    cell
        A Cell, the path of a cell file, or a dictionary with its keys.
    backend
        The name of an installed one, or the backend itself.
    uncertainty
        Return (R_DC, its uncertainty) instead; of one grid, a label image or a mesh from a file, it is not known: infinite.

    Returns
    -------
    float or tuple of float
        R_DC in ohm, or both in ohm.

    Raises
    ------
    InputError
        For what is wrong in the cell or the arguments.
    ComputationError
        Where a solver fails.

    Warns
    -----
    ResolutionWarning
        Where the grids are outside the asymptotic range, with observed order and uncertainty.
    """
    problem = Problem.of(cell)
    if not problem.direct_current:
        return (float("inf"), 0.0) if uncertainty else float("inf")
    chosen = backend_named(backend)
    require("spectrum", problem, [chosen])
    if brings_grid(problem, chosen):
        found = solve_grid(problem, chosen, chosen.grid(problem, 0), None).model.resistance(), float("inf")
    else:
        family = solve_family(problem, chosen, None)
        _warn(family.doubt(0.0, family.direct()), 1)
        found = family.resistance()
    return found if uncertainty else found[0]


def _warn(doubt: str, calls: int) -> None:
    """Warn of what a limit leaves open, if anything, where the user called: so many calls above the one of this."""
    if doubt:
        warnings.warn(doubt, ResolutionWarning, stacklevel=2 + calls)


def provenance(cell: Cell) -> dict[str, Any]:
    """Return the cell and the versions of what computed it."""
    names = ("fem-constriction", "numpy", "scipy", "scikit-fem", "lmfit")
    return {
        "cell": cell.model_dump(mode="json", exclude_none=True),
        "versions": {name: version(name) for name in names},
    }
