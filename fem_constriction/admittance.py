"""y(s) = g + s c: the admittance of every process of a cell, as a function of s = i omega (or of real s).

This is the only place where materials meet frequency. A discretisation knows geometry alone and names the processes it
carries; what each of them conducts at s is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import epsilon_0

if TYPE_CHECKING:
    from fem_constriction.cell import Cell

BULK: Final = "bulk"
GRAIN_BOUNDARY: Final = "grain_boundary"
CHARGE_TRANSFER: Final = "charge_transfer"
PORE: Final = "pore"
COUNTER_ELECTRODE: Final = "counter_electrode"


@dataclass(frozen=True)
class Admittance:
    """y(s) = conductance + s capacitance, a resistor and a capacitor in parallel.

    In the bulk per length (S/m, F/m), at an interface per area (S/m2, F/m2). Both parts are non-negative, so y(s) > 0
    at real s > 0, and 0 <= arg y(i omega) <= pi/2.
    """

    conductance: float
    capacitance: float = 0.0

    def __call__(self, s: ArrayLike) -> NDArray[Any]:
        """Return y at s (1/s, any shape, real or complex)."""
        return np.asarray(self.conductance + np.asarray(s) * self.capacitance)

    @property
    def relaxation_time(self) -> float:
        """Tau = c/g in seconds; infinite for a pure capacitor."""
        return self.capacitance / self.conductance if self.conductance else float("inf")


def admittances(cell: Cell) -> dict[str, Admittance]:
    """Return y_p(s) of every process the cell has, by name, in the order of current flow.

    bulk kappa = sigma + s eps; grain_boundary (sigma + s eps)/delta; charge_transfer 1/R_pol + s C_dl; pore
    g + s C_pore; counter_electrode 1/R_pol + s C_dl. A process that is left out of the cell (ideal contact, insulating
    pores, ideal counter electrode, no boundaries) or that has no area (contact at fraction 0, pores at fraction 1) has
    no entry. Conductances are those at the cell's temperature. A label image has kinds of links instead
    (`fem_constriction.link_kinds`).
    """
    from fem_constriction.link_kinds import boundary_admittance, link_admittances

    found: dict[str, Admittance] = {}
    electrolyte, electrode = cell.electrolyte, cell.working_electrode
    structure = electrolyte.microstructure
    found[BULK] = Admittance(electrolyte.conductivity, electrolyte.relative_permittivity * epsilon_0)
    boundaries = electrolyte.grain_boundaries
    if boundaries is not None and boundaries.layers > 1:
        found[GRAIN_BOUNDARY] = Admittance(
            boundaries.conductivity / boundaries.thickness,
            boundaries.relative_permittivity * epsilon_0 / boundaries.thickness,
        )
    if structure is not None and structure.boundary is not None:
        found[GRAIN_BOUNDARY] = boundary_admittance(structure.boundary)
    if cell.mesh is not None and cell.mesh.boundary is not None:
        found[GRAIN_BOUNDARY] = boundary_admittance(cell.mesh.boundary)
    if electrode.charge_transfer is not None and cell.contact_fraction > 0:
        found[CHARGE_TRANSFER] = Admittance(1 / electrode.charge_transfer.resistance, electrode.charge_transfer.capacitance)
    if electrode.pore is not None and cell.contact_fraction < 1:
        found[PORE] = Admittance(electrode.pore.areal_conductance, electrode.pore.areal_capacitance)
    counter = cell.counter_electrode.charge_transfer if cell.counter_electrode is not None else None
    if counter is not None:
        found[COUNTER_ELECTRODE] = Admittance(1 / counter.resistance, counter.capacitance)
    if structure is not None:
        found |= {i.phase: Admittance(i.conductivity, i.relative_permittivity * epsilon_0) for i in structure.inclusions}
    found = found if cell.temperature is None else cell.temperature.applied(found)
    return found if structure is None else link_admittances(cell, found)


def evaluate(processes: Mapping[str, Admittance], s: ArrayLike) -> dict[str, NDArray[Any]]:
    """Return {process: y_p(s)}, each with the shape of s."""
    return {name: y(s) for name, y in processes.items()}
