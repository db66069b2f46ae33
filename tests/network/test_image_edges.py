"""Where phases of strong contrast meet across edges the voxels are far from the continuum, and they say so, nowhere else."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from images import BOUNDARY, image_cell
from scipy import ndimage

import fem_constriction as fc
from fem_constriction.errors import PicturedWarning, ResolutionWarning
from fem_constriction.geometry.grains import voronoi
from fem_constriction.grids.image_grid import image_grid
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from network.image.edges import CONTRAST, worst_edges
from network.image.image_network import image_assembly, image_voxels

KAPPA = 0.046  # of the grains of `image_cell`, S/m


def chessboard(size: int) -> np.ndarray:
    """Four fields in the plane of z and x, uniform along y."""
    fields = np.add.outer(np.arange(size) // (size // 2), np.arange(size) // (size // 2)) % 2
    return np.repeat(9 * fields[:, :, None], 2, axis=2)


def resistance(labels: np.ndarray, conductivity: float, **options: Any) -> float:
    structure = {"image": "image.npy", "inclusions": [{"label": 9, "conductivity": conductivity, **options}]}
    cell = image_cell(labels.shape, 1.0, structure, electrode={})
    assembly = image_assembly(image_voxels(cell, labels, image_grid(cell)), {})
    return reduce(assembly, admittances(cell), None).resistance()


def silent(labels: np.ndarray, conductivity: float, **options: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resistance(labels, conductivity, **options)
    return True


@pytest.mark.parametrize(("contrast", "of_error"), [(5, (2, 5)), (10, (1, 3)), (30, (0.8, 1.5)), (100, (0.6, 1.1))])
@pytest.mark.parametrize("size", [8, 16, 32])
def test_a_chessboard_says_how_far_it_is_from_its_exact_resistance(
    size: int, contrast: float, of_error: tuple[float, float]
) -> None:
    with pytest.warns(ResolutionWarning) as caught:
        found = resistance(chessboard(size), KAPPA / contrast)
    exact = size / (2 * size * 1e-6 * KAPPA / contrast**0.5)  # L/(A sqrt(k1 k2)), in voxels of 1 um
    said = str(caught[0].message)
    share = float(re.search(r"take (\d+)% of Z at direct current", said)[1]) / 100
    assert f"at 2 edges of voxels, with a contrast of up to {contrast} " in said
    assert "no uncertainty is stated" in said
    assert of_error[0] < share / (1 - exact / found) < of_error[1]  # edges.py states it; voxels know no better


def test_the_exponent_at_the_limit_is_that_of_a_re_entrant_corner() -> None:
    assert 4 / np.pi * np.arctan(CONTRAST**-0.5) == pytest.approx(2 / 3, rel=1e-14)


@pytest.mark.parametrize("contrast", [1.0, 2.0, 3.0])
def test_a_mild_chessboard_is_no_matter(contrast: float) -> None:
    assert silent(chessboard(8), KAPPA / contrast)
    assert silent(chessboard(8), KAPPA * contrast)


@pytest.mark.parametrize("conductivity", [1e-6 * KAPPA, 1e6 * KAPPA, 0.0])
def test_phases_that_meet_in_faces_are_no_matter_however_they_differ(conductivity: float) -> None:
    labels = np.zeros((8, 8, 8), dtype=int)
    labels[2:5, 1:6, 3:7] = labels[5:7, 1:3, 3:5] = 9  # blocks with re-entrant corners
    assert silent(labels, conductivity)


def test_grains_and_their_boundaries_are_no_matter() -> None:
    structure = {"generator": "voronoi", "grains": 40, "boundary": {**BOUNDARY, "conductivity": 1e-9}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", PicturedWarning)  # of their area, which is another matter
        fc.resistance(image_cell((8, 8, 8), 0.25, structure))


def test_holes_that_meet_in_edges_part_the_conductors_in_the_continuum_too() -> None:
    labels = np.zeros((8, 8, 8), dtype=int)
    labels[2:4, 2:4] = labels[4:6, 4:6] = 9
    assert silent(labels, 0.0)


def test_one_edge_that_hardly_any_current_sees_is_no_matter() -> None:
    labels = np.zeros((12, 12, 12), dtype=int)
    labels[5, 5, 5] = labels[6, 6, 5] = 9
    assert silent(labels, KAPPA / 100)


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2)])
def test_edges_are_counted_in_every_direction(axes: tuple[int, int, int]) -> None:
    labels = np.zeros((6, 6, 6), dtype=int)
    labels[2, 2, 1:5] = labels[3, 3, 1:5] = 9
    labels = np.ascontiguousarray(labels.transpose(axes))
    structure = {"image": "image.npy", "inclusions": [{"label": 9, "conductivity": 100 * KAPPA}]}
    cell = image_cell(labels.shape, 1.0, structure)
    voxels = image_voxels(cell, labels, image_grid(cell))
    y = {name: float(value(0.0)) for name, value in voxels.series(admittances(cell)).items()}
    found = worst_edges(voxels, y, np.linspace(1, 0, 6)[:, None, None] * np.ones((6, 6, 6)), 0.0)
    assert found is not None
    assert found.count == 4
    assert found.contrast == pytest.approx(100, rel=1e-12)


def test_all_three_of_several_phases_are_seen() -> None:
    labels = chessboard(8)
    labels[:4, 4:] = np.where(labels[:4, 4:] == 9, 5, labels[:4, 4:])  # two bad conductors, unlike each other
    inclusions = [{"label": 9, "conductivity": KAPPA / 50}, {"label": 5, "conductivity": KAPPA / 20}]
    cell = image_cell(labels.shape, 1.0, {"image": "image.npy", "inclusions": inclusions}, electrode={})
    assembly = image_assembly(image_voxels(cell, labels, image_grid(cell)), {})
    with pytest.warns(ResolutionWarning, match="contrast of up to 20 "):  # of the worse of the good, the better of the bad
        reduce(assembly, admittances(cell), None)


def test_contrast_of_permittivity_is_found_at_the_frequency_where_it_shows(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    labels = chessboard(8)
    np.save(tmp_path / "image.npy", labels)
    inclusion = {"label": 9, "conductivity": KAPPA, "relative_permittivity": 15_000}  # the grains have 150
    structure = {"image": str(tmp_path / "image.npy"), "inclusions": [inclusion]}
    cell = image_cell(labels.shape, 1.0, structure, electrode={})
    with pytest.warns(ResolutionWarning, match=r"contrast of up to \d\d.* of Z at 1e\+11 Hz"):
        fc.solve(cell, [1.0, 1e11])
    assert fc.resistance(cell) > 0  # both conduct alike
    cell.save(tmp_path / "cell.toml")
    command = ("spectrum", tmp_path / "cell.toml", "--backend", "network", "--frequencies", "1:1e11:4")
    status, _, err = run(*command, "--out", tmp_path / "z.csv")
    assert status == 0
    assert "like the fields of a chessboard" in " ".join(err.split())


def test_blobs_are_flagged_where_they_touch_and_matter() -> None:
    field = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((12, 12, 12)), 1.0, mode="reflect")
    with pytest.warns(ResolutionWarning, match="contrast of up to 1e"):
        resistance(9 * (field > np.median(field)), KAPPA / 1000)
    assert silent(voronoi((12, 12, 12), 2, 0) * 9, KAPPA / 1000)  # one smooth interface, in steps
