"""Kirchhoff: sum over links of y_link (phi_a - phi_b) = 0 at every node: the voxel network as nodes and links.

A node sits at every voxel centre, on every face of the electrodes and on both sides of every grain boundary; each link is
one element of the paper's series (half-voxel bulk, boundary, charge transfer, pore). The extra nodes have no other links,
so eliminating them gives the paper's series links exactly, while every link belongs to one process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.course import Course
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import COUNTER_ELECTRODE, COUNTER_PORE
from network.metal import Cut, Metal, metal

#: The counter electrode at phi = 0 is no unknown.
GROUND = -1

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Links:
    """Links of one process: from node a to node b (GROUND: the counter electrode), y times geometry in siemens.

    geometry: cross-section over length (m) for the bulk, area (m2) for an interface.
    """

    a: Integers
    b: Integers
    geometry: Array

    @classmethod
    def together(cls, parts: Sequence[Links]) -> Links:
        """Return the links of all parts, in their order."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("a", "b", "geometry")))

    def touching(self, own: range) -> Links:
        """Return the links that have a node in a range."""
        here = ((self.a >= own.start) & (self.a < own.stop)) | ((self.b >= own.start) & (self.b < own.stop))
        return Links(self.a[here], self.b[here], self.geometry[here])

    def laplacian(self, size: int) -> Laplacian:
        """Return the sum over links of geometry (e_a - e_b)(e_a - e_b)', symmetric, positive semidefinite, (size, size)."""
        links = np.arange(self.a.size)
        rows, columns = np.concatenate([links, links]), np.concatenate([self.a, self.b])
        signs = np.repeat([1.0, -1.0], links.size)
        kept = columns != GROUND
        drop = sparse.csr_array((signs[kept], (rows[kept], columns[kept])), shape=(links.size, size))
        return Laplacian(drop, self.geometry)


@dataclass(frozen=True, eq=False)
class Laplacian:
    """D' g D: every link's potential difference, times its geometry, back to its two nodes.

    Differences are taken first: a link of large admittance has only a tiny one, which the written-out matrix would lose
    in rounding. drop: (links, unknowns); geometry: (links,).
    """

    drop: sparse.csr_array
    geometry: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self.drop.shape[1], self.drop.shape[1]

    def __matmul__(self, columns: Array) -> Array:
        """Return the product with a block of columns."""
        return np.asarray(self._back @ (self.drop @ columns))

    @cached_property
    def _back(self) -> sparse.csr_array:
        return sparse.csr_array((self.drop.multiply(self.geometry[:, None])).T)

    def tocsr(self) -> sparse.csr_array:
        """Return the matrix itself."""
        return sparse.csr_array(self._back @ self.drop)


@dataclass(frozen=True)
class Segment:
    """One element of a column of voxels: from row a to row b of nodes, of a length (m; 0 for an interface)."""

    process: str
    a: int
    b: int
    length: float = 0.0

    @property
    def per_area(self) -> float:
        """Geometry of the element per m2 of cross-section: 1/length in the bulk, 1 at an interface."""
        return 1 / self.length if self.length else 1.0


