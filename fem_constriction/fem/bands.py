"""Nodes and triangles of a collar: n steps r_i = w (i/n)^mu to both sides of an edge, and the bent patches along arcs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fem_constriction.fem.collars import Arc, Curve, Edge
from fem_constriction.grid import Grading

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Height of an arc over its chord, over the width of the collar, at the coarsest level.
SAGITTA = 0.4

#: Segments of a quarter of an ellipse at the coarsest level.
PER_QUARTER = 2


@dataclass(frozen=True, eq=False)
class Interval:
    """A part of a curve at the coarsest level: of an edge or arc from u[0] to u[1] (0 to 1); at(xi): u, graded or not."""

    piece: Edge | Arc
    u: tuple[float, float]
    at: Callable[[Array], Array]


class Band:
    """One collar at a level: nodes (along, across), two triangles a quadrilateral."""

    def __init__(self, curve: Curve, intervals: Sequence[Interval], grading: Grading, level: int, first: int) -> None:
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


def _trapezoid(interval: Interval, xi: Array, r: Array, w: float) -> Array:
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


def intervals(curve: Curve, grading: Grading) -> list[Interval]:
    """Return the coarsest division along a curve: even along arcs, graded towards the corners along edges."""
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
            found += [Interval(piece, (a, b), _even(a, b)) for a, b in pairwise(ends)]
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
                    found.append(Interval(piece, (a, b), graded(k)))
                else:
                    ends = np.linspace(a, b, parts + 1)
                    found += [Interval(piece, (c, d), _even(c, d)) for c, d in pairwise(ends)]
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
