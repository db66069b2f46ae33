"""Limits of families of grids: nested, systematic, of the expected order, and honest about what is left."""

from __future__ import annotations

import json

import numpy as np
import pytest
from paper_cells import DATA, paper_cell

import fem_constriction as fc
from fem_constriction.errors import ComputationError, InputError, MemoryShort
from fem_constriction.fem import FiniteElements
from fem_constriction.grids.grading import graded
from fem_constriction.grids.grid import Grading, Grid, family_member, uniform
from fem_constriction.processes.of_cell import admittances
from fem_constriction.solving.choice import Accuracy
from fem_constriction.solving.refinement import BEYOND, ORDER_DEFICIT, Limit, extrapolate, solve_family, solve_to
from network import Network
from network.stacks import FOLLOWING

BACKENDS = [Network(), FiniteElements(2)]
REFERENCES = json.loads((DATA / "references.json").read_text())


def test_the_published_vector_of_the_grid_convergence_index() -> None:
    """f = 0.97050, 0.96854, 0.96178 with ratio 2: p = 1.78618479, extrapolated 0.971300304 (with the observed order)."""
    grids = np.array([[0.96178], [0.96854], [0.97050]])
    limit = extrapolate(grids, order=1.78618479)
    # The published figures come from unrounded values; five decimals of f leave 1.786170 and 0.971300333 of them.
    assert limit.order[0] == pytest.approx(1.78618479, abs=2e-5)
    assert limit.value[0].real == pytest.approx(0.971300304, abs=4e-8)


@pytest.mark.parametrize("order", [1.0, 2.0, 4.0])
def test_a_pure_power_is_extrapolated_exactly_and_its_uncertainty_is_small(order: float) -> None:
    truth, h = 3.0 - 1.0j, np.array([[4.0], [2.0], [1.0]])
    limit = extrapolate(truth + (0.01 + 0.02j) * (h / 4) ** order, order)
    assert limit.value[0] == pytest.approx(truth, rel=1e-12)
    assert limit.asymptotic[0]
    assert 0 < limit.uncertainty[0] < 0.05 * abs(limit.value[0] - (truth + (0.01 + 0.02j) / 4**order)) * 2**order


@pytest.mark.parametrize("values", [[1.0, 2.0, 1.0], [1.0, 1.1, 1.5], [1.0, 1.0, 1.2]])
def test_outside_the_asymptotic_range_the_whole_last_difference_counts(values: list[float]) -> None:
    limit = extrapolate(np.array(values)[:, None], 2.0)
    assert not limit.asymptotic[0]
    assert limit.uncertainty[0] >= abs(values[2] - values[1])


def test_two_error_terms_stay_within_the_uncertainty() -> None:
    """h^2 with h^3 beside it, of either sign, and an order 10 % below theory's."""
    h = np.array([[1.0], [0.5], [0.25]])
    for values in (1 + 0.1 * h**2 + 0.03 * h**3, 1 + 0.1 * h**2 - 0.03 * h**3, 1 + 0.1 * h**1.8, 1 + 0.1 * h**2.2):
        limit = extrapolate(values, 2.0)
        assert abs(limit.value[0] - 1) <= limit.uncertainty[0]


@pytest.mark.parametrize("order", [1.0, 2.0, 4.0])
def test_an_order_a_little_below_theorys_is_counted_once(order: float) -> None:
    """Of h^q alone, q = 63/64 p, the last difference shows what p leaves: u is `BEYOND` times the error, and nothing on top."""
    h = 2.0 ** -np.arange(3)[:, None]
    limit = extrapolate(1 + 0.1 * h ** (order * (1 - ORDER_DEFICIT)), order)
    assert limit.uncertainty[0] == pytest.approx(BEYOND * abs(limit.value[0] - 1), rel=0.02)


@pytest.mark.parametrize("order", [1.0, 2.0, 4.0])
def test_an_order_that_seems_to_be_theorys_is_not_trusted_to_the_last_digit(order: float) -> None:
    """A second term that hides what is left of the first one: u is still what an order 1/64 lower leaves."""
    h = 2.0 ** -np.arange(3)[:, None]
    low, high = order * (1 - ORDER_DEFICIT), 2 * order
    left = [(h[2] ** q - h[1] ** q) - (h[1] ** q - h[0] ** q) / 2**order for q in (low, high)]
    limit = extrapolate(1 + 0.1 * (h**low - (left[0] / left[1]) * h**high), order)
    assert limit.order[0] == pytest.approx(order, rel=1e-9)
    assert abs(limit.value[0] - 1) <= limit.uncertainty[0] <= 2.5 * abs(limit.value[0] - 1)


