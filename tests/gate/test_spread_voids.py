"""R_Cstr of electrodes in an image: their voids become metal, and what they lack to be told is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from images import ELECTRODE, image_cell

import fem_constriction as fc
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.full_contact import spread
from fem_constriction.solving.one_grid import solve_grid

METAL = {"label": 1, "kind": "electrode", "tied_to": "working"}
VOID = {"label": 2, "kind": "hole", "relative_permittivity": 1}


def resistance(problem: Problem) -> float:
    backend = backend_named("network")
    return solve_grid(problem, backend, backend.grid(problem, 0), None).model.resistance()


def with_metal(**structure: Any) -> fc.Cell:
    """One layer of metal, 4 x 4 of 8 x 8 voxels, void beside it, 5 layers of electrolyte with a void in the middle."""
    labels = np.zeros((6, 8, 8), dtype=int)
    labels[0] = 2
    labels[0, 2:6, 2:6] = 1
    labels[3, 3, 3] = 2
    electrode = {"charge_transfer": ELECTRODE["charge_transfer"]}
    return image_cell(labels.shape, 1, {"image": labels, "phases": [METAL, VOID], **structure}, electrode=electrode)


def test_voids_of_the_metal_become_metal_and_those_of_the_electrolyte_stay() -> None:
    """A flat layer of metal and voids is a contact on the face below it: so is R_DC, and so is that of the whole contact."""
    cell = with_metal(voids=[2])
    labels = np.zeros((5, 8, 8), dtype=int)
    labels[2, 3, 3] = 2
    electrode = {"charge_transfer": ELECTRODE["charge_transfer"]}
    flat = image_cell(labels.shape, 1 / 4, {"image": labels, "phases": [VOID]}, electrode=electrode)
    assert fc.resistance(cell) == pytest.approx(fc.resistance(flat), rel=1e-6)
    even, expected = spread(Problem.of(cell)), spread(Problem.of(flat))
    assert even is not None and expected is not None
    assert resistance(even) == pytest.approx(resistance(expected), rel=1e-6)
    assert resistance(even) < 0.9 * fc.resistance(cell)


def test_without_the_list_of_voids_nothing_is_stated() -> None:
    assert spread(Problem.of(with_metal())) is None


def test_beside_pores_that_conduct_nothing_is_stated() -> None:
    """Their current would have to be spread with that of the metal: without it R_DC at full contact would be too large."""
    pore = {"depth": "1 nm", "relative_permittivity": 1, "conductivity": "1e-8 S/m"}
    cell = with_metal(voids=[2]).vary({"working_electrode.pore": pore})
    assert spread(Problem.of(cell)) is not None, "a whole collector has no pores"
    assert spread(Problem.of(cell.vary({"working_electrode.contact.fraction": 1 / 4}))) is None


def test_voids_that_store_charge_change_no_direct_current() -> None:
    """Lower and upper sides of one resistance, and those of the same voids without permittivity."""
    cell = with_metal()
    empty = cell.vary({"electrolyte.microstructure.phases": [METAL, {"label": 2, "kind": "hole"}]})
    below, above = (fc.resistance(empty, backend=name) for name in ("fem", "network"))
    assert above == pytest.approx(fc.resistance(cell), rel=1e-6)
    assert below == pytest.approx(fc.resistance(cell, backend="fem"), rel=1e-6)
    assert 0.9 * above < below < above
