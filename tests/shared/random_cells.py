"""Cells with materials over decades."""

from __future__ import annotations

import numpy as np

import fem_constriction as fc


def random_cell(seed: int) -> fc.Cell:
    """A coarse, arbitrary cell: materials over decades, ideal or Robin, boundaries or none, either counter electrode."""
    rng = np.random.default_rng(seed)

    def decades(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    width = decades(5e-6, 5e-4)
    cell = fc.Cell(
        geometry={"width": [width, width * rng.uniform(1, 1.3)], "thickness": width * decades(0.3, 3)},
        electrolyte={"conductivity": decades(1e-4, 10), "relative_permittivity": decades(1, 300)},
        working_electrode={
            "contact": {"shape": "square", "fraction": rng.uniform(0.01, 0.7)},
            "pore": {"capacitance": decades(1e-3, 10)},
        },
    )
    changes: dict[str, object] = {}
    if rng.random() < 0.6:
        changes |= {
            "electrolyte.grain_boundaries.layers": int(rng.integers(2, 8)),
            "electrolyte.grain_boundaries.thickness": 1e-8,
            "electrolyte.grain_boundaries.conductivity": decades(1e-6, 1e-2),
            "electrolyte.grain_boundaries.relative_permittivity": decades(1, 300),
        }
    for key in ("working_electrode.charge_transfer", "counter_electrode.charge_transfer"):
        if rng.random() < 0.6:
            changes |= {f"{key}.resistance": decades(1e-6, 1e-2), f"{key}.capacitance": decades(1e-3, 10)}
    return cell.vary(changes)
