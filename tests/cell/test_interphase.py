"""Films between electrolyte and metal in the cell file: what they conduct, where they lie, limits that are simpler cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.constants import epsilon_0

import fem_constriction as fc
from fem_constriction.budgets import one_dimensional_parts
from fem_constriction.errors import ImplausibleWarning, InputError
from fem_constriction.problem.one_dimensional import elements, one_dimensional, physical
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.of_cell import admittances
from fem_constriction.processes.temperature import materials

S = 2j * np.pi * np.geomspace(1e-3, 1e9, 25)
FILM: dict[str, Any] = {"resistance": "5 ohm cm^2", "capacitance": "1 uF/cm^2"}
SECTION = "working_electrode.interphase"


def cell(**changes: Any) -> fc.Cell:
    return fc.Cell(
        geometry={"width": 5e-5, "thickness": 2e-5},
        electrolyte={"conductivity": 0.046, "relative_permittivity": 150},
        working_electrode={
            "contact": {"shape": "square", "fraction": 0.25},
            "charge_transfer": {"resistance": 1e-4, "capacitance": 8.85},
            "pore": {"capacitance": 0.0885},
        },
    ).vary(changes)


def film(s: Any) -> Any:
    return 1 / 5e-4 + s * 1e-2


def test_under_the_contact_it_is_in_series_with_charge_transfer_alone(tmp_path: Path) -> None:
    made = cell(**{SECTION: FILM})
    before, after = admittances(cell()), admittances(made)
    assert after["charge_transfer"](S) == pytest.approx(1 / (1 / film(S) + 1 / before["charge_transfer"](S)), rel=1e-12)
    assert after["pore"] == before["pore"]
    made.save(tmp_path / "cell.toml")
    assert fc.Cell.load(tmp_path / "cell.toml") == made


def test_under_the_face_it_is_in_series_with_the_pores_as_well() -> None:
    before, after = admittances(cell()), admittances(cell(**{SECTION: {**FILM, "covers": "face"}}))
    for place in ("charge_transfer", "pore"):
        assert after[place](S) == pytest.approx(1 / (1 / film(S) + 1 / before[place](S)), rel=1e-12)


def test_several_lie_one_after_the_other_and_are_numbered() -> None:
    thick = {"thickness": "10 nm", "conductivity": "1e-6 S/m", "relative_permittivity": 10, "covers": "face"}
    made = cell(**{SECTION: [FILM, thick]})
    assert [each.process for each in admittances(made)["charge_transfer"].elements] == [
        "interphase_1",
        "interphase_2",
        "charge_transfer",
    ]
    assert [each.process for each in admittances(made)["pore"].elements] == ["interphase_2", "pore"]
    second = admittances(made)["charge_transfer"].elements[1]
    assert second(S) == pytest.approx((1e-6 + S * 10 * epsilon_0) / 1e-8)
    assert elements(made).names == ("bulk", "interphase_1", "interphase_2", "charge_transfer", "constriction")


def test_at_the_counter_electrode_it_has_a_name_of_its_own() -> None:
    made = cell(**{"counter_electrode.interphase": FILM})
    assert admittances(made)["counter_electrode"] == Admittance.of(2e3, 1e-2)
    assert [arc.name for arc in physical(made).arcs][-1] == "counter_electrode"
    both = made.vary({"counter_electrode.charge_transfer": {"resistance": 1e-4}})
    assert [arc.name for arc in physical(both).arcs][-2:] == ["counter_interphase", "counter_electrode"]
    assert one_dimensional_parts(both)["counter_interphase"] == pytest.approx(5e-4 / 2.5e-9)


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_without_charge_transfer_it_is_one(backend: str) -> None:
    """An ideal metal on a film is a contact that conducts as the film does: the same numbers, to the last bit."""
    bare = cell(**{"working_electrode.charge_transfer": None})
    films = bare.vary({SECTION: FILM})
    transfer = bare.vary({"working_electrode.charge_transfer": FILM})
    assert admittances(films) == admittances(transfer)
    one, other = (fc.solve(each, [1.0, 1e3, 1e6], backend=backend, resolution=8) for each in (films, transfer))
    assert np.array_equal(one.impedance, other.impedance)


@pytest.mark.parametrize("backend", ["network", "fem"])
@pytest.mark.parametrize("covers", ["contact", "face"])
@pytest.mark.filterwarnings("ignore::fem_constriction.errors.ImplausibleWarning")
def test_the_less_it_resists_the_less_there_is_of_it(backend: str, covers: str) -> None:
    """Its part of Z is proportional to R: what is left at a thousandth is a thousandth."""
    frequency = [1e-2, 1e2, 1e4]
    none = fc.solve(cell(), frequency, backend=backend, resolution=8).impedance
    away = []
    for resistance in (1e-9, 1e-12):
        made = cell(**{SECTION: {"resistance": resistance, "covers": covers}})
        away.append(np.abs(fc.solve(made, frequency, backend=backend, resolution=8).impedance - none))
    assert np.all(away[0] < 1e-4 * np.abs(none))
    # what is solved for is 1e-8 of Z
    assert np.all(away[1] < 2e-3 * away[0] + 1e-8 * np.abs(none))


def test_the_circuit_is_the_one_dimensional_cell() -> None:
    made = cell(**{SECTION: {**FILM, "covers": "face"}})
    assert "p(R_interphase,C_interphase)-p(R_charge_transfer,C_charge_transfer)" in physical(made).text()
    assert physical(made).impedance(S.imag / (2 * np.pi)) == pytest.approx(one_dimensional(made, S), rel=1e-12)


def test_temperature_follows_its_own_activation_energy() -> None:
    warm = cell(**{SECTION: [FILM, FILM], "temperature": {"value": 330.0, "activation_energy": {"interphase": "0.5 eV"}}})
    factor = warm.temperature.factor("interphase_2")  # type: ignore[union-attr]
    assert factor > 1
    first, second, transfer = admittances(warm)["charge_transfer"].elements
    assert first.conductance == second.conductance == pytest.approx(2e3 * factor)
    assert first.capacitance == 1e-2 and transfer.conductance == 1e4
    assert materials(warm)["working_electrode.interphase.1.resistance"] == (pytest.approx(5e-4 / factor), "ohm m^2")


def test_the_one_that_there_is_can_be_varied_by_its_keys() -> None:
    made = cell(**{SECTION: FILM}).vary({f"{SECTION}.covers": "face", f"{SECTION}.resistance": "2 ohm cm^2"})
    (found,) = made.working_electrode.interphase
    assert (found.covers, found.resistance, found.capacitance) == ("face", 2e-4, 1e-2)
    (found,) = cell().vary({f"{SECTION}.resistance": 1e-4}).working_electrode.interphase
    assert found.resistance == 1e-4
    with pytest.raises(InputError, match="is a list, give all of it"):
        cell(**{SECTION: [FILM, FILM]}).vary({f"{SECTION}.resistance": 1e-4})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"resistance": 0}, "leave the section out"),
        ({}, "resistance is missing"),
        ({"capacitance": 1e-2}, "resistance is missing"),
        ({"resistance": 1e-4, "thickness": 1e-8}, "together with thickness"),
        ({"thickness": 1e-8}, "conductivity is missing"),
        ({"conductivity": 1e-8}, "thickness is missing"),
        ({"resistance": 1e-4, "covers": "pores"}, "'contact' or 'face'"),
        ({"resistance": 1e-4, "cpe": {"Q": 1, "exponent": 2}}, "exponent = 2"),
        ({"resistance": 1e-4, "depth": 1e-9}, "unknown key"),
        (3, "interphase"),
    ],
)
def test_what_is_no_interphase_is_one_sentence(wrong: Any, words: str) -> None:
    with pytest.raises(InputError) as refused:
        cell().vary({SECTION: wrong})
    assert words in str(refused.value) and "working_electrode.interphase" in str(refused.value)


def test_a_thick_one_is_warned_of() -> None:
    with pytest.warns(ImplausibleWarning, match="interphases are thin layers"):
        cell(**{SECTION: {"thickness": 1e-6, "conductivity": 1e-6}})


def test_the_schema_takes_one_and_several() -> None:
    keys = fc.Cell.json_schema()["$defs"]["WorkingElectrode"]["properties"]["interphase"]
    assert [set(each) & {"$ref", "type"} for each in keys["anyOf"]] == [{"$ref"}, {"type"}]


@pytest.mark.parametrize("electrode", ["working_electrode", "counter_electrode"])
def test_one_interphase_has_no_number_in_messages(electrode: str, small: fc.Cell) -> None:
    """[x.interphase] is named as it was typed; of [[x.interphase]] the number says which one."""
    wrong, right = {"resistance": "1 ohm"}, {"resistance": "1 ohm cm^2"}
    for given, key in ((wrong, "interphase.resistance"), ([right, wrong], "interphase.1.resistance")):
        with pytest.raises(InputError) as refused:
            small.vary({f"{electrode}.interphase": given})
        assert refused.value.key == f"{electrode}.{key}"
