"""Orders of convergence: theory's for each kind of edge and grid, observed on manufactured sequences, and what falls short."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from paper_cells import paper_cell

import fem_constriction as fc
from fem_constriction.errors import InputError, MemoryShort, ResolutionWarning
from fem_constriction.fem import FiniteElements
from fem_constriction.solving.refinement import Limit
from network import Network
from validation.convergence import expected_order, families, fit_power, grid_convergence
from validation.convergence.families import coarsest_uniform, solve_grids
from validation.convergence.series import Series, make_series
from validation.convergence.theory import Expected

IDEAL = {"working_electrode.charge_transfer": None}
STEP = np.array([8.0, 4.0, 2.0, 1.0])
BAND = (2 * np.pi, 2e6 * np.pi)


@pytest.fixture(scope="module")
def homogeneous() -> fc.Cell:
    return paper_cell("homogeneous-25")


# What theory expects


class Stranger(Network):
    name = "stranger"
    order = 3.0


@pytest.mark.parametrize(
    ("backend", "contact", "grids", "order", "least", "words"),
    [
        (Network(), "ideal", "uniform", 1, 1, "ideal edge, potential r^(1/2)"),
        (FiniteElements(2), "ideal", "uniform", 1, 1, "whatever the degree"),
        (Network(), "robin", "uniform", 2, 2, "h^2 ln h"),
        (FiniteElements(2), "robin", "uniform", 2, 2, "h^2 ln h"),
        (Network(), "ideal", "graded", 2, 2, "mu > 2 keeps the full order 2"),
        (Network(), "robin", "graded", 2, 2, "mu > 1 keeps the full order 2"),
        (FiniteElements(1), "ideal", "graded", 2, 2, "mu > 2 keeps the full order 2"),
        # mu = 2 k exactly: a logarithm takes half an order (3.5 measured, numerics).
        (FiniteElements(2), "ideal", "graded", 4, 3.5, "at mu = 4"),
        (FiniteElements(2), "robin", "graded", 4, 4, "mu > 2 keeps the full order 4"),
        (Stranger(), "robin", "graded", 3, 3, "stated by the backend"),
        (Stranger(), "ideal", "uniform", 1, 1, "ideal edge"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_theory_gives_an_order_and_its_reason(homogeneous, backend, contact, grids, order, least, words) -> None:
    cell = homogeneous.vary(IDEAL) if contact == "ideal" else homogeneous
    found = expected_order(cell, backend, grids)
    assert (found.order, found.least) == (order, least)
    assert words in found.reason


@pytest.mark.parametrize("fraction", [0.0, 1.0])
@pytest.mark.parametrize("grids", ["graded", "uniform"])
def test_without_an_edge_there_is_nothing_to_converge(homogeneous: fc.Cell, fraction: float, grids) -> None:
    found = expected_order(homogeneous.vary({"working_electrode.contact.fraction": fraction}), Network(), grids)
    assert found.order is None
    assert "exact up to rounding" in found.reason


def test_pores_that_conduct_as_the_contact_does_leave_no_edge(homogeneous: fc.Cell) -> None:
    """1/R_pol = 1e4 S/m2 and no capacitance, on both: sigma/d = 1e-5 S/m over 1 nm."""
    alike = homogeneous.vary(
        {
            "working_electrode.charge_transfer.capacitance": 0.0,
            "working_electrode.pore": {"depth": "1 nm", "conductivity": "1e-5 S/m"},
        }
    )
    assert expected_order(alike, Network(), "graded").order is None


def test_a_robin_edge_whose_length_is_not_resolved_may_be_of_order_1(homogeneous: fc.Cell) -> None:
    """kappa R_pol = 0.046 S/m 1e-4 ohm m2 = 4.6 um at direct current; the double layer makes it shorter at 1 kHz."""
    coarse, fine = (expected_order(homogeneous, Network(), "uniform", step=step) for step in (1e-6, 1e-8))
    assert (coarse.order, coarse.least) == (2, 1)
    assert "4.6e-06 m at the least, is 4.6 steps" in coarse.reason
    # h^2 ln(l/h) with l/h = 460
    assert fine.least == pytest.approx(2 - math.log2(1 + math.log(2) / math.log(460)), abs=1e-3)
    assert expected_order(homogeneous, Network(), "uniform", (1e3,), 1e-8).least < fine.least


@pytest.mark.parametrize("contact", ["ideal", "robin"])
def test_where_contact_and_pores_are_both_nearly_ideal_no_order_is_promised(homogeneous: fc.Cell, contact: str) -> None:
    """kappa/(omega C_pore) = 0.08 um at 1 MHz: steps of 0.4 um do not resolve it, steps of 1 nm do."""
    cell = homogeneous.vary(IDEAL) if contact == "ideal" else homogeneous
    coarse, fine = (expected_order(cell, Network(), "uniform", (1e6,), step) for step in (4e-7, 1e-9))
    assert coarse.least == 0
    assert "like a logarithm" in coarse.reason
    assert fine.least == 1


# Manufactured sequences


@pytest.mark.parametrize("order", [1.0, 2.0, 4.0])
def test_a_pure_power_is_found_and_has_no_floor(order: float) -> None:
    law = fit_power(STEP, 0.03 * (STEP / 8) ** order)
    assert (law.constant, law.order) == (pytest.approx(0.03), pytest.approx(order))
    assert law.floor is None
    assert "no floor" in law.note


def test_a_floor_is_found_with_its_standard_error() -> None:
    step = 2.0 ** -np.arange(7)
    noise = 1 + 0.01 * np.array([1, -1, 0.5, 1, -1, 0.5, -0.5])
    law = fit_power(step, (0.1 * step**2 + 1e-4) * noise)
    assert law.floor is not None and law.floor_error is not None
    # Within three standard errors, which are those of data off by 1 %.
    assert abs(law.floor - 1e-4) < 3 * law.floor_error < 2e-5
    assert abs(law.order - 2) < 3 * law.order_error < 0.2
    assert law(1.0) == pytest.approx(law.constant + law.floor)


def test_a_floor_that_the_errors_do_not_show_is_not_determined() -> None:
    law = fit_power(STEP, (STEP / 8) ** 2 * np.array([1, 1.1, 0.9, 1.05]))
    assert law.floor is None
    assert law.note
    assert abs(law.order - 2) < 3 * law.order_error


@pytest.mark.parametrize(
    ("step", "error"), [([4, 2, 1], [3, 2, 1]), ([8, 4, 2, 1], [3, 2, 1, 0]), ([8, 4, 2, 0], [4, 3, 2, 1])]
)
def test_three_grids_or_an_error_of_zero_have_no_law(step: list[float], error: list[float]) -> None:
    with pytest.raises(InputError, match="not allowed"):
        fit_power(step, error)


def test_the_published_vector_of_the_grid_convergence_index() -> None:
    """f = 0.97050, 0.96854, 0.96178 with ratio 2: p = 1.78618479 of unrounded values, GCI of the fine grid 0.103080 %."""
    found = grid_convergence([[0.96178], [0.96854], [0.97050]], 2.0)
    assert found.order[0] == pytest.approx(math.log2(0.00676 / 0.00196), rel=1e-12)  # 1.786170 from five decimals
    assert found.order[0] == pytest.approx(1.78618479, abs=2e-5)
    assert 100 * found.fine[0] == pytest.approx(0.103080, abs=3e-6)  # as p, from five decimals
    # With the p of the same grids the ratio is |f1|/|f2| whatever they are; with theory's it is 2^(p - 2) of it.
    assert found.ratio[0] == pytest.approx(0.97050 / 0.96854, rel=1e-12)
    assert found.ratio_of_theory[0] == pytest.approx(0.97050 / 0.96854 * 2 ** (found.order[0] - 2), rel=1e-12)
    assert found.asymptotic[0]
    assert found.factor == 1.25


def test_the_index_of_complex_values_goes_by_moduli_of_differences_and_holds_the_error() -> None:
    truth, h = np.array([3.0 - 1.0j, 1j]), STEP[1:, None]
    found = grid_convergence(truth + (0.01 + 0.02j) * h**2, 2.0)
    assert found.order == pytest.approx([2.0, 2.0])
    values = truth + 0.01 + 0.02j
    assert found.fine * np.abs(values) == pytest.approx(1.25 * np.abs(values - truth))
    assert found.asymptotic.all()
    assert found.ratio_of_theory == pytest.approx(np.abs(values) / np.abs(truth + 4 * (0.01 + 0.02j)))


def test_two_grids_have_the_safety_factor_3_and_no_observed_order() -> None:
    found = grid_convergence([[1.04], [1.01]], 2.0)
    assert found.fine[0] == pytest.approx(3 * 0.03 / 3 / 1.01)
    assert math.isnan(found.coarse[0])
    assert not found.asymptotic[0]
    with pytest.raises(InputError, match="at least two rows"):
        grid_convergence([[1.0]], 2.0)


def test_a_point_where_differences_grow_is_flagged() -> None:
    found = grid_convergence([[1.0, 1.0], [1.1, 1.1], [1.5, 1.125]], 2.0)
    assert found.asymptotic.tolist() == [False, True]


# The check


def series(values: list[float], *, order: float | None = 2.0, least: float | None = None, doubt: float = 1e-9) -> Series:
    """A quantity whose true value is 1, on grids of manufactured values."""
    v = np.array(values)[:, None]
    limit = Limit(np.ones(1, complex), np.full(1, doubt), np.full(1, 2.0), np.ones(1, bool))
    solved = SimpleNamespace(
        name="manufactured, graded", step=2.0 ** -np.arange(len(values)), family=SimpleNamespace(order=2.0)
    )
    expected = Expected(order, (order or 0) if least is None else least, "made", "by construction")
    return make_series(solved, "R_DC", "ohm", v, (1.0, doubt), limit, expected, noise=1e-10)  # type: ignore[arg-type]


H = 2.0 ** -np.arange(4)


@pytest.mark.parametrize(
    "errors",
    [
        0.1 * H**2,
        -0.1 * H**2,
        0.1 * H**2 * (1 + 0.5 * H),
        0.1 * H**1.6,  # 0.8 of the order: not what a wrong scheme leaves
        0.1 * np.array([1, 0.7, 0.4, 0.18]),  # orders 0.5, 0.8, 1.2: still rising
        0.1 * np.array([1, 0.1, -0.1, -0.09]),  # through zero: orders mean nothing
        1e-9 * np.array([1, 1, 1, 1]),  # nothing left but the reference's uncertainty
    ],
)
def test_orders_of_theory_and_orders_that_mean_nothing_pass(errors: np.ndarray) -> None:
    assert series(list(1 + errors)).failure is None


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        (0.1 * H, "order of R_DC is 1.00, expected 2 (by construction)"),
        (0.1 * H**2 + 0.02, "expected 2"),  # settles on another limit
        (0.1 * H**0.3, "is 0.30"),
    ],
)
def test_an_order_too_low_and_another_limit_are_caught(errors: np.ndarray, words: str) -> None:
    failure = series(list(1 + errors)).failure
    assert failure is not None
    assert failure.startswith("manufactured, graded: the observed order of R_DC")
    assert words in failure


def test_what_theory_allows_at_these_steps_is_no_failure() -> None:
    assert series(list(1 + 0.1 * H), least=1.0).failure is None


def test_a_family_that_should_be_exact_must_not_change() -> None:
    assert series([1, 1, 1 + 1e-9, 1], order=None).failure is None
    failure = series([1, 1.1, 1.2, 1.3], order=None).failure
    assert failure is not None
    assert "still changes by 1.0e-01" in failure


def test_errors_below_the_uncertainty_of_the_reference_are_flagged_and_not_fitted() -> None:
    found = series([1.1, 1.01, 1.0001, 1 + 1e-7], doubt=1e-5)
    assert found.below.tolist() == [False, False, False, True]
    assert found.law is None
    assert "3 errors exceed the reference's uncertainty, 4 are needed" in found.law_note


# The grids


def test_equal_cells_are_halved_and_sit_on_the_edges(figure_2: fc.Cell) -> None:
    base, count, note = coarsest_uniform(figure_2, Network())
    assert (count, note) == (16, "")
    assert base.shape == (8, 8, 50)  # a quarter; a cell per layer
    finer = families._finer(figure_2, Network(), base, count, 2)
    assert finer.shape == (32, 32, 200)
    for lines in finer.axes:
        assert np.diff(lines) == pytest.approx(np.full(len(lines) - 1, lines[-1] / (len(lines) - 1)), rel=1e-9)
    assert finer.contact_area == pytest.approx(figure_2.contact_area, rel=1e-12)
    assert finer.layers[7][::4] == pytest.approx(base.layers[7], abs=1e-18)
    assert finer.name == "uniform, 64 per edge"


def test_halving_is_what_the_backend_makes_itself_where_the_contact_fits(homogeneous: fc.Cell) -> None:
    base, count, _ = coarsest_uniform(homogeneous, Network())
    own, halved = Network().uniform(homogeneous, 4 * count), families._finer(homogeneous, Network(), base, count, 2)
    for a, b in zip(own.axes, halved.axes, strict=True):
        assert a == pytest.approx(b, abs=1e-18)
    assert np.array_equal(own.contact, halved.contact)


def test_a_fraction_that_fits_no_grid_is_warned_of_with_numbers(homogeneous: fc.Cell) -> None:
    cell = homogeneous.vary({"working_electrode.contact.fraction": 0.78})
    with pytest.warns(ResolutionWarning, match=r"fraction 0.78 .* 16 to 40 equal cells per edge: widths differ by 0.8.* %"):
        solved = solve_grids(cell, Network(), "uniform", 3, BAND)
    assert len(solved.notes) == 1
    assert solved.step == pytest.approx(solved.step[0] / np.array([1, 2, 4]), rel=1e-12)


def test_a_grid_that_does_not_fit_in_memory_ends_the_family(homogeneous: fc.Cell, monkeypatch) -> None:
    solve, calls = families.solve_grid, []

    def short(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) > most:
            raise MemoryShort("too large")
        return solve(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(families, "solve_grid", short)
    most = 3
    solved = solve_grids(homogeneous, FiniteElements(2), "graded", 5, BAND)
    assert len(solved.family.solutions) == 3
    assert solved.notes == ("level 3 is left out: too large",)
    assert min(solved.seconds) > 0
    calls.clear()
    most = 2
    with pytest.raises(MemoryShort):
        solve_grids(homogeneous, FiniteElements(2), "graded", 5, BAND)
