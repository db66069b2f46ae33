"""label(z, x, y) of a mesh: the voxel image that pictures it, so that a network can solve what a mesher made.

A voxel is of the grain that its middle lies in, or nothing where the mesh is not; the pixels of the face are contact where a
face of the contact is. Grains are the parts that the cells hang together in when boundaries are cut. Faces of
voxels have of a boundary's y_gb what the mesh's own normal there leaves them (`boundary_area`), and what contact and pores
conduct is spread over the pixels that stand for them, so that both areas are right at every size of voxels. What is left is an
error of first order in that size: where the outlines lie. A family of twins shows it but for one part: while h y_gb/kappa is
not small, current does not even out along the steps of a boundary, and its resistance is that of the steps (`unseen`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from fem_constriction import memory
from fem_constriction.arrays import Array
from fem_constriction.cell.mesh import Mesh as MeshSection
from fem_constriction.cell.meshfile import RegionMesh, read_mesh
from fem_constriction.errors import InputError
from fem_constriction.geometry.containing import TETRAHEDRA, TRIANGLES, containing, split
from fem_constriction.geometry.facets import Facets, Integers, areas
from fem_constriction.grids.boundary_area import BoundaryArea, rounded
from fem_constriction.grids.image_grid import image_grid
from fem_constriction.grids.mesh_grid import MeshGrid
from fem_constriction.problem.bodies import Image, Lengths, Mesh
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, GRAIN_BOUNDARY, PORE

#: Voxels along the cube root of the volume on the coarsest twin; each next one has twice as many.
COARSEST = 12

#: Factor that a share is multiplied by at most: boundaries of few voxels are pictured badly, and finer ones will tell.
MOST = 2.0

#: How far an electrode's node may be from its side of the box, over the thickness.
FLAT = 1e-6

Counts = tuple[int, int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class TwinGrid(MeshGrid):
    """The voxels of a mesh's twin as the grid of its cell: areas are those of the mesh's own faces.

    twin: the problem of the voxel image; stands_for: of each process on the face the area of the mesh's faces over that of the
    pixels that stand for them; boundaries: of each face of voxels the part of y_gb that it has; excess: by how much more the
    steps of boundaries hinder a uniform current than the boundaries do, in planes across the cell.
    """

    twin: Problem
    stands_for: Mapping[str, float]
    boundaries: BoundaryArea
    excess: float

    @property
    def shape(self) -> Counts:
        """Number of voxels along x, y and z."""
        return len(self.x) - 1, len(self.y) - 1, len(self.layers[0]) - 1

    @property
    def doubles(self) -> int:
        """Those of a label image: nothing is assembled, as it is of the mesh."""
        return Image.doubles

    @property
    def fits(self) -> bool:
        """No: voxels cut what the mesh is made of, and bound nothing of it."""
        return False


def counts_of(lengths: Lengths, level: int) -> Counts:
    """Return how many voxels lie along z, x and y: nearly cubes, twice as many along each axis with every level."""
    x, y, z = lengths
    edge = math.cbrt(x * y * z) / COARSEST
    first = [max(2, round(length / edge)) << level for length in (z, x, y)]
    return first[0], first[1], first[2]


def unfit(problem: Problem) -> InputError | None:
    """Return why a cell with a mesh has no twin of voxels; None where it has one."""
    body = Mesh.of(problem.body)
    why = _unfit(body.source, body.measure.sha256)
    if not why:
        return None
    return InputError(key="mesh.file", value=body.source.file, when="for a network of voxels", why=why)


@lru_cache(maxsize=8)
def _unfit(source: MeshSection, digest: str) -> str:
    del digest  # another content is another mesh
    mesh = read_mesh(source)
    z = mesh.points[:, 2]
    low, high = z.min(), z.max()
    for region, place, side in (("contact", low, "z min"), ("pore", low, "z min"), ("counter_electrode", high, "z max")):
        faces = mesh.faces.get(region)
        if faces is not None and len(faces) and np.abs(z[faces] - place).max() > FLAT * (high - low):
            return f"faces of {region} lie elsewhere than on the side {side} of the box, and voxels have their electrodes there"
    facets = Facets.build(mesh.cells)
    known = np.concatenate([facets.find(mesh.faces[name]) for name in ("contact", "pore", "counter_electrode")])
    outer = np.flatnonzero(facets.count == 1)
    at = z[facets.vertices[outer]]
    on_side = outer[(np.abs(at - low).max(1) <= FLAT * (high - low)) | (np.abs(at - high).max(1) <= FLAT * (high - low))]
    if len(walls := np.setdiff1d(on_side, known)) and (
        len(mesh.faces["pore"]) or np.any(np.abs(z[facets.vertices[walls]] - high).max(1) <= FLAT * (high - low))
    ):
        return f"{len(walls)} faces on the electrodes' sides of the box are in no region, and voxels have no walls there"
    grain = _grains(mesh, facets)
    inner, one, other = facets.pairs
    cut = np.isin(inner, facets.find(mesh.faces.get("grain_boundaries", mesh.cells[:0, :3])))
    if open_ := int(np.sum(grain[one[cut]] == grain[other[cut]])):
        return f"{open_} faces of grain_boundaries end inside a grain, and labels cannot say so"
    return ""


def _grains(mesh: RegionMesh, facets: Facets) -> Integers:
    """The number of the part that each cell belongs to when the boundaries are cut."""
    inner, one, other = facets.pairs
    whole = ~np.isin(inner, facets.find(mesh.faces.get("grain_boundaries", mesh.cells[:0, :3])))
    graph = sparse.coo_array((np.ones(whole.sum()), (one[whole], other[whole])), shape=(len(mesh.cells),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Picture:
    """labels: of each voxel, (n_z, n_x, n_y), -1 outside; metal: the contact's pixels, (n_x, n_y); boundaries: of the grid."""

    labels: Integers
    metal: NDArray[np.bool_]
    boundaries: BoundaryArea


