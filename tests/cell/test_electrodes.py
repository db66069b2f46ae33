"""Both electrodes take the same sections; the counter electrode touches its whole face where nothing else is said."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from paper_cells import paper_cell

import fem_constriction as fc
from fem_constriction.cell.cell import Cell
from fem_constriction.cell.sections import Electrode, WorkingElectrode
from fem_constriction.problem.kinds import RECTANGLES, TWO_OUTLINES, TWO_RECTANGLES
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.capabilities import TASKS, gap
from network import Network

CONTACT = {"shape": "square", "fraction": 0.16}
PORE = {"depth": "2 nm", "relative_permittivity": 10}


def cell(contact: Any = None, pore: Any = None, **more: Any) -> Cell:
    """Figure 2 with a counter electrode."""
    counter = {"charge_transfer": {"resistance": "2 ohm cm^2"}, "contact": contact, "pore": pore, **more}
    return Cell.of({**paper_cell("figure-2-25").model_dump(), "counter_electrode": counter})


def test_what_is_not_said_of_a_counter_electrode_is_a_whole_face_and_is_not_written() -> None:
    plain = cell()
    assert (plain.counter_electrode.covered, plain.counter_touch.fraction) == (True, 1.0)
    assert set(tomllib.loads(plain.dumps())["counter_electrode"]) == {"charge_transfer"}
    assert Problem.of(plain).kind is RECTANGLES
    assert "counter_electrode" not in tomllib.loads(
        paper_cell("figure-2-25").vary({"counter_electrode.charge_transfer": None}).dumps()
    )


def test_both_electrodes_have_the_same_keys() -> None:
    assert list(Electrode.model_fields) == list(WorkingElectrode.model_fields)
    found = cell(CONTACT, PORE)
    assert Cell.loads(found.dumps()) == found
    assert found.counter_electrode.contact == WorkingElectrode(contact=CONTACT).contact
    assert found.counter_touch.area == pytest.approx(0.16 * found.area, rel=1e-14)


def test_a_counter_electrode_has_places_of_its_own() -> None:
    places = Problem.of(cell(CONTACT, PORE)).places
    assert list(places)[-4:] == ["charge_transfer", "pore", "counter_electrode", "counter_pore"]
    assert places["counter_electrode"].conductance == pytest.approx(1 / 2e-4, rel=1e-14)
    assert Problem.of(cell(CONTACT, PORE)).kind is TWO_RECTANGLES
    assert Problem.of(cell({"shape": "disc", "fraction": 0.16})).kind is TWO_OUTLINES
    assert "counter_pore" not in Problem.of(cell({"shape": "square", "fraction": 1.0}, PORE)).places


def test_symmetry_is_what_both_faces_have() -> None:
    aside = {"shape": "regions", "regions": [{"shape": "rectangle", "centre": ["10 um", "25 um"], "size": ["8 um", "8 um"]}]}
    whole, cut = Problem.of(cell(aside)), Problem.of(cell(CONTACT))
    assert [face.cut for face in cut.faces] == [(True, True)] * 2
    assert [face.cut for face in whole.faces] == [(False, True)] * 2
    assert [face.contact_area * face.copies for face in cut.faces] == pytest.approx([0.25 * 2.5e-9, 0.16 * 2.5e-9], rel=1e-12)


@pytest.mark.parametrize(
    ("contact", "why"),
    [
        ({"shape": "disc", "fraction": 0.9}, "counter_electrode.contact.fraction = 0.9.*does not fit"),
        ({"shape": "mesh"}, "counter_electrode.contact.shape = 'mesh'.*needs the section mesh"),
        ({"shape": "square"}, "counter_electrode.contact.fraction is missing"),
        ({"shape": "square", "fraction": 0}, "counter_electrode.contact.fraction = 0.*no current can leave"),
    ],
)
def test_what_is_wrong_with_a_counter_contact_is_said_with_its_key(contact: dict[str, Any], why: str) -> None:
    with pytest.raises(fc.InputError, match=why):
        Problem.of(cell(contact)).check_solvable()


def test_pores_of_the_counter_electrode_are_thin_layers_as_well() -> None:
    with pytest.warns(fc.ImplausibleWarning, match="counter_electrode.pore.depth = 1e-05 m is 0.* times the width of the pore"):
        cell(CONTACT, {"depth": "10 um", "relative_permittivity": 10})


def test_a_backend_that_declares_nothing_is_not_asked_for_two_patterned_electrodes() -> None:
    class Plain:
        name, order, bound = "plain", 2.0, None

    assert gap("spectrum", cell(), [Plain()]) is None
    found = gap("spectrum", cell(CONTACT), [Plain()])
    assert found is not None
    assert found.key == "counter_electrode.contact"
    assert set(TASKS) >= {"spectrum"}
    assert Network.name == "network"
