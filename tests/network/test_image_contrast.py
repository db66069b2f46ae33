"""Conductors a million times better or worse, dielectrics and holes: Z is that of the links, or there is no path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from images import BOUNDARY, ELECTRODE, image_cell, literal_network
from scipy import ndimage

import fem_constriction as fc
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.geometry.grains import voronoi
from fem_constriction.grids.image_grid import image_grid
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel
from network.image.image_network import image_assembly, image_voxels
from network.image.iteration import improve
from network.image.meanfield import MeanField
from network.image.voxels import Weights

#: The network of the voxels is compared with itself, whatever it is worth for the continuum (`test_image_edges`).
pytestmark = pytest.mark.filterwarnings("ignore::fem_constriction.errors.ResolutionWarning")

BAND = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)
S = 2j * np.pi * np.array([1e-3, 1.0, 1e4, 1e6, 1e9])
HOLE = {"label": 9, "conductivity": 0}
DIELECTRIC = {"label": 9, "conductivity": 0, "relative_permittivity": 5}


def cell_of(labels: np.ndarray, fraction: float, *inclusions: dict[str, Any], **sections: Any) -> fc.Cell:
    structure = {"image": "image.npy", "inclusions": list(inclusions), **sections.pop("structure", {})}
    return image_cell(labels.shape, fraction, structure, **sections)


def saved_cell(folder: Path, labels: np.ndarray, fraction: float, *inclusions: dict[str, Any], **sections: Any) -> fc.Cell:
    np.save(folder / "image.npy", labels)
    return cell_of(labels, fraction, *inclusions, **sections).vary({"electrolyte.microstructure.image": f"{folder}/image.npy"})


def solved(cell: fc.Cell, labels: np.ndarray, **options: Any) -> ReducedModel:
    assembly = image_assembly(image_voxels(cell, labels, image_grid(cell)), {})
    return reduce(assembly, admittances(cell), BAND, direct_current=cell.contact_fraction > 0, **options)


def expected(cell: fc.Cell, labels: np.ndarray, s: Any = S) -> np.ndarray:
    return np.array([literal_network(cell, labels, image_grid(cell).contact, each) for each in s])


def everywhere(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Factorise up to so many unknowns."""
    monkeypatch.setattr("network.image.shifts.SMALL", limit)
    monkeypatch.setattr("network.image.image_network.SMALL", limit)


