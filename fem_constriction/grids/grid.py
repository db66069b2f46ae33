"""Grids whose lines sit on the contact's edges and on the grain boundaries: a family that converges, and equal cells.

What backends take of the rooms of grids stands here: `family_member`, `uniform`, `voxel_member` and the grid itself.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from fem_constriction.grids.affordable import check_counts, doubled
from fem_constriction.grids.equal import uniform, voxel_member
from fem_constriction.grids.grading import Grading, about, cells_over, graded, layers_of, reaches, steps_to
from fem_constriction.grids.rectilinear import Grid, midpoints
from fem_constriction.problem.faces import both_edges
from fem_constriction.problem.problem import Described, Problem

#: Cells along x or y of the coarsest grid from which on there are fewer steps to each of many edges: a family all the same,
#: whose limit the differences between its grids tell.
CROWDED = 100

__all__ = ["CROWDED", "Grading", "Grid", "family_member", "uniform", "voxel_member"]


def family_member(described: Described, grading: Grading, level: int, crowded: int = CROWDED) -> Grid:
    """Return a member of the cell's nested family of graded grids, for contacts of rectangles.

    On the part of the cell that mirror symmetry leaves; lines on every edge of a contact, at either electrode, graded towards
    it and towards the electrodes.

    Parameters
    ----------
    described
        A Cell, the path of a cell file, a dictionary with its keys, or a Problem.
    grading
        Of the family.
    level
        0 is the coarsest; each next one has half its steps.
    crowded
        Cells along x or y of the coarsest grid beyond which fewer steps lead to each of many edges.

    Returns
    -------
    Grid
        The member.
    """
    problem = Problem.of(described)
    face, counter, depth = problem.face, problem.counter_face, problem.body.lengths[2]
    edges = [both_edges(face, counter, axis) for axis in range(2)]
    squeezed = any(each.size for each in edges)
    pieces = [length for axis, each in enumerate(edges) if each.size for length in reaches(each, face.width[axis]) if length]
    scale = min(*pieces, depth) if pieces else depth
    name = f"graded, level {level}"
    sides = [reaches(each, face.width[axis]) if each.size else [] for axis, each in enumerate(edges)]
    counts = _counts(sides, scale, grading)
    if max(counts) > crowded:
        grading = replace(grading, steps=max(1, int(grading.steps * crowded / max(counts))))
        counts = _counts(sides, scale, grading)
    check_counts(name, math.prod(doubled(count, min(level, 400)) for count in counts), problem.body.layers)
    lateral = []
    for axis, each in enumerate(edges):
        if each.size:
            lateral.append(about(each, face.width[axis], lambda reach: graded(reach, scale, grading, level)))
        else:
            lateral.append(np.linspace(0.0, face.width[axis], (1 << level) + 1))
    layers = layers_of(problem.body, scale, grading if squeezed else Grading(1.0, 1), level, both=problem.patterned_counter)
    middles = midpoints(lateral[0]), midpoints(lateral[1])
    return Grid(
        x=lateral[0],
        y=lateral[1],
        layers=layers,
        contact=face.touches(*middles),
        copies=face.copies,
        name=name,
        counter=counter.touches(*middles) if problem.patterned_counter else None,
        pores=face.pores(lateral[0], lateral[1]),
        counter_pores=counter.pores(lateral[0], lateral[1]),
    )


def _counts(sides: list[list[float]], scale: float, grading: Grading) -> list[int]:
    """How many cells the coarsest grid has along x and y, at least."""
    return [
        sum(cells_over(float(steps_to(reach, scale, grading.exponent)), grading) for reach in each) if each else 1
        for each in sides
    ]
