"""Z_h -> Z_wrong, Z_h < Z: faults of families of grids and of bounds, in voxel networks that are right otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, PORE
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.stack.layered import Layered
from network import Network
from network.links import Links
from validation.conformance.wrong.assembling import level_of, partly_touched, scaled


class WrongLimit(Network):
    """A fixed ratio of 2 towards the contact's edges with ever more layers: never finer away from them."""

    name = "wrong-limit"
    caught_by: ClassVar[str] = "oracle: every process"

    def grid(self, described: Described, level: int) -> Grid:
        """Return a member of a family that settles on another number."""
        problem = Problem.of(described)
        right = super().grid(problem, 0)
        if not partly_touched(problem):
            return super().grid(problem, level)
        x, touches_x = self._lines(problem, 0, level)
        y, touches_y = self._lines(problem, 1, level)
        count = level + 3
        layers = tuple(
            _geometric(float(z[0]), float(z[-1]), count) if number == 0 else np.linspace(z[0], z[-1], 5)
            for number, z in enumerate(right.layers)
        )
        return Grid(
            x=x, y=y, layers=layers, contact=np.logical_and.outer(touches_x, touches_y), copies=4, name=f"ratio {level}"
        )

    def _lines(self, problem: Problem, axis: int, level: int) -> tuple[Array, Any]:
        edge, wall = problem.contact_sides[axis] / 2, problem.body.lengths[axis] / 2
        inside = edge - _geometric(0.0, edge, level + 3)[::-1]
        outside = edge + _geometric(0.0, wall - edge, level + 3) if wall > edge else inside[-1:]
        lines = np.concatenate([inside, outside[1:]])
        return lines, (lines[1:] + lines[:-1]) / 2 < edge


def _geometric(start: float, end: float, count: int) -> Array:
    """Lines from start to end, each step twice the one before."""
    return start + (end - start) * np.concatenate([[0.0], 0.5 ** np.arange(count)[::-1]])


class FirstOrderCalledSecond(Network):
    """The bulk resists by 2 % too much at the coarsest grid, half of that at the next, and so on."""

    name = "first-order"
    caught_by: ClassVar[str] = "order: every process"

    def assemble(self, described: Described, grid: Grid) -> Assembly:
        """Return the matrices, that of the bulk scaled."""
        return scaled(super().assemble(described, grid), BULK, self._factor(grid))

    def layered(self, described: Described, grid: Grid) -> Layered | None:
        """Return the stack, its voxels scaled."""
        found, factor = super().layered(described, grid), self._factor(grid)
        if found is None:
            return None

        def two_port(values: Array, height: float) -> tuple[Array, Array]:
            even, odd = found.two_port(values, height)
            return factor * even, factor * odd

        return replace(found, two_port=two_port)

    def _factor(self, grid: Grid) -> float:
        level = level_of(grid)
        return 1.0 if level is None else 1 / (1 + 0.02 * 0.5**level)


class NoUpperBound(Network):
    """The contact's edge lies inside voxels, which conduct by the part of them that is touched; still called an upper bound."""

    name = "no-upper-bound"
    caught_by: ClassVar[str] = "bound holds: every process"

    def assemble(self, described: Described, grid: Grid) -> Assembly:
        """Return the matrices of a grid without lines on the contact's edges."""
        if not self._applies(Problem.of(described)):
            return super().assemble(described, grid)
        shifted, share = _without_edges(grid)
        found = super().assemble(described, shifted)
        area = (shifted.copies * np.outer(np.diff(shifted.x), np.diff(shifted.y)) * np.stack([share, 1 - share])).reshape(2, -1)
        face = np.arange(area.shape[1])
        metal = np.full_like(face, found.unknowns - 1)
        films = {
            process: Links(metal, face, part).laplacian(found.unknowns)
            for process, part in zip((CHARGE_TRANSFER, PORE), area, strict=True)
        }
        return replace(found, operators={p: films.get(p, operator) for p, operator in found.operators.items()})

    def layered(self, described: Described, grid: Grid) -> Layered | None:
        """Return the same as a stack."""
        if not self._applies(Problem.of(described)):
            return super().layered(described, grid)
        shifted, share = _without_edges(grid)
        found = super().layered(described, shifted)
        area = (shifted.copies * np.outer(np.diff(shifted.x), np.diff(shifted.y)) * np.stack([share, 1 - share])).reshape(2, -1)
        films = {p: sparse.diags_array(part).tocsr() for p, part in zip((CHARGE_TRANSFER, PORE), area, strict=True)}
        return None if found is None else replace(found, face=films)

    def _applies(self, problem: Problem) -> bool:
        return partly_touched(problem) and not problem.ideal_contact


def _without_edges(grid: Grid) -> tuple[Grid, Array]:
    """The grid of a quarter without the two lines on the contact's edges, and the part of each voxel that is touched."""
    lines, shares = [], []
    for axis, found in enumerate((grid.x, grid.y)):
        touched = int(np.any(grid.contact, axis=1 - axis).sum())
        inside = found[touched] - found[touched - 1]
        if touched == len(found) - 1 or grid.copies == 1:
            lines.append(found)
            shares.append(np.any(grid.contact, axis=1 - axis).astype(float))
            continue
        lines.append(np.delete(found, touched))
        share = (np.arange(len(found) - 2) < touched).astype(float)
        share[touched - 1] = inside / (found[touched + 1] - found[touched - 1])
        shares.append(share)
    weight = np.outer(*shares)
    return replace(grid, x=lines[0], y=lines[1], contact=weight > 0.5), weight


GRIDS = (WrongLimit, FirstOrderCalledSecond, NoUpperBound)
