"""A triangulation of the face that follows the contact's outline exactly, graded across it: r_i = w (i/n)^mu to both sides.

Level 0 has n steps across each half of a collar (`collars`), few along it, towards corners graded as across, and Delaunay
triangles on what is left of the face. Each level halves every step: in the collars at equal steps of the grading, on the rest
by four triangles out of one. So members of a family are one systematic refinement of the same layout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from skfem import MeshTri

from fem_constriction.cell import Cell
from fem_constriction.face import Face, face_of
from fem_constriction.fem.collars import Arc, Curve, Edge, curves, on_wall
from fem_constriction.fem.triangulation import Mesher, triangulate
from fem_constriction.grid import Grading

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Edge length of the coarsest triangles over their distance to the contact's edge, and over the width of the face.
RATIO, LARGEST = 1.5, 0.35

#: Points nearer than this part of the face's width are one.
ONE = 1e-11

#: Height of an arc over its chord, over the width of the collar, at the coarsest level.
SAGITTA = 0.4

#: Segments of a quarter of an ellipse at the coarsest level.
PER_QUARTER = 2


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


def planar_mesh(cell: Cell, grading: Grading, level: int, mesher: Mesher = "built-in") -> PlanarMesh:
    """Return member `level` of the family of triangulations of a cell's face. Raises ComputationError where none fits."""
    contact = cell.working_electrode.contact
    bare = Cell(geometry=cell.geometry, electrolyte={"conductivity": 1.0}, working_electrode={"contact": contact})
    return _layout(bare, grading, mesher).refined(level)


@dataclass(frozen=True, eq=False)
class _Interval:
    """A part of a curve at the coarsest level: of an edge or arc from u[0] to u[1] (0 to 1); at(xi): u, graded or not."""

    piece: Edge | Arc
    u: tuple[float, float]
    at: Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class _Layout:
    """The coarsest level: curves with their intervals, and the triangles of what is left."""

    face: Face
    grading: Grading
    curves: Sequence[tuple[Curve, Sequence[_Interval]]]
    core: Sequence[tuple[Array, Integers, bool]]

    def refined(self, level: int) -> PlanarMesh:
        points: list[Array] = []
        triangles, contact, patch, local = [], [], [], []
        arcs: list[tuple[Arc, float, float, float]] = []
        count = 0
        for curve, intervals in self.curves:
            band = _Band(curve, intervals, self.grading, level, len(arcs))
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


class _Band:
    """One collar at a level: nodes (along, across), two triangles a quadrilateral."""

    def __init__(self, curve: Curve, intervals: Sequence[_Interval], grading: Grading, level: int, first: int) -> None:
        parts, steps, w = 1 << level, grading.steps << level, curve.width
        k = np.arange(-steps, steps + 1)
        across = np.sign(k) * w * (np.abs(k) / steps) ** grading.exponent
        xi = np.arange(parts + 1) / parts
        self.arcs: list[tuple[Arc, float, float, float]] = []
        rows, patch, along = [], [], []
        for interval in intervals:
            number = -1
            if isinstance(interval.piece, Arc):
                t = interval.piece.t
                start, end = (t[0] + u * (t[1] - t[0]) for u in interval.u)
                arc = (interval.piece, start, end, w)
                number = first + len(self.arcs)
                self.arcs.append(arc)
                found = bend(np.array(arc_numbers(*arc)), xi[:, None], across[None], np.where(across >= 0, 1.0, -1.0)[None])[0]
            else:
                found = _trapezoid(interval, xi[:, None], across[None], w)
            rows.append(found.transpose(1, 2, 0)[:-1] if found.ndim == 3 else found)
            last = found.transpose(1, 2, 0)[-1:]
            patch += [number] * parts
            along += [(a, b) for a, b in pairwise(xi)]
        nodes = np.concatenate(rows + ([] if curve.closed else [last]))
        count = len(nodes)
        self.points = nodes.reshape(-1, 2)
        index = np.arange(count * k.size).reshape(count, k.size)
        j = np.arange(len(patch))
        here, there = index[j], index[(j + 1) % count]
        a, b, c, d = here[:, :-1], there[:, :-1], there[:, 1:], here[:, 1:]
        self.triangles = np.concatenate([np.stack(each, -1).reshape(-1, 3) for each in ((a, c, b), (a, d, c))])
        self.inside = np.tile(np.broadcast_to(k[:-1] < 0, a.shape).ravel(), 2)
        self.patch = np.tile(np.repeat(np.array(patch), k.size - 1), 2)
        low, high = (np.repeat(np.array(along)[:, [side]], k.size - 1, axis=1) for side in (0, 1))
        near, far = (np.broadcast_to(each, a.shape) for each in (across[:-1], across[1:]))
        one, two, three, four = (np.stack(pair, -1) for pair in ((low, near), (high, near), (high, far), (low, far)))
        self.local = np.concatenate([np.stack(each, -2).reshape(-1, 3, 2) for each in ((one, three, two), (one, four, three))])


