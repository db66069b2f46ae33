"""Q s^n in the cell file: its unit, with the letter n in it; where it may stand; what is written is read as the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.constants import epsilon_0
from stacked_cells import stacked_cell

import fem_constriction as fc
from fem_constriction.errors import ImplausibleWarning, InputError
from fem_constriction.problem.one_dimensional import elements, one_dimensional, physical
from fem_constriction.processes.of_cell import admittances

S = 2j * np.pi * np.geomspace(1e-3, 1e9, 25)
CPE: dict[str, Any] = {"Q": "20 uS s^n/cm^2", "exponent": 0.9}


#: Section, and the place that its constant-phase element is of.
SECTIONS = {
    "electrolyte": "bulk",
    "electrolyte.grain_boundaries": "grain_boundary",
    "working_electrode.charge_transfer": "charge_transfer",
    "working_electrode.pore": "pore",
    "counter_electrode.charge_transfer": "counter_electrode",
}


@pytest.mark.parametrize(
    ("text", "exponent", "value"),
    [
        ("20 uS s^n/cm^2", 0.9, 0.2),
        ("20 uS*s**n/cm2", 0.9, 0.2),
        ("20 µS·sⁿ/cm²", 0.9, 0.2),
        ("20 uF s^(n-1)/cm^2", 0.9, 0.2),
        ("20 µF·sⁿ⁻¹·cm⁻²", 0.9, 0.2),
        ("20 uohm^-1 s^n cm^-2", 0.9, 2e11),  # 20 per micro-ohm
        ("3 ohm^-1 s^n m^-2", 0.5, 3.0),
        ("20 uS s^0.9/cm^2", 0.9, 0.2),
        ("20 uF s^-0.1/cm^2", 0.9, 0.2),
        ("20 uF/cm^2", 1, 0.2),
        (0.2, 0.9, 0.2),
    ],
)
@pytest.mark.filterwarnings("ignore::fem_constriction.errors.ImplausibleWarning")
def test_units_of_q(text: Any, exponent: float, value: float) -> None:
    found = stacked_cell().vary({"working_electrode.pore.cpe": {"Q": text, "exponent": exponent}}).working_electrode.pore
    assert found is not None and found.cpe is not None
    q = found.cpe.Q
    assert q == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"Q": "20 uF/cm^2", "exponent": 0.9}, "cpe.Q = '20 uF/cm^2' is not allowed"),
        ({"Q": "20 uS/cm^2/s^n", "exponent": 0.9}, "cpe.Q"),
        ({"Q": "20 uS s^0.8/cm^2", "exponent": 0.9}, "cpe.Q"),
        ({"Q": "20 uS s^n/cm", "exponent": 0.9}, "cpe.Q"),
        ({"Q": "20 uS ms^n/cm^2", "exponent": 0.9}, "cpe.Q"),
        ({"Q": "20", "exponent": 0.9}, "no unit"),
        ({"Q": 0, "exponent": 0.9}, "leave the section out"),
        ({"Q": -1, "exponent": 0.9}, "cpe.Q"),
        ({"Q": 1.0, "exponent": 0}, "exponent = 0 is not allowed: a number above 0 and at most 1"),
        ({"Q": 1.0, "exponent": 1.2}, "exponent = 1.2 is not allowed"),
        ({"Q": 1.0, "exponent": "0.9"}, "exponent"),
        ({"Q": 1.0}, "exponent is missing"),
        ({"exponent": 0.9}, "Q is missing"),
        ({"Q": 1.0, "exponent": 0.9, "n": 0.9}, "unknown key"),
    ],
)
def test_what_is_no_constant_phase_element_is_one_sentence(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refused:
        stacked_cell().vary({"working_electrode.pore.cpe": wrong})
    assert words in str(refused.value) and "working_electrode.pore.cpe" in str(refused.value)


@pytest.mark.parametrize("section", SECTIONS)
def test_it_may_stand_wherever_a_capacitance_does(section: str, tmp_path: Path) -> None:
    per = {"Q": "2 nS s^n/cm" if section == "electrolyte" else "20 uS s^n/cm^2", "exponent": 0.9}
    made = stacked_cell().vary({f"{section}.cpe": per})
    made.save(tmp_path / "cell.toml")
    assert fc.Cell.load(tmp_path / "cell.toml") == made
    before, after = admittances(stacked_cell()), admittances(made)
    q = 2e-7 if section == "electrolyte" else 0.2
    place = SECTIONS[section]
    assert after[place](S) == pytest.approx(before[place](S) + q * S**0.9, rel=1e-12)
    assert {name: y for name, y in after.items() if name != place} == {name: y for name, y in before.items() if name != place}
    warmer = made.vary({"temperature": {"value": 350.0, "activation_energy": {place: "0.3 eV"}}})
    hot = admittances(warmer)[place].elements[0]
    assert hot.cpe == q and hot.conductance == pytest.approx(
        warmer.temperature.factor(place) * before[place].conductance  # type: ignore[union-attr]
    )


def test_it_may_stand_instead_of_a_capacitance() -> None:
    made = stacked_cell().vary({"working_electrode.pore": {"cpe": CPE}, "electrolyte.relative_permittivity": 0})
    assert admittances(made)["pore"](S) == pytest.approx(0.2 * S**0.9)


def test_an_exponent_of_1_is_a_capacitor() -> None:
    made = stacked_cell().vary({"working_electrode.pore": {"cpe": {"Q": 0.0885, "exponent": 1}}})
    assert admittances(made) == admittances(stacked_cell())
    bulk = stacked_cell().vary(
        {"electrolyte.relative_permittivity": 0, "electrolyte.cpe": {"Q": 150 * epsilon_0, "exponent": 1}}
    )
    assert admittances(bulk) == admittances(stacked_cell())


def test_an_exponent_can_be_varied_alone() -> None:
    made = stacked_cell(**{"working_electrode.pore.cpe": CPE}).vary({"working_electrode.pore.cpe.exponent": 0.8})
    assert admittances(made)["pore"].elements[0].exponent == 0.8
    assert admittances(made)["pore"].elements[0].cpe == 0.2


def test_values_that_nobody_means_are_warned_of() -> None:
    with pytest.warns(ImplausibleWarning, match=r"pore.cpe.Q = 200000000000.0 S s\^n/m\^2 is unusual"):
        stacked_cell().vary({"working_electrode.pore.cpe": {"Q": 2e11, "exponent": 0.9}})
    with pytest.warns(ImplausibleWarning, match=r"exponent = 0.05 is unusual"):
        stacked_cell().vary({"working_electrode.pore.cpe": {"Q": 0.2, "exponent": 0.05}})


def test_circuits_have_depressed_arcs_and_blocks() -> None:
    made = stacked_cell(**{"electrolyte.grain_boundaries.cpe": CPE, "electrolyte.grain_boundaries.relative_permittivity": 0})
    circuit = physical(made)
    arc, boundary = circuit["grain_boundary"], admittances(made)["grain_boundary"].elements[0]
    assert arc.alpha == 0.9
    assert arc.tau == pytest.approx((boundary.cpe / boundary.conductance) ** (1 / 0.9))
    assert circuit.impedance(S.imag / (2 * np.pi)) == pytest.approx(one_dimensional(made, S), rel=1e-12)
    beside = stacked_cell(**{"working_electrode.pore": {"cpe": CPE}, "electrolyte.cpe": {"Q": 1e-8, "exponent": 0.7}})
    circuit = physical(beside)
    assert circuit.text() == (
        "p(R_grain_boundary,C_grain_boundary)-p(R_counter_electrode,C_counter_electrode)"
        "-p(R_bulk,C_bulk,CPE_bulk)-p(R_charge_transfer,C_charge_transfer,CPE_pore)"
    )
    assert circuit.impedance(S.imag / (2 * np.pi)) == pytest.approx(one_dimensional(beside, S), rel=1e-12)
    assert circuit.resistance == pytest.approx(physical(stacked_cell()).resistance)
    assert elements(beside).names == elements(stacked_cell()).names
    assert elements(beside).depressed == {"bulk", "constriction"}
