"""min over pairs |P - Q|: which regions of a contact are nearest to one another, to a wall, and to themselves; and by how much.

Two regions that touch in a point, and a region that touches a wall in one, leave a cusp of pore that no triangle follows. They
are refused by these distances alone, before anything is meshed; so is what is nearer than strips of triangles can resolve.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import shapely

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError
from fem_constriction.geometry.outlines import FINE, Outline
from fem_constriction.problem.faces import SAME, Face

#: Narrowest gap that is meshed, over the width of the face: 0.5 nm on 50 um.
NARROWEST = 1e-5

WALLS = ("x = 0", "x = L_x", "y = 0", "y = L_y")


def check_gaps(face: Face) -> None:
    """Raise InputError for the first gap on a whole face, between regions or a region and a wall, that no mesh resolves."""
    width = face.width
    narrowest = NARROWEST * max(width)
    for one, other, gap in _gaps(face.outlines, width, narrowest):
        if len(face.metal) > 1 and gap <= narrowest:
            raise _cross(one, other, gap)
        listed = face.shape == "regions"
        key, what = ("regions", one) if listed else (f"fraction = {face.fraction!r}", f"the {face.shape}")
        raise InputError(
            key=f"working_electrode.contact.{key}",
            when="for finite elements",
            why=f"{what} and {other} {(f'are {gap:.3g} m apart' if gap > SAME * max(width) else 'touch (a gap of 0 m)')}",
            remedy=f"allowed is a gap of more than {narrowest:.3g} "
            f"m{(', or one polygon of what touches; on a wall a polygon may have an edge' if listed else '')}",
        )


def _cross(one: str, other: str, gap: float) -> InputError:
    """What is said of outlines of two electrodes that no triangles follow both."""
    return InputError(
        key="counter_electrode.contact",
        when="for finite elements",
        why=f"seen along z, outlines of both electrodes ({one} and {other}, counted on from one electrode to the other) "
        + (f"are {gap:.3g} m apart" if gap > 0 else "cross or touch"),
        remedy="allowed are outlines that are the same, one inside the other or beside it, or both electrodes on images "
        "of the same pixels",
    )


def _gaps(outlines: Sequence[Outline], width: tuple[float, float], narrowest: float) -> Iterator[tuple[str, str, float]]:
    for number, outline in enumerate(outlines, 1):
        for name, distance in zip(WALLS, _to_walls(outline, width), strict=True):
            if distance <= narrowest:
                yield f"region {number}", f"the wall {name}", max(distance, 0.0)
    for number, outline in enumerate(outlines, 1):
        if outline.corners is not None and (gap := _to_itself(outline.corners, narrowest)) is not None:
            yield f"region {number}", "another edge of it", gap
    shapes = np.array([outline.shape for outline in outlines], dtype=object)
    if len(shapes) < 2:
        return
    drawn = 1e-4 * max(width)  # polygons stand for ellipses here: 1e-5 of their size off
    pairs = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=narrowest + drawn)
    for a, b in pairs.T[pairs[0] < pairs[1]].tolist():
        gap = distance_between(outlines[a], outlines[b])
        if gap <= narrowest:
            yield f"region {a + 1}", f"region {b + 1}", gap


def _to_walls(outline: Outline, width: tuple[float, float]) -> list[float]:
    """Distances from the four walls; infinite from one that the outline has an edge on and nothing else near it."""
    found = []
    for axis in range(2):
        if outline.corners is None:
            (a, b), angle = outline.semi_axes, outline.angle - axis * np.pi / 2
            reach = float(np.hypot(a * np.cos(angle), b * np.sin(angle))) if a != b else a
            found += [outline.centre[axis] - reach, width[axis] - outline.centre[axis] - reach]
            continue
        for distance in (outline.corners[:, axis], width[axis] - outline.corners[:, axis]):
            on = np.abs(distance) <= SAME * max(width)
            along = on & (np.roll(on, 1) | np.roll(on, -1))
            found.append(float(np.min(np.where(along, np.inf, distance))))
    return found


def _to_itself(corners: Array, narrowest: float) -> float | None:
    """The least distance of two edges that a longer way along the outline joins, if it is at most so much, else None."""
    edges = np.asarray(shapely.linestrings(np.stack([corners, np.roll(corners, -1, 0)], 1)))
    count = len(corners)
    a, b = shapely.STRtree(edges).query(edges, predicate="dwithin", distance=narrowest)
    distance, lengths = np.asarray(shapely.distance(edges[a], edges[b])), np.asarray(shapely.length(edges))
    before = np.concatenate([[0.0], np.cumsum(lengths)])
    between = np.where(b > a, before[b] - before[a + 1], before[b] + before[-1] - before[a + 1])  # from the end of a on to b
    apart = ((b - a) % count > 1) & ((a - b) % count > 1) & (np.minimum(between, before[-1] - between) > 2 * distance)
    return float(distance[apart].min()) if apart.any() else None


def distance_between(one: Outline, other: Outline) -> float:
    """Return the distance of two outlines, one of which may lie in the other, m.

    Exact to rounding for polygons and discs, to 1e-11 of their size for ellipses.
    """
    discs = [outline.corners is None and outline.semi_axes[0] == outline.semi_axes[1] for outline in (one, other)]
    if all(discs):
        away, (r, other_r) = float(np.hypot(*np.subtract(one.centre, other.centre))), (one.semi_axes[0], other.semi_axes[0])
        return max(away - r - other_r, abs(r - other_r) - away)  # beside, or inside one another
    for disc, outline in ((one, other), (other, one)):
        if disc.corners is None and disc.semi_axes[0] == disc.semi_axes[1] and outline.corners is not None:
            farthest = float(np.linalg.norm(outline.corners - disc.centre, axis=1).max())
            nearest = float(shapely.Point(disc.centre).distance(outline.shape.exterior))
            return max(nearest - disc.semi_axes[0], disc.semi_axes[0] - farthest)
    lines = [_drawn(outline, 0.0, 2 * np.pi) for outline in (one, other)]
    step = 2 * np.pi / FINE
    for _ in range(2):  # looked at ever more closely about the nearest points
        near = np.array(shapely.shortest_line(*lines).coords)
        lines = [
            line if outline.corners is not None else _drawn(outline, (t := _parameter(outline, point)) - step, t + step)
            for line, outline, point in zip(lines, (one, other), near, strict=True)
        ]
        step *= 4 / FINE
    return float(shapely.distance(*lines))


def _drawn(outline: Outline, start: float, end: float) -> shapely.Geometry:
    if outline.corners is not None:
        return outline.shape.exterior
    return shapely.LineString(outline.point(np.linspace(start, end, FINE + 1)).T)


def _parameter(outline: Outline, point: Array) -> float:
    x, y = point - np.array(outline.centre)
    c, s = np.cos(outline.angle), np.sin(outline.angle)
    return float(np.arctan2((c * y - s * x) / outline.semi_axes[1], (c * x + s * y) / outline.semi_axes[0]))