def _trapezoid(interval: _Interval, xi: Array, r: Array, w: float) -> Array:
    """Nodes beside a straight edge: graded along it on the edge, evenly at r = +-w; (2, along, across)."""
    piece = interval.piece
    assert isinstance(piece, Edge)
    weight = np.abs(r) / w
    u = (1 - weight) * interval.at(xi) + weight * (interval.u[0] + xi * (interval.u[1] - interval.u[0]))
    place = [piece.start[i] + u * (piece.end - piece.start)[i] for i in range(2)]
    side = [piece.first[i] + u * (piece.last - piece.first)[i] for i in range(2)]
    return np.stack([place[i] + r * side[i] for i in range(2)])


def arc_numbers(arc: Arc, start: float, end: float, width: float) -> tuple[float, ...]:
    """Return an arc's patch as numbers: centre, semi-axes, cosine and sine of the angle, start, end, width."""
    outline = arc.outline
    return (*outline.centre, *outline.semi_axes, np.cos(outline.angle), np.sin(outline.angle), start, end, width)


def bend(numbers: Array, xi: Array, r: Array, side: Array) -> tuple[Array, Array, Array]:
    """Return x = P + r N + |r|/w (chord - P -+ w N) at (xi, r), and its derivatives by xi and r, each (2, ...).

    numbers: those of `arc_numbers`, (9, ...); side: +-1, that of the outline on which a point is; all broadcast together.
    """
    cx, cy, a, b, c, s, start, end, w = numbers

    def turned(x: Array, y: Array) -> Array:
        return np.stack(np.broadcast_arrays(c * x - s * y, s * x + c * y))

    def place(t: Array, r: Array) -> Array:
        root = np.sqrt((b * np.cos(t)) ** 2 + (a * np.sin(t)) ** 2)
        return turned(a * np.cos(t) + r * b * np.cos(t) / root, b * np.sin(t) + r * a * np.sin(t) / root)

    weight = np.abs(r) / w
    t = start + xi * (end - start)
    root = np.sqrt((b * np.cos(t)) ** 2 + (a * np.sin(t)) ** 2)
    first, last = place(start, side * w), place(end, side * w)
    chord = (1 - xi) * first + xi * last
    own = place(t, r)
    normal = turned(b * np.cos(t) / root, a * np.sin(t) / root)
    lifted, turning = chord - place(t, side * w), turned(-a * np.sin(t), b * np.cos(t)) * (end - start)
    x = own + weight * lifted + np.stack(np.broadcast_arrays(cx + 0 * own[0], cy + 0 * own[0]))
    curvature = a * b / root**3
    by_xi = turning * (1 + r * curvature - weight * (1 + side * w * curvature)) + weight * (last - first)
    by_r = normal + side / w * lifted
    return x, by_xi, by_r


