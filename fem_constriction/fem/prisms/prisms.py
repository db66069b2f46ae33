"""u_h in (triangles of the face) (x) (lines of each layer): prisms that follow any outline of the contact.

One triangulation of the face (`outline_mesh`) is carried through all layers, so an extruded mesh is matrices of the plane times
matrices along z, as with rectilinear grids. Only the plane has no product structure of its own: few nodes are taken apart into
the modes of one dense eigenvalue problem K v = lambda M v, more of them by sparse functions of the two matrices
(`sparse_functions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from skfem import Basis, ElementTriP1, ElementTriP2, ElementTriP3, ElementTriP4

from fem_constriction.arrays import Array
from fem_constriction.fem.forms import bulk, sheet
from fem_constriction.fem.prisms.curved import CurvedMapping
from fem_constriction.fem.prisms.outline_mesh import PlanarMesh, planar_mesh
from fem_constriction.fem.prisms.soundness import check_triangles
from fem_constriction.fem.stacks.spaces import Plane
from fem_constriction.grids.grading import Grading, layers_of
from fem_constriction.grids.rectilinear import Grid
from fem_constriction.problem.faces import Mesher
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.stack.modes import DENSE, Lateral, Modes
from fem_constriction.stack.sparse_functions import Pencil

#: Levels by which lines along z are ahead of the triangles: they cost next to nothing mode by mode, and as many steps left a
#: larger error along z than on the face (measured: a disc at level 0, 2.5e-3 against 4e-4 of R).
FINER = 1

#: Least depth, over the thickness, down to which lines along z follow the power law: narrower gaps make none finer, so that
#: lines of the third level stay apart by more than rounding (`grid.SMALLEST_RATIO`).
SHALLOWEST = 1e-3

#: Nodes of a triangulation from which on all unknowns are preconditioned by modes along z: modes of the plane take 10 s there,
#: and what they then save, a factor of 2 to 10 per shift, no longer makes up for it.
STACKED = 2000

#: Lines across the face on which fields are shown, at most.
LINES = 96

TRIANGLE = {1: ElementTriP1, 2: ElementTriP2, 3: ElementTriP3, 4: ElementTriP4}


@dataclass(frozen=True, eq=False, kw_only=True)
class Prisms(Grid):
    """One triangulation of the face through all layers.

    plane: the triangles; x, y: lines across them on which fields are shown, contact: where the metal is between these. There
    are none over triangles that are no triangulation of the face with its contact: ComputationError (`soundness`).
    """

    plane: PlanarMesh

    def __post_init__(self) -> None:
        super().__post_init__()
        check_triangles(self.plane)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of triangles, and of cells along z."""
        return self.plane.t.shape[1], sum(len(z) - 1 for z in self.layers)

    @cached_property
    def counter_area(self) -> float:
        """What the counter electrode touches in m2, as the triangles have it: all of its face, or what has outlines."""
        return self.copies * self._area(self.plane.touched[1]) if len(self.plane.touched) > 1 else self.area

    @property
    def contact_area(self) -> float:
        """A_c of the whole electrode in m2, as the triangles have it."""
        return self.copies * self._area(self.plane.contact)

    @cached_property
    def area(self) -> float:
        """A of the whole electrode in m2, as the triangles have it."""
        return self.copies * self._area(np.ones_like(self.plane.contact))

    def contact_lines(self, axis: int) -> tuple[int, ...]:
        """Return nothing: the contact ends on triangles, not on lines."""
        return ()

    def quadrature(self) -> tuple[Array, Array]:
        """Return points (2, n) of the face (m) and their weights (m2), in every triangle."""
        basis = triangle_basis(self.plane, self.depth, 2)
        points = np.asarray(basis.global_coordinates()).reshape(2, -1)
        return points * self.depth, np.asarray(basis.dx).ravel() * self.depth**2

    def _area(self, which: NDArray[np.bool_]) -> float:
        basis = triangle_basis(self.plane, self.depth, 1, np.flatnonzero(which))
        return float(basis.dx.sum()) * self.depth**2


