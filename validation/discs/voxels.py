"""Discs of a label image: trilinear potentials and the network's currents on the same voxels, both with all their unknowns.

int g . J over voxels and faces follows exactly from means over faces and what passes through them (`space.voxels`), so that
one grid of each backend is all it takes: no limit, no order, no second grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from fem_constriction.errors import ComputationError
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.capabilities import CURRENTS, POTENTIALS, offers
from fem_constriction.solving.one_grid import Solution, solve_grid
from fem_constriction.space.voxels import crossed, dissipated
from validation.discs.certificate import Pairing

#: What the work of unit current may lack, sum over p of int g . j = V, relative: more is no rounding.
BALANCE = 1e-6


def both_sides(problem: Problem, backends: Sequence[Any]) -> tuple[Any, Any] | None:
    """Return backends that offer potentials and currents of all unknowns of an image, or None where one side has none."""
    found = []
    for offer in (POTENTIALS, CURRENTS):
        found.append(next((each for each in backends if offer in offers(each, problem.kind)), None))
    return None if None in found else (found[0], found[1])


def on_voxels(problem: Problem, backends: Sequence[Any], level: int = 0) -> Pairing:
    """Return what the discs of an image in the problem's band are made of, each voxel cut into 2^level along every edge.

    Raises
    ------
    MemoryShort
        Where the voxels would not fit, before anything is made.
    ComputationError
        Where potentials and currents do not do the work of unit current.
    """
    sides = both_sides(problem, backends)
    if sides is None:
        raise ComputationError("discs of an image take potentials of one backend and currents of another")
    solved = [solve_grid(problem, each, each.grid(problem, level), problem.band, keep=True) for each in sides]
    return paired(solved[0], solved[1], (sides[0].name, sides[1].name))


def paired(lower: Solution, upper: Solution, names: tuple[str, str] = ("", "")) -> Pairing:
    """Return what the discs of two solutions on the same voxels are made of, both kept. Raises as `on_voxels` does."""
    one, other = lower.assembly, upper.assembly
    if one is None or other is None or one.means is None or other.through is None:
        raise ComputationError("discs of an image take trilinear potentials and the currents of its voxels")
    with threadpool_limits(limits=1, user_api="blas"):
        model = upper.model
        flows, imbalance = other.through(model.potentials(model.coordinates), model.admittances_at_shifts())
        means = one.means(lower.model.potentials(np.eye(len(lower.model.port))))
        copies = lower.grid.copies
        totals = np.ones(model.shifts.size)
        gram = {name: each / copies for name, each in dissipated(means.voxels, flows).items()}
        cross = crossed(means, flows)
    work = np.outer(lower.model.port, totals)
    lacking = float(np.abs(sum(cross.values(), -work)).max() / np.abs(work).max())
    if not lacking <= BALANCE:
        raise ComputationError(
            f"discs on {lower.grid.name}: potentials and currents lack {lacking:.1e} of the work of unit current, allowed is "
            f"{BALANCE:.0e}: one of them is not admissible"
        )
    potentials = replace(lower.model, basis=())
    sizes = {
        side: {"unknowns": int(solved.description["unknowns"]), "cells": solved.grid.shape}
        for side, solved in (("potentials", lower), ("currents", upper))
    }
    return Pairing(potentials, gram, cross, totals, model.shifts, names, max(imbalance, lacking), sizes)
