"""Boundaries of any shape: nodes doubled where grains meet, polycrystals bounded from both sides, few steps of the solver."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from images import BOUNDARY as IMAGE_BOUNDARY
from images import image_cell
from mesh_files import BOUNDARY, COUNTER, box, mesh_cell, write_vtu
from oracle import direct
from scipy.sparse.csgraph import connected_components

import fem_constriction as fc
from fem_constriction.cell.meshfile import read_mesh
from fem_constriction.fem import FiniteElements
from fem_constriction.fem.meshes.cut import cut
from fem_constriction.fem.meshes.space import refined
from fem_constriction.geometry.facets import Facets, areas, volumes
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.elements import evaluate
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.solver import solve_shifts
from fem_constriction.solving.one_grid import solve_grid

S = 2j * np.pi * np.geomspace(1e-3, 1e9, 13)
REAL = Path(__file__).parents[1] / "data" / "meshes"


@pytest.fixture(params=["tetra", "hexahedron"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def impedance(cell: fc.Cell, degree: int, band: tuple[float, float], grid: Grid | None = None, level: int = 0) -> np.ndarray:
    """R_DC, and Z at S."""
    fem = FiniteElements(degree)
    model = solve_grid(cell, fem, grid or fem.grid(cell, level), band).model
    return np.append(model.resistance(), model.impedance(S))


def grains(size: int, kind: str, folder: Path) -> fc.Cell:
    """2 x 2 x 2 cubic grains of 4 um with boundaries between all of them, a quarter of the WE face contact."""
    lines = np.linspace(0, 8, size + 1)

    def between(corners: np.ndarray) -> np.ndarray:
        return np.any(np.all(np.abs(corners - 4) < 1e-9, axis=1), axis=0)

    middle, reach = (4, 2) if size > 2 else (2, 2)  # of the contact: in the middle, or in a corner
    mesh = box(lines, lines, lines, kind, inside=between, contact=lambda p: np.all(np.abs(p[:2] - middle) < reach, axis=0))
    return mesh_cell(write_vtu(mesh, folder) | {"boundary": IMAGE_BOUNDARY}, (8, 8, 8), counter={})


def test_a_polycrystal_is_enclosed_by_elements_and_voxels(kind: str, tmp_path: Path) -> None:
    """Lower bounds from meshes, upper bounds from the voxel network on a label image of the same grains."""
    structure = {"generator": "cubic", "grain_size": "4 um", "boundary": IMAGE_BOUNDARY}
    images = [image_cell((n, n, n), 0.25, structure).vary({
        "geometry": {"width": "8 um", "thickness": "8 um"}, "electrolyte.microstructure.voxel": f"{8 / n} um"})
        for n in (8, 16)]  # fmt: skip
    voxels = [fc.resistance(image) for image in images]
    cell = grains(4, kind, tmp_path)
    meshes = [impedance(cell, degree, (1.0, 10.0), level=level)[0].real for degree, level in ((1, 0), (1, 1), (2, 1))]
    assert meshes == sorted(meshes)
    assert voxels == sorted(voxels, reverse=True)
    assert meshes[-1] < voxels[-1]
    # The gap is that of the coarser side, 16 voxels per edge of a cell whose contact has 8: a few percent.
    assert voxels[-1] / meshes[-1] < 1.05


def test_where_grains_meet_every_grain_has_its_own_node(kind: str, tmp_path: Path) -> None:
    mesh = read_mesh(grains(4, kind, tmp_path).mesh)
    facets = Facets.build(mesh.cells)
    opened = cut(mesh.cells, facets, facets.find(mesh.faces["grain_boundaries"]))
    copies = np.bincount(opened.origin, minlength=len(mesh.points))
    planes = np.isclose(mesh.points, 4e-6).sum(1)
    assert np.array_equal(copies, 2**planes)  # 2 on faces, 4 on edges, 8 in the middle
    grain = np.array([4, 2, 1]) @ (mesh.points[mesh.cells].mean(1) > 4e-6).T
    assert all(len(np.unique(grain[np.any(opened.cells == node, axis=1)])) == 1 for node in range(len(opened.origin)))


def test_a_surface_that_ends_inside_keeps_the_nodes_of_its_rim(kind: str, tmp_path: Path) -> None:
    def half(corners: np.ndarray) -> np.ndarray:
        return np.all(np.abs(corners[2] - 4) < 1e-9, axis=0) & np.all(corners[0] < 4.1, axis=0)

    lines = np.linspace(0, 8, 5)
    mesh = box(lines, lines, lines, kind, inside=half)
    cell = mesh_cell(write_vtu(mesh, tmp_path) | {"boundary": BOUNDARY}, (8, 8, 8), electrode={})
    read = read_mesh(cell.mesh)
    facets = Facets.build(read.cells)
    opened = cut(read.cells, facets, facets.find(read.faces["grain_boundaries"]))
    copies = np.bincount(opened.origin)
    on = np.isclose(read.points[:, 2], 4e-6) & (read.points[:, 0] < 4.1e-6)
    rim = on & np.isclose(read.points[:, 0], 4e-6)
    assert np.all(copies[on & ~rim] == 2) and np.all(copies[~on] == 1) and np.all(copies[rim] == 1)
    # It hinders the current, by less than a boundary all across does.
    whole = physical(cell.vary({"mesh.boundary": None})).resistance
    assert whole * 1.001 < impedance(cell, 1, (1.0, 10.0))[0].real < whole + 1e-8 / (0.05e-4 * cell.area)


@pytest.mark.parametrize("degree", [1, 2])
def test_grains_at_different_potentials_are_seen_by_their_boundaries_alone(kind: str, degree: int, tmp_path: Path) -> None:
    """Each process is blind to constants, the bulk to a constant in each grain, boundaries feel int [phi]^2 = jump^2 area."""
    cell = grains(2, kind, tmp_path).vary({"counter_electrode.charge_transfer": COUNTER["charge_transfer"]})
    fem = FiniteElements(degree)
    assembly = fem.assemble(cell, fem.grid(cell, 0))
    ones = np.ones((assembly.unknowns, 1))
    for name, operator in assembly.operators.items():
        if name != "counter_electrode":
            assert np.abs(operator @ ones).max() < 1e-13 * np.abs(operator.tocsr()).max()
        matrix = operator.tocsr().toarray()
        assert matrix == pytest.approx(matrix.T, abs=1e-14 * np.abs(matrix).max())
        assert np.linalg.eigvalsh(matrix).min() > -1e-13 * np.abs(matrix).max()
    bulk = assembly.operators["bulk"].tocsr()[:-1, :-1]
    number, grain = connected_components(abs(bulk) > 1e-12 * abs(bulk).max())
    assert number == 8
    potential = np.append(np.arange(8.0)[grain], 0)[:, None]
    assert np.abs(assembly.operators["bulk"] @ potential).max() < 1e-13 * abs(bulk).max()
    boundary = assembly.operators["grain_boundary"].tocsr()[:-1, :-1]
    shared = np.array([[-boundary[grain == a][:, grain == b].sum() for b in range(8)] for a in range(8)])
    np.fill_diagonal(shared, 0)
    neighbours = shared > 8e-12
    assert np.all(neighbours.sum(0) == 3)
    assert shared[neighbours] == pytest.approx(16e-12, rel=1e-12)
    assert np.abs(shared[~neighbours]).max() < 1e-12 * 16e-12


@pytest.mark.parametrize("conductivity", ["1e-9 S/m", "0.05 uS/cm", "100 MS/m"])
def test_shifted_systems_are_solved_in_few_iterations_whatever_boundaries_conduct(
    kind: str, conductivity: str, tmp_path: Path
) -> None:
    cell = grains(4, kind, tmp_path).vary({"mesh.boundary.conductivity": conductivity})
    fem = FiniteElements(2)
    assembly = fem.assemble(cell, fem.grid(cell, 0))
    shifts = np.append(0.0, np.geomspace(1e-3, 1e10, 7))
    y = evaluate(admittances(cell), shifts)
    solved = solve_shifts(assembly, y, tolerance=1e-9)
    # Two levels, and a factorisation for other shifts up to a ratio of 12: measured 29 at most.
    assert solved.iterations < 45
    if cell.mesh.boundary.conductivity < 1:
        exact = direct(assembly, admittances(cell), shifts[1:])
    else:  # a matrix written out loses what 1e16 S/m2 leaves of the drop; without boundaries it is the same to 2e-10
        cell = cell.vary({"mesh.boundary": None})
        exact = direct(fem.assemble(cell, fem.grid(cell, 0)), admittances(cell), shifts[1:])
    found = 1 / np.array(
        [(assembly.apply({p: v[[k]] for p, v in y.items()}, solved.potentials[:, [k]])[-1, 0]) for k in range(1, 8)]
    )
    assert found == pytest.approx(exact.real, rel=1e-8)


def test_unknowns_are_estimated_from_above(kind: str, tmp_path: Path) -> None:
    cell = grains(4, kind, tmp_path)
    for degree in (1, 2):
        for level in (0, 1):
            fem = FiniteElements(degree)
            grid = fem.grid(cell, level)
            has = fem.assemble(cell, grid).unknowns
            assert has <= fem.unknowns(cell, grid) < 4 * has


def test_refined_cells_fill_the_same_volume_and_faces_the_same_area(kind: str, tmp_path: Path) -> None:
    coarse = read_mesh(grains(2, kind, tmp_path).mesh)
    fine = refined(coarse, 2)
    assert len(fine.cells) == 64 * len(coarse.cells)
    assert volumes(fine.points, fine.cells).min() > 0
    assert volumes(fine.points, fine.cells).sum() == pytest.approx(512e-18, rel=1e-12)
    facets = Facets.build(fine.cells)
    for region, faces in fine.faces.items():
        assert len(faces) == 16 * len(coarse.faces[region])
        assert facets.find(faces).min() >= 0
        size, before = (np.linalg.norm(areas(m.points, m.faces[region]), axis=1).sum() for m in (fine, coarse))
        assert size == pytest.approx(before, rel=1e-12)
