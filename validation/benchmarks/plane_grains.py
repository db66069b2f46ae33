"""R_DC of Voronoi grains pictured by voxels, against the same grains with their plane faces, meshed along them.

python -m validation.benchmarks.plane_grains [picture.png]

The body is that of `generator = "voronoi"`: seeds in a cube, every point of the grain of the nearest one. With its mirror
images beside it every cell of its Voronoi diagram is a polyhedron of the cube; Gmsh (an extra) fills these with tetrahedra that
share their faces. Boundaries have their true area there, and only the grid's error is left, which a family of meshes states.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.geometry.grains import seeds_of
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.refinement import solve_family

#: Edge of the cube, um; grains; seed; size of tetrahedra over the edge; voxels per edge.
EDGE, GRAINS, SEED, SIZE, VOXELS = 8.0, 8, 1, 0.2, (8, 16, 32)

_BOUNDARY: Final = {"thickness": "10 nm", "conductivity": "5.97 uS/cm", "relative_permittivity": 150}
_TRANSFER: Final = {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}


def polyhedra(seeds: Array) -> tuple[Array, list[list[list[int]]]]:
    """Return vertices (n, 3) and, for each seed in the unit cube, the faces of its cell as numbers of vertices, in order."""
    from scipy.spatial import Voronoi

    mirrored = [seeds]
    for axis in range(3):
        for wall in (0.0, 1.0):
            other = seeds.copy()
            other[:, axis] = 2 * wall - other[:, axis]
            mirrored.append(other)
    found = Voronoi(np.concatenate(mirrored))
    faces: list[list[list[int]]] = [[] for _ in seeds]
    for (one, other), ridge in zip(found.ridge_points, found.ridge_vertices, strict=True):
        for each in (one, other):
            if each < len(seeds):
                faces[each].append([int(vertex) for vertex in ridge])
    return np.asarray(found.vertices), faces


def write_mesh(file: Path, seeds: Array, edge: float, size: float) -> None:
    """Write the cells of seeds (n, 3) in the unit cube as tetrahedra, one physical group per grain."""
    import gmsh

    points, cells = polyhedra(seeds)
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        geo, vertices, lines = gmsh.model.geo, dict[int, int](), dict[tuple[int, int], int]()
        surfaces: dict[frozenset[int], int] = {}

        def line(a: int, b: int) -> int:
            for each in (a, b):
                if each not in vertices:
                    vertices[each] = geo.addPoint(*(np.clip(points[each], 0, 1) * edge), size * edge)
            key = (min(a, b), max(a, b))
            if key not in lines:
                lines[key] = geo.addLine(vertices[key[0]], vertices[key[1]])
            return lines[key] if (a, b) == key else -lines[key]

        for number, faces in enumerate(cells, 1):
            own = []
            for face in faces:
                known = frozenset(face)
                if known not in surfaces:
                    loop = geo.addCurveLoop([line(a, b) for a, b in zip(face, [*face[1:], face[0]], strict=True)])
                    surfaces[known] = geo.addPlaneSurface([loop])
                own.append(surfaces[known])
            volume = geo.addVolume([geo.addSurfaceLoop(own)])
            geo.synchronize()
            gmsh.model.addPhysicalGroup(3, [volume], name=f"grain {number}")
        gmsh.model.mesh.generate(3)
        gmsh.write(str(file))
    finally:
        gmsh.finalize()


def meshed(file: Path, size: float = SIZE) -> Cell:
    """Return the cell of the grains with plane faces; writes their mesh."""
    z, x, y = seeds_of((1, 1, 1), GRAINS, SEED, (1.0, 1.0, 1.0)).T
    write_mesh(file, np.column_stack([x, y, z]), EDGE, size)
    return _cell(
        {
            "mesh": {
                "file": str(file),
                "unit": "um",
                "grains": "groups",
                "regions": {"contact": "z min", "counter_electrode": "z max", "pore": []},
                "boundary": _BOUNDARY,
            },
            "contact": {"shape": "mesh"},
        }
    )


def pictured(voxels: int, area: str) -> Cell:
    """Return the cell of the same grains in so many voxels per edge, with either area of boundaries."""
    structure = {"generator": "voronoi", "grains": GRAINS, "seed": SEED, "voxel": f"{EDGE / voxels} um"}
    return _cell({"microstructure": {**structure, "boundary": {**_BOUNDARY, "area": area}}})


def _cell(own: dict[str, Any]) -> Cell:
    electrolyte: dict[str, Any] = {"conductivity": "0.46 mS/cm", "relative_permittivity": 150}
    if "microstructure" in own:
        electrolyte["microstructure"] = own["microstructure"]
    contact = own.get("contact", {"shape": "square", "fraction": 1.0})
    described: dict[str, Any] = {
        "geometry": {"width": f"{EDGE} um", "thickness": f"{EDGE} um"},
        "electrolyte": electrolyte,
        "working_electrode": {"contact": contact, "charge_transfer": _TRANSFER},
    }
    return Cell(**described, **({"mesh": own["mesh"]} if "mesh" in own else {}))


def resistance(cell: Cell, name: str) -> tuple[float, float]:
    """Return R_DC and its uncertainty, ohm."""
    return solve_family(Problem.of(cell), backend_named(name), None).resistance()


def measured(voxels: Sequence[int] = VOXELS, size: float = SIZE) -> dict[str, Any]:
    """Return R_DC of the plane faces, and of every picture the limit of its voxels, with uncertainties, ohm."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cell = meshed(Path(folder) / "grains.msh", size)
        uniform = EDGE * 1e-6 / (cell.electrolyte.conductivity * cell.area)
        found: dict[str, Any] = {"plane": resistance(cell, "fem"), "bulk": uniform, "edges": list(voxels)}
        for area in ("voxels", "smooth"):
            found[area] = [resistance(pictured(n, area), "network") for n in voxels]
    return found


def draw(found: dict[str, Any], file: Path) -> None:
    """Draw the errors of R_DC over the size of a voxel."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter

    plane, u = found["plane"]
    h = EDGE / np.array(found["edges"])
    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    axes = figure.subplots()
    for area, colour, marker in (("voxels", "#d55e00", "s"), ("smooth", "#0072b2", "o")):
        value, spread = np.array(found[area]).T
        off = 100 * (value / plane - 1)
        axes.errorbar(h, off, 100 * spread / plane, color=colour, marker=marker, label=f'area = "{area}"', capsize=3)
    axes.axhspan(-100 * u / plane, 100 * u / plane, color="#bbbbbb", alpha=0.6, lw=0, label="plane faces, meshed along them")
    axes.axhline(0, color="#555555", lw=0.8)
    axes.set_xscale("log")
    axes.set_xticks(h, [f"{each:g}" for each in h])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlabel="edge of the image's voxels / µm", ylabel="R$_{DC}$ of the image less that of plane faces / %")
    axes.set_title(f"{GRAINS} Voronoi grains in a cube of {EDGE:g} µm", fontsize=10)
    axes.legend(frameon=False, fontsize=9)
    figure.savefig(file, dpi=150)


def main(file: str | None) -> None:
    """Write the figures, and draw them."""
    found = measured()
    plane, u = found["plane"]
    sys.stdout.write(f"plane faces: {plane:.6g} ± {u:.2g} ohm, of which the bulk {found['bulk']:.6g}\n")
    for area in ("voxels", "smooth"):
        for n, (value, spread) in zip(found["edges"], found[area], strict=True):
            sys.stdout.write(f"{n}^3 voxels, area = {area}: {value / plane - 1:+.2%} ± {(spread + u) / plane:.2%}\n")
    if file is not None:
        draw(found, Path(file))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
