"""The parts of the electrodes' faces that mirror symmetry leaves, and the contacts' outlines on them.

Faces whose contacts are their own mirror images along x are cut in half there, and along y: currents in one half are those in
the other. On the part that is left the origin is the middle of the face along every axis that was cut, else the corner. Both
electrodes lie above one another, so that what mirror symmetry leaves is what it leaves of both.

Kinds of face have the same members: grid lines follow the edges of `Rectangles`, not those of `Outlines`; those of an image are
its pixels (`Mask`, and `Mosaic` where its edges are few); the faces of a mesh are `Named`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.cell.description import Touch
from fem_constriction.cell.thickness import Thickness
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.geometry import pixels as images
from fem_constriction.geometry.outlines import Outline, coverage
from fem_constriction.geometry.pixels import Pixels
from fem_constriction.geometry.tiles import Tiles
from fem_constriction.problem.kinds import MESH, OUTLINES, PIXELS, RECTANGLES, Kind

Mesher = Literal["delaunay", "gmsh"]

#: Edges of the contact that are nearer to each other, or to a wall, than this part of the face's width are one.
SAME = 1e-9

#: Least distance of edges that are not one, over the width, on grids with lines on both: a cell between nearer ones costs
#: digits of Z (measured: 1e-2 of Z at 2e-9, nothing at 2e-6). Such rectangles are outlines like any other.
APART = 1e-6

#: How far an outline may be from its mirror image to count as symmetric, as a part of its shortest edge or axis. What that
#: changes is the square of it (`_symmetric`).
NEARLY = 1e-6


@dataclass(frozen=True, eq=False)
class Face:
    """0 <= x <= width[0], 0 <= y <= width[1] (m), and the outlines there.

    cut: along which axes the face was cut in its middle, where x = 0 then is; contact_area: what the contact has of this part,
    m2, from the outlines alone; numbers: which region each outline is, from 1; shape, fraction: of the contact, as the cell
    file gives them; mesher: what triangulates the face, None for the usual one; thinness: d_0/d of pores that are not equally
    deep, 0 where the metal touches. Faces are equal where their values are.
    """

    kind: ClassVar[Kind]

    width: tuple[float, float]
    outlines: tuple[Outline, ...]
    cut: tuple[bool, bool]
    contact_area: float
    numbers: tuple[int, ...]
    shape: str = "regions"
    fraction: float | None = None
    mesher: Mesher | None = None
    thinness: Tiles | None = None

    @property
    def described(self) -> Mapping[str, object]:
        """What grids of it depend on and its section does not say, as JSON can hold it."""
        if self.thinness is None:
            return {}
        parts = (*self.thinness.lines, self.thinness.values)
        return {"thinness": hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()}

    def __eq__(self, other: object) -> bool:
        """Whether another face is the same, outline by outline."""
        return isinstance(other, Face) and self._values == other._values

    def __hash__(self) -> int:
        """A number that equal faces share."""
        return hash(self._values)

    @cached_property
    def _values(self) -> tuple[object, ...]:
        outlines = tuple(outline.values for outline in self.outlines)
        rest = self.cut, self.contact_area, self.numbers, self.shape, self.fraction, self.mesher
        thinness = self.thinness
        tiles = None if thinness is None else tuple(tuple(part.ravel()) for part in (*thinness.lines, thinness.values))
        return type(self), self.width, outlines, rest, tiles

    @property
    def centred(self) -> bool:
        """Whether the contact is one square in the middle, on whose edges equal cells have lines, beside pores of one depth."""
        return self.shape == "square" and len(self.outlines) <= 1 and self.thinness is None

    @property
    def copies(self) -> int:
        """How many such parts make the face."""
        return int((1 + self.cut[0]) * (1 + self.cut[1]))

    @property
    def metal(self) -> tuple[tuple[bool, ...], ...]:
        """Which outlines are the metal's, of each electrode whose outlines these are."""
        return ((True,) * len(self.outlines),)

    @property
    def everywhere(self) -> tuple[bool, ...]:
        """Whether the metal of each such electrode touches all of this part."""
        return (False,)

    @property
    def touched(self) -> tuple[float, ...]:
        """What each such electrode touches of this part, m2."""
        return (self.contact_area,)

    def edges(self, axis: int) -> Array:
        """Return where lines along an axis must lie so that the contact ends on them, walls left out, ascending, m."""
        raise ComputationError(f"no grid lines follow the edges of {self.kind.words}")

    def loose(self) -> Face:
        """Return the same as a face whose edges no line is graded towards."""
        return self

    def touches(self, x: Array, y: Array) -> NDArray[np.bool_]:
        """Return whether the points of a tensor grid lie in the contact, (x, y)."""
        raise ComputationError(f"no grid lines follow the edges of {self.kind.words}")

    def pores(self, x: Array, y: Array) -> Array | None:
        """Return the mean of d_0/d over each cell of a grid, 0 where metal touches, (x cells, y cells); None: 1 beside it."""
        return None if self.thinness is None else self.thinness.mean(x, y)

    def share(self, x: Array, y: Array, area: float) -> Array:
        """Return the part of each cell of a grid over the face that the contact covers, (x cells, y cells).

        area: of the contact on this part of the face, m2; what the integration over chords lacks of it (1e-5 at worst) is made
        up in the cells that an outline cuts.
        """
        found, sizes = coverage(self.outlines, x, y), np.outer(np.diff(x), np.diff(y))
        cut = found * (1 - found)
        weight = float(np.sum(cut * sizes))
        return found if weight == 0 else np.asarray(found + cut * (area - float(np.sum(found * sizes))) / weight)


