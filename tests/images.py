"""Label images for tests, and the network they stand for, written out link by link without anything of the package's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.constants import epsilon_0
from scipy.sparse.linalg import spsolve

import fem_constriction as fc

#: Materials of the paper's figure 2 with a voxel of 1 um; sections of a cell file.
ELECTRODE = {
    "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
    "pore": {"capacitance": "8.85 uF/cm^2"},
}
BOUNDARY = {"thickness": "10 nm", "conductivity": "5.97 uS/cm", "relative_permittivity": 150}


def image_cell(shape: tuple[int, int, int], fraction: float, microstructure: dict[str, Any], **sections: Any) -> fc.Cell:
    """A cell of so many voxels of 1 um along z, x and y."""
    nz, nx, ny = shape
    return fc.Cell(
        geometry={"width": [f"{nx} um", f"{ny} um"], "thickness": f"{nz} um"},
        electrolyte={
            "conductivity": "0.46 mS/cm",
            "relative_permittivity": 150,
            "microstructure": {"voxel": "1 um", **microstructure},
        },
        working_electrode={"contact": {"shape": "square", "fraction": fraction}, **sections.get("electrode", ELECTRODE)},
        counter_electrode=sections.get("counter", {}),
    )


def literal_network(cell: fc.Cell, labels: np.ndarray, contact: np.ndarray, s: complex) -> complex:
    """Z(s): a node per voxel, every link the series of half voxels and what lies between, nothing where anything insulates."""
    structure = cell.electrolyte.microstructure
    h = structure.voxel
    bulk = cell.electrolyte.conductivity + s * cell.electrolyte.relative_permittivity * epsilon_0
    inside = {i.label: i.conductivity + s * i.relative_permittivity * epsilon_0 for i in structure.inclusions}
    gb = structure.boundary
    boundary = 0 if gb is None else gb.thickness / ((gb.conductivity + s * gb.relative_permittivity * epsilon_0) * h**2)
    electrode, counter = cell.working_electrode, cell.counter_electrode.charge_transfer
    rows, columns, values = [], [], []
    number = np.arange(labels.size).reshape(labels.shape)
    metal = labels.size

    def half(label: int) -> complex:
        kappa = inside.get(label, bulk)
        return np.inf if kappa == 0 else 1 / (2 * kappa * h)

    def link(a: int, b: int | None, impedance: complex) -> None:
        if not np.isfinite(impedance):
            return
        for i, j, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
            if i is not None and j is not None:
                rows.append(i), columns.append(j), values.append(sign / impedance)

    for z, x, y in np.ndindex(labels.shape):
        here = labels[z, x, y]
        for dz, dx, dy in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
            if z + dz < labels.shape[0] and x + dx < labels.shape[1] and y + dy < labels.shape[2]:
                other = labels[z + dz, x + dx, y + dy]
                meets = here != other and here not in inside and other not in inside
                link(number[z, x, y], number[z + dz, x + dx, y + dy], half(here) + boundary * meets + half(other))
        if z == labels.shape[0] - 1:
            link(
                number[z, x, y],
                None,
                half(here) + (0 if counter is None else 1 / ((1 / counter.resistance + s * counter.capacitance) * h**2)),
            )
        if z == 0 and contact[x, y]:
            ct = electrode.charge_transfer
            link(
                metal,
                number[z, x, y],
                half(here) + (0 if ct is None else 1 / ((1 / ct.resistance + s * ct.capacitance) * h**2)),
            )
        elif z == 0 and electrode.pore is not None:
            y_pore = electrode.pore.areal_conductance + s * electrode.pore.areal_capacitance
            link(metal, number[z, x, y], half(here) + (np.inf if y_pore == 0 else 1 / (y_pore * h**2)))
    matrix = sparse.coo_array((values, (rows, columns)), shape=(metal + 1, metal + 1)).tocsr()
    used = np.flatnonzero(matrix.diagonal())  # voxels without any link are no nodes
    port = np.zeros(used.size, dtype=complex)
    port[-1] = 1
    return complex(spsolve(matrix[used][:, used].tocsc(), port)[-1])
