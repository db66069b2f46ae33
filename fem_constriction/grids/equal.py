"""L/n: equal cells, between lines on the edges of a square contact, or with shares of any other.

Lines sit on every grain boundary, always.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fem_constriction.cell.units import whole
from fem_constriction.errors import InputError
from fem_constriction.grids.affordable import check_counts, doubled
from fem_constriction.grids.grading import Grading, layers_of
from fem_constriction.grids.rectilinear import Grid, Lines, midpoints
from fem_constriction.problem.problem import Described, Problem

#: Voxels below the WE down to which their height is their width.
UNIFORM_DEPTH = 16

#: How much less than half of a cell counts as half of it: rounding.
HALF = 1e-9

#: Of cells that outlines cut: as of any uniform grid at an ideal contact's edge, and with a contact resistance (numerics).
IDEAL_ORDER, ROBIN_ORDER = 1.0, 1.5


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
    if not (problem.face.centred and problem.counter_face.centred):
        return voxelised(problem, resolution)
    sides = [sorted({0.0, *pair}) for pair in zip(problem.contact_sides, problem.counter_sides, strict=True)]
    free = max(sum(side < width for side in each) for each, width in zip(sides, problem.body.lengths[:2], strict=True))
    smallest = 1 if free < 2 else 2 * free
    if resolution < smallest:
        raise InputError(
            key="resolution",
            value=resolution,
            allowed=f"a whole number of cells per edge of at least {smallest}, so that lines can sit on the contact edges",
        )
    name = f"uniform, {resolution} per edge"
    most = float(min(resolution, 10**100))
    check_counts(name, most**2 / 4, problem.body.layers, most)
    lateral: list[tuple[Lines, Lines]] = []
    quarter = resolution % 2 == 0
    for each, width in zip(sides, problem.body.lengths[:2], strict=True):
        half = np.diff([*(side / 2 for side in each), width / 2]).tolist()
        pieces = half if quarter else [*half[:0:-1], 2 * half[0], *half[1:]]
        pieces = [piece for piece in pieces if piece > 0]
        counts = _share(pieces, resolution // 2 if quarter else resolution, mirrored=not quarter)
        lines = _pieces(pieces, counts)
        lateral.append((lines, np.abs(midpoints(lines) - (0.0 if quarter else width / 2))))
    ends = problem.body.ends
    counts = _share(list(np.diff(ends)), max(resolution, len(ends) - 1))
    layers = tuple(np.linspace(a, b, n + 1) for a, b, n in zip(ends, ends[1:], counts, strict=False))
    (x, from_x), (y, from_y) = lateral

    def covered(sides: tuple[float, float]) -> NDArray[np.bool_]:
        return np.asarray(np.logical_and.outer(from_x < sides[0] / 2, from_y < sides[1] / 2))

    return Grid(
        x=x,
        y=y,
        layers=layers,
        contact=covered(problem.contact_sides),
        copies=4 if quarter else 1,
        name=name,
        counter=covered(problem.counter_sides) if problem.patterned_counter else None,
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
    check_counts(name, _face_cells(problem, doubled(voxels, min(level, 400))), problem.body.layers)
    step = min(problem.body.lengths[:2]) / voxels
    near = UNIFORM_DEPTH * step
    layers = layers_of(problem.body, near, Grading(1.0, UNIFORM_DEPTH), level, both=problem.patterned_counter)
    return _over_face(problem, voxels << level, layers, name)


def _face_cells(problem: Problem, resolution: float) -> float:
    """At least how many cells `_over_face` makes: of the quarter of the face that mirror symmetry may leave."""
    shorter, longer = sorted(problem.body.lengths[:2])
    return resolution**2 * max(shorter / longer, 1 / resolution) / 4


def _over_face(problem: Problem, resolution: int, layers: tuple[Lines, ...], name: str) -> Grid:
    face, counter = problem.whole_faces if resolution % 2 == 1 else problem.faces
    longest = max(problem.body.lengths[:2])
    x, y = (np.linspace(0.0, width, max(1, round(resolution * width / longest)) + 1) for width in face.width)
    share = face.share(x, y, problem.contact_area / face.copies)
    below = counter.share(x, y, problem.counter_area / face.copies) if problem.patterned_counter else None
    return Grid(
        x=x,
        y=y,
        layers=layers,
        contact=share >= 0.5 - HALF,
        copies=face.copies,
        name=name,
        share=share,
        order=IDEAL_ORDER if problem.ideal_edge else ROBIN_ORDER,
        counter=None if below is None else below >= 0.5 - HALF,
        counter_share=below,
        pores=face.pores(x, y),
        counter_pores=counter.pores(x, y),
    )


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
    if mirrored and len(counts) > 2 and np.any(counts != counts[::-1]):
        outer = np.maximum(1, np.round((counts + counts[::-1])[: len(counts) // 2] / 2)).astype(int)
        while 2 * outer.sum() >= total:
            outer[np.argmax(outer)] -= 1
        counts = np.array([*outer, total - 2 * outer.sum(), *outer[::-1]])
    return [int(count) for count in counts]


def _pieces(pieces: Sequence[float], counts: Sequence[int]) -> Lines:
    ends = np.concatenate([[0.0], np.cumsum(pieces)])
    parts = [np.linspace(a, b, n + 1)[:-1] for a, b, n in zip(ends, ends[1:], counts, strict=False)]
    return np.concatenate([*parts, ends[-1:]])
