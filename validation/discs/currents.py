"""Currents by what they are on the planes between layers, at r real shifts: a span that discs are chosen from.

A density on every plane, all of the same total, is a current without sources, however it was come by: in each layer what one
plane has more than the next flows sideways (`exact_layers`). The density on the face is that of a solution at a real shift; the
ones below continue it as well as that shift allows. Differences between such currents have no total, and are orthonormal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.reduction.reduced import spanned
from fem_constriction.stack.face_model import FaceSolutions
from fem_constriction.stack.layered import Layered
from validation.discs.exact_layers import Column
from validation.discs.planes import Plane, below


@dataclass(frozen=True, eq=False)
class PlaneCurrents:
    """q currents without sources: the first of unit total, the others of none.

    Parameters
    ----------
    face
        Densities on the face, (q, nx, ny), 1/m2.
    through
        Their coefficients in modes on every plane, the face and the counter electrode among them, (q, modes alive).
    """

    plane: Plane
    column: Column
    face: Array
    through: tuple[Array, ...]
    shifts: Array

    def gram(self, places: Mapping[str, Admittance]) -> dict[str, Array]:
        """Return int j_l . j_m for every process, (q, q), over the whole cell."""
        area, side = self.plane.side.area, self.plane.side
        found: dict[str, Array] = {}
        layers = zip(self.column.layers, self.through, self.through[1:], strict=False)
        found[BULK] = area * sum((layer.currents(top, bottom) for layer, top, bottom in layers), np.zeros((1, 1)))
        face = self.face.reshape(len(self.face), -1)
        for name in (CHARGE_TRANSFER, PORE):
            if name in places:
                found[name] = face @ (side.face[name] @ face.T)
        if GRAIN_BOUNDARY in places:
            found[GRAIN_BOUNDARY] = area * sum((w @ w.T for w in self.through[1:-1]), np.zeros((1, 1)))
        if COUNTER_ELECTRODE in places:
            found[COUNTER_ELECTRODE] = area * self.through[-1] @ self.through[-1].T
        return found


def currents_on_planes(side: Layered, solved: FaceSolutions, places: Mapping[str, Admittance]) -> PlaneCurrents:
    """Return what the currents into the face, continued downwards, span: that of the first shift, and differences to it."""
    plane, shape = Plane(side), solved.potential.shape[1:]
    column, y = plane.column(), evaluate(places, solved.shifts)
    tops, bottoms = column.impedances(*below(places, solved.shifts))
    mass = (side.face[CHARGE_TRANSFER] + side.face[PORE]).sum(1).reshape(shape)
    inside = plane.inside(shape)
    density = np.zeros_like(solved.potential)
    drop = solved.metal[:, None, None] - solved.potential
    for name, where in ((CHARGE_TRANSFER, inside), (PORE, ~inside)):
        if name in places:
            density += np.where(where, y[name][:, None, None] * drop, 0.0)
    if CHARGE_TRANSFER not in places and inside.any():  # an ideal contact: what flows into the stack there
        down = plane.values(plane.modes(solved.potential) * y[BULK][:, None] / tops[0])
        density = np.where(inside, down, density)
    density /= (density * mass).sum((1, 2))[:, None, None]
    carrying = np.broadcast_to(inside | (PORE in places), shape)
    w = plane.modes(density)
    planes = []
    for number, layer in enumerate(column.layers):
        w = (w * tops[number] * layer.passed(bottoms[number]))[:, : column.alive[number + 1]]
        planes.append(w)
    # The uniform mode is the total, equal on every plane: it is set, not computed.
    weight = plane.weights(carrying)
    rows = [density[:, carrying] * weight, *(each[:, 1:] for each in planes)]
    columns = np.hstack(rows).T
    first = columns[:, :1]
    others = columns[:, 1:] - first
    others = spanned(others / np.maximum(np.linalg.norm(others, axis=0), 1e-300)) if others.size else others
    split = np.split(np.hstack([first, others]).T, np.cumsum([row.shape[1] for row in rows])[:-1], axis=1)
    face = np.zeros((len(split[0]), *shape))
    face[:, carrying] = split[0] / weight
    total = np.zeros(len(face))
    total[0] = 1.0
    share = np.where(inside, mass, 0.0) if inside.any() else mass  # not through pores that block direct current
    face += (total - np.einsum("qxy,xy->q", face, mass))[:, None, None] * (share > 0) / share.sum()  # what rounding left
    uniform = total[:, None] * plane.modes(np.ones((1, *shape)))[:, :1] / mass.sum()
    through = (plane.modes(face), *(np.hstack([uniform, each]) for each in split[1:]))
    return PlaneCurrents(plane, column, face, through, solved.shifts)
