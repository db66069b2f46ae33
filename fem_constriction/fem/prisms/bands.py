"""Nodes and triangles of a collar: n steps r_i = (i/n)^mu to both sides of an edge, x = (1 - |r|) P + |r| Q."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.fem.prisms.clearances import Arc, Edge
from fem_constriction.fem.prisms.collars import Curve
from fem_constriction.grids.grid import Grading

Integers = NDArray[np.int64]

#: Height of an arc over its chord, over the width of the collar, at the coarsest level.
SAGITTA = 0.4

#: Segments of a quarter of an ellipse at the coarsest level, and pieces into which one is tried to be cut at once.
PER_QUARTER, TRIED = 2, 8

#: Longest segment over the clearance d; along an arc of radius R beside something over sqrt(d R), the length on which a narrow
#: gap changes; along an edge over a part of its length: in a gap that does not change, segments are as long as elsewhere.
LONGEST, SPAN = 0.7, 0.25

#: How far the width of a collar between two divisions may be from what it should be there, as a part of that.
OFF = 0.4

#: Shorter than this part of the collar's width no segment is cut.
SHORTEST = 0.2

#: Places between two divisions at which that is looked at, beside those that are opposite to something.
PLACES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


@dataclass(frozen=True, eq=False)
class Interval:
    """A part of a curve at the coarsest level: of an edge or arc from u[0] to u[1] (0 to 1); at(xi): u, graded or not.

    rims: where the collar ends at both ends of it, (inside, outside; start, end; x, y).
    """

    piece: Edge | Arc
    u: tuple[float, float]
    at: Callable[[Array], Array]
    rims: Array


class Band:
    """One collar at a level: nodes (along, across), two triangles a quadrilateral."""

    def __init__(self, curve: Curve, intervals: Sequence[Interval], grading: Grading, level: int, first: int) -> None:
        parts, steps = 1 << level, grading.steps << level
        k = np.arange(-steps, steps + 1)
        across = np.sign(k) * (np.abs(k) / steps) ** grading.exponent
        xi = np.arange(parts + 1) / parts
        self.arcs: list[tuple[float, ...]] = []
        rows, patch, along = [], [], []
        for interval in intervals:
            number = -1
            if isinstance(interval.piece, Arc):
                number = first + len(self.arcs)
                self.arcs.append(arc_numbers(interval))
                side = np.where(across >= 0, 1.0, -1.0)[None]
                found = bend(np.array(self.arcs[-1]), xi[:, None], across[None], side)[0]
            else:
                found = _trapezoid(interval, xi, across)
            rows.append(found.transpose(1, 2, 0)[:-1])
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


def _trapezoid(interval: Interval, xi: Array, r: Array) -> Array:
    """Nodes beside a straight edge: graded along it on the edge, evenly on the rims; (2, along, across)."""
    edge = interval.piece.point(interval.at(xi))[:, None]
    inner, outer = ((1 - xi[:, None]) * rim[0] + xi[:, None] * rim[1] for rim in interval.rims)
    rims = np.where((r >= 0)[:, None], outer[:, None], inner[:, None])
    weight = np.abs(r)[:, None]
    return np.asarray(((1 - weight) * edge + weight * rims).transpose(2, 0, 1))


def arc_numbers(interval: Interval) -> tuple[float, ...]:
    """Return a bent patch as 16 numbers: centre, semi-axes, cosine and sine of the angle, start, end, and its four rims."""
    assert isinstance(interval.piece, Arc)
    outline, t = interval.piece.outline, interval.piece.t
    start, end = (t[0] + u * (t[1] - t[0]) for u in interval.u)
    turn = np.cos(outline.angle), np.sin(outline.angle)
    return (*outline.centre, *outline.semi_axes, *turn, start, end, *interval.rims.ravel().tolist())


def bend(numbers: Array, xi: Array, r: Array, side: Array) -> tuple[Array, Array, Array]:
    """Return x = (1 - |r|) P(t) + |r| Q(xi) at (xi, r), and its derivatives by xi and r, each (2, ...).

    numbers: those of `arc_numbers`, (16, ...); side: +-1, that of the outline on which a point is; all broadcast together.
    """
    cx, cy, a, b, c, s, start, end = numbers[:8]
    outer = side > 0
    first, last = (
        np.stack(np.broadcast_arrays(*(np.where(outer, numbers[12 + 2 * k + i], numbers[8 + 2 * k + i]) for i in range(2))))
        for k in range(2)
    )
    t = start + xi * (end - start)
    x, y, by_x, by_y = a * np.cos(t), b * np.sin(t), -a * np.sin(t) * (end - start), b * np.cos(t) * (end - start)
    place = np.stack(np.broadcast_arrays(cx + c * x - s * y, cy + s * x + c * y))
    turning = np.stack(np.broadcast_arrays(c * by_x - s * by_y, s * by_x + c * by_y))
    rim, weight = (1 - xi) * first + xi * last, side * r
    return (1 - weight) * place + weight * rim, (1 - weight) * turning + weight * (last - first), side * (rim - place)


def intervals(curve: Curve, grading: Grading) -> list[Interval]:
    """Return the coarsest division along a curve: even along arcs, graded towards the corners along edges.

    Wherever a part is too long for its collar or its clearance it is cut, into equal parts or again and again into halves.
    """
    found = []
    for k, piece in enumerate(curve.chain.pieces):
        for a, b, at in _graded(piece, grading):
            cuts = list(_cut(curve, k, a, b, PER_QUARTER if isinstance(piece, Arc) else 1))
            for c, d in pairwise([a, *cuts, b]):
                whole = at is not None and not cuts
                ends = np.array([c, d])
                side, point = piece.side(ends), piece.point(ends)
                inner, outer = (width[:, None] for width in curve.widths(k, ends))
                rims = np.stack([point - inner * side, point + outer * side])
                found.append(Interval(piece, (c, d), at if whole and at is not None else _even(c, d), rims))
    return found


def _cut(curve: Curve, piece: int, a: float, b: float, least: int) -> Iterator[float]:
    """Where a part of a piece has to be cut: evenly into few parts if they then fit, else in the middle, and each half so."""
    wanted = _parts(curve, piece, a, b)
    if wanted <= 1 and least == 1:
        return
    for parts in range(max(least, int(np.ceil(wanted / 2))), TRIED + 1):
        ends = np.linspace(a, b, parts + 1)
        if all(_parts(curve, piece, c, d) <= 1 for c, d in pairwise(ends)):
            yield from ends[1:-1]
            return
    middle = (a + b) / 2
    yield from _cut(curve, piece, a, middle, 1)
    yield middle
    yield from _cut(curve, piece, middle, b, 1)


def _parts(curve: Curve, piece: int, a: float, b: float) -> float:
    """How many times a part is too long for its clearance, too bent for its collar, or of a width that varies too much."""
    part, feet = curve.chain.pieces[piece], curve.feet(piece)
    u = np.union1d(a + PLACES * (b - a), feet[(feet > a) & (feet < b)])
    length, clearance = (b - a) * part.length, curve.clearance(piece, u)
    clear, widths = float(np.minimum(*clearance).min()), np.array(curve.widths(piece, u, clearance))
    if length <= SHORTEST * widths.min():
        return 1.0
    straight = widths[:, [0]] + (u - a) / (b - a) * (widths[:, [-1]] - widths[:, [0]])
    varies = 1.0 if np.all(np.abs(straight - widths) <= OFF * widths) else 2.0
    if not isinstance(part, Arc):
        return max(varies, length / (LONGEST * max(clear, SPAN * part.length)))
    turn, (short, long) = (b - a) * (part.t[1] - part.t[0]), sorted(part.outline.semi_axes)
    bent = turn * np.sqrt(
        long / (8 * SAGITTA * widths.min())
    )  # arcs of v dt have a sagitta of curvature (v dt)^2/8 <= long dt^2/8
    return max(varies, float(bent), length / (LONGEST * max(clear, float(np.sqrt(clear * short)))))


def _graded(piece: Edge | Arc, grading: Grading) -> list[tuple[float, float, Callable[[Array], Array] | None]]:
    """The parts of a piece from u to u, and how they go on in finer levels; of arcs one."""
    if isinstance(piece, Arc):
        return [(0.0, 1.0, None)]
    corner = [abs(float(np.linalg.norm(each)) - 1) > 1e-9 for each in (piece.first, piece.last)]
    n, mu = grading.steps, grading.exponent
    steps = np.arange(n + 1) / n
    if all(corner):
        half = steps**mu / 2
        pieces = [(half, _power(0.0, 0.5, n, mu)), (1 - half[::-1], _power(1.0, -0.5, n, mu))]
    elif any(corner):
        lines = steps**mu if corner[0] else 1 - (steps**mu)[::-1]
        pieces = [(lines, _power(0.0, 1.0, n, mu) if corner[0] else _power(1.0, -1.0, n, mu))]
    else:
        return [(0.0, 1.0, None)]
    return [(float(a), float(b), graded(k)) for lines, graded in pieces for k, (a, b) in enumerate(pairwise(lines))]


def _even(a: float, b: float) -> Callable[[Array], Array]:
    return lambda xi: a + xi * (b - a)


def _power(origin: float, span: float, n: int, mu: float) -> Callable[[int], Callable[[Array], Array]]:
    """Interval number k, counted along the edge, of u = origin + span (i/n)^mu: its graded places."""

    def interval(k: int) -> Callable[[Array], Array]:
        if span > 0:
            return lambda xi: origin + span * ((k + xi) / n) ** mu
        return lambda xi: origin + span * ((n - k - xi) / n) ** mu

    return interval
