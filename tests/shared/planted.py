"""Wrong versions of code that both backends share, each off by 0.5 to 2 % and the same for both: what sees which.

A fault is seen by a cross-check on the user's own cell (`ROUTE`: the shared route beside the backends' own matrices; `CIRCUIT`:
the one-dimensional resistance beside these matrices at full contact; `AREAS`: the run ends with an error, as the grid is none
of this cell), or by a test, named, where no run can see it. Why none can:

- `READ`: the cell is read wrongly, so that all ways to its impedance solve another cell, and agree.
- `FINE`: it shows on grids finer than the coarse one that a cross-check has time to solve plainly.
- `WITHIN`: it moves limits by less than the uncertainty that is stated with them.
- `NOT_Z`: it changes no impedance, only what is said beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from fem_constriction.cell import units
from fem_constriction.cell.cell import Cell
from fem_constriction.geometry import outlines
from fem_constriction.processes import materials, of_cell
from fem_constriction.processes.elements import Admittance, Element
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.reduction import reduced
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving import refinement
from fem_constriction.stack import face_model, layered, samples
from fem_constriction.stack.face_matrix import Sheet
from fem_constriction.stack.face_model import LateralModel
from fem_constriction.stack.layered import Recursion
from fem_constriction.stack.modes import Lateral, Modes
from fem_constriction.stack.rational import Rational
from validation.gate import shared_route

ROUTE, CIRCUIT, AREAS = "shared route", "one-dimensional circuit", "areas of grid and cell"
READING = "test_planted_faults.test_every_place_is_read_as_the_cell_file_says"
READ = "both solve another cell"
FINE = "grids fine enough for it take longer to solve plainly than a cross-check does"
WITHIN = "it moves limits by less than their stated uncertainty"
NOT_Z = "no impedance changes"

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Fault:
    """A wrong version of shared code: what it does, in which room, who sees it, and why no run can if a test has to."""

    what: str
    room: str
    plant: Callable[[Patch], None]
    seen_by: str
    why: str = ""


def _wraps(place: Any, name: str, change: Callable[..., Any]) -> Callable[[Patch], None]:
    """Replace place.name by change(right, *arguments), right the original."""

    def plant(patch: Patch) -> None:
        right = getattr(place, name)
        patch.setattr(place, name, lambda *arguments, **named: change(right, *arguments, **named))

    return plant


def _everywhere(name: str, change: Callable[..., Any]) -> Callable[[Patch], None]:
    """Replace a function in every module of ours that has imported it."""

    def plant(patch: Patch) -> None:
        right = getattr(of_cell, name)
        for module in list(sys.modules.values()):
            if module.__name__.startswith(("fem_constriction", "network", "validation")) and vars(module).get(name) is right:
                patch.setattr(module, name, lambda *arguments: change(right, *arguments))

    return plant


def _times(place: Any, name: str, factor: float) -> Callable[[Patch], None]:
    return _wraps(place, name, lambda right, *arguments, **named: factor * right(*arguments, **named))


def _climbs_with(name: str, factor: float) -> Callable[[Patch], None]:
    def change(right: Any, self: Any, y: Any, derive: bool = False) -> Any:
        return right(self, {**y, name: factor * y[name]} if name in y else y, derive)

    return _wraps(Recursion, "_climb", change)


def _layers(number: int, factor: float) -> Callable[[Patch], None]:
    """One of A, B, C, D of every layer times a factor."""

    def change(right: Any, *arguments: Any) -> Any:
        found = list(right(*arguments))
        found[number] = factor * found[number]
        return tuple(found)

    return _wraps(layered, "_layer", change)


def _slopes(right: Any, self: Any, y: Any, derive: bool = False) -> Any:
    u, slopes = right(self, y, derive)
    return u, {name: 1.02 * slope for name, slope in slopes.items()}


def _modes_with(**factors: float) -> Callable[[Patch], None]:
    def change(right: Any, self: Any, values: Any, vectors: Any, dual: Any, step: Any = None) -> None:
        values, vectors, dual = (
            factors.get(name, 1.0) * each for name, each in (("values", values), ("vectors", vectors), ("dual", dual))
        )
        right(self, values, vectors, dual, step)

    return _wraps(Modes, "__init__", change)


def _cosines(right: Any, self: Any, values: Any, **named: Any) -> Any:
    cosine = self.x.step is not None and self.y.step is not None
    return right(self, values, **named) * (1.01 if cosine else 1.0)


def _sheet(right: Any, self: Any, matrix: Any, shape: Any) -> None:
    right(self, 1.01 * matrix, shape)


def _projected(name: str, factor: float) -> Callable[[Patch], None]:
    """The projected matrix of a place times a factor, wherever the model makes its system of it."""

    def change(right: Any, self: Any, s: Any, processes: Any) -> Any:
        more = (factor - 1) * np.asarray(processes[name](s))
        return right(self, s, processes) + more[:, None, None] * self.matrices[name]

    return _wraps(LateralModel, "_system", change)


def _port(right: Any, system: Any, port: Any, *arguments: Any) -> Any:
    return right(system, 1.005 * port, *arguments)


def _first_model(right: Any, basis: Any, band: Any, **named: Any) -> Any:
    """The first model is taken for good enough: five shifts over twelve decades."""
    if band is None:
        return right(basis, band, **named)
    shifts = np.concatenate([[0.0] if named.get("direct_current", True) else [], np.geomspace(band[0], band[1], 5)])
    basis.extend(shifts)
    return basis.model(shifts), 0.0


def _few_shifts(patch: Patch) -> None:
    _wraps(face_model, "enough_shifts", _first_model)(patch)
    patch.setattr(ReducedModel, "error", lambda self, s: np.zeros(np.shape(s)))


def _frequency(right: Any, self: Any, s: Any, *arguments: Any, **named: Any) -> Any:
    return right(self, 1.01 * np.asarray(s), *arguments, **named)


def _solved(right: Any, *arguments: Any) -> Any:
    x, z = right(*arguments)
    return x, 1.005 * z


def _element(right: Any, self: Any, s: Any) -> Any:
    return right(replace(self, capacitance=1.01 * self.capacitance), s)


def _series(right: Any, self: Any, s: Any) -> Any:
    return right(self, s) * (1.01 if len(self.elements) > 1 else 1.0)


def two_layers_at_the_contact(patch: Patch) -> None:
    """Not a fault: charge transfer in series with a layer of its own, as every place may be."""

    def places(right: Any, cell: Cell) -> dict[str, Admittance]:
        found = dict(right(cell))
        if CHARGE_TRANSFER in found:
            found[CHARGE_TRANSFER] = Admittance.series(found[CHARGE_TRANSFER], Admittance((Element(2e4, 1e-2),)))
        return found

    _everywhere("processes", places)(patch)


def _interpolated(right: Any, values: Any) -> Any:
    nodes, cardinal = right(values)
    return nodes, 1.01 * cardinal


def _shallow(right: Any, self: Any, *arguments: Any, **named: Any) -> None:
    right(self, *arguments, **named)
    self.shallow = 1.02 * self.shallow


def _read(name: str, factor: float) -> Callable[[Patch], None]:
    """A place's admittance as it is read from the cell, times a factor."""

    def change(right: Any, cell: Cell) -> dict[str, Admittance]:
        return {place: y.times(factor) if place == name else y for place, y in right(cell).items()}

    return _everywhere("processes", change)


