"""Spectra of every kind: what is in them comes back, what is not there is left out, what does not fit is said."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting.circuit_models import model
from fem_constriction.fitting.drt import distribution
from fem_constriction.fitting.extraction import Extraction, fit_spectrum
from fem_constriction.fitting.kramers_kronig import densest
from fem_constriction.fitting.values import Value
from fem_constriction.spectra.spectrum import Spectrum

F = np.geomspace(1e5, 0.1, 31)
S = 2j * np.pi * F


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    """What numpy or lmfit have to say of their numbers is an error here: it would reach the terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def arc(resistance: float, tau: float, alpha: float = 1.0, s: Any = S) -> Any:
    return resistance / (1 + (s * tau) ** alpha)


def fitted(z: Any, circuit: str | None = None, frequency: Any = F) -> Extraction:
    return fit_spectrum(Spectrum(frequency, np.asarray(z, dtype=complex)), circuit)


def value(found: Value | None) -> float:
    assert found is not None and found.value is not None
    return found.value


def test_two_depressed_arcs_of_which_the_data_hold_one() -> None:
    found = fitted(150 + arc(500, 1.57e-5), "R0-p(R1,CPE1)-p(R2,CPE2)")
    assert list(found.arcs) == ["r_elec", "arc_1"] and list(found.removed) == ["arc_2"]
    only = found.arcs["arc_1"]
    assert [value(each) for each in (found.arcs["r_elec"].R, only.R, only.tau, only.alpha)] == pytest.approx(
        [150, 500, 1.57e-5, 1], rel=1e-4
    )
    assert "vanished" in str(found.removed["arc_2"].R.reason) and (found.removed["arc_2"].R.limit or 0) < 1e-3


def test_two_depressed_arcs_that_are_there_stay() -> None:
    random = np.random.default_rng(5)
    z = 150 + arc(500, 1.57e-5, 0.9) + arc(200, 1e-2, 0.8)
    z = z * (1 + 2e-3 * (random.normal(size=31) + 1j * random.normal(size=31)))
    found = fitted(z, "R0-p(R1,CPE1)-p(R2,CPE2)")
    assert list(found.arcs) == ["r_elec", "arc_1", "arc_2"] and not found.removed and found.fits
    assert value(found.arcs["arc_2"].R) == pytest.approx(200, rel=0.05)


def test_an_inductance_that_the_spectrum_shows_is_fitted_and_said() -> None:
    found = fitted(10 + arc(100, 1e-3) + 2e-4 * S)
    assert list(found.arcs) == ["r_elec", "inductance", "arc_1"]
    assert value(found.arcs["inductance"].L) == pytest.approx(2e-4, rel=1e-4)
    assert value(found.arcs["arc_1"].C) == pytest.approx(1e-5, rel=1e-4)
    assert found.notes[0].startswith("an inductance is seen") and "R0-L0-p(R1,C1)" in found.notes[0]
    without = fitted(10 + arc(100, 1e-3))
    assert list(without.arcs) == ["r_elec", "arc_1"] and not without.notes


@pytest.mark.parametrize("circuit", [None, "p(R1,C1)", "R0-p(R1,C1)", "R0-p(R1,CPE1)", "p(R1,CPE1)"])
def test_a_resistor_is_a_resistor(circuit: str | None) -> None:
    found = fitted(np.full(31, 100.0), circuit)
    assert list(found.arcs) == ["r_elec"] and value(found.arcs["r_elec"].R) == pytest.approx(100, rel=1e-12)
    assert found.fits and found.circuit().arcs == ()
    assert bool(found.removed) == (circuit is not None)


def test_a_resistor_with_noise_is_one_too() -> None:
    random = np.random.default_rng(0)
    found = fitted(100 * (1 + 1e-3 * (random.normal(size=31) + 1j * random.normal(size=31))))
    assert list(found.arcs) == ["r_elec"] and value(found.arcs["r_elec"].R) == pytest.approx(100, rel=1e-3)


def blocking(s: Any = S) -> Any:
    return 10 + arc(200, 1e-6, 0.95, s) + arc(500, 1.3e-4, 0.85, s) + 1 / (5e-6 * s**0.9)