@lru_cache(maxsize=8)
def _pictured(source: MeshSection, digest: str, counts: Counts) -> _Picture:
    del digest
    mesh = read_mesh(source)
    low = mesh.points.min(0)
    lengths = np.ptp(mesh.points, axis=0)
    nz, nx, ny = counts
    x, y, z = ((np.arange(n) + 0.5) * length / n for n, length in zip((nx, ny, nz), lengths, strict=True))
    facets = Facets.build(mesh.cells)
    grain = _grains(mesh, facets)
    tetrahedra, cell = split(mesh.cells, TETRAHEDRA)
    found = containing(mesh.points - low, tetrahedra, (x, y, z))
    labels = np.moveaxis(np.where(found >= 0, grain[cell[found]], -1), 2, 0)
    metal = np.zeros((nx, ny), dtype=bool)
    if len(faces := mesh.faces["contact"]):
        triangles, _ = split(faces, TRIANGLES)
        metal = containing((mesh.points - low)[:, :2], triangles, (x, y)) >= 0
    boundaries = BoundaryArea()
    if len(mesh.faces.get("grain_boundaries", ())):
        boundaries = _shares(mesh, facets, grain, labels, (z, x, y))
    return _Picture(labels, metal & (labels[0] >= 0), boundaries)


def _shares(
    mesh: RegionMesh, facets: Facets, grain: Integers, labels: Integers, lines: tuple[Array, Array, Array]
) -> BoundaryArea:
    """What of y_gb faces of voxels have: 1/(|n_x| + |n_y| + |n_z|) of the nearest facet between the same two grains.

    How many steps a boundary has is a whole number, which is a matter of chance: all shares between two grains are multiplied
    by what makes the area between them that of the mesh.
    """
    inner, one, other = facets.pairs
    cut = grain[one] != grain[other]
    corners = mesh.points[facets.vertices[inner[cut]]] - mesh.points.min(0)
    vectors = areas(mesh.points, facets.vertices[inner[cut]])
    share = np.linalg.norm(vectors, axis=1) / np.abs(vectors).sum(1)
    size = float(np.ptp(mesh.points, axis=0).max())
    of_facet = _pair(grain[one[cut]], grain[other[cut]])
    known, number = np.unique(of_facet, return_inverse=True)
    middles = corners.mean(1)
    # Pairs of grains lie far apart along a fourth axis, so that the nearest facet is one of the same pair where there is any.
    tree = cKDTree(np.column_stack([middles, 10.0 * size * number]))
    anywhere = cKDTree(middles)
    steps = [float(at[1] - at[0]) for at in lines]
    faces = [steps[1] * steps[2], steps[0] * steps[2], steps[0] * steps[1]]
    shares, pairs, sums = [], [], np.zeros(len(known))
    for axis in range(3):
        before, after = (np.moveaxis(labels, axis, 0)[part] for part in (slice(None, -1), slice(1, None)))
        index = np.nonzero(np.moveaxis((before != after) & (before >= 0) & (after >= 0), 0, axis))
        at = np.stack([lines[k][index[k]] + 0.5 * steps[k] * (k == axis) for k in (1, 2, 0)], 1)
        here = labels[index]
        there = labels[tuple(each + (k == axis) for k, each in enumerate(index))]
        pair = _pair(here, there)
        place = np.minimum(np.searchsorted(known, pair), len(known) - 1)
        met = known[place] == pair
        nearest = np.empty(len(pair), dtype=np.int64)
        nearest[met] = tree.query(np.column_stack([at, 10.0 * size * place])[met])[1] if met.any() else 0
        nearest[~met] = anywhere.query(at[~met])[1] if not met.all() else 0  # grains that meet in corners of voxels alone
        shares.append((index, share[nearest]))
        pairs.append(np.where(met, place, -1))
        sums += faces[axis] * np.bincount(place[met], share[nearest][met], minlength=len(known))
    area = np.bincount(number, np.linalg.norm(vectors, axis=1), minlength=len(known))
    factor = np.append(np.clip(area / np.maximum(sums, area / MOST), 1 / MOST, MOST), 1.0)
    return rounded([(index, each * factor[pair]) for (index, each), pair in zip(shares, pairs, strict=True)], labels.shape)


