"""d(P): how far a point of the contact's edge is from what is nearest, on its inner and its outer side.

Strips of triangles along the edges are as wide as this lets them be at each point, so that a narrow gap makes them narrow there
and nowhere else. Other regions and walls lie outside; edges of the same region may lie on either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.geometry.outlines import Outline
from fem_constriction.problem.faces import SAME, Face

#: Points by which a quarter of an ellipse is drawn where distances to it are measured: 1e-7 of its size off at most.
DRAWN = 1500

#: Something seen at less than the first sine from the direction of the edge is on both sides, from the second on it is on one.
SIDEWAYS, ASIDE = 0.2, 0.5


@dataclass(frozen=True, eq=False)
class Edge:
    """A straight edge from start to end; first, last: bisectors there, N plus something along the edge. Outward is r > 0."""

    start: Array
    end: Array
    first: Array
    last: Array

    @cached_property
    def length(self) -> float:
        """Its length, m."""
        return float(np.linalg.norm(self.end - self.start))

    @cached_property
    def along(self) -> Array:
        """The unit vector from start to end."""
        return np.asarray((self.end - self.start) / self.length)

    @cached_property
    def normal(self) -> Array:
        """The unit vector outwards."""
        return np.array([self.along[1], -self.along[0]])

    def point(self, u: Array) -> Array:
        """Return points at u from 0 to 1, (n, 2)."""
        return np.asarray(self.start + np.reshape(u, (-1, 1)) * (self.end - self.start))

    def side(self, u: Array) -> Array:
        """Return the direction of the strip there, (n, 2): its part along N is 1."""
        return np.asarray(self.first + np.reshape(u, (-1, 1)) * (self.last - self.first))


@dataclass(frozen=True, eq=False)
class Arc:
    """The part t[0] to t[1] of an ellipse, counter-clockwise."""

    outline: Outline
    t: tuple[float, float]

    @cached_property
    def length(self) -> float:
        """Its length, m."""
        speed = np.hypot(*self.outline.tangent(np.linspace(*self.t, 33)))
        return float(np.mean((speed[1:] + speed[:-1]) / 2) * (self.t[1] - self.t[0]))

    def point(self, u: Array) -> Array:
        """Return points at u from 0 to 1, (n, 2)."""
        return np.asarray(self.outline.point(self.t[0] + np.ravel(u) * (self.t[1] - self.t[0])).T)

    def side(self, u: Array) -> Array:
        """Return the normal there, (n, 2)."""
        x, y = self.outline.tangent(self.t[0] + np.ravel(u) * (self.t[1] - self.t[0]))
        return np.asarray(np.stack([y, -x], 1) / np.hypot(x, y)[:, None])


@dataclass(frozen=True, eq=False)
class Chain:
    """One outline on the face, its pieces in order; closed, or with both ends on walls. region: its number, from 1."""

    pieces: tuple[Edge | Arc, ...]
    closed: bool
    region: int


class Clearances:
    """Distances on a face from the pieces of its chains to everything else."""

    def __init__(self, face: Face, chains: Sequence[Chain]) -> None:
        self.face, self.chains = face, chains
        discs = {k: circle for k, chain in enumerate(chains) if (circle := _circle(chain)) is not None}
        self.number = np.array(list(discs), dtype=np.int64)
        self.centres = np.array([circle.centre for circle in discs.values()]).reshape(-1, 2)
        self.radii = np.array([circle.semi_axes[0] for circle in discs.values()])
        self.lines = {k: drawn(chain) for k, chain in enumerate(chains) if k not in discs}
        for line in self.lines.values():
            shapely.prepare(line)
        #: Numbers of regions in which outlines of the other electrode lie.
        self.holding: set[int] = set()
        if len(face.metal) > 1:
            shapes = [outline.shape for outline in face.outlines]
            one, other = shapely.STRtree(shapes).query(shapes, predicate="contains")
            self.holding = {face.numbers[k] for k in one[one != other]}

    @cache  # noqa: B019
    def _discs(self, chain: int) -> NDArray[np.int64]:
        """Which discs may be nearest to some point of a chain, by numbers among the centres: of hundreds a few."""
        rest = np.flatnonzero(self.number != chain)
        fine = np.linspace(0, 1, 33)
        points = np.concatenate([part.point(fine) for part in self.chains[chain].pieces])
        middle = (points.min(0) + points.max(0)) / 2
        reach = 1.1 * float(np.linalg.norm(points - middle, axis=1).max())  # arcs bulge beyond chords of a 32nd
        away = np.linalg.norm(self.centres[rest] - middle, axis=1)
        nearest = np.abs(away - self.radii[rest]).min(initial=np.inf) + reach
        return np.asarray(rest[away - self.radii[rest] - reach <= nearest], dtype=np.int64)

    def sides(self, chain: int, piece: int, u: Array) -> tuple[Array, Array]:
        """Return the distances inside and outside of points at u (n,) of a piece, each (n,), m."""
        own, part = self.chains[chain], self.chains[chain].pieces[piece]
        points = part.point(u)
        others = self._others(chain, points)
        outside = np.minimum(others, self._walls(own, piece, points))
        inside = others if own.region in self.holding else np.full(len(points), max(self.face.width))
        if isinstance(part, Arc):
            return np.minimum(inside, 2 * min(part.outline.semi_axes)), outside
        count = len(own.pieces)
        for other, edge in enumerate(own.pieces):
            apart = (other - piece) % count if own.closed else other - piece
            neighbours = (1, count - 1) if own.closed else (1, -1)
            if apart == 0 or not isinstance(edge, Edge):
                continue
            distance, beyond = _to_segment(edge, points, part.normal)
            if apart in neighbours:  # of a corner's two edges neither is in the way of the other; but of what lies on the first
                distance = np.where((u if apart == neighbours[1] else 1 - u) == 1, distance, np.inf)
            inside = np.minimum(inside, distance / _seen(beyond))
            outside = np.minimum(outside, distance / _seen(-beyond))
        return inside, outside

    @cache  # noqa: B019
    def feet(self, chain: int, piece: int) -> Array:
        """Return u of the places of a piece that may be nearest to something: opposite corners, discs, ellipses and walls."""
        part = self.chains[chain].pieces[piece]
        points = [self.centres[self._discs(chain)]]
        for k in self.lines:
            other = self.chains[k]
            edges = [each for each in other.pieces if isinstance(each, Edge) and each is not part]
            points += [np.stack([end for each in edges for end in (each.start, each.end)])] if edges else []
            if k != chain and not edges:
                line = shapely.LineString(part.point(np.linspace(0, 1, DRAWN)))
                points.append(np.array(shapely.shortest_line(line, self.lines[k]).coords)[:1])
        near = np.concatenate(points)
        if isinstance(part, Edge):
            found = (near - part.start) @ part.along / part.length
        else:
            (a, b), angle, start = part.outline.semi_axes, part.outline.angle, part.t[0]
            x, y = (near - part.outline.centre).T
            c, s = np.cos(angle), np.sin(angle)
            t = np.arctan2((c * y - s * x) / b, (c * x + s * y) / a)
            ends = np.arctan2([-b * s, b * c], [a * c, a * s])  # nearest to walls along x and y
            found = (np.concatenate([t, ends, ends + np.pi]) - start) % (2 * np.pi) / (part.t[1] - start)
        return np.unique(found[(found > 0) & (found < 1)])

    def _others(self, chain: int, points: Array) -> Array:
        found: Array = np.full(len(points), max(self.face.width))
        rest = self._discs(chain)
        if rest.size:
            away = np.linalg.norm(points[:, None] - self.centres[rest], axis=2) - self.radii[rest]
            found = np.minimum(found, np.abs(away).min(1))
        places = shapely.points(points)
        for k, line in self.lines.items():
            if k != chain:
                found = np.minimum(found, shapely.distance(line, places))
        return found

    def _walls(self, chain: Chain, piece: int, points: Array) -> Array:
        """Distances to the walls that a piece does not end on."""
        found = np.full(len(points), np.inf)
        ends = []
        if not chain.closed and piece == 0:
            ends.append(chain.pieces[0].point(np.zeros(1))[0])
        if not chain.closed and piece == len(chain.pieces) - 1:
            ends.append(chain.pieces[-1].point(np.ones(1))[0])
        for axis, width in enumerate(self.face.width):
            for at in (0.0, width):
                if not any(abs(end[axis] - at) <= SAME * max(self.face.width) for end in ends):
                    found = np.minimum(found, np.abs(points[:, axis] - at))
        return found


def drawn(chain: Chain) -> shapely.LineString:
    """A chain as a line: arcs by many points."""
    points = [each.point(np.linspace(0, 1, 2 if isinstance(each, Edge) else DRAWN)) for each in chain.pieces]
    return shapely.LineString(np.vstack(points))


def _circle(chain: Chain) -> Outline | None:
    first = chain.pieces[0]
    if not isinstance(first, Arc) or first.outline.semi_axes[0] != first.outline.semi_axes[1]:
        return None
    return first.outline


def _seen(away: Array) -> Array:
    """1 for what lies on a side or beside it, falling to 0 for what lies on the other one: clearances change steadily."""
    return np.clip((ASIDE - away) / (ASIDE - SIDEWAYS), 1e-9, 1)


def _to_segment(edge: Edge, points: Array, normal: Array) -> tuple[Array, Array]:
    """Distances of points from an edge, and the sine of the direction in which it is nearest: positive along the normal."""
    u = np.clip(((points - edge.start) @ edge.along) / edge.length, 0, 1)
    way = edge.point(u) - points
    distance = np.linalg.norm(way, axis=1)
    return distance, (way @ normal) / np.maximum(distance, 1e-300)
