"""Sizes of label images are compared with memory before anything is made, and foreseen as large as they turn out to be."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from images import BOUNDARY, image_cell

import fem_constriction as fc
from fem_constriction.cell.image_check import contact_voxels
from fem_constriction.cell.microstructure import DOUBLES_PER_VOXEL
from fem_constriction.errors import InputError, MemoryShort
from fem_constriction.geometry.grains import BYTES_PER_PATCH, BYTES_PER_SEED, voronoi
from fem_constriction.grids.image_grid import image_grid
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from network.image.image_network import image_assembly, image_voxels

BAND = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)


@contextmanager
def allocating_at_most(bytes_: float) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < bytes_
    finally:
        tracemalloc.stop()


def cell_of(voxel: float | str, fraction: float = 1.0, **structure: Any) -> fc.Cell:
    described: dict[str, Any] = {
        "geometry": {"width": "50 um", "thickness": "50 um"},
        "electrolyte": {"conductivity": 0.046, "microstructure": {"voxel": voxel, **structure}},
        "working_electrode": {"contact": {"shape": "square", "fraction": fraction}},
    }
    return fc.Cell(**described)


@pytest.mark.parametrize("voxel", ["0.5 nm", "1 pm", "0.1 pm", "1e-19 m"])
@pytest.mark.parametrize("fraction", [0.25, 1.0])
def test_a_fine_voxel_is_refused_by_its_count_before_anything_is_made(voxel: str, fraction: float) -> None:
    fc.resistance(cell_of("12.5 um", generator="voronoi", grains=1))  # imports are none of its memory
    with allocating_at_most(1e6):
        cell = cell_of(voxel, fraction, generator="voronoi", grains=100)
        with pytest.raises(MemoryShort, match=r"voxels would need about .* GiB .* allowed is larger voxels"):
            fc.solve(cell, [1.0])
        with pytest.raises(MemoryShort):
            fc.resistance(cell)


def test_showing_a_cell_makes_nothing_of_its_image(tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    cell_of("0.1 pm", generator="voronoi", grains=100).save(tmp_path / "cell.toml")
    cell_of("25 um", generator="voronoi", grains=1).save(tmp_path / "small.toml")
    run("show", tmp_path / "small.toml")  # imports are none of its memory
    with allocating_at_most(5e7):  # of 1e26 voxels; the rest is the terminal's
        status, out, err = run("show", tmp_path / "cell.toml")
    assert status == 0
    assert "voxel = 1e-13 m is unusual" in err
    assert "voxel" in out


def test_the_nearest_fractions_are_those_of_a_search_over_all_squares() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        nx = int(random.integers(1, 12))
        ny, fraction = nx + 2 * int(random.integers(0, 3)), float(random.uniform(0.001, 0.999))
        all_squares = np.array([n**2 / (nx * ny) for n in range(nx % 2, min(nx, ny) + 1, 2)])
        nearest = np.sort(all_squares[np.argsort(np.abs(all_squares - fraction), kind="stable")[:2]])
        try:
            image_cell((2, nx, ny), fraction, {"generator": "voronoi", "grains": 1})
        except InputError as error:
            if "does not fit a face" not in str(error):
                assert str(error).split("nearest are ")[1] == " and ".join(f"{each:.12g}" for each in nearest)
    with pytest.raises(InputError, match="nearest are 0.29999999"), allocating_at_most(1e6):
        cell_of("0.1 pm", 0.3, generator="voronoi", grains=100)
    assert contact_voxels(cell_of("0.1 pm", 0.25, generator="voronoi", grains=1))[0].stop == 375_000_000


def test_more_grains_than_voxels_are_refused_and_more_than_fit_as_well() -> None:
    with pytest.raises(InputError, match=r"grains = 300000000 is not allowed on 50 x 50 x 50 voxels: .* 125000"):
        cell_of("1 um", generator="voronoi", grains=300_000_000)
    cell_of("1 um", generator="voronoi", grains=125_000)  # one each
    with pytest.raises(MemoryShort, match=r"1e\+13 grains on .* fewer grains"), allocating_at_most(1e6):
        voronoi((100, 100, 100), 10**13)


@pytest.mark.parametrize("size", ["1 pm", "0.4 um", "1.5 um"])
def test_bricks_of_a_broken_number_of_voxels_are_refused_by_the_cell(size: str) -> None:
    with pytest.raises(InputError, match=r"grain_size = .* voxels, and a whole number is allowed"):
        cell_of("1 um", generator="cubic", grain_size=size)


@pytest.mark.parametrize("voxel", ["1 um", "50 pm"])
def test_the_shape_of_a_raw_volume_is_compared_before_it_is_read(voxel: str, tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(bytes(1000))
    raw = {"image": str(tmp_path / "a.raw"), "shape": [1_000_000] * 3, "dtype": "uint64"}
    with pytest.raises(InputError, match=r"1000000 x 1000000 x 1000000"), allocating_at_most(1e6):
        fc.resistance(cell_of(voxel, **raw))


def test_a_voxel_that_no_number_counts_is_refused() -> None:
    with pytest.raises(InputError, match=r"voxel = 1e-320 m is not allowed .* a whole number is allowed"):
        cell_of(1e-320, generator="voronoi", grains=1)


def test_memory_is_foreseen_as_it_is_used() -> None:
    size = 48  # below, the slabs that the stencil works on weigh as much as the vectors
    structure = {"generator": "voronoi", "grains": 30, "seed": 1, "boundary": BOUNDARY}
    cell = image_cell((size, size, size), 0.25, structure)
    tracemalloc.start()
    labels = voronoi((size, size, size), 30, 1)
    model = reduce(image_assembly(image_voxels(cell, labels, image_grid(cell)), {}), admittances(cell), BAND)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert model.statistics["precision"] == "float32"
    assert 0.5 < peak / (8 * DOUBLES_PER_VOXEL * labels.size) < 1


def test_memory_of_grains_is_foreseen_as_it_is_used() -> None:
    tracemalloc.start()
    voronoi((1, 100, 100), 20_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BYTES_PER_SEED * 20_000 + BYTES_PER_PATCH * 10_000 + 4 * 10_000
