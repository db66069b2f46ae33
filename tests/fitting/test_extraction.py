"""Circuits are recovered exactly, arcs get the right names, and each contribution is what it says.

Models are of the coarsest grids: what the tests are about is the fit, not the cell's true impedance.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import lmfit
import numpy as np
import pytest

from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ComputationError, InputError, NotExtracted
from fem_constriction.fem.backend import FiniteElements
from fem_constriction.fitting.circuit_fit import WEIGHTINGS
from fem_constriction.fitting.extraction import Extraction, Value, extract, fit_spectrum
from fem_constriction.fitting.rc_fit import best_fit, fit
from fem_constriction.fitting.starts import relaxations, starts
from fem_constriction.problem.one_dimensional import elements, physical
from fem_constriction.processes.circuits import Arc, Circuit
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.spectra.spectrum import Spectrum
from network.backend import Network

CELLS = Path(__file__).parents[1] / "data" / "cells"
F = np.geomspace(1e-3, 1e9, 61)
S = 2j * np.pi * F
FRACTION = "working_electrode.contact.fraction"
SAME = {  # pores that conduct and store, per area, what the contact of figure 2 does
    "working_electrode.pore.capacitance": None,
    "working_electrode.pore.depth": 1e-9,
    "working_electrode.pore.relative_permittivity": 8.85 * 1e-9 / 8.8541878188e-12,
    "working_electrode.pore.conductivity": 1e4 * 1e-9,
}


def load(name: str, changes: dict[str, Any] | None = None) -> Cell:
    return Cell.load(CELLS / f"{name}.toml").vary(changes or {})


@cache
def model(cell: Cell, backend: type = FiniteElements) -> ReducedModel:
    solver = FiniteElements(2) if backend is FiniteElements else Network()
    assembly = solver.assemble(cell, solver.grid(cell, 0))
    band = 2 * np.pi * F[0], 2 * np.pi * F[-1]
    return reduce(assembly, admittances(cell), band, direct_current=not elements(cell).blocking)


def of(cell: Cell, relative: float | None = 1e-5, backend: type = FiniteElements, **more: Any) -> Extraction:
    impedance = model(cell, backend).impedance(S)
    u = None if relative is None else relative * np.abs(impedance)
    return extract(F, impedance, uncertainty=u, cell=cell, model=model(cell, backend), **more)


def number(value: Value) -> float:
    assert value.value is not None
    return value.value


def circuit(*pairs: tuple[float, float], r_elec: float = 0.0) -> Circuit:
    arcs = [Arc(name=f"arc_{n + 1}", resistance=r, capacitance=tau / r) for n, (r, tau) in enumerate(pairs)]
    return Circuit(arcs=tuple(arcs), r_elec=r_elec)


# The cells of the paper


@pytest.mark.parametrize("backend", [FiniteElements, Network])
def test_figure_2(backend: type) -> None:
    cell = load("figure-2-25")
    found, bare = of(cell, backend=backend), physical(cell)
    assert list(found.arcs) == ["bulk", "grain_boundary", "constriction", "charge_transfer"]
    assert found.residual is not None and found.residual < 0.0035  # claim 10
    for name, r, c in (("bulk", 1e-3, 1e-3), ("grain_boundary", 8e-3, 1e-2)):  # claim 11
        assert number(found.arcs[name].R) == pytest.approx(bare[name].resistance, rel=r)
        assert number(found.arcs[name].C) == pytest.approx(bare[name].capacitance, rel=c)
    cstr = found.constriction
    assert cstr is not None
    # 1.462e5 and 1.473e5 on the next grids of the two: the coarsest are 2 % below and above
    assert number(cstr.R) == pytest.approx(1.467e5, rel=0.03)
    assert number(cstr.tau) == pytest.approx(5.3e-5, rel=0.03)
    assert number(cstr.C) == pytest.approx(3.6e-10, rel=0.03)
    assert number(found.arcs["charge_transfer"].tau) == pytest.approx(8.5e-4, rel=0.03)
    assert sum(number(arc.R) for arc in found.arcs.values()) == pytest.approx(model(cell, backend).resistance(), rel=2e-3)


def test_names_over_the_fraction() -> None:
    names = {"bulk", "grain_boundary", "constriction", "charge_transfer"}
    fractions = (0.04, 0.25, 0.49, 0.81, 0.9)
    found = [of(load("figure-2-25", {FRACTION: x}), backend=FiniteElements) for x in fractions]
    assert all(set(each.arcs) == names and not each.removed for each in found)
    resistance = [number(each.arcs["constriction"].R) for each in found]
    assert np.all(np.diff(resistance) < 0)  # claim 8
    transfer = np.array([number(each.arcs["charge_transfer"].R) for each in found])
    assert np.polyfit(np.log(fractions), np.log(transfer), 1)[0] == pytest.approx(-1, abs=0.15)  # claim 12
    assert np.all(transfer * fractions > 4e4)  # never below R_pol/A_c


def test_ideal_contact_has_no_charge_transfer() -> None:
    cell = load("figure-3a-16")
    found = of(cell)
    assert list(found.arcs) == ["bulk", "grain_boundary", "constriction"]
    # an arc of its own beyond all others: fitted and geometric resistance are the same, to the misfit
    assert number(found.arcs["constriction"].R) == pytest.approx(model(cell).resistance() - physical(cell).resistance, rel=5e-3)


def test_figure_7_tells_the_electrodes_apart() -> None:
    found = of(load("figure-7-64"))
    assert list(found.arcs) == ["bulk", "charge_transfer", "counter_electrode", "constriction"]
    for name, tau in (("charge_transfer", 1.9e-5), ("counter_electrode", 8.85e-5), ("constriction", 6.45e-3)):
        assert number(found.arcs[name].tau) == pytest.approx(tau, rel=0.05), name
    assert number(found.arcs["counter_electrode"].R) == pytest.approx(4e5, rel=0.03)
    shared = of(load("figure-7-64"), extended=False)
    assert list(shared.arcs) == ["bulk", "charge_transfer", "constriction"]
    assert shared.residual is not None and found.residual is not None
    assert shared.residual > 5 * found.residual  # claim 54


def test_figure_6_electrodes_coincide() -> None:
    found = of(load("figure-6-16"))
    assert list(found.arcs) == ["bulk", "counter_electrode", "constriction"]
    assert number(found.arcs["constriction"].tau) == pytest.approx(1.1e-2, rel=0.03)
    lost = found.removed["charge_transfer"]
    assert lost.R.value is None and lost.R.reason is not None and "counter_electrode" in lost.R.reason
    # the counter electrode's 4e4 ohm and the contact's few thousand are in one arc
    assert 4e4 < number(found.arcs["counter_electrode"].R) < 4.6e4


# Cells at the ends


def test_full_contact_is_the_physical_circuit() -> None:
    cell = load("figure-2-25", {FRACTION: 1})
    found, bare = of(cell), physical(cell)
    assert list(found.arcs) == ["bulk", "grain_boundary", "charge_transfer"]
    for name, arc in zip(("bulk", "grain_boundary", "interface"), found.arcs.values(), strict=True):
        assert number(arc.R) == pytest.approx(bare[name].resistance, rel=1e-8)  # solver tolerance 1e-10
    cstr = found.constriction
    assert cstr is not None and cstr.R.value == 0 and cstr.C.value is None and cstr.tau.value is None
    assert cstr.R.reason == cstr.tau.reason == "full contact"


def test_electrodes_that_are_equal_are_one_arc() -> None:
    found = of(load("figure-7-64", {FRACTION: 1}))
    assert list(found.arcs) == ["bulk", "charge_transfer"]
    assert number(found.arcs["charge_transfer"].R) == pytest.approx(8e5, rel=1e-8)  # solver tolerance 1e-10
    assert found.removed["counter_electrode"].R.value is None


def test_no_contact_fits_nothing() -> None:
    found = of(load("figure-2-25", {FRACTION: 0}))
    cstr = found.constriction
    assert not found.arcs and found.residual is None
    assert cstr is not None and cstr.R.value is None and "direct current" in str(cstr.R.reason)


def test_insulating_pores_have_no_constriction_arc() -> None:
    found = of(load("figure-2-25", {"working_electrode.pore": None}))
    assert set(found.arcs) == {"bulk", "grain_boundary", "charge_transfer"}
    assert found.constriction is not None and "spread" in str(found.constriction.R.reason)
    assert number(found.arcs["bulk"].R) > 1.2 * physical(load("figure-2-25"))["bulk"].resistance


def test_contact_like_its_pores_does_not_constrict() -> None:
    cell = load("homogeneous-25", SAME)
    cstr = of(cell).constriction
    assert cstr is not None and cstr.R.value == 0 and "vanished" in str(cstr.R.reason)
    assert cstr.R.limit is not None and 0 < cstr.R.limit < 1e-4 * model(cell).resistance()
    assert number(of(cell).arcs["charge_transfer"].R) == pytest.approx(4e4, rel=1e-6)


def test_boundaries_without_capacitance_free_r_elec() -> None:
    cell = load("figure-2-25", {"electrolyte.grain_boundaries.relative_permittivity": 0, FRACTION: 1})
    found = of(cell)
    assert list(found.arcs) == ["r_elec", "bulk", "charge_transfer"]
    assert number(found.arcs["r_elec"].R) == pytest.approx(49 * 1e-8 / 5.97e-4 / 2.5e-9, rel=1e-8)
    assert "r_elec" in str(found.removed["grain_boundary"].R.reason)
    np.testing.assert_allclose(found.circuit().impedance(F), physical(cell).impedance(F), rtol=1e-7)


def test_an_arc_below_the_uncertainty_is_not_reported() -> None:
    cell = load("figure-3a-16", {FRACTION: 0.81})
    sharp, blunt = of(cell).constriction, of(cell, relative=0.02).constriction
    assert sharp is not None and blunt is not None
    assert number(sharp.R) == pytest.approx(3900, rel=0.05)  # half a per cent of the whole resistance
    assert blunt.R.value == 0 and blunt.R.limit is not None and number(sharp.R) < blunt.R.limit < 2e4


# Exact circuits


@pytest.mark.parametrize(
    "wanted",
    [
        circuit((4.3e5, 2.9e-8)),
        circuit((4.3e5, 2.9e-8), (3.3e5, 2.2e-6), (1.5e5, 5e-5), (2e5, 8.5e-4)),
        circuit((4.3e5, 2.9e-8), (4e3, 2.2e-6), (4e5, 5e-3)),  # 0.5 %
        circuit((1e3, 1e-4), (1e3, 2.5e-4)),  # a factor of 2.5
        circuit((2.0, 1e-2), (3.0, 1.0), r_elec=1.5),
    ],
)
def test_exact_circuit_is_recovered(wanted: Circuit) -> None:
    text = "R0-" * bool(wanted.r_elec) + "-".join(f"p(R{n},C{n})" for n in range(1, 1 + len(wanted.arcs)))
    found = fit_spectrum(Spectrum(F, wanted.impedance(F)), text)
    got = found.circuit()
    assert got.r_elec == pytest.approx(wanted.r_elec, rel=1e-6)  # the fit stops at 1e-10 of the logarithms
    for one, other in zip(got.arcs, wanted.arcs, strict=True):
        assert one.name == other.name
        assert one.resistance == pytest.approx(other.resistance, rel=1e-6)
        assert one.tau == pytest.approx(other.tau, rel=1e-6)
    assert found.left_out == 0 and not found.removed
    # an exact circuit does not care how it is weighed or cut
    assert all(number(arc.R) * 1e-5 > (arc.R.model or 0) for arc in found.arcs.values())


def test_elements_too_many_are_removed() -> None:
    wanted = circuit((4e5, 3e-8), (2e5, 1e-4))
    found = fit_spectrum(Spectrum(F, wanted.impedance(F)), "1D-FM")
    assert list(found.arcs) == ["arc_1", "arc_2"] and list(found.removed) == ["r_elec", "arc_3", "arc_4"]
    assert number(found.arcs["arc_2"].R) == pytest.approx(2e5, rel=1e-6)
    assert all(each.R.value == 0 and each.R.reason for each in found.removed.values())


@pytest.mark.parametrize("per_ohm", [1e-9, 1e6])
@pytest.mark.parametrize("per_hertz", [1e-3, 1e4])
def test_units_do_not_matter(per_ohm: float, per_hertz: float) -> None:
    impedance = model(load("figure-2-25")).impedance(S)
    one = fit_spectrum(Spectrum(F, impedance), "1D-FM")
    other = fit_spectrum(Spectrum(F * per_hertz, impedance * per_ohm), "1D-FM")
    assert list(one.arcs) == list(other.arcs)
    for name in one.arcs:
        # the fit stops at 1e-10 of the logarithms, and the circuit determines them to a few 1e-3
        assert number(other.arcs[name].R) / per_ohm == pytest.approx(number(one.arcs[name].R), rel=1e-6)
        assert number(other.arcs[name].tau) * per_hertz == pytest.approx(number(one.arcs[name].tau), rel=1e-6)


def test_scaling_law() -> None:
    k, cell = 20.0, load("homogeneous-25")
    data = cell.model_dump()
    for key in ("width", "thickness"):
        data["geometry"][key] *= k
    transfer = data["working_electrode"]["charge_transfer"]
    transfer["resistance"] *= k
    transfer["capacitance"] /= k
    data["working_electrode"]["pore"]["capacitance"] /= k
    small, large = of(cell), of(Cell(**data))
    assert list(small.arcs) == list(large.arcs)
    for name in small.arcs:  # claim 4; the projection's tolerance is 1e-8, the circuit's conditioning 1e2
        assert number(large.arcs[name].R) * k == pytest.approx(number(small.arcs[name].R), rel=1e-5)
        assert number(large.arcs[name].tau) == pytest.approx(number(small.arcs[name].tau), rel=1e-5)


# Arcs that overlap


def deep(pore: str) -> Cell:
    """Ideal contact beside an air pore so deep that it is hardly faster than the bulk."""
    return Cell.loads(
        f"""
        [geometry]
        width = "50 um"
        thickness = "50 um"
        [electrolyte]
        conductivity = "0.46 mS/cm"
        relative_permittivity = 150
        [working_electrode.contact]
        shape = "square"
        fraction = 0.25
        [working_electrode.pore]
        depth = "{pore}"
        relative_permittivity = 1
        """
    )


def test_a_value_that_its_uncertainty_reaches_is_no_headline() -> None:
    """2 um of air: tau of pore and bulk differ by 7 %, and 5e-5 of |Z| leave R of either open; the arcs say what was fitted."""
    found = of(deep("2 um"), relative=5e-5)
    arc, cstr = found.arcs["constriction"].R, found.constriction
    assert arc.discretisation is not None and arc.discretisation > number(arc)
    assert cstr is not None and cstr.R.value is None and "with an uncertainty of" in str(cstr.R.reason)
    assert found.refusal is not None and found.refusal.startswith(
        "nothing is extracted: the constriction's R is none (not dete"
    )
    sharp = of(deep("2 um"), relative=1e-8)
    assert sharp.refusal is None and sharp.constriction is not None
    assert number(sharp.constriction.R) == pytest.approx(number(arc), rel=1e-3)


def test_a_constriction_in_the_arc_of_another_has_not_vanished() -> None:
    """20 um of air: the time constants differ by 0.5 %, one arc fits to 4e-6 of |Z|, and 0 ohm would be false."""
    cell = deep("20 um")
    direct = model(cell).resistance() - physical(cell).resistance
    found = of(cell, relative=5e-5, geometric=Value(value=direct, unit="ohm", discretisation=10.0))
    assert list(found.arcs) == ["bulk"] and direct > 1e5
    assert found.constriction is not None and found.constriction.R.value is None
    assert found.refusal is not None and "coincides with bulk" in found.refusal


def test_a_fit_without_an_end_is_taken_with_one_arc_fewer_where_that_fits() -> None:
    """Noise as that of a mean of two limits sends two coinciding arcs to infinity; one fits to within the uncertainty."""
    cell = deep("20 um")
    impedance = model(cell).impedance(S)
    for seed in range(3):
        noise = 1e-7 * np.abs(impedance) * np.random.default_rng(seed).normal(size=F.size)
        found = extract(F, impedance + noise, uncertainty=5e-5 * np.abs(impedance), cell=cell, model=model(cell))
        assert list(found.arcs) == ["bulk"] and found.residual is not None and found.residual < 5e-5


def test_no_fit_at_all_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ComputationError("the fit of the circuit did not converge: test")

    monkeypatch.setattr("fem_constriction.fitting.rc_fit.fit", fails)
    with pytest.raises(NotExtracted, match="nothing is extracted: the fit of the circuit did not converge: test"):
        of(load("figure-2-25"))


# The three contributions


@pytest.mark.parametrize(("name", "changes"), [("figure-2-25", {}), ("figure-7-64", {}), ("figure-2-25", {FRACTION: 0.81})])
def test_discretisation_is_what_the_worst_error_does(name: str, changes: dict[str, Any]) -> None:
    cell = load(name, changes)
    impedance, u = model(cell).impedance(S), 1e-6 * np.abs(model(cell).impedance(S))
    found = of(cell, relative=1e-6)
    main, _ = best_fit(F, impedance, 4, spectrum=relaxations(F, impedance)[:2])
    sensitivity = main.sensitivity()
    for place, arc in enumerate(found.arcs.values()):
        for row, value in enumerate((arc.R, arc.C, arc.tau)):
            worst = u * sensitivity[row, place] / np.abs(sensitivity[row, place])
            moved = []
            for sign in (1, -1):
                again = fit(F, impedance + sign * worst, main.tau, resistance=main.resistance)
                moved.append((again.resistance, again.tau / again.resistance, again.tau)[row][place])
            # left out: the weights move with Z, a part of the order of the residual (2e-3), here 1e-3 at most
            assert value.discretisation == pytest.approx((moved[0] - moved[1]) / 2, rel=5e-3)


def test_no_error_does_more() -> None:
    cell = load("figure-2-25")
    impedance, found = model(cell).impedance(S), of(cell, relative=1e-4)
    random = np.random.default_rng(1)
    start = [number(arc.tau) for arc in found.arcs.values()]
    for _ in range(10):
        error = 1e-4 * np.abs(impedance) * np.exp(2j * np.pi * random.random(F.size))
        again = fit(F, impedance + error, np.array(start))
        for place, arc in enumerate(found.arcs.values()):
            assert abs(again.resistance[place] - number(arc.R)) < (arc.R.discretisation or 0)


def test_nominal_error_is_that_of_noise() -> None:
    wanted, random = circuit((4e5, 3e-8), (3e5, 2e-6), (2e5, 1e-4)), np.random.default_rng(2)
    exact, pulls = wanted.impedance(F), []
    tau = np.array([arc.tau for arc in wanted.arcs])
    for _ in range(60):
        noise = 1e-3 * np.abs(exact) * (random.normal(size=F.size) + 1j * random.normal(size=F.size))
        found = fit(F, exact + noise, tau)
        nominal = found.nominal()
        pulls.append(np.log(found.resistance / [arc.resistance for arc in wanted.arcs]) / nominal[0])
        pulls.append(np.log(found.tau / tau) / nominal[2])
    # 360 pulls, correlated by less than two to one: their spread is 1 within 10 %
    assert np.sqrt(np.mean(np.square(pulls))) == pytest.approx(1, abs=0.15)


def test_model_contribution_is_the_misfit() -> None:
    found = of(load("figure-2-25"))
    assert found.variations == 14 and found.left_out == 0  # 3 weightings in 5 windows but for the main fit
    cstr = found.constriction
    assert cstr is not None and cstr.tau.model is not None
    assert 0.01 < cstr.tau.model / number(cstr.tau) < 0.05  # another weighting alone moves tau by 2 %
    impedance = model(load("figure-2-25")).impedance(S)
    start = np.array([number(arc.tau) for arc in found.arcs.values()])
    for weighting in WEIGHTINGS:
        moved = fit(F, impedance, start, weighting=weighting).tau[2] - number(cstr.tau)
        assert abs(moved) <= cstr.tau.model * (1 + 1e-6)


def test_uncertainty_that_is_not_known_is_not_zero() -> None:
    found = of(load("figure-2-25"), relative=None)
    assert all(arc.R.discretisation is None and arc.R.nominal for arc in found.arcs.values())


# Spectra without a cell


@pytest.mark.parametrize(
    ("name", "count"), [("figure-2-25", 4), ("figure-7-64", 4), ("homogeneous-25", 3), ("figure-3a-16", 3)]
)
def test_default_number_of_arcs(name: str, count: int) -> None:
    found = fit_spectrum(Spectrum(F, model(load(name)).impedance(S)))
    assert list(found.arcs) == [f"arc_{n + 1}" for n in range(count)]
    tau = [number(arc.tau) for arc in found.arcs.values()]
    assert tau == sorted(tau) and found.constriction is None


def test_measured_spectrum() -> None:
    wanted, random = circuit((100.0, 1e-4), (200.0, 1e-2), r_elec=50.0), np.random.default_rng(3)
    frequency = np.geomspace(1e-1, 1e6, 50)
    exact = wanted.impedance(frequency)
    noise = 5e-3 * np.abs(exact) * (random.normal(size=50) + 1j * random.normal(size=50))
    found = fit_spectrum(Spectrum(frequency, exact + noise))
    assert list(found.arcs) == ["r_elec", "arc_1", "arc_2"]
    assert number(found.arcs["r_elec"].R) == pytest.approx(50, rel=0.02)  # 0.5 % noise, some 20 points
    assert number(found.arcs["arc_2"].R) == pytest.approx(200, rel=0.02)


def test_arc_outside_the_data_is_noted() -> None:
    wanted, frequency = circuit((100.0, 1e-2), (200.0, 1e2)), np.geomspace(1e-2, 1e4, 61)
    found = fit_spectrum(Spectrum(frequency, wanted.impedance(frequency)), "p(R1,C1)-p(R2,C2)")
    assert len(found.notes) == 1 and found.notes[0].startswith("arc_2: its frequency, 0.00159 Hz")


def test_starts_hold_small_arcs_far_away() -> None:
    tau = np.array([1e-8, 1.1e-8, 2e-6, 1e-4, 1.2e-4, 9e-4])
    found = starts(tau, np.array([4e5, 1e4, 4e3, 1e5, 3e4, 2e5]), 4)
    wanted = np.log([1e-8, 2e-6, 1e-4, 9e-4])
    assert any(np.all(np.abs(np.log(each) - wanted) < 0.3) for each in found)
    assert starts(tau, np.ones(6), 4)[0].size == 4 and starts(tau[:1], np.ones(1), 3)[0].size == 3


# What is said


def test_text_and_record() -> None:
    value = Value(value=147234.0, unit="ohm", discretisation=31.0, model=2100.0, nominal=400.0)
    assert value.text() == "1.472e5 ohm (discretisation 3e1, model 2e3, nominal 4e2)"
    assert Value(value=None, unit="F", reason="full contact").text() == "none (full contact)"
    geometric = Value(value=1.84e5, unit="ohm", discretisation=float("inf"))
    record = of(load("figure-2-25"), geometric=geometric).as_dict()
    again = json.loads(json.dumps(record, allow_nan=False))
    assert again == record
    assert record["constriction"]["R_geometric"]["value"] == 1.84e5
    assert record["constriction"]["R_geometric"]["discretisation"] is None
    assert record["constriction"]["R"] == record["arcs"]["constriction"]["R"]


def test_circuit_is_the_fit() -> None:
    cell = load("figure-2-25")
    found = of(cell)
    impedance = model(cell).impedance(S)
    largest = np.max(np.abs(found.circuit().impedance(F) / impedance - 1))
    assert largest == pytest.approx(found.residual, rel=1e-9)


def test_a_fit_that_does_not_converge_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    impedance = model(load("figure-2-25")).impedance(S)
    patient = lmfit.Minimizer.least_squares

    def impatient(self: Any, **options: Any) -> Any:
        return patient(self, **{**options, "max_nfev": 3})

    monkeypatch.setattr(lmfit.Minimizer, "least_squares", impatient)
    with pytest.raises(ComputationError, match="did not converge"):
        fit(F, impedance, np.array([1e-8, 1e-6, 1e-4, 1e-2]))


def test_wrong_input() -> None:
    impedance = circuit((1e3, 1e-4)).impedance(F)
    with pytest.raises(InputError, match="weighting = 'none' is not allowed: modulus, proportional, unit"):
        fit(F, impedance, np.array([1e-4]), weighting="none")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="2 frequencies do not determine the 8 parameters"):
        fit_spectrum(Spectrum(F[:2], impedance[:2]), "-".join(["p(R,C)"] * 4))
    with pytest.raises(InputError, match="impedance = 0 ohm at 0.001 Hz"):
        fit_spectrum(Spectrum(F[:3], np.array([0, 1, 1])), "1D-FM")
    with pytest.raises(InputError, match="circuit = 'X1'"):
        fit_spectrum(Spectrum(F, impedance), "X1")


def test_a_blocking_spectrum_is_refused() -> None:
    frequency = np.geomspace(1e-3, 1e3, 31)
    with pytest.raises(InputError, match="blocks direct current"):
        fit_spectrum(Spectrum(frequency, 100 + 1 / (2j * np.pi * frequency * 1e-6)))