def test_an_order_that_falls_through_theorys_leaves_limits_that_agree() -> None:
    """Elements at 316 Hz on four grids of an extreme cell (steps relative to |Z|): order 4.5, then 3.4.

    Three grids and the next three: within the sum of their u; with 1.5 for `BEYOND` they would be 1.1 of it apart.
    """
    steps = 2.4e-4 * np.array([1, 0.04514463 + 0.00054564j, 0.00402942 + 0.00128171j])
    values = 1 + np.append(0, np.cumsum(steps))[:, None]
    first, second = extrapolate(values[:3], 4.0), extrapolate(values[1:], 4.0)
    assert first.order[0] == pytest.approx(4.47, abs=0.01) and second.order[0] == pytest.approx(3.42, abs=0.01)
    apart = abs(first.value[0] - second.value[0])
    assert 0.8 * (first.uncertainty[0] + second.uncertainty[0]) < apart <= first.uncertainty[0] + second.uncertainty[0]


def powers(random: np.random.Generator, low: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Z_k = Z + a h^2 + b h^q on three grids, a and b complex, q from `low` to 4, and where it goes: (3, count), (count,)."""
    truth = 1 + random.normal(size=count) * 1j
    h = 2.0 ** -np.arange(3)[:, None]
    a, b = random.normal(size=(2, count)) + 1j * random.normal(size=(2, count))
    q = random.uniform(low, 4, count)
    return truth + 1e-3 * (a * h**2 + b * 10 ** random.uniform(-3, 1, count) * h**q), truth


@pytest.mark.parametrize(("low", "inside"), [(2.0, 0.995), (1.0, 0.95)], ids=["theory's order is the least", "half of it is"])
def test_mixtures_of_powers_lie_within_the_uncertainty(low: float, inside: float) -> None:
    """Terms of any size, phase and order beside theory's: 95 % confidence, and no wider than need be."""
    values, truth = powers(np.random.default_rng(1), low, 4000)
    limit = extrapolate(values, 2.0)
    ratio = np.abs(limit.value - truth) / limit.uncertainty
    assert np.mean(ratio <= 1) >= inside
    assert np.median(ratio) >= 0.1


def test_mixtures_of_theorys_order_and_a_known_next_one_or_higher_lie_within_a_smaller_uncertainty() -> None:
    """Of h^2 and h^q, q from 5/2 on, all lie within u, 0.29/0.44 of what it was where h^2 leads and nothing else decides.

    What else decides: an order 1/64 lower, where h^q is small, and one that may go on falling.
    """
    values, truth = powers(np.random.default_rng(2), 2.5, 4000)
    plain, known = extrapolate(values, 2.0), extrapolate(values, 2.0, following=2.5)
    assert np.all(np.abs(known.value - truth) <= known.uncertainty)
    assert np.all(known.uncertainty <= plain.uncertainty)
    narrower = known.uncertainty < 0.99 * plain.uncertainty
    assert np.mean(narrower) > 0.25 and np.median((known.uncertainty / plain.uncertainty)[narrower]) < 0.75
    # One that falls below theory's is none of those that theory knows: it is seen, or u would be too small.
    values, truth = powers(np.random.default_rng(3), 1.0, 4000)
    assert np.mean(np.abs(truth - extrapolate(values, 2.0).value) <= extrapolate(values, 2.0, following=2.5).uncertainty) < 0.95


@pytest.mark.parametrize("start", [3, 5, 9, 12])
def test_differences_that_fall_like_a_logarithm_are_within_the_uncertainty(start: int) -> None:
    """1/ln(1/h): the error is (start + 1) times the last difference, and the order tends to 0."""
    limit = extrapolate(1 + 0.01 / (start + np.arange(3.0))[:, None], 2.0)
    assert not limit.asymptotic[0]
    assert abs(limit.value[0] - 1) <= limit.uncertainty[0] <= 2 * abs(limit.value[0] - 1)


def test_differences_that_grow_show_no_limit() -> None:
    """h/(h + l), l far below every step: the limit is 50 last differences away, and nothing on three grids says so."""
    h = np.array([[1.0], [0.5], [0.25]])
    limit = extrapolate(1 + 0.1 * h / (h + 0.01), 2.0)
    assert limit.uncertainty[0] >= abs(limit.value[0])
    # One difference that is small by chance, or noise of the solver, is not that.
    for values in ([1.0, 1.0001, 0.999], [1.0, 1.0 + 1e-9, 1.0 + 4e-9]):
        assert extrapolate(np.array(values)[:, None], 2.0).uncertainty[0] < 0.005


def test_small_differences_that_grow_a_little_do_not_cost_all_of_z() -> None:
    """Growing by a tenth a grid, eight grids on and slowly falling then: some 40 times the last difference, no more."""
    limit = extrapolate(np.array([1.0, 1.0 + 1e-6, 1.0 + 2.1e-6])[:, None], 2.0)
    assert 20e-6 < limit.uncertainty[0] < 100e-6


def test_of_erratic_differences_one_that_is_small_by_chance_does_not_count_alone() -> None:
    values = np.array([[1.0], [1.01], [1.01 + 1e-6]])
    assert extrapolate(values, 1.5, erratic=1.0).uncertainty[0] > 0.01 / 2**0.75
    assert extrapolate(values, 1.5).uncertainty[0] < 0.01 / 4


def test_where_grids_are_not_asymptotic_a_reader_is_told_with_numbers(
    homogeneous: fc.Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    fc.resistance(homogeneous)  # says nothing: a warning is an error here

    def loose(grids: np.ndarray, order: float, **told: object) -> Limit:
        return Limit(grids[-1] + 0j, np.abs(grids[-1]) / 50, np.full(1, 0.25), np.zeros(1, bool))

    monkeypatch.setattr("fem_constriction.solving.refinement.extrapolate", loose)
    expected = r"network: at 1 of 1 points .* direct current: observed order 0\.25, theory's 2; the uncertainty is 2.0e-02"
    with pytest.warns(fc.ResolutionWarning, match=expected):
        fc.resistance(homogeneous)


def test_lines_double_and_nest_and_sit_on_the_contact_edge_and_on_every_boundary(figure_2: fc.Cell) -> None:
    for backend in BACKENDS:
        coarse, fine = backend.grid(figure_2, 0), backend.grid(figure_2, 1)
        assert fine.x[::2] == pytest.approx(coarse.x, abs=1e-18)
        for above, below in zip(coarse.layers, fine.layers, strict=True):
            assert below[::2] == pytest.approx(above, abs=1e-18)
        assert [layer[0] for layer in fine.layers] == pytest.approx(np.arange(50) * 1e-6, abs=1e-18)
        assert np.min(np.abs(fine.x - 12.5e-6)) < 1e-18
        assert fine.contact_area == pytest.approx(figure_2.contact_area, rel=1e-12)


def test_under_the_face_a_thin_layer_is_graded_as_a_thick_one_is(figure_2: fc.Cell) -> None:
    """Its edge is as singular: four cells of a layer that has one on the coarsest grid are (k/4)^mu of it, not equal.

    With equal ones the order of elements fell from 3.5 to 2.1 on the next grid (143 layers of 4 nm under an ideal contact), and
    their limit lay 5 u off; so 3.4, and 0.5 u off.
    """
    thin = figure_2.vary({"electrolyte.grain_boundaries.layers": 5000})
    first, second = family_member(thin, Grading(exponent=4.0, steps=3), 2).layers[:2]
    np.testing.assert_allclose(first / first[-1], (np.arange(5) / 4) ** 4, atol=1e-12)
    np.testing.assert_allclose(np.diff(second), np.diff(second)[0], rtol=1e-9)


def test_towards_the_edge_the_lines_follow_the_power_law() -> None:
    lines = graded(1.0, 1.0, Grading(exponent=2.5, steps=8), 1)
    assert lines == pytest.approx((np.arange(17) / 16) ** 2.5, rel=1e-12)


@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.78, 0.99])
@pytest.mark.parametrize("width", ["50 um", ["50 um", "51 um"]])
def test_every_grid_has_the_contact_of_the_cell(figure_2: fc.Cell, fraction: float, width: object) -> None:
    cell = figure_2.vary({"geometry.width": width, "working_electrode.contact.fraction": min(fraction, 0.98)})
    for grid in (family_member(cell, Grading(exponent=4.0, steps=2), 1), uniform(cell, 10), uniform(cell, 11)):
        assert grid.contact_area == pytest.approx(cell.contact_area, rel=1e-12)
        assert grid.area == pytest.approx(cell.area, rel=1e-12)
        assert sum(len(z) - 1 for z in grid.layers) == grid.shape[2] >= 50


