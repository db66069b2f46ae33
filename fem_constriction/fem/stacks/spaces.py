"""u_h(x, y, z) in (planar space) (x) (line space of each layer): extruded meshes, and the matrices of their factors.

Every layer between two grain boundaries has its own elements and its own nodes along z, so that the potential may jump from
one layer to the next. Nodes are numbered row by row: all nodes of a horizontal plane, then the next plane below, WE face
first. On boxes with exact quadrature the products below are the matrices of the three-dimensional hexahedral mesh, to
rounding (a test assembles that one and compares). Lengths are in units of the cell's thickness: scikit-fem's tolerances are
absolute, and coordinates of 1e-5 m would meet them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from skfem import Basis, MeshLine
from skfem.element.element_h1 import ElementH1
from skfem.refdom import RefLine

from fem_constriction.arrays import Array
from fem_constriction.fem.forms import bulk, sheet
from fem_constriction.processes.course import Course
from fem_constriction.processes.names import BULK
from fem_constriction.stack.modes import Lateral, Modes
from fem_constriction.stack.sparse_functions import Pencil


def quadrature_order(degree: int) -> int:
    """2 k in each direction: exact for the mass matrix of degree k on boxes, so that the lower bound holds."""
    return 2 * degree


class LagrangeLine(ElementH1):  # type: ignore[misc]
    """Lagrange's polynomials of one degree at equally spaced nodes of a line, for scikit-fem, which has them up to degree 2."""

    refdom = RefLine
    nodal_dofs = 1

    def __init__(self, degree: int) -> None:
        inner = np.arange(1, degree) / degree
        self.doflocs = np.concatenate([[0.0, 1.0], inner])[:, None]
        self.interior_dofs, self.maxdeg = degree - 1, degree
        self.dofnames = ["u", *("u" for _ in inner)]

    def lbasis(self, X: Array, i: int) -> tuple[Array, Array]:
        """Return the i-th polynomial and its derivative at points X, (1, n)."""
        value, slope = np.ones_like(X[0]), np.zeros_like(X[0])
        for node in np.delete(self.doflocs[:, 0], i):
            distance = self.doflocs[i, 0] - node
            slope = slope * (X[0] - node) / distance + value / distance
            value = value * (X[0] - node) / distance
        return value, slope[None]


@dataclass(frozen=True, eq=False)
class LineSpace:
    """Lagrange elements of one degree on a line: the nodes in ascending order, int u' v' and int u v; lines: of the mesh."""

    nodes: Array
    stiffness: sparse.csr_array
    mass: sparse.csr_array
    lines: Array

    @classmethod
    def build(cls, lines: Array, degree: int) -> LineSpace:
        """Return the space on the mesh with these lines."""
        basis = Basis(MeshLine(lines), LagrangeLine(degree), intorder=quadrature_order(degree))
        order = np.argsort(basis.doflocs[0])
        stiffness, mass = (_ordered(form.assemble(basis), order) for form in (bulk, sheet))
        return cls(basis.doflocs[0][order], stiffness, mass, lines)

    @property
    def modes(self) -> Modes:
        """K v = lambda M v of the line."""
        cosines = Modes.elements(self.lines) if len(self.nodes) == len(self.lines) else None
        return cosines or Modes.generalised(self.stiffness.toarray(), self.mass.toarray())

    def weighted(self, weight: Array) -> sparse.csr_array:
        """Return int w u v with a weight for each cell of the mesh, (cells,)."""
        cells = len(self.lines) - 1
        degree = (len(self.nodes) - 1) // cells
        unit = LineSpace.build(np.array([0.0, 1.0]), degree).mass.toarray()
        blocks = (weight * np.diff(self.lines))[:, None, None] * unit
        places = degree * np.arange(cells)[:, None, None] + np.arange(degree + 1)
        rows, columns = np.broadcast_arrays(places.transpose(0, 2, 1), places)
        shape = (len(self.nodes), len(self.nodes))
        return sparse.csr_array(sparse.coo_array((blocks.ravel(), (rows.ravel(), columns.ravel())), shape=shape))


#: Columns of cells that differ, up to which the contact's matrix is a sum of products.
ALIKE = 32


class Plane:
    """The space that every horizontal face carries, lengths in units of the thickness.

    stiffness, mass: int grad u . grad v and int u v; contact, pore: int u v over those parts of the WE face, (nodes, nodes).
    """

    stiffness: sparse.csr_array
    mass: sparse.csr_array
    contact: sparse.csr_array
    pore: sparse.csr_array

    @property
    def functions(self) -> Lateral | Pencil:
        """Functions of the stiffness and the mass, which the face is solved with."""
        raise NotImplementedError

    @property
    def cheapest(self) -> Lateral | Pencil:
        """Those that all unknowns are preconditioned by."""
        return self.functions

    @property
    def size(self) -> int:
        """Number of nodes."""
        return int(self.mass.shape[0])

    def free(self, *, ideal: bool) -> NDArray[np.bool_]:
        """Return which nodes of the WE face are unknowns: not those of an ideal contact, to which its edge belongs."""
        return free_of(self.contact, ideal=ideal)


