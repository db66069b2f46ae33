"""Circuits as lmfit models: exact parameters come back, standard errors are those of noise, strings mean what they say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from paper_cells import SMALL, paper_cell
from scipy.optimize import linear_sum_assignment

import fem_constriction as fc
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting.circuit_models import model
from fem_constriction.fitting.extraction import Extraction, extract, fit_spectrum
from fem_constriction.fitting.notation import Part, parse
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.circuits import Arc, Circuit
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from network import Network

F = np.geomspace(1e-2, 1e7, 46)
S = 2j * np.pi * F
FRACTION = "working_electrode.contact.fraction"


def arc(resistance: float, tau: float, alpha: float = 1.0) -> np.ndarray:
    return np.asarray(resistance / (1 + (S * tau) ** alpha))


def noisy(impedance: np.ndarray, size: float, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.asarray(impedance * (1 + size * (random.normal(size=F.size) + 1j * random.normal(size=F.size))))


# The notation


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("R0-p(R1,C1)", [("R", ("R0",)), ("p(R,C)", ("R1", "C1"))]),
        ("p(CPE, R)-L-C-R", [("p(R,CPE)", ("R1", "CPE1")), ("L", ("L0",)), ("C", ("C0",)), ("R", ("R0",))]),
        ("p(R,C)-p(R1,C7)", [("p(R,C)", ("R2", "C1")), ("p(R,C)", ("R1", "C7"))]),  # no label twice
        ("p(R_bulk,CPE_bulk)", [("p(R,CPE)", ("R_bulk", "CPE_bulk"))]),
        ("1D-PM", [("p(R,C)", (f"R{n}", f"C{n}")) for n in (1, 2, 3)]),
        ("1d-pm-modified", [("p(R,C)", (f"R{n}", f"C{n}")) for n in (1, 2, 3, 4)]),
    ],
)
def test_every_element_gets_a_label_of_its_own(text: str, parts: list[tuple[str, tuple[str, ...]]]) -> None:
    assert parse(text).parts == tuple(Part(kind=kind, labels=labels) for kind, labels in parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["1D-PM", "1D-PM-modified", "1D-FM", "1D-FM-extended", "R0-p(R1,CPE1)-L0"])
def test_names_and_units(text: str) -> None:
    made = model(text)
    assert made.param_names == list(made.units)
    assert all(
        made.units[name] == {"R": "ohm", "L": "H", "C": "F"}[name[0]] for name in made.units if not name.startswith("CPE")
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("L0-L1-p(R1,C1)", "two inductances"),
        ("CPE0-CPE1-p(R1,L1)", "two constant-phase elements"),
        ("p(R1,R2)", "neither"),
        ("p(R1,C1", "no '\\)' at its end"),
        ("p(R1)", "nothing in parallel"),
        ("R(RC", "is missing"),
        ("R0-T1", "'T1' is neither"),
        ("R0-p(R1,CPE1)-p(R2,CPE1)", "CPE1 occurs twice"),
    ],
)
def test_wrong_notation_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        model(text)


# The models


def test_a_model_is_the_circuit_written_out() -> None:
    made = model("R0-L0-C0-p(R1,C1)-p(R2,CPE2)")
    params = made.make_params(R0=3.0, L0=1e-7, C0=2e-3, R1=10.0, C1=1e-6, R2=5.0, CPE2_Q=1e-3, CPE2_alpha=0.7)
    wanted = 3 + S * 1e-7 + 1 / (S * 2e-3) + 1 / (1 / 10 + S * 1e-6) + 1 / (1 / 5 + 1e-3 * S**0.7)
    np.testing.assert_allclose(made.impedance(params, F), wanted, rtol=1e-13)
    np.testing.assert_allclose(made.eval(params, frequency=F), np.concatenate([wanted.real, wanted.imag]), rtol=1e-13)


@pytest.mark.parametrize(
    ("text", "impedance", "wanted"),
    [
        ("R0-p(R1,C1)", 5 + arc(10, 1e-3), {"R0": 5, "R1": 10, "C1": 1e-4}),
        ("p(R1,C1)-p(R2,CPE2)", arc(10, 1e-5) + arc(20, 1e-2, 0.8), {"R1": 10, "R2": 20, "CPE2_Q": 1e-2**0.8 / 20}),
        ("R0-p(R1,CPE1)-L0", 5 + arc(10, 1e-3, 0.9) + S * 1e-8, {"CPE1_alpha": 0.9, "tau1": 1e-3, "L0": 1e-8}),
        ("R0-p(R1,C1)-C0", 5 + arc(10, 1e-5) + 1 / (S * 1e-2), {"R0": 5, "C0": 1e-2}),
    ],
)
def test_exact_parameters_come_back(text: str, impedance: np.ndarray, wanted: dict[str, float]) -> None:
    found = model(text).fit(impedance, frequency=F)
    for name, value in wanted.items():
        assert found.params[name].value == pytest.approx(value, rel=1e-7)  # lmfit stops at 1e-10 of the logarithms


def test_standard_errors_are_those_of_noise_and_follow_to_derived_values() -> None:
    made, exact = model("R0-p(R1,CPE1)"), 5 + arc(10, 1e-3, 0.8)
    wanted = {"R0": 5.0, "R1": 10.0, "tau1": 1e-3, "CPE1_alpha": 0.8, "CPE1_Q": 1e-3**0.8 / 10}
    pulls = []
    for seed in range(40):
        found = made.fit(noisy(exact, 1e-3, seed), frequency=F).params
        pulls.append([(found[name].value - value) / found[name].stderr for name, value in wanted.items()])
    # 200 pulls, five of a fit correlated: their spread is 1 within 15 %
    assert np.sqrt(np.mean(np.square(pulls))) == pytest.approx(1, abs=0.2)


def test_a_weighting_that_is_wrong_would_be_seen() -> None:
    made, exact = model("p(R1,C1)-p(R2,C2)"), arc(1e5, 1e-5) + arc(10, 1e-1)
    small = {each: made.fit(noisy(exact, 1e-3), frequency=F, weighting=each).params["R2"] for each in ("modulus", "unit")}
    assert small["modulus"].stderr < 0.5 * small["unit"].stderr or abs(small["unit"].value / 10 - 1) > 0.5


def test_a_cells_own_circuit_is_a_model_and_its_start() -> None:
    circuit = physical(paper_cell("figure-7-64"))
    made = model(circuit.text())
    assert made.param_names[:2] == ["R_bulk", "C_bulk"]
    params = made.start(circuit)
    np.testing.assert_allclose(made.impedance(params, F), circuit.impedance(F), rtol=1e-12)
    assert params["tau_counter_electrode"].value == pytest.approx(circuit["counter_electrode"].tau, rel=1e-12)
    with pytest.raises(InputError, match="2 arcs with a resistance and a capacitance"):
        model("p(R1,C1)-p(R2,C2)").start(circuit)


def test_text_of_a_circuit_is_what_parse_reads() -> None:
    arcs = (Arc(name="bulk", resistance=2.0, capacitance=1.0), Arc(name="we", resistance=1.0, capacitance=3.0, alpha=0.8))
    circuit = Circuit(arcs=arcs, r_elec=1.0, inductance=1e-6, capacitance=2.0)
    assert circuit.text() == "R_elec-L_series-C_series-p(R_bulk,C_bulk)-p(R_we,CPE_we)"
    assert [part.kind for part in parse(circuit.text()).parts] == ["R", "L", "C", "p(R,C)", "p(R,CPE)"]
    assert circuit.resistance == float("inf")
    np.testing.assert_allclose(
        circuit.impedance(F), 1 + 1e-6 * S + 0.5 / S + 2 / (1 + 2 * S) + 1 / (1 + (3 * S) ** 0.8), rtol=1e-13
    )


def test_wrong_input_and_failure() -> None:
    with pytest.raises(InputError, match="1 frequencies do not determine the 4 parameters"):
        model("p(R1,C1)-p(R2,C2)").fit(arc(1, 1)[:1], frequency=F[:1])
    with pytest.raises(InputError, match="weighting = 'none' is not allowed: modulus"):
        model("p(R1,C1)").fit(arc(1, 1), frequency=F, weighting="none")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="impedance = 0 ohm"):
        model("p(R1,C1)").guess(np.zeros(F.size), F)
    with pytest.raises(ComputationError, match="did not converge"):
        model("R0-p(R1,CPE1)").fit(noisy(5 + arc(10, 1e-3, 0.8), 1e-2), frequency=F, max_nfev=3)


# Spectra through the models


def test_a_spectrum_with_depressed_arcs_is_fitted_with_its_uncertainties() -> None:
    z = 5 + arc(10, 1e-5) + arc(20, 1e-2, 0.8) + S * 1e-8
    found = fit_spectrum(fc.Spectrum(F, z, 1e-4 * np.abs(z)), "L0-p(R1,CPE1)-p(R2,C2)-R0")  # the arcs in the other order
    assert list(found.arcs) == ["r_elec", "inductance", "arc_1", "arc_2"]
    fast, slow = found.arcs["arc_1"], found.arcs["arc_2"]
    assert fast.alpha is None and slow.alpha is not None and slow.alpha.value == pytest.approx(0.8, rel=1e-7)
    assert slow.tau.value == pytest.approx(1e-2, rel=1e-7)
    assert slow.C.value == pytest.approx(1e-2 / 20, rel=1e-7)
    assert found.arcs["inductance"].L is not None and found.arcs["inductance"].L.value == pytest.approx(1e-8, rel=1e-7)
    np.testing.assert_allclose(found.circuit().impedance(F), z, rtol=1e-9)
    assert found.residual is not None and found.residual < 1e-9 and found.variations > 5 and not found.left_out
    # discretisation: what the worst error |dZ| <= u does, by fitting it
    assert slow.R.discretisation is not None and slow.R.value is not None
    random, moved = np.random.default_rng(1), []
    for _ in range(8):
        wrong = z + 1e-4 * np.abs(z) * np.exp(2j * np.pi * random.random(F.size))
        again = model("R0-L0-p(R1,C1)-p(R2,CPE2)").fit(wrong, frequency=F, calc_covar=False).params["R2"].value
        moved.append(abs(again - slow.R.value))
    assert 0.02 * slow.R.discretisation < max(moved) < slow.R.discretisation


def test_rc_circuits_and_their_models_agree() -> None:
    z = noisy(5 + arc(10, 1e-5) + arc(20, 1e-2), 1e-3)
    exact = fit_spectrum(fc.Spectrum(F, z), "R0-p(R1,C1)-p(R2,C2)")
    other = model("R0-p(R1,C1)-p(R2,C2)").fit(z, frequency=F).params
    for name, label in (("arc_1", "1"), ("arc_2", "2")):
        assert other[f"R{label}"].value == pytest.approx(exact.arcs[name].R.value, rel=1e-6)
        assert other[f"R{label}"].stderr == pytest.approx(exact.arcs[name].R.nominal, rel=1e-3)
        assert other[f"C{label}"].stderr == pytest.approx(exact.arcs[name].C.nominal, rel=1e-3)


def test_a_blocking_spectrum_takes_a_capacitor_in_series() -> None:
    found = fit_spectrum(fc.Spectrum(F, 5 + arc(10, 1e-5) + 1 / (S * 1e-3)), "R0-C0-p(R1,C1)")
    assert found.arcs["capacitance"].C.value == pytest.approx(1e-3, rel=1e-7)
    assert found.circuit().resistance == float("inf")


# Names over a series of contact fractions


def extracted(cell: fc.Cell, extended: bool) -> Extraction:
    frequency = np.geomspace(1e-3, 1e9, 49)
    network = Network()
    grid = network.grid(cell, 0)
    found = reduce(network.assemble(cell, grid), admittances(cell), (2 * np.pi * 1e-3, 2 * np.pi * 1e9))
    z = found.impedance(2j * np.pi * frequency)
    return extract(frequency, z, cell=cell, model=found, uncertainty=1e-5 * np.abs(z), extended=extended)


def both(resistance: float, capacitance: float, pore: float) -> dict[str, object]:
    """Charge transfer of both electrodes, in ohm cm2 and uF/cm2, and the pores' capacitance."""
    keys = [f"{electrode}_electrode.charge_transfer" for electrode in ("working", "counter")]
    found: dict[str, object] = {f"{key}.resistance": f"{resistance} ohm cm^2" for key in keys}
    found |= {f"{key}.capacitance": f"{capacitance} uF/cm^2" for key in keys}
    return found | {"working_electrode.pore.capacitance": f"{pore} uF/cm^2"}


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "changes", "extended"),
    [
        ("figure-7-64", both(1, 88.5, 885), False),  # figure 5 (a)
        ("figure-7-64", both(1, 88.5, 0.885), False),  # figure 5 (b): at 1 % charge transfer and pores store alike
        ("figure-7-64", both(1, 8.85, 885), False),  # figure 6
        ("figure-7-64", both(100, 8.85, 885), True),  # figure 6: charge transfer dissipates what the pores store
        ("figure-2-25", SMALL, False),
    ],
    ids=["5a", "5b", "6", "6 with 100 ohm cm2", "2"],
)
def test_an_arc_keeps_its_name_from_96_to_1_percent(name: str, changes: dict[str, object], extended: bool) -> None:
    fractions = (0.96, 0.64, 0.25, 0.09, 0.04, 0.02, 0.01)
    series = [extracted(paper_cell(name).vary({**changes, FRACTION: x}), extended) for x in fractions]
    assert all(sorted(each.arcs) == sorted(series[0].arcs) for each in series)
    for before, after in pairwise(series):
        names = list(before.arcs)
        values = [np.log([[each.arcs[n].R.value or 0, each.arcs[n].tau.value or 0] for n in names]) for each in (before, after)]
        distance = np.abs(values[0][:, None] - values[1]).sum(2)
        # each arc is nearest to the one of its name, taken together
        _, nearest = linear_sum_assignment(distance)
        assert [names[place] for place in nearest] == names
    resistance = [each.arcs["charge_transfer"].R.value or 0 for each in series]
    constriction = [each.arcs["constriction"].tau.value or 0 for each in series]
    if max(constriction) < 1e-3:  # faster than charge transfer: the contact's resistance, never below R_pol/A_c (claim 12)
        assert all(r > 4e4 / x for r, x in zip(resistance, fractions, strict=True))


@pytest.mark.long
def test_names_exchange_once_where_time_constants_cross(figure_2: fc.Cell) -> None:
    # Pores of 200 uF/cm2: near full contact the slow arc is the double layer's, at small contacts it is the pores'.
    cell = figure_2.vary({**SMALL, "working_electrode.pore.capacitance": "200 uF/cm^2"})
    slower = []
    for x in (0.9, 0.64, 0.49, 0.36, 0.25, 0.16, 0.04):
        arcs = extracted(cell.vary({FRACTION: x}), True).arcs
        slower.append((arcs["constriction"].tau.value or 0) > (arcs["charge_transfer"].tau.value or 0))
    assert not slower[0] and slower[-1] and slower == sorted(slower)
