"""L_wrong = L + fault: faults of geometry and matrices, in voxel networks that are right otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from scipy import sparse

from fem_constriction.grids.grid import Grid
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.processes.names import BULK, PORE
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.stack.layered import Layered
from network import Network
from network.stacks import GRADING


def partly_touched(problem: Problem) -> bool:
    """Whether a contact is there that is not the whole face."""
    return 0 < problem.contact_area < problem.area


def level_of(grid: Grid) -> int | None:
    """The level of a member of the family, None for a uniform grid."""
    return int(grid.name.split()[-1]) if grid.name.startswith("graded") else None


class _Elsewhere(Network):
    """The network of another cell, on another grid."""

    caught_by: ClassVar[str] = ""

    def other(self, problem: Problem, grid: Grid) -> tuple[Problem, Grid]:
        """Return the cell and the grid that are assembled."""
        raise NotImplementedError

    def assemble(self, described: Described, grid: Grid) -> Assembly:
        """Return the matrices of the other cell."""
        return super().assemble(*self.other(Problem.of(described), grid))

    def layered(self, described: Described, grid: Grid) -> Layered | None:
        """Return the other cell as a stack."""
        return super().layered(*self.other(Problem.of(described), grid))


class BoundaryLeftOut(_Elsewhere):
    """The first two layers are one."""

    name = "boundary-left-out"
    caught_by = "one dimension: full contact"

    def other(self, problem: Problem, grid: Grid) -> tuple[Problem, Grid]:
        """Return the grid without its first boundary."""
        if len(grid.layers) == 1:
            return problem, grid
        merged = np.concatenate([grid.layers[0], grid.layers[1][1:]])
        return problem, replace(grid, layers=(merged, *grid.layers[2:]))


class ContactTooWide(_Elsewhere):
    """The contact is wider by one voxel of the coarsest grid on every side, at all levels."""

    name = "contact-too-wide"
    caught_by = "areas of the films"

    def other(self, problem: Problem, grid: Grid) -> tuple[Problem, Grid]:
        """Return the same kind of grid of the cell with the wider contact."""
        if not partly_touched(problem):
            return problem, grid
        side = problem.contact_sides[0] * (1 + (1 / GRADING.steps) ** GRADING.exponent)
        wrong = problem.vary(
            {"working_electrode.contact.fraction": min(side**2, 0.99 * min(problem.body.lengths[:2]) ** 2) / problem.area}
        )
        level = level_of(grid)
        return wrong, Network.grid(self, wrong, level) if level is not None else Network.uniform(self, wrong, _per_edge(grid))


def _per_edge(grid: Grid) -> int:
    return int(grid.name.split(", ")[1].split()[0])


class PoreOffByOnePerCent(Network):
    """1.01 times the capacitance of the pores."""

    name = "pore-off-by-one-per-cent"
    caught_by: ClassVar[str] = "areas of the films"

    def assemble(self, described: Described, grid: Grid) -> Assembly:
        """Return the matrices, that of the pores scaled."""
        return scaled(super().assemble(described, grid), PORE, 1.01)

    def layered(self, described: Described, grid: Grid) -> Layered | None:
        """Return the stack, its pores scaled."""
        return _face_scaled(super().layered(described, grid), PORE, 1.01)


class PoreOffOnTheFaceAlone(Network):
    """1.01 times the capacitance of the pores where a stack is solved mode by mode; the matrices are right."""

    name = "pore-off-on-the-face"
    caught_by: ClassVar[str] = "plain solution"

    def layered(self, described: Described, grid: Grid) -> Layered | None:
        """Return the stack, its pores scaled."""
        return _face_scaled(super().layered(described, grid), PORE, 1.01)


class NotReciprocal(Network):
    """Current from the first voxel to the second is not that from the second to the first at the same potentials."""

    name = "not-reciprocal"
    caught_by: ClassVar[str] = "symmetric matrices"

    def assemble(self, described: Described, grid: Grid) -> Assembly:
        """Return the matrices, that of the bulk with a part that is antisymmetric."""
        found = super().assemble(described, grid)
        bulk = found.operators[BULK].tocsr()
        upper = sparse.triu(bulk, 1)
        return replace(found, operators={**found.operators, BULK: sparse.csr_array(bulk + 0.01 * (upper - upper.T))})


class GainsEnergy(Network):
    """The pores' links have the wrong sign."""

    name = "gains-energy"
    caught_by: ClassVar[str] = "semidefinite matrices"

    def assemble(self, described: Described, grid: Grid) -> Assembly:
        """Return the matrices, that of the pores negative."""
        return scaled(super().assemble(described, grid), PORE, -1.0)


class LateralLinksTooConductive(Network):
    """Links along the face conduct 0.5 % too well, on every grid and on both routes: no column of current alone shows it."""

    name = "lateral-links-too-conductive"
    caught_by: ClassVar[str] = "resistance: resistive contact, insulating pores"
    factor: ClassVar[float] = 1.005

    def assemble(self, described: Described, grid: Grid) -> Assembly:
        """Return f times the matrices of the grid made narrower by sqrt(f): areas are as before, dy dz/dx is f times that."""
        narrow = self.factor**-0.5
        found = super().assemble(described, replace(grid, x=narrow * grid.x, y=narrow * grid.y))
        for process in found.operators:
            found = scaled(found, process, self.factor)
        return found

    def layered(self, described: Described, grid: Grid) -> Layered | None:
        """Return the stack, the eigenvalues of its voxels sideways scaled."""
        found = super().layered(described, grid)
        if found is None:
            return None
        two_port = found.two_port
        return replace(found, two_port=lambda values, height: two_port(self.factor * values, height))


def scaled(found: Assembly, process: str, factor: float) -> Assembly:
    """Return the assembly with the matrix of a process times a factor."""
    if process not in found.operators:
        return found
    return replace(found, operators={**found.operators, process: sparse.csr_array(factor * found.operators[process].tocsr())})


def _face_scaled(found: Layered | None, process: str, factor: float) -> Layered | None:
    return None if found is None else replace(found, face={**found.face, process: factor * found.face[process]})


ASSEMBLING = (
    BoundaryLeftOut,
    ContactTooWide,
    PoreOffByOnePerCent,
    PoreOffOnTheFaceAlone,
    NotReciprocal,
    GainsEnergy,
    LateralLinksTooConductive,
)