@lru_cache(maxsize=32)
def _layout(cell: Cell, grading: Grading, mesher: Mesher) -> _Layout:
    """The coarsest level, made once for all levels and materials."""
    face = face_of(cell)
    found = [(curve, _intervals(curve, grading)) for curve in curves(face)]
    lines = shapely.MultiLineString([_polyline(intervals) for _, intervals in found])
    widest = LARGEST * max(face.width)

    def size(points: Array) -> Array:
        return np.asarray(np.minimum(RATIO * shapely.distance(shapely.points(points), lines), widest))

    rims = [_rims(curve, intervals, face) for curve, intervals in found]
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


def _intervals(curve: Curve, grading: Grading) -> list[_Interval]:
    """The coarsest division along a curve: even along arcs, graded towards the corners along edges."""
    found = []
    for piece in curve.pieces:
        if isinstance(piece, Arc):
            length = float(np.sum(np.hypot(*piece.outline.tangent(np.linspace(*piece.t, 33)))) * (piece.t[1] - piece.t[0]) / 33)
            long = max(piece.outline.semi_axes)
            flat = np.sqrt(
                8 * SAGITTA * curve.width / long
            )  # arcs of v dt have a sagitta of curvature (v dt)^2/8 <= long dt^2/8
            parts = max(PER_QUARTER, int(np.ceil(max(length / curve.longest, (piece.t[1] - piece.t[0]) / flat))))
            ends = np.linspace(0, 1, parts + 1)
            found += [_Interval(piece, (a, b), _even(a, b)) for a, b in pairwise(ends)]
            continue
        length = float(np.linalg.norm(piece.end - piece.start))
        corner = [abs(float(np.linalg.norm(each)) - 1) > 1e-9 for each in (piece.first, piece.last)]
        n, mu = grading.steps, grading.exponent
        pieces: list[tuple[Array, Callable[[int], Callable[[Array], Array]] | None]]
        steps = np.arange(n + 1) / n
        if all(corner):
            half = steps**mu / 2
            pieces = [(half, _power(0.0, 0.5, n, mu)), (1 - half[::-1], _power(1.0, -0.5, n, mu))]
        elif any(corner):
            lines = steps**mu if corner[0] else 1 - (steps**mu)[::-1]
            pieces = [(lines, _power(0.0, 1.0, n, mu) if corner[0] else _power(1.0, -1.0, n, mu))]
        else:
            pieces = [(np.array([0.0, 1.0]), None)]
        for lines, graded in pieces:
            for k, (a, b) in enumerate(pairwise(lines)):
                parts = int(np.ceil((b - a) * length / curve.longest))
                if parts == 1 and graded is not None:
                    found.append(_Interval(piece, (a, b), graded(k)))
                else:
                    ends = np.linspace(a, b, parts + 1)
                    found += [_Interval(piece, (c, d), _even(c, d)) for c, d in pairwise(ends)]
    return found


def _even(a: float, b: float) -> Callable[[Array], Array]:
    return lambda xi: a + xi * (b - a)


def _power(origin: float, span: float, n: int, mu: float) -> Callable[[int], Callable[[Array], Array]]:
    """Interval number k, counted along the edge, of u = origin + span (i/n)^mu: its graded places."""

    def interval(k: int) -> Callable[[Array], Array]:
        if span > 0:
            return lambda xi: origin + span * ((k + xi) / n) ** mu
        return lambda xi: origin + span * ((n - k - xi) / n) ** mu

    return interval


def _rims(curve: Curve, intervals: Sequence[_Interval], face: Face) -> tuple[Array, Array]:
    """The corners of the collar's two straight rims, inside and outside, (n, 2) each."""
    band = _Band(curve, intervals, Grading(1.0, 1), 0, 0)
    nodes = _on_walls(band.points, face).reshape(-1, 3, 2)
    return nodes[:, 0], nodes[:, 2]


def _on_walls(points: Array, face: Face) -> Array:
    """Points that rounding has moved off a wall put back on it."""
    tolerance = ONE * max(face.width)
    for axis, width in enumerate(face.width):
        points[np.abs(points[:, axis]) < tolerance, axis] = 0.0
        points[np.abs(points[:, axis] - width) < tolerance, axis] = width
    return points


def _polyline(intervals: Sequence[_Interval]) -> Array:
    points = []
    for interval in intervals:
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
