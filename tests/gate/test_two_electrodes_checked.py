"""A cell with two patterned electrodes, cross-checked: constrictions apart and together, circuits with two interfaces."""

from __future__ import annotations

import numpy as np
import pytest
from two_electrodes import SQUARE, S, two

from fem_constriction.problem.one_dimensional import elements, one_dimensional, one_dimensional_resistance
from fem_constriction.problem.problem import Problem
from validation import crosscheck


def test_each_electrode_is_taken_with_the_other_one_spread_evenly(coarse: None) -> None:
    result = crosscheck(two(), np.geomspace(1e-2, 1e8, 7), tolerance=0.5, discs=False)
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