def free_of(contact: sparse.csr_array, *, ideal: bool) -> NDArray[np.bool_]:
    """Return which nodes of a face are unknowns: not those of an ideal contact, to which its edge belongs."""
    return np.asarray(contact.diagonal() == 0) if ideal else np.ones(contact.shape[0], dtype=bool)


@dataclass(frozen=True, eq=False)
class PlanarSpace(Plane):
    """Lagrange elements on rectangles in the plane.

    x, y: the line spaces of which it is the product, nodes ordered (x, y).
    """

    x: LineSpace
    y: LineSpace
    stiffness: sparse.csr_array
    mass: sparse.csr_array
    contact: sparse.csr_array
    pore: sparse.csr_array

    @classmethod
    def build(cls, x: Array, y: Array, touched: Array, degree: int, free: Array | None = None) -> PlanarSpace:
        """Return the space on the mesh with these lines; touched: the part of each cell that is contact, (x cells, y cells);
        free: what each has of pores, weighted by how thin they are, left out: the rest.
        """
        columns, rows = LineSpace.build(x, degree), LineSpace.build(y, degree)
        contact, pore = _contact_and_pore(columns, rows, touched, free)
        stiffness = sparse.kron(columns.stiffness, rows.mass) + sparse.kron(columns.mass, rows.stiffness)
        mass = sparse.kron(columns.mass, rows.mass)
        return cls(columns, rows, sparse.csr_array(stiffness), sparse.csr_array(mass), contact, pore)

    def touched(self, touched: Array, free: Array | None = None) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Return int u v over the contact and over the pores of another face of the same mesh, (nodes, nodes) each."""
        return _contact_and_pore(self.x, self.y, touched, free)

    @property
    def lateral(self) -> Lateral:
        """The modes of the plane: products of those of x and y."""
        return Lateral(*(each.modes for each in (self.x, self.y)))

    @property
    def functions(self) -> Lateral:
        """Functions of the plane: its modes are cheap."""
        return self.lateral


def _contact_and_pore(
    x: LineSpace, y: LineSpace, touched: Array, free: Array | None
) -> tuple[sparse.csr_array, sparse.csr_array]:
    return _over(x, y, touched * 1.0), _over(x, y, 1.0 - touched if free is None else free)


def _over(x: LineSpace, y: LineSpace, part: Array) -> sparse.csr_array:
    """int w u v over the plane, w constant on each cell: a product for all columns of cells that are alike, if they are few."""
    total = sparse.csr_array((x.nodes.size * y.nodes.size,) * 2)
    alike, which = np.unique(part, axis=0, return_inverse=True)
    if len(alike) > ALIKE and (x.nodes.size, y.nodes.size) == (len(x.lines), len(y.lines)):
        return _cell_by_cell(np.diff(x.lines), np.diff(y.lines), part)
    for number, row in enumerate(alike):
        if row.any():
            total = total + sparse.kron(x.weighted((which.ravel() == number).astype(float)), y.weighted(row), format="csr")
    found = sparse.csr_array(total)
    found.eliminate_zeros()
    return found


def _cell_by_cell(x: Array, y: Array, part: Array) -> sparse.csr_array:
    """The same of degree 1: a cell gives 1/9, 1/18 or 1/36 of its area to a pair of its corners; summed along diagonals."""
    weight = part * np.outer(x, y) / 36
    shape = (x.size + 1, y.size + 1)
    found = np.zeros((9, *shape))
    for a, b in np.ndindex(2, 2):  # a cell's corner, and the one that it is paired with
        for c, d in np.ndindex(2, 2):
            place = 3 * (c - a + 1) + (d - b + 1)
            share = (2 if a == c else 1) * (2 if b == d else 1)
            found[place, c : c + x.size, d : d + y.size] += share * weight  # by column, as diagonals are stored
    offsets = [(place // 3 - 1) * shape[1] + place % 3 - 1 for place in range(9)]
    size = shape[0] * shape[1]
    matrix = sparse.csr_array(sparse.dia_array((found.reshape(9, size), offsets), shape=(size, size)))
    matrix.eliminate_zeros()
    return matrix


@dataclass(frozen=True, eq=False)
class VerticalSpace:
    """Line spaces of all layers side by side, with no continuity across boundaries.

    stiffnesses, masses: material -> int u' v' and int u v over its layers; jumps_of: boundary -> sum over these of [u][v], [u]
    = above - below; starts: the first row of each layer but the first, the last one of that above where there is no boundary
    between them; above: the last rows above boundaries; layers: the spaces. Row 0 is the WE face, the last one the CE face.
    """

    stiffnesses: Mapping[str, sparse.csr_array]
    masses: Mapping[str, sparse.csr_array]
    jumps_of: Mapping[str, sparse.csr_array]
    starts: NDArray[np.int64]
    above: NDArray[np.int64]
    layers: tuple[LineSpace, ...]

    @classmethod
    def build(cls, layers: Sequence[Array], degree: int, course: Course | None = None) -> VerticalSpace:
        """Return the space on the meshes with these lines, one per layer, from the WE down; course: left out, all alike."""
        spaces, course = _alike(layers, degree), Course.of(course, layers)
        joined = np.array([boundary is None for boundary in course.boundaries], dtype=np.int64)
        counts = np.array([len(space.nodes) for space in spaces])
        first = np.concatenate([[0], np.cumsum(counts)[:-1] - np.cumsum(joined)])
        size = int(first[-1] + counts[-1])
        jumps = {}
        for name in course.kinds:
            below = first[[number + 1 for number in course.below(name)]]
            number, entries = np.arange(below.size), np.repeat([1.0, -1.0], below.size)
            jump = sparse.csr_array((entries, (np.tile(number, 2), np.append(below - 1, below))), shape=(below.size, size))
            jumps[name] = sparse.csr_array(jump.T @ jump)
        stiffnesses, masses = (
            {material: _placed(spaces, part, course.layers_of(material), first, size) for material in course.materials}
            for part in ("stiffness", "mass")
        )
        starts = first[1:].astype(np.int64)
        return cls(stiffnesses, masses, jumps, starts, starts[joined == 0] - 1, tuple(spaces))

    @property
    def stiffness(self) -> sparse.csr_array:
        """Int u' v' over all layers."""
        return _summed(self.stiffnesses, self.masses)

    @property
    def mass(self) -> sparse.csr_array:
        """Int u v over all layers."""
        return _summed(self.masses, self.masses)

    @property
    def jumps(self) -> sparse.csr_array:
        """Sum over all boundaries of [u][v]."""
        return _summed(self.jumps_of, self.masses)

    @property
    def size(self) -> int:
        """Number of rows of nodes."""
        return int(self.masses[BULK].shape[0])

    def row(self, number: int) -> sparse.csr_array:
        """The trace on one row, u v there: number 0 is the WE face, -1 the CE face."""
        where = ([number % self.size], [number % self.size])
        return sparse.csr_array(([1.0], where), shape=(self.size, self.size))


def _placed(
    spaces: Sequence[LineSpace], part: str, numbers: Sequence[int], first: NDArray[np.int64], size: int
) -> sparse.csr_array:
    """The matrices of some layers, each in its rows, (size, size)."""
    blocks = [(sparse.coo_array(getattr(spaces[number], part)), int(first[number])) for number in numbers]
    rows, columns = (np.concatenate([each.coords[axis] + start for each, start in blocks]) for axis in (0, 1))
    return sparse.csr_array((np.concatenate([each.data for each, _ in blocks]), (rows, columns)), shape=(size, size))


def _summed(parts: Mapping[str, sparse.csr_array], masses: Mapping[str, sparse.csr_array]) -> sparse.csr_array:
    size = masses[BULK].shape
    return sparse.csr_array(sum(parts.values(), sparse.csr_array(size)))


def _alike(layers: Sequence[Array], degree: int) -> list[LineSpace]:
    """The line space of each layer; layers with the same cells have the same matrices, which are assembled once."""
    found: list[LineSpace] = []
    known: list[tuple[Array, LineSpace]] = []
    for lines in layers:
        cells = np.diff(lines)
        like = next((space for sizes, space in known if _same(sizes, cells)), None)
        if like is None:
            known.append((cells, like := LineSpace.build(lines, degree)))
        found.append(replace(like, nodes=like.nodes + (lines[0] - like.lines[0]), lines=lines))
    return found


def _same(sizes: Array, others: Array) -> bool:
    """Whether two layers have the same cells, to the rounding of lines that are differences of others."""
    return sizes.shape == others.shape and bool(np.allclose(sizes, others, rtol=1e-12, atol=0))


def _ordered(matrix: Any, order: NDArray[np.int64]) -> sparse.csr_array:
    return sparse.csr_array(sparse.csr_array(matrix)[order][:, order])
