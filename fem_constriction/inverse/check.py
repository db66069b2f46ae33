"""cell, frequencies -> Z +- u and a verdict: what says whether the cell that a fit ends with is solved correctly.

Checks are found through the entry-point group `fem_constriction.checks`, as backends are: the cross-check of two backends is
installed with the project, and this room needs no knowledge of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final

from fem_constriction import distribution
from fem_constriction.api import spectrum_of
from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.choice import brings_grid
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import solve_family
from fem_constriction.spectra.spectrum import Spectrum

GROUP: Final = "fem_constriction.checks"
UNCHECKED: Final = "not cross-checked"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found of one cell.

    Parameters
    ----------
    spectrum
        Z in ohm with its uncertainty, at the frequencies that were asked for.
    verdict
        "agree", "disagree" or "unresolved" of two backends, or UNCHECKED.
    summary
        The same in a sentence.
    geometric
        The geometric R_Cstr and its uncertainty in ohm; None where it is not known.
    """

    spectrum: Spectrum
    verdict: str
    summary: str
    geometric: tuple[float, float] | None = None


#: Called with a cell and frequencies in Hz, (f,).
Check = Callable[[Cell, Array], Checked]


def installed() -> Check | None:
    """Return the check that is installed, None where there is none."""
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return distribution.load(points[0]) if points else None


def of_one(backend: Backend) -> Check:
    """Return what stands for a check where two backends are not wanted: the limit of one backend's grids."""

    def limit(cell: Cell, frequency: Array) -> Checked:
        problem = Problem.of(cell).over(frequency)
        if brings_grid(problem, backend):
            model = solve_grid(problem, backend, backend.grid(problem, 0), problem.band).model
            found = Spectrum(frequency, model.impedance(2j * 3.141592653589793 * frequency))
        else:
            found = spectrum_of(solve_family(problem, backend, problem.band), frequency)
        return Checked(spectrum=found, verdict=UNCHECKED, summary=f"{UNCHECKED}: {backend.name} alone")

    return limit