class Outlines(Face):
    """A contact whose edges are on no grid line: discs, ellipses, polygons, and rectangles that nearly touch."""

    kind = OUTLINES


@dataclass(frozen=True, eq=False)
class Overlaid(Outlines):
    """The outlines of two faces that lie above one another, those of both once: what triangles of both follow.

    apart: which are the metal's at the working and at the counter electrode; covered: which of the two it covers wholly;
    counter_area: what it touches of the counter electrode's part, m2.
    """

    apart: tuple[tuple[bool, ...], ...] = ((), ())
    covered: tuple[bool, ...] = (False, False)
    counter_area: float = 0.0

    @property
    def metal(self) -> tuple[tuple[bool, ...], ...]:
        """Which outlines are the metal's, at either electrode."""
        return self.apart

    @property
    def everywhere(self) -> tuple[bool, ...]:
        """Whether the metal of either electrode touches all of this part."""
        return self.covered

    @property
    def touched(self) -> tuple[float, ...]:
        """What either electrode touches of this part, m2."""
        return self.contact_area, self.counter_area

    @cached_property
    def _values(self) -> tuple[object, ...]:
        return *super()._values, self.apart, self.covered, self.counter_area


class Named(Face):
    """The faces of a mesh, named in its file: no outline is known."""

    kind = MESH


class Rectangles(Face):
    """A contact of rectangles along the axes, whose edges grid lines follow."""

    kind = RECTANGLES

    @cached_property
    def corners(self) -> Array:
        """(n, 4): x_0, y_0, x_1, y_1 of each region."""
        return np.array([outline.rectangle for outline in self.outlines]).reshape(-1, 4)

    def edges(self, axis: int) -> Array:
        """Return where the edges of rectangles lie along an axis, and of tiles of the pores, walls left out, ascending."""
        width = self.width[axis]
        at = np.append(self.corners[:, [axis, axis + 2]].ravel(), _inner(self.thinness, axis))
        return _once(at[(at > SAME * width) & (at < (1 - SAME) * width)], width)

    def touches(self, x: Array, y: Array) -> NDArray[np.bool_]:
        """Return whether the points of a tensor grid lie in one of the rectangles, (x, y)."""
        found = np.zeros((len(x), len(y)), dtype=bool)
        for x0, y0, x1, y1 in self.corners:
            found |= np.logical_and.outer((x > x0) & (x < x1), (y > y0) & (y < y1))
        return found

    def loose(self) -> Face:
        """Return the same as outlines that no line of a grid follows."""
        known = self.width, self.outlines, self.cut, self.contact_area, self.numbers, self.shape, self.fraction, self.mesher
        return Outlines(*known, self.thinness)


def overlaid(one: Face, other: Face) -> Overlaid:
    """Return the outlines of a working and of a counter electrode's face together, each once that both have.

    A face that is touched everywhere has no outline. Regions of the counter electrode are numbered after those of the other.
    """
    area = one.width[0] * one.width[1]
    covered = tuple(face.contact_area >= (1 - SAME) * area for face in (one, other))
    outlines: list[Outline] = []
    numbers: list[int] = []
    found: list[list[int]] = [[], []]
    for own, face, whole in zip(found, (one, other), covered, strict=True):
        for number, outline in zip(face.numbers, face.outlines, strict=True) if not whole else ():
            known = next((k for k, each in enumerate(outlines) if each.mean(outline, SAME) is not None), None)
            if known is None:
                known = len(outlines)
                outlines.append(outline)
                numbers.append(number if face is one else max(one.numbers, default=0) + number)
            own.append(known)
    apart = tuple(tuple(k in own for k in range(len(outlines))) for own in found)
    mesher = one.mesher or other.mesher
    return Overlaid(
        one.width,
        tuple(outlines),
        one.cut,
        one.contact_area,
        tuple(numbers),
        mesher=mesher,
        apart=apart,
        covered=covered,
        counter_area=other.contact_area,
    )


