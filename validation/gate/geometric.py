"""R_Cstr = R_DC(3D) - R_DC(1D-PM), from the limits of all backends, with what bounds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fem_constriction.problem.one_dimensional import one_dimensional_resistance
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.refinement import Family
from validation.discs.certificate import Discs
from validation.gate.result import Geometric
from validation.gate.spectra_alone import Told

Known = tuple[float, float]


def geometric_resistance(
    problem: Problem,
    families: Mapping[str, Family],
    told: Mapping[str, Told],
    bounding: Sequence[Family],
    discs: Discs | None,
) -> Geometric | None:
    """Return the geometric constriction resistance in ohm; None where no direct current flows.

    Values of backends are weighted by 1/u^2. What is guaranteed may be known better than the limit is: the value is then moved
    into its enclosure, if it is compatible with it.
    """
    if not problem.direct_current:
        return None
    plain = one_dimensional_resistance(problem)
    if problem.contact_fraction == 1:
        return Geometric(dict.fromkeys([*families, *told], (0.0, 0.0)), 0.0, 0.0, plain, (0.0, 0.0))
    resistances = {name: family.resistance() for name, family in families.items()}
    resistances |= {name: each.resistance for name, each in told.items()}
    by_backend = {name: (value - plain, uncertainty) for name, (value, uncertainty) in resistances.items()}
    weights = np.array([max(uncertainty, 1e-300) ** -2.0 for _, uncertainty in by_backend.values()])
    weights /= weights.sum()
    value, uncertainty = (float(weights @ np.array(list(by_backend.values()))[:, i]) for i in (0, 1))
    enclosure = _enclosed([*families.values(), *bounding], plain)
    if discs is not None and discs.resistance is not None:
        low, high = discs.resistance
        enclosure = (low - plain, high - plain)
        if enclosure[0] - uncertainty <= value <= enclosure[1] + uncertainty:
            value = float(np.clip(value, *enclosure))
    return Geometric(by_backend, value, uncertainty, plain + value, enclosure)


def _enclosed(families: Sequence[Family], plain: float) -> Known | None:
    """The tightest bounds of the finest grids in ohm; None where one side has none."""
    bounds: dict[str, list[float]] = {"lower": [], "upper": []}
    for family in families:
        if family.bound is not None:
            bounds[family.bound].append(family.finest.model.resistance() - plain)
    return (max(bounds["lower"]), min(bounds["upper"])) if bounds["lower"] and bounds["upper"] else None
