"""Verdict, radius of the guaranteed discs and R_Cstr of one body of each sort, as a table.

python -m validation.benchmarks.bodies [--json]
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from skfem import MeshTet

from fem_constriction.cell.cell import Cell
from fem_constriction.geometry.grains import voronoi
from validation.benchmarks.harness import Clock
from validation.gate.run import crosscheck

#: 100 mHz to 10 MHz.
FREQUENCIES: Final = np.geomspace(1e-1, 1e7, 9)

#: Asked of every body but the mesh, whose twins are known to 5 %.
TOLERANCE: Final = {"mesh and its twin": 0.1}
USUAL: Final = 0.05

_BOUNDARY: Final = {"thickness": "10 nm", "conductivity": "5.97 uS/cm", "relative_permittivity": 150}
_TRANSFER: Final = {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}


def bodies(folder: Path) -> Mapping[str, Cell]:
    """Return one cell of each sort, of voxels of 1 um, or of a mesh that is written to a folder."""
    random = np.random.default_rng(1)
    grains = voronoi((8, 8, 8), 8, 1)
    inner = np.zeros(grains.shape, dtype=bool)
    inner[1:-1] = random.random((6, 8, 8)) < 0.1
    holes, mixed, rough = (grains.copy() for _ in range(3))
    holes[inner] = mixed[inner] = 100
    rough[0], rough[1][random.random((8, 8)) < 0.3] = 101, 101
    rough[0, 2:6, 2:6] = 102
    metal = {"label": 102, "kind": "electrode", "tied_to": "working"}
    void = {"label": 101, "kind": "hole"}
    better = {"label": 100, "kind": "inclusion", "conductivity": "46 mS/cm", "relative_permittivity": 150}
    return {
        "Voronoi polycrystal": _image({"generator": "voronoi", "grains": 8, "seed": 1}),
        "bricks": _image({"generator": "cubic", "grain_size": "2 um"}),
        "holes, 10 %": _image({"image": holes, "phases": [{"label": 100, "kind": "hole"}]}),
        "inclusions of contrast 100": _image({"image": mixed, "phases": [better]}),
        "metal and voids in the image": _image({"image": rough, "phases": [metal, void], "voids": [101]}, 1.0),
        "mesh and its twin": _mesh(folder),
    }


def _image(structure: Mapping[str, Any], fraction: float = 0.25) -> Cell:
    return Cell(
        geometry={"width": "8 um", "thickness": "8 um"},
        electrolyte={
            "conductivity": "0.46 mS/cm",
            "relative_permittivity": 150,
            "microstructure": {"voxel": "1 um", "boundary": _BOUNDARY, **structure},
        },
        working_electrode={
            "contact": {"shape": "square", "fraction": fraction},
            "charge_transfer": _TRANSFER,
            "pore": {"capacitance": "8.85 uF/cm^2"} if fraction < 1 else None,
        },
    )


def _mesh(folder: Path) -> Cell:
    """A box of 50 um in tetrahedra: a quarter of its face is contact, and a boundary of slope 0.2 runs through it."""
    mesh = MeshTet.init_tensor(np.linspace(0, 50, 5), np.linspace(0, 50, 5), np.linspace(0, 50, 5))
    corners = mesh.p[:, mesh.facets]
    middle, flat = corners.mean(1), np.ptp(corners[2], axis=0) < 1e-9
    side = {z: flat & (np.abs(middle[2] - z) < 1e-9) for z in (0, 25, 50)}
    inside = (np.abs(middle[0] - 25) < 12.5) & (np.abs(middle[1] - 25) < 12.5)
    faces = {2: side[0] & inside, 3: side[0] & ~inside, 4: side[50], 5: side[25]}
    points = mesh.p.T.copy()
    points[:, 2] += 0.2 * (points[:, 0] - 25) * (1 - np.abs(points[:, 2] - 25) / 25)
    names = ("electrolyte", "contact", "pore", "counter_electrode", "grain_boundaries")
    rows = [(4, 1, mesh.t.T), *((2, number, mesh.facets.T[each]) for number, each in faces.items())]
    elements = [f"{kind} 2 {tag} {tag} {' '.join(map(str, each + 1))}" for kind, tag, block in rows for each in block]
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$PhysicalNames", str(len(names))]
    lines += [f'{3 if tag == 1 else 2} {tag} "{name}"' for tag, name in enumerate(names, 1)]
    lines += ["$EndPhysicalNames", "$Nodes", str(len(points))]
    lines += [f"{number} {' '.join(f'{each:.17g}' for each in point)}" for number, point in enumerate(points, 1)]
    lines += ["$EndNodes", "$Elements", str(len(elements))]
    lines += [f"{number} {each}" for number, each in enumerate(elements, 1)]
    file = folder / "box.msh"
    file.write_text("\n".join([*lines, "$EndElements", ""]))
    return Cell(
        geometry={"width": "50 um", "thickness": "50 um"},
        electrolyte={"conductivity": "0.46 mS/cm", "relative_permittivity": 150},
        working_electrode={
            "contact": {"shape": "mesh"},
            "charge_transfer": _TRANSFER,
            "pore": {"capacitance": "8.85 uF/cm^2"},
        },
        mesh={
            "file": str(file),
            "unit": "um",
            "boundary": {**_BOUNDARY, "conductivity": "0.12 uS/cm"},
        },
    )


def row(name: str, cell: Cell) -> dict[str, Any]:
    """Return what a cross-check says of a body."""
    clock = Clock()
    result = crosscheck(cell, FREQUENCIES, tolerance=TOLERANCE.get(name, USUAL))
    agreement, geometric = result.agreement, result.geometric
    one, other = (each.impedance for each in agreement.limits.values())
    z = np.abs(one + other) / 2
    return {
        "body": name,
        "verdict": agreement.verdict,
        "tolerance": TOLERANCE.get(name, USUAL),
        "difference": float(np.max(np.abs(one - other) / z)),
        "radius": None if agreement.discs is None else float(np.max(agreement.discs.radius / z)),
        "R_Cstr_ohm": None if geometric is None else geometric.value,
        "uncertainty_ohm": None if geometric is None else geometric.uncertainty,
        "enclosure_ohm": None if geometric is None else geometric.enclosure,
        "cpu_seconds": clock.cpu_seconds,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        "| body | verdict (tolerance) | limits apart | radius of discs | R_Cstr, kohm | enclosed in, kohm |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for each in rows:
        value, u, pair = each["R_Cstr_ohm"], each["uncertainty_ohm"], each["enclosure_ohm"]
        stated = "not stated" if value is None else f"{value / 1e3:.4g} ± {u / 1e3:.2g}"
        enclosed = "" if pair is None else f"{pair[0] / 1e3:.4g} to {pair[1] / 1e3:.4g}"
        radius = "" if each["radius"] is None else f"{each['radius']:.1e}"
        verdict = f"{each['verdict']} ({each['tolerance']:g})"
        lines.append(f"| {each['body']} | {verdict} | {each['difference']:.1e} | {radius} | {stated} | {enclosed} |")
    return "\n".join(lines)


def main(as_json: bool) -> None:
    """Write the table, or a line of JSON per body."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = []
        for name, cell in bodies(Path(folder)).items():
            rows.append(row(name, cell))
            if as_json:
                sys.stdout.write(json.dumps(rows[-1]) + "\n")
                sys.stdout.flush()
        if not as_json:
            sys.stdout.write(table(rows) + "\n")


if __name__ == "__main__":
    main("--json" in sys.argv[1:])
