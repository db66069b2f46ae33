"""Currents by what they are on the planes between layers, at r real shifts: a span that discs are chosen from.

A density on every plane, all of the same total, is a current without sources, however it was come by: in each layer what one
plane has more than the next flows sideways (`exact_layers`). The density on the face is that of a solution at a real shift; the
ones below continue it as well as that shift allows. Differences between such currents have no total, and are orthonormal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, PORE
from fem_constriction.reduction.factors import factorised
from fem_constriction.reduction.reduced import spanned
from fem_constriction.stack.face_model import FaceSolutions
from fem_constriction.stack.layered import Layered
from validation.discs.exact_layers import Column
from validation.discs.planes import Plane, below, column_of, course_of, gathered, orthonormal
from validation.discs.subspaces import currents_within


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
        """Return int j_l . j_m for every process, (q, q), over the whole cell; of pores int (d/d_0) j_l . j_m."""
        area, side = self.plane.side.area, self.plane.side
        course, alive = course_of(side), len(self.column.layers)
        layers = zip(self.column.layers, self.through, self.through[1:], strict=False)
        found = gathered(course.bulks[:alive], (layer.currents(top, bottom) for layer, top, bottom in layers), area)
        face = self.face.reshape(len(self.face), -1)
        if CHARGE_TRANSFER in places:
            found[CHARGE_TRANSFER] = face @ (side.face[CHARGE_TRANSFER] @ face.T)
        if PORE in places:  # y (d_0/d) (V - phi) = j: areas times d_0/d are divided by its square
            pores = face if side.thinness is None else face / side.thinness
            found[PORE] = pores @ (side.face[PORE] @ pores.T)
        crossed = [name if name in places else None for name in course.boundaries[: alive - 1]]
        found |= gathered(crossed, (w @ w.T for w in self.through[1:-1]), area)
        if COUNTER_ELECTRODE in places:
            found[COUNTER_ELECTRODE] = area * self.through[-1] @ self.through[-1].T
        return found


def currents_on_planes(side: Layered, solved: FaceSolutions, places: Mapping[str, Admittance]) -> PlaneCurrents:
    """Return what the currents into the face, continued downwards, span: that of the first shift, and differences to it."""
    density, inside, mass = densities(side, solved, places)
    # What rounding leaves of totals is made up for on the contact: not through pores, which may block direct current.
    share = np.where(inside | (not inside.any()), 1.0, 0.0)
    share /= np.sum(share * mass)
    first = density[:1] + (1 - np.sum(density[:1] * mass)) * share
    functions, z = orthonormal(side, density[1:] - first)
    functions = functions - np.sum(functions * mass, axis=(1, 2))[:, None, None] * share
    side = currents_within(side, np.concatenate([first, functions]), solved)
    plane = Plane(side)
    column = plane.column()
    start, modes = plane.modes(first), plane.modes(functions)
    tops, bottoms = column.impedances(below(side, places, solved.shifts))
    w = np.vstack([start, start + z @ modes])
    planes = []
    for number, layer in enumerate(column.layers):
        w = (w * tops[number] * layer.passed(bottoms[number]))[:, : column.alive[number + 1]]
        planes.append(w)
    # The uniform mode is the total, equal on every plane: it is set, not computed.
    rows = [z, *(each[1:, 1:] - each[0, 1:] for each in planes)]
    columns = np.hstack(rows).T
    span = spanned(columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)) if columns.size else columns
    z, *others = np.split(span.T, np.cumsum([row.shape[1] for row in rows])[:-1], axis=1)
    face = np.concatenate([first, np.tensordot(z, functions, 1)])
    uniform = np.zeros((len(face), 1))
    uniform[0] = start[0, 0]
    through = [np.vstack([start, z @ modes])]
    through += [np.hstack([uniform, np.vstack([each[0, 1:], other])]) for each, other in zip(planes, others, strict=True)]
    through[0][1:, 0] = 0.0
    return PlaneCurrents(plane, column, face, tuple(through), solved.shifts)


def densities(side: Layered, solved: FaceSolutions, places: Mapping[str, Admittance]) -> tuple[Array, NDArray[np.bool_], Array]:
    """Return the densities on the face of unit total, (r, nx, ny), which of them are the contact's, and int of each, (nx, ny).

    y (V - phi) where the metal has an admittance (d_0/d times that of the pores), and at an ideal contact what flows into the
    stack there.
    """
    shape = solved.potential.shape[1:]
    thin = np.ones(side.free.size) if side.thinness is None else side.thinness
    whole = sparse.csr_array(side.face[CHARGE_TRANSFER] + side.face[PORE] / thin)
    inside = np.asarray(side.face[CHARGE_TRANSFER].sum(1)).reshape(shape) > 0
    mass, y = np.asarray(whole.sum(1)).reshape(shape), evaluate(places, solved.shifts)
    found = np.zeros_like(solved.potential)
    drop = solved.metal[:, None, None] - solved.potential
    for name, where in ((CHARGE_TRANSFER, inside), (PORE, ~inside)):
        if name in places:
            found += np.where(where, y[name][:, None, None] * drop * thin.reshape(shape), 0.0)
    if CHARGE_TRANSFER not in places and inside.any():
        values = side.lateral.values
        tops, _ = column_of(side).impedances(below(side, places, solved.shifts))
        admittance = np.empty((solved.shifts.size, values.size))
        admittance[:, np.argsort(values.ravel(), kind="stable")] = y[BULK][:, None] / tops[0]
        down = side.lateral.conduct(solved.potential, admittance.reshape(-1, *values.shape))
        into = factorised(whole / side.area).solve(np.asfortranarray(down.reshape(len(down), -1).T)).T
        found = np.where(inside, into.reshape(found.shape), found)
    return found / np.sum(found * mass, axis=(1, 2))[:, None, None], inside, mass
