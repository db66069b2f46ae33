"""points, cells and named faces from a mesh file, read by meshio and checked: what the electrolyte of a cell is.

Cells of the electrolyte are tetrahedra or hexahedra, all of one kind; named faces are triangles or quadrilaterals that are
facets of those cells. How regions are named: `meshnames`.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.cell.mesh import Mesh
from fem_constriction.cell.mesh_grains import boundaries, every_cell, grain_of, of_distinct, on_side
from fem_constriction.cell.meshnames import KINDS, Names, refuse, refused
from fem_constriction.errors import InputError, MemoryShort
from fem_constriction.geometry.facets import MIRRORED, Facets, Integers, affine, areas, parts, spans, volumes
from fem_constriction.sources.contents import Contents, contents
from fem_constriction.sources.meshreaders import guard
from fem_constriction.sources.meshsources import SURFACES, abaqus_text, leads_of_mesh

ELECTRODES = ("contact", "pore", "counter_electrode")
FACES = (*ELECTRODES, "grain_boundaries")

#: What meshio says of tags after the second, partitions for instance: regions are the first two.
_MORE_TAGS = "Warning: The file contains tag data that couldn't be processed."

#: Relative rounding of areas and volumes of a mesh whose current is uniform: coordinates are often written with seven digits.
EVEN = 1e-6

#: Nodes closer than this part of the cell's size are in one place.
COINCIDENT = 1e-9


@dataclass(frozen=True, eq=False)
class RegionMesh:
    """points (n, 3) in m; cells (m, 4 or 8), positively oriented, in VTK's order; faces: region -> vertices (k, 3 or 4)."""

    points: Array
    cells: Integers
    faces: Mapping[str, Integers]


@dataclass(frozen=True)
class Measure:
    """What a mesh is like: numbers of cells and vertices, its box (m), its volume (m3), areas of its faces (m2).

    outside: facets with one cell, boundaries counted twice; corners: vertices of a cell; doubled: at most so many nodes more
    where boundaries are cut; walls: of faces in no region; sides: extent of the contact along x and y (m); crossings:
    int n_z^2 dA/A over the boundaries, which a uniform current along z meets as crossings/(y_gb A): their number where they are
    planes across the cell; even: whether they are that, and the mesh fills its box; affine: whether cells are affine images of
    their reference, so that integrals are exact.
    """

    cells: int
    vertices: int
    outside: int
    corners: int
    doubled: int
    box: tuple[float, float, float]
    volume: float
    contact: float
    pore: float
    counter_electrode: float
    boundaries: float
    walls: float
    crossings: float
    even: bool
    affine: bool
    sides: tuple[float, float]
    sha256: str

    @property
    def electrode(self) -> float:
        """A = A_c + A_pore, m2."""
        return self.contact + self.pore


def measured(section: Mesh) -> Measure:
    """Return what the mesh of a section is like. Raises InputError as `read_mesh`."""
    return _known(section)[1]


def read_mesh(section: Mesh) -> RegionMesh:
    """Return the mesh of a section.

    Raises InputError for a file that is not there, not readable or not three-dimensional, for regions that it does not hold
    (with the names it does hold), for faces that are no facets of the electrolyte, overlap or lie where they may not, for cells
    that are folded or of a kind that is not solved, and for parts that hang on no electrode.
    """
    return _known(section)[0]


def contents_of(section: Mesh) -> Contents:
    """Return what is read with the file of a section, and its digest. Raises InputError as `read_mesh`."""
    path = Path(section.file)
    if not path.is_file():
        refuse(section, "it is a folder, not a file" if path.is_dir() else "there is no such file")
    try:
        return contents(path, leads_of_mesh)
    except MemoryShort:
        raise
    except (InputError, OSError, UnicodeError) as error:
        raise refused(section, str(error)) from None


def _known(section: Mesh) -> tuple[RegionMesh, Measure]:
    found = contents_of(section)
    if section.sha256 not in (None, found.digest):
        raise found.mismatch("mesh.sha256", str(section.sha256), "mesh")
    return _cached(section, found.digest)


@lru_cache(maxsize=4)
def _cached(section: Mesh, digest: str) -> tuple[RegionMesh, Measure]:
    """By what is read: another content, wherever it is, is another mesh."""
    read = _read(section)
    if contents_of(section).digest != digest:
        refuse(section, "it was changed while it was read")
    mesh = _regions(section, read)
    return mesh, _checked(section, mesh, digest)


