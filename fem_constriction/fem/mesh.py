"""u_h(x, y, z) in (planar space) (x) (line space of each layer): extruded meshes, and the matrices of their factors.

Every layer between two grain boundaries has its own elements and its own nodes along z, so that the potential may jump from
one layer to the next. Nodes are numbered row by row: all nodes of a horizontal plane, then the next plane below, WE face
first. On boxes with exact quadrature the products below are the matrices of the three-dimensional hexahedral mesh, to
rounding (a test assembles that one and compares). Lengths are in units of the cell's thickness: scikit-fem's tolerances are
absolute, and coordinates of 1e-5 m would meet them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from skfem import Basis, ElementLineP1, ElementLineP2, ElementQuad1, ElementQuad2, MeshLine, MeshQuad

from fem_constriction.assembly import Array
from fem_constriction.errors import ComputationError
from fem_constriction.fem.forms import bulk, sheet, weighted_sheet
from fem_constriction.modes import Lateral, Modes

LINE = {1: ElementLineP1, 2: ElementLineP2}
QUAD = {1: ElementQuad1, 2: ElementQuad2}


def quadrature_order(degree: int) -> int:
    """2 k in each direction: exact for the mass matrix of degree k on boxes, so that the lower bound holds."""
    return 2 * degree


@dataclass(frozen=True, eq=False)
class LineSpace:
    """Lagrange elements of one degree on a line: the nodes in ascending order, int u' v' and int u v."""

    nodes: Array
    stiffness: sparse.csr_array
    mass: sparse.csr_array

    @classmethod
    def build(cls, lines: Array, degree: int) -> LineSpace:
        """Return the space on the mesh with these lines."""
        basis = Basis(MeshLine(lines), LINE[degree](), intorder=quadrature_order(degree))
        order = np.argsort(basis.doflocs[0])
        return cls(basis.doflocs[0][order], _ordered(bulk.assemble(basis), order), _ordered(sheet.assemble(basis), order))


@dataclass(frozen=True, eq=False)
class PlanarSpace:
    """Lagrange elements on quadrilaterals in the plane: every horizontal face carries this space.

    stiffness, mass: int grad u . grad v and int u v; contact, pore: int u v over those parts of the WE face.
    x, y: the line spaces of which it is the product, nodes ordered (x, y).
    """

    x: LineSpace
    y: LineSpace
    stiffness: sparse.csr_array
    mass: sparse.csr_array
    contact: sparse.csr_array
    pore: sparse.csr_array

    @classmethod
    def build(cls, x: Array, y: Array, touched: Array, degree: int) -> PlanarSpace:
        """Return the space on the mesh with these lines; touched: the part of each cell that is contact, (x cells, y cells)."""
        columns, rows = LineSpace.build(x, degree), LineSpace.build(y, degree)
        mesh = MeshQuad.init_tensor(x, y)
        middle = _cell_index(mesh, (x, y))
        basis = Basis(mesh, QUAD[degree](), intorder=quadrature_order(degree))
        order = _tensor_order(basis.doflocs, (columns.nodes, rows.nodes))
        contact, pore = regions(mesh, QUAD[degree], touched[middle[0], middle[1]], intorder=quadrature_order(degree))
        return cls(
            columns,
            rows,
            stiffness=_ordered(bulk.assemble(basis), order),
            mass=_ordered(sheet.assemble(basis), order),
            contact=_ordered(contact, order),
            pore=_ordered(pore, order),
        )

    @property
    def lateral(self) -> Lateral:
        """The modes of the plane: products of those of x and y."""
        return Lateral(*(Modes.generalised(each.stiffness.toarray(), each.mass.toarray()) for each in (self.x, self.y)))

    @property
    def size(self) -> int:
        """Number of nodes of a horizontal plane."""
        return int(self.mass.shape[0])


@dataclass(frozen=True, eq=False)
class VerticalSpace:
    """Line spaces of all layers side by side, with no continuity between layers.

    stiffness, mass: int u' v' and int u v over all layers; jumps: sum over boundaries of [u][v], [u] = above - below;
    starts: the first row of each layer below a boundary; layers: the spaces. Row 0 is the WE face, the last one the CE face.
    """

    stiffness: sparse.csr_array
    mass: sparse.csr_array
    jumps: sparse.csr_array
    starts: NDArray[np.int64]
    layers: tuple[LineSpace, ...]

    @classmethod
    def build(cls, layers: Sequence[Array], degree: int) -> VerticalSpace:
        """Return the space on the meshes with these lines, one per layer, from the WE down."""
        spaces = [LineSpace.build(lines, degree) for lines in layers]
        ends = np.cumsum([len(space.nodes) for space in spaces])
        number, above, below = np.arange(len(spaces) - 1), ends[:-1] - 1, ends[:-1]
        entries = np.repeat([1.0, -1.0], number.size)
        jump = sparse.csr_array((entries, (np.tile(number, 2), np.append(above, below))), shape=(number.size, ends[-1]))
        stiffness, mass = (
            sparse.csr_array(sparse.block_diag([getattr(space, name) for space in spaces], format="csr"))
            for name in ("stiffness", "mass")
        )
        return cls(stiffness, mass, sparse.csr_array(jump.T @ jump), ends[:-1], tuple(spaces))

    @property
    def size(self) -> int:
        """Number of rows of nodes."""
        return int(self.mass.shape[0])

    def row(self, number: int) -> sparse.csr_array:
        """The trace on one row, u v there: number 0 is the WE face, -1 the CE face."""
        where = ([number % self.size], [number % self.size])
        return sparse.csr_array(([1.0], where), shape=(self.size, self.size))


def regions(mesh: Any, element: Callable[[], Any], touched: Array, **quadrature: Any) -> list[sparse.csr_array]:
    """Return int u v over the contact and over the pores; touched: the part of each cell of the mesh that is contact, (cells,).

    Cells that have both count for both, each with its part.
    """
    found = []
    for share in (touched, 1 - touched):
        cells = np.flatnonzero(share > 0)
        basis = Basis(mesh, element(), elements=cells if cells.size else np.array([0]), **quadrature)
        weight = share[basis.tind][:, None] * np.ones_like(basis.dx)
        found.append(sparse.csr_array(weighted_sheet.assemble(basis, weight=weight)))
        found[-1].eliminate_zeros()
    return found


def _ordered(matrix: Any, order: NDArray[np.int64]) -> sparse.csr_array:
    return sparse.csr_array(sparse.csr_array(matrix)[order][:, order])


def _cell_index(mesh: MeshQuad, lines: Sequence[Array]) -> list[NDArray[np.int64]]:
    centres = mesh.p[:, mesh.t].mean(1)
    return [np.searchsorted(axis, centre) - 1 for axis, centre in zip(lines, centres, strict=True)]


def _tensor_order(locations: Array, nodes: Sequence[Array]) -> NDArray[np.int64]:
    """Return the degrees of freedom in the order of the tensor product of nodes (last axis fastest)."""
    index = np.zeros(locations.shape[1], dtype=np.int64)
    for coordinate, axis in zip(locations, nodes, strict=True):
        middles = (axis[1:] + axis[:-1]) / 2
        index = index * len(axis) + np.searchsorted(middles, coordinate)
    order = np.argsort(index)
    if not np.array_equal(index[order], np.arange(index.size)):
        raise ComputationError("the mesh's nodes are not those of its tensor grid: lines too close together")
    return order
