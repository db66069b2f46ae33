"""R_Cstr = R_DC - R_DC of the same body whose electrode touches all of its face: of bodies that no one-dimensional circuit is.

There the working electrode's direct-current conductance, integrated over contact and pores, is spread evenly over the face
(an ideal contact: an ideal face). R_Cstr is 0 at full contact, and may be negative in a heterogeneous body. Both cells are
solved on the same grids, and what is extrapolated is their difference: what boundaries and phases lose on a grid they lose in
both.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fem_constriction.grids.image_labels import labels_of
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from fem_constriction.reduction.projection import TARGET
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.refinement import Family, extrapolate, solve_family
from validation.gate.result import Geometric


def spread(problem: Problem) -> Problem | None:
    """Return the same body under a contact all over its face; None where it has no such thing to be compared with.

    A one-dimensional body needs none. Of a label image with electrodes in it nobody says which phases are voids of the metal.

    Parameters
    ----------
    problem
        The cell.

    Returns
    -------
    Problem or None
        At direct current.
    """
    if problem.body.uniform or not problem.direct_current:
        return None
    body = Image.of(problem.body)
    if body.electrodes:
        return None
    whole = problem.vary({"working_electrode.contact": {"shape": "square", "fraction": 1.0}}).within(None)
    if problem.ideal_contact:
        return whole
    first = labels_of(problem)[0][0]
    holes = [label for label, phase in body.inclusions.items() if phase not in problem.places]
    solid = ~np.isin(first, holes)
    touched = np.zeros(first.shape, dtype=bool)
    touched[body.contact] = True
    transfer, pores = (problem.places[name].conductance if name in problem.places else 0.0 for name in (CHARGE_TRANSFER, PORE))
    conductance = transfer * np.mean(touched[solid]) + pores * np.mean(~touched[solid])
    return whole.conducting({CHARGE_TRANSFER: Admittance.of(float(conductance), process=CHARGE_TRANSFER)})


def spread_families(problem: Problem, families: Mapping[str, Family]) -> dict[str, Family]:
    """Return the families of `spread`, on as many grids as each backend has of the cell itself; none where there is none."""
    even = spread(problem)
    if even is None or problem.contact_fraction == 1:
        return {}
    return {name: _like(even, family.backend, len(family.solutions)) for name, family in families.items()}


def _like(even: Problem, backend: Backend, levels: int) -> Family:
    return solve_family(even, backend, None, levels=range(levels))


def geometric_by_spreading(families: Mapping[str, Family], even: Mapping[str, Family]) -> Geometric:
    """Return the geometric constriction resistance in ohm, values of backends weighted by 1/u^2.

    Parameters
    ----------
    families, even
        Backend -> its grids, of the cell and of `spread`.
    """
    by_backend: dict[str, tuple[float, float]] = {}
    for name, family in families.items():
        grids = list(zip(family.solutions, even[name].solutions, strict=False))[-3:]
        differences = np.array([[one.model.resistance() - other.model.resistance()] for one, other in grids])
        limit = extrapolate(differences, family.order, erratic=family.erratic(np.zeros(1)))
        left = sum(each.finest.model.basis_error + TARGET for each in (family, even[name]))
        by_backend[name] = float(limit.value[0].real), float(limit.uncertainty[0]) + left * family.resistance()[0]
    weights = np.array([max(uncertainty, 1e-300) ** -2.0 for _, uncertainty in by_backend.values()])
    weights /= weights.sum()
    value, uncertainty = (float(weights @ np.array(list(by_backend.values()))[:, i]) for i in (0, 1))
    below, above = _bounds(families), _bounds(even)
    enclosure = None if below is None or above is None else (below[0] - above[1], below[1] - above[0])
    direct = float(weights @ np.array([family.resistance()[0] for family in families.values()]))
    return Geometric(by_backend, value, uncertainty, direct, enclosure)


def _bounds(families: Mapping[str, Family]) -> tuple[float, float] | None:
    """The tightest bounds of R_DC by the finest grids, ohm; None where one side has none."""
    found: dict[str, list[float]] = {"lower": [], "upper": []}
    for family in families.values():
        if family.bound is not None:
            found[family.bound].append(family.finest.model.resistance())
    return (max(found["lower"]), min(found["upper"])) if all(found.values()) else None
