"""A contact that is an image: its pixels are the cell's, whichever file they come from, and grids have lines on them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import outline_cells
import pytest
from masks import masked, random_mask, random_pixels
from oracle import direct
from PIL import Image

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fem import FiniteElements
from fem_constriction.grids.grid import Grading, family_member
from fem_constriction.grids.rectilinear import midpoints
from fem_constriction.problem.faces import Mask, Mosaic
from fem_constriction.problem.kinds import PIXELS, RECTANGLES, TWO_PIXELS, Kind
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import solve_family
from fem_constriction.stack.face_model import reduce_layered
from network import Network

SQUARE = np.zeros((16, 16), dtype=bool)
SQUARE[4:12, 4:12] = True


@pytest.mark.parametrize("robin", [True, False])
@pytest.mark.parametrize("backend", [Network(), FiniteElements()])
def test_a_mask_of_a_square_is_the_square_on_the_same_grid(backend: Any, robin: bool) -> None:
    square = outline_cells.cell({"shape": "square", "fraction": 0.25}, robin)
    mask = outline_cells.cell(masked(SQUARE), robin)
    assert mask.contact_fraction == 0.25
    grids = [backend.grid(each, 0) for each in (square, mask)]
    for one, other in zip(grids[0].axes, grids[1].axes, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    s = 2j * np.pi * np.array([1e-2, 1e3, 1e6])
    z = [
        solve_grid(each, backend, grid, (0.06, 1e7)).model.impedance(s)
        for each, grid in zip((square, mask), grids, strict=True)
    ]
    np.testing.assert_allclose(z[1], z[0], rtol=1e-10)


def test_limits_of_pixels_cut_hold_the_square(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uniform cuts are of another kind than graded lines: their limits agree within what each says of itself."""
    square = outline_cells.cell({"shape": "square", "fraction": 0.25})
    monkeypatch.setattr("fem_constriction.problem.faces.FEW", 0)
    mask = outline_cells.cell(masked(SQUARE))
    assert Problem.of(mask).kind == PIXELS
    f = np.array([1e-2, 1e2, 1e4])
    for backend in (Network(), FiniteElements()):
        one, other = (solve_family(each, backend, (0.06, 6.3e4)).limit(f) for each in (square, mask))
        assert np.all(np.abs(one.value - other.value) <= one.uncertainty + other.uncertainty)
        assert np.all(other.uncertainty < 0.03 * np.abs(other.value))  # of 64, 128 and 256 per edge, an edge all around


