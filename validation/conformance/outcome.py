"""measured <= allowed: one check of a backend, what came out of it, and how the largest of many differences is told.

A check asserts one statement about physics. What it allows follows from theory or from the uncertainty that the backend itself
states; the reason is told with the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.reduction.projection import TARGET
from validation.conformance.subject import Subject

Status = Literal["passed", "failed", "declared", "does not apply"]

#: What rounding and the projection may leave of Z between two computations of one number, relative to |Z|.
SAME = TARGET


@dataclass(frozen=True)
class Measurement:
    """What a check measured and what it allows, as text of the same unit; detail: where, or what is wrong, in words."""

    measured: str
    allowed: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True)
class Check:
    """One statement about a backend.

    Parameters
    ----------
    name
        What it is called in tables, tests and declarations.
    statement
        What is asserted, as an equation.
    reason
        Where what is allowed comes from.
    run
        Measures it.
    cells
        Names of the cells it takes.
    needs
        What only some backends have: "matrices" (those of grids and matrices), "bound" (those that bound from one side).
    quick
        Part of the quick suite.
    """

    name: str
    statement: str
    reason: str
    run: Callable[[Subject], Measurement]
    cells: tuple[str, ...] = ()
    needs: Literal["matrices", "bound", ""] = ""
    quick: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came out of a check.

    Parameters
    ----------
    check
        Which.
    status
        Passed, failed, declared, or that it does not apply.
    measured, allowed
        In words.
    detail
        Why it is so.
    note
        What else to know.
    seconds
        What it took.
    """

    check: Check
    status: Status
    measured: str = ""
    allowed: str = ""
    detail: str = ""
    note: str = ""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "name": self.check.name,
            "statement": self.check.statement,
            "status": self.status,
            "measured": self.measured,
            "allowed": self.allowed,
            "reason": self.check.reason,
            "detail": self.detail,
            "note": self.note,
            "cells": list(self.check.cells),
            "seconds": self.seconds,
        }


def worst(gap: ArrayLike, allowed: ArrayLike, size: ArrayLike, where: Sequence[str], unit: str = "|Z|") -> Measurement:
    """Return the difference that is largest beside what is allowed, both relative to `size`; all of shape (n,), as `where`."""
    found, limit, scale = (np.atleast_1d(np.asarray(each, dtype=float)) for each in (gap, allowed, size))
    limit, scale = np.broadcast_to(limit, found.shape), np.broadcast_to(np.abs(scale), found.shape)
    ratio = np.where(np.isfinite(found), found / np.maximum(limit, 1e-300), np.inf)
    at = int(np.argmax(ratio))
    return Measurement(
        measured=f"{found[at] / scale[at]:.1e} {unit}",
        allowed=f"{limit[at] / scale[at]:.1e} {unit}",
        passed=bool(np.all(found <= limit)),
        detail=where[at],
    )


def together(parts: Sequence[Measurement]) -> Measurement:
    """Return the first of several that did not pass, or the first: what is told of a check with several parts."""
    return next((part for part in parts if not part.passed), parts[0])


def hertz(frequency: ArrayLike) -> list[str]:
    """Return frequencies as text, one for each."""
    return [f"at {value:.3g} Hz" for value in np.atleast_1d(np.asarray(frequency, dtype=float))]