def test_a_uniform_grid_is_uniform_where_the_contact_allows(homogeneous: fc.Cell) -> None:
    grid = uniform(homogeneous, 8)
    for lines in (grid.x, grid.y, grid.layers[0]):
        assert np.diff(lines) == pytest.approx(np.full(len(lines) - 1, 50e-6 / 8), rel=1e-12)
    with pytest.raises(InputError, match="resolution = 2 is not allowed"):
        uniform(homogeneous, 2)


def test_lines_that_coincide_are_refused() -> None:
    lines = np.array([0.0, 1e-17, 1.0])
    with pytest.raises(ComputationError, match="lines along x are 1e-17 m apart"):
        Grid(x=lines, y=lines, layers=(np.array([0.0, 1.0]),), contact=np.zeros((2, 2), bool), copies=1, name="bad")


def test_a_grid_of_another_contact_is_refused(homogeneous: fc.Cell) -> None:
    other = homogeneous.vary({"working_electrode.contact.fraction": 0.26})
    from fem_constriction.solving.one_grid import solve_grid

    with pytest.raises(ComputationError, match="its contact area is"):
        solve_grid(homogeneous, Network(), uniform(other, 8), None)


@pytest.fixture(scope="module")
def homogeneous() -> fc.Cell:
    return paper_cell("homogeneous-25")


