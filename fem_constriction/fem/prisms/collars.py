"""x = (1 - |r|) P + |r| Q, -1 <= r <= 1: strips along the contact's edges, in which meshes are graded across the edge.

An outline is made of straight edges and elliptic arcs. To both sides of it lies a collar, its rims Q at a distance w from the
outline P: polygons with a corner at each division of the outline, so that what is left of the face is bounded by straight
segments. On straight edges patches are trapezoids that meet at the corners' bisectors, along arcs they are bent on the outline
and straight on the rims. w is chosen from place to place and on each side: a part of the clearance there, less at corners and
beside short edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from shapely import box

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError
from fem_constriction.fem.prisms.clearances import Arc, Chain, Clearances, Edge
from fem_constriction.geometry.outlines import Outline
from fem_constriction.problem.faces import SAME, Face

#: Width of a collar over the distance to what is nearest, and length of its corners: neighbours leave some of the gap.
NEAR, CORNER = 0.3, 0.4

#: Width of a collar over the smallest radius of curvature, and over the shortest edge.
BENT, SHORT = 0.3, 0.18

#: The part of an edge's length by which a collar's rim may be shorter than the edge.
SHORTER = 0.5

#: Sharpest corner, degrees: the bisector's collar is 1/sin of half of it as long as it is wide.
SHARPEST = 15.0


@dataclass(frozen=True, eq=False)
class Curve:
    """One outline on the face with its collar: how wide that is inside and outside, from place to place."""

    chain: Chain
    number: int
    clearances: Clearances

    @property
    def closed(self) -> bool:
        """Whether it closes on itself, else both ends are on walls."""
        return self.chain.closed

    def clearance(self, piece: int, u: Array) -> tuple[Array, Array]:
        """Return the distances to what is nearest inside and outside, at u (n,) of a piece, each (n,), m."""
        return self.clearances.sides(self.number, piece, u)

    def feet(self, piece: int) -> Array:
        """Return u of the places of a piece that may be nearest to something."""
        return self.clearances.feet(self.number, piece)

    def widths(self, piece: int, u: Array, clearance: tuple[Array, Array] | None = None) -> tuple[Array, Array]:
        """Return the collar's widths inside and outside at u (n,) of a piece, each (n,), m; clearance: there, if known."""
        part = self.chain.pieces[piece]
        near = [NEAR * each for each in clearance or self.clearance(piece, u)]
        if isinstance(part, Arc):
            short, long = sorted(part.outline.semi_axes)
            return np.minimum(near[0], BENT * short**2 / long), np.minimum(near[1], BENT * short**2 / long)
        found = []
        for side in range(2):
            width = np.minimum(near[side], self._short(part.point(u), side))
            for end in range(2):
                away = _growth(part) * part.length * np.abs(u - end)
                width = np.minimum(width, self._corners[side, piece + end] + away)
            found.append(width)
        return found[0], found[1]

    @cached_property
    def _corners(self) -> Array:
        """The widths inside and outside at the start of each edge and the end of the last, (2, edges + 1).

        One for both edges that meet there; bisectors are longer than the collar is wide.
        """
        edges = [piece for piece in self.chain.pieces if isinstance(piece, Edge)]
        found = np.full((2, len(edges) + 1), np.inf)
        for k, edge in enumerate(edges):
            clear, u = np.array(self.clearance(k, np.arange(2.0))), np.arange(2.0)
            long = np.linalg.norm(edge.side(u), axis=1)
            here = np.minimum(NEAR, CORNER / long) * clear
            here = np.minimum(here, [self._short(edge.point(u), side) for side in range(2)])
            found[:, k : k + 2] = np.minimum(found[:, k : k + 2], here)
        for _ in range(2):  # twice around: what the narrowest corner allows is known everywhere
            for k in (*range(len(edges)), *range(len(edges) - 1, -1, -1)):
                if self.closed:
                    found[:, [0, -1]] = found[:, [0, -1]].min(1, keepdims=True)
                rise = _growth(edges[k]) * edges[k].length
                found[:, k : k + 2] = np.minimum(found[:, k : k + 2], found[:, k : k + 2][:, ::-1] + rise)
        if self.closed:
            found[:, [0, -1]] = found[:, [0, -1]].min(1, keepdims=True)
        return found

    def _short(self, points: Array, side: int) -> Array:
        """The width that the lengths of the edges allow: less near a short one, or one between sharp corners."""
        found = np.full(len(points), np.inf)
        for edge in self.chain.pieces:
            assert isinstance(edge, Edge)
            sign = 1 if side else -1
            shorter = max(0.0, sign * float(edge.first @ edge.along)) + max(0.0, -sign * float(edge.last @ edge.along))
            allowed = min(SHORT * edge.length, SHORTER * edge.length / max(shorter, 1e-300))
            u = np.clip(((points - edge.start) @ edge.along) / edge.length, 0, 1)
            found = np.minimum(found, allowed + NEAR * np.linalg.norm(edge.point(u) - points, axis=1))
        return found


