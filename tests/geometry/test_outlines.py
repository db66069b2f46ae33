"""Contacts of any outline: what the cell file says, what it refuses, and what share of every voxel it covers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from outline_cells import DISC, MANY, cell, regions, star

import fem_constriction as fc
from fem_constriction.fem import FiniteElements
from fem_constriction.geometry.outlines import Outline, coverage
from fem_constriction.problem.faces import face_of
from fem_constriction.problem.kinds import OUTLINES
from fem_constriction.solving.refinement import solve_family
from network import Network

AREAS = [np.pi * 25e-12, np.pi * 36e-12, 0.0, 60e-12]  # pi r^2, pi a b, the polygon's below, b h


def test_the_contact_fraction_is_the_areas_of_the_regions_over_that_of_the_face() -> None:
    corners = np.array([[3, 36], [15, 33], [12, 46], [8, 40]]) * 1e-6
    x, y = corners.T
    polygon = 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
    assert cell(regions(*MANY)).contact_fraction == pytest.approx((sum(AREAS) + polygon) / 2500e-12, rel=1e-12)


def test_what_was_saved_loads_as_an_equal_cell() -> None:
    for contact in (DISC, regions(*MANY)):
        made = cell(contact)
        assert fc.Cell.loads(made.dumps()) == made
        assert hash(fc.Cell.loads(made.dumps())) == hash(made)


def test_a_disc_is_the_region_of_the_same_radius() -> None:
    radius = float(np.sqrt(0.2 / np.pi)) * 50e-6
    listed = cell(regions({"shape": "disc", "centre": ["25 um", "25 um"], "radius": radius}))
    assert listed.contact_fraction == pytest.approx(0.2, rel=1e-12)
    assert cell(DISC).outlines[0].same(listed.outlines[0])


@pytest.mark.parametrize(
    ("contact", "message"),
    [
        ({"shape": "disc", "fraction": 0.9}, "a disc of radius 2.67619e-05 m does not fit a face of 5e-05 m x 5e-05 m"),
        ({"shape": "disc"}, "fraction is missing"),
        ({"shape": "regions"}, "regions is missing: shape 'regions' needs at least one of them"),
        ({"shape": "regions", "fraction": 0.2}, "fraction = 0.2 is not allowed: regions have an area of their own"),
        ({"shape": "square", "fraction": 0.2, "regions": MANY[:1]}, "regions is not allowed: shape 'square' takes fraction"),
        (regions({"shape": "disc", "radius": "5 um"}), "regions.0.centre is missing: shape 'disc' needs centre and radius"),
        (regions(MANY[0], {**MANY[0], "size": ["1 um", "1 um"]}), "regions.1.size = (1e-06, 1e-06) is not allowed"),
        (
            regions({"shape": "disc", "centre": ["10 um", "2 um"], "radius": "5 um"}),
            "region 1 reaches from [5e-06, -3e-06] m to [1.5e-05, 7e-06] m, outside the face",
        ),
        (regions(MANY[0], {**MANY[0], "radius": "1 um"}), "regions 1 and 2 overlap"),
        (
            regions({"shape": "polygon", "vertices": [["1 um", "1 um"], ["9 um", "9 um"], ["9 um", "1 um"], ["1 um", "9 um"]]}),
            "edges must not cross or touch",
        ),
        (regions({"shape": "disc", "centre": [10, "2 um", 3], "radius": "5 um"}), "two lengths, [along x, along y]"),
    ],
)
def test_wrong_outlines_are_refused_in_one_sentence(contact: dict[str, object], message: str) -> None:
    with pytest.raises(fc.InputError) as caught:
        cell(contact)
    assert message in str(caught.value)
    assert "working_electrode.contact" in str(caught.value)


SQUARE = [["10 um", "10 um"], ["30 um", "10 um"], ["30 um", "30 um"], ["10 um", "30 um"]]


@pytest.mark.parametrize(
    "vertices",
    [
        SQUARE,
        SQUARE[::-1],
        [*SQUARE, SQUARE[0]],
        [*SQUARE, SQUARE[0]][::-1],
        [SQUARE[0], SQUARE[0], *SQUARE[1:], SQUARE[3]],
        [SQUARE[0], SQUARE[1], SQUARE[1], SQUARE[1], *SQUARE[2:]],
        [*SQUARE, ["10.00000000000001 um", "10 um"]],
        [SQUARE[0], ["17 um", "10 um"], ["23 um", "10 um"], ["23 um", "10 um"], *SQUARE[1:], ["10 um", "11 um"]],
    ],
    ids=["open", "clockwise", "closed", "closed clockwise", "repeated", "thrice", "closed to rounding", "on edges"],
)
def test_a_ring_encloses_the_area_of_the_shoelace_however_it_is_written(vertices: list[list[str]]) -> None:
    """Both backends share the outline, so that their agreement says nothing of it: the oracle is the area itself."""
    made = cell(regions({"shape": "polygon", "vertices": vertices}))
    assert made.contact_fraction == pytest.approx(400 / 2500, rel=1e-12)
    assert len(made.outlines[0].corners) == 4
    assert Network().grid(made, 0).contact_area == pytest.approx(400e-12, rel=1e-12)
    assert fc.Cell.loads(made.dumps()) == made


@pytest.mark.parametrize("seed", range(20))
def test_any_simple_ring_closed_open_and_either_way_round_has_its_area(seed: int) -> None:
    random = np.random.default_rng(seed)
    corners = star(random, int(random.integers(3, 13)))
    x, y = (corners - corners.mean(0)).T
    area = 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
    for ring in (corners, corners[::-1], np.vstack([corners, corners[:1]]), np.repeat(corners, 2, axis=0)):
        made = cell(regions({"shape": "polygon", "vertices": ring.tolist()}))
        assert made.contact_area == pytest.approx(area, rel=1e-12)


@pytest.mark.parametrize(
    ("vertices", "allowed"),
    [
        ([(10, 10), (30, 10), (10, 10), (30, 10)], "enclose no area"),
        ([(10, 10), (30, 10)], "at least three corners"),
        ([(10, 10), (10, 10), (10, 10), (10, 10)], "at least three different corners"),
        ([(10, 10), (20, 20), (30, 30)], "enclose no area"),
        ([(10, 10), (30, 10), (30, 30), (40, 40), (30, 30)], "must not lead back"),
        ([(10, 10), (30, 30), (30, 10), (10, 30)], "must not cross or touch"),
        ([(10, 10), (30, 32), (30, 10), (10, 30)], "must not cross or touch"),
        ([(10, 10), (20, 20), (30, 10), (30, 30), (20, 20), (10, 30)], "must not cross or touch"),
        ([(10, 10), (30, 10), (30, 30), (20, 10), (10, 30)], "must not cross or touch"),
    ],
    ids=["to and fro", "two", "a point", "a line", "a spike", "a bow", "a lame bow", "pinched", "a corner on an edge"],
)
def test_rings_that_are_no_polygons_are_refused_with_the_key(vertices: list[tuple[float, float]], allowed: str) -> None:
    polygon = {"shape": "polygon", "vertices": [[f"{x} um", f"{y} um"] for x, y in vertices]}
    with pytest.raises(
        fc.InputError, match=r"working_electrode\.contact\.regions\.1\.vertices = .* is not allowed: "
    ) as caught:
        cell(regions({"shape": "disc", "centre": ["44 um", "44 um"], "radius": "3 um"}, polygon))
    assert allowed in str(caught.value)


def test_a_face_that_is_symmetric_to_the_last_digit_typed_is_cut_and_its_area_kept() -> None:
    """The mean of a shape and its mirror image: what it changes is the square of how far they are apart."""
    turned = {"shape": "rectangle", "centre": ["25 um", "25 um"], "size": ["20 um", "20 um"]}
    for change in (
        {"angle": 0.785398},
        {"angle": "45 deg", "centre": ["25.000001 um", "25 um"]},
        {"angle": "45 deg", "size": ["20.000001 um", "20 um"]},
    ):
        face = face_of(cell(regions({**turned, **change})))
        assert face.copies == 4
        assert face.copies * face.contact_area == pytest.approx(400e-12, rel=1e-7)
        (diamond,) = face.outlines
        assert sorted(np.abs(diamond.corners).min(1)) == pytest.approx([0, 0, 0, 0], abs=1e-20)
        assert diamond.area == pytest.approx(face.copies * face.contact_area, rel=1e-12)
    assert face_of(cell(regions({**turned, "angle": "44.9 deg"}))).copies == 1
    pair = [{"shape": "disc", "centre": [x, "20 um"], "radius": "5 um"} for x in ("10.000001 um", "40 um")]
    assert face_of(cell(regions(*pair))).outlines[0].centre == pytest.approx((14.9999995e-6, 20e-6), rel=1e-12)
    ellipses = [{**MANY[1], "centre": [x, "25 um"], "angle": angle} for x, angle in (("12 um", "30 deg"), ("38 um", "150 deg"))]
    assert face_of(cell(regions(*ellipses))).cut == (True, False)


def test_the_face_is_cut_where_the_contact_is_its_own_mirror_image() -> None:
    assert face_of(cell(DISC)).copies == 4
    assert face_of(cell(regions(*MANY))).copies == 1
    pair = [{"shape": "disc", "centre": [x, "20 um"], "radius": "5 um"} for x in ("10 um", "40 um")]
    half = face_of(cell(regions(*pair)))
    assert half.cut == (True, False)
    assert half.copies == 2
    assert [outline.centre for outline in half.outlines] == [pytest.approx((15e-6, 20e-6))]


def test_voxels_that_the_outline_cuts_carry_their_share_of_it() -> None:
    """A half-plane's edge and a disc's area, cell by cell against points counted in each."""
    lines = np.linspace(0.0, 1.0, 11)
    triangle = Outline.polygon([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
    share = coverage([triangle], lines, lines)
    assert np.diag(share[::-1]) == pytest.approx(np.full(10, 0.5), abs=1e-12)
    assert share.sum() / 100 == pytest.approx(0.5, abs=1e-12)
    disc = Outline.disc((0.45, 0.5), 0.31)
    fine = (np.arange(2000) + 0.5) / 2000
    counted = (((fine - 0.45) ** 2)[:, None] + ((fine - 0.5) ** 2) < 0.31**2).reshape(10, 200, 10, 200).mean((1, 3))
    # Counting 200 x 200 points: a boundary that crosses them all is off by less than half a point each, 0.0025.
    assert np.abs(coverage([disc], lines, lines) - counted).max() < 2.5e-3


def test_shares_add_up_to_the_contact_area() -> None:
    for contact in (DISC, regions(*MANY)):
        made = cell(contact)
        grid = Network().grid(made, 0)
        assert grid.contact_area == pytest.approx(made.contact_area, rel=1e-12)
        assert not grid.fits


def test_rectangles_along_the_axes_lie_on_grid_lines_and_keep_bound_and_order() -> None:
    """Two rectangles: lines on all edges, nested, the network's Z falls with refinement and converges with order 2."""
    two = cell(
        regions(
            {"shape": "rectangle", "centre": ["12 um", "20 um"], "size": ["10 um", "8 um"]},
            {"shape": "rectangle", "centre": ["38 um", "30 um"], "size": ["12 um", "16 um"]},
        )
    )
    family = solve_family(two, Network(), None, levels=(0, 1))
    coarse, fine = (solution.grid for solution in family.solutions)
    assert fine.fits
    assert fine.x[::2] == pytest.approx(coarse.x, abs=1e-18)
    for edge in (7e-6, 17e-6, 32e-6, 44e-6):
        assert np.min(np.abs(coarse.x - edge)) < 1e-18
    assert family.bound == "upper"
    first, second = (solution.model.resistance() for solution in family.solutions)
    assert second < first