@pytest.mark.parametrize(("few", "kind", "face"), [(20, RECTANGLES, Mosaic), (0, PIXELS, Mask)])
@pytest.mark.parametrize("robin", [True, False])
@pytest.mark.parametrize("backend", [Network(), FiniteElements(degree=1)])
def test_random_pixels_are_solved_as_their_own_matrices_say(
    backend: Any, robin: bool, few: int, kind: Kind, face: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fem_constriction.problem.faces.FEW", few)
    cell = random_mask(5, robin=robin, layers=2)
    problem = Problem.of(cell)
    assert problem.kind == kind
    assert type(problem.face) is face
    grid = family_member(problem, Grading(2.5, 2), 0, crowded=12) if few else backend.uniform(problem, 10)
    assert grid.contact_area == pytest.approx(problem.contact_area, rel=1e-12)
    s = 2j * np.pi * np.array([1e-1, 1e5, 1e7])
    model = reduce_layered(backend.layered(problem, grid), problem.places, (0.5, 1e8))
    plain = direct(backend.assemble(problem, grid), problem.places, s)
    np.testing.assert_allclose(model.impedance(s), plain, rtol=3e-8)  # the projection's error is asked to be below 1e-8


@pytest.mark.parametrize("backend", [Network(), FiniteElements()])
@pytest.mark.parametrize("counter", [masked(random_pixels(8)), {"shape": "square", "fraction": 0.25}], ids=["mask", "square"])
def test_images_at_two_electrodes_are_solved_as_their_own_matrices_say(
    backend: Any, counter: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of other pixels, whose lines are those of the finer one; and beside a square whose edges lie on pixels."""
    monkeypatch.setattr("fem_constriction.problem.faces.FEW", 0)
    cell = random_mask(4, layers=2).vary({"counter_electrode.contact": counter})
    problem = Problem.of(cell)
    assert problem.kind == TWO_PIXELS
    grid = backend.uniform(problem, 8)
    assert grid.contact_area == pytest.approx(problem.contact_area, rel=1e-12)
    assert grid.counter_area == pytest.approx(problem.counter_area, rel=1e-12)
    assert backend.grid(problem, 0).fits
    s = 2j * np.pi * np.array([1e-1, 1e5, 1e7])
    model = reduce_layered(backend.layered(problem, grid), problem.places, (0.5, 1e8))
    np.testing.assert_allclose(model.impedance(s), direct(backend.assemble(problem, grid), problem.places, s), rtol=3e-8)
    off = cell.vary({"counter_electrode.contact": {"shape": "square", "fraction": 0.3}})
    with pytest.raises(InputError, match=r"counter_electrode\.contact .*on no line between the pixels"):
        backend.grid(Problem.of(off), 0)


@pytest.mark.parametrize("robin", [True, False])
def test_wide_planes_are_solved_less_strictly_and_z_does_not_show_it(robin: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """To an energy error of 1e-9 instead of 1e-12; Z is far better known than that, as its error is of second order."""
    monkeypatch.setattr("fem_constriction.problem.faces.FEW", 0)
    problem, backend, s = Problem.of(random_mask(5, robin=robin)), Network(), 2j * np.pi * np.array([1e-1, 1e5, 1e7])
    grid = backend.uniform(problem, 20)
    found, iterations = [], []
    for wide in (1 << 17, 1):
        monkeypatch.setattr("fem_constriction.stack.modes.WIDE", wide)
        model = reduce_layered(backend.layered(problem, grid), problem.places, (0.5, 1e8))
        found.append(model.impedance(s))
        iterations.append(model.statistics["iterations"])
    assert iterations[1] < iterations[0]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)


def test_index_0_is_at_the_origin_the_first_is_x_and_nothing_is_flipped(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4), dtype=bool)
    pixels[1, 3] = True
    Image.fromarray(pixels.astype(np.uint8) * 255).save(tmp_path / "contact.png")
    np.save(tmp_path / "contact.npy", pixels)
    contacts = [masked(pixels), *(masked(str(tmp_path / f"contact.{kind}")) for kind in ("png", "npy"))]  # type: ignore[arg-type]
    for contact in contacts:
        face = Problem.of(outline_cells.cell(contact)).face
        x, y = (np.linspace(0, 50e-6, 5) for _ in range(2))
        np.testing.assert_array_equal(face.touches(midpoints(x), midpoints(y)), pixels)
        share = face.share(np.array([0, 25e-6, 50e-6]), np.array([0.0, 37.5e-6, 50e-6]), 0.0)
        np.testing.assert_allclose(share, [[0, 0.5], [0, 0]], atol=1e-15)


def test_mirror_symmetry_is_found_by_comparing_pixels() -> None:
    half = random_pixels(5, seed=3)
    both = np.vstack([half[::-1], half])
    face = Problem.of(outline_cells.cell(masked(np.hstack([both, both[:, ::-1]])))).face
    assert face.cut == (True, True)
    assert np.array_equal(face.pixels, both[5:, ::-1])  # type: ignore[attr-defined]
    assert Problem.of(outline_cells.cell(masked(both))).face.cut == (True, False)
    assert Problem.of(random_mask(16)).face.cut == (False, False)


def test_repeated_once_is_not_repeated_and_repeats_are_the_tiled_image() -> None:
    pixels = random_pixels(3)
    once, plain = (Problem.of(outline_cells.cell(masked(pixels, **more))).face for more in ({"repeat": [1, 1]}, {}))
    assert once == plain
    tiled = Problem.of(outline_cells.cell(masked(np.tile(pixels, (2, 3))))).face
    assert Problem.of(outline_cells.cell(masked(pixels, repeat=[2, 3]))).face == tiled
    squares = outline_cells.cell({"shape": "square", "fraction": 0.25, "repeat": [4, 4]})
    image = np.zeros((16, 16), dtype=bool)
    for i in (1, 2):
        for j in (1, 2):
            image[i::4, j::4] = True
    assert squares.contact_fraction == 0.25
    r = [fc.resistance(each, backend="network") for each in (squares, outline_cells.cell(masked(image)))]
    assert r[1] == pytest.approx(r[0], rel=1e-9)
    # Walls are mirrors: sixteen parts side by side are sixteen cells, each a quarter as wide and as thick as all.
    one, u = fc.resistance(
        outline_cells.cell({"shape": "square", "fraction": 0.25}, width="12.5 um"), backend="network", uncertainty=True
    )
    assert abs(r[0] - one / 16) < 3 * u / 16 + 1e-4 * r[0]  # which asks for 1e-3, and is known to 1e-4


def test_a_saved_cell_has_the_array_in_it_and_the_one_that_is_loaded_is_equal(tmp_path: Path) -> None:
    cell = outline_cells.cell(masked(random_pixels(16) * 7.0, threshold=3, pixel="3.125 um"))
    cell.save(tmp_path / "cell.toml")
    again = fc.Cell.load(tmp_path / "cell.toml")
    assert again == cell
    assert np.array_equal(again.working_touch.pixels, random_pixels(16))  # type: ignore[arg-type]


def test_grids_of_another_file_under_the_same_name_are_others(tmp_path: Path) -> None:
    np.save(tmp_path / "contact.npy", random_pixels(8))
    cell = outline_cells.cell(masked(str(tmp_path / "contact.npy")))  # type: ignore[arg-type]
    before = Problem.of(cell).discretisation
    np.save(tmp_path / "contact.npy", random_pixels(8, seed=1))
    assert Problem.of(cell).discretisation != before


@pytest.mark.parametrize(("part", "what"), [(0, "pore"), (1, "metal")])
@pytest.mark.parametrize("kind", [bool, float])
def test_all_metal_and_all_pore_are_no_pattern_and_refused_with_what_says_so(part: int, what: str, kind: type) -> None:
    said = f"contact.image is not allowed: all of its 4 x 4 pixels are {what}, .*'square' with fraction = {part} says so"
    with pytest.raises(InputError, match=said):
        outline_cells.cell(masked(np.full((4, 4), part, dtype=kind)))


GREY = np.arange(16.0).reshape(4, 4)


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        ({"image": "none.png"}, "working_electrode.contact.image = '.*none.png' is not allowed: there is no such file"),
        ({"image": "some.gif"}, "allowed are .png, .npy and .tif"),
        ({"image": "broken.png"}, "it cannot be read"),
        ({"image": "colour.png"}, "it has colours"),
        ({"image": "cube.npy"}, "it has 2 x 3 x 4, and an image of a face has two directions"),
        ({"image": "nan.npy"}, "values that are not finite"),
        ({"image": "data:image/png;base64,xx"}, "its text is damaged"),
        ({"image": GREY}, "contact.threshold is missing: the image has 16 values from 0 to 15"),
        ({"image": SQUARE, "pixel": "3 um"}, "16 pixels of an image .* along x are 4.8e-05 m, .* face is 5e-05 m"),
        ({"image": SQUARE, "pixel": "3.125 um", "repeat": 2}, "width of one part of the face is 2.5e-05 m"),
        ({"image": SQUARE, "fraction": 0.2}, "contact.fraction = 0.2 .*shape 'mask' takes image, pixel"),
        ({}, "contact.image is missing: shape 'mask' needs image"),
    ],
)  # fmt: skip
def test_masks_that_are_wrong_are_refused_in_a_sentence(tmp_path: Path, contact: dict[str, Any], said: str) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (4, 4, 3), dtype=np.uint8)).save(tmp_path / "colour.png")
    np.save(tmp_path / "cube.npy", np.zeros((2, 3, 4)))
    np.save(tmp_path / "nan.npy", np.full((4, 4), np.nan))
    image = contact.get("image")
    if isinstance(image, str) and not image.startswith("data:"):
        contact = {**contact, "image": str(tmp_path / image)}
    with pytest.raises(InputError) as raised:
        outline_cells.cell({"shape": "mask", **contact})
    assert re.search(said, str(raised.value))
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("backend", [Network(), FiniteElements()])
def test_other_numbers_of_cells_have_shares_of_pixels_and_bound_nothing(backend: Any) -> None:
    problem = Problem.of(random_mask(22))
    whole, cut = backend.uniform(problem, 44), backend.uniform(problem, 25)
    assert (whole.fits, cut.fits) == (True, False)
    assert cut.contact_area == pytest.approx(problem.contact_area, rel=1e-12)


@pytest.mark.parametrize(("threshold", "which"), [(99.0, "pore"), (-1.0, "metal")])
def test_a_threshold_that_sees_nothing_of_the_pattern_is_refused(threshold: float, which: str) -> None:
    contact = {"shape": "mask", "image": np.array([[0.0, 1.0], [2.0, 3.0]]), "threshold": threshold}
    with pytest.raises(fc.InputError, match=f"threshold = .* is not allowed.*all of it would be {which}"):
        outline_cells.cell(contact)
