"""The distribution of relaxation times is the one that is known: of arcs, of a depressed arc, of a discretised cell."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from paper_cells import paper_cell

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fitting.drt import DRT, broadened, distribution, peaks
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel, Relaxation
from network import Network

F = np.geomspace(1e-3, 1e9, 121)
S = 2j * np.pi * F


def arcs(*pairs: tuple[float, float], r_inf: float = 0.0) -> np.ndarray:
    return np.asarray(r_inf + sum(r / (1 + S * tau) for r, tau in pairs))


def noisy(impedance: np.ndarray, size: float, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.asarray(impedance * (1 + size * (random.normal(size=F.size) + 1j * random.normal(size=F.size))))


@cache
def model(name: str, **changes: float) -> ReducedModel:
    cell = paper_cell(name).vary({f"working_electrode.contact.{key}": value for key, value in changes.items()})
    network = Network()
    return reduce(network.assemble(cell, network.grid(cell, 0)), admittances(cell), (2 * np.pi * F[0], 2 * np.pi * F[-1]))


def rms(found: DRT) -> float:
    """Of real and imaginary parts of the relative residual."""
    return float(np.sqrt(np.mean(np.abs(found.residual) ** 2) / 2))


def test_arcs_are_recovered() -> None:
    wanted = ((4.3e5, 2.9e-8), (3.3e5, 2.2e-6), (1.5e5, 5e-5), (2e5, 8.5e-4))
    found = distribution(fc.Spectrum(F, arcs(*wanted, r_inf=2e4)))
    assert found.r_inf == pytest.approx(2e4, rel=1e-2)
    for peak, (resistance, tau) in zip(found.peaks(), wanted, strict=True):
        # lines stand 6 % apart, and two of them are an arc between them to 2e-4 of Z
        assert peak.tau == pytest.approx(tau, rel=1e-2)
        assert peak.resistance == pytest.approx(resistance, rel=1e-2)
    assert np.abs(found.residual).max() < 5e-4
    fitted = found.r_inf + S * found.inductance + (found.resistance / (1 + S[:, None] * found.tau)).sum(1)
    z = arcs(*wanted, r_inf=2e4)
    np.testing.assert_allclose((fitted - z) / np.abs(z), found.residual, rtol=0, atol=1e-12)  # a sum of some 600 terms
    # the distribution holds the whole resistance
    step = np.log(found.tau[1] / found.tau[0])
    assert found.gamma.sum() * step == pytest.approx(found.resistance.sum(), rel=1e-9)


@pytest.mark.parametrize(("noise", "least"), [(0.0, 0.03), (1e-4, 0.06)])
def test_a_depressed_arc_has_its_known_distribution(noise: float, least: float) -> None:
    r, tau, alpha = 100.0, 1e-3, 0.8
    found = distribution(fc.Spectrum(F, noisy(r / (1 + (S * tau) ** alpha), noise)), width=0.15)
    dense = np.geomspace(found.tau[0], found.tau[-1], 4001)
    shape = np.cosh(alpha * np.log(dense / tau)) - np.cos((1 - alpha) * np.pi)
    exact = r / (2 * np.pi) * np.sin((1 - alpha) * np.pi) / shape  # Cole and Cole
    relaxation = Relaxation(dense, exact * np.log(dense[1] / dense[0]), {})
    wanted = broadened(relaxation, found.tau, 0.15)
    assert np.abs(found.gamma - wanted).max() < least * wanted.max()
    (peak,) = found.peaks()
    assert peak.tau == pytest.approx(tau, rel=0.1) and peak.resistance == pytest.approx(r, rel=1e-2)


@pytest.mark.parametrize("name", ["figure-2-25", "figure-7-64"])
def test_that_of_a_cell_is_its_exact_relaxation_spectrum(name: str) -> None:
    exact = model(name).relaxation()
    found = distribution(fc.Spectrum(F, model(name).impedance(S)))
    wanted = broadened(exact, found.tau, found.width)
    assert np.abs(found.gamma - wanted).max() < 0.06 * wanted.max()  # lines stand 0.025 decades apart, a quarter of the width
    known = peaks(found.tau, wanted, wanted)
    assert [p.tau for p in found.peaks()] == pytest.approx([p.tau for p in known], rel=0.05)
    assert not np.allclose(found.gamma, broadened(model("figure-3a-16").relaxation(), found.tau), atol=0.06 * wanted.max())


def test_figure_7_has_four_peaks() -> None:
    cell = paper_cell("figure-7-64").vary({"working_electrode.contact.fraction": 0.78})
    bulk = cell.electrolyte.relative_permittivity * 8.8541878188e-12 / cell.electrolyte.conductivity
    electrode = 10e-4 * 8.85e-2  # 10 ohm cm2, 8.85 uF/cm2
    found = distribution(fc.Spectrum(F, model("figure-7-64", fraction=0.78).impedance(S))).peaks()
    assert len(found) == 4  # claim 51
    assert found[0].tau == pytest.approx(bulk, rel=0.02)
    assert found[1].tau < 0.5 * electrode  # claim 52: the working electrode's peak
    assert found[2].tau == pytest.approx(electrode, rel=0.02)


@pytest.mark.parametrize("noise", [1e-4, 1e-3, 1e-2])
def test_cross_validation_leaves_the_noise_in_the_residual(noise: float) -> None:
    z = arcs((4e5, 1e-7), (2e5, 1e-3))
    for seed in range(3):
        found = distribution(fc.Spectrum(F, noisy(z, noise, seed)))
        # 242 data, a few of them used up; the comb's own 2e-4 beside it
        assert rms(found) == pytest.approx(np.hypot(noise, 6e-5), rel=0.15)
        strongest = sorted(found.peaks(), key=lambda peak: -peak.resistance)[:2]
        assert [peak.tau for peak in strongest] == pytest.approx([1e-7, 1e-3], rel=0.1)


def test_more_noise_is_met_with_more_regularisation() -> None:
    z = arcs((4e5, 1e-7), (2e5, 1e-3))
    lambdas = [distribution(fc.Spectrum(F, noisy(z, noise))).lambda_ for noise in (0.0, 1e-4, 1e-2)]
    assert lambdas[0] < 1e-3 * lambdas[1] < 1e-3 * lambdas[2]


def test_too_much_regularisation_is_seen_in_the_residual() -> None:
    spectrum = fc.Spectrum(F, noisy(arcs((4e5, 1e-7), (2e5, 1e-3)), 1e-3))
    right = distribution(spectrum)
    wrong = distribution(spectrum, lambda_=1e6 * right.lambda_)
    assert rms(wrong) > 5 * rms(right)
    assert wrong.gamma.max() < 0.5 * right.gamma.max()


def test_broadening_keeps_resistances_and_adds_up_over_processes() -> None:
    exact = model("figure-2-25").relaxation()
    tau = np.geomspace(1e-12, 1e4, 1601)
    whole = broadened(exact, tau)
    inside = np.isfinite(exact.tau) & (exact.tau > 0)
    assert whole.sum() * np.log(tau[1] / tau[0]) == pytest.approx(exact.resistance[inside].sum(), rel=1e-9)
    parts = sum(broadened(exact, tau, process=name) for name in exact.stored)
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-6 * whole.max())  # the shares sum to 1 to rounding of mu
    # a wider Gaussian is lower, and a line is as wide as is said
    line = Relaxation(np.array([0.0, 1e-3, np.inf]), np.array([1.0, 2.0, np.inf]), {})
    drawn = broadened(line, np.array([1e-3, 1e-3 * 10**0.2]), 0.2)
    assert drawn[1] / drawn[0] == pytest.approx(np.exp(-0.5), rel=1e-12)


def test_units_and_order_do_not_matter() -> None:
    z = noisy(arcs((4e5, 1e-7), (2e5, 1e-3)), 1e-3)
    one = distribution(fc.Spectrum(F, z))
    other = distribution(fc.Spectrum(1e3 * F[::-1], 1e-6 * z[::-1]))
    np.testing.assert_allclose(1e3 * other.tau, one.tau, rtol=1e-9)
    np.testing.assert_allclose(1e6 * other.gamma, one.gamma, rtol=0, atol=1e-6 * one.gamma.max())  # condition of the comb
    assert other.lambda_ == pytest.approx(1e12 * one.lambda_, rel=1e-6)


def test_wrong_input() -> None:
    spectrum = fc.Spectrum(F, arcs((1.0, 1e-3)))
    for wrong, said in (
        ({"per_decade": 4}, "per_decade = 4 is not allowed: a whole number"),
        ({"lambda_": -1.0}, "lambda_ = -1.0 is not allowed"),
        ({"width": 0.0}, "width = 0.0 is not allowed: a number of decades"),
    ):
        with pytest.raises(InputError, match=said):
            distribution(spectrum, **wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="impedance = 0 ohm"):
        distribution(fc.Spectrum(F, np.zeros(F.size)))
    with pytest.raises(InputError, match="process = 'rust' is not allowed: bulk"):
        broadened(model("figure-2-25").relaxation(), F, process="rust")


def test_what_blocks_is_a_capacitance_and_no_peak() -> None:
    """R 10, an arc of 100 ohm at 1 ms, 1 mF in series: without it a peak would stand beyond the slowest frequency."""
    frequency = np.geomspace(1e-1, 1e5, 61)
    s = 2j * np.pi * frequency
    found = distribution(fc.Spectrum(frequency, 10 + 100 / (1 + 1e-3 * s) + 1 / (1e-3 * s)))
    assert found.capacitance == pytest.approx(1e-3, rel=1e-3)
    (peak,) = found.peaks()
    assert (peak.tau, peak.resistance) == (pytest.approx(1e-3, rel=1e-2), pytest.approx(100, rel=1e-3))
    assert not peak.beyond


def test_a_peak_beyond_the_data_says_so() -> None:
    """An arc at 10 s, seen down to 0.1 Hz, where 1/omega is 1.6 s: its peak is where no datum is."""
    frequency = np.geomspace(1e-1, 1e5, 61)
    s = 2j * np.pi * frequency
    found = distribution(fc.Spectrum(frequency, 10 + 50 / (1 + 1e-3 * s) + 100 / (1 + 10 * s)))
    assert [peak.beyond for peak in found.peaks()] == [False, True]


def test_the_band_holds_the_distribution_without_noise() -> None:
    """Where gamma is not small, the band holds that of the same penalty without noise at nine of ten points."""
    exact = arcs((100, 1e-6), (200, 1e-2), r_inf=20)
    held = []
    for seed in range(3):
        found = distribution(fc.Spectrum(F, noisy(exact, 5e-3, seed)), per_decade=10, noise=5e-3, bands=40)
        clean = distribution(fc.Spectrum(F, exact), per_decade=10, lambda_=found.lambda_)
        large = clean.gamma > 0.1 * clean.gamma.max()
        held.append(np.mean((found.low <= clean.gamma)[large] & (clean.gamma <= found.high)[large]))
    assert np.mean(held) > 0.9


def test_noise_that_is_known_makes_no_peaks() -> None:
    """Two arcs and 2 % of noise: two peaks, whatever cross-validation takes for data."""
    for seed in range(4):
        z = fc.Spectrum(F, noisy(arcs((100, 1e-6), (200, 1e-2), r_inf=20), 2e-2, seed))
        large = [each for each in distribution(z, noise=2e-2).peaks() if each.resistance > 15]
        assert len(large) == 2, seed
