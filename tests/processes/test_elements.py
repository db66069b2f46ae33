"""A place is a series of elements, each y = g + s c + Q s^n: Z, shares and relaxations, both backends, both routes."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import direct
from stacked_cells import stacked_cell

from fem_constriction.budgets import one_dimensional_parts
from fem_constriction.errors import InputError
from fem_constriction.problem.one_dimensional import one_dimensional, physical
from fem_constriction.processes.elements import Admittance, Element
from fem_constriction.processes.names import CHARGE_TRANSFER
from fem_constriction.processes.of_cell import admittances
from fem_constriction.processes.rational import standing
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.backends import backend_named
from fem_constriction.stack.face_model import reduce_layered

S = 2j * np.pi * np.geomspace(1e-3, 1e9, 25)
BAND = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)

#: 5 ohm cm2 beside 1 uF/cm2, in series with the charge transfer.
INTERPHASE = Admittance.of(2e3, 1e-2, process="interphase")
DEPRESSED = Admittance.of(1e4, cpe=5.0, exponent=0.8, process=CHARGE_TRANSFER)

#: What two routes to one discretisation may differ by: the projection is made for 1e-10, and sparse complex solutions keep some
#: 1e-10 at the highest frequencies (measured 1e-10 to 4e-10).
SAME = 2e-9


def test_an_element_is_a_resistor_a_capacitor_and_a_constant_phase_element_side_by_side() -> None:
    y = Element(2.0, 3.0, cpe=5.0, exponent=0.5)
    assert y(np.array([0.0, 4.0])) == pytest.approx([2.0, 2 + 3 * 4 + 5 * 2])
    assert y(4j) == pytest.approx(2 + 12j + 5 * np.sqrt(4j))
    assert y.times(2.0)(4j) == pytest.approx(2 * y(4j))


def test_elements_in_series_add_their_impedances_and_share_them() -> None:
    film, transfer = Element(2.0, process="film"), Element(0.0, 3.0, process="transfer")
    both = Admittance.series(Admittance((film,)), Admittance((transfer,)))
    assert both(2.0) == pytest.approx(1 / (1 / 2 + 1 / 6))
    assert both.conductance == 0.0  # the capacitor blocks direct current
    assert both.shares(2.0) == {"film": pytest.approx(0.75), "transfer": pytest.approx(0.25)}


def test_the_relaxation_time_of_an_element_is_that_of_its_arc() -> None:
    assert Element(2.0, 3.0).relaxation_time == 1.5
    assert Element(2.0, cpe=3.0, exponent=0.5).relaxation_time == pytest.approx(2.25)  # (Q R)^(1/n)
    assert Element(0.0, 3.0).relaxation_time == np.inf
    with pytest.raises(InputError, match="constant-phase element"):
        _ = Element(2.0, 3.0, cpe=1.0, exponent=0.5).relaxation_time
    with pytest.raises(InputError, match="in series"):
        _ = Admittance.series(INTERPHASE, DEPRESSED).relaxation_time
    both = Element(2.0, 3.0, cpe=1.0, exponent=0.5)
    assert both(1 / both.switching_time) == pytest.approx(2 * both.conductance)  # what stores conducts as well as what does not
    assert Element(2.0, 3.0).switching_time == 1.5


@pytest.mark.parametrize(
    "wrong", [{"exponent": 0.0}, {"exponent": 1.5}, {"capacitance": -1.0}, {"cpe": -1.0}, {"capacitance": float("nan")}]
)
def test_parts_of_an_element_are_not_negative(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="not allowed"):
        Element(1.0, **wrong)


def places(kind: str) -> dict[str, Admittance]:
    y = admittances(stacked_cell())
    contact = {
        "interphase": Admittance.series(INTERPHASE, y[CHARGE_TRANSFER]),
        "constant phase": DEPRESSED,
        "interphase and constant phase": Admittance.series(INTERPHASE, DEPRESSED),
    }[kind]
    return {**y, CHARGE_TRANSFER: contact}


def model(backend: str, route: str, y: dict[str, Admittance]) -> ReducedModel:
    made = backend_named(backend)
    grid = made.grid(stacked_cell(), 0)
    if route == "face":
        return reduce_layered(made.layered(stacked_cell(), grid), y, BAND, tolerance=1e-10)
    return reduce(made.assemble(stacked_cell(), grid), y, BAND, tolerance=1e-10)


@pytest.mark.parametrize("kind", ["interphase", "constant phase", "interphase and constant phase"])
@pytest.mark.parametrize("route", ["face", "all unknowns"])
@pytest.mark.parametrize("backend", ["network", "fem"])
def test_both_routes_of_both_backends_solve_any_place(backend: str, route: str, kind: str) -> None:
    y = places(kind)
    found = model(backend, route, y)
    made = backend_named(backend)
    sparse = direct(made.assemble(stacked_cell(), made.grid(stacked_cell(), 0)), y, S)
    assert np.max(np.abs(found.impedance(S) / sparse - 1)) < SAME
    shares = found.shares(S)
    named = {each.process for each in y[CHARGE_TRANSFER].elements}
    assert named <= set(shares)
    assert sum(shares.values()) == pytest.approx(np.ones(S.size), abs=1e-8)


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_shares_of_elements_in_series_are_their_derivatives(backend: str) -> None:
    """The share of an element is -d ln Z/d ln y: a millionth more of it changes Z by so much."""
    y, step = places("interphase and constant phase"), 1e-4
    found = model(backend, "face", y)
    z, shares = found.impedance(S), found.shares(S)
    transfer = y[CHARGE_TRANSFER]
    for number, element in enumerate(transfer.elements):
        more, less = (
            found.impedance(S, {**y, CHARGE_TRANSFER: Admittance(tuple(
                each.times(1 + sign * step) if place == number else each for place, each in enumerate(transfer.elements)
            ))}) for sign in (1, -1)
        )  # fmt: skip
        slope = -(more - less) / (2 * step * z)
        assert np.max(np.abs(slope - shares[element.process])) < 1e-6  # step^2, and 1e-10 of Z over the step


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_relaxations_of_elements_in_series_are_the_poles_of_z(backend: str) -> None:
    found = model(backend, "all unknowns", places("interphase"))
    exact = found.relaxation()
    keep = np.isfinite(exact.tau)
    summed = np.sum(exact.resistance[keep, None] / (1 + exact.tau[keep, None] * S), axis=0)
    assert np.max(np.abs(summed / found.impedance(S) - 1)) < 1e-6
    assert {"interphase", CHARGE_TRANSFER} <= set(exact.stored)


@pytest.mark.parametrize("kind", ["constant phase", "interphase and constant phase"])
def test_rc_branches_stand_for_constant_phase_elements_in_relaxations(kind: str) -> None:
    """Their sum is Z to what is stated; energies sum to 1, and those of each process are there."""
    found = model("network", "all unknowns", places(kind))
    stands = found.relaxation()
    assert 0 < stands.off < 2e-3  # what the trapezoidal rule in log t is made for
    inside = S[(S.imag > BAND[0]) & (S.imag < BAND[1])]
    assert np.max(np.abs(stands.impedance(inside) / found.impedance(inside) - 1)) < 2 * stands.off
    keep = np.isfinite(stands.tau) & (stands.tau > 1e-12)
    assert sum(stands.stored.values())[keep] == pytest.approx(np.ones(keep.sum()), abs=1e-6)
    assert CHARGE_TRANSFER in stands.dissipated


@pytest.mark.parametrize("exponent", [0.3, 0.5, 0.8, 0.95, 0.999])
def test_rc_branches_are_a_power_of_s_to_a_thousandth(exponent: float) -> None:
    band = np.geomspace(1e-2, 1e10, 200)
    branches = standing(exponent, (band[0], band[-1]))
    s = 1j * band[:, None]
    each = branches.conductance * s / (s + branches.conductance / branches.capacitance)
    found = each.sum(1) + s[:, 0] * branches.beside
    assert np.max(np.abs(found / s[:, 0] ** exponent - 1)) < 2e-3  # 2 exp(-pi^2/h) = 1e-3, and as much for what is lumped


def test_temperature_changes_conductances_of_the_named_element_alone() -> None:
    warm = Admittance.series(INTERPHASE, DEPRESSED).heated({"interphase": 3.0})
    assert [each.conductance for each in warm.elements] == [6e3, 1e4]
    assert [each.cpe for each in warm.elements] == [0.0, 5.0]


def test_the_one_dimensional_cell_and_its_circuit_take_any_element(monkeypatch: pytest.MonkeyPatch) -> None:
    full = stacked_cell().vary({"working_electrode.contact.fraction": 1.0})
    plain = physical(full)
    y = admittances(full)
    monkeypatch.setattr(
        "fem_constriction.problem.problem.processes",
        lambda _: {**y, CHARGE_TRANSFER: Admittance.series(INTERPHASE, DEPRESSED)},
    )
    added = 1 / INTERPHASE(S) + 1 / DEPRESSED(S) - 1 / y[CHARGE_TRANSFER](S)
    frequency = S.imag / (2 * np.pi)
    assert one_dimensional(full, S) == pytest.approx(plain.impedance(frequency) + added / full.area, rel=1e-12)
    circuit = physical(full)
    assert [arc.name for arc in circuit.arcs] == [
        "bulk",
        "grain_boundary",
        "interphase",
        "charge_transfer",
        "counter_electrode",
    ]
    assert circuit["charge_transfer"].alpha == 0.8
    assert circuit.impedance(frequency) == pytest.approx(one_dimensional(full, S), rel=1e-12)


def test_parts_in_series_dissipate_by_their_resistance(monkeypatch: pytest.MonkeyPatch) -> None:
    full = stacked_cell().vary({"working_electrode.contact.fraction": 1.0})
    y = {**admittances(full), CHARGE_TRANSFER: Admittance.series(INTERPHASE, admittances(full)[CHARGE_TRANSFER])}
    monkeypatch.setattr("fem_constriction.problem.problem.processes", lambda _: y)
    found = one_dimensional_parts(full)
    assert found["interphase"] == pytest.approx(1 / (2e3 * full.area), rel=1e-12)
    assert found[CHARGE_TRANSFER] == pytest.approx(1e-4 / full.area, rel=1e-12)
