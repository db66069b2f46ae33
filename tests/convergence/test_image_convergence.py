"""Convergence of label images: the same voxels cut finer, and the same grains drawn again, are two different questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from images import BOUNDARY, image_cell

import fem_constriction as fc
from fem_constriction.errors import InputError
from validation.convergence import converge
from validation.convergence.families import redrawn

pytestmark = pytest.mark.filterwarnings("ignore::fem_constriction.errors.ResolutionWarning", "ignore::UserWarning")


def brick_cell(voxel: str = "1 um", **sections: object) -> fc.Cell:
    """Bricks of 2 um in 4 um of electrolyte, under a contact on a quarter of the face."""
    structure = {"generator": "cubic", "grain_size": "2 um", "voxel": voxel, "boundary": BOUNDARY}
    return image_cell((4, 4, 4), 0.25, structure, **sections)


def test_voxels_cut_finer_have_the_order_that_is_expected_of_them() -> None:
    found = converge(brick_cell(), backends=["network", "fem"], levels=3, quantities=["R_DC"], frequencies=[1e3])
    assert {each.solved.grids for each in found.series} == {"subdivision"}
    assert found.passed, found.failures
    for each in found.series:
        assert each.solved.cells == ((4, 4, 4), (8, 8, 8), (16, 16, 16))
        assert 1 < each.observed < 2.2
        assert (each.expected.order, each.expected.case) == (1.5, "cut finer")
    network, fem = (each.value.real for each in found.series)
    assert np.all(np.diff(network) < 0)  # from above
    assert np.all(np.diff(fem) > 0)  # from below


def test_layers_drawn_again_are_the_same_body() -> None:
    """Bricks of layers under full contact are their circuit, however fine they are drawn."""
    structure = {"generator": "cubic", "grain_size": "2 um", "boundary": BOUNDARY}
    cell = image_cell((4, 4, 4), 1.0, structure)
    found = converge(cell, backends=["network"], grids=["image"], levels=3, quantities=["R_DC"], frequencies=[1e3])
    exact = 4e-6 / (0.046 * cell.area) + 10e-9 / (5.97e-4 * cell.area) + 1e-4 / cell.area
    (only,) = found.series
    assert only.value.real == pytest.approx(np.full(3, exact), rel=1e-8)
    assert any("another image of the same grains" in note for note in found.notes)


def test_a_phase_of_high_contrast_lowers_what_is_expected() -> None:
    labels = np.ones((4, 4, 4), dtype=int)
    labels[1:3, 1:3, 1:3] = 7
    inclusions = [{"label": 7, "conductivity": "46 mS/cm"}]
    cell = image_cell(labels.shape, 1.0, {"image": labels, "inclusions": inclusions})
    found = converge(cell, backends=["network"], levels=3, quantities=["R_DC"], frequencies=[1e3])
    assert found.series[0].expected.least == pytest.approx(8 / np.pi * np.arctan(0.1), rel=1e-6)


def test_an_image_from_a_file_cannot_be_drawn_again() -> None:
    labels = np.ones((2, 2, 2), dtype=int)
    cell = image_cell(labels.shape, 1.0, {"image": labels})
    with pytest.raises(InputError, match="only a generated image"):
        redrawn(cell, 1)
    finer = redrawn(brick_cell(), 1)
    assert finer.electrolyte.microstructure.edges == pytest.approx((5e-7,) * 3)


def test_the_command_takes_both(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    brick_cell().save(tmp_path / "cell.toml")
    few = ("--levels", "3", "--quantity", "R_DC", "--frequencies", "1e3:1e4:2", "--backend", "network", "--json")
    status, out, err = run("converge", tmp_path / "cell.toml", "--by", "image", *few, "--out", tmp_path / "i")
    assert status in (0, 1), err
    assert [each["grids"] for each in json.loads(out)["families"]] == ["image"]
    status, _, err = run("converge", tmp_path / "cell.toml", "--grids", "graded", *few, "--out", tmp_path / "g")
    assert status == 2
    assert "electrolyte.microstructure is not allowed for `converge --grids graded`" in err
    fc.Cell.load(tmp_path / "cell.toml").vary({"electrolyte.microstructure": None}).save(tmp_path / "stack.toml")
    status, _, err = run("converge", tmp_path / "stack.toml", "--by", "subdivision", *few, "--out", tmp_path / "s")
    assert status == 2
    assert "a stack has no voxels of its own" in err
