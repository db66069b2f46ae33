"""1/d_0 = mean over the pores of 1/d: pores of different depths as one depth, and weights w = d_0/d of mean 1 on the face.

A pore conducts y = (sigma + s eps)/d, so that places of the face differ in w alone, and pores remain one process with one
admittance, that of d_0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.cell.contact import Contact
from fem_constriction.cell.patterns import Pattern, check_pixel, pattern_of
from fem_constriction.cell.pore_depth import UNITS, DepthMap
from fem_constriction.cell.sections import Pore
from fem_constriction.errors import InputError
from fem_constriction.geometry.tiles import EQUAL, Tiles, union
from fem_constriction.sources.face_images import contents_of, values_of

Width = tuple[float, float]

#: Pixels per edge that a map and a contact on other lines may have together.
MOST: Final = 4096


@dataclass(frozen=True, eq=False)
class Thickness:
    """What the depths of pores come to.

    Parameters
    ----------
    mean
        d_0, m; None of pores without a depth, and where there are none.
    least, most
        The depths that there are, m; None as above.
    weights
        d_0/d, 0 where the metal touches; None where all pores are equally deep.
    pixels
        Numbers of equal pixels along x and y on whose edges all lines of the weights lie; None where there are none so few.
    """

    mean: float | None = None
    least: float | None = None
    most: float | None = None
    weights: Tiles | None = None
    pixels: tuple[int, int] | None = None


def thickness_of(pore: Pore | None, contact: Contact, width: Width) -> Thickness:
    """Return what the depths of the pores beside a contact come to. Raises InputError, its key as in the section of pores."""
    if pore is None or pore.depth is None:
        return Thickness()
    if not (pore.regions or isinstance(pore.depth, DepthMap)):
        return Thickness(pore.depth, pore.depth, pore.depth)
    digest = None
    if isinstance(pore.depth, DepthMap):
        try:
            found = contents_of(pore.depth.image)
        except InputError as error:
            raise error.renamed("depth.image") from None
        digest = None if found is None else found.digest
    return _thickness(pore, contact, width, digest)


@lru_cache(maxsize=16)
def _thickness(pore: Pore, contact: Contact, width: Width, digest: str | None) -> Thickness:
    depths = _of_map(pore.depth, width) if isinstance(pore.depth, DepthMap) else _of_regions(pore, width)
    pattern = pattern_of(contact, width)
    lines = [union(own, other) for own, other in zip(depths.lines, _lines_of(pattern, width), strict=True)]
    depths = depths.on(lines[0], lines[1])
    free = ~_touched(pattern, depths, width)
    area = np.outer(np.diff(depths.x), np.diff(depths.y))
    if not free.any():
        return Thickness()
    there = depths.values[free]
    if not np.all(there > 0):
        key = "depth.image" if isinstance(pore.depth, DepthMap) else "depth"
        raise InputError(
            key=key,
            why=f"depths of {float(there.min()):g} m lie beside the contact, and a depth is above 0",
            remedy="where it is 0 the metal touches: say so in contact",
        )
    mean = float(np.sum(area[free]) / np.sum(area[free] / there))
    low, high = float(there.min()), float(there.max())
    if high <= low * (1 + EQUAL):
        return Thickness(low, low, high)
    weights = Tiles(depths.x, depths.y, np.where(free, mean / np.where(free, depths.values, 1.0), 0.0)).plain()
    return Thickness(mean, low, high, weights, _pixels(pore, pattern, weights, width))


def _of_map(made: DepthMap, width: Width) -> Tiles:
    try:
        values = values_of(made.image)
    except InputError as error:
        raise error.renamed("depth.image") from None
    try:
        check_pixel(made.image, values.shape, made.pixel, width, "the width of the face")
    except InputError as error:
        raise error.inside("depth") from None
    return Tiles.of_image(values * UNITS[made.unit], width)


def _of_regions(pore: Pore, width: Width) -> Tiles:
    """The depth of the rest, and in each region its own: of the last one where they overlap."""
    corners = []
    for number, region in enumerate(pore.regions):
        low, high = ([c + sign * s / 2 for c, s in zip(region.centre, region.size, strict=True)] for sign in (-1, 1))
        slack = [1e-9 * each for each in width]
        if any(low[i] < -slack[i] or high[i] > width[i] + slack[i] for i in range(2)):
            raise InputError(key=f"regions.{number}", why=f"it reaches beyond the face of {width[0]:.6g} m x {width[1]:.6g} m")
        corners.append((low, high))
    lines = []
    for axis in range(2):
        ends = [min(max(corner[axis], 0.0), width[axis]) for pair in corners for corner in pair]
        lines.append(union(np.array([0.0, width[axis]]), np.array(ends)))
    assert isinstance(pore.depth, float)
    values = np.full((lines[0].size - 1, lines[1].size - 1), pore.depth)
    middle = [(each[1:] + each[:-1]) / 2 for each in lines]
    for (low, high), region in zip(corners, pore.regions, strict=True):
        inside = [(middle[axis] > low[axis]) & (middle[axis] < high[axis]) for axis in range(2)]
        values[np.ix_(*inside)] = region.depth
    return Tiles(lines[0], lines[1], values)


def _lines_of(pattern: Pattern, width: Width) -> tuple[Array, Array]:
    """Lines along x and y at which metal ends, and the walls. Raises InputError for outlines that lie on none."""
    if pattern.pixels is not None:
        tiles = Tiles.of_image(pattern.pixels, width).plain()
        return tiles.lines
    corners = [outline.rectangle for outline in pattern.outlines]
    if any(corner is None for corner in corners):
        raise InputError(
            key="depth",
            when="beside discs, ellipses, polygons or turned rectangles",
            why="depths that differ need grid lines on all edges",
            remedy="give one depth, or draw the contact on pixels (spots with pixels, or a mask)",
        )
    ends = np.array([corner for corner in corners if corner is not None]).reshape(-1, 4)
    x, y = (
        union(np.array([0.0, width[axis]]), np.clip(ends[:, [axis, axis + 2]].ravel(), 0, width[axis])) for axis in range(2)
    )
    return x, y


def _touched(pattern: Pattern, tiles: Tiles, width: Width) -> NDArray[np.bool_]:
    x, y = ((lines[1:] + lines[:-1]) / 2 for lines in tiles.lines)
    if pattern.pixels is not None:
        return np.asarray(Tiles.of_image(pattern.pixels, width).at(x, y) > 0)
    found = np.zeros((x.size, y.size), dtype=bool)
    for outline in pattern.outlines:
        assert outline.rectangle is not None
        x0, y0, x1, y1 = outline.rectangle
        found |= np.logical_and.outer((x > x0) & (x < x1), (y > y0) & (y < y1))
    return found


def _pixels(pore: Pore, pattern: Pattern, weights: Tiles, width: Width) -> tuple[int, int] | None:
    """The fewest equal pixels that both map and contact lie on, as multiples of those that they have."""
    own = values_of(pore.depth.image).shape if isinstance(pore.depth, DepthMap) else (1, 1)
    metal = pattern.pixels.shape if pattern.pixels is not None else (1, 1)
    common = math.lcm(own[0], metal[0]), math.lcm(own[1], metal[1])
    for times in range(1, MOST // max(common) + 1):
        if weights.lie_on((times * common[0], times * common[1])):
            return times * common[0], times * common[1]
    return None
