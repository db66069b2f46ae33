"""Trilinear elements on voxels, written out voxel by voxel and face by face without anything of the package's own."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy import sparse
from scipy.constants import epsilon_0
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

import fem_constriction as fc

SLOPES = np.array([[1.0, -1.0], [-1.0, 1.0]])
VALUES = np.array([[2.0, 1.0], [1.0, 2.0]]) / 6
CORNERS = list(product((0, 1), repeat=3))


def literal_elements(cell: fc.Cell, labels: np.ndarray, contact: np.ndarray, s: complex) -> complex:
    """Z(s) of a label image in elements of degree 1; labels (z, x, y), contact (x, y), as fine as the grid is to be.

    Corners of voxels are joined one by one over every face that joins, then a potential belongs to each set of joined corners.
    """
    structure = cell.electrolyte.microstructure
    inside: dict[int, complex] = {}
    bulk = cell.electrolyte.conductivity + s * cell.electrolyte.relative_permittivity * epsilon_0
    nz, nx, ny = labels.shape
    hz, hx, hy = cell.geometry.thickness / nz, cell.geometry.lengths[0] / nx, cell.geometry.lengths[1] / ny
    gb, electrode, counter = structure.boundary, cell.working_electrode, cell.counter_electrode.charge_transfer
    y_gb = None if gb is None else (gb.conductivity + s * gb.relative_permittivity * epsilon_0) / gb.thickness
    transfer, pore = electrode.charge_transfer, electrode.pore
    y_ct = None if transfer is None else 1 / transfer.resistance + s * transfer.capacitance
    y_pore = 0 if pore is None else pore.areal_conductance + s * pore.areal_capacitance
    y_ce = None if counter is None else 1 / counter.resistance + s * counter.capacitance

    count = 8 * labels.size
    metal, ground = count, count + 1

    def corner(index: tuple[int, ...], at: tuple[int, ...]) -> int:
        return 8 * int(np.ravel_multi_index(index, labels.shape)) + CORNERS.index(at)

    ties: list[tuple[int, int]] = []
    films: list[tuple[complex, list[int], list[int], float]] = []  # y, corners on either side, area

    def meet(y: complex | None, first: list[int], second: list[int], area: float) -> None:
        if y is None:
            ties.extend(zip(first, second, strict=True))
        elif y != 0:
            films.append((y, first, second, area))

    sides = {each.label: each.tied_to for each in structure.phases if each.kind == "electrode"}
    voids = [each.label for each in structure.phases if each.kind == "hole"]
    inside |= {i.label: (i.conductivity or 0) + s * i.relative_permittivity * epsilon_0 for i in structure.materials}
    kappa = {index: inside.get(int(labels[index]), bulk) for index in np.ndindex(labels.shape)}
    for index in np.ndindex(labels.shape):
        if labels[index] in sides:
            kappa[index] = np.inf
            ties += [(corner(index, c), corner(index, CORNERS[0])) for c in CORNERS[1:]]

    def film(metal_at: tuple[int, ...], beside: tuple[int, ...]) -> complex | None:
        bare = int(labels[beside]) in sides or int(labels[beside]) in voids
        return None if bare else {"working": y_ct, "counter": y_ce}[sides[int(labels[metal_at])]]

    areas = (hx * hy, hz * hy, hz * hx)
    for index in np.ndindex(labels.shape):
        if kappa[index] == 0:
            continue
        for axis in range(3):
            after = tuple(i + (a == axis) for a, i in enumerate(index))
            if after[axis] == labels.shape[axis] or kappa[after] == 0:
                continue
            other = {*inside, *sides}
            grains = labels[index] not in other and labels[after] not in other
            y = y_gb if grains and labels[index] != labels[after] else None
            if labels[index] in sides or labels[after] in sides:
                y = film(index, after) if labels[index] in sides else film(after, index)
            low, high = ([c for c in CORNERS if c[axis] == side] for side in (0, 1))
            meet(y, [corner(index, c) for c in high], [corner(after, c) for c in low], areas[axis])
        if index[0] == 0:
            top = [corner(index, c) for c in CORNERS if c[0] == 0]
            bare = labels[index] in sides or labels[index] in voids
            meet((None if bare else y_ct) if contact[index[1:]] else y_pore, [metal] * 4, top, areas[0])
        if index[0] == nz - 1:
            bare = labels[index] in sides or labels[index] in voids
            meet(None if bare else y_ce, [corner(index, c) for c in CORNERS if c[0] == 1], [ground] * 4, areas[0])

    tie = np.array(ties).reshape(-1, 2)
    graph = sparse.coo_array((np.ones(len(tie)), (tie[:, 0], tie[:, 1])), shape=(count + 2, count + 2))
    number, node = connected_components(graph, directed=False)
    lengths = (hz, hx, hy)
    volume = hz * hx * hy
    element = np.zeros((8, 8))
    for axis in range(3):
        factors = [SLOPES if a == axis else VALUES for a in range(3)]
        element += volume / lengths[axis] ** 2 * np.kron(factors[0], np.kron(factors[1], factors[2]))
    rows, columns, values = [], [], []
    for index, k in kappa.items():
        if k == 0 or k == np.inf:
            continue
        own = [node[corner(index, c)] for c in CORNERS]
        for i, j in product(range(8), repeat=2):
            rows.append(own[i]), columns.append(own[j]), values.append(k * element[i, j])  # type: ignore[func-returns-value]
    square = np.kron(VALUES, VALUES)
    for y, first, second, area in films:
        for i, j in product(range(4), repeat=2):
            for a, p in ((first, 1), (second, -1)):
                for b, q in ((first, 1), (second, -1)):
                    rows.append(node[a[i]]), columns.append(node[b[j]]), values.append(p * q * y * area * square[i, j])  # type: ignore[func-returns-value]
    matrix = sparse.csr_array((np.array(values, dtype=complex), (rows, columns)), shape=(number, number))
    # What no current reaches, and what is grounded, is left out.
    _, part = connected_components(abs(matrix), directed=False)
    kept = np.flatnonzero((part == part[node[ground]]) & (np.arange(number) != node[ground]))
    port = (kept == node[metal]).astype(complex)
    return complex(splu(sparse.csc_array(matrix[kept][:, kept])).solve(port)[port != 0][0])
