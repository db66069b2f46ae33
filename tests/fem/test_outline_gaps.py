"""Regions that touch, or nearly do: solved with few triangles, or refused by their distance alone, by name."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import shapely
from outline_cells import cell, regions, star

import fem_constriction as fc
from fem_constriction.fem import FiniteElements, enclose
from fem_constriction.fem.prisms.bounds import bounds_on
from fem_constriction.fem.prisms.collars import curves
from fem_constriction.fem.prisms.gaps import check_gaps, distance_between
from fem_constriction.fem.prisms.outline_mesh import _check_apart, planar_mesh
from fem_constriction.geometry.outlines import Outline
from fem_constriction.grids.grid import Grading
from fem_constriction.problem.faces import face_of
from fem_constriction.solving.refinement import solve_family
from network import Network
from validation import crosscheck

U = 1e-6
GRADING = Grading(exponent=4.0, steps=2)


def disc(x: float, y: float, radius: float) -> dict[str, Any]:
    return {"shape": "disc", "centre": [x * U, y * U], "radius": radius * U}


def polygon(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"shape": "polygon", "vertices": [[x * U, y * U] for x, y in corners]}


def slab(away: float) -> dict[str, Any]:
    """A rectangle turned by half a radian, moved along its short side."""
    x, y = 20 - away * np.sin(0.5), 20 + away * np.cos(0.5)
    return {"shape": "rectangle", "centre": [x * U, y * U], "size": [20 * U, 8 * U], "angle": 0.5}


def beside_ellipse(gap: float) -> list[dict[str, Any]]:
    """An ellipse, turned, and a disc of 5 um along its normal at t = 1.2."""
    ellipse = Outline((25 * U, 25 * U), (12 * U, 4 * U), 0.6)
    x, y = ellipse.tangent(np.array(1.2))
    centre = ellipse.point(np.array(1.2)) + (gap + 5) * U * np.array([y, -x]) / np.hypot(x, y)
    listed = {"shape": "ellipse", "centre": list(ellipse.centre), "semi_axes": list(ellipse.semi_axes), "angle": 0.6}
    return [listed, {"shape": "disc", "centre": centre.tolist(), "radius": 5 * U}]


#: gap in um -> the regions, and what of them is so far apart.
NEIGHBOURS = {
    "disc and wall": (lambda g: [disc(10 + g, 25, 10)], "region 1 and the wall x = 0"),
    "disc and far wall": (lambda g: [disc(20, 40 - g, 10)], "region 1 and the wall y = L_y"),
    "discs": (lambda g: [disc(14, 22, 7), disc(26 + g, 22, 5)], "region 1 and region 2"),
    "discs on a mirror line": (lambda g: [disc(17 - g / 2, 25, 8), disc(33 + g / 2, 25, 8)], "region 1 and region 2"),
    "corner and wall": (lambda g: [polygon((g, 20), (15, 12), (22, 30))], "region 1 and the wall x = 0"),
    "corners": (
        lambda g: [polygon((10, 20), (25 - g, 25), (10, 30)), polygon((25, 25), (40, 18), (40, 35))],
        "region 1 and region 2",
    ),
    "corner and edge": (
        lambda g: [polygon((10, 20), (25 - g, 25), (10, 30)), polygon((25, 15), (40, 18), (40, 35), (25, 40))],
        "region 1 and region 2",
    ),
    "edges": (lambda g: [slab(0), slab(8 + g)], "region 1 and region 2"),
    "ellipse and disc": (beside_ellipse, "region 1 and region 2"),
    "ellipse and wall": (
        lambda g: [{"shape": "ellipse", "centre": [25 * U, (4 + g) * U], "semi_axes": [12 * U, 4 * U]}],
        "region 1 and the wall y = 0",
    ),
}


@pytest.mark.parametrize(("made", "who"), NEIGHBOURS.values(), ids=NEIGHBOURS)
@pytest.mark.parametrize("gap", [0.0, 1e-8, 1e-4])
def test_what_touches_is_refused_with_its_gap_before_anything_is_meshed(
    made: Any, who: str, gap: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meshed(*_: object) -> None:
        raise AssertionError("something was meshed")

    monkeypatch.setattr("fem_constriction.fem.prisms.outline_mesh.curves", meshed)
    touching = cell(regions(*made(gap)))  # the cell itself is right: the network solves it
    for route in (lambda: enclose(touching, 0.1), lambda: fc.resistance(touching, backend="fem")):
        with pytest.raises(fc.InputError, match="is not allowed for finite elements") as caught:
            route()
        assert who in str(caught.value)
        assert ("touch (a gap of 0 m)" if gap < 1e-6 else "are 1e-10 m apart") in str(caught.value)
        assert "working_electrode.contact.regions" in str(caught.value)


@pytest.mark.parametrize(("made", "who"), NEIGHBOURS.values(), ids=NEIGHBOURS)
def test_a_narrow_gap_costs_little_more_than_a_wide_one(made: Any, who: str) -> None:
    """Triangles are stretched along it: ten to a hundred times narrower, not ten times as many of them."""
    wide, narrow, narrowest = (FiniteElements().grid(cell(regions(*made(gap))), 0).shape[0] for gap in (0.5, 0.05, 0.006))
    assert narrow < 1.7 * wide
    assert narrowest < 2.5 * wide


@pytest.mark.parametrize("name", ["disc and wall", "corner and edge", "edges"])
def test_bounds_beside_a_gap_of_a_thousandth_of_the_face_hold_what_the_network_finds(name: str) -> None:
    made = cell(regions(*NEIGHBOURS[name][0](0.05)))
    lower, upper = bounds_on(made, FiniteElements().grid(made, 0), np.zeros(1))
    assert upper[0] - lower[0] < 2e-3 * lower[0]
    value, uncertainty = solve_family(made, Network(), None).resistance()
    assert lower[0] - uncertainty <= value <= upper[0] + uncertainty


def test_z_goes_to_that_of_the_open_gap_as_the_gap_closes() -> None:
    """A disc that comes nearer to the wall has less and less to conduct beside it: R_DC rises, by less each time."""
    at = [bounds_on(made, FiniteElements().grid(made, 0), np.zeros(1))
          for made in (cell(regions(disc(10 + gap, 25, 10))) for gap in (2.0, 0.5, 0.05, 0.002))]  # fmt: skip
    middle = np.array([(lower[0] + upper[0]) / 2 for lower, upper in at])
    assert np.all(np.diff(middle) > 0)
    assert np.all(np.diff(middle, 2) < 0)


def test_distances_of_outlines_are_exact() -> None:
    ellipse = Outline((0, 0), (3e-5, 1e-5), 0.3)
    for t in (0.2, 1.1, 2.7):
        place = ellipse.point(np.array(t))
        x, y = ellipse.tangent(np.array(t))
        normal = np.array([y, -x]) / np.hypot(x, y)
        for gap in (1e-6, 1e-9, 0.0):
            other = Outline.disc(tuple(place + normal * (gap + 5e-6)), 5e-6)
            assert distance_between(ellipse, other) == pytest.approx(gap, abs=1e-18)
            assert distance_between(other, ellipse) == pytest.approx(gap, abs=1e-18)
    square = Outline.polygon([(0, 0), (1, 0), (1, 1), (0, 1)])
    assert distance_between(square, Outline.disc((2, 2), 0.4)) == pytest.approx(np.sqrt(2) - 0.4, abs=1e-15)


@pytest.mark.parametrize(
    ("corners", "message"),
    [
        ([(10, 10), (40, 10), (40, 30), (25.0001, 30), (25.0001, 16), (25, 16), (25, 30), (10, 30)], "another edge of it are"),
        ([(10, 10), (30, 10), (30, 30), (20, 10.0001), (10, 30)], "another edge of it are"),
        ([(0, 10), (20, 10), (20, 30), (0, 20), (10, 20)], "region 1 and the wall x = 0 touch"),
        ([(10, 0), (40, 3), (40, 20), (10, 20)], "region 1 and the wall y = 0 touch"),
        ([(10, 0), (30, 0), (45, 1), (20, 20)], "between region 1 and the wall at [3e-05, 0] m is sharper than 7.5 degrees"),
        ([(5, 5), (45, 6), (45, 9)], "the corner of region 1 at [5e-06, 5e-06] m is sharper than 15 degrees"),
    ],
    ids=["slit", "notch to the base", "two corners on the wall", "one corner on the wall", "flat on the wall", "needle"],
)  # fmt: skip
def test_polygons_that_nearly_touch_themselves_or_the_wall_are_refused(
    corners: list[tuple[float, float]], message: str
) -> None:
    with pytest.raises(fc.InputError, match="is not allowed for finite elements") as caught:
        planar_mesh(cell(regions(polygon(*corners))), GRADING, 0)
    assert message in str(caught.value)


def test_edges_on_the_wall_are_no_gap() -> None:
    apart = regions(polygon((0, 10), (20, 10), (25, 22), (0, 30)), polygon((50, 50), (30, 50), (50, 20)))
    check_gaps(face_of(cell(apart), whole=True))


def test_strips_that_cross_are_refused_with_their_regions() -> None:
    square, other = shapely.box(0, 0, 1, 1), shapely.box(0.5, 0.5, 2, 2)
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    _check_apart([square, shapely.box(1, 0, 2, 1)], [1, 2])
    with pytest.raises(fc.InputError, match="regions 3 and 5 are too near"):
        _check_apart([square, other], [3, 5])
    with pytest.raises(fc.InputError, match="edges of region 7 are too near"):
        _check_apart([square, bow], [3, 7])


def test_hundreds_of_regions_are_refused_by_what_they_would_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty by twenty discs, at two gaps: counted, not meshed."""
    monkeypatch.setattr("fem_constriction.fem.prisms.outline_mesh._layout", lambda *_: pytest.fail("it was meshed"))
    at = 2.5 * np.arange(20) + 1.2 + 0.1 * (np.arange(20) % 3)
    many = cell(regions(*(disc(x, y, 0.9) for x in at for y in at)))
    with pytest.raises(fc.InputError, match=r"at least \d+ triangles for 400 regions.* would need about .* GiB"):
        fc.resistance(many, backend="fem")


