"""A stack with every process at once, and cells of which one admittance is one per cent off."""

from __future__ import annotations

from typing import Any

import pytest

import fem_constriction as fc

#: Key of an admittance -> the factor that is planted in it.
ONE_PER_CENT = [
    pytest.param({key: 1.01}, id=key.split(".", 1)[1])
    for key in (
        "electrolyte.conductivity",
        "electrolyte.grain_boundaries.conductivity",
        "working_electrode.charge_transfer.resistance",
        "working_electrode.pore.capacitance",
    )
]


def stacked_cell(layers: int = 3, **changes: Any) -> fc.Cell:
    """Boundaries, charge transfer at both electrodes and pores, in SI."""
    return fc.Cell(
        geometry={"width": 5e-5, "thickness": 2e-5},
        electrolyte={
            "conductivity": 0.046,
            "relative_permittivity": 150,
            "grain_boundaries": {"layers": layers, "thickness": 1e-8, "conductivity": 5.97e-4, "relative_permittivity": 150},
        },
        working_electrode={
            "contact": {"shape": "square", "fraction": 0.25},
            "charge_transfer": {"resistance": 1e-4, "capacitance": 8.85},
            "pore": {"capacitance": 0.0885},
        },
        counter_electrode={"charge_transfer": {"resistance": 1e-4, "capacitance": 8.85}},
    ).vary(changes)


def times(cell: fc.Cell, factors: dict[str, float]) -> fc.Cell:
    """The cell with each of these keys times its factor."""
    values = cell.model_dump()
    for key, factor in factors.items():
        value: Any = values
        for part in key.split("."):
            value = value[part]
        cell = cell.vary({key: value * factor})
    return cell