def _growth(edge: Edge) -> float:
    """How much wider a collar may become along an edge, per length: less where its sides lean along the edge."""
    return NEAR / max(1.0, abs(float(edge.first @ edge.along)), abs(float(edge.last @ edge.along)))


def curves(face: Face) -> list[Curve]:
    """Return the contact's edges on a part of a face, with collars that do not meet.

    Raises InputError where a corner, or the angle between an edge and a wall, is too sharp.
    """
    chains: list[Chain] = []
    for number, outline in zip(face.numbers, face.outlines, strict=True):
        parts = [_arcs(outline, face)] if outline.corners is None else _edges(outline, face, number)
        chains += [Chain(pieces, closed, number) for pieces, closed in parts]
    clearances = Clearances(face, chains)
    return [Curve(chain, k, clearances) for k, chain in enumerate(chains)]


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


def _edges(outline: Outline, face: Face, number: int) -> list[tuple[tuple[Edge | Arc, ...], bool]]:
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
        return [(_mitred([*corners, corners[0]], face, number, closed=True), True)]
    first = next(k for k in range(len(wall)) if not wall[k] and wall[k - 1])
    chains: list[list[Array]] = []
    for k in range(first, first + len(wall)):
        a, b = corners[k % len(wall)], corners[(k + 1) % len(wall)]
        if wall[k % len(wall)]:
            continue
        if wall[(k - 1) % len(wall)]:
            chains.append([a])
        chains[-1].append(b)
    return [(_mitred(chain, face, number, closed=False), False) for chain in chains]


def on_wall(a: Array, b: Array, face: Face) -> bool:
    """Whether a segment lies on one of the face's walls."""
    tolerance = SAME * max(face.width)
    return any(abs(a[i] - at) <= tolerance and abs(b[i] - at) <= tolerance for i in range(2) for at in (0.0, face.width[i]))


def _mitred(corners: Sequence[Array], face: Face, number: int, *, closed: bool) -> tuple[Edge | Arc, ...]:
    """Straight edges with the bisectors of their corners; at a wall the bisector lies in the wall."""
    along = [(b - a) / np.linalg.norm(b - a) for a, b in pairwise(corners)]
    normals = [np.array([each[1], -each[0]]) for each in along]
    bisectors = []
    for k, corner in enumerate(corners):
        if closed or 0 < k < len(corners) - 1:
            before, after = normals[k - 1 if k else -1], normals[k % len(normals)]
            cosine = float(before @ after)
            if cosine < -np.cos(np.radians(SHARPEST)):
                raise _too_sharp(f"the corner of region {number}", corner, face, SHARPEST)
            bisectors.append((before + after) / (1 + cosine))
        else:
            at_x = min(abs(corner[0]), abs(corner[0] - face.width[0])) < min(abs(corner[1]), abs(corner[1] - face.width[1]))
            wall = np.array([0.0, 1.0] if at_x else [1.0, 0.0])
            across = float(wall @ normals[0 if k == 0 else -1])
            if abs(across) < np.sin(np.radians(SHARPEST / 2)):
                raise _too_sharp(f"the angle between region {number} and the wall", corner, face, SHARPEST / 2)
            bisectors.append(wall / across)
    return tuple(Edge(a, b, m, n) for (a, b), (m, n) in zip(pairwise(corners), pairwise(bisectors), strict=True))


def _too_sharp(what: str, corner: Array, face: Face, allowed: float) -> InputError:
    x, y = (corner[axis] + face.cut[axis] * face.width[axis] for axis in range(2))
    return InputError(
        key="working_electrode.contact.regions",
        when="for finite elements",
        why=f"{what} at [{x:.4g}, {y:.4g}] m is sharper than {allowed:g} degrees, and no mesh is graded towards it",
    )
