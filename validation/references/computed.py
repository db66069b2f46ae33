"""Z_ref = sum w_k Z_k / sum w_k, w_k = u_k^-2; u_ref = max_k (|Z_ref - Z_k| + u_k): one spectrum from two that agree.

Z_k, u_k: the limit of backend k on its family of grids, and its uncertainty (|Z_k - Z| <= u_k with 95 % confidence). The disc
of radius u_ref around Z_ref is the smallest around it that contains both backends' discs: it holds Z if either of theirs does,
and says nothing better than the worse of the two. Only spectra with the verdict 'agree' at every frequency become references.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.api import spectrum_of
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ComputationError
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.choice import Accuracy
from fem_constriction.solving.refinement import Family, solve_to
from fem_constriction.spectra.frequencies import frequencies_taken
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.agreement import Agreement, compare, enclose
from validation.gate.run import BACKENDS, FREQUENCIES

#: Uncertainty of each backend, relative to |Z|, that its grids are refined to.
ACCURACY: Final = 5e-6


@dataclass(frozen=True, eq=False)
class Recomputed:
    """A cell's reference: its spectrum with uncertainty, and what it rests on.

    Parameters
    ----------
    cell
        What was solved.
    spectrum
        Z in ohm with its uncertainty.
    direct
        (R_DC, its uncertainty) in ohm; None where no direct current flows.
    agreement
        Of both backends.
    grids
        Backend -> how many grids of its family were solved.
    """

    cell: Cell
    spectrum: Spectrum
    direct: tuple[float, float] | None
    agreement: Agreement
    grids: Mapping[str, int]


def recompute(
    cell: Cell,
    frequency: ArrayLike = FREQUENCIES,
    *,
    accuracy: float = ACCURACY,
    progress: Callable[[str, int], None] | None = None,
) -> Recomputed:
    """Return the reference of a cell from both backends, each refined to the accuracy.

    Parameters
    ----------
    cell
        What to solve.
    frequency
        Hz, shape (n,).
    accuracy
        Relative to |Z|, between 0 and 1.
    progress
        Called with a backend's name and the level after each grid.

    Returns
    -------
    Recomputed
        Spectrum, direct current, agreement.

    Raises
    ------
    InputError
        For what is wrong in the arguments.
    ComputationError
        With the reason, where an accuracy cannot be reached or the two do not agree: there is no reference then.
    """
    points = frequencies_taken(frequency)
    families = {name: solve_to(cell, backend_named(name), points, Accuracy(accuracy), progress) for name in BACKENDS}
    limits = {name: spectrum_of(family, points) for name, family in families.items()}
    enclosures = [
        enclose(lower, upper)
        for lower, upper in product(families.values(), repeat=2)
        if (lower.backend.bound, upper.backend.bound) == ("lower", "upper")
    ]
    agreement = compare(limits, 2 * accuracy, enclosures=enclosures)
    if agreement.verdict != "agree":
        raise ComputationError(f"{cell.title or 'cell'}: no reference, as {agreement.summary()}")
    z, u = combined({name: (limit.impedance, limit.uncertainty) for name, limit in limits.items()})
    grids = {name: len(family.solutions) for name, family in families.items()}
    return Recomputed(cell, Spectrum(points, z, u), _direct(families), agreement, grids)


def combined(limits: Mapping[str, tuple[Any, Any]]) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return (Z_ref, u_ref) of the module's head; limits: backend -> (Z, u), (n,) each, in one unit."""
    z = np.stack([np.atleast_1d(np.asarray(value, dtype=np.complex128)) for value, _ in limits.values()])
    u = np.stack([np.maximum(np.atleast_1d(np.asarray(width, dtype=float)), 1e-300) for _, width in limits.values()])
    weights = (u.min(0) / u) ** 2
    mean = np.sum(weights * z, 0) / np.sum(weights, 0)
    return mean, np.max(np.abs(mean - z) + u, axis=0)


def _direct(families: Mapping[str, Family]) -> tuple[float, float] | None:
    found = {name: family.resistance() for name, family in families.items()}
    if not all(np.isfinite(value) for value, _ in found.values()):
        return None
    (first, u_first), (second, u_second) = found.values()
    if abs(first - second) > u_first + u_second:
        raise ComputationError(f"no reference: at direct current {first:.9g} and {second:.9g} ohm differ by more than they may")
    z, u = combined(found)
    return float(z[0].real), float(u[0])
