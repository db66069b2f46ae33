"""Cells with two patterned electrodes, and Z of them with nothing in between."""

from __future__ import annotations

from typing import Any

import numpy as np

import fem_constriction as fc
from fem_constriction.grids.grid import Grading, Grid, family_member
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.elements import evaluate
from fem_constriction.reduction.factors import factorised

SQUARE = {"shape": "square", "fraction": 0.25}
TRANSFER = {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}
PORE = {"capacitance": "8.85 uF/cm^2"}
BOUNDARIES = {"layers": 4, "thickness": "10 nm", "conductivity": "0.5 uS/cm", "relative_permittivity": 150}
S = 2j * np.pi * np.array([1e-3, 1e3, 1e7])


def two(working: Any = SQUARE, counter: Any = SQUARE, *, layers: int = 1, **changes: Any) -> fc.Cell:
    """A symmetric cell but for what is changed: charge transfer and pores at both electrodes."""
    electrolyte: dict[str, Any] = {"conductivity": "0.46 mS/cm", "relative_permittivity": 150}
    if layers > 1:
        electrolyte["grain_boundaries"] = {**BOUNDARIES, "layers": layers}
    cell = fc.Cell(
        geometry={"width": "50 um", "thickness": "50 um"},
        electrolyte=electrolyte,
        working_electrode={"contact": working, "charge_transfer": TRANSFER, "pore": PORE},
        counter_electrode={"contact": counter, "charge_transfer": TRANSFER, "pore": PORE},
    )
    return cell.vary(changes)


def coarse(cell: fc.Cell, steps: int = 1) -> Grid:
    """A small graded grid."""
    return family_member(cell, Grading(2.5, steps), 0)


def plain(backend: Any, cell: fc.Cell, grid: Grid, s: Any = S) -> Any:
    """Z from one sparse solution of the assembled matrices for each s."""
    problem = Problem.of(cell)
    assembly = backend.assemble(problem, grid)
    found = []
    for each in np.atleast_1d(s):
        y = {place: complex(value) for place, value in evaluate(problem.places, each).items()}
        right = np.zeros(assembly.unknowns, dtype=complex)
        right[-1] = 1
        found.append(factorised(assembly.matrix(y)).solve(right)[-1])
    return np.array(found)
