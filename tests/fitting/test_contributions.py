"""What is uncertain about a value, apart and together, and which windows and weightings the model's part is taken over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.values import Value
from fem_constriction.fitting.variations import Variation, deviation, variations


def test_contributions_are_added_and_a_standard_error_counts_twice() -> None:
    whole = Value(value=100.0, unit="ohm", discretisation=1.0, model=2.0, nominal=3.0)
    assert whole.uncertainty == pytest.approx(9) and whole.ufloat.std_dev == pytest.approx(4.5) and float(whole) == 100
    assert Value(value=100.0, unit="ohm", nominal=3.0).uncertainty == pytest.approx(6)
    assert Value(value=100.0, unit="ohm").uncertainty == 0
    nothing = Value(value=None, unit="ohm", model=2.0, reason="no arc")
    assert nothing.uncertainty is None and not nothing.known and str(nothing) == "none (no arc)"
    with pytest.raises(InputError, match="there is no value: no arc"):
        float(nothing)


@pytest.mark.parametrize("part", ["discretisation", "model", "nominal"])
def test_a_value_is_known_where_none_of_its_contributions_reaches_it(part: str) -> None:
    below, above = (Value(value=-100.0, unit="ohm", **{part: size}) for size in (99.0, 101.0))
    assert below.known and below.headline() is below
    assert not above.known and above.headline().value is None
    assert above.headline().reason == "not determined: -1.00e2 ohm with an uncertainty of 1.0e2 ohm"
    assert Value(value=0.0, unit="ohm", limit=3.0, discretisation=1.0).known, "nothing is known by its limit"
    parts = {"discretisation": 1.0, "model": 1.0, "nominal": 1.0, part: 101.0}
    assert not Value(value=-100.0, unit="ohm", **parts).known, "the largest one decides"


def test_as_many_digits_are_printed_as_are_known() -> None:
    assert str(Value(value=147234.5, unit="ohm", discretisation=30.0, model=2000.0, nominal=400.0)) == (
        "1.472e5 ohm (discretisation 3e1, model 2e3, nominal 4e2)"
    )
    assert str(Value(value=147234.5, unit="ohm", discretisation=2.0)) == "1.472345e5 ohm (discretisation 2)"
    assert str(Value(value=147234.5, unit="ohm")) == "1.472e5 ohm"


F = np.geomspace(1e-2, 1e6, 81)
DATA = Data.of(F, np.full(F.shape, 100.0 - 1j), None)


def cut(tau: list[float], least: int = 10) -> dict[tuple[float, float], set[str]]:
    """Lowest and highest frequency that stay -> the weightings that are tried there."""
    found: dict[tuple[float, float], set[str]] = {}
    for each in variations(DATA, np.array(tau), least, "modulus"):
        inside = F[each.inside]
        found.setdefault((float(f"{inside[0]:.3g}"), float(f"{inside[-1]:.3g}")), set()).add(each.weighting)
    return found


def test_one_and_two_decades_are_cut_at_either_end_where_every_arc_stays() -> None:
    found = cut([1 / (2 * np.pi * 1e2)])
    assert set(found) == {(1e-2, 1e6), (1e-1, 1e6), (1.0, 1e6), (1e-2, 1e5), (1e-2, 1e4)}
    every = found[(1e-1, 1e6)]
    assert "modulus" in every and found[(1e-2, 1e6)] == every - {"modulus"}, "all of it by the main weighting is the fit itself"


@pytest.mark.parametrize(("at", "gone"), [(0.9, (1.0, 1e6)), (1.1e4, (1e-2, 1e4)), (1.1e5, (1e-2, 1e5))])
def test_a_window_that_an_arc_leaves_is_not_tried(at: float, gone: tuple[float, float]) -> None:
    assert gone in cut([1 / (2 * np.pi * 1e2)]) and gone not in cut([1 / (2 * np.pi * at), 1 / (2 * np.pi * 1e2)])
    assert len(cut([1 / (2 * np.pi * 9e3), 1 / (2 * np.pi * 1.1)])) == 5, "two arcs that every window holds"
    outside = cut([1 / (2 * np.pi * 1.2e6), 1 / (2 * np.pi * 1e2)])
    assert len(outside) == 5, "an arc that lies outside the whole band cannot leave it"
    assert set(cut([1 / (2 * np.pi * 1e2)], least=65)) == {(1e-2, 1e6), (1e-1, 1e6), (1e-2, 1e5)}, "61 points are too few"


def test_the_largest_deviation_counts_of_fits_that_lose_no_arc() -> None:
    """1 % and 3 % up, 2 % down; one that fails, one that moves by more than a decade, one whose arc leaves its window."""
    tau = np.array([1 / (2 * np.pi * 1e2)])
    window = Variation(inside=F > 0, weighting="modulus", low=1e-2, high=1e6, within=np.ones(1, dtype=bool))
    moves: Iterator[Any] = iter([1.01, None, 1.03, 0.98, 10.1, (1.5, 1e9)])

    def again(each: Variation) -> tuple[np.ndarray, np.ndarray]:
        moved = next(moves)
        if moved is None:
            raise ComputationError("it fails")
        factor, there = moved if isinstance(moved, tuple) else (moved, 1.0)
        return np.log([5.0 * factor, 7.0]), tau / there

    largest, count, lost = deviation(iter([window] * 6), np.log([5.0, 7.0]), again)
    assert largest == pytest.approx([0.03, 0.0]) and (count, lost) == (6, 3)
    assert deviation(iter([]), np.log([5.0]), again) == (None, 0, 0)