def test_a_square_given_as_a_region_is_the_square() -> None:
    square, listed = (
        cell(contact)
        for contact in (
            {"shape": "square", "fraction": 0.25},
            regions({"shape": "rectangle", "centre": ["25 um", "25 um"], "size": ["25 um", "25 um"]}),
        )
    )
    values = [solve_family(each, Network(), None, levels=(0,)).finest.model.resistance() for each in (square, listed)]
    assert values[0] == pytest.approx(values[1], rel=1e-10)  # lines differ by rounding


@pytest.mark.parametrize("off", [0.0, 1e-7, 1e-4, 4e-3], ids=["in line", "0.1 pm off", "0.1 nm off", "4 nm off"])
def test_edges_that_are_nearly_in_line_cost_no_more_than_ones_that_are(off: float) -> None:
    """Two squares far from each other, one moved by a digit that nobody meant: no lines are graded between their edges."""

    def both(away: float) -> fc.Cell:
        return cell(
            regions(
                {"shape": "rectangle", "centre": ["15 um", "12 um"], "size": ["10 um", "10 um"]},
                {"shape": "rectangle", "centre": [f"{15 + away} um", "36 um"], "size": ["10 um", "10 um"]},
            )
        )

    straight, moved = both(0.0), both(off)
    for backend in (Network(), FiniteElements()):
        grids = [backend.grid(each, 0) for each in (straight, moved)]
        assert np.prod(grids[1].shape) < 20 * np.prod(grids[0].shape)  # 128 x 128 equal voxels where no line fits
        value, uncertainty = solve_family(moved, backend, None, levels=(0, 1)).finest.model.resistance(), 5e-3
        assert value == pytest.approx(1302601, rel=uncertainty)  # of the squares in line; level 1 is 2e-3 off


