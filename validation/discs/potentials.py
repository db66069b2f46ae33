"""Potentials by what they are on the planes between layers, at r real shifts: a span that discs are chosen from.

From the solution on the face downwards each mode has what continues it best through layers, boundaries and counter electrode
at that shift (`exact_layers`). How well it does decides how small a disc is and nothing else: whatever stands on the planes, a
potential is conforming, so nothing is taken on trust from the recursion behind a spectrum. Orthonormal columns of all values on
all planes take the place of the solutions: Gram matrices of those would lose half of all digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE, PORE
from fem_constriction.reduction.reduced import spanned
from fem_constriction.stack.face_model import FaceSolutions
from fem_constriction.stack.layered import Layered
from validation.discs.exact_layers import Column
from validation.discs.planes import Plane, below, course_of, gathered, orthonormal
from validation.discs.subspaces import potentials_within


@dataclass(frozen=True, eq=False)
class PlanePotentials:
    """q potentials, conforming in every layer and constant on the metal.

    Parameters
    ----------
    metal, face
        V, (q,), and phi on the nodes of the face, (q, nx, ny).
    top, bottom
        Coefficients of phi in modes at the top and the bottom of every layer, (q, modes alive).
    shifts, coordinates
        Of the solutions that they span, 1/s, and what these are in them, (q, r).
    """

    plane: Plane
    column: Column
    metal: Array
    face: Array
    top: tuple[Array, ...]
    bottom: tuple[Array, ...]
    shifts: Array
    coordinates: Array

    def gram(self, places: Mapping[str, Admittance]) -> dict[str, Array]:
        """Return int g_l . g_m of gradients and jumps for every process, (q, q), times the area of the whole cell."""
        area, side = self.plane.side.area, self.plane.side
        course = course_of(side)
        layers = zip(self.column.layers, self.top, self.bottom, strict=True)
        alive = len(self.column.layers)
        found = gathered(course.bulks[:alive], (layer.potentials(top, bottom) for layer, top, bottom in layers), area)
        drop = (self.metal[:, None, None] - self.face).reshape(len(self.metal), -1)
        for name in (CHARGE_TRANSFER, PORE):
            if name in places:
                found[name] = drop @ (side.face[name] @ drop.T)
        jumps = [above - below for above, below in zip(self.bottom, self.top[1:], strict=False)]
        crossed = [name if name in places else None for name in course.boundaries[: alive - 1]]
        found |= gathered(crossed, (jump @ jump.T for jump in jumps), area)
        if COUNTER_ELECTRODE in places:
            found[COUNTER_ELECTRODE] = area * self.bottom[-1] @ self.bottom[-1].T
        return found


def potentials_on_planes(side: Layered, solved: FaceSolutions, places: Mapping[str, Admittance]) -> PlanePotentials:
    """Return what the potentials on the face, continued downwards, span."""
    rise = solved.potential - solved.metal[:, None, None]
    rise[:, ~side.free.reshape(rise.shape[1:])] = 0.0  # what is held is the metal
    functions, z = orthonormal(side, rise)
    side = potentials_within(side, functions, solved)
    plane = Plane(side)
    column = plane.column()
    ones = np.ones((1, *rise.shape[1:]))
    uniform, modes = plane.modes(ones), plane.modes(functions)
    steps, course = below(side, places, solved.shifts), course_of(side)
    tops, bottoms = column.impedances(steps)
    a = solved.metal[:, None] * uniform + z @ modes
    planes: list[Array] = []
    for number, layer in enumerate(column.layers):
        count = column.alive[number + 1]
        b = (a * bottoms[number] * layer.passed(bottoms[number]))[:, :count]
        planes.append(b)
        if number + 1 < len(column.layers):
            touching = course.boundaries[number] is None
            a = b if touching else b * (tops[number + 1] * steps.ratios[number][:, None] / bottoms[number][:, :count])
            if not touching:  # else the potential is continuous: no value of its own
                planes.append(a)
    grounded = COUNTER_ELECTRODE not in places
    rows = [solved.metal[:, None], z, *(planes[:-1] if grounded else planes)]
    columns = np.hstack(rows).T
    columns = columns / np.linalg.norm(columns, axis=0)
    span = spanned(columns)
    metal, z, *rest = np.split(span.T, np.cumsum([row.shape[1] for row in rows])[:-1], axis=1)
    if grounded:
        rest.append(np.zeros((len(metal), column.alive[-1])))
    left = iter(rest)
    top, bottom = [metal * uniform + z @ modes], [next(left)]
    for number in range(1, len(column.layers)):
        top.append(bottom[-1] if course.boundaries[number - 1] is None else next(left))
        bottom.append(next(left))
    face = metal[:, :, None] * ones + np.tensordot(z, functions, 1)
    inside = tuple(top), tuple(bottom)
    return PlanePotentials(plane, column, metal[:, 0], face, *inside, solved.shifts, np.asarray(span.T @ columns))
