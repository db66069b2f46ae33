"""Polycrystals as Neper and Gmsh write them: a region of cells per grain, boundaries and electrodes without names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gmsh
import meshio
import numpy as np
import pytest
from mesh_files import BOUNDARY, LENGTHS, Named, box, mesh_cell, small, write_gmsh41

import fem_constriction as fc
from fem_constriction.cell.meshfile import read_mesh
from fem_constriction.errors import InputError

SIDES = {"contact": "z min", "counter_electrode": "z max", "pore": []}


def bricks(kind: str = "tetra") -> tuple[Named, np.ndarray]:
    """6 um x 4 um x 5 um of three grains: two above, x below and beyond 2 um, one of them reaching below 2.5 um too."""
    lines = (np.linspace(0, length, n + 1) for length, n in zip(LENGTHS, (3, 2, 2), strict=True))
    mesh = box(*lines, kind)
    middle = mesh.points[mesh.cells].mean(1)
    grain = np.where(middle[:, 2] > 2.5, 30, np.where(middle[:, 0] < 2, 10, 20))
    return mesh, grain


def between_bricks(mesh: Named, kind: str) -> Named:
    """The same with its boundaries named: z = 2.5 um, and x = 2 um above it."""

    def inside(corners: np.ndarray) -> np.ndarray:
        flat = np.all(np.abs(corners[2] - 2.5) < 1e-9, axis=0)
        return flat | (np.all(np.abs(corners[0] - 2) < 1e-9, axis=0) & np.all(corners[2] < 2.5 + 1e-9, axis=0))

    lines = (np.linspace(0, length, n + 1) for length, n in zip(LENGTHS, (3, 2, 2), strict=True))
    return box(*lines, kind, inside=inside)


def write_vtu(mesh: Named, grain: np.ndarray, folder: Path) -> dict[str, Any]:
    meshio.Mesh(mesh.points, [(mesh.kind, mesh.cells)], cell_data={"grain": [grain]}).write(folder / "grains.vtu")
    return {"file": str(folder / "grains.vtu"), "grains": "grain"}


def write_gmsh(mesh: Named, grain: np.ndarray, folder: Path) -> dict[str, Any]:
    """A volume per grain, each a named group of its own."""
    blocks = [(mesh.kind, mesh.cells[grain == number]) for number in np.unique(grain)]
    tags = [np.full((grain == number).sum(), number) for number in np.unique(grain)]
    names = {f"grain {number}": np.array([number, 3]) for number in np.unique(grain)}
    found = meshio.Mesh(mesh.points, blocks, cell_data={"gmsh:physical": tags, "gmsh:geometrical": tags}, field_data=names)
    meshio.write(folder / "grains.msh", found, file_format="gmsh22", binary=False)
    return {"file": str(folder / "grains.msh"), "grains": "groups"}


def write_elementary(mesh: Named, grain: np.ndarray, folder: Path) -> dict[str, Any]:
    return write_gmsh(mesh, grain, folder) | {"grains": "gmsh:geometrical"}


def write_neper(mesh: Named, grain: np.ndarray, folder: Path) -> dict[str, Any]:
    """Version 2.2 with sections of Neper's own, elements with three tags, cells alone."""
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$MeshVersion", "2.2.3", "$EndMeshVersion"]
    lines += ["$Domain", "cube", "$EndDomain", "$Nodes", str(len(mesh.points))]
    lines += [f"{k} {p[0]:.12g} {p[1]:.12g} {p[2]:.12g}" for k, p in enumerate(mesh.points, start=1)]
    lines += ["$EndNodes", "$Elements", str(len(mesh.cells))]
    code = {"tetra": 4, "hexahedron": 5}[mesh.kind]
    for k, (cell, of) in enumerate(zip(mesh.cells, grain, strict=True), start=1):
        lines.append(f"{k} {code} 3 {of} {of} 0 " + " ".join(str(vertex + 1) for vertex in cell))
    lines += ["$EndElements", "$ElsetOrientations", "1 rodrigues:active", "1 0.1 0.2 0.3", "$EndElsetOrientations"]
    (folder / "neper.msh").write_text("\n".join(lines) + "\n")
    return {"file": str(folder / "neper.msh"), "grains": "gmsh:physical"}


