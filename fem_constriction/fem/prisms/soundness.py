"""|K| > 0 for every triangle K, sum |K| = A, sum over the contact = A_c: what bounds, spectra and fields on prisms stand on.

A bound is a minimum over functions or currents on *the face*. Triangles that overlap, are folded over, leave a crack or have
another area than the contact's outlines make it the bound of another cell, and nothing in the solution shows it. So no prisms
are made over triangles that were not looked at here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from skfem.quadrature import get_quadrature
from skfem.refdom import RefTri

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError

if TYPE_CHECKING:
    from fem_constriction.fem.prisms.outline_mesh import PlanarMesh


#: Areas may differ by this part of themselves: bent triangles are integrated to 1e-12 (`prisms.quadrature`), and a face that is
#: symmetric to 1e-6 changes by the square of that when it is cut (`face.NEARLY`).
AREAS = 1e-9

#: Corners off the walls and closing edges off the perimeter may be rounding of this part of the face's width.
WALLS = 1e-10

#: Points of an edge of a triangle at which its orientation is looked at, beside those of quadrature of this order.
LATTICE, ORDER = 7, 12


def check_triangles(mesh: PlanarMesh) -> None:
    """Raise ComputationError where triangles are no triangulation of the face with the contact in it."""
    from fem_constriction.fem.prisms.curved import CurvedMapping

    unit = max(mesh.face.width)
    mapping = CurvedMapping(mesh, unit)
    if any(len(each) != mesh.t.shape[1] for each in mesh.touched) or len(mesh.patch) != mesh.t.shape[1]:
        _fail(mesh, f"{mesh.t.shape[1]} triangles, but {len(mesh.contact)} that are contact or not")
    # Vertices ascend in each triangle, as scikit-fem wants them, so some run clockwise: one sign all over is what counts.
    points, weights = get_quadrature(RefTri, ORDER)
    found = mapping.detDF(np.hstack([_lattice(), points]))
    signs = np.sign(found)
    folded = np.flatnonzero(np.abs(signs.sum(1)) != signs.shape[1])
    if folded.size:
        where = ", ".join(f"{x:.4g}" for x in mesh.p[:, mesh.t[:, folded[0]]].mean(1))
        _fail(mesh, f"{folded.size} of {mesh.t.shape[1]} triangles are folded over or flat, the first at [{where}] m")
    areas = np.abs(found[:, -weights.size :]) @ weights * unit**2
    whole = mesh.face.width[0] * mesh.face.width[1]
    for what, has, should in (
        ("area", areas.sum(), whole),
        *(("contact area", areas[has].sum(), area) for has, area in zip(mesh.touched, mesh.face.touched, strict=True)),
    ):
        if abs(has - should) > AREAS * should:
            _fail(mesh, f"their {what} is {has:.9g} m2, the face's is {should:.9g} m2")
    edges = np.sort(mesh.t[[[0, 1], [1, 2], [2, 0]]].transpose(0, 2, 1).reshape(-1, 2), axis=1)
    edges, count = np.unique(edges, axis=0, return_counts=True)
    if count.max() > 2:
        _fail(mesh, f"{int((count > 2).sum())} edges belong to more than two of them")
    ends = mesh.p[:, edges[count == 1]]
    walls = [np.all(np.abs(ends[i] - at) <= WALLS * unit, axis=1) for i in range(2) for at in (0.0, mesh.face.width[i])]
    if not np.all(np.any(walls, axis=0)):
        _fail(mesh, f"{int((~np.any(walls, axis=0)).sum())} edges of one triangle alone lie inside the face: a crack")
    around = float(np.linalg.norm(ends[:, :, 1] - ends[:, :, 0], axis=0).sum())
    if abs(around - 2 * sum(mesh.face.width)) > WALLS * unit * ends.shape[1]:
        _fail(mesh, f"their edges on the walls are {around:.9g} m long, the walls {2 * sum(mesh.face.width):.9g} m")


def _lattice() -> Array:
    x, y = np.meshgrid(*[np.linspace(0, 1, LATTICE)] * 2)
    inside = (x + y).ravel() <= 1 + 1e-12
    return np.stack([x.ravel()[inside], y.ravel()[inside]])


def _fail(mesh: PlanarMesh, what: str) -> None:
    raise ComputationError(
        f"the triangulation of the face ({mesh.t.shape[1]} triangles, {len(mesh.face.outlines)} outlines) is not sound: {what}"
        "; nothing is computed on it"
    )
