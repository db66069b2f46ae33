"""Meshes for tests: boxes by scikit-fem with named faces, written by meshio as programs write them, and their cells."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import meshio
import numpy as np
from skfem import MeshHex, MeshTet
from skfem.io.meshio import HEX_MAPPING

import fem_constriction as fc
from fem_constriction.grids.grid import Grid

#: Regions and the numbers they have in files that know no names.
NUMBERS = {"electrolyte": 1, "contact": 2, "pore": 3, "counter_electrode": 4, "grain_boundaries": 5}
FACE = {"tetra": "triangle", "hexahedron": "quad"}

#: Materials of the paper's figure 2; sections of a cell file.
ELECTROLYTE = {"conductivity": "0.46 mS/cm", "relative_permittivity": 150}
ELECTRODE = {
    "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
    "pore": {"capacitance": "8.85 uF/cm^2"},
}
COUNTER = {"charge_transfer": {"resistance": "2 ohm cm^2", "capacitance": "8.85 uF/cm^2"}}
BOUNDARY = {"thickness": "10 nm", "conductivity": "0.05 uS/cm", "relative_permittivity": 150}


@dataclass
class Named:
    """points (n, 3) in um; cells and faces by their vertices; cells are of the electrolyte."""

    points: np.ndarray
    kind: str
    cells: np.ndarray
    faces: dict[str, np.ndarray]


def box(x: np.ndarray, y: np.ndarray, z: np.ndarray, kind: str, *, tilt: Callable[[np.ndarray], np.ndarray] | None = None,
        inside: Callable[[np.ndarray], np.ndarray] | None = None,
        contact: Callable[[np.ndarray], np.ndarray] = lambda p: np.ones(p.shape[1], dtype=bool)) -> Named:  # fmt: skip
    """A tensor mesh of a box in um, WE at z = 0; contact, inside: which facets (by their centres) are contact and boundary.

    tilt: moves the points after the facets have been chosen.
    """
    mesh = (MeshHex if kind == "hexahedron" else MeshTet).init_tensor(x, y, z)
    corners = mesh.p[:, mesh.facets]
    centre, flat = corners.mean(1), np.ptp(corners[2], axis=0) < 1e-9
    we, ce = flat & (np.abs(centre[2]) < 1e-9), flat & (np.abs(centre[2] - z[-1]) < 1e-9)
    where = {"contact": we & contact(centre), "pore": we & ~contact(centre), "counter_electrode": ce}
    if inside is not None:
        where["grain_boundaries"] = (mesh.f2t[1] >= 0) & inside(corners)
    faces = {name: around(mesh.p.T, mesh.facets.T[mask]) for name, mask in where.items() if mask.any()}
    order = HEX_MAPPING[:8] if kind == "hexahedron" else [0, 1, 2, 3]
    points = mesh.p.T if tilt is None else tilt(mesh.p.T)
    return Named(points, kind, mesh.t.T[:, order], faces)


def around(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Vertices of faces in order around them: by angle in the plane of the face."""
    if faces.shape[1] == 3 or not len(faces):
        return faces
    from_middle = points[faces] - points[faces].mean(1, keepdims=True)
    one = from_middle[:, 0]
    normal = np.cross(one, from_middle[:, 1] - from_middle[:, 2])
    other = np.cross(normal, one)
    unit = [axis / np.linalg.norm(axis, axis=1, keepdims=True) for axis in (one, other)]
    angle = np.arctan2(*(np.einsum("kid,kd->ki", from_middle, axis) for axis in unit[::-1]))
    return np.take_along_axis(faces, np.argsort(angle, axis=1), axis=1)


def of_grid(grid: Grid, kind: str = "hexahedron") -> Named:
    """The mesh of a rectilinear grid of the whole cell, its boundaries between layers."""
    x, y, z = (lines * 1e6 for lines in grid.axes)
    planes = [lines[-1] * 1e6 for lines in grid.layers[:-1]]

    def touching(p: np.ndarray) -> np.ndarray:
        index = [np.clip(np.searchsorted(lines, each) - 1, 0, len(lines) - 2) for lines, each in zip((x, y), p, strict=False)]
        return grid.contact[index[0], index[1]]

    def inside(corners: np.ndarray) -> np.ndarray:
        flat = np.ptp(corners[2], axis=0) < 1e-9
        return flat & np.any([np.abs(corners[2].mean(0) - plane) < 1e-6 for plane in planes], axis=0)

    return box(x, y, z, kind, contact=touching, inside=inside if planes else None)


def meshio_of(mesh: Named, *, numbers: bool = True) -> meshio.Mesh:
    """The mesh, a block of cells for each region, with an array `region` of numbers."""
    regions = {"electrolyte": mesh.cells} | mesh.faces
    blocks = [(mesh.kind if name == "electrolyte" else FACE[mesh.kind], rows) for name, rows in regions.items()]
    data = {"region": [np.full(len(rows), NUMBERS[name]) for name, rows in regions.items()]}
    return meshio.Mesh(mesh.points, blocks, cell_data=data if numbers else {})


