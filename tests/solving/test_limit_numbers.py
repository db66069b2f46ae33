"""Limits of three numbers, each by what is said of how they go on: a series is summed here, term by term."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fem_constriction.solving.refinement as refinement
from fem_constriction.reduction.projection import TARGET
from fem_constriction.solving.refinement import Family, Limit, extrapolate


def grids(*steps: float, start: float = 1000.0) -> np.ndarray:
    return start + np.cumsum([0.0, *steps])[:, None]


def left(order: float, theory: float) -> float:
    """Of a term that falls with `order`: what theory's extrapolation leaves of it, over what it leaves of the last difference.

    Both are sums: steps after the last one are 2^-q, 2^-2q, ...; theory takes them for 2^-p, 2^-2p, ...
    """
    k = np.arange(1, 4000)
    return abs(np.sum(2.0 ** (-order * k)) - np.sum(2.0 ** (-theory * k))) / abs(1 - 2.0 ** (order - theory))


def unknown(theory: float) -> float:
    """What an order of 63/64 of theory's, which nobody would notice, makes of a last difference of 1."""
    k = np.arange(1, 4000)
    return float(np.sum(2.0 ** (-theory * 63 / 64 * k)) - np.sum(2.0 ** (-theory * k)))


@pytest.mark.parametrize("growth", [0.2, 0.5, 1.0])
def test_differences_that_grow_go_on_growing_for_eight_grids_and_fall_slowly_from_then_on(growth: float) -> None:
    last = 1e-3 * 2.0**growth
    steps = [last]
    for number in range(5000):
        steps.append(steps[-1] * 2.0 ** (growth if number < 8 else -1 / 8))
    limit = extrapolate(grids(1e-3, last), 2.0)
    assert limit.order[0] == pytest.approx(-growth) and not limit.asymptotic[0]
    assert limit.uncertainty[0] == pytest.approx(sum(steps[1:]), rel=1e-6)


def test_no_growth_costs_more_than_all_of_z() -> None:
    assert extrapolate(grids(1e-3, 2e-3, start=0.1), 2.0).uncertainty[0] == pytest.approx(0.103)