def test_a_rectangle_nearly_on_the_wall_has_one_cell_to_it() -> None:
    near = cell(regions({"shape": "rectangle", "centre": ["5.001 um", "20 um"], "size": ["10 um", "10 um"]}))
    grid = Network().grid(near, 1)
    assert grid.x[1] == pytest.approx(1e-9, rel=1e-6)
    assert grid.contact_area == pytest.approx(near.contact_area, rel=1e-12)
    nearer = cell(regions({"shape": "rectangle", "centre": ["5.0000001 um", "20 um"], "size": ["10 um", "10 um"]}))
    assert face_of(nearer).kind is OUTLINES  # an outline like any other, refused by the elements by its gap
    with pytest.raises(fc.InputError, match="region 1 and the wall x = 0 are 1e-13 m apart"):
        FiniteElements().grid(nearer, 0)


def test_a_sliver_that_lies_askew_is_no_rectangle_along_the_axes() -> None:
    """Its corners lie at two ends of its box, to rounding, and its area is not that of the box."""
    listed = {"shape": "rectangle", "centre": ["25 um", "25 um"], "size": ["8e-9 um", "8 um"], "angle": "30 deg"}
    outline = cell(regions(listed)).outlines[0]
    assert outline.area == pytest.approx(8e-15 * 8e-6, rel=1e-6)  # corners 2.5e-5 m from the origin are rounded to 4e-21 m
    assert outline.rectangle is None


@pytest.mark.parametrize("lines", [np.linspace(0, 1, 8), np.array([0.0, 1e-6, 0.31, 0.311, 0.9, 1.0])])
def test_shares_are_looked_at_where_an_outline_is_and_nowhere_missed(lines: Any) -> None:
    """An outline alone, and cut into its parts of the cells: windows that were too small would lose area."""
    y = np.linspace(0, 1, 13)
    sizes = np.outer(np.diff(lines), np.diff(y))
    for outline, within in (
        (Outline((0.31, 0.5), (0.2, 0.05), 0.7), 1e-5),  # chords end like square roots
        (Outline((0.5, 0.5), (0.5, 0.5)), 1e-4),
        (Outline.polygon([(0.0, 0.0), (0.31, 0.2), (0.1, 1.0)]), 1e-12),
        (Outline.disc((0.9, 0.1), 1e-4), 1e-3),
    ):
        assert float((coverage([outline], lines, y) * sizes).sum()) == pytest.approx(outline.area, rel=within)