@pytest.fixture
def iterated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small images are iterated like large ones, and multigrid sets in early."""
    everywhere(monkeypatch, 0)
    monkeypatch.setattr("network.image.shifts.PATIENCE", 10)


def random_image(seed: int) -> tuple[fc.Cell, np.ndarray]:
    """Grains and one to three kinds of inclusions, as noise or as blobs, of any contrast from 1e-6 to 1e6."""
    random = np.random.default_rng(seed)
    shape = (int(random.choice([5, 8])), 8, 8)
    labels = voronoi(shape, int(random.integers(1, 30)), seed)
    inclusions = []
    for label in range(100, 100 + int(random.integers(1, 4))):
        field = random.standard_normal(shape)
        field = ndimage.gaussian_filter(field, 1.5, mode="reflect") if random.random() < 0.5 else field
        labels[field < np.quantile(field, random.choice([0.02, 0.1, 0.2, 0.4]))] = label
        kind = random.choice(["conducting", "conducting", "resistive", "dielectric", "hole"])
        exponent = {"conducting": random.uniform(0, 6), "resistive": random.uniform(-6, 0)}.get(kind)
        inclusions.append(
            {
                "label": label,
                "conductivity": 0 if exponent is None else 0.046 * 10**exponent,
                "relative_permittivity": 0 if kind == "hole" else 10 ** random.uniform(0, 3),
            }
        )
    inclusions = [each for each in inclusions if np.any(labels == each["label"])]
    boundary = {**BOUNDARY, "conductivity": 5.97e-4 * 10 ** random.uniform(-4, 3)}
    counter = {"charge_transfer": {"resistance": "2 ohm cm^2", "capacitance": "10 uF/cm^2"}} if random.random() < 0.3 else {}
    electrode = ELECTRODE if random.random() < 0.7 else {}
    fraction = float(random.choice([0.25, 1.0] if not electrode else [0.0, 0.25, 1.0]))
    structure = {"boundary": boundary} if random.random() < 0.7 else {}
    return cell_of(labels, fraction, *inclusions, structure=structure, electrode=electrode, counter=counter), labels


def agrees(seed: int) -> str:
    """Check one random image, and say how it was solved."""
    cell, labels = random_image(seed)
    try:
        model = solved(cell, labels)
    except InputError as error:
        assert "no path" in str(error)
        with pytest.raises(RuntimeError, match="singular"):  # nor does the oracle find one
            expected(cell, labels, S[:1])
        return "no path"
    error = np.abs(model.impedance(S) / expected(cell, labels) - 1).max()
    # What reduced models of images are made for, or as far as rounding let them get, which they say.
    assert error <= max(1e-6, model.error(S).max()), (seed, error)
    assert model.statistics["projection_error"] <= 1e-5
    return str(model.statistics["solver"])


@pytest.mark.parametrize("seed", range(14))
def test_random_images_of_any_contrast_are_the_literal_network(seed: int) -> None:
    assert agrees(seed).startswith(("factorised", "no path"))


@pytest.mark.usefixtures("iterated")
@pytest.mark.parametrize("seed", range(20, 34))
def test_iterated_random_images_of_any_contrast_are_the_literal_network(seed: int) -> None:
    assert agrees(seed).startswith(("mean-field", "classical", "no path"))


@pytest.mark.long
@pytest.mark.usefixtures("iterated")
def test_many_iterated_random_images_are_the_literal_network() -> None:
    ways = " ".join(agrees(seed) for seed in range(100, 130))
    assert "classical multigrid" in ways
    assert "mean-field stack" in ways


@pytest.mark.parametrize("limit", [2000, 0])
def test_conducting_voxels_among_resistive_boundaries_have_a_resistance(
    limit: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    everywhere(monkeypatch, limit)
    labels = np.random.default_rng(4).integers(0, 4, (8, 8, 8))
    boundary = {"thickness": 1e-8, "conductivity": 1e-7}
    conductor = {"label": 1, "conductivity": 46.0}
    cell = saved_cell(tmp_path, labels, 0.25, conductor, structure={"boundary": boundary}, electrode={})
    # Quadratic in an energy error of 3e-6, or a rounding of the contrast, 1e6.
    assert fc.resistance(cell) == pytest.approx(expected(cell, labels, [0.0])[0].real, rel=1e-9)


def test_a_million_times_better_conductors_take_multigrid_on_larger_images() -> None:
    labels = (np.random.default_rng(0).random((12, 14, 14)) < 0.2) * 9
    cell = cell_of(labels, 1.0, {"label": 9, "conductivity": 4.6e4, "relative_permittivity": 10})
    model = solved(cell, labels)
    assert "classical multigrid" in model.statistics["solver"]
    assert model.impedance(S[::2]) == pytest.approx(expected(cell, labels, S[::2]), rel=1e-6)
    assert model.resistance() == pytest.approx(expected(cell, labels, [0.0])[0].real, rel=1e-9)


@pytest.mark.usefixtures("iterated")
def test_without_room_for_multigrid_the_mean_field_stack_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = voronoi((6, 8, 8), 12, seed=3)
    cell = cell_of(labels, 0.25, structure={"boundary": {**BOUNDARY, "conductivity": 5.97e-7}})
    assert "multigrid" in solved(cell, labels).statistics["solver"]
    monkeypatch.setattr("network.image.shifts.BYTES", 1e18)
    model = solved(cell, labels)
    assert model.statistics["solver"] == f"mean-field stack ({model.statistics['shifts']})"
    assert model.impedance(S) == pytest.approx(expected(cell, labels), rel=1e-6)


def test_a_solve_that_stops_says_with_which_error_and_gives_no_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    everywhere(monkeypatch, 0)
    monkeypatch.setattr("network.image.shifts.PATIENCE", 2)
    monkeypatch.setattr("network.image.shifts.MOST", 1)
    labels = (np.random.default_rng(0).random((8, 8, 8)) < 0.2) * 9
    cell = saved_cell(tmp_path, labels, 0.25, {"label": 9, "conductivity": 4.6e4})
    with pytest.raises(ComputationError, match=r"512 voxels stopped after \d+ iterations .* error of .*, asked .*multigrid"):
        fc.resistance(cell)


@pytest.mark.parametrize("conductivity", [4.6e-12, 4.6e10])
def test_layers_a_hundred_billion_times_apart_are_a_series(conductivity: float, tmp_path: Path) -> None:
    labels = np.zeros((6, 4, 4), dtype=np.int64)
    labels[2] = labels[4] = 9
    cell = saved_cell(tmp_path, labels, 1.0, {"label": 9, "conductivity": conductivity}, electrode={})
    series = (4e-6 / 0.046 + 2e-6 / conductivity) / 16e-12
    assert fc.resistance(cell) == pytest.approx(series, rel=1e-6)


@pytest.mark.parametrize("conductivity", [4.6e-20, 4.6e16])
def test_what_rounding_loses_is_refused_where_it_matters(conductivity: float, tmp_path: Path) -> None:
    labels = np.zeros((6, 4, 4), dtype=np.int64)
    labels[2] = labels[4] = 9
    layers = saved_cell(tmp_path, labels, 1.0, {"label": 9, "conductivity": conductivity})
    with pytest.raises(ComputationError, match=r"takes \d+% of Z .* up to a contrast of 1e\+14|stopped"):
        fc.resistance(layers)
    labels[4] = labels[2, :, :2] = 0  # a way around what conducts too little
    around = saved_cell(tmp_path, labels, 1.0, {"label": 9, "conductivity": 4.6e-20})
    assert fc.resistance(around) == pytest.approx(expected(around, labels, [0.0])[0].real, rel=1e-9)


def test_a_residual_that_drifts_from_the_true_one_is_found_out() -> None:
    """The iteration's own residual falls as it should where the links it is told of are not those of the matrix."""
    labels = voronoi((6, 8, 8), 12, seed=3)
    cell = cell_of(labels, 0.25, structure={"boundary": BOUNDARY})
    voxels = image_voxels(cell, labels, image_grid(cell))
    weights = voxels.weights({name: float(y(1.0)) for name, y in voxels.series(admittances(cell)).items()})

    @dataclass(frozen=True, eq=False)
    class Drifting(Weights):
        def apply(self, potential: Any, voltage: float, out: Any) -> float:
            found = super().apply(potential, voltage, out)
            out *= 1.0 if voltage else 1.001  # directions have no voltage
            return found

    drifting = Drifting(weights.z, weights.x, weights.y, weights.metal, weights.counter, weights.slabs)
    for checked in (False, True):
        potential, work = np.zeros(labels.shape), tuple(np.empty(labels.shape) for _ in range(3))
        done = improve(potential, drifting, MeanField(weights, voxels.kept), work, 1e-8, 1.0, 400, checked)
        residual = np.empty(labels.shape)
        current = weights.apply(potential, 1.0, residual)
        true = np.sqrt(np.vdot(residual, MeanField(weights, voxels.kept).solve(residual, work[0])) / current)
        assert done.reached
        assert (true <= 2e-8) == checked