@pytest.mark.parametrize("observed", [0.8, 0.3, 0.05, -0.05])
def test_differences_that_hardly_fall_go_on_with_half_their_order_or_as_slowly_as_an_eighth(observed: float) -> None:
    last = 1e-3 * 2.0**-observed
    limit = extrapolate(grids(1e-3, last), 2.0)
    slow = max(observed / 2, 1 / 8)
    expected = abs(last - 1e-3 / 4) * 2 * left(slow, 2.0) + last
    assert not limit.asymptotic[0] and limit.uncertainty[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("observed", [0.8, 0.3, -1.0])
def test_where_they_turn_back_there_is_no_slow_series(observed: float) -> None:
    """Half of theory's order is the least that they are taken to fall with, and the last difference is added."""
    last = -1e-3 * 2.0**-observed
    limit = extrapolate(grids(1e-3, last), 2.0)
    falls = max(2 * left(1.0, 2.0), left(0.5, 2.0))
    expected = abs(last - 1e-3 / 4) * falls + abs(last)
    assert not limit.asymptotic[0] and limit.uncertainty[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("observed", [1.2, 1.7, 1.95, 1.999, 2.3, 2.9])
def test_in_the_asymptotic_range_a_term_of_another_order_is_what_is_uncertain(observed: float) -> None:
    """Twice what it leaves, or what it leaves if an order below theory's falls on; at least what nobody would notice."""
    last = 1e-3 * 2.0**-observed
    limit = extrapolate(grids(1e-3, last), 2.0)
    falls = 2 * left(observed, 2.0)
    if observed < 2:
        falls = max(falls, left(max(2 * observed - 2, 0.5), 2.0))
    assert limit.asymptotic[0] and limit.value[0].real == pytest.approx(1000 + 1e-3 + last * 4 / 3)
    assert limit.uncertainty[0] == pytest.approx(max(abs(last - 1e-3 / 4) * falls, last * unknown(2.0)), rel=1e-6)


@pytest.mark.parametrize("observed", [1.7, 1.9, 1.999, 2.2])
def test_where_theory_knows_the_next_order_what_is_left_has_it_as_long_as_the_leading_term_leads(observed: float) -> None:
    """A step of order 5/2 that leaves `rest` is rest/(sqrt 2 - 1): of 1.7 it is 0.49 of the last one, of 1.6 it were 0.55."""
    last = 1e-3 * 2.0**-observed
    limit = extrapolate(grids(1e-3, last), 2.0, following=2.5)
    falls = max(2 * left(2.5, 2.0), left(2 * observed - 2, 2.0) if observed < 2 else 0.0)
    assert limit.uncertainty[0] == pytest.approx(max(abs(last - 1e-3 / 4) * falls, last * unknown(2.0)), rel=1e-6)


@pytest.mark.parametrize("observed", [0.8, 1.6, 2.4, 3.5])
def test_where_it_does_not_lead_the_next_order_tells_nothing(observed: float) -> None:
    """Half of the last difference or more is another term's; nor where its order is higher than that one anyhow."""
    values = grids(1e-3, 1e-3 * 2.0**-observed)
    plain, known = extrapolate(values, 2.0), extrapolate(values, 2.0, following=2.5)
    assert known.uncertainty == pytest.approx(plain.uncertainty, rel=1e-12)


@pytest.mark.parametrize(("erratic", "first", "added"), [(1.0, 1e-3, 5e-4), (0.4, 1e-3, 2e-4), (0.4, 1e-4, 1e-4)])
def test_the_part_of_a_last_difference_that_follows_no_series_is_added(erratic: float, first: float, added: float) -> None:
    """That difference, 2.5e-4, or half of the first one where that is more: half of the order is what they surely fall with."""
    last = 2.5e-4
    limit = extrapolate(grids(first, last), 2.0, erratic=erratic)
    bare = extrapolate(grids(first, last), 2.0)
    if erratic == 1.0:
        assert not limit.asymptotic[0], "nothing is known of what differences do"
    assert limit.uncertainty[0] - (bare.uncertainty[0] - last * (not bare.asymptotic[0])) == pytest.approx(
        max(added, last * (not limit.asymptotic[0])), rel=1e-3
    )


def test_grids_that_are_equal_leave_rounding_and_are_asymptotic() -> None:
    limit = extrapolate(grids(1e-11, 0.0), 2.0)
    assert limit.asymptotic[0] and limit.uncertainty[0] == pytest.approx(1e-10) and limit.value[0] == pytest.approx(1000)


def family(*spectra: Any, order: float = 2.0, error: float = 0.0, erratic: float = 0.0) -> Family:
    """Grids whose Z(s) are functions of the frequency in Hz, in a band from 1e-2 to 1e6 Hz."""
    shifts = np.append(0.0, 2 * np.pi * np.geomspace(1e-3, 1e7, 11))
    solutions = []
    for number, z in enumerate(spectra):
        model = SimpleNamespace(
            impedance=lambda s, z=z: z(np.abs(s) / (2 * np.pi)) + 0j,
            error=lambda s: error * np.abs(s) / (2 * np.pi),
            resistance=lambda z=z: float(z(np.zeros(1))[0]),
            shifts=shifts,
            basis_error=error,
        )
        solutions.append(SimpleNamespace(model=model, grid=SimpleNamespace(order=None, fits=True, name=str(number))))
    backend: Any = SimpleNamespace(name="some", order=order, erratic=lambda problem, grid, s: np.full(s.shape, erratic))
    problem: Any = None
    return Family(problem, backend, tuple(solutions))


def bump(at: float, size: float) -> Any:
    """100 ohm, and more at one frequency alone."""
    return lambda f: np.where(np.isclose(f, at, rtol=1e-6), 100.0 + size, 100.0)


@pytest.mark.parametrize("decades", [-0.5, -0.25, 0.0, 0.25, 0.5])
def test_the_largest_uncertainty_of_half_a_decade_to_both_sides_counts(decades: float) -> None:
    """What differs at one frequency alone, by an asymptotic family, is as uncertain at its neighbours."""
    there = 1e3 * 10**decades
    asked = family(*(bump(there, size) for size in (0.0, -0.12, -0.15)))
    u = extrapolate(np.array([[100.0], [99.88], [99.85]]), 2.0)
    assert u.asymptotic[0]
    relative = u.uncertainty[0] / abs(u.value[0])
    found = asked.limit([1e3, 1e3 * 10 ** (decades + 0.6), 1e3 * 10 ** (decades - 0.6)])
    assert found.uncertainty[0] == pytest.approx(abs(found.value[0]) * (relative + TARGET), rel=1e-6)
    assert found.uncertainty[1:] == pytest.approx(100 * TARGET + 1e-11, rel=1e-4), "farther away nothing is uncertain"


def test_a_whole_last_difference_counts_at_its_own_frequency_alone() -> None:
    """Outside the asymptotic range it is no property of the neighbourhood."""
    found = family(*(bump(1e3, size) for size in (0.0, -0.1, -0.2))).limit([1e3, 1e3 * 10**0.5])
    assert not found.asymptotic[0] and found.uncertainty[0] >= 0.1
    assert found.uncertainty[1] == pytest.approx(100 * TARGET + 1e-11, rel=1e-4)


def test_what_follows_no_series_may_be_small_by_chance_at_one_frequency_and_counts_for_its_neighbours() -> None:
    """A rotated square in voxels at 1 GHz, where pores short-circuit: differences are chance; u was 0.7 of the error there."""
    found = family(*(bump(1e3, size) for size in (0.0, -0.1, -0.2)), erratic=1.0).limit([1e3, 1e3 * 10**0.5, 1e3 * 10**0.6])
    assert not found.asymptotic[0] and found.uncertainty[0] >= 0.1
    assert found.uncertainty[1] == pytest.approx(found.uncertainty[0] * abs(found.value[1] / found.value[0]), rel=1e-6)
    assert found.uncertainty[2] == pytest.approx(100 * TARGET + 1e-11, rel=1e-4)


def test_the_models_own_error_comes_on_top_and_is_never_below_what_it_was_asked_for() -> None:
    """A model that is off by 1e-9 |Z| at 1 Hz and by 1e-4 |Z| at 1e5 Hz."""
    found = family(*(lambda f: np.full(f.shape, 100.0) for _ in range(3)), error=1e-9).limit([1.0, 1e5])
    assert found.uncertainty == pytest.approx([100 * TARGET, 100 * 1e-4], rel=1e-3)


@pytest.mark.parametrize(("error", "added"), [(0.0, 1e-12), (1e-5, 1e-5)])
def test_at_direct_current_it_is_what_the_basis_may_lack(error: float, added: float) -> None:
    """120, 108 and 105 ohm fall with the second order to 104; the first grid of four does not count."""
    values = [50.0, 120.0, 108.0, 105.0]
    asked = family(*(lambda f, z=z: np.full(f.shape, z) for z in values), error=error)
    value, uncertainty = asked.resistance()
    assert value == pytest.approx(104) and uncertainty == pytest.approx(3 * unknown(2.0) + added * 104, rel=1e-6)
    blocked = family(*(lambda f: np.full(f.shape, np.inf) for _ in range(3)))
    assert blocked.resistance() == (np.inf, 0.0)
    limit = blocked.direct()
    assert limit.value.shape == limit.uncertainty.shape == limit.order.shape == limit.asymptotic.shape == (1,)
    exact = family(*(lambda f: np.full(f.shape, 104.0) for _ in range(3)), error=error)
    assert exact.resistance()[1] == pytest.approx((1e-13 + added) * 104, rel=1e-6), "grids that are equal leave rounding"


@pytest.mark.parametrize(
    ("erratic", "relative", "said"),
    [(0.0, 0.9e-4, False), (0.0, 1.1e-4, True), (0.49, 1.1e-4, True), (0.5, 0.9e-3, False), (0.5, 1.1e-3, True)],
)
def test_a_family_outside_its_range_is_told_where_it_matters(erratic: float, relative: float, said: bool) -> None:
    """1e-4 |Z|; ten times as much where differences are half chance in that kind of grids."""
    flat = [lambda f: np.full(f.shape, 100.0)] * 3
    f, u = np.array([1.0, 1e3, 1e5]), 100 * np.array([5e-2, relative, relative / 2])
    limit = Limit(np.full(3, 100 + 0j), u, np.array([2.0, 0.3, 0.4]), np.array([True, False, False]))
    words = family(*flat, erratic=erratic).doubt(f, limit)
    assert bool(words) == said
    if said:
        assert words.startswith("some: at 1 of 3 points the grids are outside the asymptotic range, worst at 1e+03 Hz: ")
        assert f"observed order 0.3, theory's 2; the uncertainty is {relative:.1e} of |Z|" in words
    everywhere = Limit(limit.value, np.full(3, 1.0), limit.order, np.ones(3, dtype=bool))
    assert family(*flat, erratic=erratic).doubt(f, everywhere) == "", "whatever is asymptotic has a limit"


def test_the_band_of_a_family_is_a_decade_narrower_than_its_shifts() -> None:
    assert family(bump(1.0, 1.0)).band == pytest.approx((1e-2, 1e6))


@pytest.mark.parametrize("keep", [True, False])
def test_potentials_are_kept_of_the_finest_grid_alone(keep: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guaranteed bound takes those of one grid; the others would take memory."""
    kept = []

    def solved(problem: Any, backend: Any, grid: Any, band: Any, *, keep: bool, others: Any, coarser: Any) -> Any:
        kept.append((grid, keep, coarser))
        return SimpleNamespace(grid=grid)

    monkeypatch.setattr(refinement, "solve_grid", solved)
    problem: Any = SimpleNamespace(within=lambda band: problem)
    monkeypatch.setattr(refinement.Problem, "of", lambda described: problem)
    seen: list[tuple[str, int]] = []
    backend: Any = SimpleNamespace(name="some", grid=lambda problem, level: level)
    found = refinement.solve_family(
        problem, backend, None, levels=(0, 1, 3), keep=keep, progress=lambda *each: seen.append(each)
    )
    assert [each[:2] for each in kept] == [(0, False), (1, False), (3, keep)]
    assert kept[0][2] is None and kept[2][2] is found.solutions[1] and seen == [("some", 0), ("some", 1), ("some", 3)]


def test_a_band_is_what_frequencies_reach_as_angular_frequencies() -> None:
    assert refinement.angular_band([1e3, 1.0, 50.0]) == pytest.approx((2 * np.pi, 2e3 * np.pi))


def test_a_table_has_what_each_grid_took_and_how_far_it_is_from_the_limit() -> None:
    """120, 108, 105 ohm, of which the limit is 104, at one of three frequencies."""
    asked = family(*(bump(1e3, size) for size in (20.0, 8.0, 5.0)))
    for number, solution in enumerate(asked.solutions):
        solution.__dict__.update(description={"backend": "some", "cells": 8 << number}, seconds=0.5)
    rows = asked.table([1.0, 1e3, 1e5])
    assert [(row["level"], row["cells"], row["seconds"]) for row in rows] == [(0, 8, 0.5), (1, 16, 0.5), (2, 32, 0.5)]
    assert [row["distance"] for row in rows] == pytest.approx([16 / 104, 4 / 104, 1 / 104]) and "backend" not in rows[0]
