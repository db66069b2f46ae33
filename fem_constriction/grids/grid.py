"""Families of rectilinear grids whose lines sit on the contact edges and on the grain boundaries.

Grading: counted from a contact edge outwards (to both sides, and down into the electrolyte) the lines follow
T(r) = (r/l)^(1/mu) up to the distance l and 1 + ln(r/l)/mu beyond it, at equal steps of T. Near the edge this is the power
law r_i ~ (i/n)^mu that restores the full order of convergence at the edge singularity; farther out the cells keep a fixed
ratio to their distance. T and its slope are continuous, so doubling the number of steps is one systematic, nested
refinement everywhere (numerics: order 2k for degree k needs mu > 2k at an ideal contact).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fem_constriction import memory
from fem_constriction.cell.units import whole
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.problem.bodies import Body
from fem_constriction.problem.problem import Described, Problem

Lines = NDArray[np.float64]

#: Smallest allowed ratio of a cell's width to the thickness of the electrolyte: below it rounding in the lateral
#: eigenvectors (numerics: h_min/L >= 1e-5) and coincident lines become a danger.
SMALLEST_RATIO = 1e-9

#: Doubles that every way of solving a grid has alive per node of the WE face: measured 150, mode by mode, at 500 x 500 nodes.
DOUBLES_PER_NODE = 250

#: Bytes per layer and per cell along z: lines, and what the recursion through the layers keeps of each (measured 1600 and 60).
BYTES_PER_LAYER, BYTES_PER_ROW = 4000, 100


#: Edges of the contact nearer to one another, or to a wall, than this part of the width have one cell between them: graded
#: towards each other they would make lines nearer than that allows.
TOGETHER = 1e-4


@dataclass(frozen=True, eq=False)
class Grid:
    """Lines of a rectilinear grid over the part of the cell that mirror symmetry leaves, WE face at z = 0.

    Parameters
    ----------
    x, y
        Lines, m, from one symmetry plane (or wall) to the wall.
    layers
        For each electrolyte layer, from the WE to the CE, its own z lines, m: consecutive layers share their end, which is a
        grain boundary.
    contact
        Whether the metal touches each cell of the face, shape (len(x) - 1, len(y) - 1).
    copies
        How many such parts make the cell (4 for a quarter).
    name
        What the grid is called.
    share
        The part of each cell of the face that the metal touches, where an outline cuts cells; left out: 1 where `contact`,
        else 0.
    order
        Of convergence of its family, where that is not the backend's.

    Raises
    ------
    ComputationError
        If lines coincide.
    """

    x: Lines
    y: Lines
    layers: tuple[Lines, ...]
    contact: NDArray[np.bool_]
    copies: int
    name: str = ""
    share: NDArray[np.float64] | None = None
    order: float | None = None

    def __post_init__(self) -> None:
        depth = self.depth
        for axis, lines in (("x", self.x), ("y", self.y), *(("z", z) for z in self.layers)):
            smallest = float(np.diff(lines).min())
            if not smallest > SMALLEST_RATIO * depth:
                raise ComputationError(
                    f"grid {self.name}: lines along {axis} are {smallest:.3g} m apart, allowed is more than "
                    f"{SMALLEST_RATIO:g} of the thickness ({SMALLEST_RATIO * depth:.3g} m)"
                )

    @property
    def depth(self) -> float:
        """L_z in m."""
        return float(self.layers[-1][-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of cells along x, y and z."""
        return len(self.x) - 1, len(self.y) - 1, sum(len(z) - 1 for z in self.layers)

    @property
    def axes(self) -> tuple[Lines, Lines, Lines]:
        """All lines along x, y and z (m), from the WE down."""
        return self.x, self.y, np.concatenate([self.layers[0][:1], *(z[1:] for z in self.layers)])

    @property
    def touched(self) -> NDArray[np.float64]:
        """The part of each cell of the face that the metal touches, 0 to 1."""
        return self.contact.astype(float) if self.share is None else self.share

    def contact_lines(self, axis: int) -> tuple[int, ...]:
        """Return the numbers of the lines where the contact ends somewhere.

        Parameters
        ----------
        axis
            0 for lines along x, 1 for y.

        Returns
        -------
        tuple of int
            Ascending.
        """
        return tuple(int(i) + 1 for i in np.flatnonzero(np.any(np.diff(self.contact, axis=axis), axis=1 - axis)))

    def quadrature(self) -> tuple[Lines, Lines]:
        """Return points (2, n) of the face (m) and their weights (m2): a plane's integral, exact for cubics in each cell."""
        at, weights = np.polynomial.legendre.leggauss(2)
        points, sizes = [], []
        for lines in (self.x, self.y):
            half = np.diff(lines)[:, None] / 2
            points.append((midpoints(lines)[:, None] + half * at).ravel())
            sizes.append((half * weights).ravel())
        return np.stack([each.ravel() for each in np.meshgrid(*points, indexing="ij")]), np.outer(*sizes).ravel()

    @property
    def fits(self) -> bool:
        """Whether the contact's outline lies on faces of the grid, so that its Z may bound the continuum's."""
        return self.share is None

    @cached_property
    def contact_area(self) -> float:
        """A_c of the whole electrode in m2, as the grid has it."""
        return float(self.copies * np.einsum("i,j,ij->", np.diff(self.x), np.diff(self.y), self.touched))

    @cached_property
    def area(self) -> float:
        """A of the whole electrode in m2, as the grid has it."""
        return float(self.copies * (self.x[-1] - self.x[0]) * (self.y[-1] - self.y[0]))