@pytest.mark.parametrize("kind", ["tetra", "hexahedron"])
@pytest.mark.parametrize("write", [write_vtu, write_gmsh, write_elementary, write_neper])
def test_boundaries_are_found_between_grains(write: Callable[..., dict[str, Any]], kind: str, tmp_path: Path) -> None:
    mesh, grain = bricks(kind)
    section = {**write(mesh, grain, tmp_path), "regions": SIDES, "boundary": BOUNDARY}
    cell = mesh_cell(section, LENGTHS, electrode={})
    found = read_mesh(cell.mesh)
    named = write_gmsh41(between_bricks(mesh, kind), tmp_path)
    expected = mesh_cell({**named, "boundary": BOUNDARY, "regions": {"pore": []}}, LENGTHS, electrode={})
    assert {name: len(faces) for name, faces in found.faces.items()} == {
        name: len(faces) for name, faces in read_mesh(expected.mesh).faces.items()
    }
    assert fc.resistance(cell, backend="fem") == pytest.approx(fc.resistance(expected, backend="fem"), rel=1e-9)
    assert fc.Cell.loads(cell.dumps()) == cell


def test_without_boundaries_grains_are_one_electrolyte(tmp_path: Path) -> None:
    mesh, grain = bricks()
    cell = mesh_cell({**write_vtu(mesh, grain, tmp_path), "regions": SIDES}, LENGTHS, electrode={}, counter={})
    assert fc.resistance(cell, backend="fem") == pytest.approx(5e-6 / (0.046 * 24e-12), rel=1e-9)


def test_a_side_is_what_no_other_region_has(tmp_path: Path) -> None:
    """Contact by name, and pores the rest of z min."""
    named = small("tetra", middle=False)
    whole = mesh_cell(write_gmsh41(named, tmp_path), LENGTHS)
    bare = replace(named, faces={name: faces for name, faces in named.faces.items() if name == "contact"})
    (tmp_path / "bare").mkdir()
    section = write_gmsh41(bare, tmp_path / "bare")
    rest = mesh_cell({**section, "regions": {"pore": "z min", "counter_electrode": "z max"}}, LENGTHS)
    z = fc.solve(whole, [1e3, 1e6], backend="fem").impedance
    assert fc.solve(rest, [1e3, 1e6], backend="fem").impedance == pytest.approx(z, rel=1e-9)


def test_what_says_nothing_of_grains_is_refused(tmp_path: Path) -> None:
    mesh, grain = bricks()
    section = {**write_vtu(mesh, grain, tmp_path), "regions": SIDES, "boundary": BOUNDARY}
    with pytest.raises(InputError, match=r"it has no array 'crystal' for mesh.grains: its arrays are 'grain'"):
        mesh_cell({**section, "grains": "crystal"}, LENGTHS)
    with pytest.raises(InputError, match=r"it has no named groups of cells for mesh.grains"):
        mesh_cell({**section, "grains": "groups"}, LENGTHS)
    halves = {**write_vtu(mesh, grain + 0.5, tmp_path), "regions": SIDES, "boundary": BOUNDARY}
    with pytest.raises(InputError, match="its array 'grain' does not hold one whole number for every cell"):
        mesh_cell(halves, LENGTHS)


def test_a_polycrystal_of_gmsh_is_read_as_it_is_written(tmp_path: Path) -> None:
    """Three grains in a row along z, meshed by Gmsh itself, no group and no face named: L/(kappa A) and two boundaries."""
    gmsh.initialize()
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        boxes = [(3, gmsh.model.occ.addBox(0, 0, z, 2, 2, 1)) for z in range(3)]
        gmsh.model.occ.fragment(boxes[:1], boxes[1:])
        gmsh.model.occ.synchronize()
        gmsh.option.setNumber("Mesh.MeshSizeMax", 1.0)
        gmsh.model.mesh.generate(3)
        gmsh.write(str(tmp_path / "row.msh"))
    finally:
        gmsh.finalize()
    section = {"file": str(tmp_path / "row.msh"), "grains": "gmsh:geometrical", "regions": SIDES, "boundary": BOUNDARY}
    cell = mesh_cell(section, (2.0, 2.0, 3.0), electrode={}, counter={})
    area, y = 4e-12, 0.05e-4 / 10e-9  # 0.05 uS/cm over 10 nm
    assert fc.resistance(cell, backend="fem") == pytest.approx(3e-6 / (0.046 * area) + 2 / (y * area), rel=1e-9)
