"""Potentials and currents on the rectangles of one plane, neither discretised along z: the sides of a guaranteed disc."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.fem.stacks.mixed import MixedLine
from fem_constriction.fem.stacks.spaces import PlanarSpace
from fem_constriction.fem.stacks.two_port import exact
from fem_constriction.grids.grid import CROWDED, Grading, Grid, family_member
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.modes import Lateral
from fem_constriction.stack.sides import Sides

#: Degree of the potentials, one more than that of the densities, and lines for both: mu = 2 k for the full order.
DEGREE, LINES = 2, Grading(exponent=4.0, steps=3)

#: The level that leaves radii of 6e-6 to 2.2e-5 of |Z| (six reference cells).
USUAL = 2


def rectangular_sides(problem: Problem, level: int) -> Sides:
    """Return both sides on member `level` of a family of rectangles, for a contact of rectangles along the axes."""
    grid = family_member(problem, LINES, level, CROWDED // DEGREE)
    x, y = (MixedLine(lines / grid.depth, DEGREE - 1) for lines in (grid.x, grid.y))
    potentials, currents = _potentials(problem, grid), _currents(problem, grid, x, y)
    return Sides(potentials, currents, (x.overlap(), y.overlap()), grid.name)


def _potentials(problem: Problem, grid: Grid) -> Layered:
    plane = PlanarSpace.build(grid.x / grid.depth, grid.y / grid.depth, grid.contact.astype(float), DEGREE, grid.pores)
    area = grid.copies * grid.depth**2
    held = plane.contact.diagonal() != 0  # the contact's edge belongs to the contact
    return Layered(
        lateral=plane.lateral,
        layers=[np.array([z[-1] - z[0]]) for z in grid.layers],
        two_port=exact,
        area=area,
        unit=grid.depth,
        face={CHARGE_TRANSFER: plane.contact * area, PORE: plane.pore * area},
        free=~held if problem.ideal_contact else np.ones_like(held),
        description={"bound": "potentials", "grid": grid.name, "cells": grid.shape[:2], "unknowns": plane.size},
        course=problem.body.course,
    )


def _currents(problem: Problem, grid: Grid, x: MixedLine, y: MixedLine) -> Layered:
    area, each = grid.copies * grid.depth**2, DEGREE
    mass = np.outer(x.weights, y.weights).ravel()
    inside = _of_densities(grid.contact, each)
    thinness = None if grid.pores is None else np.where(inside, 1.0, _of_densities(grid.pores, each))
    return Layered(
        lateral=Lateral(x.modes, y.modes),
        layers=[np.array([z[-1] - z[0]]) for z in grid.layers],
        two_port=exact,
        area=area,
        unit=grid.depth,
        face={
            CHARGE_TRANSFER: sparse.diags_array(mass * inside * area).tocsr(),
            PORE: sparse.diags_array(mass * ~inside * area * (1.0 if thinness is None else thinness)).tocsr(),
        },
        free=~inside if problem.ideal_contact else np.ones_like(inside),
        description={"bound": "currents", "grid": grid.name, "cells": grid.shape[:2], "unknowns": mass.size},
        course=problem.body.course,
        thinness=thinness,
    )


def _of_densities(values: NDArray[Any], each: int) -> NDArray[Any]:
    """Values of cells, (x cells, y cells), for the so many densities that each has along x and along y."""
    return np.repeat(np.repeat(values, each, axis=0), each, axis=1).ravel()