def write_vtu(mesh: Named, folder: Path) -> dict[str, Any]:
    """Numbers in an array of cell data."""
    meshio_of(mesh).write(folder / "cell.vtu")
    named = {name: NUMBERS[name] for name in ("electrolyte", *mesh.faces)}
    return {"file": str(folder / "cell.vtu"), "data": "region", "regions": named}


def write_xdmf(mesh: Named, folder: Path) -> dict[str, Any]:
    """The same in XDMF, data in an HDF5 file beside it."""
    meshio_of(mesh).write(folder / "cell.xdmf")
    return write_vtu(mesh, folder) | {"file": str(folder / "cell.xdmf")}


def write_gmsh(mesh: Named, folder: Path, version: str) -> dict[str, Any]:
    """Physical groups by name."""
    found = meshio_of(mesh)
    tags = found.cell_data.pop("region")
    found.cell_data = {"gmsh:physical": tags, "gmsh:geometrical": tags}
    found.field_data = {name: np.array([n, 3 if n == 1 else 2]) for name, n in NUMBERS.items() if n == 1 or name in mesh.faces}
    if version == "gmsh":  # 4.1 keeps groups with geometrical entities, each of which has a node of its own in the file
        entity = np.tile([3, 1], (len(mesh.points), 1))
        for name, faces in mesh.faces.items():
            taken = [vertex for vertex in np.unique(faces) if entity[vertex, 0] == 3]
            entity[taken[len(taken) // 2]] = (2, NUMBERS[name])
        found.point_data["gmsh:dim_tags"] = entity
    meshio.write(folder / f"{version}.msh", found, file_format=version, binary=False)
    return {"file": str(folder / f"{version}.msh")}


def write_gmsh22(mesh: Named, folder: Path) -> dict[str, Any]:
    return write_gmsh(mesh, folder, "gmsh22")


def write_gmsh41(mesh: Named, folder: Path) -> dict[str, Any]:
    return write_gmsh(mesh, folder, "gmsh")


def write_abaqus(mesh: Named, folder: Path) -> dict[str, Any]:
    """Sets of elements."""
    found = meshio_of(mesh, numbers=False)
    tags = meshio_of(mesh).cell_data["region"]
    found.cell_sets = {name: [np.flatnonzero(each == NUMBERS[name]) for each in tags] for name in ("electrolyte", *mesh.faces)}
    found.write(folder / "cell.inp")
    return {"file": str(folder / "cell.inp")}


def write_med(mesh: Named, folder: Path) -> dict[str, Any]:
    """Families, which have negative numbers; one block of cells of each kind."""
    tags = np.concatenate([np.full(len(faces), -NUMBERS[name]) for name, faces in mesh.faces.items()])
    blocks = [(mesh.kind, mesh.cells), (FACE[mesh.kind], np.concatenate(list(mesh.faces.values())))]
    found = meshio.Mesh(mesh.points, blocks, cell_data={"cell_tags": [np.full(len(mesh.cells), -1), tags]})
    found.cell_tags, found.point_tags = {-number: [name] for name, number in NUMBERS.items()}, {}
    found.write(folder / "cell.med")
    return {"file": str(folder / "cell.med")}


WRITERS = [write_vtu, write_xdmf, write_gmsh22, write_gmsh41, write_abaqus, write_med]


def mesh_cell(section: dict[str, Any], lengths: tuple[float, float, float], **sections: Any) -> fc.Cell:
    """The cell of a mesh in um, with all processes unless sections say otherwise."""
    x, y, z = lengths
    return fc.Cell(
        geometry={"width": [f"{x} um", f"{y} um"], "thickness": f"{z} um"},
        electrolyte=ELECTROLYTE,
        working_electrode={"contact": {"shape": "mesh"}, **sections.get("electrode", ELECTRODE)},
        counter_electrode=sections.get("counter", COUNTER),
        mesh={"unit": "um", **section},
    )


#: Of `small`, in um.
LENGTHS = (6.0, 4.0, 5.0)


def small(kind: str = "tetra", middle: bool = True) -> Named:
    """3 x 2 x 2 bricks, a third of the WE face contact, a boundary in the middle."""
    inside = (lambda corners: np.all(np.abs(corners[2] - 2.5) < 1e-9, axis=0)) if middle else None
    lines = (np.linspace(0, length, n + 1) for length, n in zip(LENGTHS, (3, 2, 2), strict=True))
    return box(*lines, kind, contact=lambda p: p[0] < 2, inside=inside)


def digest_of(*files: Path) -> str:
    """What `sha256sum FILE` prints, and of several `sha256sum FILE OTHER | sha256sum`."""
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    lines = "".join(f"{each}  {path.name}\n" for each, path in zip(sums, files, strict=True))
    return sums[0] if len(files) == 1 else hashlib.sha256(lines.encode()).hexdigest()
