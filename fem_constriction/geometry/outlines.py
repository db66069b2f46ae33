"""A_c = sum over regions of their areas: where metal touches the face, as discs, ellipses, rectangles and polygons.

Coordinates are those of the face: the origin in one of its corners, x from 0 to L_x, y from 0 to L_y. Regions lie inside the
face and do not overlap; rectangles may share edges with each other and with the face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from shapely import Polygon as Shape

from fem_constriction.arrays import Array

#: What a cell file is rounded to: overlaps and overhangs below this part of a region's area, corners nearer to each other
#: than this part of the region's extent.
NEGLIGIBLE = 1e-9

#: Corners that lie this part of a polygon's extent beside the line through their neighbours, at most, are none.
STRAIGHT = 1e-12

#: Pieces of a cell over which chords are integrated, each with 8 Gauss points.
PARTS = 4

#: Corners of the polygon that stands for an ellipse where regions are tested for overlap.
FINE = 720


def _cross(a: Array, b: Array) -> Array:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _shoelace(corners: Array) -> float:
    """The area that a ring encloses, m2; negative if it runs clockwise."""
    p = corners - corners.mean(0)
    return float(0.5 * _cross(p, np.roll(p, -1, 0)).sum())


def _distinct(corners: Array) -> Array:
    """Corners without those that repeat the one before: a closed ring, as GeoJSON and WKT write it, ends where it began."""
    step = np.linalg.norm(corners - np.roll(corners, 1, 0), axis=1)
    return np.asarray(corners[step > NEGLIGIBLE * float(np.ptp(corners, axis=0).max())])


def _fault_of_ring(corners: Array) -> str:
    """Return what keeps corners in order from being a polygon, in words; "" if nothing does."""
    p = _distinct(corners)
    if len(p) < 3:
        return "at least three different corners (the first may be repeated at the end)"
    long, short = np.linalg.svd(p - p.mean(0), compute_uv=False)
    if short <= NEGLIGIBLE * long:
        return "corners on one straight line enclose no area"
    before, after = p - np.roll(p, 1, 0), np.roll(p, -1, 0) - p
    back = np.abs(_cross(before, after)) <= NEGLIGIBLE * np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    if np.any(back & (np.sum(before * after, 1) < 0)):
        return "an edge must not lead back along the one before it"
    return "" if Shape(p).is_valid else "edges must not cross or touch"


def _turned(angle: float) -> Array:
    """The rotation by an angle, exact for whole quarters of a turn."""
    c, s = np.cos(angle), np.sin(angle)
    quarter = np.round(angle / (np.pi / 2))
    if abs(angle - quarter * np.pi / 2) < 1e-12:
        c, s = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)][int(quarter) % 4]
    return np.array([[c, -s], [s, c]])


@dataclass(frozen=True, eq=False)
class Outline:
    """centre + R(angle) (a cos t, b sin t), 0 <= t < 2 pi; or a polygon, corners (n, 2) counter-clockwise. Lengths in m."""

    centre: tuple[float, float] = (0.0, 0.0)
    semi_axes: tuple[float, float] = (0.0, 0.0)
    angle: float = 0.0
    corners: Array | None = None

    @classmethod
    def polygon(cls, corners: Sequence[tuple[float, float]] | Array) -> Outline:
        """Return the outline through these corners; repeated ones, and ones on a straight line, are left out."""
        p = _distinct(np.asarray(corners, dtype=float))
        before, after = p - np.roll(p, 1, 0), np.roll(p, -1, 0) - p
        long = np.maximum(np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1))
        p = p[np.abs(_cross(before, after)) > STRAIGHT * float(np.ptp(p, axis=0).max()) * long]
        return cls(corners=p if _shoelace(p) > 0 else p[::-1])

    @classmethod
    def disc(cls, centre: tuple[float, float], radius: float) -> Outline:
        """Return a circle."""
        return cls(centre, (radius, radius))

    @property
    def values(self) -> tuple[object, ...]:
        """All that the outline is, to compare and to look up by."""
        return self.centre, self.semi_axes, self.angle, None if self.corners is None else self.corners.tobytes()

    @property
    def area(self) -> float:
        """The area inside, m2."""
        if self.corners is None:
            return float(np.pi * self.semi_axes[0] * self.semi_axes[1])
        return _shoelace(self.corners)

    @property
    def rectangle(self) -> tuple[float, float, float, float] | None:
        """(x_0, y_0, x_1, y_1) of a rectangle along the axes, else None."""
        if self.corners is None or len(self.corners) != 4:
            return None
        low, high = self.corners.min(0), self.corners.max(0)
        at_ends = np.isclose(self.corners, low, rtol=0, atol=NEGLIGIBLE * max(high - low)) | np.isclose(
            self.corners, high, rtol=0, atol=NEGLIGIBLE * max(high - low)
        )
        width, height = high - low
        if not at_ends.all() or abs(width * height - self.area) > NEGLIGIBLE * self.area:
            return None  # a sliver that lies askew has its corners at two ends as well
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def point(self, t: Array) -> Array:
        """Return points of an ellipse at parameters t, (2, ...)."""
        a, b = self.semi_axes
        return np.asarray(self._placed(a * np.cos(t), b * np.sin(t)) + np.reshape(self.centre, (2,) + (1,) * np.ndim(t)))

    def tangent(self, t: Array) -> Array:
        """Return d point/dt, (2, ...)."""
        a, b = self.semi_axes
        return self._placed(-a * np.sin(t), b * np.cos(t))

    def _placed(self, x: Array, y: Array) -> Array:
        (c, back), (s, _) = self._rotation
        return np.stack([c * x + back * y, s * x + c * y])

    @cached_property
    def _rotation(self) -> list[list[float]]:
        return [[float(each) for each in row] for row in _turned(self.angle)]

    @cached_property
    def shape(self) -> Shape:
        """The outline as a polygon of many corners."""
        if self.corners is not None:
            return Shape(self.corners)
        return Shape(self.point(np.arange(FINE) * 2 * np.pi / FINE).T)

    def mirrored(self, axis: int, width: float) -> Outline:
        """Return the image in the middle of a face of this width, along x (axis 0) or y (1)."""
        if self.corners is not None:
            p = self.corners.copy()
            p[:, axis] = width - p[:, axis]
            return Outline.polygon(p)
        centre = [*self.centre]
        centre[axis] = width - centre[axis]
        return Outline((centre[0], centre[1]), self.semi_axes, -self.angle)

    def moved(self, by: tuple[float, float]) -> Outline:
        """Return the outline, shifted."""
        if self.corners is not None:
            return Outline(corners=self.corners + np.array(by))
        return Outline((self.centre[0] + by[0], self.centre[1] + by[1]), self.semi_axes, self.angle)

    def same(self, other: Outline) -> bool:
        """Whether two outlines are one, to rounding."""
        return bool(self.shape.symmetric_difference(other.shape).area <= 1e-6 * self.area)

    def mean(self, other: Outline, within: float) -> Outline | None:
        """Return the outline half way to another one that is the same to a part of its shortest edge or axis, or None."""
        if (self.corners is None) != (other.corners is None):
            return None
        if self.corners is not None and other.corners is not None:
            p, q = self.corners, other.corners
            if len(p) != len(q):
                return None
            distance = [float(np.linalg.norm(p - np.roll(q, k, 0), axis=1).max()) for k in range(len(p))]
            best = int(np.argmin(distance))
            if distance[best] > within * float(np.linalg.norm(p - np.roll(p, 1, 0), axis=1).min()):
                return None
            return Outline(corners=(p + np.roll(q, best, 0)) / 2)
        (c, axes, angle), (d, others, turned) = self._canonical(), other._canonical()
        turn = (turned - angle + np.pi / 2) % np.pi - np.pi / 2
        tilt = 0.0 if axes[0] == axes[1] and others[0] == others[1] else abs(turn) * axes[0]
        if max(np.linalg.norm(c - d), np.abs(axes - others).max(), tilt) > within * axes[1]:
            return None
        middle, (long, short) = (c + d) / 2, (axes + others) / 2
        return Outline((float(middle[0]), float(middle[1])), (float(long), float(short)), angle + turn / 2)

    def _canonical(self) -> tuple[Array, Array, float]:
        """Centre, semi-axes with the longer one first, and its angle; 0 of a circle."""
        a, b = self.semi_axes
        angle = 0.0 if a == b else self.angle if a > b else self.angle + np.pi / 2
        return np.array(self.centre), np.array([max(a, b), min(a, b)]), angle

    def chords(self, x: Array) -> Array:
        """Return the intervals of y inside at each x, (n, m, 2); unused ones have both ends equal."""
        if self.corners is None:
            a, b = self.semi_axes
            (c, _), (s, _) = _turned(self.angle)
            u = x - self.centre[0]
            # Of (c u + s v)^2/a^2 + (c v - s u)^2/b^2 = 1 in v.
            p, q, r = s**2 / a**2 + c**2 / b**2, c * s * u * (1 / a**2 - 1 / b**2), u**2 * (c**2 / a**2 + s**2 / b**2) - 1
            root = np.sqrt(np.maximum(q**2 - p * r, 0.0))
            return np.asarray(np.stack([(-q - root) / p, (-q + root) / p], -1)[:, None] + self.centre[1])
        start, end = self.corners, np.roll(self.corners, -1, 0)
        hit = (start[:, 0] <= x[:, None]) != (end[:, 0] <= x[:, None])
        with np.errstate(divide="ignore", invalid="ignore"):
            at = start[:, 1] + (x[:, None] - start[:, 0]) / (end[:, 0] - start[:, 0]) * (end[:, 1] - start[:, 1])
        crossings = np.sort(np.where(hit, at, np.inf), axis=1)[:, : 2 * (len(start) // 2)]
        return np.where(np.isfinite(crossings), crossings, 0.0).reshape(len(x), -1, 2)


def faults(outlines: Sequence[Outline], width: tuple[float, float]) -> str:
    """Return what is wrong with the regions of a face, in words; "" if nothing is: outside of it, or one on another."""
    face = Shape([(0, 0), (width[0], 0), width, (0, width[1])])
    for number, each in enumerate(outlines):
        if each.shape.difference(face).area > NEGLIGIBLE * each.area:
            x0, y0, x1, y1 = each.shape.bounds
            return (
                f"region {number + 1} reaches from [{x0:.6g}, {y0:.6g}] m to [{x1:.6g}, {y1:.6g}] m, outside the face of "
                f"{width[0]:.6g} m x {width[1]:.6g} m"
            )
        for before, other in enumerate(outlines[:number]):
            if each.shape.intersection(other.shape).area > NEGLIGIBLE * min(each.area, other.area):
                return f"regions {before + 1} and {number + 1} overlap; what overlaps is given as one polygon"
    return ""


def coverage(outlines: Sequence[Outline], x: Array, y: Array) -> Array:
    """Return the part of each cell of a grid that lies inside, (x cells, y cells): chords, integrated over x."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    fine = np.unique(np.concatenate([x[:-1] + np.diff(x) * part for part in np.arange(PARTS) / PARTS] + [x[-1:]]))
    total = np.zeros((len(x) - 1, len(y) - 1))
    for outline in outlines:
        low_x, low_y, high_x, high_y = outline.shape.bounds
        i, j = _window(x, low_x, high_x), _window(y, low_y, high_y)  # elsewhere its chords are empty
        kinks = np.array([low_x, high_x]) if outline.corners is None else outline.corners[:, 0]
        columns, rows = x[i.start : i.stop + 1], y[j.start : j.stop + 1]
        inner = fine[np.searchsorted(fine, columns[0]) : np.searchsorted(fine, columns[-1], "right")]
        lines = np.union1d(inner, np.clip(kinks, columns[0], columns[-1]))
        half, middle = np.diff(lines) / 2, (lines[1:] + lines[:-1]) / 2
        chords = outline.chords((middle[:, None] + half[:, None] * nodes).ravel())
        found = np.zeros((middle.size * nodes.size, len(rows) - 1))
        for low, high in np.moveaxis(chords, 1, 0).transpose(0, 2, 1):
            found += np.clip(np.minimum(high[:, None], rows[1:]) - np.maximum(low[:, None], rows[:-1]), 0.0, None)
        pieces = np.einsum("xgy,g,x->xy", found.reshape(middle.size, nodes.size, -1), weights, half)
        np.add.at(total[i, j], np.clip(np.searchsorted(columns, middle) - 1, 0, len(columns) - 2), pieces)
    share = np.clip(total / np.outer(np.diff(x), np.diff(y)), 0.0, 1.0)
    return np.where(share > 1 - 1e-12, 1.0, np.where(share < 1e-12, 0.0, share))


def _window(lines: Array, low: float, high: float) -> slice:
    """The cells between lines that an interval reaches into: at least one, and one more for what is drawn a little small."""
    first = int(np.clip(np.searchsorted(lines, low) - 2, 0, len(lines) - 2))
    last = int(np.clip(np.searchsorted(lines, high) + 1, first + 1, len(lines) - 1))
    return slice(first, last)
