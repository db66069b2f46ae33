"""A cell whose values are known is measured with noise, and found again; what the data do not tell is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from images import image_cell
from paper_cells import SMALL, paper_cell

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.inverse.cell_fit import fit_cell
from fem_constriction.inverse.cell_model import CellModel
from fem_constriction.inverse.check import Checked
from fem_constriction.inverse.identifiable import combinations
from fem_constriction.inverse.result import CellFit
from fem_constriction.inverse.unknowns import unknowns
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.projection import reduce
from fem_constriction.solving.backends import backend_named
from validation.benchmarks.cell_fits import holds

FRACTION, SIGMA = "working_electrode.contact.fraction", "electrolyte.conductivity"
R_POL = "working_electrode.charge_transfer.resistance"
F = np.geomspace(1e-1, 1e7, 25)
CELL = paper_cell("figure-2-25").vary(SMALL)
TRUTH = {FRACTION: 0.16, SIGMA: 0.06, R_POL: 2e-4}


def noisy(z: fc.Spectrum, seed: int, size: float = 0.005) -> fc.Spectrum:
    random = np.random.default_rng(seed)
    noise = random.normal(size=len(z)) + 1j * random.normal(size=len(z))
    return fc.Spectrum(z.frequency, z.impedance * (1 + size * noise))


@cache
def solved(backend: str = "network") -> fc.Spectrum:
    """Of the true cell, by the backend that the fit does not take."""
    return fc.solve(CELL.vary(TRUTH), F, backend=backend)


@cache
def found() -> CellFit:
    return fit_cell(noisy(solved(), 3), CELL, list(TRUTH), noise=0.005, check=False)


def test_a_planted_cell_is_found_again() -> None:
    """Noise of 0.5 %: within three standard errors, each of which is below 2 %; the start was up to a factor of 2 off."""
    for key, true in TRUTH.items():
        value = found().values[key]
        assert abs(value.value - true) < 3 * value.nominal, key
        assert value.nominal < 0.02 * true
        assert value.discretisation < 0.05 * value.nominal
    assert found().fits
    assert found().done
    assert found().verdict == "not cross-checked"


def test_the_model_is_the_coarse_grid_and_its_derivatives_are_differences() -> None:
    """Between nodes half a logit apart a cubic is off by less than 5e-4, a tenth of the noise; materials by 1e-4."""
    model = found().models[0]
    u = model.start + np.array([0.17, 0.6, -0.8])
    logs, slopes = model.log_impedance(F, u)
    problem = Problem(model.at(u), model.band)
    grid = model.backend.grid(problem, 0)
    direct = reduce(model.backend.assemble(problem, grid), problem.places, problem.band).impedance(2j * np.pi * F)
    np.testing.assert_allclose(np.exp(logs), direct, rtol=5e-4)
    for n in range(3):
        step = 1e-5 * np.eye(3)[n]
        difference = (model.log_impedance(F, u + step)[0] - model.log_impedance(F, u - step)[0]) / 2e-5
        np.testing.assert_allclose(slopes[:, n], difference, rtol=0, atol=1e-5)


def test_the_check_takes_the_coarse_grid_out_of_the_values() -> None:
    """Without noise: coarse grids are off by parts of a percent, the values by less than a hundredth of that."""
    exact = fit_cell(fc.solve(CELL, F, backend="fem"), CELL, [FRACTION, SIGMA], noise=0.005, check=False)
    assert np.max(np.abs(exact.correction[0])) > 3e-4
    assert exact.values[FRACTION].value == pytest.approx(0.25, rel=1e-4)
    assert exact.values[SIGMA].value == pytest.approx(0.046, rel=1e-5)


def test_a_cell_of_one_dimension_is_its_circuit() -> None:
    """Full contact: the circuit of the cell is exact, and nothing of the solvers is in the data. kappa is 7e-2 S/m, R 3e-4."""
    cell = CELL.vary({FRACTION: 1.0})
    circuit = physical(cell.vary({SIGMA: 0.07, R_POL: 3e-4}))
    z = fc.Spectrum(F, circuit.impedance(F))
    fitted = fit_cell(z, cell, [SIGMA, R_POL], noise=0.001, check=False)
    assert fitted.values[SIGMA].value == pytest.approx(0.07, rel=1e-5)
    assert fitted.values[R_POL].value == pytest.approx(3e-4, rel=1e-5)


@pytest.mark.long
def test_a_series_shares_materials_and_has_its_own_fractions() -> None:
    """Two pressures: 9 and 36 % contact, one conductivity."""
    fractions = (0.09, 0.36)
    series = [
        noisy(fc.solve(CELL.vary({**TRUTH, FRACTION: x, R_POL: 1e-4}), F, backend="fem"), n) for n, x in enumerate(fractions)
    ]
    fitted = fit_cell(series, CELL, [FRACTION, SIGMA], each=[FRACTION], noise=0.005, check=False)
    assert list(fitted.values) == [SIGMA, *(f"{FRACTION} #{n}" for n in (1, 2))]
    for n, x in enumerate(fractions, 1):
        value = fitted.values[f"{FRACTION} #{n}"]
        assert abs(value.value - x) < 3 * value.nominal
    assert abs(fitted.values[SIGMA].value - 0.06) < 3 * fitted.values[SIGMA].nominal


def test_backends_that_disagree_leave_no_answer() -> None:
    def lies(cell: fc.Cell, frequency: np.ndarray) -> Checked:
        z = fc.Spectrum(frequency, physical(cell).impedance(frequency), np.full(frequency.size, 1e-3))
        return Checked(spectrum=z, verdict="disagree", summary="one is at fault")

    fitted = fit_cell(noisy(solved(), 1), CELL.vary({FRACTION: 1.0}), [SIGMA], noise=0.005, check=lies)
    assert fitted.verdict == "disagree"
    assert not fitted.done
    assert fitted.remark == "one is at fault"


def test_what_the_data_do_not_tell_is_said() -> None:
    """Two columns that are proportional: their ratio's product is known, the other combination is not."""
    column = np.arange(1.0, 9.0) * 10
    first, second = combinations(np.column_stack([column, -column]), ["kappa", "thickness"])
    assert first.determined
    assert first.powers["kappa"] * first.powers["thickness"] == pytest.approx(-1)
    # |J v| of v = (1, -1): twice the column, so the product's logarithm, of exponents 1, is known to 1/|column|.
    assert first.error == pytest.approx(1 / np.linalg.norm(column), rel=1e-12)
    assert not second.determined
    assert "not determined" in second.text()