def test_a_blocking_electrode_is_a_constant_phase_element_in_series() -> None:
    frequency = np.geomspace(0.1, 1e7, 50)
    found = fitted(blocking(2j * np.pi * frequency), "R0-p(R1,CPE1)-p(R2,CPE2)-CPE3", frequency)
    assert list(found.arcs) == ["r_elec", "cpe", "arc_1", "arc_2"]
    one, two, last = (found.arcs[name] for name in ("arc_1", "arc_2", "cpe"))
    numbers = [found.arcs["r_elec"].R, one.R, one.tau, one.alpha, two.R, two.tau, two.alpha, last.Q, last.alpha]
    wanted = [10, 200, 1e-6, 0.95, 500, 1.3e-4, 0.85, 5e-6, 0.9]
    assert [value(each) for each in numbers] == pytest.approx(wanted, rel=1e-4)
    assert found.circuit().text() == "R_elec-CPE_series-p(R_arc_1,CPE_arc_1)-p(R_arc_2,CPE_arc_2)"
    np.testing.assert_allclose(found.circuit().impedance(frequency), blocking(2j * np.pi * frequency), rtol=1e-6)
    assert found.circuit().resistance == np.inf


@pytest.mark.parametrize("alpha", [1.0, 0.7, 0.5])
def test_the_exponent_of_a_blocking_electrode_is_found(alpha: float) -> None:
    """A capacitor, and a Warburg element of semi-infinite diffusion, are constant-phase elements of exponent 1 and 1/2."""
    found = fitted(10 + arc(100, 1e-4) + 1 / (1e-3 * S**alpha), "R0-p(R1,C1)-CPE0")
    assert list(found.arcs) == ["r_elec", "cpe", "arc_1"]
    numbers = [found.arcs["r_elec"].R, found.arcs["arc_1"].R, found.arcs["arc_1"].tau, found.arcs["cpe"].Q]
    assert [value(each) for each in numbers] == pytest.approx([10, 100, 1e-4, 1e-3], rel=1e-4)
    assert value(found.arcs["cpe"].alpha) == pytest.approx(alpha, rel=1e-6)


def test_an_arc_of_noise_is_none() -> None:
    random = np.random.default_rng(3)
    z = (10 + arc(100, 1e-4)) * (1 + 1e-3 * (random.normal(size=31) + 1j * random.normal(size=31)))
    found = fitted(z, "R0-p(R1,CPE1)-p(R2,CPE2)")
    assert list(found.arcs) == ["r_elec", "arc_1"] and value(found.arcs["arc_1"].R) == pytest.approx(100, rel=2e-3)


def test_a_circuit_that_does_not_describe_the_data_says_so_and_what_does() -> None:
    frequency = np.geomspace(0.1, 1e7, 50)
    found = fitted(blocking(2j * np.pi * frequency), "R0-p(R1,C1)-p(R2,C2)-p(R3,C3)", frequency)
    assert not found.fits and found.residual is not None and found.residual > 0.3
    said = " ".join(found.notes)
    assert "the circuit does not describe the data" in said and "CPE0' leaves" in said
    seen = fitted(blocking(2j * np.pi * frequency), None, frequency)
    assert seen.fits and list(seen.arcs) == ["r_elec", "cpe", "arc_1", "arc_2"]
    assert "depressed arcs describe the data better: the circuit R0-p(R1,CPE1)-p(R2,CPE2)-CPE0" in seen.notes[0]


def test_an_imaginary_part_of_the_wrong_sign_is_said() -> None:
    found = fitted((10 + arc(100, 1e-3) + arc(50, 1e-5)).conj())
    assert not found.fits and "its name must say so" in found.notes[-1]


def test_an_arc_that_the_relaxation_times_hide_is_fitted_and_one_that_helps_is_named() -> None:
    """Arcs half a decade apart show as one peak: one that lowers a misfit above 1 % five times is fitted, below it is named."""
    frequency = np.geomspace(1e9, 0.1, 71)
    s = 2j * np.pi * frequency
    cell = arc(4.35e5, 2.9e-8, s=s) + arc(1.04e5, 3.6e-5, s=s) + arc(4.2e5, 1e-4, s=s) + arc(1.8e5, 8.9e-4, s=s)
    found = fitted(cell, None, frequency)
    assert len(found.arcs) == 4 and found.residual is not None and found.residual < 1e-6
    assert value(found.arcs["arc_2"].R) == pytest.approx(1.04e5, rel=1e-4)
    assert found.notes[0].startswith("4 arcs are fitted, one more than the relaxation times show")
    close = arc(400, 1e-5, s=s) + arc(100, 4e-4, s=s) + arc(400, 1e-3, s=s) + arc(100, 2.5e-3, s=s)
    named = fitted(close, None, frequency)
    assert named.residual is not None and 1e-3 < named.residual < 1e-2
    assert named.notes[-1].startswith("one arc more, --circuit 'p(R1,C1)-p(R2,C2)-p(R3,C3)-p(R4,C4)', lowers the misfit from")
    known = Spectrum(frequency, close, 5e-2 * np.abs(close))  # within what is known of the spectrum nothing is named
    assert not fit_spectrum(known).notes