# What cannot conduct


def layer() -> np.ndarray:
    labels = np.zeros((6, 4, 4), dtype=np.int64)
    labels[2] = 9
    return labels


def everything() -> np.ndarray:
    return np.full((6, 4, 4), 9)


def below_the_contact() -> np.ndarray:
    labels = np.zeros((6, 4, 4), dtype=np.int64)
    labels[0, 1:3, 1:3] = 9
    return labels


def all_but_the_contact() -> np.ndarray:
    labels = everything()
    labels[0, 1:3, 1:3] = 0
    return labels


def edge_to_edge() -> np.ndarray:
    labels = everything()
    labels[:3, :2] = labels[3:, 2:] = 0
    return labels


def corner_to_corner() -> np.ndarray:
    labels = everything()
    labels[:3, :2, :2] = labels[3:, 2:, 2:] = 0
    return labels


SHUT = [layer, everything, below_the_contact, all_but_the_contact, edge_to_edge, corner_to_corner]


@pytest.mark.parametrize("image", SHUT)
def test_holes_that_shut_every_path_are_wrong_input(
    image: Callable[[], np.ndarray], tmp_path: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    cell = saved_cell(tmp_path, image(), 0.25, HOLE, electrode={})
    for compute in (fc.resistance, lambda each: fc.solve(each, [1e3])):
        with pytest.raises(InputError, match=r"microstructure.image = .* no path for current .* \((all end at|none begins)"):
            compute(cell)
    cell.save(tmp_path / "cell.toml")
    command = (
        "spectrum",
        tmp_path / "cell.toml",
        "--backend",
        "network",
        "--frequencies",
        "1:1e6:4",
        "--out",
        tmp_path / "z.csv",
    )
    status, _, err = run(*command)
    assert status == 2
    assert "no path" in err


def test_the_layer_that_shuts_every_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"all end at layer 3 of 6, counted from the working electrode.* here label 9"):
        fc.resistance(saved_cell(tmp_path, layer(), 0.25, HOLE))
    with pytest.raises(InputError, match="none begins: the first layer has holes there"):
        fc.resistance(saved_cell(tmp_path, below_the_contact(), 0.25, HOLE, electrode={}))