def test_the_usual_reading_stands_beside_it() -> None:
    """All of the slow arc as charge transfer of the whole face: R_pol/x and more, so that it is 1/0.16 times too large."""
    (reading,) = found().readings
    assert reading.per_area / reading.charge_transfer > 1 / 0.17
    assert reading.fraction < 0.16
    assert "usual reading" in reading.text()


def test_everything_is_kept() -> None:
    record = found().as_dict()
    assert set(record["values"]) == set(TRUTH)
    assert record["spectra"][0]["noise"] == {"size": 0.005, "source": "given"}
    assert repr(found()).startswith("Fit of a cell: not cross-checked")
    assert f"  {SIGMA}" in repr(found())
    assert len(found().plot()) == 2


def test_an_earlier_fit_lends_its_models() -> None:
    solved_before = found().models[0].solved
    again = fit_cell(noisy(solved(), 4), CELL, list(TRUTH), noise=0.005, like=found())
    assert again.models[0].solved == solved_before
    assert abs(again.values[SIGMA].value - 0.06) < 4 * again.values[SIGMA].nominal


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"free": []}, "at least one key"),
        ({"free": ["electrolyte.conductivty"]}, "conductivity"),
        ({"free": ["working_electrode.contact.shape"]}, "no real number"),
        ({"free": ["electrolyte.grain_boundaries.layers"]}, "no real number"),
        ({"bounds": {R_POL: "1 ohm cm2:2 ohm cm2"}}, "a key that is fitted"),
        ({"bounds": {SIGMA: "1 ohm:2 ohm"}}, "bound electrolyte.conductivity"),
        ({"bounds": {SIGMA: (2.0, 1.0)}}, "a lower end, then a higher"),
        ({"priors": {SIGMA: "0.5 mS/cm"}}, "standard deviation"),
        ({"each": [R_POL]}, "a key that is fitted"),
        ({"area": "3 m"}, "area"),
        ({"noise": 2.0}, "noise"),
    ],
)
def test_wrong_input_is_one_sentence(changes: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        fit_cell(solved(), CELL, **{"free": [SIGMA], **changes})


def test_units_bounds_and_what_is_known_beforehand() -> None:
    (one,) = unknowns(CELL, [SIGMA], {SIGMA: "0.1 mS/cm:1 mS/cm"}, {SIGMA: "0.5 mS/cm \N{PLUS-MINUS SIGN} 50 uS/cm"})
    assert (one.low, one.high) == pytest.approx((0.01, 0.1))
    assert one.prior == pytest.approx((0.05, 0.005))
    assert one.scale == "log"
    disc = CELL.vary({"working_electrode.contact.shape": "disc"})
    assert unknowns(disc, [FRACTION])[0].high == pytest.approx(np.pi / 4, rel=1e-6)


def test_leads_are_fitted_with_the_cell() -> None:
    """Full contact, exact: R and L of the leads as they were put in, the cell's values as without them; an area scales both."""
    cell = CELL.vary({FRACTION: 1.0})
    exact = physical(cell).impedance(F)
    top = abs(exact[-1])
    resistance, inductance = 0.1 * top, 0.05 * top / (2 * np.pi * F[-1])
    z = exact + resistance + 2j * np.pi * F * inductance
    free = [SIGMA, "leads.resistance", "leads.inductance"]
    ratio = cell.area / 1e-4
    for area, scale in ((None, 1.0), ("1 cm2", ratio)):
        fitted = fit_cell(fc.Spectrum(F, z * scale), cell, free, noise=0.001, area=area, check=False)
        assert list(fitted.values) == free
        assert fitted.values[SIGMA].value == pytest.approx(0.046, rel=1e-5)
        assert fitted.values["leads.resistance"].value == pytest.approx(resistance * scale, rel=1e-4)
        assert fitted.values["leads.inductance"].value == pytest.approx(inductance * scale, rel=1e-4)
        assert fitted.cell == cell.vary({SIGMA: fitted.values[SIGMA].value})
    with pytest.raises(InputError, match="a key of the cell beside its leads"):
        fit_cell(fc.Spectrum(F, z), cell, ["leads.resistance"])
    with pytest.raises(InputError, match=r"leads\.resistence"):
        fit_cell(fc.Spectrum(F, z), cell, [SIGMA, "leads.resistence"])


BLOCK = np.ones((4, 4, 4), dtype=np.uint8)
BLOCK[1:3, 1:3, :] = 2  # one block, so that no phases meet like the fields of a chessboard


@pytest.mark.parametrize("kind", [pytest.param("disc", marks=pytest.mark.long), "image"])
def test_outlines_and_images_are_fitted_as_stacks_are(kind: str) -> None:
    """One coarse grid of the network is the truth, and the check: what is left is the reduced model's error, 1e-4 at most."""
    if kind == "disc":
        cell = CELL.vary({"working_electrode.contact.shape": "disc", "electrolyte.grain_boundaries": None})
    else:
        phase = {"label": 2, "kind": "inclusion", "conductivity": 0.01, "relative_permittivity": 100}
        cell = image_cell((4, 4, 4), 0.25, {"image": BLOCK, "phases": [phase]})
    f = F[::3]

    def on_the_grid(described: fc.Cell, frequency: np.ndarray) -> Checked:
        network, problem = backend_named("network"), Problem(described, (2 * np.pi * f[0], 2 * np.pi * f[-1]))
        model = reduce(network.assemble(problem, network.grid(problem, 0)), problem.places, problem.band)
        exact = fc.Spectrum(frequency, model.impedance(2j * np.pi * frequency))
        return Checked(spectrum=exact, verdict="agree", summary="by itself")

    z = on_the_grid(cell.vary({SIGMA: 0.06}), f).spectrum
    fitted = fit_cell(fc.Spectrum(f, z.impedance), cell, [SIGMA], noise=0.002, check=on_the_grid)
    assert fitted.values[SIGMA].value == pytest.approx(0.06, rel=1e-4)
    assert fitted.fits


def test_the_benchmark_finds_the_cell_again_and_times_it(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """Full contact, a circuit: what is timed is the fit that users make, and its values are right to their errors."""
    CELL.vary({FRACTION: 1.0}).save(tmp_path / "cell.toml")
    named = ("benchmark", "fit", str(tmp_path / "cell.toml"), "--free", f"{SIGMA},{R_POL}", "--no-check")
    code, out, _ = run(*named, "--frequencies", "1e-1:1e7:13", "--seeds", "20", "--json")
    record = json.loads(out)
    assert code == 0 and record["evaluations"] > 0 and record["seconds"] > record["evaluation_seconds"] > 0
    alone = json.loads(run(*named, "--frequencies", "1e-1:1e7:13", "--json")[1])
    assert alone["coverage"] is None and alone["values"] == record["values"]
    for each in record["values"].values():
        assert abs(each["ratio"] - 1) < 4 * each["error"] < 0.25  # 13 frequencies with 0.5 %: R_pol to 5 %
    assert record["coverage"]["seeds"] == 20 and list(record["coverage"]["within"]) == [SIGMA, R_POL]
    assert holds(record) and record["coverage"]["allowed"] == pytest.approx([0.434, 0.926], abs=1e-3)  # 0.68 +- 1.1/sqrt(20)
    assert not holds({"coverage": record["coverage"] | {"mean": 0.3}})


def test_an_area_takes_the_measurement_to_the_cell() -> None:
    """1 cm2 of cells side by side has A_cell/1 cm2 of one cell's impedance."""
    cell = CELL.vary({FRACTION: 1.0})
    z = physical(cell).impedance(F) * cell.area / 1e-4
    fitted = fit_cell(fc.Spectrum(F, z), cell, [SIGMA], noise=0.001, area="1 cm2", check=False)
    assert fitted.values[SIGMA].value == pytest.approx(0.046, rel=1e-5)


@pytest.mark.long
def test_the_stated_interval_holds_the_truth_as_often_as_it_says() -> None:
    """100 seeds, 0.5 %: 68 of 100 within one standard error, 57 to 79 averaged over the three values."""
    first = fit_cell(solved(), CELL.vary(TRUTH), list(TRUTH), noise=0.005, check=False)
    inside = []
    for seed in range(100):
        one = fit_cell(noisy(solved(), seed), CELL.vary(TRUTH), list(TRUTH), noise=0.005, like=first)
        inside.append([abs(one.values[key].value - true) <= one.values[key].nominal for key, true in TRUTH.items()])
    assert 0.57 <= np.mean(inside) <= 0.79


@pytest.mark.long
@pytest.mark.parametrize(("fraction", "check"), [(0.04, True), (0.64, False)])
def test_the_contact_is_found_to_five_percent_and_both_backends_agree(fraction: float, check: bool) -> None:
    """From a start at 25 %; beside it the conductivity, with 0.5 % noise."""
    z = noisy(fc.solve(CELL.vary({FRACTION: fraction, SIGMA: 0.06}), F, backend="fem"), 7)
    fitted = fit_cell(z, CELL, [FRACTION, SIGMA], noise=0.005, check=check)
    assert fitted.verdict == ("agree" if check else "not cross-checked")
    assert fitted.values[FRACTION].value == pytest.approx(fraction, rel=0.05)
    assert not check or fitted.checks[0].geometric[0] > 0


def test_a_model_needs_a_cell_that_conducts() -> None:
    cell = CELL.vary({FRACTION: 0.0, "working_electrode.pore": None})
    with pytest.raises(InputError, match="no current"):
        CellModel(cell, unknowns(cell, [SIGMA]), (1.0, 1e6))
