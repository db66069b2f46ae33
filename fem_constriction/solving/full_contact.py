"""The same body under full contact: what R_Cstr of bodies is counted from that no one-dimensional circuit describes.

There the working electrode's direct-current conductance, integrated over contact and pores, is spread evenly over the face
(an ideal contact: an ideal face). R_Cstr is 0 at full contact, and may be negative in a heterogeneous body. Both cells are
solved on the same grids, and what is extrapolated is their difference: what boundaries and phases lose on a grid they lose in
both.
"""

from __future__ import annotations

from functools import singledispatch

import numpy as np
import scipy

from fem_constriction.cell.labels import Labels
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.grids.image_metal import NO_METAL, TIED, Pieces, pieces_of
from fem_constriction.grids.mesh_twin import unfit
from fem_constriction.problem.bodies import Body, Image, Mesh
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from fem_constriction.solving.refinement import Family, solve_family


def spread(problem: Problem) -> Problem | None:
    """Return the same body under a contact all over its face; None where it has no such thing to be compared with.

    A one-dimensional body needs none. Of a label image with electrodes in it there is one where `microstructure.voids` says
    which phases are voids of the metal: those of their pieces that lie beside metal of the working electrode become metal, and
    its charge transfer, summed over its faces before, is spread over its faces then. Beside pores that conduct there is none.

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
    body = problem.body
    if isinstance(body, Image) and body.electrodes:
        # Pores beside such an electrode would have to be spread as well, over what is left of the collector: not had.
        leaks = PORE in problem.places and problem.places[PORE].conductance > 0 and problem.contact_fraction < 1
        return _filled(problem, body) if body.structure.voids and not leaks else None
    whole = _touched_all_over(body, problem)
    if whole is None or problem.ideal_contact:
        return whole
    conductance = sum(_integrated(body, problem).values())
    return whole.conducting({CHARGE_TRANSFER: Admittance.of(float(conductance), process=CHARGE_TRANSFER)})


@singledispatch
def _touched_all_over(body: Body, problem: Problem) -> Problem | None:
    """The problem at direct current with a contact all over its face; None where the face is not known."""
    return problem.vary({"working_electrode.contact": {"shape": "square", "fraction": 1.0}}).within(None)


@_touched_all_over.register
def _(body: Mesh, problem: Problem) -> Problem | None:
    """Of a mesh that is the side of its box, where its electrode lies there."""
    if unfit(problem) is not None:
        return None
    return problem.vary({"mesh.regions.contact": "z min", "mesh.regions.pore": [], "working_electrode.pore": None}).within(None)


@singledispatch
def _integrated(body: Body, problem: Problem) -> dict[str, float]:
    """Return what contact and pores conduct of direct current, each over the part of the face that it has, S/m2."""
    covers = {CHARGE_TRANSFER: problem.contact_fraction, PORE: 1 - problem.contact_fraction}
    return {name: problem.places[name].conductance * part for name, part in covers.items() if name in problem.places}


@_integrated.register
def _(body: Image, problem: Problem) -> dict[str, float]:
    """Over the part of the face that is solid."""
    first = labels_of(problem)[0][0]
    holes = [label for label, phase in body.inclusions.items() if phase not in problem.places]
    solid = ~np.isin(first, holes)
    touched = np.zeros(first.shape, dtype=bool)
    touched[body.contact] = True
    covers = {CHARGE_TRANSFER: np.mean(touched[solid]), PORE: np.mean(~touched[solid])}
    return {name: problem.places[name].conductance * float(part) for name, part in covers.items() if name in problem.places}


def of_interface(problem: Problem) -> dict[str, float]:
    """Return which part of the even interface's current each process dissipates as resistance: they sum to 1.

    It conducts G = g_ct f + g_pore (1 - f), so dR/d ln(1/g_p) = g_p f_p/G times its part of R; elements in series share that in
    proportion to their resistance. With electrodes in the body it is all charge transfer's.
    """
    body = problem.body
    y = problem.places
    if body.electrodes:
        conducts = {CHARGE_TRANSFER: 1.0} if CHARGE_TRANSFER in y else {}
    else:
        conducts = {} if problem.ideal_contact else _integrated(body, problem)
    total = sum(conducts.values())
    found: dict[str, float] = {}
    for place, g in conducts.items():
        for process, share in y[place].shares(0.0, place).items() if g else ():
            found[process] = found.get(process, 0.0) + float(np.real(share)) * g / total
    return found


def _filled(problem: Problem, body: Image) -> Problem | None:
    """Return the body with the voids of its working electrode filled; None where there are none, or no metal at V."""
    labels = labels_of(problem)[0]
    before = pieces_of(labels, body.electrodes, body.contact)
    own = next((label for label, process in body.electrodes.items() if process == CHARGE_TRANSFER), None)
    if before is None or own is None or not np.any(before == TIED):
        return None
    clusters, _ = scipy.ndimage.label(np.isin(labels, body.structure.voids))
    beside = scipy.ndimage.binary_dilation(before == TIED)
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


def under_full_contact(family: Family) -> Family | None:
    """Return `spread` of a family's cell on as many of its backend's grids, the family where it is that; None without one."""
    problem = family.problem
    even = spread(problem)
    if even is None:
        return None
    if problem.contact_fraction == 1 and not problem.body.electrodes:
        return family
    return solve_family(even, family.backend, None, levels=range(len(family.solutions)))
