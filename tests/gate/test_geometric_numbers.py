"""R_Cstr from what is known of R_DC, from numbers alone: full contact, one electrode, two of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fem_constriction.solving.refinement import extrapolate
from validation.gate import geometric, spread
from validation.gate.direct_current import DirectCurrent
from validation.gate.result import VANISHED, Geometric, together


def cell(fraction: float, *, plain: float, counter: Any = None) -> Any:
    """A cell whose one-dimensional circuit has `plain` ohm; counter: of two patterned electrodes, {the other one: cell}."""
    problem = SimpleNamespace(contact_fraction=fraction, patterned_counter=counter is not None, plain=plain)
    problem.spread = lambda other: SimpleNamespace(within=lambda band: counter[other])
    return problem


@pytest.fixture(autouse=True)
def circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometric, "one_dimensional_resistance", lambda problem: problem.plain)


def test_without_a_guarantee_it_is_the_difference_of_the_limits() -> None:
    """1/u^2 weights 10 +- 1 and 13 +- 2 ohm as 4 to 1."""
    found = geometric.geometric_resistance(cell(0.25, plain=100), DirectCurrent({"a": (110, 1), "b": (113, 2)}), {})
    assert found is not None and found.enclosure is None and found.electrodes == {} and found.interaction is None
    assert found.by_backend == {"a": (10, 1), "b": (13, 2)}
    assert (found.value, found.uncertainty, found.direct) == pytest.approx((10.6, 1.2, 110.6))
    assert geometric.geometric_resistance(cell(0.25, plain=100), None, {}) is None


def test_at_full_contact_it_is_exactly_nothing() -> None:
    found = geometric.geometric_resistance(cell(1, plain=100), DirectCurrent({"a": (100.01, 1), "b": (99.98, 2)}), {})
    assert found is not None and found.resolved and (found.value, found.uncertainty, found.direct) == (0, 0, 100)
    assert found.by_backend == {"a": (0, 0), "b": (0, 0)} and found.enclosure == (0, 0)


def test_of_two_patterned_electrodes_each_is_solved_with_the_other_ones_conductance_spread(monkeypatch) -> None:
    """Working alone: 130 less 100 ohm; counter alone: 124 less 104; both: 160 less 98, of which 12 are their interaction."""
    alone = {"counter_electrode": cell(0.25, plain=100), "working_electrode": cell(1, plain=104)}
    solved = {100: 130.0, 104: 124.0}
    monkeypatch.setattr(
        geometric,
        "solve_family",
        lambda problem, backend, band: SimpleNamespace(resistance=lambda: (solved[problem.plain] + backend, 1.0 + backend)),
    )
    families: Any = {"a": SimpleNamespace(backend=0.0), "b": SimpleNamespace(backend=1.0)}
    for fraction in (0.25, 1.0):  # of the working electrode: the counter electrode constricts at full contact as well
        both = cell(fraction, plain=98, counter=alone)
        found = geometric.geometric_resistance(both, DirectCurrent({"a": (160, 0.5)}), families)
        assert found is not None and found.value == 62 and found.direct == 160
        assert found.electrodes["working_electrode"] == pytest.approx((30.2, 1.2)), "weights of 4 to 1"
        assert found.electrodes["counter_electrode"] == pytest.approx((20.2, 1.2))
        assert found.interaction == pytest.approx((62 - 50.4, 0.5 + 2.4))
        without = geometric.geometric_resistance(both, DirectCurrent({"a": (160, 0.5)}), {})
        assert without is not None and without.electrodes == {}, "spectra alone: there are no grids to solve them on"


@pytest.mark.parametrize(
    ("value", "uncertainty", "resolved"),
    [(10, 0.49, True), (10, 0.51, False), (-10, 0.49, True), (0, 0.9e-6, True), (0, 1.1e-6, False), (0.6e-6, 0.6e-6, False)],
)
def test_it_is_resolved_where_it_is_known_to_5_per_cent_or_vanishes(value: float, uncertainty: float, resolved: bool) -> None:
    """Of an R_DC of 100 ohm, 1e-6 ohm is what projections are made for: with its uncertainty it has to stay below that."""
    assert pytest.approx(1e-6) == 100 * VANISHED
    assert Geometric({"a": (value, uncertainty)}, value, uncertainty, 100.0, None).resolved == resolved


def test_what_is_known_exactly_takes_all_of_the_weight() -> None:
    assert together({"a": (10, 0), "b": (20, 1)}) == pytest.approx((10, 0))
    assert together({"a": (10, 2), "b": (20, 2)}) == pytest.approx((15, 2))


def family(name: str, resistances: list[float], bound: str | None, *, order: float = 2.0, error: float = 0.0) -> Any:
    """A backend's grids by their resistances, coarse to fine; the limit of R_DC is the last one here, without uncertainty."""
    solutions = [SimpleNamespace(model=SimpleNamespace(resistance=lambda r=r: r, basis_error=error)) for r in resistances]
    return SimpleNamespace(
        backend=SimpleNamespace(name=name),
        solutions=solutions,
        finest=solutions[-1],
        bound=bound,
        extrapolated=lambda values, s: extrapolate(values, order, erratic=np.zeros(s.shape)),
        resistance=lambda: (resistances[-1], 0.5),
    )


def test_less_the_same_body_under_full_contact_it_is_the_limit_of_differences_grid_by_grid() -> None:
    """Differences of 24, 21 and 20.25 ohm fall with the second order to 20, whatever each of the two does by itself."""
    cells = {"a": family("a", [5.0, 130.0, 125.0, 123.0], "upper", error=1e-6)}
    even = {"a": family("a", [7.0, 106.0, 104.0, 102.75], "upper", error=3e-6)}
    found = spread.geometric_by_spreading(cells, even)
    assert found.value == pytest.approx(20.0) and found.direct == 123 and found.direct_uncertainty == 0.5
    assert found.reference == "same body under full contact" and found.enclosure is None, "one side bounds nothing"
    assert found.uncertainty == pytest.approx(0.75 * (1 / (2 ** (2 * 63 / 64) - 1) - 1 / 3) + 123 * (4e-6 + 2e-8), rel=1e-6)


def test_bounds_of_both_bodies_enclose_it_crosswise() -> None:
    """Of 120 to 123 less 100 to 102 ohm the least is 18, the most is 23."""
    cells = {"l": family("l", [119.0, 119.5, 120.0], "lower"), "u": family("u", [126.0, 124.0, 123.0], "upper")}
    cells["l'"] = family("l'", [117.0, 118.0, 119.0], "lower")
    even = {"l": family("l", [99.0, 99.5, 100.0], "lower"), "u": family("u", [105.0, 103.0, 102.0], "upper")}
    even["l'"] = family("l'", [97.0, 98.0, 99.0], "lower")
    cells["u'"] = family("u'", [127.0, 126.0, 125.0], "upper")
    even["u'"] = family("u'", [108.0, 107.0, 106.0], "upper")
    assert spread.geometric_by_spreading(cells, even).enclosure == pytest.approx((18.0, 23.0))
    for name in ("l", "l'"):
        even[name] = family(name, [97.0, 98.0, 99.0], None)
    assert spread.geometric_by_spreading(cells, even).enclosure is None, "the body under full contact has no lower bound"


def test_a_body_under_full_contact_has_none() -> None:
    cells = {"l": family("l", [119.0, 119.5, 120.0], "lower"), "u": family("u", [126.0, 124.0, 123.0], "upper")}
    found = spread.geometric_by_spreading(cells, cells)
    assert (found.value, found.uncertainty, found.enclosure) == (0, 0, (0, 0)) and found.resolved