def both_edges(one: Face, other: Face, axis: int) -> Array:
    """Return where lines along an axis must lie so that both contacts end on them, walls left out, ascending, m."""
    return _once(np.concatenate([one.edges(axis), other.edges(axis)]), one.width[axis])


def _inner(tiles: Tiles | None, axis: int) -> Array:
    """Lines of tiles, walls left out."""
    return np.zeros(0) if tiles is None else tiles.lines[axis][1:-1]


def _once(at: Array, width: float) -> Array:
    """Places in order, those that are one but once."""
    at = np.sort(at)
    return at[np.append(True, np.diff(at) > SAME * width)] if at.size else at


def faces_of(cell: Cell, *, whole: bool = False) -> tuple[Face, Face]:
    """Return the parts of the working and of the counter electrode's face that mirror symmetry leaves; whole: all of them."""
    width, touches = cell.geometry.lengths[:2], (cell.working_touch, cell.counter_touch)
    if cell.mesh is not None:
        named = cell.contact_area, cell.counter_touch.area
        working, counter = (
            Named(width, (), (False, False), area, (), touch.contact.shape) for touch, area in zip(touches, named, strict=True)
        )
        return working, counter
    depths = cell.working_pores, cell.counter_pores
    shapes = [_shape_of(touch, each) for touch, each in zip(touches, depths, strict=True)]
    tiles = [each.weights for each in depths]
    areas = [touch.area if touch.pixels is not None else sum(each.area for each in touch.outlines) for touch in touches]
    cut = [False, False]
    for axis in range(2) if not whole else ():
        found = [_halved(each, axis, width[axis]) for each in shapes]
        weights = [None if each is None else each.halved(axis) for each in tiles]
        alike = all((one is None) == (other is None) for one, other in zip(tiles, weights, strict=True))
        if alike and all(each is not None for each in found):
            shapes, tiles, cut[axis] = [[] if each is None else each for each in found], weights, True
    one, other = (
        _face(touch, shape, weights, float(area), (cut[0], cut[1]))
        for touch, shape, weights, area in zip(touches, shapes, tiles, areas, strict=True)
    )
    if one.kind == other.kind == RECTANGLES and not _apart(one, other):
        for key, face in (("working_electrode", one), ("counter_electrode", other)):
            if face.thinness is not None and not isinstance(face, Mosaic):
                raise _off_lines(key)
        return one.loose(), other.loose()
    return one, other


def _shape_of(touch: Touch, depths: Thickness) -> Sequence[Outline] | Pixels:
    """What a contact is: outlines, or an image, of which pores of many depths make one as well."""
    if touch.pixels is None and (depths.weights is None or _few(depths.weights, touch.width)):
        return list(touch.outlines)
    if depths.weights is None or (touch.pixels is not None and _few(depths.weights, touch.width)):
        assert touch.pixels is not None
        return touch.pixels
    if depths.pixels is None:
        raise _off_lines("working_electrode")
    return depths.weights.pixels(depths.pixels)


def _few(tiles: Tiles, width: tuple[float, float]) -> bool:
    """Whether grids are graded towards each of its lines, which are far enough from one another."""
    lines = tiles.lines
    return all(
        each.size - 2 <= FEW and float(np.diff(each).min()) >= APART * length for each, length in zip(lines, width, strict=True)
    )


def _off_lines(electrode: str) -> InputError:
    return InputError(
        key=f"{electrode}.pore.depth",
        why="edges of the contact lie on no line between its pixels, or too near to one",
        remedy="give contact and depths on the same pixels",
    )


def _halved(shape: Sequence[Outline] | Pixels, axis: int, width: float) -> Sequence[Outline] | Pixels | None:
    """What mirror symmetry along an axis leaves of a contact, None without it: of outlines, which are cut later, all."""
    return images.halved(shape, axis) if isinstance(shape, np.ndarray) else _symmetric(shape, axis, width)


def _face(touch: Touch, shape: Sequence[Outline] | Pixels, thinness: Tiles | None, area: float, cut: tuple[bool, bool]) -> Face:
    if not isinstance(shape, np.ndarray):
        part = _part(touch, shape, area, cut)
        kind = Rectangles if all(each.rectangle is not None for each in part[1]) else Outlines
        return replace(kind(*part), thinness=thinness)
    part = _part(touch, (), area, cut)
    few = all(images.steps(shape, axis).size <= FEW for axis in range(2))
    few = few and (thinness is None or _few(thinness, part[0]))
    return replace(Mosaic(*part) if few else Mask(*part), pixels=shape, thinness=thinness)


