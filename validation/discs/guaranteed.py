"""radius(omega) <= accuracy |Z(i omega)| at every frequency: the grids of both sides refined until it is so.

On a face both sides are exact along z (`validation.discs.face`), and their errors fall with the fourth power of the plane's
steps: each level, with half the steps, leaves a sixteenth of the radius. On the voxels of an image, cut in two, it leaves a
third to a half. Only the size of the discs ends it; that is guaranteed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.cell.units import relative_to_z
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.solving.backends import Backend, backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.choice import FINEST
from fem_constriction.spectra.frequencies import frequencies_taken
from fem_constriction.spectra.spectrum import Spectrum
from validation.discs.certificate import Discs
from validation.discs.face import pairing_of

Progress = Callable[[str, int], None]


@dataclass(frozen=True, eq=False)
class Guaranteed:
    """Discs as small as asked, and how they came to be.

    Parameters
    ----------
    cell
        What they are of.
    discs
        The discs of the finest grid.
    steps
        A record per grid: unknowns of both sides on it, seconds spent so far, largest radius over |Z|.
    """

    cell: Cell
    discs: Discs
    steps: tuple[dict[str, Any], ...]

    def spectrum(self) -> Spectrum:
        """Return centres and radii as a spectrum, whose uncertainty is a guarantee."""
        made = {**provenance(self.cell), "guaranteed": True, "backends": list(self.discs.names), "grids": list(self.steps)}
        return Spectrum(self.discs.frequency, self.discs.centre, self.discs.radius, made)


def guarantee(
    cell: Described,
    frequencies: Any,
    accuracy: float,
    *,
    backends: Sequence[str | Backend] = ("network", "fem"),
    progress: Progress | None = None,
) -> Guaranteed:
    """Return discs with radius <= accuracy |Z| at frequencies in Hz, and at direct current where it flows.

    Parameters
    ----------
    cell
        A Cell, what stands for one, or a Problem.
    frequencies
        Hz.
    accuracy
        Relative to |Z|.
    backends
        One of them offers potentials and currents of one plane, or of an image one its potentials and one its currents.
    progress
        Called after each grid, with the backend's name and the level.

    Returns
    -------
    Guaranteed
        The discs, and a record of each grid that was tried.

    Raises
    ------
    InputError
        For other backends or accuracies.
    ComputationError
        With what was reached, where memory, rounding or the finest grid end it.
    """
    accuracy = relative_to_z("accuracy", accuracy)
    points = frequencies_taken(frequencies)
    problem = Problem.of(cell).over(points)
    chosen = [backend_named(backend) for backend in backends]
    require("spectrum --guaranteed", problem, chosen)
    problem.check_solvable()
    steps: list[dict[str, Any]] = []
    start, reached = time.perf_counter(), ""
    for level in range(FINEST + 1):
        try:
            made = pairing_of(problem, chosen, level)
            assert made is not None, "as required"
            discs = made.discs(points)
        except (InputError, ComputationError) as error:
            raise ComputationError(f"{reached}{error}") from None
        relative = _relative(discs, problem)
        steps.append({"radius": relative, "seconds": time.perf_counter() - start, **made.grids})
        if progress is not None:
            progress(made.names[0], level)
        if relative <= accuracy:
            return Guaranteed(problem.cell, discs, tuple(steps))
        worst = points[np.argmax(discs.radius / np.abs(discs.centre))]
        reached = f"the guaranteed radius is {relative:.1e} of |Z| at {worst:.3g} Hz, asked {accuracy:.0e}; "
    raise ComputationError(f"{reached}level {FINEST} is the finest that is tried")


def _relative(discs: Discs, problem: Problem) -> float:
    """The largest radius over |Z|, direct current included."""
    largest = float(np.max(discs.radius / np.abs(discs.centre)))
    if problem.direct_current and discs.resistance is not None:
        low, high = discs.resistance
        largest = max(largest, (high - low) / (high + low))
    return largest
