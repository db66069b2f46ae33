"""A(s) x = b at real shifts s >= 0, for the potential at V = 1: conjugate gradients on the backend's own matrices.

With the electrode at V = 1 the other unknowns solve A_ff phi = -A_fV (symmetric, positive definite); the current is
I = A_VV + A_Vf phi and Z = 1/I. The columns (one per shift) are iterated together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import splu

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.reduction.assembly import Assembly


@dataclass(frozen=True, eq=False)
class ShiftedSolutions:
    """potentials: one column per shift, V = 1 last; error: estimated relative energy error ||x - x*||_A/||x||_A."""

    potentials: Array
    error: Array
    iterations: int


def solve_shifts(
    assembly: Assembly, y: Mapping[str, Array], *, tolerance: float = 1e-10, most_iterations: int = 200
) -> ShiftedSolutions:
    """Solve for each of k real shifts, y[p] = y_p at the shifts, shape (k,).

    tolerance bounds the energy norm of the error relative to that of the solution, estimated as sqrt(r' P^-1 r/x' A x);
    the error of Z is its square. Raises ComputationError where it is not reached.
    """
    if assembly.precondition is None:
        return _solve_directly(assembly, y)
    preconditioner = assembly.precondition(y)
    size, shifts = assembly.unknowns, len(next(iter(y.values())))
    potentials = np.zeros((size, shifts))
    potentials[-1] = 1.0
    image = assembly.apply(y, potentials)
    current = image[-1].copy()
    residual = -image[:-1]
    direction = np.zeros((size, shifts))
    step = preconditioner.solve(residual)
    error = np.full(shifts, np.inf)
    energy, previous = np.sum(residual * step, 0), residual
    direction[:-1] = step
    iterations = 0
    while iterations < most_iterations:
        iterations += 1
        image = assembly.apply(y, direction)
        curvature = np.sum(direction * image, 0)
        alpha = np.where(curvature > 0, energy / np.where(curvature > 0, curvature, 1), 0)
        potentials += alpha * direction
        current += alpha * image[-1]
        previous = residual
        residual = residual - alpha * image[:-1]
        step = preconditioner.solve(residual)
        new = np.sum(residual * step, 0)
        error = np.sqrt(np.maximum(new, 0) / np.maximum(np.abs(current), 1e-300))
        if np.all(error <= tolerance):
            return ShiftedSolutions(potentials, error, iterations)
        # The preconditioner iterates itself, so the flexible (Polak-Ribiere) form.
        beta = np.maximum(new - np.sum(previous * step, 0), 0) / np.where(energy > 0, energy, 1)
        direction[:-1] = step + beta * direction[:-1]
        energy = new
    worst = int(np.argmax(error))
    raise ComputationError(
        f"conjugate gradients stopped after {most_iterations} iterations with a relative energy error of "
        f"{error[worst]:.2e}, asked {tolerance:.0e} ({dict(assembly.description)})"
    )


def _solve_directly(assembly: Assembly, y: Mapping[str, Array]) -> ShiftedSolutions:
    shifts = len(next(iter(y.values())))
    columns = []
    for k in range(shifts):
        matrix = assembly.matrix({process: float(values[k]) for process, values in y.items()})
        inner = splu(
            matrix[:-1, :-1].tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
        columns.append(np.append(inner.solve(-matrix[:-1, [-1]].toarray().ravel()), 1.0))
    return ShiftedSolutions(np.column_stack(columns), np.full(shifts, np.finfo(float).eps), 1)
