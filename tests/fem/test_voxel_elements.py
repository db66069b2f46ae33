"""Finite elements on label images: against elements written out one by one, stacks, closed forms and the network's bound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skfem import Basis, ElementHex1, ElementHex2, MeshHex

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fem import FiniteElements
from fem_constriction.fem.forms import bulk
from fem_constriction.fem.stacks.elements import Hexahedra
from fem_constriction.fem.voxels.elements import voxel_assembly
from fem_constriction.fem.voxels.medium import medium_of
from fem_constriction.fem.voxels.operators import stiffness
from fem_constriction.geometry.grains import voronoi
from fem_constriction.grids.boundary_area import BoundaryArea
from fem_constriction.grids.grid import Grid
from fem_constriction.grids.image_grid import edges_of, image_grid, subdivided
from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.projection import reduce
from tests.shared.images import BOUNDARY, image_cell, literal_network
from tests.shared.literal_elements import literal_elements
from tests.shared.oracle import direct, one_dimensional

OMEGA = 2j * np.pi * np.array([1e-3, 1e3, 1e5, 1e9])
REAL = np.array([1e-2, 1e3, 1e6, 1e9])
BAND = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)
# Rounding of two direct solutions of one system.
ROUNDING = 1e-9


def elements(degree: int = 1) -> FiniteElements:
    return FiniteElements(degree)


def plain(cell: fc.Cell, backend: Any, s: np.ndarray, level: int = 0) -> np.ndarray:
    problem = Problem.of(cell)
    return direct(backend.assemble(problem, backend.grid(problem, level)), problem.places, s)


def stored(folder: Path, labels: np.ndarray, inclusions: list[dict[str, Any]], fraction: float, **sections: Any) -> fc.Cell:
    np.save(folder / "labels.npy", labels)
    structure = {"image": str(folder / "labels.npy"), "inclusions": inclusions, **sections.pop("structure", {})}
    return image_cell(labels.shape, fraction, structure, **sections)


def porous(folder: Path, dielectric: float = 0) -> tuple[fc.Cell, np.ndarray]:
    """Grains, a conductor, a dielectric, a hole with a grain shut up inside it, and charge transfer on both electrodes."""
    labels = voronoi((5, 6, 6), 8, seed=5)
    labels[0, 3, 3] = labels[2, 1:3, 2] = 50
    labels[0:2, 4:6, 4] = labels[3:, 0, 0] = 60
    labels[1:4, 3:6, 3:6] = 70
    labels[2, 4, 4] = 1
    inclusions = [
        {"label": 50, "conductivity": "20 mS/cm"},
        {"label": 60, "conductivity": dielectric, "relative_permittivity": 40},
        {"label": 70, "conductivity": 0},
    ]
    counter = {"charge_transfer": {"resistance": "2 ohm cm^2", "capacitance": "100 uF/cm^2"}}
    return stored(folder, labels, inclusions, 4 / 9, structure={"boundary": BOUNDARY}, counter=counter), labels


@pytest.mark.parametrize("level", [0, 1])
def test_every_place_is_as_elements_written_out_one_by_one(tmp_path: Path, level: int) -> None:
    cell, labels = porous(tmp_path)
    grid = image_grid(cell, level)
    points = OMEGA if not level else OMEGA[1:3]
    expected = [literal_elements(cell, subdivided(labels, grid), grid.contact, s) for s in points]
    assert plain(cell, elements(), points, level) == pytest.approx(np.array(expected), rel=ROUNDING)


def test_metal_in_the_image_is_as_elements_written_out_one_by_one() -> None:
    random = np.random.default_rng(2)
    labels = voronoi((6, 5, 5), 6, 2).astype(np.int32)
    labels[0][random.random((5, 5)) < 0.5] = 100
    labels[1, 1:3, 1] = labels[3, 2, 1:4] = 100
    labels[-1, 2:4, 3] = labels[3, 0, 0] = 101
    labels[2, 3, 3] = labels[0, 4, 4] = labels[1, 2, 2] = labels[3, 3, 2] = 102
    phases = [
        {"label": 100, "kind": "electrode", "tied_to": "working"},
        {"label": 101, "kind": "electrode", "tied_to": "counter"},
    ]
    counter = {"charge_transfer": {"resistance": "2 ohm cm^2", "capacitance": "100 uF/cm^2"}}
    # A void that stores charge beside metal with charge transfer is refused (`tests/gate/test_spread_voids.py`).
    for fraction, filling, sections in ((9 / 25, 0, {"counter": counter}), (1.0, 1, {"electrode": {}, "counter": counter})):
        void = {"label": 102, "kind": "hole", "relative_permittivity": filling}
        structure = {"image": labels, "phases": [*phases, void], "boundary": BOUNDARY}
        cell = image_cell(labels.shape, fraction, structure, **sections)
        expected = [literal_elements(cell, labels, image_grid(cell).contact, s) for s in OMEGA]
        assert plain(cell, elements(), OMEGA) == pytest.approx(np.array(expected), rel=ROUNDING)
        problem, backend = Problem.of(cell), elements()
        model = reduce(backend.assemble(problem, backend.grid(problem, 0)), problem.places, BAND)
        assert model.impedance(OMEGA) == pytest.approx(np.array(expected), rel=1e-6)  # ten times what it is made for


@pytest.mark.parametrize("level", [0, 1])
def test_a_boundary_conducts_with_the_share_of_its_faces(level: int) -> None:
    labels = np.repeat([0, 1], 2)[:, None, None] + np.zeros((1, 3, 3), dtype=int)
    cell = image_cell(labels.shape, 1.0, {"image": labels, "boundary": BOUNDARY}, electrode={})
    problem, grid = Problem.of(cell), image_grid(cell, level)
    codes = tuple(np.where(np.diff(labels, axis=axis) != 0, np.uint8(2), np.uint8(0)) for axis in range(3))
    area = BoundaryArea((0.5, 0.8), codes)
    medium = medium_of(
        subdivided(labels, grid),
        grid.contact,
        edges=edges_of(grid),
        inclusions={},
        places=tuple(problem.places),
        area=area.cut(2**level),
    )
    z = direct(voxel_assembly(medium, 1, 1, {}), problem.places, np.zeros(1))[0].real
    through = 4e-6 / (0.046 * cell.area), 1e-8 / (5.97e-4 * cell.area * 0.8)
    assert z == pytest.approx(sum(through), rel=1e-9)


def test_the_reduced_model_is_the_plain_solution_direct_current_through_a_dielectric_included(tmp_path: Path) -> None:
    cell, labels = porous(tmp_path)
    problem, backend = Problem.of(cell), elements()
    assembly = backend.assemble(problem, backend.grid(problem, 0))
    model = reduce(assembly, problem.places, BAND)
    # 1e-7 is what it is made for.
    assert model.impedance(OMEGA) == pytest.approx(direct(assembly, problem.places, OMEGA), rel=1e-6)
    # What conducts next to nothing stands for what conducts nothing: 1e-9 of the grains.
    expected = literal_elements(porous(tmp_path, 4.6e-11)[0], labels, image_grid(cell).contact, 0.0)
    assert model.resistance() == pytest.approx(expected.real, rel=1e-6)
    assert sum(model.shares(OMEGA).values()) == pytest.approx(np.ones(OMEGA.size), abs=1e-9)


@pytest.mark.parametrize("ideal", [False, True])
@pytest.mark.parametrize("degree", [1, 2])
def test_an_even_cell_is_the_one_dimensional_circuit(ideal: bool, degree: int) -> None:
    structure = {"generator": "cubic", "grain_size": "8 um", "boundary": BOUNDARY}
    electrode = {} if ideal else {"charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}}
    cell = image_cell((4, 3, 5), 1.0, structure, electrode=electrode)
    assert plain(cell, elements(degree), OMEGA) == pytest.approx(one_dimensional(cell, OMEGA), rel=1e-10)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("ideal", [False, True])
def test_layers_in_an_image_are_the_stack_on_the_same_grid(tmp_path: Path, degree: int, ideal: bool) -> None:
    labels = np.repeat(np.arange(3), 2)[:, None, None] * np.ones((1, 6, 6), dtype=int)
    electrode = {"pore": {"capacitance": "8.85 uF/cm^2"}}
    if not ideal:
        electrode["charge_transfer"] = {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}
    cell = stored(tmp_path, labels, [], 4 / 9, structure={"boundary": BOUNDARY}, electrode=electrode)
    stack = cell.model_dump(mode="json", exclude_none=True)
    del stack["electrolyte"]["microstructure"]
    stack["electrolyte"]["grain_boundaries"] = {"layers": 3, **BOUNDARY}
    layered = fc.Cell(**stack)
    grid = image_grid(cell)
    z = grid.layers[0]
    same = Grid(grid.x, grid.y, (z[:3], z[2:5], z[4:]), grid.contact, 1, "equal")
    problem = Problem.of(layered)
    expected = direct(Hexahedra("fem", degree, None).assemble(problem, same), problem.places, OMEGA)
    assert plain(cell, elements(degree), OMEGA) == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize(("degree", "kind"), [(1, ElementHex1), (2, ElementHex2)])
def test_the_voxel_is_scikit_fems_hexahedron(degree: int, kind: Any) -> None:
    edges = (0.7, 1.3, 2.0)
    mesh = MeshHex.init_tensor(*(np.array([0.0, edge]) for edge in edges))
    basis = Basis(mesh, kind(), intorder=2 * degree + 2)
    z, x, y = np.rint(basis.doflocs * degree / np.array(edges)[:, None]).astype(int)
    order = np.argsort((z * (degree + 1) + x) * (degree + 1) + y)
    expected = bulk.assemble(basis).toarray()[np.ix_(order, order)]
    assert stiffness(edges, degree) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_elements_bound_from_below_and_the_network_from_above_at_every_real_s(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = voronoi((5, 6, 6), 10, seed)
    kinds = [{"label": 90, "conductivity": float(0.046 * 10 ** random.uniform(-2, 2)), "relative_permittivity": 40}]
    kinds.append({"label": 91, "conductivity": 0})
    labels[random.random(labels.shape) < 0.15] = 90
    labels[random.random(labels.shape) < 0.1] = 91
    labels[3, 3, 3], labels[2, 2, 2] = 90, 91
    electrode = {"pore": {"capacitance": "8.85 uF/cm^2"}}
    if seed % 2:
        electrode["charge_transfer"] = {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}
    cell = stored(tmp_path, labels, kinds, 4 / 9, structure={"boundary": BOUNDARY}, electrode=electrode)
    above = np.array([literal_network(cell, labels, image_grid(cell).contact, s) for s in REAL]).real
    coarse, quadratic, fine = (plain(cell, elements(d), REAL, level).real for d, level in ((1, 0), (2, 0), (1, 1)))
    # Nested spaces climb towards the continuum, from below; rounding of two solutions.
    assert np.all(coarse <= quadratic * (1 + ROUNDING))
    assert np.all(coarse <= fine * (1 + ROUNDING))
    assert np.all(np.maximum(fine, quadratic) <= above * (1 + ROUNDING))


def test_grains_that_touch_at_an_edge_alone_are_not_connected(tmp_path: Path) -> None:
    labels = np.full((4, 4, 4), 9)
    labels[:2, :2] = labels[2:, 2:] = 1
    cell = stored(tmp_path, labels, [{"label": 9, "conductivity": 0}], 1.0)
    with pytest.raises(InputError, match="no path for current leads from the working to the counter electrode"):
        fc.solve(cell, [1.0], backend="fem")
