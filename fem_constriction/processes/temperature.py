"""What the file of a cell would say at its temperature: conductivities and resistances by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, COUNTER_PORE, GRAIN_BOUNDARY, PORE

if TYPE_CHECKING:
    from fem_constriction.cell.cell import Cell


#: Where the cell file says what a process conducts: process, key, unit.
MATERIALS: Final = (
    (BULK, "electrolyte.conductivity", "S/m"),
    (GRAIN_BOUNDARY, "electrolyte.grain_boundaries.conductivity", "S/m"),
    (GRAIN_BOUNDARY, "electrolyte.microstructure.boundary.conductivity", "S/m"),
    (GRAIN_BOUNDARY, "mesh.boundary.conductivity", "S/m"),
    (CHARGE_TRANSFER, "working_electrode.charge_transfer.resistance", "ohm m^2"),
    (PORE, "working_electrode.pore.conductivity", "S/m"),
    (COUNTER_ELECTRODE, "counter_electrode.charge_transfer.resistance", "ohm m^2"),
    (COUNTER_PORE, "counter_electrode.pore.conductivity", "S/m"),
)


def materials(cell: Cell) -> dict[str, tuple[float, str]]:
    """Return what the file of the cell would say at T: {key: (conductivity or resistance, unit)}, SI, zeros left out."""
    found = {}
    for process, key, unit in MATERIALS:
        at_reference: Any = cell
        for name in key.split("."):
            at_reference = getattr(at_reference, name, None)
        if at_reference:
            factor = 1.0 if cell.temperature is None else cell.temperature.factor(process)
            found[key] = (at_reference / factor if unit == "ohm m^2" else at_reference * factor, unit)
    return found
