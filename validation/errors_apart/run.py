"""Z_N - Z = (Z_N - Z[shares]) + (Z[shares] - Z[S_N]) + (Z[S_N] - Z): grid, interface and staircase.

Z: the true outline; S_N: the staircase of the voxels that are half or more metal, an outline of its own; [shares]: the face of
the N-grid held as it is, its cut voxels with contact and pores side by side by their areas. In brackets are continuum values,
limits of grids refined inside the voxels. Z[S_N] is the better known of the backends' limits, and they must agree on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell, CellLike
from fem_constriction.errors import Absent, InputError
from fem_constriction.problem.problem import Problem, check_solvable
from fem_constriction.processes.of_cell import direct_current
from fem_constriction.solving.backends import Backend, backend_named
from fem_constriction.solving.capabilities import require
from fem_constriction.spectra.frequencies import frequencies_taken
from validation.errors_apart.limits import FINEST, Value, body_fitted, enclosure, few_edges, on_grid, share_effect, sharp_limit
from validation.errors_apart.neglected import neglected
from validation.errors_apart.outcome import ErrorsApart, Split
from validation.errors_apart.voxels import staircase

BACKENDS = ("network", "fem")
RESOLUTIONS = (20, 40, 80, 160)

#: Backend whose family follows every outline.
FITTED = "fem"


def tell_apart(
    cell: CellLike,
    resolutions: Sequence[int] = RESOLUTIONS,
    frequencies: Any = (),
    *,
    backends: Sequence[str | Backend] = BACKENDS,
    finest: int = FINEST,
    progress: Callable[[int], None] | None = None,
) -> ErrorsApart:
    """Return the errors of voxelised grids of a cell, told apart, at direct current (where it flows) and at frequencies.

    Parameters
    ----------
    cell
        A Cell, the path of a cell file, or a dictionary with its keys.
    resolutions
        Voxels per edge, ascending.
    frequencies
        Hz.
    backends
        Names of installed ones, or backends themselves.
    finest
        Cells per edge that voxelised faces are refined to (`limits`).
    progress
        Called with how many resolutions are done.

    Returns
    -------
    ErrorsApart
        Splits by backend and resolution.

    Raises
    ------
    InputError
        For a contact without an edge, or resolutions that are not ascending.
    ComputationError
        Where a solver fails.
    """
    cell = Cell.of(cell)
    points = _points(cell, frequencies)
    if not resolutions or any(b <= a for a, b in pairwise(resolutions)):
        raise InputError(key="resolutions", value=list(resolutions), allowed="whole numbers of voxels per edge, ascending")
    chosen = [backend_named(name) for name in backends]
    require("errors", cell, [*chosen, backend_named(FITTED)])
    with threadpool_limits(limits=1, user_api="blas"):
        reference = body_fitted(cell, backend_named(FITTED), points)
        splits: list[Split] = []
        for number, n in enumerate(resolutions):
            splits += split_at(cell, chosen, int(n), points, reference, finest)
            if progress is not None:
                progress(number + 1)
        flowing = points[0] == 0
        return ErrorsApart(
            cell=cell,
            frequency=points,
            reference=reference.z,
            reference_uncertainty=reference.u,
            enclosure=enclosure(cell),
            splits=splits,
            disagreements=tuple(disagreements(splits, points)),
            neglected=neglected(cell, float(reference.z[0].real) if flowing else None),
        )


def disagreements(splits: Sequence[Split], points: Array) -> list[str]:
    """Return a line for each staircase and point where two backends' own limits differ by more than their uncertainties."""
    lines = []
    for first in splits:
        for other in splits[splits.index(first) + 1 :]:
            if other.resolution != first.resolution:
                continue
            gap, allowed = np.abs(first.limit - other.limit), first.limit_uncertainty + other.limit_uncertainty
            lines += [
                f"N = {first.resolution}, {points[k]:.4g} Hz: the limits of {first.backend} and {other.backend} for one "
                f"staircase differ by {gap[k]:.3g} ohm, their uncertainties allow {allowed[k]:.2g} ohm"
                for k in np.flatnonzero(gap > allowed)
            ]
    return lines


def split_at(cell: Cell, backends: Sequence[Backend], n: int, points: Array, reference: Value, finest: int) -> list[Split]:
    """Z_N less the reference at n voxels per edge, split in three, per backend; raises as `tell_apart`."""
    grids = [backend.uniform(Problem.of(cell), n) for backend in backends]
    steps = staircase(cell, n, grids[0])
    limits = [sharp_limit(steps, backend, grid, points, finest) for backend, grid in zip(backends, grids, strict=True)]
    # Where both have graded grids, the one whose family the reference is: an outline that is no staircase has no such error.
    graded = [limit for limit, backend in zip(limits, backends, strict=True) if few_edges(grids[0]) and backend.name == FITTED]
    outline = min(graded or limits, key=lambda limit: limit.worst)
    splits = []
    for backend, grid, limit in zip(backends, grids, limits, strict=True):
        z = on_grid(cell, backend, grid, points)
        shares = share_effect(cell, steps, backend, grid, points, finest)
        parts = {"grid": z - (outline.z + shares.z), "interface": shares.z, "staircase": outline.z - reference.z}
        spread = {
            "grid": outline.u + shares.u,
            "interface": shares.u,
            "staircase": outline.u + reference.u,
            "outline": outline.u + shares.u + reference.u,
            "total": reference.u,
        }
        area = steps.contact_area / cell.contact_area - 1
        splits.append(Split(backend.name, n, z, parts, spread, limit.z, limit.u, area))
    return splits


def _points(cell: Cell, frequencies: ArrayLike) -> Array:
    check_solvable(cell)
    if cell.contact_fraction in (0, 1):
        raise InputError(f"the contact fraction {cell.contact_fraction:g} has no edge: there is no outline to voxelise")
    none = isinstance(frequencies, (tuple, list)) and not frequencies  # direct current alone
    asked = np.zeros(0) if none else frequencies_taken(frequencies)
    found = np.append(0.0, asked) if direct_current(cell) else asked
    if not found.size:
        raise InputError(key="frequencies", value=Absent.MISSING, why="no direct current flows in this cell")
    return found
