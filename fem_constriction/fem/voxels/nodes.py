"""phi at a node of the voxels' lattice: one unknown for each set of voxels around it that hang together by joined faces.

What touches along an edge or at a corner alone carries no current there in the continuum, and has unknowns of its own. A set
that metal is part of has the metal's potential: V, 0, or that of a floating piece.

Where a void meets metal and electrolyte at once, with charge transfer between those two, its potential leads from the one to
the other within no distance. Were it continuous with both, it would hold the electrolyte at the metal's potential along that
line, and Z would come to its limit like 1/ln(1/h). There the void goes with the electrolyte: its potential is torn from the
metal's at that node alone. Elements of voids around it are not conforming then, and Z is no bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from fem_constriction.errors import InputError
from fem_constriction.fem.voxels.medium import JOINED, METAL, NONE, NOTHING, Codes, Medium
from fem_constriction.grids.image_metal import GROUNDED, TIED

Integers = NDArray[np.int32]

#: Octants of a node: on the side of lower or of higher z, x and y.
OCTANTS = tuple(product((0, 1), repeat=3))

#: The unknown of what is at 0 V.
GROUND = -1


@dataclass(frozen=True, eq=False)
class Nodes:
    """Unknowns of the lattice with `degree` steps per voxel.

    Parameters
    ----------
    degree
        Of the elements.
    free
        How many unknowns there are besides V, those of the nodes first, in the order of the lattice, then floating metal's.
    number
        The unknown of each octant of each node, GROUND at 0 V and `free` at V, (8, mz, mx, my) with m = degree n + 1; where an
        octant is nothing, GROUND.
    torn
        How many nodes there are at which voids beside metal do not have its potential.
    """

    degree: int
    free: int
    number: Integers
    torn: int = 0

    @property
    def unknowns(self) -> int:
        """How many there are, V included."""
        return self.free + 1

    def of_voxels(self, chosen: NDArray[np.bool_]) -> Integers:
        """Return the unknowns of some voxels between the electrodes, (voxels, (degree + 1)^3), z slowest."""
        z, x, y = np.nonzero(chosen)
        d, found = self.degree, []
        for p, q, r in product(range(d + 1), repeat=3):
            octant = OCTANTS.index((int(p < d), int(q < d), int(r < d)))
            found.append(self.number[octant, d * z + p, d * x + q, d * y + r])
        return np.stack(found, axis=1)

    def of_faces(self, axis: int, chosen: NDArray[np.bool_]) -> tuple[Integers, Integers]:
        """Return the unknowns of the two sides of some faces across an axis, (faces, (degree + 1)^2) each.

        chosen: of the faces as `Medium` has them.
        """
        index = np.nonzero(chosen)
        d = self.degree
        sides: tuple[list[Integers], list[Integers]] = ([], [])
        for steps in product(range(d + 1), repeat=2):
            along = [*steps]
            along.insert(axis, 0)
            at = [d * i + step for i, step in zip(index, along, strict=True)]
            if axis:  # a face along x or y lies above its first voxel
                at[axis] = at[axis] + d
            for side in (0, 1):
                octant = [int(step < d) for step in along]
                octant[axis] = side
                sides[side].append(self.number[(OCTANTS.index(tuple(octant)), *at)])
        return np.stack(sides[0], axis=1), np.stack(sides[1], axis=1)


def numbered(medium: Medium, degree: int) -> Nodes:
    """Return the unknowns of a medium. Raises InputError where ideal electrodes meet in one voxel."""
    shape = tuple(degree * n + 1 for n in medium.shape)
    # Lines of voxels before and after each node, in arrays that have one voxel of nothing around them along x and y.
    sides = [_sides(n, degree) for n in medium.shape]
    voxels = np.pad(medium.voxels, ((0, 0), (1, 1), (1, 1)), constant_values=NOTHING)
    codes = _padded(medium)
    group = np.empty((8, *shape), dtype=np.int8)
    for octant, (a, b, c) in enumerate(OCTANTS):
        there = voxels[np.ix_(sides[0][a], sides[1][b], sides[2][c])] != NOTHING
        group[octant] = np.where(there, np.int8(octant), np.int8(8))
    void, metal, apart = _voids_apart(medium, voxels, codes, sides)
    joined = []
    for axis in range(3):
        for other in product((0, 1), repeat=2):
            low, high = list(other), list(other)
            low.insert(axis, 0)
            high.insert(axis, 1)
            one, two = OCTANTS.index(tuple(low)), OCTANTS.index(tuple(high))
            lines = [sides[each][side] for each, side in enumerate(low)]
            same = sides[axis][0] == sides[axis][1]
            together = codes[axis][np.ix_(*lines)] == JOINED
            where = [None, None, None]
            where[axis] = slice(None)  # type: ignore[call-overload]
            together |= same[tuple(where)]
            together &= (group[one] < 8) & (group[two] < 8)
            together &= ~apart | ~((void[one] & metal[two]) | (metal[one] & void[two]))
            joined.append((one, two, together))
    while True:
        changed = False
        for one, two, together in joined:
            least = np.minimum(group[one], group[two])
            for each in (one, two):
                if np.any(lower := together & (least < group[each])):
                    np.copyto(group[each], least, where=lower)
                    changed = True
        if not changed:
            break
    return replace(_counted(medium, degree, group, sides), torn=int(apart.sum()))


def _voids_apart(
    medium: Medium, voxels: Codes, codes: list[Codes], sides: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> tuple[list[NDArray[np.bool_]], list[NDArray[np.bool_]], NDArray[np.bool_]]:
    """Return which octants are voids and metal, 8 of (mz, mx, my) each, and nodes where voids meet metal with a film on it."""
    around = [voxels[np.ix_(sides[0][a], sides[1][b], sides[2][c])] for a, b, c in OCTANTS]
    void, metal = [np.isin(each, list(medium.bare)) for each in around], [each == METAL for each in around]
    apart = np.any(void, axis=0)
    if not apart.any():
        return void, metal, apart
    film = np.zeros_like(apart)
    for axis in range(3):
        for other in product((0, 1), repeat=2):
            low, high = list(other), list(other)
            low.insert(axis, 0)
            high.insert(axis, 1)
            one, two = OCTANTS.index(tuple(low)), OCTANTS.index(tuple(high))
            lines = np.ix_(*(sides[each][side] for each, side in enumerate(low)))
            film |= (codes[axis][lines] >= 0) & (metal[one] != metal[two])
    return void, metal, apart & film


def _counted(medium: Medium, degree: int, group: Codes, sides: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> Nodes:
    """Give every group of octants its unknown."""
    shape = group.shape[1:]
    metal = np.pad(np.where(medium.voxels == METAL, medium.tied(), 0).astype(np.int32), ((0, 0), (1, 1), (1, 1)))
    solid = np.pad(medium.voxels == METAL, ((0, 0), (1, 1), (1, 1)))
    held = np.zeros((8, *shape), dtype=bool)
    tie = np.zeros((8, *shape), dtype=np.int32)
    for octant, (a, b, c) in enumerate(OCTANTS):
        lines = np.ix_(sides[0][a], sides[1][b], sides[2][c])
        here = solid[lines]
        if not here.any():
            continue
        for root in range(8):
            of_root = here & (group[octant] == root)
            clash = of_root & held[root] & (tie[root] != metal[lines])
            if clash.any():
                raise InputError(
                    key="working_electrode.charge_transfer",
                    why=f"metal of both electrodes, ideal, meets at {int(clash.sum())} nodes, a short circuit",
                    remedy="allowed is charge transfer at one of them",
                )
            held[root] |= of_root
            np.copyto(tie[root], metal[lines], where=of_root)
    own = np.stack([(group[octant] == octant) & ~held[octant] for octant in range(8)], axis=-1)
    free = int(own.sum())
    first = (np.cumsum(own.ravel(), dtype=np.int32) - 1).reshape(own.shape)
    total = free + medium.floating
    of_root = np.moveaxis(first, -1, 0).copy()
    for root in range(8):
        fixed = held[root]
        tied = tie[root][fixed]
        of_root[root][fixed] = np.where(tied == TIED, total, np.where(tied == GROUNDED, GROUND, free + tied))
    found = np.full((8, *shape), GROUND, dtype=np.int32)
    for octant in range(8):
        for root in range(octant + 1):
            np.copyto(found[octant], of_root[root], where=group[octant] == root)
    return Nodes(degree, total, found)


def _sides(n: int, degree: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the voxel before and the one after each node of a line, in a line with one voxel more at both ends."""
    node = np.arange(degree * n + 1)
    return (node - 1) // degree + 1, node // degree + 1


def _padded(medium: Medium) -> list[Codes]:
    """The code of the face after each voxel along every axis, by padded voxels: NONE where there is none."""
    nz, nx, ny = medium.shape
    found = []
    for axis, codes in enumerate(medium.faces):
        whole = np.full((nz + 2, nx + 2, ny + 2), NONE, dtype=np.int8)
        start = [1, 1, 1]
        if axis == 0:
            start[0] = 0
        whole[tuple(slice(a, a + n) for a, n in zip(start, codes.shape, strict=True))] = codes
        if axis:
            # Metal of an electrode is one piece.
            moved = np.moveaxis(whole, axis, 0)
            moved[1:-2, 0] = moved[1:-2, -1] = JOINED
        found.append(whole)
    return found
