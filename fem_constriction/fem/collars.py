"""x = P(t) + r N(t), |r| <= w: bands along the contact's edges, in which meshes are graded across the edge.

An outline is made of straight edges and elliptic arcs. Along it a collar of width w is laid to both sides, divided into
patches: trapezoids along straight edges, meeting at the corners' bisectors, and bent quadrilaterals along arcs. An arc's patch
is exact on the outline and straight at r = +-w,
    x = P(t) + r N(t) + |r|/w (chord through its corners at r = +-w, less what P +- w N is there),
so that what is left of the face is bounded by straight segments, and triangulates as a polygon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely import LineString, box

from fem_constriction.errors import InputError
from fem_constriction.face import SAME, Face
from fem_constriction.outlines import Outline

Array = NDArray[np.float64]

#: Width of a collar over the distance to what is nearest: two neighbours leave 0.4 of the gap between them.
NEAR = 0.3

#: Width of a collar over the smallest radius of curvature, and over the shortest edge.
BENT, SHORT = 0.4, 0.25

#: Longest segment of an outline over the distance to what is nearest.
LONGEST = 0.7

#: Sharpest corner, degrees: the bisector's collar is 1/sin of half of it as long as it is wide.
SHARPEST = 15.0


@dataclass(frozen=True, eq=False)
class Edge:
    """A straight edge from start to end; first, last: bisectors there, N plus something along the edge. Outward is r > 0."""

    start: Array
    end: Array
    first: Array
    last: Array


@dataclass(frozen=True, eq=False)
class Arc:
    """The part t[0] to t[1] of an ellipse, counter-clockwise."""

    outline: Outline
    t: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Curve:
    """One outline on the face, its pieces in order; closed, or with both ends on walls. width: of its collar."""

    pieces: tuple[Edge | Arc, ...]
    closed: bool
    width: float
    longest: float


def curves(face: Face) -> list[Curve]:
    """Return the contact's edges on a part of a face, with collars that do not meet.

    Raises InputError where regions touch each other or the wall, or a corner is too sharp.
    """
    open_or_closed: list[tuple[tuple[Edge | Arc, ...], bool]] = []
    for outline in face.outlines:
        open_or_closed += [_arcs(outline, face)] if outline.corners is None else _edges(outline, face)
    lines = [_line(pieces) for pieces, _ in open_or_closed]
    width = max(face.width)
    found = []
    for number, (pieces, closed) in enumerate(open_or_closed):
        near = [lines[number].distance(other) for k, other in enumerate(lines) if k != number]
        near += [distance for distance in _walls(lines[number], face) if distance > SAME * width]
        near += _folds(lines[number], pieces)
        gap = min([*near, width])
        if gap <= 1e-4 * width:
            raise InputError(
                f"working_electrode.contact.regions is not allowed for finite elements: regions are {gap:.3g} m apart from one "
                f"another or the wall, and body-fitted meshes need more than {1e-4 * width:.3g} m; "
                "regions that touch are given as one polygon"
            )
        limits = [NEAR * gap]
        for piece in pieces:
            if isinstance(piece, Arc):
                short, long = sorted(piece.outline.semi_axes)
                limits.append(BENT * short**2 / long)
            else:
                limits.append(SHORT * float(np.linalg.norm(piece.end - piece.start)))
        found.append(Curve(pieces, closed, min(limits), LONGEST * gap))
    return found


def _arcs(outline: Outline, face: Face) -> tuple[tuple[Edge | Arc, ...], bool]:
    """The quadrants of an ellipse that lie on the face: one that symmetry cuts is cut along its axes."""
    if outline.semi_axes[0] == outline.semi_axes[1]:
        outline = Outline(outline.centre, outline.semi_axes)
    quarters = np.arange(4) * np.pi / 2
    middle = outline.point(quarters + np.pi / 4)
    inside = np.all((middle > 0) & (middle < np.reshape(face.width, (2, 1))), axis=0)
    if inside.all():
        return tuple(Arc(outline, (q, q + np.pi / 2)) for q in quarters), True
    first = next(k for k in range(4) if inside[k] and not inside[k - 1])
    return tuple(Arc(outline, (q, q + np.pi / 2)) for q in first * np.pi / 2 + quarters[: inside.sum()]), False


def _edges(outline: Outline, face: Face) -> list[tuple[tuple[Edge | Arc, ...], bool]]:
    """The edges of a polygon inside the face; what lies on its walls is none."""
    clipped: Any = outline.shape.intersection(box(0, 0, *face.width))
    points, tolerance = np.array(clipped.exterior.coords)[:-1], SAME * max(face.width)
    for axis, width in enumerate(face.width):  # rounding may leave corners just off a wall, and two of them in one place
        points[np.abs(points[:, axis]) < tolerance, axis] = 0.0
        points[np.abs(points[:, axis] - width) < tolerance, axis] = width
    points = points[np.linalg.norm(points - np.roll(points, 1, 0), axis=1) > tolerance]
    corners = Outline.polygon(points).corners
    assert corners is not None
    wall = [on_wall(a, b, face) for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)]
    if not any(wall):
        return [(_mitred([*corners, corners[0]], face, closed=True), True)]
    first = next(k for k in range(len(wall)) if not wall[k] and wall[k - 1])
    chains: list[list[Array]] = []
    for k in range(first, first + len(wall)):
        a, b = corners[k % len(wall)], corners[(k + 1) % len(wall)]
        if wall[k % len(wall)]:
            continue
        if wall[(k - 1) % len(wall)]:
            chains.append([a])
        chains[-1].append(b)
    return [(_mitred(chain, face, closed=False), False) for chain in chains]


def on_wall(a: Array, b: Array, face: Face) -> bool:
    """Whether a segment lies on one of the face's walls."""
    tolerance = SAME * max(face.width)
    return any(abs(a[i] - at) <= tolerance and abs(b[i] - at) <= tolerance for i in range(2) for at in (0.0, face.width[i]))


