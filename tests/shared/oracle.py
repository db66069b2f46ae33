"""Plain ways to the same numbers: one complex sparse solve per frequency, and the one-dimensional circuit written out."""

from __future__ import annotations

import numpy as np
from scipy.constants import epsilon_0
from scipy.sparse.linalg import splu

import fem_constriction as fc
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.reduction.assembly import Assembly


def direct(assembly: Assembly, processes: dict[str, Admittance], s: np.ndarray) -> np.ndarray:
    """Z(s) = b' A(s)^-1 b by SuperLU."""
    found = []
    for point in s:
        matrix = assembly.matrix({name: complex(y) for name, y in evaluate(assembly.admittances(processes), point).items()})
        port = np.zeros(assembly.unknowns, dtype=complex)
        port[-1] = 1.0
        found.append(splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(port)[-1])
    return np.array(found)


def one_dimensional(cell: fc.Cell, s: np.ndarray) -> np.ndarray:
    """L_z/(kappa A) + (layers - 1)/(y_gb A) + 1/(y_ct A_c + y_pore (A - A_c)) + 1/(y_ce A), from the cell file's keys."""
    area, contact = cell.area, cell.contact_area
    z = cell.geometry.thickness / (
        (cell.electrolyte.conductivity + s * cell.electrolyte.relative_permittivity * epsilon_0) * area
    )
    if (gb := cell.electrolyte.grain_boundaries) is not None:
        z = z + (gb.layers - 1) * gb.thickness / ((gb.conductivity + s * gb.relative_permittivity * epsilon_0) * area)
    electrode = cell.working_electrode
    if electrode.charge_transfer is not None or contact == 0:
        y = np.zeros_like(s)
        if electrode.charge_transfer is not None:
            y = y + (1 / electrode.charge_transfer.resistance + s * electrode.charge_transfer.capacitance) * contact
        if electrode.pore is not None:
            y = y + (electrode.pore.areal_conductance + s * electrode.pore.areal_capacitance) * (area - contact)
        z = z + 1 / y
    if (ce := cell.counter_electrode.charge_transfer) is not None:
        z = z + 1 / ((1 / ce.resistance + s * ce.capacitance) * area)
    return z