@pytest.mark.parametrize(("circuit", "message"), [
    ("-".join(["p(R,C)"] * 300), "it has 300 arcs: 20 at most are"),
    ("-".join(["p(R,CPE)"] * 20), "31 frequencies do not determine the 63 parameters"),
    ("-".join(["p(R,CPE)"] * 5 + ["p(R,C)"] * 5), "there are 252 orders of them, and up to 20 are tried"),
])  # fmt: skip
def test_too_much_is_refused_at_once(circuit: str, message: str) -> None:
    z = 10 + arc(100, 1e-3)
    with pytest.raises(InputError, match=message):
        fitted(z, f"{circuit}-R0-L0-C0" if "63" in message else circuit)


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (-(10 + arc(100, 1e-3)), "Re.Z. is not above 0 at any frequency"),
        (1 / (1e-6 * S), "blocks direct current"),
        (np.zeros(31), "impedance = 0 ohm"),
        (1e200 * (10 + arc(100, 1e-3)), "1e-50 to 1e50 ohm"),
    ],
)
def test_what_is_no_spectrum_of_a_circuit_is_refused(z: Any, message: str) -> None:
    for circuit in (None, "R0-p(R1,C1)", "R0-p(R1,CPE1)"):
        with pytest.raises(InputError, match=message):
            fitted(z, circuit)


def test_a_band_that_no_instrument_has_is_refused() -> None:
    with pytest.raises(InputError, match="40 decades from least to largest is not allowed: 30 at most are"):
        fitted(10 + arc(100, 1e-3), None, np.geomspace(1e-20, 1e20, 31))


@pytest.mark.parametrize("seed", range(6))
def test_whatever_comes_ends_in_a_fit_or_a_sentence(seed: int) -> None:
    """Numbers without sense, of few and many points: typed errors, no warnings, and whatever is fitted can be written."""
    random = np.random.default_rng(seed)
    count = int(random.choice([1, 2, 3, 5, 40]))
    frequency = 10 ** random.uniform(-3, 7, count)
    z = 10 ** random.uniform(-3, 6) * (random.normal(size=count) + 1j * random.normal(size=count))
    spectrum = Spectrum(frequency, z)
    for circuit in (None, "R0-p(R1,C1)", "L0-p(R1,CPE1)"):
        try:
            found = fit_spectrum(spectrum, circuit)
        except (InputError, ComputationError) as error:
            assert 20 < len(str(error)) < 500
        else:
            assert found.as_dict()["residual"] is not None and np.all(np.isfinite(found.circuit().impedance(frequency)))
    assert densest(spectrum).data <= 2 * count and distribution(spectrum).gamma.size > 0


def test_what_is_fixed_holds_for_what_follows_from_it() -> None:
    z, made = 10 + arc(100, 1e-3, 0.9), model("R0-p(R1,CPE1)")
    for fixed in ({"R1": 90.0}, {"tau1": 2e-3}, {"CPE1_Q": 1e-5}, {"R1": 90.0, "CPE1_Q": 1e-5}):
        params = made.guess(z, F)
        for name, number in fixed.items():
            params[name].set(value=number, vary=False)
        got = made.fit(z, params, frequency=F).params.valuesdict()
        assert {name: got[name] for name in fixed} == fixed
        assert got["tau1"] == pytest.approx((got["R1"] * got["CPE1_Q"]) ** (1 / got["CPE1_alpha"]), rel=1e-9)
        assert got["R1"] == pytest.approx(np.exp(got["log_R1"]), rel=1e-12)
    params = made.guess(z, F)
    params["R1"].set(expr="10*R0")  # tied to another
    got = made.fit(z, params, frequency=F).params
    assert got["R1"].value == pytest.approx(100, rel=1e-6) and got["tau1"].value == pytest.approx(1e-3, rel=1e-6)
    for name, number in (("R1", 90.0), ("tau1", 1e-3), ("CPE1_Q", 1e-5)):
        params[name].set(value=number, vary=False)
    with pytest.raises(InputError, match="R1, CPE1_Q and tau1 are all given: two of them determine the third"):
        made.fit(z, params, frequency=F)
    wrong = made.guess(z, F)
    wrong["R1"].set(value=-5.0, vary=False)
    with pytest.raises(InputError, match="R1 = -5 is not allowed: a number above 0"):
        made.fit(z, wrong, frequency=F)
