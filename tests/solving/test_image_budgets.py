"""R_Cstr of label images by process: counted from the same body under full contact, whatever its boundaries are."""

from __future__ import annotations

from functools import cache
from io import StringIO
from typing import Any

import numpy as np
import pytest
from images import BOUNDARY, image_cell
from rich.console import Console

import fem_constriction as fc
from fem_constriction.budgets import budget
from fem_constriction.files import json_text
from fem_constriction.solving.backends import backend_named
from validation.gate.budgets import Compared, compare
from validation.show.budget_tables import budget_report

pytestmark = pytest.mark.filterwarnings("ignore::fem_constriction.errors.PicturedWarning")

AREA = 36e-12  # 6 x 6 voxels of 1 um
PORES = {
    "charge_transfer": {"resistance": "1 ohm cm^2"},
    "pore": {"depth": "1 nm", "relative_permittivity": 1, "conductivity": "1e-8 S/m"},
}


def layered(fraction: float, **sections: Any) -> fc.Cell:
    """Two grains, one on the other: what R_DC at full contact is made of is written down by hand."""
    labels = np.ones((4, 6, 6), dtype=int)
    labels[2:] = 2
    return image_cell(labels.shape, fraction, {"image": labels, "boundary": BOUNDARY}, **sections)


@cache
def compared() -> Compared:
    cell = layered(4 / 9, electrode=PORES)
    return compare([cell], [backend_named(name) for name in ("network", "fem")])[0]


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_what_is_subtracted_is_the_circuit_of_a_layered_polycrystal(backend: str) -> None:
    """L/(kappa A), d/(sigma_gb A), and of the interface 1/(G A) what contact and pores conduct side by side."""
    found = compared().budgets[backend]
    contact, pores = 1e4 * 4 / 9, 1e-8 / 1e-9 * 5 / 9  # S/m2
    expected = {
        "bulk": 4e-6 / (0.046 * AREA),
        "grain_boundary": 10e-9 / (5.97e-4 * AREA),
        "charge_transfer": contact / (contact + pores) ** 2 / AREA,
        "pore": pores / (contact + pores) ** 2 / AREA,
    }
    assert list(found.parts) and set(found.parts) == set(expected)
    # A uniform current is exact on every grid; solvers leave 1e-6.
    for name, value in expected.items():
        assert abs(found.parts[name].full_contact - value) <= 1e-6 * found.full_contact
    assert found.full_contact == pytest.approx(sum(expected.values()), rel=1e-6)
    assert sum(part.constriction for part in found.parts.values()) == pytest.approx(found.constriction[0], rel=1e-6)
    assert sum(part.full_contact for part in found.parts.values()) == pytest.approx(found.full_contact, rel=1e-6)
    assert found.parts["grain_boundary"].constriction < 0.01 * found.parts["grain_boundary"].direct, "no boundary lies along z"


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_limits_of_a_layered_polycrystal_hold_those_of_the_stack_that_it_is(backend: str) -> None:
    """The same continuum on graded grids: R_DC, its parts and those of R_Cstr, each within what is stated."""
    layers = {**BOUNDARY, "layers": 2}
    stack = fc.Cell(
        geometry={"width": "6 um", "thickness": "4 um"},
        electrolyte={"conductivity": "0.46 mS/cm", "relative_permittivity": 150, "grain_boundaries": layers},
        working_electrode={"contact": {"shape": "square", "fraction": 4 / 9}, **PORES},
    )
    expected, found = budget(stack, backend="fem"), compared().budgets[backend]
    assert abs(found.resistance[0] - expected.resistance[0]) <= found.resistance[1] < 2e-3 * found.resistance[0]
    assert abs(found.constriction[0] - expected.constriction[0]) <= found.constriction[1] < 0.05 * found.constriction[0]
    for name, part in expected.parts.items():
        assert abs(found.parts[name].direct - part.direct) <= found.parts[name].uncertainty + part.uncertainty
        allowed = found.parts[name].constriction_uncertainty + part.constriction_uncertainty
        assert abs(found.parts[name].constriction - part.constriction) <= allowed
    assert set(compared().verdicts.values()) <= {"agree", "unresolved"}


def test_a_polycrystal_under_full_contact_has_no_constriction_although_no_circuit_describes_it() -> None:
    structure = {"generator": "voronoi", "grains": 6, "seed": 1, "boundary": BOUNDARY}
    found = budget(image_cell((4, 4, 4), 1, structure, electrode={"charge_transfer": PORES["charge_transfer"]}))
    assert found.constriction == (0.0, 0.0)
    assert all(part.constriction == 0 for part in found.parts.values())
    assert found.parts["grain_boundary"].full_contact > 0.01 * found.full_contact


def test_without_voids_of_the_metal_no_number_is_printed_for_the_constriction() -> None:
    labels = np.zeros((4, 4, 4), dtype=int)
    labels[0, 1:3, 1:3] = 1
    metal = {"label": 1, "kind": "electrode", "tied_to": "working"}
    electrode = {"charge_transfer": PORES["charge_transfer"]}
    cell = image_cell(labels.shape, 1 / 4, {"image": labels, "phases": [metal]}, electrode=electrode)
    found = compare([cell], [backend_named("network")])[0]
    assert not found.stated and found.energy() is None
    assert all(np.isnan(part.constriction) for part in found.best.parts.values())
    assert sum(part.direct for part in found.best.parts.values()) == pytest.approx(found.best.resistance[0], rel=1e-6)
    out = StringIO()
    Console(file=out, width=200).print(budget_report([found]))
    assert "R_Cstr is not stated" in out.getvalue() and "nan" not in out.getvalue()
    assert "1D-PM" not in out.getvalue()
    assert '"R_Cstr_ohm": null' in json_text(found.as_dict())
