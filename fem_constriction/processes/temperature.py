"""What the file of a cell would say at its temperature: conductivities and resistances by key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from fem_constriction.processes.names import (
    BULK,
    CHARGE_TRANSFER,
    COUNTER_ELECTRODE,
    COUNTER_INTERPHASE,
    COUNTER_PORE,
    GRAIN_BOUNDARY,
    INTERPHASE,
    PORE,
)

if TYPE_CHECKING:
    from fem_constriction.cell.cell import Cell


#: Where the cell file says what a process conducts: process, key, unit.
MATERIALS: Final = (
    (BULK, "electrolyte.conductivity", "S/m"),
    (GRAIN_BOUNDARY, "electrolyte.grain_boundaries.conductivity", "S/m"),
    (GRAIN_BOUNDARY, "electrolyte.microstructure.boundary.conductivity", "S/m"),
    (GRAIN_BOUNDARY, "mesh.boundary.conductivity", "S/m"),
    (INTERPHASE, "working_electrode.interphase.resistance", "ohm m^2"),
    (INTERPHASE, "working_electrode.interphase.conductivity", "S/m"),
    (CHARGE_TRANSFER, "working_electrode.charge_transfer.resistance", "ohm m^2"),
    (PORE, "working_electrode.pore.conductivity", "S/m"),
    (COUNTER_INTERPHASE, "counter_electrode.interphase.resistance", "ohm m^2"),
    (COUNTER_INTERPHASE, "counter_electrode.interphase.conductivity", "S/m"),
    (COUNTER_ELECTRODE, "counter_electrode.charge_transfer.resistance", "ohm m^2"),
    (COUNTER_PORE, "counter_electrode.pore.conductivity", "S/m"),
)


def materials(cell: Cell) -> dict[str, tuple[float, str]]:
    """Return what the file of the cell would say at T: {key: (conductivity or resistance, unit)}, SI, zeros left out."""
    found = {}
    for process, written, unit in MATERIALS:
        for key, at_reference in _values(cell, written):
            factor = 1.0 if cell.temperature is None else cell.temperature.factor(process)
            found[key] = (at_reference / factor if unit == "ohm m^2" else at_reference * factor, unit)
    return found


def _values(cell: Cell, written: str) -> Iterator[tuple[str, float]]:
    """(key, value) of what stands at a key, of each section where there is a list of them; zeros left out."""
    places: list[tuple[str, Any]] = [("", cell)]
    for name in written.split("."):
        inner = [(f"{key}{name}", getattr(value, name, None)) for key, value in places]
        places = []
        for key, value in inner:
            several = [(f"{key}.{n}", item) for n, item in enumerate(value)] if isinstance(value, tuple) else None
            each = [(key, value)] if several is None else several
            places += [(f"{where}.", item) for where, item in each]
    return ((key.rstrip("."), value) for key, value in places if value)
