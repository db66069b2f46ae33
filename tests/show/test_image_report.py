"""What `show` says of a label image, and its picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from images import BOUNDARY, image_cell

from fem_constriction.grids.image_facts import facts_of


@pytest.fixture
def labels() -> np.ndarray:
    """Two grains, a rod of label 5 through the cell, two voids, and metal on half of the working electrode."""
    found = np.ones((8, 6, 6), dtype=np.int32)
    found[:, 3:] = 2
    found[:, 0, 0] = 5
    found[3, 1:3, 3] = found[5, 5, 5] = 7
    found[:2, :3] = np.where(found[:2, :3] == 5, 5, 9)
    return found


PHASES = [
    {"label": 5, "kind": "inclusion", "conductivity": 1},
    {"label": 7, "kind": "hole"},
    {"label": 9, "kind": "electrode", "tied_to": "working"},
]


def test_facts_are_counted(labels: np.ndarray) -> None:
    facts, found = facts_of(image_cell(labels.shape, 4 / 9, {"image": labels, "phases": PHASES, "boundary": BOUNDARY}))
    assert np.array_equal(found, labels)
    told = {each.name: (round(each.fraction * labels.size), each.pieces, each.percolates) for each in facts.phases}
    metal = 2 * (18 - 1)
    assert told == {
        "grains": (labels.size - 8 - 3 - metal, 1, True),  # label 2 reaches from face to face
        "inclusion 5": (8, 1, True),
        "hole 7": (3, 2, False),
        "electrode 9": (metal, 1, False),
    }
    assert facts.grains == 2
    assert facts.path
    # One plane between the grains, below the metal, a void beside it at one place.
    assert facts.faces == pytest.approx((6 * 6 - 1) * 1e-12, rel=1e-12)
    assert facts.smooth == pytest.approx(facts.faces, rel=0.06)  # beside voids and metal fewer voxels say where the plane is


def test_what_is_closed_is_said(labels: np.ndarray) -> None:
    labels[4] = 7
    facts, _ = facts_of(image_cell(labels.shape, 1, {"image": labels, "phases": PHASES}))
    assert not facts.path
    assert not any(each.percolates for each in facts.phases)


def test_show_has_the_image_and_draws_it(labels: np.ndarray, tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    cell = image_cell(labels.shape, 4 / 9, {"image": labels, "phases": PHASES, "boundary": BOUNDARY})
    cell.save(tmp_path / "cell.toml")
    status, out, _ = run("show", tmp_path / "cell.toml", "--out", tmp_path / "pictures")
    assert status == 0
    for said in ("8 x 6 x 6", "inclusion 5", "from face to face", "path between the electrodes"):
        assert said in out
    picture = matplotlib.image.imread(tmp_path / "pictures" / "sections.png")
    assert picture.shape[1] > 1.5 * picture.shape[0] > 500
    metal, rod = (np.array([int(code[k : k + 2], 16) for k in (1, 3, 5)]) / 255 for code in ("#4d4d4d", "#d55e00"))
    rod = metal if not (labels[:, 3, :] == 5).any() else rod  # in none of the middle sections
    for colour in (metal, rod):
        assert (np.abs(picture[..., :3] - colour).max(-1) < 0.02).mean() > 1e-3
    status, out, _ = run("show", tmp_path / "cell.toml", "--json")
    assert json.loads(out)["image"]["grains"] == 2
    cell.vary({"electrolyte.microstructure": None}).save(tmp_path / "plain.toml")
    status, _, _ = run("show", tmp_path / "plain.toml", "--out", tmp_path / "plain")
    assert status == 0
    assert not (tmp_path / "plain" / "sections.png").exists()  # a stack is drawn as its face
    assert (tmp_path / "plain" / "cell.png").exists()