@pytest.mark.parametrize(
    ("backend", "contact", "expected"),
    [
        # Robin edge (R_pol): the full order of the elements, numerics: 2.00 and 3.98.
        (Network(), "robin", 2.0),
        (FiniteElements(1), "robin", 2.0),
        (FiniteElements(2), "robin", 4.0),
        # Ideal edge, r^(1/2): order 2 k needs mu > 2 k; at mu = 2 k a logarithm takes half an order (3.5 measured).
        (Network(), "ideal", 1.9),
        (FiniteElements(1), "ideal", 1.9),
        (FiniteElements(2), "ideal", 3.4),
    ],
    ids=lambda value: getattr(value, "name", None) and f"{value.name}-{value.order:g}",
)
def test_observed_orders_are_those_of_theory(homogeneous, backend, contact: str, expected: float) -> None:
    changes = {"working_electrode.charge_transfer": None} if contact == "ideal" else {}
    family = solve_family(homogeneous.vary(changes), backend, None)
    values = [solution.model.resistance() for solution in family.solutions]
    observed = np.log2((values[1] - values[0]) / (values[2] - values[1]))
    assert observed == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize(("contact", "next_order"), [("ideal", 2.5), ("robin", 4.0)])
def test_what_follows_the_second_order_of_the_network_is_of_the_order_that_theory_gives(
    homogeneous, contact, next_order
) -> None:
    """n^-mu of an ideal contact's edge, mu = 5/2; of a resistive edge n^-2mu, and the n^-4 of smooth solutions before it.

    D_k - D_(k-1)/4 has no second order in it. On the way to their orders, 4 within 0.1 and 5/2 within 0.03, ever closer.
    """
    changes = {"working_electrode.charge_transfer": None} if contact == "ideal" else {}
    family = solve_family(homogeneous.vary(changes), Network(), None, levels=range(5))
    steps = np.diff([solution.model.resistance() for solution in family.solutions])
    rest = np.abs(steps[1:] - steps[:-1] / 4)
    observed = np.log2(rest[:-1] / rest[1:])
    assert family.following == FOLLOWING <= next_order
    assert observed == pytest.approx(next_order, abs=0.15)
    assert abs(observed[1] - next_order) < abs(observed[0] - next_order)


def test_the_resistance_of_an_ideal_square_contact_is_the_reference(homogeneous: fc.Cell) -> None:
    """Five side ratios, known to 1e-9 from a Galerkin solution with an edge-singular basis."""
    for entry in REFERENCES["resistance"]:
        cell = homogeneous.vary(
            {"working_electrode.charge_transfer": None, "working_electrode.contact.fraction": entry["fraction"]}
        )
        for backend in BACKENDS:
            value, uncertainty = fc.resistance(cell, backend=backend, uncertainty=True)
            assert abs(value - entry["R_ohm"]) <= uncertainty
            assert uncertainty <= 1e-3 * entry["R_constriction_ohm"]