def _vacuum(patch: Patch) -> None:
    patch.setattr(materials, "epsilon_0", 1.01 * materials.epsilon_0)


def _text(right: Any, value: Any, unit: str) -> Any:
    return right(value, unit) * (1.01 if isinstance(value, str) else 1.0)


def _sides(patch: Patch) -> None:
    right = outlines.Outline.rectangle.fget

    def longer(self: Any) -> Any:
        found = right(self)
        return found if found is None else (*found[:2], 1.005 * found[2], 1.005 * found[3])

    patch.setattr(outlines.Outline, "rectangle", property(longer))


def _shoelace(right: Any, corners: Any) -> float:
    return float(right(corners)) * (1.0 if len(corners) == 4 else 1.01)


def _gone(theta: float) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(layered, "DEAD", theta)


FAULTS = (
    Fault("a capacitance counts 1 % too much", "admittances", _wraps(Element, "__call__", _element), ROUTE),
    Fault("elements in series conduct 1 % too much", "series", _wraps(Admittance, "__call__", _series), ROUTE),
    Fault("boundaries conduct 2 % too little below the face", "recursion", _climbs_with(GRAIN_BOUNDARY, 1 / 1.02), ROUTE),
    Fault("the counter electrode conducts 1 % too much", "recursion", _climbs_with(COUNTER_ELECTRODE, 1.01), ROUTE),
    Fault("the bulk conducts 0.5 % too little below the face", "recursion", _climbs_with(BULK, 0.995), ROUTE),
    Fault("a layer's resistance is 0.5 % too large", "recursion", _layers(1, 1.005), ROUTE),
    Fault("a layer's lateral conduction is 2 % too large", "recursion", _layers(2, 1.02), ROUTE),
    Fault("modes die out at once", "recursion", _gone(0.02), ROUTE),
    Fault("modes that die out conduct 2 % too little", "recursion", _wraps(Recursion, "__init__", _shallow),
          "test_lateral.test_modes_that_have_died_out_do_not_see_what_is_below", FINE),
    Fault("shares of boundaries are 2 % too large", "recursion", _wraps(Recursion, "_climb", _slopes),
          "test_lateral.test_shares_of_the_processes_are_those_of_the_whole_cell", NOT_Z),
    Fault("lateral eigenvalues are 1 % too large", "modes", _modes_with(values=1.01), ROUTE),
    Fault("lateral eigenvectors are 0.5 % too long", "modes", _modes_with(dual=1.005), ROUTE),
    Fault("the cosine transform is 1 % too large", "modes", _wraps(Lateral, "_apply", _cosines),
          "test_lateral.test_the_cosine_transform_is_the_dense_one", FINE),
    Fault("contact and pores conduct 1 % too much", "face problem", _wraps(Sheet, "__init__", _sheet), ROUTE),
    Fault("what is below the face conducts 1 % too much in the model", "face problem",
          _times(samples.Samples, "total", 1.01), ROUTE),
    Fault("interpolated modes conduct 1 % too much", "samples", _wraps(samples, "_interpolated", _interpolated),
          ROUTE),
    Fault("functions of a triangulation are 1 % too large", "sparse functions", _times(Rational, "coefficients", 1.01),
          "test_pencil.test_twice_the_poles_have_the_square_of_the_error", FINE),
    Fault("the projected matrix of the contact is 1 % too large", "projection", _projected(CHARGE_TRANSFER, 1.01), ROUTE),
    Fault("the projected matrix of the pores is 2 % too large", "projection", _projected(PORE, 1.02), ROUTE),
    Fault("the port is 0.5 % too large", "projection", _wraps(reduced, "solve_small", _port), ROUTE),
    Fault("five shifts are taken for enough, and no error is stated", "projection", _few_shifts, ROUTE),
    Fault("the model's frequency is 1 % too high", "reduced model", _wraps(LateralModel, "_system", _frequency), ROUTE),
    Fault("the model's Z is 0.5 % too large", "reduced model", _wraps(reduced, "solve_small", _solved), ROUTE),
    Fault("R of the one-dimensional circuit is 0.5 % too large", "R_geometric",
          _times(shared_route, "one_dimensional_resistance", 1.005), CIRCUIT),
    Fault("the gain of the extrapolation is 2 % too large", "extrapolation", _times(refinement, "gain", 1.02),
          "test_refinement.test_a_pure_power_is_extrapolated_exactly_and_its_uncertainty_is_small", WITHIN),
    Fault("boundaries are read 1 % too conductive", "admittances", _read(GRAIN_BOUNDARY, 1.01),
          READING, READ),
    Fault("the counter electrode is read 2 % too conductive", "admittances", _read(COUNTER_ELECTRODE, 1.02),
          READING, READ),
    Fault("charge transfer is read 0.5 % too resistive", "admittances", _read(CHARGE_TRANSFER, 0.995),
          READING, READ),
    Fault("the pores are read 1 % too large", "admittances", _read(PORE, 1.01),
          READING, READ),
    Fault("the permittivity of vacuum is 1 % too large", "admittances", _vacuum,
          READING, READ),
    Fault("a text with a unit is 1 % too large", "unit conversion", _wraps(units, "number", _text),
          "test_units.test_conversions_are_exact_to_the_last_bit", READ),
    Fault("a rectangle's sides are 0.5 % too long on the grid", "areas and outlines", _sides, AREAS),
    Fault("the area of a polygon of other than four corners is 1 % too large", "areas and outlines",
          _wraps(outlines, "_shoelace", _shoelace),
          "test_outlines.test_any_simple_ring_closed_open_and_either_way_round_has_its_area", READ),
)  # fmt: skip


def table() -> str:
    """The faults as docs/trust.md lists them."""
    rows = ["| room | fault | seen by | why no run can |", "| --- | --- | --- | --- |"]
    for fault in FAULTS:
        seen = f"`{fault.seen_by}`" if fault.why else f"every cross-check: {fault.seen_by}"
        rows.append(f"| {fault.room} | {fault.what} | {seen} | {fault.why} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