def _mitred(corners: Sequence[Array], face: Face, *, closed: bool) -> tuple[Edge | Arc, ...]:
    """Straight edges with the bisectors of their corners; at a wall the bisector lies in the wall."""
    along = [(b - a) / np.linalg.norm(b - a) for a, b in pairwise(corners)]
    normals = [np.array([each[1], -each[0]]) for each in along]
    bisectors = []
    for k, corner in enumerate(corners):
        if closed or 0 < k < len(corners) - 1:
            before, after = normals[k - 1 if k else -1], normals[k % len(normals)]
            cosine = float(before @ after)
            if cosine < -np.cos(np.radians(SHARPEST)):
                raise InputError(
                    "working_electrode.contact.regions is not allowed for finite elements: the corner at "
                    f"[{corner[0]:.4g}, {corner[1]:.4g}] m (from the middle of a symmetric face) is sharper than {SHARPEST:g} "
                    "degrees, and no mesh is graded towards it"
                )
            bisectors.append((before + after) / (1 + cosine))
        else:
            at_x = min(abs(corner[0]), abs(corner[0] - face.width[0])) < min(abs(corner[1]), abs(corner[1] - face.width[1]))
            wall = np.array([0.0, 1.0] if at_x else [1.0, 0.0])
            bisectors.append(wall / (wall @ normals[0 if k == 0 else -1]))
    return tuple(Edge(a, b, m, n) for (a, b), (m, n) in zip(pairwise(corners), pairwise(bisectors), strict=True))


def _line(pieces: Sequence[Edge | Arc]) -> LineString:
    points: list[Array] = []
    for piece in pieces:
        if isinstance(piece, Edge):
            points += [piece.start, piece.end]
        else:
            points += list(piece.outline.point(np.linspace(*piece.t, 65)).T)
    return LineString(points)


def _walls(line: LineString, face: Face) -> list[float]:
    """Distances to the walls that the line does not end on."""
    x, y = face.width
    walls = [((0, 0), (0, y)), ((x, 0), (x, y)), ((0, 0), (x, 0)), ((0, y), (x, y))]
    return [float(line.distance(LineString(wall))) for wall in walls]


def _folds(line: LineString, pieces: Sequence[Edge | Arc]) -> list[float]:
    """Distances between edges of one outline that are no neighbours."""
    if isinstance(pieces[0], Arc):
        return [2 * min(pieces[0].outline.semi_axes)]
    edges = [LineString([piece.start, piece.end]) for piece in pieces if isinstance(piece, Edge)]
    found = [float(a.distance(b)) for k, a in enumerate(edges) for b in edges[k + 2 :]]
    return [each for each in found if each > 0]
