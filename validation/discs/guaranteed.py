"""radius(omega) <= accuracy |Z(i omega)| at every frequency: the plane refined until it is so.

Both sides are exact along z (`validation.discs.face`), and their errors on the plane fall with the fourth power of its steps:
each level, with half the steps, leaves a sixteenth of the radius. Only the size of the discs ends it; that is guaranteed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

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
from fem_constriction.stack.layered import Layered
from validation.discs.certificate import Discs
from validation.discs.face import Certifying, certifying, paired

Progress = Callable[[str, int], None]


@dataclass(frozen=True, eq=False)
class Guaranteed:
    """Discs as small as asked, and how they came to be.

    Parameters
    ----------
    cell
        What they are of.
    discs
        The discs of the finest plane.
    steps
        A record per plane: unknowns of both sides on it, seconds spent so far, largest radius over |Z|.
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
        One of them offers potentials and currents of one plane.
    progress
        Called after each plane, with the backend's name and the level.

    Returns
    -------
    Guaranteed
        The discs, and a record of each plane that was tried.

    Raises
    ------
    InputError
        For other backends or accuracies.
    ComputationError
        With what was reached, where memory, rounding or the finest plane end it.
    """
    accuracy = relative_to_z("accuracy", accuracy)
    points = frequencies_taken(frequencies)
    problem = Problem.of(cell).over(points)
    chosen = [backend_named(backend) for backend in backends]
    require("spectrum --guaranteed", problem, chosen)
    problem.check_solvable()
    backend = certifying(problem, chosen)
    assert backend is not None  # as required
    steps: list[dict[str, Any]] = []
    start, reached = time.perf_counter(), ""
    for level in range(FINEST + 1):
        try:
            discs, record = _on_plane(problem, backend, level, points)
        except (InputError, ComputationError) as error:
            raise ComputationError(f"{reached}{error}") from None
        relative = _relative(discs, problem)
        steps.append({"radius": relative, "seconds": time.perf_counter() - start, **record})
        if progress is not None:
            progress(backend.name, level)
        if relative <= accuracy:
            return Guaranteed(problem.cell, discs, tuple(steps))
        worst = points[np.argmax(discs.radius / np.abs(discs.centre))]
        reached = f"the guaranteed radius is {relative:.1e} of |Z| at {worst:.3g} Hz, asked {accuracy:.0e}; "
    raise ComputationError(f"{reached}level {FINEST} is the finest plane that is tried")


def _on_plane(problem: Problem, backend: Certifying, level: int, points: Any) -> tuple[Discs, dict[str, Any]]:
    with threadpool_limits(limits=1, user_api="blas"):
        sides = backend.sides(problem, level)
        record = {"potentials": _size(sides.potentials), "currents": _size(sides.currents)}
        return paired(problem, sides, (backend.name, backend.name)).discs(points), record


def _size(side: Layered) -> dict[str, Any]:
    return {"unknowns": side.description["unknowns"], "cells": side.description["cells"]}


def _relative(discs: Discs, problem: Problem) -> float:
    """The largest radius over |Z|, direct current included."""
    largest = float(np.max(discs.radius / np.abs(discs.centre)))
    if problem.direct_current and discs.resistance is not None:
        low, high = discs.resistance
        largest = max(largest, (high - low) / (high + low))
    return largest
