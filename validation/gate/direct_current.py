"""R_DC at s = 0: what limits say of it, and the intervals that guarantee it.

Two kinds of evidence guarantee an interval, and neither is made of the other. Discs: potentials and currents are read off on
the planes of one triangulation or one set of lines, and what solved for them decides nothing but how wide the interval is.
Families: Z of a lower- and of an upper-bound backend on their finest grids, which bound R_DC if the route that both are solved
by is right (`shared_route` looks at it).

A limit is held against each interval by itself: outside by more than its own uncertainty it is at fault, or the interval is.
So what certifies never leans on what it certifies. Only intervals that meet are intersected, for what is stated of R_DC: both
hold it. Where they do not meet one is wrong, which is a fault, and what is stated is the discs'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import numpy as np

from fem_constriction.reduction.projection import TARGET
from fem_constriction.solving.refinement import Family
from validation.discs.certificate import Discs
from validation.gate.spectra_alone import Told

Interval = tuple[float, float]

DISCS: Final = "the discs"

#: Rounding of a bound, relative, beside what its model says of it: what the models are made for.
ROUNDING: Final = TARGET


@dataclass(frozen=True, eq=False)
class DirectCurrent:
    """R_DC by limits and by guarantees.

    Parameters
    ----------
    limits
        Backend -> (R_DC, its uncertainty), ohm.
    guaranteed
        What guarantees it -> (lower, upper), ohm; the discs first.
    """

    limits: Mapping[str, tuple[float, float]]
    guaranteed: Mapping[str, Interval] = field(default_factory=dict)

    @classmethod
    def of(
        cls, families: Mapping[str, Family], told: Mapping[str, Told], bounding: Sequence[Family], discs: Discs | None
    ) -> DirectCurrent:
        """Return the evidence of families, of backends that give spectra alone, of families that bound, and of discs."""
        limits = {name: family.resistance() for name, family in families.items()}
        limits |= {name: each.resistance for name, each in told.items()}
        guaranteed: dict[str, Interval] = {}
        if discs is not None and discs.resistance is not None:
            guaranteed[DISCS] = discs.resistance
        return cls(limits, guaranteed | _of_families([*families.values(), *bounding]))

    @property
    def interval(self) -> Interval | None:
        """What all guarantees together leave, ohm; where they exclude each other the first one; None without any."""
        if not self.guaranteed:
            return None
        low, high = (max(low for low, _ in self.guaranteed.values()), min(high for _, high in self.guaranteed.values()))
        return (low, high) if low <= high else next(iter(self.guaranteed.values()))

    @property
    def faults(self) -> tuple[str, ...]:
        """What proves that something is wrong, in sentences with numbers."""
        found = [
            f"R_DC of {name}, {value:.9g} +- {uncertainty:.2g} ohm, lies outside the interval that {what} guarantee, "
            f"{low:.9g} to {high:.9g} ohm"
            for name, (value, uncertainty) in self.limits.items()
            for what, (low, high) in self.guaranteed.items()
            if not low - uncertainty <= value <= high + uncertainty
        ]
        for (one, (low, high)), (other, (lower, upper)) in combinations(self.guaranteed.items(), 2):
            if max(low, lower) > min(high, upper):
                found.append(
                    f"{one} guarantee an R_DC between {low:.9g} and {high:.9g} ohm, {other} between {lower:.9g} and "
                    f"{upper:.9g} ohm: one is at fault"
                )
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "limits_ohm": {name: list(pair) for name, pair in self.limits.items()},
            "guaranteed_ohm": {what: list(pair) for what, pair in self.guaranteed.items()},
        }


def _of_families(families: Sequence[Family]) -> dict[str, Interval]:
    """The tightest bounds of the finest grids, ohm, widened by what rounding may do to them; none where a side is missing."""
    bounds: dict[str, list[tuple[float, str]]] = {"lower": [], "upper": []}
    for family in families:
        if family.bound is not None:
            model, sign = family.finest.model, -1 if family.bound == "lower" else 1
            rounding = ROUNDING + float(model.error(np.zeros(1))[0])
            bounds[family.bound].append((model.resistance() * (1 + sign * rounding), family.backend.name))
    if not bounds["lower"] or not bounds["upper"]:
        return {}
    (low, under), (high, over) = max(bounds["lower"]), min(bounds["upper"])
    return {f"the finest grids of {under} and {over}": (low, high)}