def _pair(one: Integers, other: Integers) -> Integers:
    """A number for two grains, whichever comes first."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    return np.asarray(low * (1 << 31) + high)


def twin_of(problem: Problem, level: int) -> Problem:
    """Return the problem of the voxel image that pictures a cell's mesh.

    Parameters
    ----------
    problem
        Of a cell with a mesh.
    level
        Each has voxels of half the edge.

    Returns
    -------
    Problem
        Of a label image.

    Raises
    ------
    InputError
        See `unfit`.
    """
    if (refused := unfit(problem)) is not None:
        raise refused
    body = Mesh.of(problem.body)
    counts = counts_of(body.lengths, level)
    memory.require(8 * Image.doubles * math.prod(counts), f"mesh.file as {' x '.join(map(str, counts))} voxels", "fewer levels")
    picture = _pictured(body.source, body.measure.sha256, counts)
    labels, metal = picture.labels, picture.metal
    x, y, z = body.lengths
    nz, nx, ny = counts
    hole = int(labels.max()) + 1
    structure: dict[str, Any] = {
        "image": np.where(labels < 0, hole, labels).astype(np.int32),
        "voxel": [z / nz, x / nx, y / ny],
        "phases": [{"label": hole, "kind": "hole"}] if np.any(labels < 0) else [],
    }
    if body.source.boundary is not None:
        structure["boundary"] = {**body.source.boundary.model_dump(), "area": "smooth"}
    contact: dict[str, Any] = {"shape": "mask", "image": metal, "pixel": [x / nx, y / ny]}
    if metal.all() or not metal.any():
        contact = {"shape": "square", "fraction": float(metal.all())}
    return problem.vary({"mesh": None, "electrolyte.microstructure": structure, "working_electrode.contact": contact})


def twin_grid(described: Described, level: int) -> TwinGrid:
    """Return the voxels of a mesh's twin as the grid of its cell."""
    problem = Problem.of(described)
    body = Mesh.of(problem.body)
    twin, counts = twin_of(problem, level), counts_of(body.lengths, level)
    picture, grid = _pictured(body.source, body.measure.sha256, counts), image_grid(twin)
    pixel = body.lengths[0] * body.lengths[1] / (counts[1] * counts[2])
    solid = picture.labels[0] >= 0
    covered = {
        CHARGE_TRANSFER: (body.measure.contact, np.sum(picture.metal)),
        PORE: (body.measure.pore, np.sum(solid & ~picture.metal)),
    }
    return TwinGrid(
        x=grid.x,
        y=grid.y,
        layers=grid.layers,
        contact=grid.contact,
        copies=1,
        name=f"voxels of the mesh, {' x '.join(map(str, counts))}",
        order=1.0,
        body=body,
        level=level,
        twin=twin,
        stands_for={name: mine / float(its * pixel) for name, (mine, its) in covered.items() if mine and its},
        boundaries=picture.boundaries,
        excess=_excess(picture, pixel / body.measure.electrode) - body.measure.crossings,
    )


def _excess(picture: _Picture, part: float) -> float:
    """How often a uniform current meets a boundary of the steps' resistance; part: of the face that a pixel is."""
    codes = picture.boundaries.codes
    if codes is None:
        return 0.0
    shares = np.array([np.inf, *picture.boundaries.shares])
    return float(part * np.sum(1 / shares[codes[0]]))


def unseen(problem: Problem, grid: TwinGrid, s: ArrayLike) -> Array:
    """Return R_steps - R_boundaries, times h |y_gb|/|kappa| where that is below 1: what no difference of twins shows, ohm.

    Parameters
    ----------
    problem
        Of a cell with a mesh.
    grid
        Its finest twin.
    s
        Laplace frequencies in 1/s, (n,).

    Returns
    -------
    array
        (n,), 0 without boundaries.
    """
    points = np.asarray(s)
    if GRAIN_BOUNDARY not in problem.places or not grid.excess:
        return np.zeros(points.shape)
    conducts, bulk = (np.abs(problem.places[name](points)) for name in (GRAIN_BOUNDARY, BULK))
    edge = max(float(grid.x[1]), float(grid.y[1]), float(grid.layers[0][1]))
    return np.asarray(abs(grid.excess) / (conducts * grid.area) * np.minimum(1.0, edge * conducts / bulk))
