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

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError
from fem_constriction.fem.prisms.bands import PER_QUARTER, Band, Interval, intervals
from fem_constriction.fem.prisms.clearances import Arc
from fem_constriction.fem.prisms.collars import Curve, curves, on_wall
from fem_constriction.fem.prisms.gaps import check_gaps
from fem_constriction.fem.prisms.plane_memory import check_plane
from fem_constriction.fem.prisms.triangulation import triangulate
from fem_constriction.grids.grid import Grading
from fem_constriction.problem.faces import Face, Mesher, overlaid
from fem_constriction.problem.problem import Described, Problem

Integers = NDArray[np.int64]

#: Segments that an ellipse is divided into, at least, times its longer over its shorter axis (measured 10 at 10 and at 100).
SLENDER = 8

#: Edge length of the coarsest triangles over their distance to the contact's edge, and over the width of the face.
RATIO, LARGEST = 1.3, 0.35

#: The same over the length of the collars' segments near by, where that is more: in narrow gaps these are longer than the gap.
BESIDE = 0.5

#: Triangles of the coarsest level beside each segment of the contact's edge, those of its collar left out (measured: 4 to 6).
REST = 5

#: Step, over the size wanted, in which the walls are looked at.
PACE = 0.25

#: Segments near a point whose lengths are looked at.
NEIGHBOURS = 8

#: Points nearer than this part of the face's width are one.
ONE = 1e-11


@dataclass(frozen=True, eq=False)
class PlanarMesh:
    """Triangles on the part of the face that mirror symmetry leaves. Lengths in m.

    p: (2, n); t: (3, m), ascending in each triangle; touched: which triangles the metal touches, (m,), of each electrode
    whose outlines the face has; patch: number of the bent patch of
    each, -1 for straight ones; local: patch coordinates (along, across) of the corners, (3, 2, m); arcs: the
    patches (`bands.arc_numbers`); collar: width of the narrowest one, up to which the power law of the grading
    holds; face: the part of the face that this is.
    """

    p: Array
    t: Integers
    touched: tuple[NDArray[np.bool_], ...]
    patch: Integers
    local: Array
    arcs: tuple[tuple[float, ...], ...]
    collar: float
    face: Face

    @property
    def copies(self) -> int:
        """How many such parts make the face."""
        return self.face.copies

    @property
    def contact(self) -> NDArray[np.bool_]:
        """Which triangles the working electrode's metal touches, (m,)."""
        return self.touched[0]


def faces_drawn(problem: Problem) -> tuple[Face, Face]:
    """Return the whole face and the part that mirror symmetry leaves, with the outlines that triangles follow."""
    if not problem.patterned_counter:
        return problem.whole_face, problem.face
    return overlaid(*problem.whole_faces), overlaid(*problem.faces)