def test_four_hundred_spots_are_refused_before_any_grid_takes_time() -> None:
    """Whoever asks both backends waits for neither: shares of voxels are looked at where a disc is, and triangles counted.

    26 s of a processor before, nearly all of them for shares of 512 x 512 voxels in each disc.
    """
    spots = {"shape": "spots", "count": 400, "fraction": 0.2, "seed": 1}
    start = time.process_time()
    with pytest.raises(fc.InputError, match=r"at least \d{7} triangles for 400 regions.* GiB.*spots with `pixels`"):
        crosscheck(cell(spots), [1.0])
    assert time.process_time() - start < 10  # 1.5 s


@pytest.mark.parametrize("made", [NEIGHBOURS["corners"][0](2), beside_ellipse(1), [disc(10, 10, 4), disc(30, 30, 9)]])
def test_the_discs_that_may_be_nearest_are_all_that_a_distance_takes(made: Any) -> None:
    """Among others in between: the distances are those to all discs."""
    many = [disc(2 + 5 * i, 2 + 5 * j, 0.4) for i in range(10) for j in range(10)]
    away = [each for each in many if all(_apart(each, other) for other in made)]
    found_on = curves(face_of(cell(regions(*made, *away)), whole=True))
    known = found_on[-1].clearances
    assert 0 < known._discs(found_on[-1].number).size < known.number.size / 2
    for each in found_on:
        for piece, part in enumerate(each.chain.pieces):
            points = part.point(np.linspace(0, 1, 5))
            others_than = known.number != each.number
            far = np.abs(np.linalg.norm(points[:, None] - known.centres[others_than], axis=2) - known.radii[others_than]).min(1)
            found = known._others(each.number, points)
            assert np.all(found <= far * (1 + 1e-12)), piece
            assert known.lines or found == pytest.approx(far, rel=1e-12)