@pytest.mark.parametrize("fraction", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("image", SHUT)
def test_where_dielectrics_block_direct_current_the_spectrum_is_finite(
    image: Callable[[], np.ndarray], fraction: float, tmp_path: Path
) -> None:
    labels = image()
    cell = saved_cell(tmp_path, labels, fraction, DIELECTRIC)
    z = fc.solve(cell, np.abs(S) / (2 * np.pi)).impedance
    assert z == pytest.approx(expected(cell, labels), rel=1e-6)
    assert np.all(np.isfinite(z))
    blocked = fraction < 1 or image not in (below_the_contact, all_but_the_contact)
    if image is all_but_the_contact or blocked:
        assert fc.resistance(cell) == np.inf


def test_pores_alone_reach_an_image(tmp_path: Path) -> None:
    """Nothing of the face touches metal: the pores' capacitance is the only way in."""
    labels = np.zeros((4, 4, 4), dtype=np.int64)
    cell = saved_cell(tmp_path, labels, 0.0)
    assert fc.solve(cell, [1e6]).impedance == pytest.approx(expected(cell, labels, [2j * np.pi * 1e6]), rel=1e-6)
    assert fc.resistance(cell) == np.inf


def test_where_the_contact_lies_above_holes_current_enters_through_pores(tmp_path: Path) -> None:
    labels = below_the_contact()
    cell = saved_cell(tmp_path, labels, 0.25, HOLE)
    assert fc.solve(cell, np.abs(S) / (2 * np.pi)).impedance == pytest.approx(expected(cell, labels), rel=1e-6)
    assert fc.resistance(cell) == np.inf


def tunnel() -> np.ndarray:
    labels = everything()
    labels[:, 1, 2] = 0
    return labels


def island() -> np.ndarray:
    labels = np.zeros((6, 4, 4), dtype=np.int64)
    labels[1:4, :3, :3] = 9
    labels[2, 1, 1] = 0
    return labels


def only_at_an_edge() -> np.ndarray:
    labels = np.zeros((6, 4, 4), dtype=np.int64)
    labels[1:5, 1:, 1:] = 9
    labels[2, 1, 1] = labels[3, 2, 1] = 0  # touches the rest at edges alone
    labels[2, 0, 1] = labels[2, 1, 0] = labels[1, 1, 1] = labels[3, 1, 1] = 9
    return labels


@pytest.mark.parametrize("limit", [2000, 0])
@pytest.mark.parametrize("inclusion", [HOLE, DIELECTRIC])
@pytest.mark.parametrize("image", [tunnel, island, only_at_an_edge])
def test_islands_carry_no_current_and_do_no_harm(
    image: Callable[[], np.ndarray], inclusion: dict[str, Any], limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere(monkeypatch, limit)
    labels = image()
    cell = cell_of(labels, 1.0, inclusion)
    model = solved(cell, labels)
    assert model.impedance(S) == pytest.approx(expected(cell, labels), rel=1e-6)
    assert model.resistance() == pytest.approx(expected(cell, labels, [0.0])[0].real, rel=1e-9)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 4, 4), (1, 1, 5), (5, 1, 1), (3, 1, 4), (4, 3, 1)])
@pytest.mark.parametrize("limit", [2000, 0])
def test_the_smallest_images(shape: tuple[int, int, int], limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere(monkeypatch, limit)
    labels = np.arange(np.prod(shape)).reshape(shape) % 3
    cell = cell_of(labels, 1.0, structure={"boundary": BOUNDARY})
    assert solved(cell, labels).impedance(S) == pytest.approx(expected(cell, labels), rel=1e-6)


@pytest.mark.parametrize(("label", "kind"), [(-(2**63), "int64"), (2**63, "uint64"), (2**64 - 1, "uint64"), (-1, "int8")])
def test_any_whole_number_is_a_label(label: int, kind: str, tmp_path: Path) -> None:
    labels = np.zeros((4, 4, 4), dtype=kind)
    labels[2, 1:3, 2] = label
    cell = saved_cell(tmp_path, labels, 1.0, {"label": label, "conductivity": 0})
    assert fc.resistance(cell) == pytest.approx(expected(cell, labels, [0.0])[0].real, rel=1e-9)
