"""L_p of a medium: int grad phi . grad psi over the voxels of a phase, int w [phi][psi] over the faces that carry a place.

All voxels are alike, so there is one stiffness matrix and one mass matrix per direction of a face: tensor products of those of
a line, which scikit-fem assembles.
"""

from __future__ import annotations

from functools import reduce
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.fem.sheet import Sheet, sheet
from fem_constriction.fem.stacks.spaces import LineSpace
from fem_constriction.fem.voxels.medium import Medium
from fem_constriction.fem.voxels.nodes import Nodes
from fem_constriction.reduction.assembly import Operator

#: Voxels whose entries are summed at once: 64 of them each for degree 1.
PIECE = 1 << 18


def stiffness(edges: tuple[float, float, float], degree: int) -> Array:
    """Return int grad phi . grad psi of one voxel with edges along z, x and y, nodes with z slowest, y fastest; m."""
    line = LineSpace.build(np.array([0.0, 1.0]), degree)
    slopes, values = line.stiffness.toarray(), line.mass.toarray()
    volume = float(np.prod(edges))
    total = np.zeros(((degree + 1) ** 3, (degree + 1) ** 3))
    for axis, edge in enumerate(edges):
        factors = [slopes if each == axis else values for each in range(3)]
        total += volume / edge**2 * reduce(np.kron, factors)
    return total


def face_mass(degree: int) -> Array:
    """Return int phi psi over a face, for an area of 1."""
    values = LineSpace.build(np.array([0.0, 1.0]), degree).mass.toarray()
    return np.asarray(np.kron(values, values))


def operators(medium: Medium, nodes: Nodes, copies: int) -> dict[str, Operator]:
    """Return one matrix per phase and per place of a medium, (unknowns, unknowns), V last; copies: of it in the cell."""
    found: dict[str, Operator] = {}
    element = copies * stiffness(medium.edges, nodes.degree)
    for number, phase in enumerate(medium.phases):
        found[phase] = _volume(nodes, medium.inside == number, element)
    mass = copies * face_mass(nodes.degree)
    for number, place in enumerate(medium.places):
        sides: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []
        areas = []
        for axis in range(3):
            chosen = medium.faces[axis] == number
            sides.append(nodes.of_faces(axis, chosen))
            weights = medium.weights.get(axis)
            areas.append(medium.area(axis) * (np.ones(int(chosen.sum())) if weights is None else weights[chosen]))
        first, second = (np.concatenate(each) for each in zip(*sides, strict=True))
        found[place] = _sheet(first, second, np.concatenate(areas), mass, nodes.free)
    return found


def _sheet(first: NDArray[np.int32], second: NDArray[np.int32], areas: Array, mass: Array, metal: int) -> Sheet:
    """Faces in pieces: entries of all of them at once would be a hundred times what is left of them."""
    return sheet(first, second, areas[:, None, None] * mass, metal)


def _volume(nodes: Nodes, chosen: NDArray[np.bool_], element: Array) -> sparse.csr_array:
    """Sum the matrices of voxels, in pieces."""
    size = nodes.unknowns
    total = sparse.csr_array((size, size))
    where = np.flatnonzero(chosen)
    for start in range(0, len(where), PIECE):
        piece = np.zeros(chosen.size, dtype=bool)
        piece[where[start : start + PIECE]] = True
        dofs = nodes.of_voxels(piece.reshape(chosen.shape))
        whole = bool((dofs >= 0).all())
        rows, columns, values = [], [], []
        for i, j in product(range(len(element)), repeat=2):
            if abs(element[i, j]) < 1e-15 * element[0, 0]:  # of cubes those of neighbours along an edge are 0
                continue
            one, other = dofs[:, i], dofs[:, j]
            if not whole:
                there = (one >= 0) & (other >= 0)
                one, other = one[there], other[there]
            rows.append(one)
            columns.append(other)
            values.append(np.full(len(one), element[i, j]))
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        part = sparse.csr_array(entries, shape=(size, size))
        total = part if start == 0 else total + part
    return sparse.csr_array(total)