def _apart(one: Any, other: Any) -> bool:
    outlines = [each.outlines[0].shape for each in (cell(regions(one)), cell(regions(other)))]
    return bool(outlines[0].distance(outlines[1]) > 0.5 * U)


@pytest.mark.parametrize("seed", range(10))
def test_random_regions_are_solved_with_their_area_or_refused_with_a_reason(seed: int) -> None:
    """Polygons of any corners, and discs of which some touch: triangulations that are sound, or what is too near or sharp."""
    for made in (tangled(np.random.default_rng(seed)), discs(np.random.default_rng(seed))):
        whole = cell(regions(*made))
        try:
            grid = FiniteElements().grid(whole, 0)
        except fc.InputError as error:
            assert "region" in str(error)
            assert any(reason in str(error) for reason in ("sharper than", "apart", "touch", "too near"))
        else:
            assert grid.contact_area == pytest.approx(whole.contact_area, rel=1e-12)
            assert grid.area == pytest.approx(whole.area, rel=1e-12)


def tangled(random: np.random.Generator) -> list[dict[str, Any]]:
    """A simple polygon through random points in random order."""
    corners = random.uniform(U, 49 * U, (int(random.integers(3, 9)), 2))
    while not shapely.Polygon(corners).is_valid:
        corners = random.permutation(corners)
    return [{"shape": "polygon", "vertices": corners.tolist()}]


