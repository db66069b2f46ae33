"""int g . j of potentials and currents, place by place, from what both are on the planes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE, PORE
from fem_constriction.space.reconstruction import along
from validation.discs.currents import PlaneCurrents
from validation.discs.planes import course_of, gathered
from validation.discs.potentials import PlanePotentials


def overlaps(
    potentials: PlanePotentials, currents: PlaneCurrents, overlap: Sequence[sparse.csr_array], places: Mapping[str, Admittance]
) -> dict[str, Array]:
    """Return int g_l . j_m for every process, (potentials, currents), over the whole cell: values on planes alone.

    In a layer div j = 0 and phi is continuous, so that int -grad phi . j is int phi j_z at its top less that at its bottom.
    """
    upper, lower = potentials.plane, currents.plane
    area = upper.side.area
    x, y = overlap
    over = along(2, y, along(1, x, currents.face))  # int N_i j over the face
    inside = np.asarray(lower.side.face[CHARGE_TRANSFER].sum(1)).reshape(currents.face.shape[1:]) > 0
    touching = along(2, y, along(1, x, np.where(inside, currents.face, 0.0)))  # a density is of contact or of pores alone
    ones = np.ones(over.shape[1:])

    def at_face(values: Array, weights: Array) -> Array:
        return area * values.reshape(len(values), -1) @ weights.reshape(len(weights), -1).T

    drop = potentials.metal[:, None, None] * ones - potentials.face
    modal = tuple(
        a.vectors.T @ np.asarray(each @ b.vectors)
        for a, each, b in zip((upper.lateral.x, upper.lateral.y), overlap, (lower.lateral.x, lower.lateral.y), strict=True)
    )

    def on_plane(a: Array, w: Array) -> Array:
        p, j = upper.square(a), lower.square(w)
        along_x, along_y = (each[: p.shape[i + 1], : j.shape[i + 1]] for i, each in enumerate(modal))
        return at_face(p, along_x @ j @ along_y.T)

    count = len(potentials.column.layers)
    above = [on_plane(potentials.bottom[i], currents.through[i + 1]) for i in range(count)]
    below = [on_plane(potentials.top[i], currents.through[i]) for i in range(count)]
    course = course_of(upper.side)
    found = gathered(course.bulks[:count], (top - bottom for top, bottom in zip(below, above, strict=True)), 1.0)
    crossed = [name if name in places else None for name in course.boundaries[: count - 1]]
    found |= gathered(crossed, (bottom - top for bottom, top in zip(above, below[1:], strict=False)), 1.0)
    if CHARGE_TRANSFER in places:
        found[CHARGE_TRANSFER] = at_face(drop, touching)
    if PORE in places:
        found[PORE] = at_face(drop, over - touching)
    if COUNTER_ELECTRODE in places:
        found[COUNTER_ELECTRODE] = above[-1]
    return found
