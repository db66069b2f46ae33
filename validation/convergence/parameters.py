"""Z_h(f) -> R, C and tau of the constriction: the circuit fitted to every grid's spectrum by itself, and to the limit.

On a grid, the discretisation contribution carries |Z_h - Z| + u(Z) through the fit, Z the best spectrum known; on the limit its
own uncertainty. Beside it stands the statistical one, lmfit's standard error (`extraction`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.fitting.extraction import extract
from fem_constriction.fitting.values import Constriction, Value
from fem_constriction.solving.refinement import Limit
from validation.convergence.families import Solved

#: Quantity -> attribute of the constriction, and unit.
FITTED: Final[Mapping[str, tuple[str, str]]] = {"R_Cstr": ("R", "ohm"), "C_Cstr": ("C", "F"), "tau": ("tau", "s")}
PARTS: Final = ("discretisation", "model", "nominal")


def fitted(
    solved: Solved, naming: Solved, points: Array, limit: Limit, reference: tuple[NDArray[np.complex128], Array]
) -> tuple[dict[str, list[Value]], str]:
    """Return {quantity: its value on every grid and, last, on the limit}, or {} and why there is no such arc.

    naming: the family whose relaxations say which arc is which; reference: the best spectrum known and its uncertainty, ohm.
    """
    family = solved.family
    best, doubt = reference
    spectra = [(z, np.abs(z - best) + doubt) for z in family.spectra(points)]
    spectra.append((limit.value, limit.uncertainty))
    found: dict[str, list[Value]] = {quantity: [] for quantity in FITTED}
    for level, (z, u) in enumerate(spectra):
        where = f"{solved.name}, " + (f"level {level}" if level < len(spectra) - 1 else "limit")
        fit = partial(extract, points, z, cell=family.cell, model=naming.family.relaxing)
        try:
            constriction = fit(uncertainty=u).constriction
            if not _is_there(constriction):
                # A grid this coarse cannot tell the arc from its error; the circuit of the finer ones still has a value on it.
                constriction = _unbounded(fit(uncertainty=doubt).constriction)
        except ComputationError as error:
            return {}, f"{where}: no fit of the circuit: {error}"
        if constriction is None or not _is_there(constriction):
            reason = "" if constriction is None else f" ({constriction.R.reason})"
            return {}, f"{where}: the fitted circuit has no arc of the constriction{reason}"
        for quantity, (letter, _) in FITTED.items():
            found[quantity].append(getattr(constriction, letter))
    return found, ""


def _is_there(found: Constriction | None) -> bool:
    return found is not None and bool(found.R.value) and found.tau.value is not None


def _unbounded(found: Constriction | None) -> Constriction | None:
    """The same without a discretisation contribution: it is beyond the first order in which it is carried through."""
    if found is None:
        return None
    parts = (replace(each, discretisation=None) for each in (found.R, found.C, found.tau))
    return Constriction(**dict(zip(("R", "C", "tau"), parts, strict=True)), R_geometric=found.R_geometric)


def numbers(values: Sequence[Value]) -> Array:
    """Return the values as numbers."""
    return np.array([np.nan if each.value is None else each.value for each in values])


def contributions(values: Sequence[Value]) -> dict[str, Array]:
    """Return every contribution to the uncertainty, on every grid and on the limit."""
    return {part: np.array([_number(getattr(each, part)) for each in values]) for part in PARTS}


def _number(value: float | None) -> float:
    return np.nan if value is None else value