def discs(random: np.random.Generator) -> list[dict[str, Any]]:
    """Discs as large as fits beside those before, or nearly."""
    found: list[tuple[np.ndarray, float]] = []
    while len(found) < 4:
        centre = random.uniform(0, 50 * U, 2)
        room = min([*centre, *(50 * U - centre), *(float(np.hypot(*(centre - c)) - r) for c, r in found)])
        radius = room * random.choice([1 - 1e-7, 0.9999, 0.99, 0.7])
        if radius > U:
            found.append((centre, radius))
    return [{"shape": "disc", "centre": c.tolist(), "radius": float(r)} for c, r in found]


def test_a_star_with_a_tiny_edge_is_narrow_there_alone() -> None:
    """1 nm of an edge among edges of 20 um: the strips are narrow beside it, not all along the outline."""
    corners = star(np.random.default_rng(3), 5)
    ways = np.array([corners[-1], corners[1]]) - corners[0]
    blunt = corners[0] + 1e-9 * ways / np.linalg.norm(ways, axis=1)[:, None]
    rings = [corners, np.vstack([blunt[1:], corners[1:], blunt[:1]])]
    polygons = [regions({"shape": "polygon", "vertices": ring.tolist()}) for ring in rings]
    plain, with_edge = (planar_mesh(cell(each), GRADING, 0) for each in polygons)
    assert with_edge.t.shape[1] < 3 * plain.t.shape[1]


@pytest.mark.parametrize("fraction", [1e-6, 1e-9, 1e-12])
def test_a_small_contact_costs_the_logarithm_of_its_size(fraction: float) -> None:
    """Walls are divided as finely as wanted where they pass it, and nowhere else: 72, 82, 92 triangles."""
    assert planar_mesh(cell({"shape": "disc", "fraction": fraction}), GRADING, 0).t.shape[1] < 150


def test_a_disc_that_just_fits_the_face_is_refused_by_its_fraction() -> None:
    with pytest.raises(
        fc.InputError, match=r"contact\.fraction = 0\.785398\d* is not allowed for finite elements: the disc and"
    ):
        enclose(cell({"shape": "disc", "fraction": np.pi / 4}), 0.1)


@pytest.mark.parametrize("slender", [1e-3, 1e-6, 1e-15])
def test_a_slender_ellipse_is_refused_by_what_its_ends_would_take(slender: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strips are as narrow as the ends are bent, short^2/long: 10 long/short of them; nothing is divided to find that out."""
    monkeypatch.setattr("fem_constriction.memory.free", lambda: 24 * 2**30)
    monkeypatch.setattr("fem_constriction.memory._least", lambda: (24 * 2**30, ""))
    monkeypatch.setattr("fem_constriction.fem.prisms.outline_mesh._strips", lambda *_: pytest.fail("divided"))
    thin = {"shape": "ellipse", "centre": [33 * U, 32 * U], "semi_axes": [4 * U * slender, 4 * U], "angle": 0.5}
    with pytest.raises(fc.InputError, match=r"at least \d+ triangles.*GiB"):
        FiniteElements().grid(cell(regions(thin)), 0)


def test_memory_that_runs_out_ends_bounds_with_what_was_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr("fem_constriction.fem.prisms.bounds.bounds_on", short)
    with pytest.raises(fc.ComputationError, match="memory ran out"):
        enclose(cell(regions(disc(20, 20, 8))))