@dataclass(frozen=True)
class Grading:
    """How the steps of one family of grids grow away from an edge of the contact: the lines are equally spaced in T(r).

    T(r) = (r/l)^(1/mu) for r <= l, 1 + ln(r/l)/mu beyond; l is the length that the current needs to spread out.

    Parameters
    ----------
    exponent
        mu, above 1.
    steps
        Number of steps up to the distance l at the coarsest level.
    """

    exponent: float
    steps: int


def check_counts(name: str, face: float, layers: float, rows: float = 0) -> None:
    """Raise MemoryShort for a grid whose counts alone say that nothing can solve it, before any of it is made.

    face: cells of the WE face; layers: of the electrolyte; rows: cells along z.
    """
    needed = 8 * DOUBLES_PER_NODE * face + BYTES_PER_LAYER * layers + BYTES_PER_ROW * rows
    along_z = f"{max(rows, layers):.3g} along z, in {layers:.3g} layers"
    memory.require(needed, f"a grid ({name}) of {face:.3g} cells on the face and {along_z},")


def _doubled(count: float, level: int) -> float:
    """count times 2^level, whatever level somebody asks for."""
    return count * 2.0 ** min(level, 900)


def graded(length: float, scale: float, grading: Grading, level: int) -> Lines:
    """Return lines from 0 (the edge) to length, equally spaced in T(r); level doubles their number each time.

    T(r) = (r/l)^(1/mu) for r <= l, 1 + ln(r/l)/mu beyond, with l = scale.
    """
    total = float(_steps(length, scale, grading.exponent))
    count = _count(total, grading) << level
    lines = _inverse(np.linspace(0.0, total, count + 1), scale, grading.exponent)
    lines[0], lines[-1] = 0.0, length
    return lines


def _count(steps: float, grading: Grading) -> int:
    """How many cells the coarsest grid has over so many steps of T."""
    return max(1, math.ceil(grading.steps * steps - 1e-9))


def family_member(described: Described, grading: Grading, level: int) -> Grid:
    """Return a member of the cell's nested family of graded grids, for contacts of rectangles.

    On the part of the cell that mirror symmetry leaves; lines on every edge of the contact, graded towards it.

    Parameters
    ----------
    described
        A Cell, the path of a cell file, a dictionary with its keys, or a Problem.
    grading
        Of the family.
    level
        0 is the coarsest; each next one has half its steps.

    Returns
    -------
    Grid
        The member.
    """
    problem = Problem.of(described)
    face, depth = problem.face, problem.body.lengths[2]
    edges = [face.edges(axis) for axis in range(2)]
    squeezed = any(each.size for each in edges)
    pieces = [length for axis, each in enumerate(edges) if each.size for length in reaches(each, face.width[axis]) if length]
    scale = min(*pieces, depth) if pieces else depth
    name = f"graded, level {level}"
    counts = [
        sum(_count(float(_steps(reach, scale, grading.exponent)), grading) for reach in reaches(each, face.width[axis]))
        if each.size
        else 1
        for axis, each in enumerate(edges)
    ]
    check_counts(name, math.prod(_doubled(count, min(level, 400)) for count in counts), problem.body.layers)
    lateral = []
    for axis, each in enumerate(edges):
        if each.size:
            lateral.append(about(each, face.width[axis], lambda reach: graded(reach, scale, grading, level)))
        else:
            lateral.append(np.linspace(0.0, face.width[axis], (1 << level) + 1))
    layers = layers_of(problem.body, scale, grading if squeezed else Grading(1.0, 1), level)
    return Grid(
        x=lateral[0],
        y=lateral[1],
        layers=layers,
        contact=face.touches(midpoints(lateral[0]), midpoints(lateral[1])),
        copies=face.copies,
        name=name,
    )


