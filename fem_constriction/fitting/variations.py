"""|p'/p - 1| over other weightings and windows: what is uncertain about a value because the circuit does not fit exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.fitting.circuit_fit import WEIGHTINGS, Weighting
from fem_constriction.fitting.naming import Data

#: Decades cut off at the low and the high end for the model contribution.
WINDOWS: Final = ((0, 0), (1, 0), (2, 0), (0, 1), (0, 2))


@dataclass(frozen=True, eq=False, kw_only=True)
class Variation:
    """One window and weighting: inside: frequencies that stay, (f,); low, high: Hz; within: arcs whose frequency it holds."""

    inside: NDArray[np.bool_]
    weighting: Weighting
    low: float
    high: float
    within: NDArray[np.bool_]

    def holds(self, tau: Array) -> bool:
        """Whether every arc that was in the whole band (tau in s, ascending) has its frequency in the window."""
        centre = 1 / (2 * np.pi * tau[self.within])
        return bool(np.all((centre >= self.low) & (centre <= self.high)))


def variations(data: Data, tau: Array, least: int, main: Weighting) -> Iterator[Variation]:
    """Yield windows and weightings other than the main fit's that hold every arc (tau in s) and at least so many points."""
    low, high = data.frequency.min(), data.frequency.max()
    centre = 1 / (2 * np.pi * tau)
    within = np.asarray((centre >= low) & (centre <= high))
    for below, above in WINDOWS:
        first, last = low * 10.0**below * (1 - 1e-9), high / 10.0**above * (1 + 1e-9)
        inside = (data.frequency >= first) & (data.frequency <= last)
        for weighting in WEIGHTINGS:
            each = Variation(inside=inside, weighting=weighting, low=first, high=last, within=within)
            whole = not (below or above)
            if not (whole and weighting == main) and (whole or (each.holds(tau) and inside.sum() >= least)):
                yield each


def deviation(
    tried: Iterator[Variation], reference: Array, again: Callable[[Variation], tuple[Array, Array]]
) -> tuple[Array | None, int, int]:
    """Return the largest |p'/p - 1| over variations, of the shape of reference, their number, and how many were left out.

    reference: log p; again: fits once more, log p' and tau of the arcs (s, ascending). A fit that fails, in which an arc leaves
    the window, or in which a value moves by more than a decade, has lost an arc and is left out.
    """
    largest: Array | None = None
    count = lost = 0
    for each in tried:
        count += 1
        try:
            moved, tau = again(each)
        except ComputationError:
            lost += 1
            continue
        moved = moved - reference
        if np.abs(moved).max() > np.log(10) or not each.holds(tau):
            lost += 1
            continue
        change = np.abs(np.expm1(moved))
        largest = change if largest is None else np.maximum(largest, change)
    return largest, count, lost
