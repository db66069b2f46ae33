"""Bodies of every sort in one table, and Voronoi grains with plane faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from fem_constriction.geometry.grains import voronoi
from fem_constriction.grids.mesh_twin import twin_grid
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.capabilities import gap, kind_of
from validation.benchmarks import plane_grains
from validation.benchmarks.bodies import bodies, row, table

pytestmark = pytest.mark.filterwarnings("ignore::fem_constriction.errors.PicturedWarning")


def test_bodies_are_of_every_sort_and_both_backends_take_them(tmp_path: Path) -> None:
    found = bodies(tmp_path)
    assert {kind_of(cell).name for cell in found.values()} == {"image", "mesh"}
    kinds = {each.kind for cell in found.values() if (s := cell.electrolyte.microstructure) for each in s.phases}
    assert kinds == {"hole", "inclusion", "electrode"}
    for cell in found.values():
        assert gap("crosscheck", cell, [backend_named(name) for name in ("network", "fem")]) is None


def test_a_row_states_what_a_cross_check_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bricks of 2 um in 4^3 voxels, known to anything: no grid is refined for it."""
    monkeypatch.setattr("validation.benchmarks.bodies.USUAL", 0.5)
    monkeypatch.setattr("validation.gate.result.GEOMETRIC", 0.5)
    cell = bodies(tmp_path)["bricks"].vary({"geometry": {"width": "4 um", "thickness": "4 um"}})
    found = row("bricks", cell)
    assert found["verdict"] == "agree"
    low, high = found["enclosure_ohm"]
    assert low <= found["R_Cstr_ohm"] <= high
    assert found["difference"] < found["radius"]
    assert table([found]).splitlines()[2].startswith("| bricks | agree (0.5) |")
    assert "not stated" in table([{**found, "R_Cstr_ohm": None}])


def test_cells_of_seeds_fill_the_cube_with_what_is_nearest() -> None:
    seeds = np.random.default_rng(3).random((6, 3))
    points, cells = plane_grains.polyhedra(seeds)
    volumes = [ConvexHull(points[sorted({v for face in faces for v in face})]).volume for faces in cells]
    assert sum(volumes) == pytest.approx(1, rel=1e-9)
    counted = np.bincount(voronoi((20, 20, 20), 6, 3).ravel(), minlength=6) / 20**3  # the same draw, axes z, x, y
    zxy = np.random.default_rng(3).random((6, 3))
    own, _ = plane_grains.polyhedra(zxy[:, [1, 2, 0]])
    assert own.shape[1] == 3
    assert np.sort(volumes) == pytest.approx(np.sort(counted), abs=0.02)


def test_smooth_boundaries_of_voxels_hinder_more_than_plane_ones_and_come_closer(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gmsh", exc_type=ImportError)
    monkeypatch.setattr(plane_grains, "GRAINS", 4)
    found = plane_grains.measured((4, 8), size=0.5)
    plane, u = found["plane"]
    assert found["bulk"] < plane
    coarse, fine = ((value - plane, spread + u) for value, spread in found["smooth"])
    assert 0 < fine[0] < coarse[0]  # a staircase lies in the way
    assert abs(fine[0]) < 0.1 * plane
    assert found["voxels"][1][0] < found["smooth"][1][0]  # more boundary conducts more


def test_twins_take_the_memory_of_images(tmp_path: Path) -> None:
    problem = Problem.of(bodies(tmp_path)["mesh and its twin"])
    grid = twin_grid(problem, 0)
    assert grid.doubles == Problem.of(grid.twin.cell).body.doubles < problem.body.doubles
