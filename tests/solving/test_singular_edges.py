"""Edges where phases of strong contrast meet: their exponents, and uncertainties that know of them."""

from __future__ import annotations

import numpy as np
import pytest
from images import image_cell

from fem_constriction.grids.singular_edges import HELD, NOTHING, edge_orders, exponent
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.refinement import extrapolate, gain
from validation.benchmarks.contrasts import compared, drawn, impedance, summary

KAPPA = 0.046  # of the grains of `image_cell`, S/m


def around(lam: float, k: list[complex]) -> complex:
    """The trace of what leads (phi, its current) once around an edge, through four quadrants."""
    c, s, product = np.cos(np.pi * lam / 2), np.sin(np.pi * lam / 2), np.eye(2)
    for each in k:
        product = np.array([[c, s / each], [-each * s, c]]) @ product
    return complex(np.trace(product))


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        ([1, 1, 1, 1], 1),
        ([5, 5, 1, 1], 1),  # a face that goes through
        ([1, 1, 1, HELD], 2 / 3),  # a corner of metal
        ([1, 1, 1, NOTHING], 2 / 3),  # a corner of a hole
        ([HELD, 1, 1, NOTHING], 1 / 2),  # the edge of an ideal contact
        ([1, 7, 1, 7], 4 / np.pi * np.arctan(7**-0.5)),  # a chessboard
    ],
)
def test_edges_that_are_known_have_their_exponents(k: list[float], expected: float) -> None:
    assert exponent(k) == pytest.approx(expected, abs=1e-6)  # HELD and NOTHING are no limits: the root of 1e-15


@pytest.mark.parametrize("seed", range(5))
def test_any_four_conductors_are_passed_around_once_and_nothing_below_is(seed: int) -> None:
    k = list(10 ** np.random.default_rng(seed).uniform(-3, 3, 4))
    found = float(exponent(k))
    assert around(found, k).real == pytest.approx(2, abs=1e-9 * max(k) / min(k))
    below = [around(lam, k).real - 2 for lam in np.linspace(0.01, 0.99, 99) * found]
    assert np.all(np.array(below) < 0)  # no smaller one: 2 is the value at lambda = 0 as well


def test_at_a_complex_ratio_the_real_part_counts() -> None:
    # tan(pi lambda/4) = sqrt(k_2/k_1) holds for complex ones too
    assert exponent([1, 100j, 1, 100j]) == pytest.approx(np.real(4 / np.pi * np.arctan((100j) ** -0.5)), rel=1e-12)


def test_an_image_has_the_order_of_its_worst_edge_at_each_frequency() -> None:
    labels = np.zeros((4, 4, 2), dtype=int)
    labels[:2, :2] = labels[2:, 2:] = 9
    inclusion = {"label": 9, "conductivity": KAPPA / 100, "relative_permittivity": 150}
    problem = Problem.of(image_cell(labels.shape, 1.0, {"image": labels, "inclusions": [inclusion]}))
    order, conducts = edge_orders(problem, np.array([0.0, 1e15j]))
    assert order == pytest.approx([8 / np.pi * np.arctan(0.1), 2.0], rel=1e-6)  # at 1e15/s both phases are the same dielectric
    assert conducts[0] == pytest.approx(2e-6 * KAPPA / 10, rel=1e-9)  # 2 um of it, sqrt(k_1 k_2) each
    assert np.isinf(edge_orders(Problem.of(image_cell((4, 4, 4), 1.0, {"generator": "voronoi", "grains": 5})), 0.0)[0])


@pytest.mark.parametrize("edges", [0.1, 0.25, 0.5])
def test_a_slow_part_behind_a_fast_one_is_within_the_uncertainty(edges: float) -> None:
    h = 0.5 ** np.arange(3.0)
    grids = 1 + 0.2 * h**1.5 + 0.05 * h**edges  # the slow part is all that theory's term leaves
    found = extrapolate(grids[:, None], 1.5, edges=edges)
    assert abs(found.value[0] - 1) == pytest.approx(found.uncertainty[0], rel=1e-9)
    assert extrapolate(grids[:, None], 1.5).uncertainty[0] < found.uncertainty[0]


def test_differences_that_do_not_fall_yet_go_on_for_twice_as_long() -> None:
    """Conductors that touch at an edge: R_l = R tanh(a l/R) on grids of h = 2^-l, from R a = gain(q)/2 on exponential."""
    edges = 0.05
    grids = np.tanh(0.5 * np.log(2) * edges * np.arange(3, 6.0))
    found = extrapolate(grids[:, None], 1.5, edges=edges)
    assert 0.9 < abs(found.value[0] - 1) / found.uncertainty[0] < 1
    assert found.uncertainty[0] == pytest.approx(2 * (grids[2] - grids[1]) * gain(edges), rel=0.05)


def test_edges_cost_no_more_than_what_they_can_conduct() -> None:
    grids = np.array([[1.0], [0.9], [0.85]])
    free, bounded = (extrapolate(grids, 1.5, edges=0.01, most=most).uncertainty[0] for most in (np.inf, 0.1))
    assert free > 1
    assert bounded == pytest.approx(0.1)


@pytest.mark.parametrize("contrast", [10.0, 1e4, 1e4j])
def test_the_reference_knows_keller_and_dykhne_on_finer_cells_than_it_was_made_for(contrast: complex) -> None:
    fields = np.indices((2, 2, 1)).sum(0) % 2
    z = impedance(fields, 1.0, {0: 1.0, 1: contrast}, np.inf, 20)  # type: ignore[arg-type]
    assert z == pytest.approx(1 / np.sqrt(contrast), rel=1e-6)


#: Images in the plane: contrasts of 1e6, 100, 1e4 and 1e-6, noise and a chessboard.
SEEDS = (1, 4, 5, 31)


@pytest.mark.filterwarnings("ignore::fem_constriction.errors.ResolutionWarning")
@pytest.mark.parametrize("seed", SEEDS)
def test_limits_at_strong_contrast_are_within_what_they_state(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validation.benchmarks.contrasts.PLANE", (10, 20))
    found = summary([compared(seed)])
    assert all(each["largest_error_over_u"] <= 1 for each in found.values()), found


@pytest.mark.filterwarnings("ignore::fem_constriction.errors.ResolutionWarning")
def test_without_their_edges_elements_state_too_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the comparison is for: the same image with nothing known of its edges."""
    monkeypatch.setattr("validation.benchmarks.contrasts.PLANE", (10, 20))
    monkeypatch.setattr(
        "fem_constriction.fem.voxels.elements.edge_orders", lambda problem, s: (np.full(np.shape(s), np.inf),) * 2
    )
    assert drawn(31).contrast == 1e-6
    assert summary([compared(31, frequency=np.array([1e3, 1e4]))])["fem"]["largest_error_over_u"] > 5
