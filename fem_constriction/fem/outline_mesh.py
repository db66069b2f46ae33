"""A triangulation of the face that follows the contact's outline exactly, graded across it: r_i = w (i/n)^mu to both sides.

Level 0 has n steps across each half of a collar (`collars`), few along it, towards corners graded as across, and Delaunay
triangles on what is left of the face. Each level halves every step: in the collars at equal steps of the grading, on the rest
by four triangles out of one. So members of a family are one systematic refinement of the same layout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from skfem import MeshTri

from fem_constriction.cell import Cell
from fem_constriction.face import Face, face_of
from fem_constriction.fem.bands import Band, Interval, intervals
from fem_constriction.fem.collars import Arc, Curve, curves, on_wall
from fem_constriction.fem.triangulation import Mesher, triangulate
from fem_constriction.grid import Grading

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Edge length of the coarsest triangles over their distance to the contact's edge, and over the width of the face.
RATIO, LARGEST = 1.5, 0.35

#: Points nearer than this part of the face's width are one.
ONE = 1e-11


@dataclass(frozen=True, eq=False)
class PlanarMesh:
    """Triangles on the part of the face that mirror symmetry leaves. Lengths in m.

    p: (2, n); t: (3, m), ascending in each triangle; contact: which triangles the metal touches, (m,); patch: number of the
    bent patch of each, -1 for straight ones; local: patch coordinates (along, across) of the corners, (3, 2, m); arcs: the
    patches, (arc, from, to, width of the collar); collar: width of the narrowest one, up to which the power law of the grading
    holds; face: the part of the face that this is.
    """

    p: Array
    t: Integers
    contact: NDArray[np.bool_]
    patch: Integers
    local: Array
    arcs: tuple[tuple[Arc, float, float, float], ...]
    collar: float
    face: Face

    @property
    def copies(self) -> int:
        """How many such parts make the face."""
        return self.face.copies


def planar_mesh(cell: Cell, grading: Grading, level: int, mesher: Mesher | None = None) -> PlanarMesh:
    """Return member `level` of the family of triangulations of a cell's face; mesher: left out, the cell's.

    Raises InputError where regions are too near to one another for the strips of triangles along their edges.
    """
    contact = cell.working_electrode.contact
    bare = Cell(geometry=cell.geometry, electrolyte={"conductivity": 1.0}, working_electrode={"contact": contact})
    return _layout(bare, grading, mesher or contact.mesher or "delaunay").refined(level)


@dataclass(frozen=True, eq=False)
class _Layout:
    """The coarsest level: curves with their intervals, and the triangles of what is left."""

    face: Face
    grading: Grading
    curves: Sequence[tuple[Curve, Sequence[Interval]]]
    core: Sequence[tuple[Array, Integers, bool]]

    def refined(self, level: int) -> PlanarMesh:
        points: list[Array] = []
        triangles, contact, patch, local = [], [], [], []
        arcs: list[tuple[Arc, float, float, float]] = []
        count = 0
        for curve, pieces in self.curves:
            band = Band(curve, pieces, self.grading, level, len(arcs))
            arcs += band.arcs
            points.append(_on_walls(band.points, self.face))
            triangles.append(band.triangles + count)
            contact.append(band.inside)
            patch.append(band.patch)
            local.append(band.local)
            count += len(band.points)
        known = cKDTree(np.vstack(points))
        for corners, found, touching in self.core:
            mesh = MeshTri(corners.T, found.T).refined(level)
            distance, nearest = known.query(mesh.p.T)
            shared = distance < ONE * max(self.face.width)
            number = np.where(shared, nearest, count + np.cumsum(~shared) - 1)
            points.append(mesh.p.T[~shared])
            triangles.append(number[mesh.t.T])
            contact.append(np.full(mesh.t.shape[1], touching))
            patch.append(np.full(mesh.t.shape[1], -1))
            local.append(np.zeros((mesh.t.shape[1], 3, 2)))
            count += int((~shared).sum())
            known = cKDTree(np.vstack(points))  # pieces that meet share their points
        t, order = np.concatenate(triangles), np.argsort(np.concatenate(triangles), axis=1)
        corners_of = np.take_along_axis(np.concatenate(local), order[:, :, None], axis=1)
        return PlanarMesh(
            p=np.vstack(points).T,
            t=np.take_along_axis(t, order, axis=1).T,
            contact=np.concatenate(contact),
            patch=np.concatenate(patch),
            local=corners_of.transpose(1, 2, 0),
            arcs=tuple(arcs),
            collar=min(curve.width for curve, _ in self.curves),
            face=self.face,
        )


@lru_cache(maxsize=32)
def _layout(cell: Cell, grading: Grading, mesher: Mesher) -> _Layout:
    """The coarsest level, made once for all levels and materials."""
    face = face_of(cell)
    found = [(curve, intervals(curve, grading)) for curve in curves(face)]
    lines = shapely.MultiLineString([_polyline(pieces) for _, pieces in found])
    widest = LARGEST * max(face.width)

    def size(points: Array) -> Array:
        return np.asarray(np.minimum(RATIO * shapely.distance(shapely.points(points), lines), widest))

    rims = [_rims(curve, pieces, face) for curve, pieces in found]
    bands = [
        shapely.Polygon(outer, [inner]) if curve.closed else shapely.Polygon([*outer, *inner[::-1]])
        for (curve, _), (inner, outer) in zip(found, rims, strict=True)
    ]
    whole = shapely.box(0, 0, *face.width)
    left = whole.difference(shapely.union_all(bands))
    nodes = np.vstack([rim for pair in rims for rim in pair])
    core = []
    for polygon in getattr(left, "geoms", [left]):
        points, segments = _boundary(polygon, nodes, size, face)
        rings = [points[start:end] for start, end in _rings(segments)]
        corners, triangles = triangulate(points, segments, shapely.Polygon(rings[0], rings[1:]), size, mesher)
        middle = shapely.Point(corners[triangles].mean(1)[0])
        core.append((corners, triangles, any(outline.shape.contains(middle) for outline in face.outlines)))
    return _Layout(face, grading, found, core)


def _rims(curve: Curve, pieces: Sequence[Interval], face: Face) -> tuple[Array, Array]:
    """The corners of the collar's two straight rims, inside and outside, (n, 2) each."""
    band = Band(curve, pieces, Grading(1.0, 1), 0, 0)
    nodes = _on_walls(band.points, face).reshape(-1, 3, 2)
    return nodes[:, 0], nodes[:, 2]


