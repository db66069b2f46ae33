"""sigma(T) = sigma(T_ref) exp(-(E_a/k_B)(1/T - 1/T_ref)): a cell at another temperature is the cell with those materials."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fem_constriction as fc
from fem_constriction.cell.temperature import ActivationEnergies
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.of_cell import admittances
from fem_constriction.processes.temperature import materials
from validation.study import axes

#: Boltzmann's constant in eV/K, CODATA 2018 (exact in the SI of 2019).
K_EV = 8.617333262145179e-5
ELECTRONVOLT = 1.602176634e-19
ENERGIES = {"bulk": 0.30, "grain_boundary": 0.45, "charge_transfer": 0.6, "pore": 0.7, "counter_electrode": 0.5}
AT_60 = {"temperature.value": "60 degC"} | {f"temperature.activation_energy.{p}": f"{e} eV" for p, e in ENERGIES.items()}
LEAKY = {
    "working_electrode.pore": {"depth": "1 nm", "relative_permittivity": 10, "conductivity": "1 nS/cm"},
}


def arrhenius(energy: float, temperature: float, reference: float = 298.15) -> float:
    """The factor written out, energy in eV."""
    return math.exp(energy / (K_EV * reference) - energy / (K_EV * temperature))


def test_every_conductance_follows_its_activation_energy_and_no_capacitance_does(every_process: fc.Cell) -> None:
    cell = every_process.vary(LEAKY)
    plain, warm = admittances(cell), admittances(cell.vary(AT_60))
    assert list(plain) == list(warm) == ["bulk", "grain_boundary", "charge_transfer", "pore", "counter_electrode"]
    for process, energy in ENERGIES.items():
        # Rounding of an exponent of about 3, twice, and of the constants in eV.
        assert warm[process].conductance / plain[process].conductance == pytest.approx(arrhenius(energy, 333.15), rel=1e-12)
        assert warm[process].elements[0].capacitance == plain[process].elements[0].capacitance


def test_at_the_reference_and_without_energies_nothing_changes(every_process: fc.Cell) -> None:
    plain = admittances(every_process)
    assert admittances(every_process.vary({**AT_60, "temperature.value": "25 degC"})) == plain
    assert admittances(every_process.vary({**AT_60, "temperature.value": 400, "temperature.reference": "400 K"})) == plain
    assert admittances(every_process.vary({"temperature.value": "60 degC"})) == plain


def test_a_cell_at_a_temperature_is_the_cell_whose_file_says_so(every_process: fc.Cell) -> None:
    warm = every_process.vary(AT_60)
    typed = every_process.vary({key: f"{value!r} {unit}" for key, (value, unit) in materials(warm).items()})
    f = np.geomspace(1e-2, 1e8, 6)
    a, b = (fc.solve(cell, f, backend="fem", resolution=10).impedance for cell in (warm, typed))
    plain = fc.solve(every_process, f, backend="fem", resolution=10).impedance
    assert np.max(np.abs(a / b - 1)) < 1e-10  # the materials are equal to rounding, the same shifts are solved
    assert np.min(np.abs(plain / a - 1)[:3]) > 0.5  # and it is another cell: at low frequency it conducts several times as well


def test_materials_say_what_the_file_would_say_at_that_temperature(every_process: fc.Cell) -> None:
    found = materials(every_process.vary(LEAKY).vary(AT_60))
    assert set(found) == {
        "electrolyte.conductivity",
        "electrolyte.grain_boundaries.conductivity",
        "working_electrode.charge_transfer.resistance",
        "working_electrode.pore.conductivity",
        "counter_electrode.charge_transfer.resistance",
    }
    # Resistances fall by the factor by which conductances rise; rounding.
    assert found["electrolyte.conductivity"] == (pytest.approx(0.046 * arrhenius(0.30, 333.15), rel=1e-12), "S/m")
    resistance = found["working_electrode.charge_transfer.resistance"]
    assert resistance == (pytest.approx(1e-4 / arrhenius(0.6, 333.15), rel=1e-12), "ohm m^2")
    assert materials(every_process)["electrolyte.conductivity"] == (0.046, "S/m")


@pytest.mark.parametrize(
    ("text", "kelvin"),
    [("60 degC", 333.15), ("-20 °C", 253.15), ("77 degF", 298.15), ("300 K", 300.0), (300, 300.0), ("25 ℃", 298.15)],
)
def test_temperatures_are_kelvin_or_carry_their_offset(figure_2: fc.Cell, text: object, kelvin: float) -> None:
    cell = figure_2.vary({"temperature.value": text})
    assert cell.temperature is not None and cell.temperature.value == kelvin
    assert cell.temperature.reference == 298.15


def test_activation_energies_are_of_one_particle_or_of_a_mole(figure_2: fc.Cell) -> None:
    def energy(value: object) -> float:
        made = figure_2.vary({"temperature.value": 300, "temperature.activation_energy.bulk": value})
        assert made.temperature is not None
        return made.temperature.activation_energy.bulk

    assert energy("0.35 eV") == energy("350 meV") == pytest.approx(0.35 * ELECTRONVOLT, rel=1e-15)
    assert energy("96.48533212331002 kJ/mol") == pytest.approx(ELECTRONVOLT, rel=1e-14)  # e N_A
    assert energy(5e-20) == 5e-20 and energy("0 eV") == 0


energies = st.floats(0, 1.5).map(lambda value: f"{value!r} eV")
temperatures = st.floats(200, 600)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(
    value=temperatures,
    reference=temperatures,
    chosen=st.fixed_dictionaries({}, optional=dict.fromkeys(ActivationEnergies.model_fields, energies)),
)
def test_loading_what_was_saved_gives_an_equal_cell(figure_2: fc.Cell, value: float, reference: float, chosen: dict) -> None:
    cell = figure_2.vary({"temperature": {"value": value, "reference": reference, "activation_energy": chosen}})
    again = fc.Cell.loads(cell.dumps())
    assert again == cell and hash(again) == hash(cell)
    assert admittances(again) == admittances(cell)


def test_a_cell_without_temperature_is_written_as_before(figure_2: fc.Cell) -> None:
    assert "temperature" not in figure_2.dumps()
    assert figure_2 == figure_2.vary(AT_60).vary({"temperature": None})
    assert figure_2 != figure_2.vary({"temperature.value": "25 degC"})


def test_a_study_runs_over_temperature_on_shared_grids(figure_2: fc.Cell) -> None:
    axis = axes.parse("temperature.value", {"start": "0 degC", "stop": "100 degC", "num": 5})
    assert axis.values == (273.15, 298.15, 323.15, 348.15, 373.15) and axis.unit == "K"
    cells = [figure_2.vary(AT_60).vary({"temperature.value": value}) for value in axis.values]
    assert len({Problem.of(cell).discretisation for cell in [figure_2, *cells]}) == 1
    assert axes.parse("temperature.activation_energy.bulk", ["0.3 eV"]).unit == "J"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature.value": "-300 degC"}, "temperature.value = '-300 degC' is not allowed: an absolute temperature above 0"),
        ({"temperature.value": "60"}, "it has no unit"),
        ({"temperature.value": "60 C"}, "'C' has the dimension"),
        ({"temperature.value": 0}, "temperature.value = 0 is not allowed"),
        ({"temperature.reference": "0 K", "temperature.value": 300}, "temperature.reference = '0 K' is not allowed"),
        ({"temperature.activation_energy.bulk": "0.3 eV"}, "temperature.value is missing"),
        (
            {"temperature.value": 300, "temperature.activation_energy.bulk": "1 V"},
            "temperature.activation_energy.bulk = '1 V' is not allowed: an energy of at least 0, a number in J",
        ),
        ({"temperature.value": 300, "temperature.activation_energy.bulk": "-0.1 eV"}, "'-0.1 eV' is not allowed"),
        ({"temperature.value": 300, "temperature.activation_energy.bulk": "-1 kJ/mol"}, "an energy of at least 0"),
        (
            {"temperature.value": 300, "temperature.activation_energy.bluk": "1 eV"},
            "temperature.activation_energy.bulk is meant",
        ),
        (
            {"temperature.value": "5 K", "temperature.activation_energy.pore": "1 eV"},
            "temperature.value = 5.0 K is not allowed: pore would conduct 1e-991 times as well as at 298.15 K",
        ),
        ({"temperature": 300}, "temperature = 300 is not allowed: a section with the keys value, reference, activation_energy"),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(figure_2: fc.Cell, changes: dict, message: str) -> None:
    with pytest.raises(fc.InputError) as caught:
        figure_2.vary(changes)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_the_schema_knows_it_and_takes_degrees_below_zero() -> None:
    schema = fc.Cell.json_schema()
    assert "temperature" in schema["properties"]
    value = schema["$defs"]["Temperature"]["properties"]["value"]
    string = next(each for each in value["anyOf"] if each.get("type") == "string")
    assert "-" in string["pattern"] and "60 degC" in value["examples"]
    others = {"counter_pore", "interphase", "counter_interphase"}
    assert set(schema["$defs"]["ActivationEnergies"]["properties"]) == set(ENERGIES) | others


def test_show_prints_the_materials_at_the_temperature(figure_2: fc.Cell, tmp_path, run) -> None:
    figure_2.vary(AT_60).save(tmp_path / "warm.toml")
    status, out, _ = run("show", tmp_path / "warm.toml")
    assert status == 0 and "electrolyte.conductivity at 333.15 K" in out
    assert f"{0.046 * arrhenius(0.30, 333.15):.6g} S/m" in out
    status, out, _ = run("show", tmp_path / "warm.toml", "--json")
    assert status == 0 and '"at_temperature"' in out
