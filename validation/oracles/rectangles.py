"""A face cut by the lines through the edges of its rectangles: contact or pores between each two lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Rectangle = tuple[float, float, float, float]

SAME = 1e-9  # of the face's width: edges nearer than this are one


class Partition(NamedTuple):
    """[0, half_x] x [0, half_y], cut at `edges`; touched[i][j]: contact between the i-th lines of x and the j-th of y.

    copies: how many mirror images of this part make the face. Lengths in units of L_x.
    """

    half: tuple[float, float]
    edges: tuple[tuple[float, ...], tuple[float, ...]]
    touched: tuple[tuple[bool, ...], ...]
    copies: int


def partition(regions: Sequence[Rectangle], width: tuple[float, float]) -> Partition:
    """Part of the face [0, L_x] x [0, L_y] that mirror symmetry of the contact leaves, in units of L_x.

    regions: (x_0, y_0, x_1, y_1) of rectangles in m, which may touch and overlap: the contact is their union.
    """
    scale = width[0]
    whole = _cut([tuple(v / scale for v in region) for region in regions], (1.0, width[1] / scale))
    for axis in (0, 1):
        whole = _halved(whole, axis)
    return whole


def _cut(regions: Sequence[tuple[float, ...]], half: tuple[float, float]) -> Partition:
    lines: list[tuple[float, ...]] = []
    for axis in (0, 1):
        kept: list[float] = []
        for at in sorted(region[axis + end] for region in regions for end in (0, 2)):
            inside = SAME * half[axis] < at < (1 - SAME) * half[axis]
            if inside and (not kept or at - kept[-1] > SAME * half[axis]):
                kept.append(at)
        lines.append(tuple(kept))
    middles = [[(a + b) / 2 for a, b in zip((0.0, *at), (*at, h), strict=True)] for at, h in zip(lines, half, strict=True)]
    touched = tuple(tuple(any(r[0] < x < r[2] and r[1] < y < r[3] for r in regions) for y in middles[1]) for x in middles[0])
    return Partition(half, (lines[0], lines[1]), touched, 1)


def _halved(part: Partition, axis: int) -> Partition:
    """The upper half along an axis if the lower one is its mirror image, else the same."""
    edges, width = part.edges[axis], part.half[axis]
    rows = part.touched if axis == 0 else tuple(zip(*part.touched, strict=True))
    mirrored = all(abs(a + b - width) <= SAME * width for a, b in zip(edges, reversed(edges), strict=True))
    if not mirrored or rows != rows[::-1]:
        return part
    kept = tuple(at - width / 2 for at in edges if at > width * (0.5 + SAME))
    rows = rows[len(rows) - len(kept) - 1 :]
    (x, y), (edges_x, edges_y) = part.half, part.edges
    if axis == 0:
        return Partition((x / 2, y), (kept, edges_y), rows, 2 * part.copies)
    return Partition((x, y / 2), (edges_x, kept), tuple(zip(*rows, strict=True)), 2 * part.copies)
