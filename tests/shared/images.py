"""Label images for tests, and the network they stand for, written out link by link without anything of the package's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.constants import epsilon_0
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

import fem_constriction as fc

#: Materials of the paper's figure 2 with a voxel of 1 um; sections of a cell file.
ELECTRODE = {
    "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
    "pore": {"capacitance": "8.85 uF/cm^2"},
}
BOUNDARY = {"thickness": "10 nm", "conductivity": "5.97 uS/cm", "relative_permittivity": 150}


def image_cell(shape: tuple[int, int, int], fraction: float, microstructure: dict[str, Any], **sections: Any) -> fc.Cell:
    """A cell of so many voxels of 1 um along z, x and y, or of other edges (um)."""
    hz, hx, hy = sections.get("edges", (1, 1, 1))  # um
    nz, nx, ny = (n * h for n, h in zip(shape, (hz, hx, hy), strict=True))
    return fc.Cell(
        geometry={"width": [f"{nx} um", f"{ny} um"], "thickness": f"{nz} um"},
        electrolyte={
            "conductivity": "0.46 mS/cm",
            "relative_permittivity": 150,
            "microstructure": {"voxel": [f"{hz} um", f"{hx} um", f"{hy} um"], **microstructure},
        },
        working_electrode={"contact": {"shape": "square", "fraction": fraction}, **sections.get("electrode", ELECTRODE)},
        counter_electrode=sections.get("counter", {}),
    )


def literal_network(cell: fc.Cell, labels: np.ndarray, contact: np.ndarray, s: complex) -> complex:
    """Z(s): a node per voxel, every link the series of half voxels and what lies between, nothing where anything insulates."""
    structure = cell.electrolyte.microstructure
    edges = structure.edges
    areas = np.prod(edges) / np.array(edges)
    bulk = cell.electrolyte.conductivity + s * cell.electrolyte.relative_permittivity * epsilon_0
    inside = {i.label: i.conductivity + s * i.relative_permittivity * epsilon_0 for i in structure.inclusions}
    gb = structure.boundary
    boundary = 0 if gb is None else gb.thickness / (gb.conductivity + s * gb.relative_permittivity * epsilon_0)  # ohm m2
    electrode, counter = cell.working_electrode, cell.counter_electrode.charge_transfer
    voids = {each.label: each.relative_permittivity or 0 for each in structure.phases if each.kind == "hole"}
    inside |= {label: s * eps * epsilon_0 for label, eps in voids.items()}
    solid = {each.label: each.tied_to for each in structure.phases if each.kind == "electrode"}
    ends, conductances = [], []
    number = np.arange(labels.size).reshape(labels.shape)
    metal = labels.size
    joined_metal(number, labels, solid, contact, metal)

    def film(side: str) -> complex:  # ohm m2
        each = electrode.charge_transfer if side == "working" else counter
        return 0 if each is None else 1 / (1 / each.resistance + s * each.capacitance)

    def half(label: int, axis: int = 0) -> complex:
        kappa = inside.get(label, bulk)
        return np.inf if kappa == 0 else edges[axis] / (2 * kappa * areas[axis])

    def link(a: int, b: int | None, impedance: complex) -> None:
        if not np.isfinite(impedance) or a == b:
            return
        ends.append((a, metal + 1 if b is None else b)), conductances.append(1 / impedance)

    for z, x, y in np.ndindex(labels.shape):
        here = labels[z, x, y]
        for axis, (dz, dx, dy) in enumerate(((1, 0, 0), (0, 1, 0), (0, 0, 1))):
            if z + dz < labels.shape[0] and x + dx < labels.shape[1] and y + dy < labels.shape[2]:
                other = labels[z + dz, x + dx, y + dy]
                if {here, other} & set(solid):
                    if not {here, other} <= set(solid):  # metal and something else
                        side, what = (solid[here], other) if here in solid else (solid[other], here)
                        thin = 0 if what in voids else film(side) / areas[axis]
                        link(number[z, x, y], number[z + dz, x + dx, y + dy], half(what, axis) + thin)
                    continue
                meets = here != other and here not in inside and other not in inside
                thin = boundary / areas[axis] * meets
                link(number[z, x, y], number[z + dz, x + dx, y + dy], half(here, axis) + thin + half(other, axis))
        if z == labels.shape[0] - 1 and here not in solid:
            link(number[z, x, y], None, half(here) + (0 if here in voids else film("counter") / areas[0]))
        if z == 0 and contact[x, y] and here not in solid:
            link(metal, number[z, x, y], half(here) + (0 if here in voids else film("working") / areas[0]))
        elif z == 0 and not contact[x, y] and electrode.pore is not None:
            y_pore = electrode.pore.areal_conductance + s * electrode.pore.areal_capacitance
            link(
                metal,
                number[z, x, y],
                (0 if here in solid else half(here)) + (np.inf if y_pore == 0 else 1 / (y_pore * areas[0])),
            )
    return _driving_point(np.array(ends), np.array(conductances), metal)


def joined_metal(number: np.ndarray, labels: np.ndarray, solid: dict[int, str], contact: np.ndarray, metal: int) -> None:
    """Give voxels of metal that hang together by faces one node, in place: `metal` at V, the one after it at ground."""
    todo = {place for place in np.ndindex(labels.shape) if labels[place] in solid}
    while todo:
        piece, edge = set(), [todo.pop()]
        while edge:
            place = edge.pop()
            piece.add(place)
            for axis in range(3):
                for step in (-1, 1):
                    other = tuple(at + step * (each == axis) for each, at in enumerate(place))
                    if other in todo:
                        todo.remove(other)
                        edge.append(other)
        node = number[min(piece)]
        if any(z == 0 and contact[x, y] for z, x, y in piece):
            node = metal
        elif any(z == labels.shape[0] - 1 for z, _, _ in piece):
            node = metal + 1
        for place in piece:
            number[place] = node


def _driving_point(ends: np.ndarray, conductances: np.ndarray, metal: int) -> complex:
    """Z between a node and ground, the number after it, of links; nodes that no path joins to ground are none.

    Differences are taken before they are multiplied, in extended precision, and the solution is refined with them: the
    written-out matrix loses a conductance of 1e-12 beside one of 1.
    """
    pairs = sparse.coo_array((np.ones(len(ends)), ends.T), shape=(metal + 2, metal + 2))
    part = connected_components(pairs, directed=False)[1]
    place = np.full(metal + 2, -1)
    used = np.flatnonzero(part[:-1] == part[-1])
    place[used] = np.arange(used.size)
    inside = part[ends[:, 0]] == part[-1]
    ends, conductances = place[ends[inside]], conductances[inside]
    links = np.repeat(np.arange(len(ends)), 2)
    kept = ends.ravel() >= 0
    signs = np.tile([1.0, -1.0], len(ends))[kept]
    drop = sparse.csr_array((signs, (links[kept], ends.ravel()[kept])), shape=(len(ends), used.size))
    scale = np.abs(conductances).max()
    relative = (conductances / scale).astype(np.clongdouble)
    factors = splu((drop.T @ sparse.diags_array(relative.astype(complex)) @ drop).tocsc())
    port = np.zeros(used.size, dtype=np.clongdouble)
    port[place[metal]] = 1
    x = np.zeros_like(port)
    for _ in range(12):
        across = np.append(x, 0)[ends[:, 0]] - np.append(x, 0)[ends[:, 1]]
        residual = port.copy()
        for column, sign in ((0, -1), (1, 1)):
            there = ends[:, column] >= 0
            np.add.at(residual, ends[there, column], sign * (relative * across)[there])
        x += factors.solve(residual.astype(complex))
    return complex(x[place[metal]] / scale)