def reaches(edges: Lines, width: float) -> list[float]:
    """Return how far each side of each edge reaches: to the wall, or half way to the next edge; 0 if it is `TOGETHER`."""
    gaps = np.diff(np.concatenate([[0.0], edges, [width]]))
    gaps = np.where(gaps > TOGETHER * width, gaps, 0.0)
    return [float(gaps[0]), *(np.repeat(gaps[1:-1] / 2, 2)), float(gaps[-1])]


def about(edges: Lines, width: float, lines: Callable[[float], Lines]) -> Lines:
    """Return lines from 0 to width about some edges; lines: how far a side of an edge reaches -> distances from it."""
    sides = [lines(reach) if reach else np.zeros(0) for reach in reaches(edges, width)]
    found = [np.zeros(1)]
    for edge, left, right in zip(edges, sides[::2], sides[1::2], strict=True):
        found += [edge - left[-2:0:-1], np.array([edge]), edge + right[1:]]
    return np.append(np.concatenate([*found[:-1], found[-1][:-1]]), width)


def uniform(described: Described, resolution: int) -> Grid:
    """Return the grid of so many cells per edge of the cell, equal ones wherever contact edges and layers allow.

    Lines sit on the contact edges and on every grain boundary, always: where they fit no uniform grid, the cells are
    equal between those lines and their number is shared out by length. An even split about the centre is cut to a
    quarter. Each layer has at least one cell, so there may be more of them along z.

    Parameters
    ----------
    described
        A Cell, the path of a cell file, a dictionary with its keys, or a Problem.
    resolution
        Cells per edge.

    Returns
    -------
    Grid
        Over the part of the cell that mirror symmetry leaves.

    Raises
    ------
    InputError
        If there are too few to put lines on the contact edges.
    """
    resolution = whole("resolution", resolution, "a whole number of cells per edge of the cell")
    problem = Problem.of(described)
    if not problem.face.centred:
        return voxelised(problem, resolution)
    smallest = 4 if 0 < problem.contact_fraction < 1 else 1
    if resolution < smallest:
        raise InputError(
            key="resolution",
            value=resolution,
            allowed=f"a whole number of cells per edge of at least {smallest}, so that lines can sit on the contact edges",
        )
    name = f"uniform, {resolution} per edge"
    most = float(min(resolution, 10**100))
    check_counts(name, most**2 / 4, problem.body.layers, most)
    lateral: list[tuple[Lines, NDArray[np.bool_]]] = []
    quarter = resolution % 2 == 0
    for side, width in zip(problem.contact_sides, problem.body.lengths[:2], strict=True):
        pieces = [side / 2, (width - side) / 2] if quarter else [(width - side) / 2, side, (width - side) / 2]
        pieces = [piece for piece in pieces if piece > 0]
        counts = _share(pieces, resolution // 2 if quarter else resolution, mirrored=not quarter)
        lines = _pieces(pieces, counts)
        centre = 0.0 if quarter else width / 2
        lateral.append((lines, np.abs(midpoints(lines) - centre) < side / 2))
    ends = problem.body.ends
    counts = _share(list(np.diff(ends)), max(resolution, len(ends) - 1))
    layers = tuple(np.linspace(a, b, n + 1) for a, b, n in zip(ends, ends[1:], counts, strict=False))
    (x, touches_x), (y, touches_y) = lateral
    return Grid(
        x=x,
        y=y,
        layers=layers,
        contact=np.logical_and.outer(touches_x, touches_y),
        copies=4 if quarter else 1,
        name=name,
    )


def voxelised(problem: Problem, resolution: int) -> Grid:
    """Return `resolution` equal cells per edge of the cell, those cut by the contact's outline with their share of it.

    An even number is cut where mirror symmetry allows. The outline is a staircase of shares: no grid of these bounds Z, and Z
    is of first order in their size with an ideal contact. Raises InputError for fewer than four.
    """
    if resolution < 4:
        raise InputError(key="resolution", value=resolution, allowed="a whole number of cells per edge of at least 4")
    name = f"uniform, {resolution} per edge"
    most = float(min(resolution, 10**100))
    check_counts(name, _face_cells(problem, most), problem.body.layers, most)
    ends = problem.body.ends
    counts = _share(list(np.diff(ends)), max(resolution, len(ends) - 1))
    layers = tuple(np.linspace(a, b, n + 1) for a, b, n in zip(ends, ends[1:], counts, strict=False))
    return _over_face(problem, resolution, layers, name)


def voxel_member(described: Described, voxels: int, level: int) -> Grid:
    """Return member `level` of a cell's family of equal voxels along x and y, `voxels` per edge at the coarsest.

    Along z as fine as laterally near the WE, and in a fixed ratio to the depth farther down. For outlines that lie on no grid.
    """
    problem = Problem.of(described)
    name = f"voxels, level {level}"
    check_counts(name, _face_cells(problem, _doubled(voxels, min(level, 400))), problem.body.layers)
    step = min(problem.body.lengths[:2]) / voxels
    near = UNIFORM_DEPTH * step
    layers = layers_of(problem.body, near, Grading(1.0, UNIFORM_DEPTH), level)
    return _over_face(problem, voxels << level, layers, name)


#: Voxels below the WE down to which their height is their width.
UNIFORM_DEPTH = 16


def _face_cells(problem: Problem, resolution: float) -> float:
    """At least how many cells `_over_face` makes: of the quarter of the face that mirror symmetry may leave."""
    shorter, longer = sorted(problem.body.lengths[:2])
    return resolution**2 * max(shorter / longer, 1 / resolution) / 4


def _over_face(problem: Problem, resolution: int, layers: tuple[Lines, ...], name: str) -> Grid:
    face = problem.whole_face if resolution % 2 == 1 else problem.face
    longest = max(problem.body.lengths[:2])
    x, y = (np.linspace(0.0, width, max(1, round(resolution * width / longest)) + 1) for width in face.width)
    share = face.share(x, y, problem.contact_area / face.copies)
    return Grid(
        x=x,
        y=y,
        layers=layers,
        contact=share >= 0.5 - HALF,
        copies=face.copies,
        name=name,
        share=share,
        order=IDEAL_ORDER if problem.ideal_contact else ROBIN_ORDER,
    )


#: How much less than half of a cell counts as half of it: rounding.
HALF = 1e-9

#: Of cells that outlines cut: as of any uniform grid at an ideal contact's edge, and with a contact resistance (numerics).
IDEAL_ORDER, ROBIN_ORDER = 1.0, 1.5


def layers_of(body: Body, scale: float, grading: Grading, level: int) -> tuple[Lines, ...]:
    """Return the z lines of each layer; equally spaced in T where a layer needs more than one step, plain otherwise."""
    count = body.layers
    check_counts(f"level {level}", 1, count, _doubled(count, level))
    ends = body.ends
    steps = np.diff(_steps(ends, scale, grading.exponent))
    rows = np.sum(np.maximum(1.0, np.ceil(grading.steps * steps - 1e-9)))
    check_counts(f"level {level}", 1, count, _doubled(float(rows), level))
    found = []
    for top, bottom in pairwise(ends):
        first, last = _steps(np.array([top, bottom]), scale, grading.exponent)
        count = _count(last - first, grading)
        if count == 1:
            lines = np.linspace(top, bottom, (1 << level) + 1)
        else:
            lines = _inverse(np.linspace(first, last, (count << level) + 1), scale, grading.exponent)
            lines[0], lines[-1] = top, bottom
        found.append(lines)
    return tuple(found)


def _steps(r: float | Lines, scale: float, exponent: float) -> Lines:
    ratio = np.asarray(r, dtype=float) / scale
    return np.where(ratio <= 1, ratio ** (1 / exponent), 1 + np.log(np.maximum(ratio, 1)) / exponent)


def _inverse(steps: Lines, scale: float, exponent: float) -> Lines:
    return scale * np.where(steps <= 1, steps**exponent, np.exp(exponent * (np.maximum(steps, 1) - 1)))


def _share(pieces: Sequence[float], total: int, mirrored: bool = False) -> list[int]:
    """Share `total` cells over pieces by length, at least one each; mirrored: the first and the last equally many."""
    lengths = np.asarray(pieces)
    counts = np.maximum(1, np.floor(lengths / lengths.sum() * total + 1e-9).astype(int))
    left = int(total - counts.sum())
    step = 1 if left > 0 else -1  # the widest cells are halved, as it were, or the narrowest joined
    queue = [(-step * lengths[place] / counts[place], place) for place in range(len(counts)) if step > 0 or counts[place] > 1]
    heapq.heapify(queue)
    for _ in range(abs(left)):
        place = heapq.heappop(queue)[1]
        counts[place] += step
        if step > 0 or counts[place] > 1:
            heapq.heappush(queue, (-step * lengths[place] / counts[place], place))
    if mirrored and len(counts) == 3 and counts[0] != counts[2]:
        outer = max(1, round((counts[0] + counts[2]) / 2))
        counts = np.array([outer, total - 2 * outer, outer])
    return [int(count) for count in counts]


def _pieces(pieces: Sequence[float], counts: Sequence[int]) -> Lines:
    ends = np.concatenate([[0.0], np.cumsum(pieces)])
    parts = [np.linspace(a, b, n + 1)[:-1] for a, b, n in zip(ends, ends[1:], counts, strict=False)]
    return np.concatenate([*parts, ends[-1:]])


def midpoints(lines: Lines) -> Lines:
    """Return the middles between neighbouring lines."""
    return np.asarray((lines[1:] + lines[:-1]) / 2)
