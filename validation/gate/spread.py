"""R_Cstr = R_DC - R_DC of the same body whose electrode touches all of its face, of both backends together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.projection import TARGET
from fem_constriction.solving.full_contact import spread, under_full_contact
from fem_constriction.solving.refinement import Family
from validation.gate.result import Geometric, together

#: What R_Cstr of such bodies is counted from.
REFERENCE = "same body under full contact"


def spread_families(problem: Problem, families: Mapping[str, Family]) -> dict[str, Family]:
    """Return the families of `spread`, on as many grids as each backend has of the cell itself; none where there is none.

    At full contact, without electrodes in the body, they are the families themselves.
    """
    if spread(problem) is None:
        return {}
    even = {name: under_full_contact(family) for name, family in families.items()}
    return {name: family for name, family in even.items() if family is not None}


def geometric_by_spreading(families: Mapping[str, Family], even: Mapping[str, Family]) -> Geometric:
    """Return the geometric constriction resistance in ohm, values of backends weighted by 1/u^2.

    Parameters
    ----------
    families, even
        Backend -> its grids, of the cell and of `spread`.
    """
    by_backend: dict[str, tuple[float, float]] = {}
    for name, family in families.items():
        if even[name] is family:
            by_backend[name] = 0.0, 0.0
            continue
        grids = list(zip(family.solutions, even[name].solutions, strict=False))[-3:]
        differences = np.array([[one.model.resistance() - other.model.resistance()] for one, other in grids])
        limit = family.extrapolated(differences, np.zeros(1))
        left = sum(each.finest.model.basis_error + TARGET for each in (family, even[name]))
        by_backend[name] = float(limit.value[0].real), float(limit.uncertainty[0]) + left * family.resistance()[0]
    value, uncertainty = together(by_backend)
    below, above = _bounds(families), _bounds(even)
    enclosure = None if below is None or above is None else (below[0] - above[1], below[1] - above[0])
    if value == uncertainty == 0:
        enclosure = (0.0, 0.0)
    direct, loose = together({name: family.resistance() for name, family in families.items()})
    return Geometric(by_backend, value, uncertainty, direct, enclosure, reference=REFERENCE, direct_uncertainty=loose)


def _bounds(families: Mapping[str, Family]) -> tuple[float, float] | None:
    """The tightest bounds of R_DC by the finest grids, ohm; None where one side has none."""
    found: dict[str, list[float]] = {"lower": [], "upper": []}
    for family in families.values():
        if family.bound is not None:
            found[family.bound].append(family.finest.model.resistance())
    return (max(found["lower"]), min(found["upper"])) if all(found.values()) else None
