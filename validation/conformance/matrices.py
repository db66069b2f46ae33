"""L_p = L_p', x' L_p x >= 0, L_p 1 = 0: what the matrices of a backend that assembles must be, whatever its discretisation."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from fem_constriction.arrays import Array
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.elements import evaluate
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.reduction.projection import TARGET
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.one_grid import solve_grid
from validation.conformance.cells import CELLS, FREQUENCIES
from validation.conformance.exceptions import BrokenContractError
from validation.conformance.outcome import Check, Measurement, hertz, together, worst
from validation.conformance.subject import Subject

CELL = "every process"
#: Cells per edge: few, so that all eigenvalues can be had.
COARSE = 4
#: Of sums of a few dozen entries in double precision, relative to the largest.
EXACT = 1e-12
#: What the grids of a cell may be off its areas and lengths (`backends.solve_grid` asks the same).
AREA = 1e-9


def symmetry(subject: Subject) -> Measurement:
    """Reciprocity: exchanging source and sink changes nothing."""
    parts = []
    for name, matrix in _matrices(subject).items():
        parts.append(
            worst(np.abs(matrix - matrix.T).max(), EXACT * np.abs(matrix).max(), np.abs(matrix).max(), [name], "max|L|")
        )
    return together(parts)


def semidefinite(subject: Subject) -> Measurement:
    """No process gives energy."""
    parts = []
    for name, matrix in _matrices(subject).items():
        eigenvalues = np.linalg.eigvalsh((matrix + matrix.T) / 2)
        largest = float(np.abs(eigenvalues).max())
        # eigvalsh is backward stable: n eps of the norm.
        allowed = len(matrix) * np.finfo(float).eps * largest
        parts.append(worst(-float(eigenvalues.min()), allowed, largest, [name], "max eigenvalue"))
    return together(parts)


def constants(subject: Subject) -> Measurement:
    """A constant potential drives no current but through the counter electrode."""
    parts = []
    for name, matrix in _matrices(subject).items():
        if name != COUNTER_ELECTRODE:
            size = np.abs(matrix).max()
            parts.append(worst(np.abs(matrix.sum(1)).max(), EXACT * size, size, [name], "max|L|"))
    return together(parts)


def areas(subject: Subject) -> Measurement:
    """V = 1 and phi = 0 sends y A_c through the contact and y (A - A_c) through the pores; phi = 1 sends y A to ground."""
    cell, matrices = CELLS[CELL], _matrices(subject)
    has = {
        CHARGE_TRANSFER: matrices[CHARGE_TRANSFER][-1, -1],
        PORE: matrices[PORE][-1, -1],
        COUNTER_ELECTRODE: matrices[COUNTER_ELECTRODE].sum(),
    }
    wanted = {CHARGE_TRANSFER: cell.contact_area, PORE: cell.area - cell.contact_area, COUNTER_ELECTRODE: cell.area}
    return together(
        [worst(abs(has[name] - area), AREA * area, area, [f"area of {name}"], "of the area") for name, area in wanted.items()]
    )


def grids(subject: Subject) -> Measurement:
    """Each grid is that of the cell, finer than the one before, and says how many unknowns it has at most."""
    backend, wrong = _assembling(subject), []
    for name in (CELL, "ideal contact"):
        cell, cells = CELLS[name], 0
        for grid in [backend.grid(Problem.of(cell), level) for level in range(3)]:
            for what, has, should in (
                ("contact area", grid.contact_area, cell.contact_area),
                ("area", grid.area, cell.area),
                ("thickness", grid.depth, cell.geometry.lengths[2]),
            ):
                if abs(has - should) > AREA * should:
                    wrong.append(f"{grid.name}: {what} {has:.6g}, the cell's {should:.6g}")
            cells, before = int(np.prod(grid.shape)), cells
            if cells <= before:
                wrong.append(f"{grid.name}: not finer than the grid before")
        coarse = backend.uniform(Problem.of(cell), COARSE)
        if (has := backend.assemble(Problem.of(cell), coarse).unknowns) > (said := backend.unknowns(Problem.of(cell), coarse)):
            wrong.append(f"{coarse.name}: {has} unknowns, at most {said} were announced")
    return Measurement(f"{len(wrong)} faults", "0 faults", not wrong, "; ".join(wrong[:3]))


def plain_solution(subject: Subject) -> Measurement:
    """Z of one grid by the backend's own route is Z of its matrices, solved plainly at each frequency."""
    backend, parts = _assembling(subject), []
    for name in (CELL, "ideal contact"):
        problem = Problem.of(CELLS[name]).over(FREQUENCIES)
        grid = backend.uniform(problem, 2 * COARSE)
        solution, assembly = solve_grid(problem, backend, grid, problem.band), backend.assemble(problem, grid)
        s = 2j * np.pi * FREQUENCIES[::3]
        z = solution.model.impedance(s)
        y = evaluate(assembly.admittances(problem.places), s)
        plain = np.array([_plain(assembly, {p: complex(values[k]) for p, values in y.items()}) for k in range(s.size)])
        allowed = (2 * TARGET + solution.model.error(s)) * np.abs(plain)
        where = [f"{name}, {text}" for text in hertz(FREQUENCIES[::3])]
        parts.append(worst(np.abs(z - plain), allowed, np.abs(plain), where))
    return together(parts)