def _read(section: Mesh) -> Any:
    """The file as meshio has it; meshio prints, or ends the process, where it cannot read one.

    Where it leaves something out it says so on standard error, and numpy warns of text that is no number: both are faults.
    """
    import meshio

    guard()
    said, warned = io.StringIO(), io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(warned),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always")
            found = meshio.read(*_handed_over(Path(section.file)))
    except MemoryShort:
        raise
    except InputError as error:
        raise refused(section, str(error)) from None
    except (Exception, SystemExit) as error:  # each reader has its own kinds
        return refuse(section, _unread(section, error, f"{said.getvalue()} {warned.getvalue()}"))
    faults = [str(each.message) for each in caught if not _of_age(each.category) or "unmatched data" in str(each.message)]
    left_out = " ".join(warned.getvalue().split()).replace(_MORE_TAGS, "").strip()
    if faults or left_out:
        reason = " ".join(" ".join([left_out, *faults]).split())
        refuse(section, f"it is not read whole ({reason.removeprefix('Warning: ')})")
    return found


def _unread(section: Mesh, error: BaseException, said: str) -> str:
    """Why a file was not read: in the words of its reader, where these are about the file and not about the reader."""
    import meshio

    name = section.file.lower()
    formats = {kind for suffix, kinds in meshio.extension_to_filetypes.items() if name.endswith(suffix) for kind in kinds}
    if isinstance(error, ModuleNotFoundError):
        return f"it takes {error.name}, which is not installed"
    words = re.sub(r"\s*Error: Couldn't read file .*", "", " ".join(said.split()))
    if not words and isinstance(error, (OSError, EOFError, SyntaxError, meshio.ReadError)):
        words = " ".join(str(error).split())
    if not formats:
        return f"its name ends in none of {', '.join(sorted(set(meshio.extension_to_filetypes) - set(SURFACES)))}"
    return f"it cannot be read as {' or '.join(sorted(formats))}: {words or 'it is cut off, damaged or of another kind'}"


def _handed_over(path: Path) -> tuple[Any, str | None]:
    """What meshio reads, and of which format that is (None: what the name says)."""
    return (io.StringIO(abaqus_text(path)), "abaqus") if path.suffix.lower() == ".inp" else (str(path), None)


def _of_age(kind: type[Warning]) -> bool:
    """Whether a warning is about how a library is used, not about the file."""
    return issubclass(kind, (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ResourceWarning))


@np.errstate(all="ignore")
def _regions(section: Mesh, file: Any) -> RegionMesh:
    """The named cells and faces, of straight first order, with the vertices that the electrolyte uses."""
    if np.ndim(file.points) != 2 or not len(file.points):
        refuse(section, "it has no points")
    if file.points.shape[1] != 3 or not any(KINDS.get(block.type, (0, 0))[0] == 3 for block in file.cells):
        kinds = ", ".join(sorted({block.type for block in file.cells})) or "no cells"
        refuse(section, f"it has {kinds}, and tetrahedra or hexahedra in space are allowed")
    names = Names(section, file)
    whole = section.grains is not None and section.regions.electrolyte is None and "electrolyte" not in names.known[3]
    wanted = {"electrolyte": every_cell(file) if whole else names.found(3, "electrolyte", required=True)}
    for region in FACES:
        if region == "grain_boundaries" and (section.boundary is None or section.grains is not None):
            continue
        required = region in ("contact", "counter_electrode") or region == "grain_boundaries"
        wanted[region] = names.found(2, region, required=required)
    names.complain()
    points = np.asarray(file.points, dtype=float) * section.metre
    found = {region: names.vertices(where, region) for region, where in wanted.items()}
    cells = found.pop("electrolyte")
    if section.grains is not None and section.boundary is not None:
        where = wanted["electrolyte"]
        found["grain_boundaries"] = boundaries(cells, of_distinct(names, where, grain_of(section, names, where)))
    for region, side in names.sides.items():
        taken = [faces for other, faces in found.items() if other != region]
        found[region] = on_side(points, cells, side, taken)
    if strange := int(np.sum(~np.isfinite(points[np.unique(cells)]).all(1))):
        refuse(section, f"{strange} of {len(points)} nodes have coordinates that are no numbers")
    used, inverse = np.unique(cells, return_inverse=True)
    new = np.full(len(points), -1, dtype=np.int64)
    new[used] = np.arange(used.size)
    faces = {region: new[each] for region, each in found.items()}
    points, cells = points[used], np.asarray(inverse.reshape(cells.shape), dtype=np.int64)
    mirrored = spans(points, cells).sum(1) < 0
    cells[mirrored] = cells[mirrored][:, MIRRORED[cells.shape[1]]]
    return RegionMesh(points, cells, faces)


