"""The one-dimensional circuits of a cell, and the notation of circuits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.fitting.notation import Topology, parse
from fem_constriction.problem.one_dimensional import elements, fit_names, physical
from fem_constriction.processes.circuits import Arc, Circuit

CELLS = Path(__file__).parents[1] / "data" / "cells"
F = np.geomspace(1e-3, 1e9, 61)
FRACTION = "working_electrode.contact.fraction"
ROUNDING = 1e-12  # a handful of operations on doubles


def load(name: str, **changes: object) -> Cell:
    return Cell.load(CELLS / f"{name}.toml").vary({key.replace("__", "."): value for key, value in changes.items()})


def series(fraction: float) -> np.ndarray:
    """The 1D-PM of figure 2, written out with the numbers of the paper."""
    s, area, e0 = 2j * np.pi * F, 2.5e-9, 8.8541878128e-12
    bulk = 50e-6 / ((0.046 + s * 150 * e0) * area)
    boundaries = 49 * 10e-9 / ((5.97e-4 + s * 150 * e0) * area)
    interface = (1 / 1e-4 + s * 8.85) * fraction + s * 0.0885 * (1 - fraction)
    return np.asarray(bulk + boundaries + 1 / (interface * area))


@pytest.mark.parametrize("fraction", [1.0, 0.25, 0.04, 0.0])
def test_physical_circuit_is_the_formula(fraction: float) -> None:
    found = physical(load("figure-2-25").vary({FRACTION: fraction})).impedance(F)
    # epsilon_0 of CODATA 2018 and 2022 differ by 2e-10
    np.testing.assert_allclose(found, series(fraction), rtol=1e-9)


def test_physical_circuit_has_the_elements_of_the_cell() -> None:
    assert [arc.name for arc in physical(load("figure-2-25")).arcs] == ["bulk", "grain_boundary", "interface"]
    assert [arc.name for arc in physical(load("figure-3a-16")).arcs] == ["bulk", "grain_boundary"]
    modified = physical(load("figure-7-64"))
    assert [arc.name for arc in modified.arcs] == ["bulk", "interface", "counter_electrode"]
    # 10 ohm cm2 on 2.5e-5 cm2; the interface of 64 % of it: R is the contact's, C also the pores'
    assert modified["counter_electrode"].resistance == pytest.approx(4e5, rel=ROUNDING)
    assert modified["interface"].resistance == pytest.approx(4e5 / 0.64, rel=ROUNDING)
    assert modified["interface"].capacitance == pytest.approx(2.5e-9 * (0.64 * 0.0885 + 0.36 * 8.85), rel=ROUNDING)


def test_without_contact_the_interface_blocks() -> None:
    blocking = physical(load("figure-2-25").vary({FRACTION: 0}))
    assert blocking.resistance == float("inf")
    assert blocking["interface"].tau == float("inf")
    assert np.all(np.isfinite(blocking.impedance(F)))
    insulating = physical(load("figure-2-25").vary({FRACTION: 0, "working_electrode.pore": None}))
    assert np.all(np.isinf(insulating.impedance(F)))


def test_arcs_add_up() -> None:
    circuit = Circuit(r_elec=5.0, arcs=(Arc(name="a", resistance=2.0, capacitance=3.0), Arc(name="b", resistance=7.0)))
    assert circuit.resistance == 14 and circuit["a"].tau == 6
    omega = 2 * np.pi * F
    np.testing.assert_allclose(circuit.impedance(F), 12 + 2 / (1 + 6j * omega), rtol=ROUNDING)


@pytest.mark.parametrize(
    ("name", "changes", "names"),
    [
        ("figure-2-25", {}, ("bulk", "grain_boundary", "charge_transfer", "constriction")),
        ("figure-2-25", {FRACTION: 1}, ("bulk", "grain_boundary", "charge_transfer")),
        ("figure-2-25", {FRACTION: 0}, ("bulk", "grain_boundary")),
        ("figure-2-25", {"working_electrode.pore": None}, ("bulk", "grain_boundary", "charge_transfer")),
        ("figure-2-25", {"electrolyte.grain_boundaries.layers": 1}, ("bulk", "charge_transfer", "constriction")),
        ("figure-3a-16", {}, ("bulk", "grain_boundary", "constriction")),
        ("figure-7-64", {}, ("bulk", "charge_transfer", "constriction", "counter_electrode")),
        ("homogeneous-25", {}, ("bulk", "charge_transfer", "constriction")),
        # without capacitance there is no arc, and the resistance must go somewhere
        (
            "figure-2-25",
            {"electrolyte.relative_permittivity": 0},
            ("r_elec", "grain_boundary", "charge_transfer", "constriction"),
        ),
        (
            "figure-2-25",
            {"working_electrode.charge_transfer.capacitance": 0},
            ("bulk", "grain_boundary", "constriction"),
        ),
        (
            "figure-2-25",
            {"working_electrode.charge_transfer.capacitance": 0, FRACTION: 1},
            ("r_elec", "bulk", "grain_boundary"),
        ),
    ],
)
def test_no_element_for_what_is_not_there(name: str, changes: dict[str, object], names: tuple[str, ...]) -> None:
    cell = load(name).vary(changes)
    assert fit_names(cell) == names
    parts = elements(cell)
    assert ("constriction" in parts.names) != ("constriction" in parts.absent)


def test_both_electrodes_may_share_an_element() -> None:
    cell = load("figure-7-64")
    assert fit_names(cell, extended=False) == ("bulk", "charge_transfer", "constriction")
    assert "counter_electrode" in elements(cell, extended=False).absent


def test_only_a_cell_without_direct_current_blocks() -> None:
    filled = {"depth": "1 nm", "relative_permittivity": 10, "conductivity": "1e-8 S/m"}
    assert elements(load("figure-2-25").vary({FRACTION: 0})).blocking
    conductive = load("figure-2-25").vary({FRACTION: 0, "working_electrode.pore": filled})
    assert not elements(conductive).blocking
    assert fit_names(conductive) == ("bulk", "grain_boundary", "pore")
    assert np.isfinite(physical(conductive).resistance)


@pytest.mark.parametrize(
    ("text", "arcs", "r_elec"),
    [
        ("R0-p(R1,C1)-p(R2,C2)", 2, True),
        ("p(R1,C1)", 1, False),
        (" R_0 - p( R_1 , C_1 ) - p(C_2, R_2) ", 2, True),
        ("p(R,C)-p(R,C)-R", 2, True),
        ("1D-FM", 4, True),
        ("1d-fm-extended", 5, True),
    ],
)
def test_notation(text: str, arcs: int, r_elec: bool) -> None:
    assert parse(text) == Topology(arcs=arcs, series=r_elec)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "neither"),
        ("R0-R1-p(R2,C2)", "two resistors"),
        ("R0-p(R1,CPE1)-X1", "X1"),
        ("R0-p(R1,C1)-p(R1,C2)", "R1 occurs twice"),
        ("2D-FM", "2D"),
        ("R0--p(R1,C1)", "neither"),
        ("R0+p(R1,C1)", "neither"),
    ],
)
def test_wrong_notation_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        parse(text)
    assert repr(text) in str(caught.value) and "p(R1,C1)" in str(caught.value)
