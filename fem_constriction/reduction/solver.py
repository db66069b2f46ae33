"""A(s) x = b at real shifts s >= 0, for the potential at V = 1: conjugate gradients on the backend's own matrices.

With the electrode at V = 1 the other unknowns solve A_ff phi = -A_fV (symmetric, positive definite); the current is
I = A_VV + A_Vf phi = x' A x and Z = 1/I. The columns (one per shift) are iterated together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.reduction.assembly import Assembly, Preconditioner
from fem_constriction.reduction.conjugate_gradients import conjugate_gradients, not_reached
from fem_constriction.reduction.factors import factorised


@dataclass(frozen=True, eq=False)
class ShiftedSolutions:
    """Potentials at V = 1 at k real shifts.

    Attributes
    ----------
    potentials : ndarray, (unknowns, k)
        In V, one column per shift, V = 1 last.
    error : ndarray, (k,)
        Estimated relative energy error ||x - x*||_A/||x||_A.
    iterations : int
        Of the column that took most.
    """

    potentials: Array
    error: Array
    iterations: int


def solve_shifts(
    assembly: Assembly, y: Mapping[str, Array], *, tolerance: float = 1e-10, most_iterations: int = 200
) -> ShiftedSolutions:
    """Solve at k real shifts.

    Parameters
    ----------
    assembly : Assembly
        Matrices, and what preconditions them; without that they are factorised.
    y : mapping of str to ndarray, (k,)
        Admittances y_p at the shifts (SI).
    tolerance : float
        Of the energy norm of the error relative to that of the solution, estimated as sqrt(r' P^-1 r/x' A x); the error of Z is
        its square.
    most_iterations : int
        At most.

    Raises
    ------
    ComputationError
        Where the tolerance is not reached, with what was.
    """
    if assembly.precondition is None:
        return _solve_directly(assembly, y)
    shifts = len(next(iter(y.values())))
    potentials = np.zeros((assembly.unknowns, shifts))
    potentials[-1] = 1.0
    image = assembly.apply(y, potentials)
    energy = image[-1].copy()  # x' A x of the guess

    def size(gained: Array) -> Array:
        return np.asarray(np.maximum(np.abs(energy - gained), 1e-300))

    def enough(_begin: Array, gained: Array) -> Array:
        return tolerance**2 * size(gained)

    # V is an unknown that no step changes: the residual there, less than the current, is not preconditioned.
    system = _AtShifts(assembly, y, assembly.precondition(y), np.ones(shifts, dtype=bool))
    done = conjugate_gradients(system, potentials.T, -image.T, enough, most_iterations, flexible=True)
    error = np.sqrt(done.left / size(done.gained))
    if not done.reached.all():
        raise not_reached(done.iterations, float(error.max()), tolerance, str(dict(assembly.description)))
    return ShiftedSolutions(potentials, error, done.iterations)


@dataclass(frozen=True, eq=False)
class _AtShifts:
    """A at those of k shifts that are still iterated, columns (k, unknowns) with V held; the preconditioner is for all k."""

    assembly: Assembly
    y: Mapping[str, Array]
    preconditioner: Preconditioner
    columns: NDArray[np.bool_]

    def apply(self, direction: Array) -> Array:
        y = {name: values[self.columns] for name, values in self.y.items()}
        return self.assembly.apply(y, np.ascontiguousarray(direction.T)).T

    def precondition(self, residual: Array) -> Array:
        step = np.zeros((self.assembly.unknowns, len(residual)))
        if self.columns.all():
            step[:-1] = self.preconditioner.solve(np.ascontiguousarray(residual.T[:-1]))
            return step.T
        every = np.zeros((self.assembly.unknowns - 1, self.columns.size))
        every[:, self.columns] = residual.T[:-1]
        step[:-1] = self.preconditioner.solve(every)[:, self.columns]
        return step.T

    def only(self, columns: NDArray[np.bool_]) -> _AtShifts:
        left = self.columns.copy()
        left[left] = columns
        return replace(self, columns=left)


def _solve_directly(assembly: Assembly, y: Mapping[str, Array]) -> ShiftedSolutions:
    shifts = len(next(iter(y.values())))
    columns = []
    for k in range(shifts):
        matrix = assembly.matrix({process: float(values[k]) for process, values in y.items()})
        inner = factorised(matrix[:-1, :-1])
        columns.append(np.append(inner.solve(-matrix[:-1, [-1]].toarray().ravel()), 1.0))
    return ShiftedSolutions(np.column_stack(columns), np.full(shifts, np.finfo(float).eps), 1)
