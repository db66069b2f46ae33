"""R_Cstr = R_DC(3D) - R_DC(1D-PM), from the limits of all backends, with what bounds it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fem_constriction.problem.one_dimensional import one_dimensional_resistance
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.refinement import Family, solve_family
from validation.gate.direct_current import DirectCurrent
from validation.gate.result import Geometric, together

Known = tuple[float, float]


def geometric_resistance(problem: Problem, direct: DirectCurrent | None, families: Mapping[str, Family]) -> Geometric | None:
    """Return the geometric constriction resistance in ohm; None where no direct current flows.

    Values of backends are weighted by 1/u^2. What is guaranteed may be known better than the limit is: the value is then moved
    into its enclosure, if it is compatible with it, and is as far off as the farther end at most. Where it is not, that is a
    fault of the agreement (`DirectCurrent.faults`), and nothing is moved.

    Parameters
    ----------
    problem
        The cell.
    direct
        What is known of its R_DC.
    families
        Backend -> its grids: of two patterned electrodes each is solved by itself as well.
    """
    if direct is None:
        return None
    plain = one_dimensional_resistance(problem)
    if problem.contact_fraction == 1 and not problem.patterned_counter:
        return Geometric(dict.fromkeys(direct.limits, (0.0, 0.0)), 0.0, 0.0, plain, (0.0, 0.0))
    by_backend = {name: (value - plain, uncertainty) for name, (value, uncertainty) in direct.limits.items()}
    value, uncertainty = together(by_backend)
    electrodes = _of_electrodes(problem, families)
    if direct.interval is None:
        return Geometric(by_backend, value, uncertainty, plain + value, None, electrodes)
    low, high = (end - plain for end in direct.interval)
    if low - uncertainty <= value <= high + uncertainty:
        value = float(np.clip(value, low, high))
        uncertainty = min(uncertainty, max(high - value, value - low))
    return Geometric(by_backend, value, uncertainty, plain + value, (low, high), electrodes)


def _of_electrodes(problem: Problem, families: Mapping[str, Family]) -> dict[str, Known]:
    """R_Cstr of each electrode by itself, the other one's conductance spread evenly over its face; none for one electrode."""
    if not problem.patterned_counter or not families:
        return {}
    found = {}
    for electrode, other in (("working_electrode", "counter_electrode"), ("counter_electrode", "working_electrode")):
        alone = problem.spread(other).within(None)
        plain = one_dimensional_resistance(alone)
        known = {name: solve_family(alone, family.backend, None).resistance() for name, family in families.items()}
        found[electrode] = together({name: (value - plain, uncertainty) for name, (value, uncertainty) in known.items()})
    return found