def prisms(described: Described, grading: Grading, level: int, mesher: Mesher | None) -> Prisms:
    """Return member `level` of the family of prisms of a cell: the face's triangles halved, and lines along z as graded."""
    problem = Problem.of(described)
    plane, thickness = planar_mesh(problem, grading, level, mesher), problem.body.lengths[2]
    x, y = (_lines(plane.p[axis], plane.face.width[axis]) for axis in range(2))
    middle = [(lines[1:] + lines[:-1]) / 2 for lines in (x, y)]
    touches = np.zeros((len(x) - 1, len(y) - 1), dtype=bool)
    for outline in problem.face.outlines:
        touches |= shapely.contains_xy(outline.shape, *np.meshgrid(*middle, indexing="ij"))
    near = float(np.clip(plane.collar, SHALLOWEST * thickness, thickness))
    return Prisms(
        x=x,
        y=y,
        layers=layers_of(problem.body, near, grading, level + FINER, both=problem.patterned_counter),
        contact=touches,
        copies=plane.copies,
        name=f"prisms, level {level}",
        plane=plane,
    )


def _lines(coordinates: Array, width: float) -> Array:
    """Lines through the corners of the triangles, none much closer to another than 1/LINES of the width."""
    found = np.unique(np.round(np.sort(coordinates) * LINES / width)) / LINES * width
    return np.asarray(np.union1d(found[(found > 0) & (found < width)], [0.0, width]))


def triangle_basis(mesh: PlanarMesh, unit: float, degree: int, elements: Any = None, element: Any = None) -> Basis:
    """Return scikit-fem's basis on (some of) the triangles, lengths in `unit`."""
    mapping = CurvedMapping(mesh, unit)
    return Basis(
        mapping.mesh,
        element or TRIANGLE[degree](),
        mapping=mapping,
        intorder=quadrature(mesh, degree),
        elements=elements,
    )


def quadrature(mesh: PlanarMesh, degree: int) -> int:
    """Return the order of quadrature: exact on straight triangles, 4 more where some are bent (areas to 1e-12, a test)."""
    return 2 * degree + (4 if mesh.arcs else 0)


@dataclass(frozen=True, eq=False)
class TriangleSpace(Plane):
    """Lagrange elements on the triangles of the face, lengths in `unit`."""

    mesh: PlanarMesh
    unit: float
    degree: int
    basis: Basis
    stiffness: sparse.csr_array
    mass: sparse.csr_array
    contact: sparse.csr_array
    pore: sparse.csr_array

    @classmethod
    def build(cls, mesh: PlanarMesh, unit: float, degree: int) -> TriangleSpace:
        """Return the space."""
        basis = triangle_basis(mesh, unit, degree)
        contact, pore = _over(mesh, unit, degree, mesh.contact)
        return cls(
            mesh,
            unit,
            degree,
            basis,
            stiffness=sparse.csr_array(bulk.assemble(basis)),
            mass=sparse.csr_array(sheet.assemble(basis)),
            contact=contact,
            pore=pore,
        )

    def touched(self, which: NDArray[np.bool_]) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Return int u v over the contact and over the pores of a face whose metal touches these triangles, (nodes, nodes)."""
        return _over(self.mesh, self.unit, self.degree, which)

    @property
    def cheapest(self) -> Lateral | Pencil:
        """Modes, as long as they take less time than they save."""
        return self.lateral if self.size < STACKED else self.functions

    @property
    def functions(self) -> Lateral | Pencil:
        """Functions of the plane: by its modes where they are few, else by its pencil, which takes less time and memory."""
        return self.lateral if self.size < DENSE else self.pencil

    @property
    def pencil(self) -> Pencil:
        """The plane's two matrices, as they are."""
        return Pencil.of_matrices(self.stiffness, self.mass)

    @property
    def lateral(self) -> Lateral:
        """The modes of the plane, all along one axis."""
        return Lateral(Modes.generalised(self.stiffness.toarray(), self.mass.toarray()), Modes.single())


def _over(mesh: PlanarMesh, unit: float, degree: int, which: NDArray[np.bool_]) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Int u v over some triangles, and over the others."""
    found = []
    size = triangle_basis(mesh, unit, degree).N
    for part in (which, ~which):
        if not part.any():
            found.append(sparse.csr_array((size, size)))
            continue
        basis = triangle_basis(mesh, unit, degree, np.flatnonzero(part))
        found.append(sparse.csr_array(sheet.assemble(basis)))
    return found[0], found[1]
