"""From measured data to a circuit: noise decides how many arcs there are and what fits; limits, intervals and series."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fem_constriction.errors import InputError
from fem_constriction.fitting.circuit_fit import best
from fem_constriction.fitting.coordinates import limits_of
from fem_constriction.fitting.extraction import fit_spectrum
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.noise import Noise, noise_of
from fem_constriction.fitting.notation import parse
from fem_constriction.fitting.series_fit import fit_series
from fem_constriction.spectra.spectrum import Spectrum

Run = Callable[..., tuple[int, str, str]]
F = np.geomspace(1e6, 0.1, 71)
S = 2j * np.pi * F


def arc(resistance: float, tau: float, alpha: float = 1.0) -> np.ndarray:
    return np.asarray(resistance / (1 + (S * tau) ** alpha))


def noisy(z: np.ndarray, size: float = 1e-3, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.asarray(z * (1 + size * (random.normal(size=F.size) + 1j * random.normal(size=F.size))))


Z = 10 + arc(100, 1e-4, 0.9)


@pytest.mark.parametrize("size", [1e-3, 1e-2])
def test_the_noise_is_that_of_the_data(size: float) -> None:
    found = noise_of(Spectrum(F, noisy(Z, size)))
    assert found is not None and found.source == "Kramers-Kronig residuals"
    assert found.size == pytest.approx(size, rel=0.3)  # 71 frequencies, half of the data spent on the test
    repeated = np.repeat(F, 2)
    random = np.random.default_rng(1)
    z = np.repeat(Z, 2) * (1 + size * (random.normal(size=142) + 1j * random.normal(size=142)))
    scatter = noise_of(Spectrum(repeated, z))
    assert scatter is not None and scatter.source == "repeated frequencies"
    assert scatter.size == pytest.approx(size, rel=0.2)  # 142 differences: 6 %
    assert noise_of(Spectrum(F[:3], Z[:3])) is None
    instrument = {"measured": {"format": "an instrument's"}}  # a table without one may be computed, of a cell
    assert found.accuracy == 1e-2 and getattr(noise_of(Spectrum(F, Z, None, instrument)), "accuracy", None) == 1e-3
    assert noise_of(Spectrum(F, Z), 0.005) == Noise(size=0.005, source="given", freedom=1e9)
    with pytest.raises(InputError, match="noise = 5"):
        noise_of(Spectrum(F, Z), 5.0)


def test_a_drift_of_the_sample_is_told_from_noise() -> None:
    """R grows by 20 % from the first frequency to the last, 0.1 % noise: what neighbours share is not taken for scatter."""
    grows = 1 + 0.2 * np.linspace(0, 1, F.size)
    drifting = 10 + 100 * grows / (1 + grows * (S * 1e-4) ** 0.9) + 200 * grows / (1 + grows * (S * 0.1) ** 0.85)
    found = noise_of(Spectrum(F, noisy(drifting)))
    assert found is not None and found.drift is not None and found.scatter is not None
    assert found.scatter == pytest.approx(1e-3, rel=0.3)
    assert found.drift > 3 * found.scatter and found.size**2 == pytest.approx(found.drift**2 + found.scatter**2)
    assert any(
        note.startswith("the spectrum drifts") for note in fit_spectrum(Spectrum(F, noisy(drifting)), "R0-p(R1,C1)").notes
    )
    steady = 10 + arc(100, 1e-4, 0.9) + arc(200, 0.1, 0.85)
    seen = [noise_of(Spectrum(F, noisy(steady, 1e-3, seed))) for seed in range(20)]
    assert all(each is not None and each.drift is None for each in seen)  # one of a thousand of pure noise


def test_a_misfit_above_the_noise_is_none_below_it() -> None:
    spectrum = Spectrum(F, noisy(Z))
    right, wrong = (fit_spectrum(spectrum, circuit) for circuit in ("R0-p(R1,CPE1)", "R0-p(R1,C1)"))
    assert right.fits and not right.statistics["above_noise"]
    assert not wrong.fits and wrong.statistics["above_noise"] and wrong.statistics["BIC"] > right.statistics["BIC"] + 100
    assert any(note.startswith("the misfit is above the noise") for note in wrong.notes)
    assert fit_spectrum(spectrum, "R0-p(R1,C1)", noise=0.2).fits  # to a user who knows no better


def test_an_uncertainty_is_no_noise() -> None:
    """The spectrum of a cell is no circuit's: where it is computed, a small misfit is none of the circuit's faults."""
    known = fit_spectrum(Spectrum(F, Z, 1e-4 * np.abs(Z)), "R0-p(R1,C1)")
    assert known.fits and known.statistics["noise"] is None


def test_the_number_of_arcs_is_tested_against_the_noise() -> None:
    two = 10 + arc(100, 1e-5) + arc(30, 1e-4) + arc(80, 1e-1)
    assert len(fit_spectrum(Spectrum(F, noisy(two, 3e-4))).arcs) == 4
    depressed = fit_spectrum(Spectrum(F, noisy(10 + arc(100, 1e-5, 0.85) + arc(80, 1e-1, 0.8), 2e-3)))
    assert depressed.statistics["circuit"] == "R0-p(R1,CPE1)-p(R2,CPE2)" and depressed.fits
    assert "depressed arcs describe the data better" in depressed.notes[0]


def test_what_diffuses_is_found_again_and_what_is_not_there_is_left_out() -> None:
    diffusing = 10 + 1 / (1e-5 * S**0.95 + 1 / (50 + 80 * np.tanh(np.sqrt(S * 2)) / np.sqrt(S * 2)))
    found = fit_spectrum(Spectrum(F, noisy(diffusing)), "R(Q[RWs])")
    values = {name: each["value"] for name, each in found.statistics["values"].items()}
    wanted = {"R0": 10, "CPE1_Q": 1e-5, "CPE1_alpha": 0.95, "R1": 50, "Ws1_R": 80, "Ws1_tau": 2}
    assert values == pytest.approx(wanted, rel=0.03) and found.fits  # 0.1 % of noise, a third of the data beyond the arc
    assert found.circuit().text() == "R_elec-p(CPE1,R1-Ws1)" and list(found.arcs) == ["r_elec", "CPE1", "R1", "Ws1"]
    np.testing.assert_allclose(found.circuit().impedance(F), diffusing, rtol=5e-3)
    without = fit_spectrum(Spectrum(F, noisy(10 + arc(100, 1e-4))), "R0-p(R1-W1,CPE1)")
    assert list(without.arcs) == ["r_elec", "arc_1"] and "vanished" in str(without.removed["W1"].R.reason)


def test_what_is_fixed_or_bounded_leaves_one_consistent_set() -> None:
    circuit, spectrum = "R0-p(R1,CPE1)", Spectrum(F, noisy(Z))
    for fix, bound in (["R1=90"], []), (["CPE1_Q=2e-5", "tau1=1e-4"], []), (["C9=1"], []), ([], ["CPE1_n=0.5:0.8", "R1=:90"]):
        if fix == ["C9=1"]:
            with pytest.raises(InputError, match="parameter = 'C9'"):
                limits_of(fix, bound, parse(circuit))
            continue
        limits = limits_of(fix, bound, parse(circuit))
        values = {
            name: each["value"] for name, each in fit_spectrum(spectrum, circuit, limits=limits).statistics["values"].items()
        }
        assert values["tau1"] == pytest.approx((values["R1"] * values["CPE1_Q"]) ** (1 / values["CPE1_alpha"]), rel=1e-9)
        assert {name: values[name] for name in limits.fixed} == pytest.approx(dict(limits.fixed), rel=1e-12)
        assert all(low <= values[name] <= high * (1 + 1e-9) for name, (low, high) in limits.bounds.items())
    with pytest.raises(InputError, match="limits of parameters need a circuit"):
        fit_spectrum(spectrum, limits=limits_of(["R0=1"], [], parse(circuit)))


def test_intervals_by_profile_and_bootstrap_are_those_of_the_standard_errors() -> None:
    """For a circuit that the data determine well all three are the same, to the scatter of 60 fits."""
    found = fit_spectrum(Spectrum(F, noisy(Z)), "R0-p(R1,CPE1)", profile=True, bootstrap=60)
    for name in ("R0", "R1", "tau1", "CPE1_alpha"):
        each = found.statistics["values"][name]
        for word, close in (("profile", 0.05), ("bootstrap", 0.4)):
            low, high = each[word]["0.6827"]
            assert (high - low) / 2 == pytest.approx(each["stderr"], rel=close)
            assert each[word]["0.9545"][0] < low < each["value"] < high < each[word]["0.9545"][1]


@pytest.mark.long
@pytest.mark.parametrize(("circuit", "size"), [("R0-p(R1,C1)", 1e-2), ("R0-p(R1,CPE1)", 1e-3)])
def test_standard_errors_hold_the_truth_as_often_as_they_say(circuit: str, size: float) -> None:
    """68 % of 200 seeds, averaged over the parameters: 60 to 76 % is three standard deviations of that fraction."""
    truth = {"R0": 10.0, "R1": 100.0, "tau1": 1e-4} | ({"CPE1_alpha": 0.9} if "CPE" in circuit else {})
    z = 10 + arc(100, 1e-4, truth.get("CPE1_alpha", 1.0))
    inside = []
    for seed in range(200):
        found = best(Data.of(F, noisy(z, size, seed), None), parse(circuit))
        values, errors = found.values(), found.errors()
        inside.append([abs((values[n] - t) / (1 if n.endswith("_alpha") else t)) < errors[n] for n, t in truth.items()])
    assert 0.60 <= np.mean(inside) <= 0.76


def test_a_series_shares_what_is_said_to_be_the_same() -> None:
    spectra = [noisy(10 + arc(r, r * 1e-6), 1e-2, seed) for seed, r in enumerate((50.0, 100.0, 200.0))]
    data = [Data.of(F, z, None) for z in spectra]
    circuit = parse("R0-p(R1,C1)")
    found = fit_series(data, circuit, ["R0", "C1"])
    values = [each.values() for each in found.fits]
    assert len({each["R0"] for each in values}) == len({each["C1"] for each in values}) == 1
    assert [each["R1"] for each in values] == pytest.approx([50, 100, 200], rel=0.02)
    alone = [best(each, circuit).errors()["R0"] for each in data]
    assert all(errors["R0"] < min(alone) for errors in found.errors)  # three spectra know it better than any of them
    assert found.cost >= sum(found.alone)
    with pytest.raises(InputError, match="shared parameters need several spectra"):
        fit_series(data[:1], circuit, ["R0"])


def test_the_command_takes_limits_intervals_and_series(run: Run, tmp_path: Path) -> None:
    for n in (1, 2):
        Spectrum(F, noisy(Z, seed=n)).save(tmp_path / f"{n}.csv")
    circuit = ["--circuit", "R0-p(R1,CPE1)", "--json"]
    status, printed, _ = run("fit", tmp_path / "1.csv", *circuit, "--fix", "R0=10", "--bound", "CPE1_n=0.7:1", "--intervals")
    record = json.loads(printed)["statistics"]
    assert status == 0 and record["values"]["R0"]["value"] == pytest.approx(10) and "profile" in record["values"]["R1"]
    assert {"AIC", "BIC", "noise", "above_noise"} <= set(record)
    status, printed, _ = run("fit", tmp_path / "1.csv", tmp_path / "2.csv", *circuit, "--share", "R0,CPE1_n")
    series = json.loads(printed)
    assert status == 0 and series["shared"] == ["R0", "CPE1_alpha"]
    assert series["files"][0]["values"]["R0"]["value"] == series["files"][1]["values"]["R0"]["value"]
    assert run("fit", tmp_path / "1.csv", "--fix", "R0=10")[0] == 2
    assert run("fit", tmp_path / "1.csv", tmp_path / "2.csv", "--fix", "R0=10")[0] == 2
    status, _, said = run("fit", tmp_path / "1.csv", "--circuit", "R0-p(R1,C1)")
    assert status == 1 and "which is above the noise" in said
