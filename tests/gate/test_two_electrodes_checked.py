"""A cell with two patterned electrodes, cross-checked: constrictions apart and together, circuits with two interfaces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.constants import epsilon_0
from two_electrodes import SQUARE, S, two

import network.stacks
from fem_constriction.fem.stacks import elements as hexahedra
from fem_constriction.grids.grid import Grading
from fem_constriction.problem.one_dimensional import elements, one_dimensional, one_dimensional_resistance
from fem_constriction.problem.problem import Problem
from fem_constriction.spectra.spectrum import Spectrum
from validation import Result, crosscheck
from validation.gate.electrodes import electrodes_apart
from validation.show.crosscheck_files import agreed


@pytest.fixture(scope="module")
def checked() -> Result:
    """On families whose coarsest grids are a few cells wide, with a reference electrode."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network.stacks, "GRADING", Grading(exponent=2.5, steps=2))
        patch.setitem(hexahedra.GRADINGS, 2, Grading(exponent=4.0, steps=1))
        return crosscheck(two(reference={"depth": "20 um"}), np.geomspace(1e-1, 1e6, 4), tolerance=0.5, discs=False)


def test_each_electrode_is_taken_with_the_other_one_spread_evenly(checked: Result) -> None:
    result = checked
    found = result.geometric
    assert found is not None
    assert result.agreement.verdict == "agree"
    working, counter = found.electrodes["working_electrode"], found.electrodes["counter_electrode"]
    assert abs(working[0] - counter[0]) < working[1] + counter[1]  # the same cell upside down, on other grids
    assert found.interaction is not None
    # What reaches the other electrode decays as exp(-2 pi) over a thickness, there and back: a part of 2e-6 to 2e-3.
    assert abs(found.interaction[0]) < 2e-3 * found.value + found.interaction[1]
    written = result.as_dict()["geometric_constriction_resistance"]
    assert written["interaction_ohm"][0] == pytest.approx(found.value - working[0] - counter[0], abs=1e-9 * found.value)
    assert any("counter electrode alone" in name for name, _ in result.facts()[1])


def test_a_reference_electrode_tells_both_apart(checked: Result, tmp_path: Path) -> None:
    """Working and counter electrode agree each, sum to Z, and lie where the two-ports of both backends enclose them."""
    apart, found = checked.agreement.electrodes, checked.spectrum
    assert {name: each.verdict for name, each in apart.items()} == {"working": "agree", "counter": "agree"}
    np.testing.assert_allclose(sum(each.impedance for each in found.electrodes.values()), found.impedance, rtol=1e-14)
    for name, each in apart.items():
        (enclosure,) = each.enclosures
        z = found.electrodes[name].impedance[0].real
        assert not enclosure.violations
        assert enclosure.s[0] == 0  # 100 mHz is direct current to 1e-5 of Z, far inside of intervals of coarse grids
        assert enclosure.lower[0] < z < enclosure.upper[0] < 1.2 * enclosure.lower[0]
    # Contacts and pores alike, the plane 5 um above the middle: the electrolyte between is all that they differ by.
    between = 1e-5 / ((0.046 + 2j * np.pi * found.frequency * 150 * epsilon_0) * 2.5e-9)
    working, counter = found.electrodes["working"], found.electrodes["counter"]
    known = working.uncertainty + counter.uncertainty
    assert np.all(np.abs(counter.impedance - working.impedance - between) < known)
    checked.save(tmp_path / "result.json")
    assert Result.load(tmp_path / "result.json") == checked
    assert set(checked.as_dict()["agreement"]["electrodes"]) == {"working", "counter"}
    assert [path.name for path in agreed(checked, tmp_path)] == ["agreed.csv", "agreed_working.csv", "agreed_counter.csv"]
    assert Spectrum.load(tmp_path / "agreed.csv").electrodes == found.electrodes


def test_a_two_port_that_is_too_large_is_a_fault(checked: Result) -> None:
    """A lower bound of the mean potential raised above the upper one's: quadratic forms are out of order."""
    families = dict(checked.families)
    fem = families["fem"]
    raised = (replace(each, model=replace(each.model, observer=1.2 * each.model.observer)) for each in fem.solutions)
    families["fem"] = replace(fem, solutions=tuple(raised))
    found = electrodes_apart(checked.agreement.limits, families, 0.5)
    assert "one is at fault" in found["counter"].faults[0]
    assert found["counter"].verdict == "disagree"


def test_the_circuit_has_an_interface_for_each_electrode() -> None:
    cell = two(SQUARE, {"shape": "square", "fraction": 0.16}, layers=3)
    area, kappa = 2.5e-9, 0.046 + S * 150 * 8.8541878128e-12
    transfer, pore = 1e4 + S * 8.85, S * 0.0885
    interfaces = sum(1 / (area * (part * transfer + (1 - part) * pore)) for part in (0.25, 0.16))
    planes = 2 / (area * (5e-5 + S * 150 * 8.8541878128e-12) / 1e-8)
    # Constants of nature with 10 digits.
    np.testing.assert_allclose(one_dimensional(cell, S), 5e-5 / (kappa * area) + planes + interfaces, rtol=1e-8)


def test_pores_of_both_electrodes_make_one_constriction() -> None:
    assert elements(two()).processes["constriction"] == ("pore", "counter_pore")
    whole = {"shape": "square", "fraction": 1.0}
    assert elements(two(whole)).processes["constriction"] == ("counter_pore",)
    assert elements(two(SQUARE, whole)).processes["constriction"] == ("pore",)


@pytest.mark.parametrize("electrode", ["working_electrode", "counter_electrode"])
def test_what_is_spread_evenly_conducts_as_much(electrode: str) -> None:
    """The one-dimensional circuit sees the sum alone; conductances at the cell's own temperature."""
    hot = {
        "temperature": {"value": "80 degC", "activation_energy": {"charge_transfer": "0.6 eV", "counter_electrode": "0.4 eV"}}
    }
    pores = {f"{electrode}.pore": {"depth": "1 nm", "conductivity": "1 uS/m", "relative_permittivity": 10}}
    problem = Problem.of(two(layers=2, **hot, **pores))
    spread = problem.spread(electrode)
    assert one_dimensional_resistance(spread) == pytest.approx(one_dimensional_resistance(problem), rel=1e-12)
    assert (spread.contact_fraction, spread.counter_fraction).count(1.0) == 1
