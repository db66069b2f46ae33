"""Label images come from files or generators, fit their cell, and are refused in one sentence where they do not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from images import BOUNDARY, image_cell

import fem_constriction as fc
from fem_constriction.cell.image_check import contact_voxels
from fem_constriction.errors import InputError
from fem_constriction.geometry.grains import voronoi
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.of_cell import admittances
from fem_constriction.processes.series_links import LinkKinds
from fem_constriction.solving.backends import backend_named

SHAPE = (5, 6, 8)
TEXT = """
title = "From an image"

[geometry]
width = ["6 um", "8 um"]
thickness = "5 um"

[electrolyte]
conductivity = "0.46 mS/cm"

[electrolyte.microstructure]
image = "images/grains.npy"
voxel = "1 um"

[electrolyte.microstructure.boundary]
thickness = "10 nm"
conductivity = "5.97 uS/cm"

[[electrolyte.microstructure.inclusions]]
label = 77
conductivity = 0

[working_electrode.contact]
shape = "square"
fraction = 0.3333333333333333
"""


@pytest.fixture
def labels() -> np.ndarray:
    found = voronoi(SHAPE, 9, 2).astype(np.int16)
    found[2, 3, 4] = 77
    return found


def cell_of(**microstructure: object) -> fc.Cell:
    return image_cell(SHAPE, 1 / 3, microstructure)


def write_npy(path: Path, labels: np.ndarray) -> dict[str, object]:
    np.save(path.with_suffix(".npy"), labels)
    return {"image": str(path.with_suffix(".npy"))}


def write_tiff(path: Path, labels: np.ndarray) -> dict[str, object]:
    tifffile.imwrite(path.with_suffix(".tif"), labels)
    return {"image": str(path.with_suffix(".tif"))}


def write_raw(path: Path, labels: np.ndarray) -> dict[str, object]:
    labels.astype("<i2").tofile(path.with_suffix(".raw"))
    return {"image": str(path.with_suffix(".raw")), "shape": list(labels.shape), "dtype": "int16"}


@pytest.mark.parametrize("write", [write_npy, write_tiff, write_raw])
def test_what_is_written_is_read_in_the_same_order(write: Callable[..., dict], tmp_path: Path, labels: np.ndarray) -> None:
    cell = cell_of(**write(tmp_path / "grains", labels))
    found, made = labels_of(cell)
    assert np.array_equal(found, labels)
    assert made["sha256"] == hashlib.sha256(Path(made["image"]).read_bytes()).hexdigest()
    assert fc.Cell.loads(cell.dumps()) == cell
    assert hash(fc.Cell.loads(cell.dumps())) == hash(cell)


@pytest.mark.parametrize("write", [write_npy, write_tiff, write_raw])
def test_another_shape_is_refused_with_both(write: Callable[..., dict], tmp_path: Path, labels: np.ndarray) -> None:
    cell = cell_of(**write(tmp_path / "grains", labels.transpose(1, 0, 2)))
    with pytest.raises(InputError, match=r"has 6 x 5 x 8 voxels \(z, x, y\), and geometry .* makes 5 x 6 x 8"):
        labels_of(cell)


def test_labels_are_whole_numbers_on_three_axes(tmp_path: Path, labels: np.ndarray) -> None:
    broken = labels.astype(float)
    broken[1, 2, 3] = 2.5
    with pytest.raises(InputError, match=r"holds float64 that are no whole numbers, 2.5 at \(1, 2, 3\) for instance"):
        labels_of(cell_of(**write_npy(tmp_path / "a", broken)))
    with pytest.raises(InputError, match=r"holds complex128 of shape \(5, 6, 8\), allowed are whole numbers"):
        labels_of(cell_of(**write_npy(tmp_path / "a", labels.astype(complex))))
    with pytest.raises(InputError, match=r"shape \(6, 8\), allowed are whole numbers with three axes"):
        labels_of(cell_of(**write_npy(tmp_path / "b", labels[0])))


def test_files_that_cannot_be_read_are_named(tmp_path: Path, labels: np.ndarray) -> None:
    with pytest.raises(InputError, match="nowhere.npy' is not allowed: there is no such file"):
        labels_of(cell_of(image=str(tmp_path / "nowhere.npy")))
    (tmp_path / "broken.npy").write_text("not an image")
    with pytest.raises(InputError, match="broken.npy' is not allowed: it cannot be read"):
        labels_of(cell_of(image=str(tmp_path / "broken.npy")))
    raw = write_raw(tmp_path / "short", labels[:, :, :-1])
    with pytest.raises(InputError, match=r"it has 420 bytes, and shape = \[5, 6, 8\] with dtype = 'int16' makes 480"):
        labels_of(cell_of(**raw | {"shape": list(SHAPE)}))


def test_without_tifffile_it_says_what_is_missing(tmp_path: Path, labels: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = cell_of(**write_tiff(tmp_path / "grains", labels))
    monkeypatch.setattr("fem_constriction.sources.tiff.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"TIFF takes tifffile, .* pip install \"fem-constriction\[images\]\""):
        labels_of(cell)


def test_another_image_than_the_one_meant_is_refused(tmp_path: Path, labels: np.ndarray) -> None:
    image = write_npy(tmp_path / "grains", labels)
    digest = hashlib.sha256(Path(str(image["image"])).read_bytes()).hexdigest()
    labels_of(cell_of(**image, sha256=digest))
    write_npy(tmp_path / "grains", labels + 1)
    with pytest.raises(InputError, match="it is another image"):
        labels_of(cell_of(**image, sha256=digest))


def test_an_inclusion_stands_in_the_image(tmp_path: Path, labels: np.ndarray) -> None:
    image = write_npy(tmp_path / "grains", labels)
    labels_of(cell_of(**image, inclusions=[{"label": 77, "conductivity": 0}]))
    inclusions = [{"label": 77, "conductivity": 0}, {"label": 78, "conductivity": 0}]
    with pytest.raises(InputError, match="inclusions.1.label = 78 is not allowed: no voxel of"):
        labels_of(cell_of(**image, inclusions=inclusions))


def test_a_list_of_inclusions_is_varied_as_a_whole(
    tmp_path: Path, labels: np.ndarray, run: Callable[..., tuple[int, str, str]]
) -> None:
    cell = cell_of(**write_npy(tmp_path / "grains", labels), inclusions=[{"label": 77, "conductivity": 0}])
    one = cell.vary({"electrolyte.microstructure.inclusions.conductivity": 2})  # of a list of one
    assert one.electrolyte.microstructure.inclusions[0].conductivity == 2
    two = [{"label": 77, "conductivity": 0}, {"label": 0, "conductivity": 1}]
    with pytest.raises(InputError, match="inclusions.label = 3 is not allowed: inclusions is a list, give all of it"):
        cell.vary({"electrolyte.microstructure.inclusions": two}).vary({"electrolyte.microstructure.inclusions.label": 3})
    other = cell.vary({"electrolyte.microstructure.inclusions": [{"label": 3, "conductivity": "1 S/m"}]})
    assert other.electrolyte.microstructure.inclusions[0].conductivity == 1
    cell.save(tmp_path / "cell.toml")
    status, out, _ = run("show", tmp_path / "cell.toml")
    assert status == 0
    assert "inclusions.0.label" in out


def test_a_relative_path_is_seen_from_the_cell_file(
    tmp_path: Path, labels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images" / "grains.npy", labels)
    (tmp_path / "cell.toml").write_text(TEXT)
    monkeypatch.chdir(tmp_path / "images")
    cell = fc.Cell.load(Path("..") / "cell.toml")
    assert np.array_equal(labels_of(cell)[0], labels)
    cell.save(tmp_path / "images" / "elsewhere" / "saved.toml")
    again = fc.Cell.load(tmp_path / "images" / "elsewhere" / "saved.toml")
    assert again == cell
    assert np.array_equal(labels_of(again)[0], labels)


REFUSED = {
    "generator is given together with image": {"image": "a.npy", "generator": "voronoi", "grains": 3},
    "generator is missing, and image too": {},
    "grains is missing: the generator 'voronoi' needs grains": {"generator": "voronoi"},
    "grain_size is missing: the generator 'cubic' needs grain_size": {"generator": "cubic"},
    "grains = 3 is not allowed: the generator 'cubic' takes grain_size": {
        "generator": "cubic",
        "grain_size": "2 um",
        "grains": 3,
    },
    "seed = 1 is not allowed: the image 'a.npy' takes coarsen and crop and sha256": {"image": "a.npy", "seed": 1},
    "dtype is missing: the image 'a.bin' needs dtype and shape": {"image": "a.bin", "shape": [5, 6, 8]},
    "shape = (5, 6, 8) is not allowed: the image 'a.tif' takes coarsen and crop and sha256": {
        "image": "a.tif",
        "shape": [5, 6, 8],
    },
    "label 4 stands there 2 times": {"image": "a.npy", "inclusions": [{"label": 4, "conductivity": 1}] * 2},
    "inclusions is not allowed: the generator 'voronoi' makes grains alone": {
        "generator": "voronoi",
        "grains": 2,
        "inclusions": [{"label": 4, "conductivity": 1}],
    },
    "grains = 0 is not allowed: a whole number from 1": {"generator": "voronoi", "grains": 0},
    "inclusions.0.conductivity = -1 is not allowed: a conductivity of at least 0": {
        "image": "a.npy",
        "inclusions": [{"label": 4, "conductivity": -1}],
    },
    "inclusions.0.label is missing: required is a whole number": {"image": "a.npy", "inclusions": [{"conductivity": 1}]},
    "inclusions.0.sigma": {"image": "a.npy", "inclusions": [{"label": 4, "conductivity": 1, "sigma": 1}]},
    "voxel = 3e-06 m is not allowed with geometry.thickness = 5e-06 m: that is 1.66667 voxels": {
        "image": "a.npy",
        "voxel": "3 um",
    },
    "voxel = 'wide' is not allowed": {"image": "a.npy", "voxel": "wide"},
    "boundary.thickness is missing": {"image": "a.npy", "boundary": {"conductivity": 1}},
}


@pytest.mark.parametrize("said", REFUSED)
def test_wrong_sections_are_refused_in_one_sentence(said: str) -> None:
    with pytest.raises(InputError) as refused:
        cell_of(**REFUSED[said])
    assert f"electrolyte.microstructure.{said}" in str(refused.value) or said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_grains_of_a_broken_number_of_voxels_are_refused() -> None:
    with pytest.raises(InputError, match="grain_size = 2.5e-06 m is not allowed with voxel = 1e-06 m: that is 2.5 voxels"):
        labels_of(cell_of(generator="cubic", grain_size="2.5 um"))


def test_planes_and_an_image_together_are_refused() -> None:
    cell = cell_of(generator="voronoi", grains=3)
    with pytest.raises(InputError, match="electrolyte.microstructure is not allowed together with grain_boundaries"):
        cell.vary({"electrolyte.grain_boundaries": {"layers": 5, **BOUNDARY}})


def test_contact_edges_lie_between_voxels_or_the_nearest_fractions_are_named() -> None:
    assert contact_voxels(cell_of(generator="voronoi", grains=3)) == (slice(1, 5), slice(2, 6))
    with pytest.raises(InputError, match=r"on 6 x 8 voxels: .* nearest are 0.0833333333333 and 0.333333333333"):
        image_cell(SHAPE, 0.25, {"generator": "voronoi", "grains": 3})
    with pytest.raises(InputError, match="0 or 1 alone, or an even difference"):
        image_cell((5, 6, 7), 0.25, {"generator": "voronoi", "grains": 3})
    assert contact_voxels(image_cell((5, 6, 7), 1.0, {"generator": "voronoi", "grains": 3})) == (slice(0, 6), slice(0, 7))


def test_an_image_has_the_grids_of_its_voxels_alone() -> None:
    cell = cell_of(generator="voronoi", grains=3)
    for backend in ("network", "fem"):
        with pytest.raises(InputError, match="resolution = 7 is not allowed .* has 5 x 6 x 8 voxels"):
            fc.solve(cell, [1.0], backend=backend, resolution=7)
        assert backend_named(backend).grid(cell, 1).shape == (12, 16, 10)  # every voxel cut into two along each edge


def test_the_command_line_solves_an_image_on_its_own_voxels(tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    cell = cell_of(generator="voronoi", grains=3, boundary=BOUNDARY)
    cell.save(tmp_path / "cell.toml")
    command = ("spectrum", tmp_path / "cell.toml", "--backend", "network", "--frequencies", "1:1e6:7", "--out")
    status, out, err = run(*command, tmp_path / "z.csv")
    assert status == 0
    assert err.startswith(
        "fem-constriction: warning: electrolyte.microstructure.boundary.area = 'voxels': faces of voxels have 1.46"
    )
    assert err.count("\n") == 1
    assert "not known" in out
    assert "image, 5 x 6 x 8 voxels" in out
    found = fc.Spectrum.load(tmp_path / "z.csv")
    assert found.uncertainty is None
    assert found.provenance["grids"][0]["grains"] == 3
    assert found.impedance == pytest.approx(fc.solve(cell, found.frequency).impedance, rel=1e-12)  # the same, written exactly
    assert run("show", tmp_path / "cell.toml")[0] == 0
    assert fc.resistance(cell, uncertainty=True)[1] == np.inf


def test_a_link_is_the_series_of_its_elements() -> None:
    first, second = Admittance.of(2.0, 3.0), Admittance.of(5.0, 0.5)
    s = np.array([0.0, 1.0, 2j])
    both = Admittance.series(first.times(4.0), second)
    assert both(s) == pytest.approx(1 / (1 / (4 * (2 + 3 * s)) + 1 / (5 + 0.5 * s)), rel=1e-14)
    assert Admittance.series(first.times(4.0), Admittance.of(0.0, 1.0))(0.0) == 0
    temperature = {"value": "60 degC", "activation_energy": {"grain_boundary": "0.5 eV"}}
    cold = cell_of(generator="voronoi", grains=3, boundary=BOUNDARY)
    warm = cold.vary({"temperature": temperature})
    of_links = LinkKinds(("bulk",), (1e-6, 1e-6, 1e-6), contact=True)
    kinds, warmer = of_links(admittances(cold)), of_links(admittances(warm))
    assert set(kinds) == set(warmer)
    changed = {name for name in kinds if warmer[name](0.0) != kinds[name](0.0)}
    assert changed == {"bulk - grain_boundary - bulk"}