CHEAP = [entry for entry in REFERENCES["spectra"] if "figure-2" not in entry["cell"] and "3a" not in entry["cell"]]
DEAR = [entry for entry in REFERENCES["spectra"] if entry not in CHEAP]


def _check_reference(entry: dict, backend) -> None:
    cell = fc.Cell.load(DATA / entry["cell"])
    reference = np.array(entry["real"]) + 1j * np.array(entry["imag"])
    z = fc.solve(cell, entry["frequency"], backend=backend)
    assert z.uncertainty is not None
    assert np.all(z.uncertainty <= 1e-3 * np.abs(z.impedance))
    assert np.all(np.abs(z.impedance - reference) <= z.uncertainty + entry["relative_uncertainty"] * np.abs(reference))


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.name)
@pytest.mark.parametrize("entry", CHEAP, ids=lambda e: e["cell"])
def test_spectra_are_the_references_within_the_stated_uncertainty(entry: dict, backend) -> None:
    _check_reference(entry, backend)


@pytest.mark.long
@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.name)
@pytest.mark.parametrize("entry", DEAR, ids=lambda e: e["cell"])
def test_spectra_of_the_50_layer_cells_are_the_references(entry: dict, backend) -> None:
    _check_reference(entry, backend)


def test_accuracy_is_refined_to_or_refused(homogeneous: fc.Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    fine = solve_to(homogeneous, FiniteElements(2), [1.0, 1e3], Accuracy(2e-6))
    assert len(fine.solutions) > 3
    limit = fine.limit([1.0, 1e3])
    assert np.all(limit.uncertainty <= 2e-6 * np.abs(limit.value))
    monkeypatch.setattr("fem_constriction.solving.refinement.FINEST", 2)
    with pytest.raises(ComputationError, match=r"fem: the uncertainty is .* of \|Z\| at .* Hz after 3 grids, asked 1e-09"):
        solve_to(homogeneous, FiniteElements(2), [1.0, 1e3], Accuracy(1e-9))


def test_one_grid_has_no_known_uncertainty(homogeneous: fc.Cell) -> None:
    z = fc.solve(homogeneous, [1.0, 1e3], resolution=8)
    assert z.uncertainty is None
    assert z.provenance["grids"][0]["cells"] == (4, 4, 8)
    with pytest.raises(InputError, match="accuracy and resolution are not allowed together"):
        fc.solve(homogeneous, [1.0], accuracy=1e-2, resolution=8)


def test_blocking_cells_are_legal_and_have_no_direct_current(homogeneous: fc.Cell, frequencies: np.ndarray) -> None:
    blocked = homogeneous.vary({"working_electrode.contact.fraction": 0})
    assert fc.resistance(blocked) == float("inf")
    z = fc.solve(blocked, frequencies, backend="fem")
    assert np.all(z.impedance.imag < 0)
    with pytest.raises(InputError, match="no current can enter the cell"):
        fc.solve(blocked.vary({"working_electrode.pore": None}), frequencies)


@pytest.mark.parametrize("wrong", [[0.0], [-1.0], [np.nan], []])
def test_frequencies_must_be_positive(homogeneous: fc.Cell, wrong: list[float]) -> None:
    with pytest.raises(InputError, match="positive numbers in Hz"):
        fc.solve(homogeneous, wrong)


def test_a_grid_that_does_not_fit_is_refused_before_it_is_allocated(homogeneous: fc.Cell) -> None:
    with pytest.raises(MemoryShort, match=r"would need about .* GiB of memory and .* GiB are free"):
        fc.solve(homogeneous, [1.0], resolution=20_000)


def test_uncertainty_covers_neighbouring_frequencies_alone(homogeneous: fc.Cell) -> None:
    """The uncertainty of one frequency does not depend on which others are asked for."""
    family = solve_family(homogeneous, FiniteElements(2), (2 * np.pi, 2e6 * np.pi))
    alone, among = family.limit([1e3]), family.limit([1e2, 1e3, 1e4])
    assert alone.uncertainty[0] == pytest.approx(among.uncertainty[1], rel=1e-6)
    assert set(admittances(homogeneous)) == {"bulk", "charge_transfer", "pore"}
