"""Many discs on a face: the sum over pairs and mirror images, against one disc, lattices and finite elements."""

from __future__ import annotations

import numpy as np
import pytest

import fem_constriction as fc
from validation.oracles.discs import disc_square_tube_isoflux, disc_tube_series
from validation.oracles.spots import many_discs, seen

THREE = [(0.3, 0.4), (0.7, 0.75), (0.75, 0.2)]


def test_the_lattice_sum_is_that_of_a_square_lattice_of_charges() -> None:
    """One spot in the middle of a deep cell is a square lattice with the uniform part taken out: -3.90026492 (published)."""
    middle = np.array([0.5, 0.5])
    images = [middle * sign for sign in ((1, 1), (-1, 1), (1, -1), (-1, -1))]
    total = sum(float(seen(middle - image, np.inf)) for image in images)
    assert total == pytest.approx(-3.90026492, abs=5e-9)
    # Under uniform flux what is left of a small disc when its own 8/(3 pi^2 a) is taken off is the lattice, to (2 a)^2.
    left = (disc_square_tube_isoflux(0.01) - 8 / (3 * np.pi**2) / 0.005) * 2 * np.pi
    assert left == pytest.approx(total, rel=1e-4)


def test_one_disc_in_the_middle_is_one_in_a_tube() -> None:
    """A square tube is a round one of the same area to a few parts in a thousand of the wall's share."""
    radius = 0.05
    found, off = many_discs([(0.5, 0.5)], radius, 1.0, 2.0, 1.0)
    round_ = disc_tube_series(radius * np.sqrt(np.pi)) / (4 * radius)
    assert found == pytest.approx(round_, abs=off + 0.01 * abs(round_ - 1 / (4 * radius)))


def test_n_by_n_spots_are_n_by_n_cells_of_one() -> None:
    one, _ = many_discs([(0.125, 0.125)], 0.02, 0.25, 1.0, 1.0)
    many, _ = many_discs([((i + 0.5) / 4, (j + 0.5) / 4) for i in range(4) for j in range(4)], 0.02, 1.0, 1.0, 1.0)
    assert many == pytest.approx(one / 16, rel=1e-12)


def test_equal_currents_bound_from_above_and_distant_spots_are_in_parallel() -> None:
    free, equal = (many_discs(THREE, 0.05, 1.0, 1.0, 1.0, equal=each)[0] for each in (False, True))
    assert free < equal < free * 1.01
    small, _ = many_discs(THREE, 1e-5, 1.0, 1.0, 1.0)
    assert small == pytest.approx(1 / (4 * 3 * 1e-5), rel=1e-4)  # the walls and the others are 1e-5 of it


def test_many_small_spots_are_better_than_one_large_one_at_equal_area() -> None:
    """R falls like 1/n^(1/2) of the number: at 4 % contact by 2, 4, 8 for 4, 16, 64 spots in a row and column."""
    found = []
    for n in (1, 2, 4, 8):
        centres = [((i + 0.5) / n, (j + 0.5) / n) for i in range(n) for j in range(n)]
        found.append(many_discs(centres, np.sqrt(0.04 / np.pi) / n, 1.0, 1.0, 1.0)[0])
    np.testing.assert_allclose(found[0] / np.array(found), [1, 2, 4, 8], rtol=2e-4)  # but for the depth of the largest cells


@pytest.mark.parametrize(("radius", "height"), [(0.2, 1.0), (0.05, 0.1), (-1.0, 1.0)])
def test_what_it_does_not_hold_for_is_refused(radius: float, height: float) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        many_discs(THREE, radius, 1.0, height, 1.0)


@pytest.mark.long
def test_four_discs_by_finite_elements() -> None:
    """Off the middles of the quarters, so that they are no tubes; mirror symmetry leaves one of them to be solved."""
    width, sigma, radius = 50e-6, 0.046, 2.5e-6
    four = [(x, y) for x in (0.32, 0.68) for y in (0.23, 0.77)]
    regions = [{"shape": "disc", "centre": [width * x, width * y], "radius": radius} for x, y in four]
    cell = fc.Cell(
        geometry={"width": width, "thickness": width},
        electrolyte={"conductivity": sigma},
        working_electrode={"contact": {"shape": "regions", "regions": regions}},
    )
    total, u = fc.resistance(cell, backend="fem", uncertainty=True)
    exact, off = many_discs([(width * x, width * y) for x, y in four], radius, width, width, sigma)
    assert abs(total - 1 / (sigma * width) - exact) < u + off
