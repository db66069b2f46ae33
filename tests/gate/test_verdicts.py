"""Verdicts, enclosures and what is said of them, from numbers alone: no cell is solved."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction.reduction.projection import TARGET
from validation import compare, enclose
from validation.discs.certificate import Discs

F = np.array([1.0, 1e3, 1e6])

#: Real shifts of a reduced model: direct current, and a decade more than the band on both sides (1e-2 to 1e8 1/s).
SHIFTS = np.append(0.0, np.geomspace(1e-3, 1e9, 13))


def spectrum(z: Any, u: Any) -> fc.Spectrum:
    return fc.Spectrum(F, np.array(z, dtype=complex), np.broadcast_to(np.asarray(u, dtype=float), F.shape))


def bounding(name: str, *resistances: Any, error: float = 0.0) -> Any:
    """A family whose grids have Z(s) of the functions given, one each."""

    def solution(number: int, z: Any) -> Any:
        model = SimpleNamespace(
            shifts=SHIFTS, impedance=lambda s: np.asarray(z(s), dtype=complex), error=lambda s: np.full(s.shape, error)
        )
        return SimpleNamespace(model=model, grid=SimpleNamespace(name=f"grid {number}"))

    solutions = tuple(solution(number, z) for number, z in enumerate(resistances))
    return SimpleNamespace(backend=SimpleNamespace(name=name), solutions=solutions, finest=solutions[-1])


def flat(value: float) -> Any:
    return lambda s: np.full(s.shape, value)


def raised(at: float, by: float) -> Any:
    """100 ohm everywhere, more at one shift."""
    return lambda s: np.where(np.isclose(s, at), 100.0 * (1 + by), 100.0)


@pytest.mark.parametrize(
    "at", [0.0, 1e-2, 1e3, 1e8], ids=["direct current", "lowest of the band", "middle", "highest of the band"]
)
def test_a_bound_that_is_crossed_at_one_shift_of_the_band_is_a_fault(at: float) -> None:
    found = enclose(bounding("low", raised(at, 1e-4)), bounding("high", flat(100.0)))
    assert found.pairs == 1 and found.s.size == 12, "direct current and eleven decades"
    (violation,) = found.violations
    assert f"at s = {at:.3g} 1/s" in violation and "100.01 ohm, exceeds the upper bound of high (grid 0), 100 ohm" in violation


def test_where_it_is_crossed_most_is_said_and_every_pair_of_grids_counts() -> None:
    def crossed(s: Any) -> Any:
        return 100 * (1 + np.where(np.isclose(s, 1e2), 1e-4, 0) + np.where(np.isclose(s, 1e5), 3e-4, 0))

    found = enclose(bounding("low", crossed, flat(99.0)), bounding("high", flat(101.0), flat(100.0)))
    assert found.pairs == 4
    (violation,) = found.violations
    assert "low (grid 0)" in violation and "high (grid 1)" in violation and "at s = 1e+05 1/s" in violation
    assert found.lower == pytest.approx(99) and found.upper == pytest.approx(100)


@pytest.mark.parametrize("outside", [1e-3, 1e9])
def test_beyond_the_band_models_are_not_made_to_bound(outside: float) -> None:
    """Shifts reach a decade farther than the band, so that the model holds at its ends; there it bounds nothing."""
    assert not enclose(bounding("low", raised(outside, 1e-2)), bounding("high", flat(100.0))).violations


@pytest.mark.parametrize(("by", "violated"), [(0.97, False), (1.03, True)])
def test_rounding_and_what_both_models_state_as_their_errors_is_allowed(by: float, violated: bool) -> None:
    """Errors of 1e-6 and 2e-6 and rounding may lift a lower bound by 3e-6 + 1e-8, and by no more."""
    allowed = 3e-6 + TARGET
    low, high = bounding("low", raised(1e3, by * allowed), error=1e-6), bounding("high", flat(100.0), error=2e-6)
    assert bool(enclose(low, high).violations) == violated


def test_a_limit_outside_the_discs_is_a_fault_where_it_is_farthest_out() -> None:
    """Radius 1 and u = 1: 2.2, 1.9 and 4 ohm away from the centres are 1.1, 0.95 and 2 times what is allowed."""
    discs = Discs(F, np.array([100, 80, 60], dtype=complex), np.ones(3), np.zeros(3), None, ("a", "b"), 0.0)
    limits = {"a": spectrum([102.2, 81.9, 64], 1.0), "b": spectrum([100, 80, 60], 1.0)}
    found = compare(limits, 0.5, discs=discs)
    (fault,) = found.faults
    assert fault == (
        "the limit of a lies outside the guaranteed disc at 2 of 3 frequencies, worst at 1e+06 Hz: 2 times its radius and the "
        "limit's uncertainty together"
    )
    assert found.verdict == "disagree" and fault in found.summary()
    inside = compare({"a": spectrum([101.9, 81.9, 61.9], 1.0), "b": limits["b"]}, 0.5, discs=discs)
    assert inside.verdict == "agree" and not inside.faults


@pytest.mark.parametrize(("radius", "certified"), [(0.99e-3, True), (1.01e-3, False)])
def test_it_is_certified_where_every_radius_is_within_the_tolerance(radius: float, certified: bool) -> None:
    centre = np.array([100, 80, -60j])
    widths = np.abs(centre) * np.array([1e-5, radius, 1e-5])
    discs = Discs(F, centre, widths, np.zeros(3), None, ("a", "b"), 0.0)
    limits = {name: spectrum(centre, 1e-3) for name in ("a", "b")}
    assert compare(limits, 1e-3, discs=discs).certified == certified
    assert not compare(limits, 1e-3).certified


def test_the_worst_disagreement_is_told_by_how_many_uncertainties_apart_they_are() -> None:
    """1 ohm apart with 0.1 together (10 times) is worse than 4 ohm apart with 2 (twice)."""
    found = compare({"a": spectrum([100, 100, 100], [0.05, 1, 1]), "b": spectrum([101, 104, 100], [0.05, 1, 1])}, 0.5)
    assert found.summary() == (
        "a and b disagree at 2 of 3 frequencies, worst at 1 Hz: they differ by 1.0e-02 |Z|, uncertainties allow 1.0e-03"
    )


def test_what_is_unresolved_is_told_where_uncertainties_are_widest() -> None:
    found = compare({"a": spectrum([100, 10, 100], [0.5, 0.2, 0.1]), "b": spectrum([100, 10, 100], [0.5, 0.2, 0.1])}, 1e-3)
    assert found.summary() == (
        "a and b are unresolved at 3 of 3 frequencies, worst at 1e+03 Hz: their uncertainties together are 4.0e-02 |Z|, "
        "allowed 1e-03"
    )


@pytest.mark.parametrize(("u", "verdict"), [(20.0, "agree"), (25.1, "unresolved")])
def test_uncertainties_are_held_against_the_smaller_of_two_impedances(u: float, verdict: str) -> None:
    """|Z| of 100 and 110 ohm, tolerance one half: together they may be 50 ohm, not 55."""
    found = compare({"a": spectrum([100] * 3, u), "b": spectrum([110] * 3, u)}, 0.5)
    assert found.verdict == verdict


def test_of_three_backends_the_widest_pair_is_what_is_allowed() -> None:
    limits = {
        "a": spectrum([100, 100, 100], [0.1, 0.2, 0.3]),
        "b": spectrum([100, 101, 100], [0.2, 0.2, 0.1]),
        "c": spectrum([102, 100, 100.5], [0.3, 0.9, 0.1]),
    }
    found = compare(limits, 0.5)
    assert found.allowance == pytest.approx([0.5, 1.1, 0.4]) and found.difference == pytest.approx([2.0, 1.0, 0.5])
