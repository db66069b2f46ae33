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
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from fem_constriction.arrays import Complex
from fem_constriction.errors import ComputationError
from fem_constriction.reduction.assembly import Assembly

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
    """Return the potential at V = 1 for admittances y_p at one frequency (SI), and the current.

    tolerance: of the error in the norm x^H A(|y|) x, relative to that of the solution, estimated as sqrt(r^H P r / |I|); the
    current's is its square. Raises ComputationError where not even 1e-9 is reached.
    """
    x = np.zeros(assembly.unknowns, dtype=np.complex128)
    x[-1] = 1.0
    if assembly.precondition is None:
        matrix = assembly.matrix(y)
        inner = splu(matrix[:-1, :-1].tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        x[:-1] = inner.solve(-matrix[:-1, [-1]].toarray().ravel())
        return Harmonic(x, _current(assembly, y, x), float(np.finfo(float).eps), 1)
    preconditioner = assembly.precondition({name: np.full(2, abs(value)) for name, value in y.items()})

    def improve(residual: Complex) -> Complex:
        return _complex(preconditioner.solve(_columns(residual)))

    iterations, error = 0, np.inf
    for _ in range(1 + RESTARTS):
        residual = -_apply(assembly, y, x)[:-1]
        step = improve(residual)
        scale = abs(_current(assembly, y, x))
        before, error = error, _size(residual, step, scale)
        if error <= tolerance or error > before / 2:  # reached, or rounding is what is left
            break
        direction = np.append(step, 0.0)
        energy = np.sum(residual * step)
        while iterations < most_iterations and _size(residual, step, scale) > tolerance / 4:
            iterations += 1
            image = _apply(assembly, y, direction)
            alpha = energy / np.sum(direction * image)
            x += alpha * direction
            change = alpha * image[:-1]
            residual = residual - change
            step = improve(residual)
            # The preconditioner iterates itself, so the flexible (Polak-Ribiere) form.
            beta = -np.sum(change * step) / energy
            energy = np.sum(residual * step)
            direction = np.append(step + beta * direction[:-1], 0.0)
    if not error <= max(tolerance, ACCEPTED):
        raise ComputationError(
            f"conjugate gradients stopped after {iterations} iterations with a relative energy error of "
            f"{error:.2e}, asked {tolerance:.0e} ({dict(assembly.description)})"
        )
    return Harmonic(x, _current(assembly, y, x), error, iterations)


def _apply(assembly: Assembly, y: Mapping[str, complex], x: Complex) -> Complex:
    columns, total = _columns(x), np.zeros_like(x)
    for name, operator in assembly.operators.items():
        if y[name]:
            total += y[name] * _complex(operator @ columns)
    return total


def _current(assembly: Assembly, y: Mapping[str, complex], x: Complex) -> complex:
    return complex(np.sum(x * _apply(assembly, y, x)))


def _size(residual: Complex, step: Complex, scale: float) -> float:
    return float(np.sqrt(max(np.sum(residual.conj() * step).real, 0.0) / scale))


def _columns(x: Complex) -> NDArray[np.float64]:
    return np.ascontiguousarray(np.column_stack([x.real, x.imag]))


def _complex(columns: NDArray[Any]) -> Complex:
    return np.asarray(columns[:, 0] + 1j * columns[:, 1])