def planar_mesh(described: Described, grading: Grading, level: int, mesher: Mesher | None = None) -> PlanarMesh:
    """Return member `level` of the family of triangulations of a cell's face; mesher: left out, the cell's.

    Raises InputError where regions are too near to one another for the strips of triangles along their edges.
    """
    problem = Problem.of(described)
    whole, face = faces_drawn(problem)
    corners = sum(4 * PER_QUARTER if outline.corners is None else len(outline.corners) for outline in whole.outlines)
    least = corners // face.copies * 4 * grading.steps << 2 * level
    slender = sum(int(SLENDER * max(axes) / min(axes)) for axes in (each.semi_axes for each in whole.outlines) if min(axes) > 0)
    least = max(least, 2 * (slender // face.copies) * (4 * grading.steps + REST) << 2 * level)
    check_plane(least, f"finite elements on level {level} (at least {least} triangles for {len(whole.outlines)} regions)")
    segments = sum(len(pieces) for _, pieces in _strips(whole, face, grading))
    triangles = segments * (4 * grading.steps + REST) << 2 * level
    check_plane(
        2 * triangles, f"finite elements on level {level} (about {triangles} triangles, {segments} segments of outlines)"
    )
    return _layout(whole, face, grading, mesher or face.mesher or "delaunay").refined(level)


@dataclass(frozen=True, eq=False)
class _Layout:
    """The coarsest level: curves with their intervals, and the triangles of what is left."""

    face: Face
    grading: Grading
    curves: Sequence[tuple[Curve, Sequence[Interval]]]
    core: Sequence[tuple[Array, Integers, tuple[bool, ...]]]

    def refined(self, level: int) -> PlanarMesh:
        points: list[Array] = []
        triangles, patch, local = [], [], []
        touched: list[list[NDArray[np.bool_]]] = []
        arcs: list[tuple[float, ...]] = []
        count = 0
        for curve, pieces in self.curves:
            band = Band(curve, pieces, self.grading, level, len(arcs))
            arcs += band.arcs
            points.append(_on_walls(band.points, self.face))
            triangles.append(band.triangles + count)
            own, around = _metal(self.face, curve)
            touched.append([band.inside & inner | outer for inner, outer in zip(own, around, strict=True)])
            patch.append(band.patch)
            local.append(band.local)
            count += len(band.points)
        banded = count
        for corners, found, touching in self.core:
            mesh = MeshTri(np.ascontiguousarray(corners.T), np.ascontiguousarray(found.T)).refined(level)
            points.append(mesh.p.T)
            triangles.append(mesh.t.T + count)
            touched.append([np.full(mesh.t.shape[1], each) for each in touching])
            patch.append(np.full(mesh.t.shape[1], -1))
            local.append(np.zeros((mesh.t.shape[1], 3, 2)))
            count += mesh.p.shape[1]
        number, kept = _merged(np.vstack(points), banded, ONE * max(self.face.width))
        t = number[np.concatenate(triangles)]
        order = np.argsort(t, axis=1)
        corners_of = np.take_along_axis(np.concatenate(local), order[:, :, None], axis=1)
        return PlanarMesh(
            p=np.vstack(points)[kept].T,
            t=np.take_along_axis(t, order, axis=1).T,
            touched=tuple(np.concatenate(each) for each in zip(*touched, strict=True)),
            patch=np.concatenate(patch),
            local=corners_of.transpose(1, 2, 0),
            arcs=tuple(arcs),
            collar=min(float(_narrowest(pieces)) for _, pieces in self.curves),
            face=self.face,
        )


def _touching(face: Face, place: shapely.Point, but: int = -1) -> tuple[bool, ...]:
    """Whether the metal of each electrode touches a place; but: number of an outline that does not count."""
    held = [k != but and outline.shape.contains(place) for k, outline in enumerate(face.outlines)]
    return tuple(whole or any(np.logical_and(own, held)) for own, whole in zip(face.metal, face.everywhere, strict=True))


def _metal(face: Face, curve: Curve) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """Whether each electrode's metal lies inside a curve, and whether it lies all around it, by what holds the curve."""
    number = face.numbers.index(curve.chain.region)
    start = shapely.Point(curve.chain.pieces[0].point(np.array([0.5]))[0])
    return tuple(own[number] for own in face.metal), _touching(face, start, number)


def _merged(points: Array, first: int, tolerance: float) -> tuple[Integers, NDArray[np.bool_]]:
    """The number that each point has when those from `first` on are one with what lies on them, and which are kept.

    Pieces of the face share points with collars, and with one another where they meet.
    """
    pairs = cKDTree(points).query_pairs(tolerance, output_type="ndarray")
    same = np.arange(len(points))
    pairs = pairs[pairs[:, 1] >= first]
    np.minimum.at(same, pairs[:, 1], pairs[:, 0])
    same = same[same]
    kept = same == np.arange(len(points))
    return (np.cumsum(kept) - 1)[same], kept


@lru_cache(maxsize=32)
def _strips(whole: Face, face: Face, grading: Grading) -> list[tuple[Curve, list[Interval]]]:
    """The contact's edges on the face, and where they are divided: how large the mesh becomes follows from these alone."""
    check_gaps(whole)
    return [(curve, intervals(curve, grading)) for curve in curves(face)]


@lru_cache(maxsize=32)
def _layout(whole: Face, face: Face, grading: Grading, mesher: Mesher) -> _Layout:
    """The coarsest level, made once for all levels and materials."""
    found = _strips(whole, face, grading)
    lines = shapely.MultiLineString([_polyline(pieces) for _, pieces in found])
    shapely.prepare(lines)
    widest = LARGEST * max(face.width)

    rims = [_rims(curve, pieces, face) for curve, pieces in found]
    ends = _segments(rims, [curve.closed for curve, _ in found])
    middles, lengths = cKDTree(ends.mean(1)), np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)

    def size(points: Array) -> Array:
        near = RATIO * shapely.distance(lines, shapely.points(points))
        distance, which = middles.query(points, k=[*range(1, 1 + min(NEIGHBOURS, len(lengths)))])
        beside = np.min(lengths[which] + distance, axis=1)
        return np.asarray(np.minimum(np.maximum(near, BESIDE * beside), widest))

    bands = [
        shapely.Polygon(outer, [inner]) if curve.closed else shapely.Polygon([*outer, *inner[::-1]])
        for (curve, _), (inner, outer) in zip(found, rims, strict=True)
    ]
    _check_apart(bands, [curve.chain.region for curve, _ in found])
    left = shapely.box(0, 0, *face.width).difference(shapely.union_all(bands))
    nodes = np.vstack([rim for pair in rims for rim in pair])
    core = []
    for polygon in getattr(left, "geoms", [left]):
        points, segments = _boundary(polygon, nodes, size, face)
        rings = [points[start:end] for start, end in _rings(segments)]
        corners, triangles = triangulate(points, segments, shapely.Polygon(rings[0], rings[1:]), size, mesher)
        middle = shapely.Point(corners[triangles].mean(1)[0])
        core.append((corners, triangles, _touching(face, middle)))
    return _Layout(face, grading, found, core)


def _rims(curve: Curve, pieces: Sequence[Interval], face: Face) -> tuple[Array, Array]:
    """The corners of the collar's two straight rims, inside and outside, (n, 2) each."""
    band = Band(curve, pieces, Grading(1.0, 1), 0, 0)
    nodes = _on_walls(band.points, face).reshape(-1, 3, 2)
    return nodes[:, 0], nodes[:, 2]


def _check_apart(bands: Sequence[shapely.Polygon], regions: Sequence[int]) -> None:
    """Raise InputError where a collar crosses itself or another one."""
    wrong = [(k, k) for k, band in enumerate(bands) if not band.is_valid]
    if not wrong:
        pairs = shapely.STRtree(bands).query(bands, predicate="overlaps")
        wrong = pairs.T[pairs[0] < pairs[1]].tolist()
    for a, b in wrong:
        who = f"edges of region {regions[a]}" if a == b else f"regions {regions[a]} and {regions[b]}"
        raise InputError(
            key="working_electrode.contact.regions",
            when="for finite elements",
            why=f"{who} are too near to one another for strips of triangles along them",
            remedy="allowed are blunter corners and wider gaps",
        )


def _segments(rims: Sequence[tuple[Array, Array]], closed: Sequence[bool]) -> Array:
    """The segments of all rims from end to end, (n, 2, 2)."""
    ends = []
    for pair, ring in zip(rims, closed, strict=True):
        for rim in pair:
            after = np.roll(rim, -1, 0)
            ends.append(np.stack([rim, after], 1)[: len(rim) - (not ring)])
    return np.concatenate(ends)


def _narrowest(pieces: Sequence[Interval]) -> float:
    """The least width of a collar, m."""
    return min(
        float(np.linalg.norm(rim - interval.piece.point(np.array(interval.u)), axis=1).min())
        for interval in pieces
        for rim in interval.rims
    )


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
    length, places = float(np.linalg.norm(b - a)), [0.0]
    while places[-1] < 1:  # places nearer to one another than the size that is wanted, however small that is somewhere
        places.append(min(1.0, places[-1] + PACE * float(size(a[None] + places[-1] * (b - a))[0]) / length))
    fine = np.array(places)
    density = length / size(a + fine[:, None] * (b - a))
    total = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(fine))])
    count = max(1, int(np.ceil(total[-1])))
    u = np.interp(np.linspace(0, total[-1], count + 1), total, fine)[:-1]
    return np.asarray(a + u[:, None] * (b - a))
