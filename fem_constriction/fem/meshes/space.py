"""Lagrange elements on cut tetrahedra or hexahedra, their traces on faces, and the cells cut in eight.

Cells and faces are those of `facets`, vertices in VTK's order; scikit-fem's own order stays in here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from skfem import (
    Basis,
    ElementHex1,
    ElementHex2,
    ElementQuad1,
    ElementQuad2,
    ElementTetP1,
    ElementTetP2,
    ElementTriP1,
    ElementTriP2,
    MeshHex,
    MeshTet,
)
from skfem.quadrature import get_quadrature

from fem_constriction.arrays import Array
from fem_constriction.cell.meshfile import RegionMesh
from fem_constriction.fem.forms import bulk
from fem_constriction.geometry.facets import MIRRORED, Integers, affine, numbered, spans

VOLUME = {4: (ElementTetP1, ElementTetP2), 8: (ElementHex1, ElementHex2)}
FACE = {3: (ElementTriP1, ElementTriP2), 4: (ElementQuad1, ElementQuad2)}

#: Cells (VTK's order) to scikit-fem's order of vertices and back.
TO_VTK = {4: [0, 1, 2, 3], 8: [0, 3, 6, 2, 1, 5, 7, 4]}
TO_SKFEM = {count: [order.index(n) for n in range(count)] for count, order in TO_VTK.items()}


class Space:
    """Continuous Lagrange elements of degree 1 or 2 on cut cells, and where on a face their nodes are."""

    def __init__(self, points: Array, cells: Integers, degree: int) -> None:
        self.degree, self.points, self.cells = degree, points, cells
        width = cells.shape[1]
        kind = MeshTet if width == 4 else MeshHex
        self.mesh = kind(np.ascontiguousarray(points.T), np.ascontiguousarray(cells[:, TO_SKFEM[width]].T))
        # Gradients are of degree k - 1 in all on tetrahedra and k in each direction on parallelepipeds; else more, never exact.
        order = max(2 * degree - 2, 1) if width == 4 else 2 * degree + 2 * (not affine(points, cells))
        self.basis = Basis(self.mesh, VOLUME[width][degree - 1](), intorder=order)

    @property
    def size(self) -> int:
        """Number of nodes."""
        return int(self.basis.N)

    def stiffness(self) -> sparse.csr_array:
        """Int grad u . grad v, (nodes, nodes)."""
        return sparse.csr_array(bulk.assemble(self.basis))

    def on_faces(self, faces: Integers) -> Integers:
        """Return the nodes of faces given by their vertices (k, 3 or 4), in the order of the planar element."""
        nodal = self.basis.nodal_dofs[0][faces]
        if self.degree == 1:
            return np.asarray(nodal)
        count = faces.shape[1]
        pairs = [(i, (i + 1) % count) for i in range(count)]
        edges = np.stack([lookup(self.mesh.edges.T, faces[:, pair]) for pair in pairs], axis=1)
        nodes = [nodal, self.basis.edge_dofs[0][edges]]
        if count == 4:
            nodes.append(self.basis.facet_dofs[0][lookup(self.mesh.facets.T, faces)][:, None])
        return np.concatenate(nodes, axis=1)

    def masses(self, faces: Integers) -> Array:
        """Int u v on each face, (k, nodes of a face, nodes of a face)."""
        count = faces.shape[1]
        shape, plane = FACE[count][self.degree - 1](), FACE[count][0]()
        at, weights = get_quadrature(shape.refdom, 2 * self.degree + 2 * (count == 4))
        values = np.stack([shape.lbasis(at, i)[0] for i in range(len(shape.doflocs))])
        slopes = np.stack([plane.lbasis(at, i)[1] for i in range(count)])  # (corners, 2, points)
        along = np.einsum("kix,idq->kdxq", self.points[faces], slopes)
        size = np.linalg.norm(np.cross(along[:, 0], along[:, 1], axisa=1, axisb=1), axis=2)
        return np.asarray(np.einsum("kq,q,iq,jq->kij", size, weights, values, values))

    def from_vertices(self) -> sparse.csr_array:
        """Functions of degree 1 as those of this degree, (nodes, vertices): means of the vertices of an edge, facet or cell."""
        basis, parts = self.basis, [(self.basis.nodal_dofs[0][None], np.arange(len(self.points))[None])]
        if self.degree == 2:
            parts.append((basis.edge_dofs, self.mesh.edges))
            if self.cells.shape[1] == 8:
                parts += [(basis.facet_dofs, self.mesh.facets), (basis.interior_dofs, self.mesh.t)]
        rows = np.concatenate([np.tile(nodes[0], len(vertices)) for nodes, vertices in parts])
        columns = np.concatenate([vertices.ravel() for _, vertices in parts])
        entries = np.concatenate([np.full(vertices.size, 1 / len(vertices)) for _, vertices in parts])
        return sparse.csr_array((entries, (rows, columns)), shape=(self.size, len(self.points)))


def refined(mesh: RegionMesh, level: int) -> RegionMesh:
    """Return the mesh with every cell cut in eight, `level` times; faces are cut in four with them."""
    for _ in range(level):
        width = mesh.cells.shape[1]
        kind = MeshTet if width == 4 else MeshHex
        coarse = kind(np.ascontiguousarray(mesh.points.T), np.ascontiguousarray(mesh.cells[:, TO_SKFEM[width]].T))
        fine = coarse.refined()
        first = len(mesh.points)  # vertices, then the middles of edges, then those of facets
        faces = {}
        for region, old in mesh.faces.items():
            count = old.shape[1]
            middle = [first + lookup(coarse.edges.T, old[:, [i, (i + 1) % count]]) for i in range(count)]
            if count == 4:
                centre = first + coarse.edges.shape[1] + lookup(coarse.facets.T, old)
                parts: list[tuple[Integers, ...]] = [(old[:, i], middle[i], centre, middle[i - 1]) for i in range(4)]
            else:
                parts = [*((old[:, i], middle[i], middle[i - 1]) for i in range(3)), tuple(middle)]
            faces[region] = np.concatenate([np.stack(part, axis=1) for part in parts])
        cells = np.ascontiguousarray(fine.t.T.astype(np.int64)[:, TO_VTK[width]])
        mirrored = spans(fine.p.T, cells)[:, 0] < 0
        cells[mirrored] = cells[mirrored][:, MIRRORED[width]]
        mesh = RegionMesh(fine.p.T, cells, faces)
    return mesh


def lookup(known: Any, rows: Integers) -> Integers:
    """Return which row of `known` holds the same vertices as each of `rows`."""
    number, _ = numbered(np.concatenate([np.asarray(known, dtype=np.int64), rows]))
    place = np.empty(number.max() + 1, dtype=np.int64)
    place[number[: len(known)]] = np.arange(len(known))
    return place[number[len(known) :]]