def _plain(assembly: Assembly, y: dict[str, complex]) -> complex:
    port = np.zeros(assembly.unknowns, dtype=complex)
    port[-1] = 1.0
    # Scaled to a unit diagonal: the admittances span decades.
    matrix = assembly.matrix(y)
    scale = 1 / np.sqrt(np.abs(matrix.diagonal()))
    scaled = sparse.csc_array(sparse.diags_array(scale) @ matrix @ sparse.diags_array(scale))
    return complex(scale[-1] * splu(scaled).solve(port * scale)[-1])


def _matrices(subject: Subject) -> dict[str, Array]:
    cell, backend = CELLS[CELL], _assembling(subject)
    assembly = backend.assemble(Problem.of(cell), backend.uniform(Problem.of(cell), COARSE))
    expected = {BULK, GRAIN_BOUNDARY, CHARGE_TRANSFER, PORE, COUNTER_ELECTRODE}
    if set(assembly.operators) != expected:
        names = ", ".join(sorted(assembly.operators))
        raise BrokenContractError(f"assemble gave matrices for {names}; the cell's processes are {', '.join(sorted(expected))}")
    return {name: np.asarray(operator.tocsr().toarray(), dtype=float) for name, operator in assembly.operators.items()}


def _assembling(subject: Subject) -> Backend:
    assert subject.assembling is not None
    return subject.assembling


CHECKS = (
    Check(
        "grids",
        "areas and thickness are the cell's, each level is finer",
        "another contact area is another cell, not a discretisation error; 1e-9 is rounding",
        grids,
        (CELL, "ideal contact"),
        "matrices",
    ),
    Check("symmetric matrices", "L_p = L_p'", "reciprocity; rounding of an entry", symmetry, (CELL,), "matrices"),
    Check(
        "semidefinite matrices",
        "x' L_p x >= 0",
        "passive processes; rounding of the eigenvalues",
        semidefinite,
        (CELL,),
        "matrices",
    ),
    Check(
        "constant potentials",
        "L_p 1 = 0 but at the counter electrode",
        "equal potentials drive no current; rounding of a sum",
        constants,
        (CELL,),
        "matrices",
    ),
    Check(
        "areas of the films",
        "e_V' L_ct e_V = A_c, e_V' L_pore e_V = A - A_c, 1' L_ce 1 = A",
        "a film's current is y times its area; 1e-9 is rounding",
        areas,
        (CELL,),
        "matrices",
    ),
    Check(
        "plain solution",
        "Z by the backend's route = b' (sum y_p L_p)^-1 b",
        "the projection's own estimate of its error, and 2e-8",
        plain_solution,
        (CELL, "ideal contact"),
        "matrices",
    ),
)