def _on_walls(points: Array, face: Face) -> Array:
    """Points that rounding has moved off a wall put back on it."""
    tolerance = ONE * max(face.width)
    for axis, width in enumerate(face.width):
        points[np.abs(points[:, axis]) < tolerance, axis] = 0.0
        points[np.abs(points[:, axis] - width) < tolerance, axis] = width
    return points


def _polyline(pieces: Sequence[Interval]) -> Array:
    points = []
    for interval in pieces:
        xi = np.linspace(0, 1, 9)
        if isinstance(interval.piece, Arc):
            t = interval.piece.t
            points.append(interval.piece.outline.point(t[0] + (interval.u[0] + xi * np.diff(interval.u)) * (t[1] - t[0])).T)
        else:
            u = interval.at(xi)[:, None]
            points.append(interval.piece.start + u * (interval.piece.end - interval.piece.start))
    return np.vstack(points)


def _boundary(polygon: shapely.Polygon, nodes: Array, size: Callable[[Array], Array], face: Face) -> tuple[Array, Integers]:
    """Points and segments of a piece of the face: collars' corners as they are, walls divided as finely as wanted."""
    tree, tolerance = cKDTree(nodes), ONE * max(face.width)
    points: list[Array] = []
    segments: list[Integers] = []
    for ring in (polygon.exterior, *polygon.interiors):
        corners = np.array(ring.coords)[:-1]
        distance, nearest = tree.query(corners)
        corners[distance < tolerance] = nodes[nearest[distance < tolerance]]
        loop = [
            _divided(a, b, size) if on_wall(a, b, face) else a[None]
            for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)
        ]
        numbers = sum(map(len, points)) + np.arange(sum(map(len, loop)))
        points.append(np.vstack(loop))
        segments.append(np.stack([numbers, np.roll(numbers, -1)], 1))
    return np.vstack(points), np.concatenate(segments)


def _rings(segments: Integers) -> list[tuple[int, int]]:
    """First and last number (exclusive) of the points of each ring: a ring ends where a segment leads back."""
    ends = np.flatnonzero(segments[:, 1] < segments[:, 0]) + 1
    return list(zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True))


def _divided(a: Array, b: Array, size: Callable[[Array], Array]) -> Array:
    """Points from a to b, b left out, as far apart as wanted where they are."""
    fine = np.linspace(0, 1, 201)
    wanted = size(a + fine[:, None] * (b - a))
    density = np.linalg.norm(b - a) / np.maximum(wanted, 1e-6 * np.linalg.norm(b - a))
    total = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(fine))])
    count = max(1, int(np.ceil(total[-1])))
    u = np.interp(np.linspace(0, total[-1], count + 1), total, fine)[:-1]
    return np.asarray(a + u[:, None] * (b - a))
