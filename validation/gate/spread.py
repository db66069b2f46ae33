"""R_Cstr = R_DC - R_DC of the same body whose electrode touches all of its face: of bodies that no one-dimensional circuit is.

There the working electrode's direct-current conductance, integrated over contact and pores, is spread evenly over the face
(an ideal contact: an ideal face). R_Cstr is 0 at full contact, and may be negative in a heterogeneous body. Both cells are
solved on the same grids, and what is extrapolated is their difference: what boundaries and phases lose on a grid they lose in
both.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from fem_constriction.cell.labels import Labels
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.grids.image_metal import NO_METAL, TIED, Pieces, pieces_of
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

    A one-dimensional body needs none. Of a label image with electrodes in it there is one where `microstructure.voids` says
    which phases are voids of the metal: those of their pieces that lie beside metal of the working electrode become metal, and
    its charge transfer, summed over its faces before, is spread over its faces then.

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
        return _filled(problem, body) if body.structure.voids else None
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


def _filled(problem: Problem, body: Image) -> Problem | None:
    """Return the body with the voids of its working electrode filled; None where there are none, or no metal at V."""
    labels = labels_of(problem)[0]
    before = pieces_of(labels, body.electrodes, body.contact)
    own = next((label for label, process in body.electrodes.items() if process == CHARGE_TRANSFER), None)
    if before is None or own is None or not np.any(before == TIED):
        return None
    clusters, _ = ndimage.label(np.isin(labels, body.structure.voids))
    beside = ndimage.binary_dilation(before == TIED)
    reached = np.unique(clusters[beside & (clusters > 0)])
    filled = np.where(np.isin(clusters, reached) & (clusters > 0), own, labels)
    left = [each for each in body.structure.phases if np.any(filled == each.label)]
    section = {
        **dict.fromkeys(("dataset", "shape", "dtype", "endian", "order", "crop", "coarsen", "sha256")),
        "image": filled,
        "voxel": list(body.structure.edges),
        "phases": [each.model_dump() for each in left],
        "inclusions": [each.model_dump() for each in body.structure.inclusions if np.any(filled == each.label)],
        "voids": (),
    }
    whole = problem.vary({f"electrolyte.microstructure.{key}": value for key, value in section.items()})
    whole = whole.vary({"working_electrode.contact": {"shape": "square", "fraction": 1.0}}).within(None)
    if CHARGE_TRANSFER not in problem.places:
        return whole
    after = pieces_of(filled, body.electrodes, np.ones_like(body.contact))
    assert after is not None, "there is metal"
    area = _touching(problem, body, labels, before, body.contact)
    larger = _touching(problem, body, filled, after, np.ones_like(body.contact))
    conductance = problem.places[CHARGE_TRANSFER].conductance * area / larger
    return whole.conducting({CHARGE_TRANSFER: Admittance.of(float(conductance), process=CHARGE_TRANSFER)})


def _touching(problem: Problem, body: Image, labels: Labels, pieces: Pieces, contact: Labels) -> float:
    """Return the area, m2, of faces between metal at V, its collector among it, and what conducts and is no void."""
    idle = [label for label, phase in body.inclusions.items() if phase not in problem.places or phase in body.voids]
    solid = (pieces == NO_METAL) & ~np.isin(labels, idle)
    metal = pieces == TIED
    volume = float(np.prod(body.structure.edges))
    found = np.count_nonzero(contact & solid[0]) * volume / body.structure.edges[0]
    for axis, edge in enumerate(body.structure.edges):
        one, other, a, b = (
            np.moveaxis(each, axis, 0)[part] for each in (metal, solid) for part in (slice(None, -1), slice(1, None))
        )
        found += (np.count_nonzero(one & b) + np.count_nonzero(other & a)) * volume / edge
    return float(found)


def spread_families(problem: Problem, families: Mapping[str, Family]) -> dict[str, Family]:
    """Return the families of `spread`, on as many grids as each backend has of the cell itself; none where there is none."""
    even = spread(problem)
    if even is None or (problem.contact_fraction == 1 and not problem.body.electrodes):
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
