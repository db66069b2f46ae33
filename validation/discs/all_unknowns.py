"""Discs of the finest grids with all their unknowns: conforming potentials of one backend, reconstructed currents of another.

Slower by far than those of a face (`validation.discs.face`), and made in another way from the grids up: fluxes of the network,
traces of the elements, nothing exact along z. It is their oracle.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from fem_constriction.errors import ComputationError
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.solving.one_grid import Solution
from validation.discs.certificate import Discs, Pairing


def certify(lower: Solution, upper: Solution, frequency: ArrayLike) -> Discs:
    """Return the discs that conforming potentials (lower) and admissible currents (upper) of one cell guarantee.

    Both solved with keep=True on the same part of the cell. Raises ComputationError for solutions that offer neither.
    """
    return pair(lower, upper).discs(frequency)


def pair(lower: Solution, upper: Solution) -> Pairing:
    """Return what the discs of these two solutions are made of; the solutions themselves are not needed any more.

    Cross products at the interfaces from traces; in the bulk from int g_l . J_m over all processes = V_l, the work of unit
    current. Raises ComputationError as `certify` does.
    """
    if lower.assembly is None or upper.assembly is None or lower.assembly.traces is None or upper.assembly.fluxes is None:
        raise ComputationError(
            "a certificate takes conforming potentials from one backend and currents from another, both kept"
        )
    if lower.grid.copies != upper.grid.copies:
        raise ComputationError("a certificate takes two grids of the same part of the cell")
    if len(lower.grid.layers) != len(upper.grid.layers):
        raise ComputationError("a certificate takes two grids of the same layers")
    model = upper.model
    fluxes = upper.assembly.fluxes(model.potentials(model.coordinates), model.admittances_at_shifts()[BULK])
    identity = np.eye(len(lower.model.port))
    jumps = lower.assembly.traces(lower.model.potentials(identity), fluxes.x, fluxes.y)
    sides = {
        CHARGE_TRANSFER: jumps.metal,
        PORE: jumps.metal,
        GRAIN_BOUNDARY: jumps.boundaries,
        COUNTER_ELECTRODE: jumps.counter,
    }
    if jumps.boundaries.shape[0] != fluxes.through[GRAIN_BOUNDARY].shape[0]:
        raise ComputationError("a certificate takes potentials and currents across the same boundaries")
    cross = {
        name: np.einsum("fxyl,fxym->lm", sides[name], fluxes.through[name], optimize=True)
        for name in model.processes
        if name != BULK
    }
    work = np.repeat(lower.model.port[:, None], model.shifts.size, axis=1)
    cross[BULK] = work - sum(cross.values(), np.zeros_like(work))
    names = (str(lower.description.get("backend", "")), str(upper.description.get("backend", "")))
    potentials = replace(lower.model, basis=())
    return Pairing(potentials, fluxes.gram, cross, np.ones(model.shifts.size), model.shifts, names, fluxes.imbalance)
