"""`show` of a stack: what its face is like, what grids begin with, and a picture of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import outline_cells
import pytest
from masks import masked, random_mask
from PIL import Image

Run = Callable[..., tuple[int, str, str]]

TWO = np.zeros((10, 10), dtype=bool)
TWO[2:4, 2:4] = TWO[6:8, 2:4] = True


@pytest.mark.parametrize(
    ("contact", "pieces", "gap"),
    [
        (masked(TWO), 2, 10e-6),
        ({"shape": "square", "fraction": 0.25}, 1, None),
        ({"shape": "square", "fraction": 0.25, "repeat": [2, 1]}, 2, 25e-6 - np.sqrt(0.25 * 25 * 50) * 1e-6),
        ({"shape": "disc", "fraction": 0.0}, 0, None),
    ],
)
def test_pieces_gaps_and_grids_are_told(
    contact: dict[str, object], pieces: int, gap: float | None, run: Run, tmp_path: Path
) -> None:
    cell = outline_cells.cell(contact)
    cell.save(tmp_path / "cell.toml")
    status, out, _ = run("show", tmp_path / "cell.toml", "--json")
    face = json.loads(out)["face"]
    assert status == 0
    assert face["fraction"] == pytest.approx(cell.contact_fraction)
    assert face["pieces"] == pieces
    assert face["smallest_gap_m"] == (None if gap is None else pytest.approx(gap, rel=1e-9))
    assert {each["backend"] for each in face["grids"]} == {"network", "fem"}


def test_the_picture_has_the_metal_of_the_face(run: Run, tmp_path: Path) -> None:
    random_mask(22).save(tmp_path / "cell.toml")
    status, out, _ = run("show", tmp_path / "cell.toml", "--out", tmp_path)
    assert status == 0
    assert "cell.png" in out
    with Image.open(tmp_path / "cell.png") as picture:
        colours = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    metal = np.all(colours == (0x4D, 0x4D, 0x4D), axis=1).sum()
    pore = np.all(colours == (0xF4, 0xF1, 0xE8), axis=1).sum()
    assert 0.2 < metal / (metal + pore) < 0.5  # 0.3 of the face, and the metal above the section


def test_depths_of_pores_are_told_and_drawn(run: Run, tmp_path: Path) -> None:
    """5 and 20 nm on equal parts of the pores are 8 nm together, the harmonic mean."""
    depth = {"image": np.array([[5.0], [20.0]]), "unit": "nm"}
    cell = outline_cells.cell({"shape": "square", "fraction": 0.25})
    cell.vary({"working_electrode.pore": {"depth": depth, "relative_permittivity": 10}}).save(tmp_path / "cell.toml")
    status, out, _ = run("show", tmp_path / "cell.toml", "--json")
    assert status == 0
    assert json.loads(out)["face"]["pore_depth_m"] == pytest.approx({"mean": 8e-9, "least": 5e-9, "most": 20e-9})
    status, out, _ = run("show", tmp_path / "cell.toml", "--out", tmp_path)
    assert status == 0
    assert "8.000 nm, from 5.000 nm to 20.000 nm" in out
    with Image.open(tmp_path / "cell.png") as picture:
        colours = {tuple(each) for each in np.asarray(picture.convert("RGB")).reshape(-1, 3)[::7].tolist()}
    shallow, deep = ((255, 255, 229), (102, 37, 6))  # ends of the scale
    assert shallow in colours
    assert deep in colours
