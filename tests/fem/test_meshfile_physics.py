"""Meshes from files are finite elements of the same cell: tensor grids again, exact circuits, bounds, tilted planes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_files import BOUNDARY, ELECTRODE, WRITERS, box, mesh_cell, of_grid, write_gmsh22, write_vtu

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fem import FiniteElements
from fem_constriction.geometry.facets import Facets
from fem_constriction.grids.grid import Grid, uniform
from fem_constriction.grids.orders import uniform_order
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import Family
from network import Network

S = 2j * np.pi * np.geomspace(1e-3, 1e9, 13)
REAL = Path(__file__).parents[1] / "data" / "meshes"


@pytest.fixture(params=["tetra", "hexahedron"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def stack(every_process: fc.Cell, layers: int, resolution: int = 5) -> tuple[fc.Cell, Grid]:
    """A cell of unlike widths with all processes, and a coarse grid of all of it."""
    cell = every_process.vary({
        "geometry.width": ["50 um", "40 um"],
        "working_electrode.contact.fraction": 0.2,
        "electrolyte.grain_boundaries.layers": layers,
    })  # fmt: skip
    return cell, uniform(cell, resolution)


def as_mesh(cell: fc.Cell, section: dict, *, quarter: bool = False) -> fc.Cell:
    """The same cell, or a quarter of it, with a mesh from a file."""
    boundary = cell.electrolyte.grain_boundaries.model_dump(exclude={"layers", "planes"})
    layers = cell.electrolyte.grain_boundaries.layers
    return cell.vary({
        "electrolyte.grain_boundaries": None,
        "working_electrode.contact": {"shape": "mesh"},
        "geometry.width": [width / 2 if quarter else width for width in cell.geometry.lengths[:2]],
        "mesh": {"unit": "um", **section, **({"boundary": boundary} if layers > 1 else {})},
    })  # fmt: skip


def impedance(cell: fc.Cell, degree: int, band: tuple[float, float], grid: Grid | None = None, level: int = 0) -> np.ndarray:
    """R_DC, and Z at S."""
    fem = FiniteElements(degree)
    model = solve_grid(cell, fem, grid or fem.grid(cell, level), band).model
    return np.append(model.resistance(), model.impedance(S))


@pytest.mark.parametrize("write", WRITERS)
def test_hexahedra_from_a_file_are_those_of_the_tensor_grid(
    every_process: fc.Cell, write: Callable[..., dict], tmp_path: Path, band: tuple[float, float]
) -> None:
    cell, grid = stack(every_process, 3)
    found = impedance(as_mesh(cell, write(of_grid(grid), tmp_path)), 1, band)
    # The same matrices up to rounding; two solvers to 1e-9 in the potential, a projection to 1e-8 and usually far less.
    assert found == pytest.approx(impedance(cell, 1, band, grid), rel=1e-9)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("ideal", [False, True])
def test_of_either_degree_with_every_kind_of_electrode(
    every_process: fc.Cell, tmp_path: Path, band: tuple[float, float], layers: int, ideal: bool
) -> None:
    cell, grid = stack(every_process, layers, 4)
    if ideal:
        cell = cell.vary({"working_electrode.charge_transfer": None, "counter_electrode.charge_transfer": None})
    quarter = as_mesh(cell, write_vtu(of_grid(grid), tmp_path), quarter=True)
    found = impedance(quarter, 2, band) / 4
    fem = FiniteElements(2)
    assert found == pytest.approx(impedance(cell, 2, band, fem.uniform(cell, 4)), rel=1e-9)


def test_a_refined_mesh_is_that_of_half_the_step(every_process: fc.Cell, tmp_path: Path, band: tuple[float, float]) -> None:
    cell, coarse = stack(every_process, 2, 5)
    half = [np.sort(np.append(lines, (lines[1:] + lines[:-1]) / 2)) for lines in (coarse.x, coarse.y, *coarse.layers)]
    fine = Grid(x=half[0], y=half[1], layers=tuple(half[2:]), contact=coarse.contact.repeat(2, 0).repeat(2, 1), copies=1)
    found = impedance(as_mesh(cell, write_vtu(of_grid(coarse), tmp_path)), 1, band, level=1)
    assert found == pytest.approx(impedance(cell, 1, band, fine), rel=1e-9)


@pytest.mark.parametrize("degree", [1, 2])
def test_full_contact_is_the_one_dimensional_circuit(
    every_process: fc.Cell, kind: str, degree: int, tmp_path: Path, band: tuple[float, float]
) -> None:
    cell, _ = stack(every_process, 3)
    cell = cell.vary({"working_electrode.contact.fraction": 1.0})
    section = write_vtu(of_grid(uniform(cell, 3), kind), tmp_path)
    section["regions"]["pore"] = []
    mesh = as_mesh(cell, section)
    frequency = S.imag / (2 * np.pi)
    expected = np.append(physical(mesh).resistance, physical(mesh).impedance(frequency))
    assert expected[1:] == pytest.approx(physical(cell).impedance(frequency), rel=1e-12)
    # Linear potentials are in the space: rounding, and what the solver leaves, is all there is.
    assert impedance(mesh, degree, band) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("degree", [1, 2])
def test_a_tilted_boundary_takes_a_uniform_current_with_a_uniform_jump(
    kind: str, degree: int, tmp_path: Path, band: tuple[float, float]
) -> None:
    """phi = c - j z/kappa on either side, [phi] = j n_z/y_gb: Z = L/(kappa A) + n_z/(y_gb A) + electrodes, exactly."""
    slope, (x, y, z) = 0.8, (6.0, 4.0, 8.0)

    def tilt(points: np.ndarray) -> np.ndarray:
        moved = points.copy()
        moved[:, 2] += slope * (points[:, 0] - x / 2) * np.minimum(points[:, 2], z - points[:, 2]) / (z / 2)
        return moved

    lines = (np.linspace(0, length, n + 1) for length, n in ((x, 3), (y, 2), (z, 4)))
    mesh = box(*lines, kind, tilt=tilt, inside=lambda corners: np.all(np.abs(corners[2] - z / 2) < 1e-9, axis=0))
    cell = mesh_cell(write_gmsh22(mesh, tmp_path) | {"boundary": BOUNDARY}, (x, y, z), electrode={
        "charge_transfer": ELECTRODE["charge_transfer"]})  # fmt: skip
    frequency = S.imag / (2 * np.pi)
    flat = {arc.name: arc for arc in physical(cell).arcs}
    tilted, straight = flat["grain_boundary"].resistance, 1e-8 / (0.05e-4 * cell.area)
    assert tilted / straight == pytest.approx(1 / np.hypot(1, slope), rel=1e-12)
    expected = np.append(physical(cell).resistance, physical(cell).impedance(frequency))
    assert impedance(cell, degree, band) == pytest.approx(expected, rel=1e-10)


def test_boundaries_along_the_current_are_in_nobodys_way(kind: str, tmp_path: Path, band: tuple[float, float]) -> None:
    lines = np.linspace(0, 8, 5)
    mesh = box(lines, lines, lines, kind, inside=lambda corners: np.all(np.abs(corners[0] - 4) < 1e-9, axis=0))
    cell = mesh_cell(write_vtu(mesh, tmp_path) | {"boundary": BOUNDARY}, (8, 8, 8), electrode={})
    circuit = physical(cell)
    assert [arc.name for arc in circuit.arcs] == ["bulk", "counter_electrode"]
    expected = np.append(circuit.resistance, circuit.impedance(S.imag / (2 * np.pi)))
    assert impedance(cell, 1, band) == pytest.approx(expected, rel=1e-10)


def test_without_contact_the_pores_carry_the_current(kind: str, tmp_path: Path, band: tuple[float, float]) -> None:
    lines = np.linspace(0, 8, 3)
    section = write_gmsh22(box(lines, lines, lines, kind), tmp_path) | {"regions": {"contact": [], "pore": "contact"}}
    cell = mesh_cell(section, (8, 8, 8))
    assert cell.contact_fraction == 0
    fem = FiniteElements(2)
    model = solve_grid(cell, fem, fem.grid(cell, 0), band).model
    assert model.resistance() == np.inf
    assert model.impedance(S) == pytest.approx(physical(cell).impedance(S.imag / (2 * np.pi)), rel=1e-10)


def test_ideal_electrodes_that_meet_are_a_short_circuit(kind: str, tmp_path: Path) -> None:
    lines = np.linspace(0, 8, 3)
    mesh = box(lines, lines, lines, kind)
    cell = mesh_cell(write_gmsh22(mesh, tmp_path), (8, 8, 8), electrode={}, counter={})
    fem = FiniteElements(1)
    assert np.isfinite(solve_grid(cell, fem, fem.grid(cell, 0), None).model.resistance())
    facets = Facets.build(mesh.cells)
    wall = (facets.count == 1) & np.all(mesh.points[facets.vertices][:, :, 0] == 0, axis=1)
    mesh.faces["counter_electrode"] = np.concatenate([mesh.faces["counter_electrode"], facets.vertices[wall]])
    short = mesh_cell(write_gmsh22(mesh, tmp_path), (8, 8, 8), electrode={}, counter={})
    with pytest.raises(InputError, match=r"contact and counter_electrode, both ideal, share \d+ nodes, a short circuit"):
        fem.assemble(short, fem.grid(short, 0))


def test_tetrahedra_bound_from_below_and_converge(every_process: fc.Cell, tmp_path: Path) -> None:
    cell, grid = stack(every_process, 2, 4)
    quarter = as_mesh(cell, write_vtu(of_grid(grid, "tetra"), tmp_path), quarter=True)
    upper = solve_grid(cell, Network(), Network().grid(cell, 0), None).model.resistance()
    found = [impedance(quarter, degree, (1.0, 10.0), level=level)[0].real / 4 for degree, level in
             ((1, 0), (1, 1), (2, 1), (2, 2))]  # fmt: skip
    assert found == sorted(found)
    assert found[-1] < upper
    steps = np.diff(np.append(found, upper))
    assert steps[-1] < 0.1 * (upper - found[0])


def test_a_bound_is_claimed_where_integrals_are_exact_and_only_there(tmp_path: Path) -> None:
    lines = np.linspace(0, 8, 3)
    fem = FiniteElements(2)
    for tilt, bound in (
        (None, "lower"),
        (lambda p: p + (p[:, :1] * p[:, 1:2] * p[:, 2:] * (8 - p[:, 2:]) / 600) * (0, 0, 1), None),
    ):
        cell = mesh_cell(write_vtu(box(lines, lines, lines, "hexahedron", tilt=tilt), tmp_path), (8, 8, 8), electrode={})
        assert fem.assemble(cell, fem.grid(cell, 0)).bound == bound
        assert fem.grid(cell, 0).fits == (bound == "lower")


def test_what_gmsh_wrote_is_solved_and_both_versions_are_one_cell(band: tuple[float, float]) -> None:
    z = [impedance(mesh_cell({"file": str(REAL / f"disc-{v}.msh"), "boundary": BOUNDARY}, (50, 50, 50)), 2, band)
         for v in ("2.2", "4.1")]  # fmt: skip
    assert z[0] == pytest.approx(z[1], rel=1e-9)
    cell = mesh_cell({"file": str(REAL / "disc-4.1.msh"), "boundary": BOUNDARY}, (50, 50, 50))
    # A constriction adds at most the spreading of a disc on a half-space, 1/(4 kappa a), and less in a cell twice as wide.
    constriction = z[1][0].real - physical(cell).resistance
    assert 0 < constriction < 1 / (4 * 0.046 * 12.5e-6)


def test_a_spectrum_of_the_mesh_as_it_is_has_no_uncertainty(
    tmp_path: Path, every_process: fc.Cell, run: Callable[..., tuple[int, str, str]]
) -> None:
    cell, grid = stack(every_process, 2, 5)
    mesh = as_mesh(cell, write_gmsh22(of_grid(grid), tmp_path))
    mesh.save(tmp_path / "cell.toml")
    found = fc.solve(mesh, [1.0, 1e4], backend="fem")
    assert found.uncertainty is None
    assert found.provenance["grids"][0]["grid"] == "mesh"
    assert fc.resistance(mesh, backend="fem", uncertainty=True)[1] == np.inf
    status, _, _ = run("spectrum", tmp_path / "cell.toml", "--backend", "fem", "--frequencies", "1:1e4:2", "--out",
                       tmp_path / "z.csv", "--quiet")  # fmt: skip
    assert status == 0
    assert fc.Spectrum.load(tmp_path / "z.csv").impedance == pytest.approx(found.impedance, rel=1e-12)
    assert run("show", tmp_path / "cell.toml")[0] == 0


def test_an_accuracy_refines_the_mesh_and_its_uncertainty_holds_the_limit(every_process: fc.Cell, tmp_path: Path) -> None:
    cell, grid = stack(every_process, 2, 4)
    quarter = as_mesh(cell, write_vtu(of_grid(grid), tmp_path), quarter=True)
    frequency = [1.0, 1e5, 1e7]
    with pytest.warns(fc.ResolutionWarning, match="outside the asymptotic range"):  # so coarse, and said
        found = fc.solve(quarter, frequency, backend=FiniteElements(1), accuracy=0.1)
    expected = fc.solve(cell, frequency, backend="fem", accuracy=1e-4)
    away = np.abs(found.impedance / 4 - expected.impedance)
    assert np.all(away <= found.uncertainty / 4 + expected.uncertainty)
    assert np.all(found.uncertainty <= 0.1 * np.abs(found.impedance))
    assert [each["grid"] for each in found.provenance["grids"]][:2] == ["mesh", "mesh, refined 1 time"]


@pytest.mark.parametrize("ideal", [False, True])
@pytest.mark.parametrize("degree", [1, 2])
def test_the_order_stated_for_uniform_refinement_gives_uncertainties_that_hold(
    figure_2: fc.Cell, degree: int, ideal: bool, tmp_path: Path
) -> None:
    """On uniform grids of the box, the same elements: at least 92 % of frequencies, an honest 95 % within sampling error."""
    cell = figure_2.vary({"electrolyte.grain_boundaries": None})
    cell = cell.vary({"working_electrode.charge_transfer": None}) if ideal else cell
    frequency, band = np.geomspace(1e-1, 1e8, 28), (2 * np.pi * 1e-2, 2 * np.pi * 1e9)
    fem = FiniteElements(degree)
    section = write_vtu(of_grid(uniform(cell, 5)), tmp_path)
    order = uniform_order(cell.vary({"working_electrode.contact": {"shape": "mesh"}, "mesh": {"unit": "um", **section}}))
    grids = [replace(fem.uniform(cell, n), order=order) for n in (4, 8, 16, 32)]
    solved = tuple(solve_grid(cell, fem, grid, band) for grid in grids)
    truth = fc.solve(cell, frequency, backend="fem", accuracy=1e-4)
    for levels in (3, 4):
        limit = Family(Problem.of(cell), fem, solved[:levels]).limit(frequency)
        assert np.mean(np.abs(limit.value - truth.impedance) <= limit.uncertainty + truth.uncertainty) >= 0.92


def test_what_cannot_take_a_mesh_says_so(tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    lines = np.linspace(0, 8, 3)
    cell = mesh_cell(write_gmsh22(box(lines, lines, lines, "tetra"), tmp_path), (8, 8, 8), electrode={})
    with pytest.raises(
        InputError, match="mesh is not allowed for `spectrum --resolution` with backend 'fem'.*allowed are `spectrum`"
    ):
        fc.solve(cell, [1.0], backend="fem", resolution=20)
    with pytest.raises(InputError, match="mesh is not allowed for `fields`"):
        fc.fields.solve_fields(cell, 1.0)
    cell.save(tmp_path / "cell.toml")
    status, _, err = run("bounds", tmp_path / "cell.toml")
    assert status == 2
    assert "mesh is not allowed for `bounds`" in err
