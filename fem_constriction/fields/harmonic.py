"""A(s) x = I b with V = 1, at one s = i omega: the complex symmetric system as it is, and I = x' A(s) x (no conjugate).

A reduced model has potentials whose error is the root of that of Z: enough for Z, too little for currents that are to be
conserved. Here the potential itself is converged, by conjugate gradients in the bilinear product (COCG). The preconditioner P
is the real one, for |y_p| instead of y_p: the numerical range of P A lies in the hull of the numbers y_p/|y_p|, a quarter of
the unit circle at most, which a disc of radius 1 around 1 + i holds. So Krylov's best gains sqrt 2 per iteration at least,
whatever the grid and the materials; where two phases a quarter apart compete 1 + sqrt 2, and about that is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array, Complex
from fem_constriction.reduction.assembly import Assembly, Preconditioner
from fem_constriction.reduction.conjugate_gradients import conjugate_gradients, not_reached
from fem_constriction.reduction.factors import factorised

#: Times that conjugate gradients start again, from the true residual: rounding leaves it larger than the one they carry along.
RESTARTS = 3

#: Largest error that is accepted where rounding ends the iteration above the tolerance, so that currents are conserved to 1e-8.
ACCEPTED = 1e-9


@dataclass(frozen=True, eq=False)
class Harmonic:
    """potential: of all unknowns, V = 1 last, (unknowns,); current: I in A for 1 V; error: ||x - x*||/||x||, energy norms."""

    potential: Complex
    current: complex
    error: float
    iterations: int

    def values(self, unknowns: slice | NDArray[np.bool_]) -> NDArray[Any]:
        """Return the potential of some unknowns, (unknowns there, 1): as `Potentials` has it."""
        return self.potential[unknowns, None]


def solve_harmonic(
    assembly: Assembly, y: Mapping[str, complex], *, tolerance: float = 1e-12, most_iterations: int = 200
) -> Harmonic:
    """Return the potential at V = 1 at one frequency, and the current.

    Parameters
    ----------
    assembly : Assembly
        Matrices, and what preconditions them; without that they are factorised.
    y : mapping of str to complex
        Admittances y_p at s = i omega (SI).
    tolerance : float
        Of the error in the norm x^H A(|y|) x, relative to that of the solution, estimated as sqrt(r^H P r / |I|); that of the
        current is its square.
    most_iterations : int
        At most, those after a new beginning included.

    Raises
    ------
    ComputationError
        Where not even 1e-9 is reached.
    """
    x = np.zeros(assembly.unknowns, dtype=np.complex128)
    x[-1] = 1.0
    if assembly.precondition is None:
        matrix = assembly.matrix(y)
        x[:-1] = factorised(matrix[:-1, :-1]).solve(-matrix[:-1, [-1]].toarray().ravel())
        return Harmonic(x, _current(assembly, y, x), float(np.finfo(float).eps), 1)
    system = _AtFrequency(assembly, y, assembly.precondition({name: np.full(2, abs(value)) for name, value in y.items()}))
    iterations, error = 0, np.inf
    for _ in range(1 + RESTARTS):
        residual = -_apply(assembly, y, x)[None, :-1]
        scale = abs(_current(assembly, y, x))
        done = conjugate_gradients(
            system,
            x[None, :-1],
            residual,
            partial(_enough, scale * tolerance**2, scale * (error / 2) ** 2),
            most_iterations - iterations,
            flexible=True,
        )
        iterations += done.iterations
        error = float(np.sqrt(done.begin[0] / scale))
        if not done.iterations:
            break
    if not error <= max(tolerance, ACCEPTED):
        raise not_reached(iterations, error, tolerance, str(dict(assembly.description)))
    return Harmonic(x, _current(assembly, y, x), error, iterations)


def _enough(asked: float, before: float, begin: Array, _gained: Array) -> Array:
    """What is left, squared, when to stop: at once where it is asked for, or where the last run gained nothing (rounding)."""
    return np.where((begin <= asked) | (begin > before), np.inf, asked / 16)


@dataclass(frozen=True, eq=False)
class _AtFrequency:
    """A at one frequency with V held, and the real preconditioner of two columns, for conjugate gradients."""

    assembly: Assembly
    y: Mapping[str, complex]
    preconditioner: Preconditioner

    def apply(self, direction: Complex) -> Complex:
        return _apply(self.assembly, self.y, np.append(direction[0], 0.0))[None, :-1]

    def precondition(self, residual: Complex) -> Complex:
        return _complex(self.preconditioner.solve(_columns(residual[0])))[None]

    def only(self, columns: NDArray[np.bool_]) -> _AtFrequency:
        return self


def _apply(assembly: Assembly, y: Mapping[str, complex], x: Complex) -> Complex:
    columns, total = _columns(x), np.zeros_like(x)
    for name, operator in assembly.operators.items():
        if y[name]:
            total += y[name] * _complex(operator @ columns)
    return total


def _current(assembly: Assembly, y: Mapping[str, complex], x: Complex) -> complex:
    return complex(np.sum(x * _apply(assembly, y, x)))


def _columns(x: Complex) -> NDArray[np.float64]:
    return np.ascontiguousarray(np.column_stack([x.real, x.imag]))


def _complex(columns: NDArray[Any]) -> Complex:
    return np.asarray(columns[:, 0] + 1j * columns[:, 1])
