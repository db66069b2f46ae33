"""Agree, disagree or unresolved: exactly as the three are defined; and bounds that no pair of grids may cross."""

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np
import pytest
from paper_cells import paper_cell
from random_cells import random_cell

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fem import FiniteElements
from fem_constriction.fitting.rc_fit import fit
from fem_constriction.solving.refinement import solve_family
from network import Network
from validation import compare, enclose, oracles
from validation.gate.agreement import ROUNDING

F = np.array([1.0, 10.0, 100.0])


def spectrum(z: list[complex], u: float | list[float]) -> fc.Spectrum:
    return fc.Spectrum(F, np.array(z), np.broadcast_to(np.asarray(u, dtype=float), F.shape))


def test_they_agree_where_they_differ_by_no_more_than_their_small_uncertainties_together() -> None:
    found = compare({"a": spectrum([100, 90j, 80], 0.05), "b": spectrum([100.09, 90j, 80], 0.05)}, 1.3e-3)
    assert found.verdicts.tolist() == ["agree"] * 3
    assert found.verdict == "agree"
    assert "differ by at most 9.0e-04 |Z|" in found.summary()


def test_they_disagree_where_they_differ_by_more_whatever_the_tolerance() -> None:
    for tolerance in (1e-6, 0.5):
        found = compare({"a": spectrum([100, 90, 80], 0.04), "b": spectrum([100.09, 90, 80], 0.04)}, tolerance)
        assert found.verdicts[0] == "disagree"
        assert found.verdict == "disagree"
        assert "at 1 of 3 frequencies, worst at 1 Hz: they differ by 9.0e-04 |Z|" in found.summary()


def test_they_are_unresolved_where_the_uncertainties_are_too_wide_to_tell() -> None:
    found = compare({"a": spectrum([100, 90, 80], [0.01, 0.01, 1]), "b": spectrum([100, 90, 80], 0.01)}, 1e-3)
    assert found.verdicts.tolist() == ["agree", "agree", "unresolved"]
    assert found.verdict == "unresolved"
    assert "worst at 100 Hz" in found.summary()


def test_of_three_backends_the_worst_pair_counts() -> None:
    limits = {"a": spectrum([100, 90, 80], 0.01), "b": spectrum([100, 90, 80], 0.01), "c": spectrum([101, 90, 80], 0.01)}
    found = compare(limits, 1e-3)
    assert found.verdicts.tolist() == ["disagree", "agree", "agree"]
    assert found.difference[0] == pytest.approx(1.0)


def test_what_they_agree_on_is_their_mean_weighted_by_how_well_each_is_known() -> None:
    mean = compare({"a": spectrum([100, 90, 80], 0.1), "b": spectrum([100.3, 90, 80], 0.3)}, 0.1).combined()
    assert mean.impedance[0] == pytest.approx(100.03)
    assert mean.uncertainty is not None
    assert 0.1 < mean.uncertainty[0] < 0.3


def test_what_is_fitted_to_the_mean_lies_between_what_is_fitted_to_each() -> None:
    """Two arcs 7 % apart, of which limits 1e-6 apart, jagged in what is known of them, make 3 % of a resistance."""
    f = np.geomspace(1e3, 1e9, 61)

    def impedance(shift: float) -> Any:
        return 4e5 / (1 + 2j * np.pi * f * 2.9e-8) + 1.2e5 * (1 + shift) / (1 + 2j * np.pi * f * 3.1e-8)

    spectra = {
        name: fc.Spectrum(f, impedance(shift), 1e-5 * np.abs(impedance(0)) * (1 + 10 * (np.arange(61) % 3 == rest)))
        for name, shift, rest in (("a", 1e-6, 0), ("b", -1e-6, 1))
    }
    agreed = compare(spectra, 1e-3).combined()
    values = [float(fit(f, each.impedance, np.array([2.9e-8, 3.1e-8])).resistance[1]) for each in (*spectra.values(), agreed)]
    assert min(values[:2]) * (1 - 1e-7) <= values[2] <= max(values[:2]) * (1 + 1e-7)
    assert agreed.uncertainty is not None and np.all(agreed.uncertainty >= 1e-5 * np.abs(agreed.impedance) * (1 - 1e-6))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"a": spectrum([1, 2, 3], 0.1)}, "takes at least two"),
        ({"a": spectrum([1, 2, 3], 0.1), "b": fc.Spectrum(F, np.array([1, 2, 3]))}, "spectrum of b has no uncertainty"),
        ({"a": spectrum([1, 2, 3], 0.1), "b": fc.Spectrum(2 * F, np.ones(3), np.ones(3))}, "other frequencies"),
    ],
)
def test_what_cannot_be_compared_is_refused(limits: dict[str, fc.Spectrum], message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(limits, 1e-3)


@pytest.mark.parametrize("tolerance", [0.0, -1e-3, 1.0, float("nan")])
def test_a_tolerance_is_between_zero_and_one(tolerance: float) -> None:
    with pytest.raises(InputError, match="tolerance = .* is not allowed"):
        compare({"a": spectrum([1, 2, 3], 0.1), "b": spectrum([1, 2, 3], 0.1)}, tolerance)


@pytest.mark.parametrize("seed", range(8))
def test_finite_elements_and_network_enclose_each_other_at_every_real_shift(seed: int, band: tuple[float, float]) -> None:
    cell = random_cell(seed)
    fem, network = (solve_family(cell, backend, band, levels=(0, 1)) for backend in (FiniteElements(2), Network()))
    first = solve_family(cell, FiniteElements(1), band, levels=(0, 1))
    for lower in (fem, first):
        found = enclose(lower, network)
        assert found.pairs == 4
        assert found.violations == ()
        assert np.all(found.lower <= found.upper * (1 + ROUNDING))
    # Nested refinement is monotone on both sides.
    assert fem.solutions[0].model.resistance() <= fem.solutions[1].model.resistance() * (1 + ROUNDING)
    assert network.solutions[0].model.resistance() >= network.solutions[1].model.resistance() * (1 - ROUNDING)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_the_truth_lies_between_them_and_in_both_uncertainties(seed: int) -> None:
    cell = random_cell(seed)
    frequency = np.geomspace(1e-2, 1e8, 6)
    description = oracles.from_description(tomllib.loads(cell.dumps()))
    truth, error = oracles.resistance(description)
    z, z_error = oracles.spectrum(description, frequency)
    for backend, side in ((FiniteElements(2), 1), (Network(), -1)):
        family = solve_family(cell, backend, (2 * np.pi * 1e-2, 2 * np.pi * 1e8))
        assert side * (truth - family.finest.model.resistance()) >= -error * truth
        limit = family.limit(frequency)
        assert np.all(np.abs(limit.value - z) <= limit.uncertainty + z_error * np.abs(z))


def test_a_bound_on_the_wrong_side_is_a_fault(band: tuple[float, float]) -> None:
    """One per cent more charge transfer resistance than the cell has lifts the lower bound over the upper one."""
    cell = paper_cell("homogeneous-25")
    wrong = cell.vary({"working_electrode.charge_transfer.resistance": "1.1 ohm cm^2"})
    lower = solve_family(wrong, FiniteElements(2), band, levels=(0, 1))
    found = enclose(lower, solve_family(cell, Network(), band, levels=(0, 1)))
    assert found.violations
    assert "the lower bound of fem" in found.violations[0]
    limits = {"fem": spectrum([1, 2, 3], 1e-4), "network": spectrum([1, 2, 3], 1e-4)}
    assert compare(limits, 1e-3).verdict == "agree"
    assert compare(limits, 1e-3, enclosures=[found]).verdict == "disagree"