def _apart(one: Face, other: Face) -> bool:
    """Whether lines on the edges of both faces are far enough from one another, and from the walls."""
    for axis, width in enumerate(one.width):
        if np.diff([0.0, *both_edges(one, other, axis), width]).min() < APART * width:
            return False
    return True


@dataclass(frozen=True, eq=False)
class Mask(Face):
    """A contact of pixels, whose lines grids follow all over the face.

    pixels: of this part, where they are metal, first index x.
    """

    kind = PIXELS

    pixels: Pixels = field(default_factory=lambda: np.zeros((1, 1), dtype=bool))

    @property
    def described(self) -> Mapping[str, object]:
        """Digest of its pixels, which a file may have changed."""
        digest = hashlib.sha256(np.packbits(self.pixels).tobytes()).hexdigest()
        return {"pixels": [*self.pixels.shape, digest], **super().described}

    @cached_property
    def _values(self) -> tuple[object, ...]:
        return *super()._values, self.pixels.shape, np.packbits(self.pixels).tobytes()

    @property
    def size(self) -> tuple[float, float]:
        """Edges of a pixel, m."""
        return self.width[0] / self.pixels.shape[0], self.width[1] / self.pixels.shape[1]

    @property
    def centred(self) -> bool:
        """Whether the contact is one square in the middle: an image may be anything."""
        return False

    def edges(self, axis: int) -> Array:
        """Return the lines between pixels where metal ends somewhere along an axis, ascending, m."""
        own = images.steps(self.pixels, axis) * (self.width[axis] / self.pixels.shape[axis])
        return _once(np.append(own, _inner(self.thinness, axis)), self.width[axis])

    def touches(self, x: Array, y: Array) -> NDArray[np.bool_]:
        """Return whether the points of a tensor grid lie in metal pixels, (x, y)."""
        at = [
            np.clip(np.floor(points / step).astype(int), 0, count - 1)
            for points, step, count in zip((x, y), self.size, self.pixels.shape, strict=True)
        ]
        return np.asarray(self.pixels[np.ix_(*at)])

    def share(self, x: Array, y: Array, area: float) -> Array:
        """Return the part of each cell of a grid over the face that the contact covers, exactly, (x cells, y cells)."""
        return images.covered(self.pixels, self.size, x, y)


class Mosaic(Mask):
    """A contact of pixels with so few edges that grids are graded towards each of them, as towards those of `Rectangles`."""

    kind = RECTANGLES

    def loose(self) -> Face:
        """Return the same as an image all of whose pixels are cut."""
        return Mask(
            self.width,
            self.outlines,
            self.cut,
            self.contact_area,
            self.numbers,
            self.shape,
            self.fraction,
            self.mesher,
            self.thinness,
            self.pixels,
        )


#: Lines along x or y at which metal ends, up to which grids are graded towards each of them.
FEW = 20


def face_of(cell: Cell, *, whole: bool = False) -> Face:
    """Return the part of the working electrode's face that mirror symmetry leaves; whole: all of it."""
    return faces_of(cell, whole=whole)[0]


def _part(touch: Touch, outlines: Sequence[Outline], area: float, cut: tuple[bool, bool]) -> tuple[Any, ...]:
    """What makes a face, of the part that is left when it is cut in its middle along these axes."""
    width, contact = touch.width, touch.contact
    shift = [width[axis] / 2 if cut[axis] else 0.0 for axis in range(2)]
    left = (width[0] - shift[0], width[1] - shift[1])
    moved = [outline.moved((-shift[0], -shift[1])) for outline in outlines]
    inside = [k for k, each in enumerate(moved) if all(each.shape.bounds[axis + 2] > SAME * left[axis] for axis in range(2))]
    part = area / int((1 + cut[0]) * (1 + cut[1]))
    here, numbers = tuple(moved[k] for k in inside), tuple(k + 1 for k in inside)
    return left, here, cut, part, numbers, contact.shape, contact.fraction, contact.mesher


def _symmetric(outlines: Sequence[Outline], axis: int, width: float) -> list[Outline] | None:
    """The outlines, each the mean of itself and the mirror image of its partner; None where one has no partner.

    Z of a shape p and of its mirror image M p are equal, so about the mean m = (p + M p)/2 the term of first order in p - m
    is zero: cutting a face that is symmetric to `NEARLY` changes Z by its square, and a typed angle of 0.785398 rad costs what
    45 degrees do.
    """
    images = [outline.mirrored(axis, width) for outline in outlines]
    found = []
    for outline in outlines:
        mean = next((mean for image in images if (mean := outline.mean(image, NEARLY)) is not None), None)
        if mean is None:
            return None
        found.append(mean)
    return found
