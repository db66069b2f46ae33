"""Contacts that chance makes, and arrays: what is asked for is what is there, the same for the same seed, or a sentence."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import outline_cells
import pytest

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.geometry.pixels import perimeter
from fem_constriction.geometry.random_contacts import lognormal
from fem_constriction.problem.problem import Problem


def spots(**contact: Any) -> fc.Cell:
    return outline_cells.cell({"shape": "spots", **contact})


def discs(cell: fc.Cell) -> tuple[np.ndarray, np.ndarray]:
    """Centres and radii."""
    outlines = cell.working_touch.outlines
    return np.array([each.centre for each in outlines]), np.array([each.semi_axes[0] for each in outlines])


def test_what_chance_made_is_kept_and_is_the_same_contact_when_it_is_said_outright() -> None:
    cell = spots(count=5, fraction=0.1, seed=3)
    kept = cell.working_touch.realised
    assert kept is not None
    listed = [{"shape": "disc", "centre": [x, y], "radius": r} for x, y, r in kept["discs_m"]]
    said = cell.vary({"working_electrode.contact": {"shape": "regions", "regions": listed}})
    assert [each.values for each in said.outlines] == [each.values for each in cell.outlines]
    assert said.working_touch.realised is None
    rough = outline_cells.cell({"shape": "rough", "fraction": 0.2, "correlation_length": "5 um", "pixels": 32, "seed": 1})
    made = rough.working_touch.realised
    assert made is not None
    again = rough.vary({"working_electrode.contact": {"shape": "mask", "image": made["image"]}})
    assert np.array_equal(again.working_touch.pixels, rough.working_touch.pixels)  # type: ignore[arg-type]
    assert made["fraction"] == again.contact_fraction


@pytest.mark.parametrize(
    "sized",
    [
        {"fraction": 0.2},
        {"radius": "1 um"},
        {"radii": {"spread": 0.4}, "fraction": 0.2},
        {"radii": {"mean": 1e-6, "spread": 0.3}},
    ],
)
def test_spots_keep_their_distance_from_one_another_and_from_their_mirror_images(sized: dict[str, Any]) -> None:
    cell = spots(count=40, gap="0.5 um", seed=3, **sized)
    centres, radii = discs(cell)
    assert len(radii) == 40
    if "fraction" in sized:
        assert cell.contact_fraction == pytest.approx(0.2, rel=1e-12)
        assert np.pi * np.sum(radii**2) == pytest.approx(0.2 * cell.area, rel=1e-12)
    if "radius" in sized:
        assert set(radii) == {1e-6}
    between = np.linalg.norm(centres[:, None] - centres, axis=2) - radii - radii[:, None] + np.diag(np.full(40, 1.0))
    assert between.min() >= 0.5e-6 * (1 - 1e-9)
    walls = np.minimum(centres, 50e-6 - centres).min(1) - radii
    assert 2 * walls.min() >= 0.5e-6 * (1 - 1e-9)
    assert spots(count=40, gap="0.5 um", seed=3, **sized).working_touch.outlines == cell.working_touch.outlines
    other = discs(spots(count=40, gap="0.5 um", seed=4, **sized))[0]
    assert np.abs(other - centres).max() > 1e-6


def test_fraction_and_radius_make_the_number_nearest_to_them() -> None:
    cell = spots(fraction=0.1, radius="2 um")
    assert len(discs(cell)[1]) == round(0.1 * 2500 / (4 * np.pi))
    assert cell.contact_fraction == pytest.approx(20 * 4 * np.pi / 2500, rel=1e-12)


def test_radii_have_the_mean_and_the_spread_that_are_asked_for() -> None:
    radii = lognormal(200_000, 0.5, seed=1)
    # Standard errors of 200,000: 0.5/sqrt(n) of the mean, about 1/sqrt(n) of the spread; four of them.
    assert radii.mean() == pytest.approx(1, abs=4 * 0.5 / np.sqrt(2e5))
    assert radii.std() == pytest.approx(0.5, abs=4 / np.sqrt(2e5))


def test_one_spot_is_the_disc_at_its_place() -> None:
    cell = spots(count=1, radius="5 um", seed=2)
    centre, _ = discs(cell)
    disc = {"shape": "disc", "centre": centre[0].tolist(), "radius": "5 um"}
    one, other = (Problem.of(each).face for each in (cell, outline_cells.cell(outline_cells.regions(disc))))
    assert [each.values for each in one.outlines] == [each.values for each in other.outlines]
    assert (one.width, one.cut, one.contact_area) == (other.width, other.cut, other.contact_area)


def test_spots_on_pixels_are_metal_where_a_centre_of_a_pixel_is() -> None:
    outlines, drawn = (spots(count=5, radius="4 um", gap="2 um", seed=1, **more) for more in ({}, {"pixels": 250}))
    centres, radii = discs(outlines)
    at = (np.arange(250) + 0.5) * 0.2e-6
    inside = np.any((at[:, None, None] - centres[:, 0]) ** 2 + (at[None, :, None] - centres[:, 1]) ** 2 < radii**2, axis=2)
    assert np.array_equal(drawn.working_touch.pixels, inside)
    # Pixels that circles cross count by chance: 8 r/h of each, half a pixel of area off with random sign.
    crossed = 5 * 8 * 4e-6 / 0.2e-6
    assert drawn.contact_fraction * 250**2 == pytest.approx(outlines.contact_fraction * 250**2, abs=2 * np.sqrt(crossed))


def test_a_rough_contact_has_the_fraction_and_longer_waves_have_shorter_edges() -> None:
    edges = []
    for length in ("1 um", "2 um", "4 um", "8 um"):
        rough = {"shape": "rough", "fraction": 0.1, "correlation_length": length, "pixels": 200, "seed": 5}
        cell = outline_cells.cell(rough)
        assert cell.contact_fraction == 0.1
        assert np.array_equal(cell.working_touch.pixels, outline_cells.cell(rough).working_touch.pixels)
        edges.append(perimeter(cell.working_touch.pixels, (0.25e-6, 0.25e-6)))
    assert edges == sorted(edges, reverse=True)
    smooth = {"shape": "rough", "fraction": 0.1, "correlation_length": "4 um", "pixels": 200, "seed": 5}
    by_hurst = [outline_cells.cell({**smooth, "hurst": h}).working_touch.pixels for h in (0.3, 0.8)]
    assert perimeter(by_hurst[0], (1, 1)) > perimeter(by_hurst[1], (1, 1))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        ({"shape": "spots", "count": 5}, "contact.count .*two of count, radius .* make the third, and given is count"),
        ({"shape": "spots", "count": 5, "radius": "1 um", "fraction": 0.1}, "given are count and radius and fraction"),
        ({"shape": "spots", "count": 5, "radius": "1 um", "radii": {"spread": 1}}, "contact.radius = 1e-06 m .*one of the two"),
        ({"shape": "spots", "count": 50, "fraction": 0.8}, r"contact.count = 50 .*\d+ of 50 discs find room, .* cover 0.8"),
        ({"shape": "spots", "count": 5, "radius": 1e-6, "gap": "10 nm", "pixels": 100}, "gap = 1e-08 m .*at least 5000 pixels"),
        ({"shape": "rough", "fraction": 0.1, "pixels": 64}, "contact.correlation_length is missing"),
        ({"shape": "rough", "fraction": 0.1, "pixels": 64, "correlation_length": "1 um"}, "at least 100 pixels per edge do"),
        ({"shape": "rough", "fraction": 0.1, "pixels": 64, "correlation_length": "5 um", "hurst": 1.5}, "contact.hurst = 1.5"),
        ({"shape": "square", "fraction": 0.1, "seed": 3}, "contact.seed = 3 .*shape 'square' takes fraction, repeat, mesher"),
        ({"shape": "square", "fraction": 0.1, "repeat": 0}, "contact.repeat = 0 .*a whole number from 1, or two"),
        ({"shape": "disc", "fraction": 0.9, "repeat": 2}, "does not fit a part of the face of 2.5e-05 m x 2.5e-05 m"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_in_a_sentence(contact: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as raised:
        outline_cells.cell(contact)
    assert re.search(said, str(raised.value)), str(raised.value)
    assert len(str(raised.value)) < 500


def test_what_is_saved_is_equal_when_it_is_loaded() -> None:
    for contact in (
        {"shape": "spots", "count": 4, "radii": {"mean": "1 um", "spread": 0.2}, "gap": "1 um", "seed": 2, "repeat": [2, 3]},
        {"shape": "rough", "fraction": 0.2, "correlation_length": "5 um", "hurst": 0.5, "pixels": [40, 60], "seed": 1},
    ):
        cell = outline_cells.cell(contact)
        assert fc.Cell.loads(cell.dumps()) == cell