@dataclass(frozen=True)
class Column:
    """The series of elements below one patch of the WE face; row 0 of nodes is the face.

    rows: number of nodes; heights: of the voxel around each node (m), 0 on faces; segments: the elements in series; materials:
    what the voxel around each node is made of, "" on faces.
    """

    segments: tuple[Segment, ...]
    heights: Array
    materials: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Number of nodes below one patch of the face."""
        return len(self.heights)


def column(
    layers: Sequence[Array], *, counter_electrode: bool, patterned: bool = False, course: Course | None = None
) -> Column:
    """Return half voxel + [voxel + ...] + half voxel for every layer, with a boundary between layers.

    layers: z lines of each; counter_electrode: whether it has charge transfer (a node on its face and a link to ground);
    an ideal one is ground itself. patterned: whether it differs from patch to patch (a node on its face, and links that are
    not the column's). course: what layers and boundaries are, left out: all alike.
    """
    segments: list[Segment] = []
    heights, materials = [0.0], [""]
    course = Course.of(course, layers)
    for number, lines in enumerate(layers):
        bulk = course.bulks[number]
        if number and (boundary := course.boundaries[number - 1]) is not None:
            heights.append(0.0)
            materials.append("")
            segments.append(Segment(boundary, len(heights) - 2, len(heights) - 1))
        sizes = np.diff(lines)
        lengths = np.concatenate([sizes[:1], sizes[1:] + sizes[:-1], sizes[-1:]]) / 2
        for size, length in zip(sizes, lengths, strict=False):
            heights.append(float(size))
            materials.append(bulk)
            segments.append(Segment(bulk, len(heights) - 2, len(heights) - 1, float(length)))
        last = number == len(layers) - 1
        end = GROUND if last and not (counter_electrode or patterned) else len(heights)
        if end != GROUND:
            heights.append(0.0)
            materials.append("")
        segments.append(Segment(bulk, len(heights) - 1 if end == GROUND else end - 1, end, float(lengths[-1])))
    if counter_electrode and not patterned:
        segments.append(Segment(COUNTER_ELECTRODE, len(heights) - 1, GROUND))
    return Column(tuple(segments), np.array(heights), tuple(materials))


@dataclass(frozen=True, eq=False)
class Numbering:
    """Nodes, ordered (z, x, y), as unknowns: those that an ideal contact holds are the electrode potential V, the last.

    held: which nodes of row 0 those are, (x cells * y cells,); rows: of nodes; grounded: which nodes of the last row an ideal
    contact of the counter electrode holds at 0, in a network whose last row is its face; None: none of them.
    """

    held: NDArray[np.bool_]
    rows: int
    grounded: NDArray[np.bool_] | None = None

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which nodes of row 0 are unknowns of their own."""
        return ~self.held

    @cached_property
    def tied(self) -> int:
        """How many nodes of row 0 are V."""
        return int(self.held.sum())

    @property
    def unknowns(self) -> int:
        """How many there are, V included."""
        return self.rows * self.held.size - self.tied - (0 if self.grounded is None else int(self.grounded.sum())) + 1

    def first(self, row: int) -> int:
        """Return the first unknown of a row."""
        return row * self.held.size - self.tied if row else 0

    def of(self, node: Integers) -> Integers:
        """Return the unknowns of nodes; ground stays ground."""
        face = np.where(self.free, np.cumsum(self.free) - 1, self.unknowns - 1)
        on_face = (node >= 0) & (node < self.held.size)
        found = np.where(on_face, face[np.where(on_face, node, 0)], np.where(node >= 0, node - self.tied, GROUND))
        if self.grounded is None:
            return found
        first = (self.rows - 1) * self.held.size
        last = np.where(self.grounded, GROUND, first - self.tied + np.cumsum(~self.grounded) - 1)
        below = node >= first
        return np.where(below, last[np.where(below, node - first, 0)], found)


@dataclass(frozen=True, eq=False)
class Electrodes:
    """What joins the nodes of both faces to the metals; counter None: one segment of every column, the same everywhere."""

    working: Metal
    counter: Metal | None

    @classmethod
    def of(cls, problem: Problem, grid: Grid) -> Electrodes:
        """Return those of a problem on a grid."""
        first, last = (float(lines[at] - lines[at - 1]) for lines, at in ((grid.layers[0], 1), (grid.layers[-1], -1)))
        working = metal(grid, grid.touched, first, ideal=problem.ideal_contact, free=grid.pores)
        if not problem.patterned_counter:
            return cls(working, None)
        names = (COUNTER_ELECTRODE, COUNTER_PORE)
        below, ideal, free = problem.body.course.bulks[-1], problem.ideal_counter, grid.counter_pores
        return cls(working, metal(grid, grid.counter_touched, last, ideal=ideal, names=names, bulk=below, free=free))

    @property
    def series(self) -> Cut | None:
        """What links conduct that belong to no place alone, on either face."""
        return Cut.together([self.working.series, None if self.counter is None else self.counter.series])

    def conducting(self, places: Mapping[str, Admittance]) -> Mapping[str, Admittance]:
        """Return what every process of the links conducts where places conduct like this."""
        return places if self.series is None else self.series(places)

    def column(self, problem: Problem, grid: Grid) -> Column:
        """Return what is below one patch of the working electrode's face."""
        grounded, patterned = not problem.ideal_counter, self.counter is not None
        return column(grid.layers, counter_electrode=grounded, patterned=patterned, course=problem.body.course)

    def numbering(self, vertical: Column) -> Numbering:
        """Return which unknown each node is."""
        return Numbering(self.working.held, vertical.rows, None if self.counter is None else self.counter.held)


def network_links(
    grid: Grid, vertical: Column, electrodes: Electrodes, *, rows: range | None = None
) -> tuple[dict[str, Links], Numbering]:
    """Return the links of every process, in unknowns (the electrode potential V last), and the numbering.

    rows: only links that touch these rows of nodes (all): what one of several machines holds.
    """
    dx, dy = np.diff(grid.x), np.diff(grid.y)
    numbering = electrodes.numbering(vertical)
    own = range(vertical.rows) if rows is None else rows
    patch = np.arange(numbering.held.size)
    area = grid.copies * np.outer(dx, dy).ravel()

    parts: dict[str, list[tuple[Integers, Integers, Array]]] = {}
    for segment in vertical.segments:
        if segment.a in own or segment.b in own:
            a = segment.a * patch.size + patch
            b = segment.b * patch.size + patch if segment.b != GROUND else np.full_like(patch, GROUND)
            parts.setdefault(segment.process, []).append((a, b, area * segment.per_area))
    centres_x, centres_y = (dx[1:] + dx[:-1]) / 2, (dy[1:] + dy[:-1]) / 2
    for material in dict.fromkeys(name for name in vertical.materials if name):
        inside = np.array([row for row in own if vertical.materials[row] == material], dtype=np.int64)
        voxels = inside[:, None, None] * patch.size + patch.reshape(len(dx), len(dy))
        heights = vertical.heights[inside][:, None, None]
        across_x = grid.copies * heights * (dy / centres_x[:, None])
        across_y = grid.copies * heights * (dx[:, None] / centres_y)
        bulk = parts.setdefault(material, [])
        bulk.append((voxels[:, :-1].ravel(), voxels[:, 1:].ravel(), across_x.ravel()))
        bulk.append((voxels[:, :, :-1].ravel(), voxels[:, :, 1:].ravel(), across_y.ravel()))

    pieces: dict[str, list[Links]] = {}
    for process, part in parts.items():
        for a, b, geometry in part:
            pieces.setdefault(process, []).append(Links(numbering.of(a), numbering.of(b), geometry))
    for at_metal, row, tied in (
        (electrodes.working, 0, numbering.unknowns - 1),
        (electrodes.counter, vertical.rows - 1, GROUND),
    ):
        for process, geometry in ({} if at_metal is None else at_metal.geometry).items():
            where = (geometry > 0) & (row in own)
            face = numbering.of(row * patch.size + patch[where])
            pieces.setdefault(process, []).append(Links(np.full_like(face, tied), face, geometry[where]))
    return {process: Links.together(each) for process, each in pieces.items()}, numbering
