"""Guaranteed discs from the face alone: both sides exact along z, so that a certificate takes the time of a limit.

Potentials and currents are solved on the face at a few real shifts, continued downwards (`potentials`, `currents`), and paired:
no unknowns below the face, no lines along z. What is certified is what stands on the planes; the solutions only decide how
small discs are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.capabilities import ENCLOSURE, OFFERS, offers
from fem_constriction.stack.face_model import solved_on_face
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.sides import Sides
from validation.discs.certificate import Discs, Pairing
from validation.discs.currents import currents_on_planes
from validation.discs.overlaps import overlaps
from validation.discs.potentials import potentials_on_planes
from validation.discs.voxels import both_sides, on_voxels

#: Relative error of Z up to which shifts are added: what is left of it is a part of the radius, and far below that.
SPANNED = 1e-7

#: What the work of unit current may lack, sum over p of int g . j = V, relative: more is no rounding.
BALANCE = 1e-6


class Certifying(Protocol):
    """A backend that offers both sides of a face."""

    name: str

    def sides(self, described: Problem, level: int | None = None) -> Sides:
        """Return potentials and currents of one plane, finer by level; None: as fine as a cross-check takes them."""
        ...


def certifying(problem: Problem, backends: Sequence[Any]) -> Certifying | None:
    """Return the first of these backends that offers both sides of the cell's face, or None."""
    return next((backend for backend in backends if ENCLOSURE in offers(backend, problem.kind)), None)


def certificate(problem: Problem, backend: Certifying, level: int | None = None) -> Pairing:
    """Return what the discs of a problem in its band are made of, on a backend's own plane.

    Raises
    ------
    MemoryShort
        Where the plane would not fit, before it is made.
    ComputationError
        See `paired`.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        return paired(problem, backend.sides(problem, level), (backend.name, backend.name))


def pairing_of(problem: Problem, backends: Sequence[Any], level: int | None = None) -> Pairing | None:
    """Return what discs are made of: a face's plane, or an image's voxels; None where these backends offer neither.

    level: finer by it; None: as a cross-check takes them. Raises as `certificate` and `on_voxels` do.
    """
    if (backend := certifying(problem, backends)) is not None:
        return certificate(problem, backend, level)
    return on_voxels(problem, backends, level or 0) if both_sides(problem, backends) is not None else None


def discs_of(problem: Problem, backends: Sequence[Any], frequency: Array) -> tuple[Discs | None, str]:
    """Return the discs of a problem at frequencies in Hz, of its band, or None and why there are none, in words."""
    try:
        found = pairing_of(problem, backends)
        if found is None:
            return None, f"none of the backends offers {OFFERS[ENCLOSURE]}: no guaranteed discs"
        return found.discs(frequency), ""
    except (InputError, ComputationError, np.linalg.LinAlgError) as error:
        return None, f"no guaranteed discs: {error}"


def paired(problem: Problem, sides: Sides, names: tuple[str, str] = ("", "")) -> Pairing:
    """Return what the discs of a problem in its band are made of; names: of what gave potentials and currents.

    Raises ComputationError where potentials and currents do not do the work of unit current: one of them is not admissible.
    """
    places = problem.places
    above, below = (
        solved_on_face(side, places, problem.band, direct_current=problem.direct_current, tolerance=SPANNED)
        for side in (sides.potentials, sides.currents)
    )
    potentials = potentials_on_planes(sides.potentials, above, places)
    currents = currents_on_planes(sides.currents, below, places)
    cross = overlaps(potentials, currents, sides.overlap, places)
    totals = np.zeros(len(currents.face))
    totals[0] = 1.0
    work = np.outer(potentials.metal, totals)
    lacking = float(np.abs(sum(cross.values(), -work)).max() / np.abs(work).max())
    if not lacking <= BALANCE:
        raise ComputationError(
            f"discs on {sides.name}: potentials and currents lack {lacking:.1e} of the work of unit current, allowed is "
            f"{BALANCE:.0e}: one of them is not admissible"
        )
    model = ReducedModel(potentials.gram(places), potentials.metal, {}, potentials.coordinates, dict(places), potentials.shifts)
    shifts = np.where(totals > 0, currents.shifts[0], np.nan)
    grids = {"potentials": _size(sides.potentials), "currents": _size(sides.currents)}
    return Pairing(model, currents.gram(places), cross, totals, shifts, names, lacking, grids)


def _size(side: Layered) -> dict[str, Any]:
    return {"unknowns": side.description["unknowns"], "cells": side.description["cells"]}