@np.errstate(all="ignore")  # what overflows or is no number is seen by the checks themselves
def _checked(section: Mesh, mesh: RegionMesh, digest: str) -> Measure:
    """Refuse what cannot be solved; return what the mesh is like."""
    points, cells = mesh.points, mesh.cells
    folded = int(np.sum(~(spans(points, cells).min(1) > 0)))
    if folded:
        refuse(section, f"{folded} of {len(cells)} cells of the electrolyte are folded or flat")
    _one_node_per_place(section, points)
    facets = Facets.build(cells)
    if overlap := facets.overlapping(points, cells):
        refuse(section, f"{overlap} facets of the electrolyte have both of their cells on one side: the mesh is folded")
    if facets.count.max() > 2:
        refuse(section, f"{int(np.sum(facets.count > 2))} facets belong to more than two cells of the electrolyte")
    found = {region: _facets_of(section, facets, faces, region) for region, faces in mesh.faces.items()}
    owner = np.full(len(facets.count), -1)
    for number, region in enumerate(ELECTRODES):
        at = found[region]
        if np.any(both := owner[at] >= 0):
            other = ELECTRODES[int(owner[at][both][0])]
            refuse(section, f"{int(both.sum())} faces belong to {region} and to {other}, and one of the two is allowed")
        owner[at] = number
    sizes = areas(points, facets.vertices)
    area = np.linalg.norm(sizes, axis=1)
    electrode = {region: float(area[found[region]].sum()) for region in ELECTRODES}
    if electrode["contact"] + electrode["pore"] == 0:
        refuse(section, "no faces are contact and none are pores: no current can enter the cell")
    inner = found.get("grain_boundaries", np.zeros(0, dtype=np.int64))
    volume = volumes(points, cells)
    _hangs_together(section, facets, found, volume)
    box = np.ptp(points, axis=0)
    across = np.abs(sizes[inner, 2]).sum() >= (1 - EVEN) * area[inner].sum()
    contact = points[facets.vertices[found["contact"]]].reshape(-1, 3)
    sides = np.ptp(contact, axis=0) if len(contact) else np.zeros(3)
    return Measure(
        cells=len(cells),
        vertices=len(points),
        outside=int(np.sum(facets.count == 1)) + 2 * inner.size,
        corners=cells.shape[1],
        doubled=facets.vertices.shape[1] * inner.size,  # k facets divide the cells around a node into k + 1 groups at most
        box=(float(box[0]), float(box[1]), float(box[2])),
        volume=float(volume.sum()),
        **electrode,
        boundaries=float(area[inner].sum()),
        walls=float(area[(facets.count == 1) & (owner < 0)].sum()),
        crossings=float(np.sum(sizes[inner, 2] ** 2 / area[inner]) / (electrode["contact"] + electrode["pore"])),
        even=bool(across and volume.sum() >= (1 - EVEN) * np.prod(box)),
        affine=affine(points, cells),
        sides=(float(sides[0]), float(sides[1])),
        sha256=digest,
    )


def _one_node_per_place(section: Mesh, points: Array) -> None:
    near = np.round((points - points.min(0)) / (COINCIDENT * np.ptp(points, axis=0).max())).astype(np.int64)
    double = len(points) - len(np.unique(near, axis=0))
    if double:
        refuse(
            section,
            f"{double} of {len(points)} nodes lie where others do, and one node per place is allowed: parts must share their "
            "nodes (in Gmsh: fragments, or Coherence Mesh); those of grain boundaries are doubled when the mesh is solved",
        )


def _facets_of(section: Mesh, facets: Facets, faces: Integers, region: str) -> Integers:
    """The numbers of a region's faces, which lie on the outside of the electrolyte, or inside it for grain boundaries."""
    number = facets.find(faces) if faces.shape[1] == facets.vertices.shape[1] else np.full(len(faces), -1)
    strange = int(np.sum(number < 0))
    if strange:
        refuse(section, f"{strange} of {len(faces)} faces of {region} are no facets of the electrolyte's cells")
    cells, where = (2, "inside it") if region == "grain_boundaries" else (1, "on the outside of the electrolyte")
    wrong = int(np.sum(facets.count[number] != cells))
    if wrong:
        is_ = "on the outside of the electrolyte" if cells == 2 else "inside it"
        refuse(section, f"{wrong} of {len(faces)} faces of {region} lie {is_}, and {where} is allowed")
    return number


def _hangs_together(section: Mesh, facets: Facets, found: Mapping[str, Integers], volume: Array) -> None:
    """Every part must touch the contact or the counter electrode, or its potential is not determined; one must touch both."""
    number, part = parts(facets)
    touched = {region: np.unique(part[facets.first[0][found[region]]]) for region in ELECTRODES}
    loose = np.setdiff1d(np.arange(number), np.concatenate([touched["contact"], touched["counter_electrode"]]))
    if loose.size:
        hanging = float(volume[np.isin(part, loose)].sum())
        refuse(
            section,
            f"{loose.size} part{'s' * (loose.size > 1)} of the electrolyte, {hanging:.6g} m^3 of {volume.sum():.6g} m^3, "
            "hang on neither the contact nor the counter electrode: their potential is not determined",
        )
    way_in = "contact" if found["contact"].size else "pore"
    if not np.intersect1d(touched[way_in], touched["counter_electrode"]).size:
        refuse(section, f"no part of the electrolyte joins {way_in} to counter_electrode: no current can flow")
