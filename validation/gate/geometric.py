"""R_Cstr = R_DC(3D) - R_DC(1D-PM), from the limits of all backends, with what bounds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fem_constriction.problem.one_dimensional import one_dimensional_resistance
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.refinement import Family, solve_family
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
    if problem.contact_fraction == 1 and not problem.patterned_counter:
        return Geometric(dict.fromkeys([*families, *told], (0.0, 0.0)), 0.0, 0.0, plain, (0.0, 0.0))
    resistances = {name: family.resistance() for name, family in families.items()}
    resistances |= {name: each.resistance for name, each in told.items()}
    by_backend = {name: (value - plain, uncertainty) for name, (value, uncertainty) in resistances.items()}
    value, uncertainty = _together(by_backend)
    enclosure = _enclosed([*families.values(), *bounding], plain)
    if discs is not None and discs.resistance is not None:
        low, high = discs.resistance
        enclosure = (low - plain, high - plain)
        if enclosure[0] - uncertainty <= value <= enclosure[1] + uncertainty:
            value = float(np.clip(value, *enclosure))
    return Geometric(by_backend, value, uncertainty, plain + value, enclosure, _of_electrodes(problem, families))


def _together(by_backend: Mapping[str, Known]) -> Known:
    """Values of backends, weighted by 1/u^2."""
    weights = np.array([max(uncertainty, 1e-300) ** -2.0 for _, uncertainty in by_backend.values()])
    weights /= weights.sum()
    value, uncertainty = (float(weights @ np.array(list(by_backend.values()))[:, i]) for i in (0, 1))
    return value, uncertainty


def _of_electrodes(problem: Problem, families: Mapping[str, Family]) -> dict[str, Known]:
    """R_Cstr of each electrode by itself, the other one's conductance spread evenly over its face; none for one electrode."""
    if not problem.patterned_counter or not families:
        return {}
    found = {}
    for electrode, other in (("working_electrode", "counter_electrode"), ("counter_electrode", "working_electrode")):
        alone = problem.spread(other).within(None)
        plain = one_dimensional_resistance(alone)
        known = {name: solve_family(alone, family.backend, None).resistance() for name, family in families.items()}
        found[electrode] = _together({name: (value - plain, uncertainty) for name, (value, uncertainty) in known.items()})
    return found


def _enclosed(families: Sequence[Family], plain: float) -> Known | None:
    """The tightest bounds of the finest grids in ohm; None where one side has none."""
    bounds: dict[str, list[float]] = {"lower": [], "upper": []}
    for family in families:
        if family.bound is not None:
            bounds[family.bound].append(family.finest.model.resistance() - plain)
    return (max(bounds["lower"]), min(bounds["upper"])) if bounds["lower"] and bounds["upper"] else None
