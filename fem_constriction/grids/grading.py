"""T(r) = (r/l)^(1/mu), equally spaced: lines that are graded towards the contact's edges.

Grading: counted from a contact edge outwards (to both sides, and down into the electrolyte) the lines follow
T(r) = (r/l)^(1/mu) up to the distance l and 1 + ln(r/l)/mu beyond it, at equal steps of T. Near the edge this is the power
law r_i ~ (i/n)^mu that restores the full order of convergence at the edge singularity; farther out the cells keep a fixed
ratio to their distance. T and its slope are continuous, so doubling the number of steps is one systematic, nested
refinement everywhere (numerics: order 2k for degree k needs mu > 2k at an ideal contact).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fem_constriction.grids.affordable import check_counts, doubled
from fem_constriction.grids.rectilinear import Lines
from fem_constriction.problem.bodies import Body

#: Edges of the contact nearer to one another, or to a wall, than this part of the width have one cell between them: graded
#: towards each other they would make lines nearer than that allows.
TOGETHER = 1e-4


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


def graded(length: float, scale: float, grading: Grading, level: int) -> Lines:
    """Return lines from 0 (the edge) to length, equally spaced in T(r); level doubles their number each time.

    T(r) = (r/l)^(1/mu) for r <= l, 1 + ln(r/l)/mu beyond, with l = scale.
    """
    total = float(steps_to(length, scale, grading.exponent))
    count = cells_over(total, grading) << level
    lines = _inverse(np.linspace(0.0, total, count + 1), scale, grading.exponent)
    lines[0], lines[-1] = 0.0, length
    return lines


def cells_over(steps: float, grading: Grading) -> int:
    """How many cells the coarsest grid has over so many steps of T."""
    return max(1, math.ceil(grading.steps * steps - 1e-9))


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


def layers_of(body: Body, scale: float, grading: Grading, level: int, *, both: bool = False) -> tuple[Lines, ...]:
    """Return the z lines of each layer; equally spaced in T where a layer needs more than one step or is the first, else plain.

    both: T counts from the nearer electrode, instead of the working one.
    """
    if both:
        return _from_both_ends(body, scale, grading, level)
    count = body.layers
    check_counts(f"level {level}", 1, count, doubled(count, level))
    ends = body.ends
    steps = np.diff(steps_to(ends, scale, grading.exponent))
    rows = np.sum(np.maximum(1.0, np.ceil(grading.steps * steps - 1e-9)))
    check_counts(f"level {level}", 1, count, doubled(float(rows), level))
    return tuple(_layer(top, bottom, scale, grading, level) for top, bottom in pairwise(ends))


def _layer(top: float, bottom: float, scale: float, grading: Grading, level: int) -> Lines:
    """Lines from top to bottom, distances from an electrode."""
    first, last = steps_to(np.array([top, bottom]), scale, grading.exponent)
    count = cells_over(last - first, grading)
    if count == 1 and top > 0:  # T is as good as straight across it; under the face a uniform step is of first order
        return np.linspace(top, bottom, (1 << level) + 1)
    lines = _inverse(np.linspace(first, last, (count << level) + 1), scale, grading.exponent)
    lines[0], lines[-1] = top, bottom
    return lines


def _from_both_ends(body: Body, scale: float, grading: Grading, level: int) -> tuple[Lines, ...]:
    """The same with T from the nearer electrode: a layer in whose inside both are equally far has a line there."""
    ends = body.ends
    depth, middle = float(ends[-1]), float(ends[-1]) / 2
    steps = 2 * body.layers + grading.steps * 2 * float(steps_to(middle, scale, grading.exponent))
    check_counts(f"level {level}", 1, body.layers, doubled(steps, level))
    found = []
    for top, bottom in pairwise(ends):
        inside = top < middle * (1 - TOGETHER) and bottom > middle * (1 + TOGETHER)
        pieces = [top, middle, bottom] if inside else [top, bottom]
        lines = [np.array([top])]
        for a, b in pairwise(pieces):
            below = a + b > depth
            part = (
                depth - _layer(depth - b, depth - a, scale, grading, level)[::-1]
                if below
                else _layer(a, b, scale, grading, level)
            )
            lines.append(part[1:])
            lines[-1][-1] = b
        found.append(np.concatenate(lines))
    return tuple(found)


def steps_to(r: float | Lines, scale: float, exponent: float) -> Lines:
    """Return T(r), l = scale and mu = exponent."""
    ratio = np.asarray(r, dtype=float) / scale
    return np.where(ratio <= 1, ratio ** (1 / exponent), 1 + np.log(np.maximum(ratio, 1)) / exponent)


def _inverse(steps: Lines, scale: float, exponent: float) -> Lines:
    return scale * np.where(steps <= 1, steps**exponent, np.exp(exponent * (np.maximum(steps, 1) - 1)))
