"""e_l = |v_l - v|/|v|: one quantity on one family of grids, its errors, orders and limit, and whether they are theory's.

v is the best value known: the limit of the family, of any backend, whose uncertainty is the smallest. Orders are log2 of the
ratio of consecutive errors where both are at least ten times that uncertainty (the reference then moves them by 0.3 at the
most), else of consecutive differences where these exceed what solving leaves.

The check: where orders have settled, the last must reach three quarters of the least that theory allows at these steps; those
of a scheme that is one order worse than claimed, or of grids that settle on another limit, do not. Settled: the last exceeds
the one before by no more than 0.15 of the expected one (it is not rising any more), and the error of a real quantity has kept
its sign over the last three grids (where it passes through zero, orders mean nothing).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array
from fem_constriction.solving.refinement import Limit
from validation.convergence.families import Costs, Solved
from validation.convergence.index import GridConvergence, grid_convergence
from validation.convergence.power import FEWEST, PowerLaw, fit_power
from validation.convergence.theory import Expected

#: Errors this many times the reference's uncertainty tell an order to 0.3: log2(1.1/0.9).
CLEAR: Final = 10.0
#: Rise of the last order, and its least value, as parts of what is expected.
SETTLED: Final = 0.15
ENOUGH: Final = 0.75
#: Relative differences on which an exact family may still differ: solver and projection are asked for 1e-8.
EXACT: Final = 1e-7


@dataclass(frozen=True, eq=False)
class Series:
    """A quantity on a family: values on its grids, their errors relative to the best known value, orders, limit and verdict.

    value: in `unit`, (grids,), complex for Z at one frequency, None for the largest error over frequency; error: relative,
    (grids,); reference, floor: the best value and its relative uncertainty; order: observed between a grid and the one before
    (nan: not determined), (grids,); limit, uncertainty: of this family alone, in `unit` (of Z, the largest over frequency:
    relative); index: of every point, None if nothing changes any more; indices: of every grid, the largest over points,
    (grids,); law: None below four clear errors, law_note says why; failure: one sentence, None if the check passed or could
    not be made; parts: of a fitted parameter, name -> contribution on every grid and, last, on the limit, in `unit`.
    """

    solved: Solved | Costs
    quantity: str
    unit: str
    frequency: float | None
    value: NDArray[Any] | None
    error: Array
    reference: complex | None
    floor: float
    order: Array
    expected: Expected
    limit: complex | None
    uncertainty: float
    index: GridConvergence | None
    indices: Array
    law: PowerLaw | None
    law_note: str
    failure: str | None
    parts: dict[str, Array]

    @property
    def below(self) -> NDArray[np.bool_]:
        """Whether the error is below the reference's uncertainty, on every grid."""
        return np.asarray(self.error < self.floor)

    @property
    def observed(self) -> float:
        """The last order that is determined, nan if none is."""
        known = self.order[np.isfinite(self.order)]
        return float(known[-1]) if known.size else float("nan")

    @property
    def gci(self) -> float:
        """The grid convergence index of the finest grid, relative."""
        return float(self.indices[-1])

    @property
    def asymptotic(self) -> bool:
        """Whether that index is within the asymptotic range: the observed order within half to one and a half of theory's."""
        return self.index is None or bool(self.index.asymptotic[int(np.argmax(self.index.fine))])

    @property
    def gci_ratio(self) -> float:
        """GCI_2/(2^p GCI_1) with theory's order, at the point whose index is the largest."""
        return float("nan") if self.index is None else float(self.index.ratio_of_theory[int(np.argmax(self.index.fine))])

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it; complex numbers as [real, imaginary]."""
        solved = self.solved
        return {
            "backend": solved.backend,
            "grids": solved.grids,
            "quantity": self.quantity,
            "unit": self.unit,
            "frequency_Hz": self.frequency,
            "level": list(range(self.error.size)),
            "cells": [list(cells) for cells in solved.cells],
            "h": solved.step,
            "unknowns": list(solved.unknowns),
            "seconds": list(solved.seconds),
            "memory_MB": [each / 1e6 for each in solved.memory],
            "value": self.value,
            "error": self.error,
            "below_reference_uncertainty": self.below,
            "observed_order": self.order,
            "expected_order": self.expected.order,
            "least_order": self.expected.least,
            "case": self.expected.case,
            "reason": self.expected.reason,
            "reference": self.reference,
            "reference_uncertainty_relative": self.floor,
            "limit": self.limit,
            "limit_uncertainty": self.uncertainty,
            "gci": self.indices,
            "gci_asymptotic": self.asymptotic,
            "gci_ratio": self.gci_ratio,
            "power_law": None if self.law is None else vars(self.law),
            "power_law_note": self.law_note,
            "contributions": self.parts,
            "failure": self.failure,
        }


def make_series(
    solved: Solved,
    quantity: str,
    unit: str,
    values: ArrayLike,
    reference: tuple[ArrayLike, ArrayLike],
    limit: Limit,
    expected: Expected,
    *,
    frequency: float | None = None,
    noise: float,
    judged: bool = True,
    parts: dict[str, Array] | None = None,
) -> Series:
    """Return the series of values, shape (grids, points): one point, or the largest relative error over all of them.

    reference: value and uncertainty, (points,); limit: of the family, (points,); noise: relative differences that solving and
    fitting leave; judged: whether an order that falls short is a failure.
    """
    v = np.atleast_2d(np.asarray(values))
    best, doubt = (np.atleast_1d(np.asarray(each)) for each in reference)
    size = np.abs(best)
    each = np.abs(v - best) / size
    error, floor = each.max(1), float(np.max(doubt / size))
    steps = (np.abs(np.diff(v, axis=0)) / size).max(1)
    order = _orders(error, steps, floor, noise)
    one = v.shape[1] == 1
    power = expected.order or solved.family.order
    index = grid_convergence(v, power) if steps[-1] > noise else None
    law, note = _law(solved.step, error, floor)
    signs = np.sign(np.real(v[-3:, 0] - best[0]))
    steady = not one or np.iscomplexobj(v) or bool(np.all(signs == signs[0]))
    return Series(
        solved=solved,
        quantity=quantity,
        unit=unit,
        frequency=frequency,
        value=v[:, 0] if one else None,
        error=error,
        reference=_number(best[0]) if one else None,
        floor=floor,
        order=order,
        expected=expected,
        limit=_number(limit.value[0]) if one else None,
        uncertainty=float(limit.uncertainty[0]) if one else float(np.max(limit.uncertainty / size)),
        index=index,
        indices=_indices(v, power, steps > noise),
        law=law,
        law_note=note,
        failure=_failure(solved.name, quantity, expected, order, steps, steady) if judged else None,
        parts=parts or {},
    )


def _orders(error: Array, steps: Array, floor: float, noise: float) -> Array:
    found = np.full(error.size, np.nan)
    clear = CLEAR * max(floor, noise)
    for level in range(1, error.size):
        if min(error[level - 1], error[level]) >= clear:
            found[level] = np.log2(error[level - 1] / error[level])
        elif level > 1 and min(steps[level - 2], steps[level - 1]) >= CLEAR * noise:
            found[level] = np.log2(steps[level - 2] / steps[level - 1])
    return found


def _indices(values: NDArray[Any], order: float, changing: NDArray[np.bool_]) -> Array:
    """The index of every grid from it and the coarser ones, the largest over points; nan where nothing changes."""
    found = [np.nan]
    for level, moved in enumerate(changing, start=1):
        found.append(float(np.max(grid_convergence(values[: level + 1], order).fine)) if moved else np.nan)
    return np.array(found)


def _failure(name: str, quantity: str, expected: Expected, order: Array, steps: Array, steady: bool) -> str | None:
    """What is wrong with the orders of a family, in one sentence; steady: whether the error has kept its sign."""
    if expected.order is None:
        if steps[-1] > EXACT:
            return (
                f"{name}: {quantity} still changes by {steps[-1]:.1e} between the finest grids, expected is no change "
                f"({expected.reason})"
            )
        return None
    known = order[np.isfinite(order)]
    settled = steady and known.size >= 2 and known[-1] - known[-2] <= SETTLED * expected.order
    if not settled or expected.least == 0 or known[-1] >= ENOUGH * expected.least:
        return None
    least = "" if expected.least == expected.order else f", at least {expected.least:.2g} at these steps"
    return (
        f"{name}: the observed order of {quantity} is {known[-1]:.2f}, expected {expected.order:g}{least} ({expected.reason})"
    )


def _law(step: Array, error: Array, floor: float) -> tuple[PowerLaw | None, str]:
    clear = error > floor
    if not np.all(error > 0):
        clear &= error > 0
    if clear.sum() < FEWEST:
        return None, f"not fitted: {int(clear.sum())} errors exceed the reference's uncertainty, {FEWEST} are needed"
    law = fit_power(step[clear], error[clear])
    return law, law.note


def _number(value: Any) -> complex | float:
    return complex(value) if np.iscomplexobj(value) and np.imag(value) else float(np.real(value))
