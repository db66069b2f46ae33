"""A phi = -A_V for V = 1 at one real shift: conjugate gradients on the links' stencil, from a guess, until the energy is right.

Arrays are (nz, nx, ny), in single or double precision; sums over voxels are carried from layer to layer in double precision.
The error's energy is r' A^-1 r <= r' P^-1 r/lambda with lambda the least eigenvalue of P^-1 A, which the iteration's own
(Lanczos) coefficients give: below 1 where the mean-field stack P conducts better than what it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from fem_constriction.errors import ComputationError
from network.meanfield import MeanField
from network.voxels import Weights

Real = NDArray[Any]

#: Iterations at most.
MOST = 500


@dataclass(frozen=True)
class Converged:
    """iterations; error: estimated energy norm of the error, relative to that of the solution."""

    iterations: int
    error: float


def improve(
    potential: Real,
    weights: Weights,
    preconditioner: MeanField,
    work: tuple[Real, Real, Real, Real],
    tolerance: float,
    gain: float,
) -> Converged:
    """Bring a guess of the potential at V = 1, in place, to a relative energy error of tolerance, and below gain times its own.

    work: four arrays like potential, overwritten. Raises ComputationError where it is not reached.
    """
    residual, direction, image, step = work
    current = weights.apply(potential, 1.0, residual)
    np.negative(residual, out=residual)
    preconditioner.solve(residual, step)
    direction[...] = step
    energy = begin = dot(residual, step)
    rounding = float(np.finfo(potential.dtype).eps)
    alphas: list[float] = []
    betas: list[float] = []
    while True:
        missing = max(energy, 0.0) / _least(alphas, betas)
        goal = min(tolerance**2 * abs(current), max(gain**2 * begin, rounding**2 * abs(current)))
        if missing <= goal:
            return Converged(len(alphas), float(np.sqrt(missing / abs(current))) if current else 0.0)
        if len(alphas) == MOST:
            break
        entering = weights.apply(direction, 0.0, image)
        curvature = dot(direction, image)
        if not curvature > 0:
            break
        alphas.append(energy / curvature)
        add_scaled(potential, alphas[-1], direction)
        add_scaled(residual, -alphas[-1], image)
        current += alphas[-1] * entering
        preconditioner.solve(residual, step)
        # z' r_old = z' r + alpha z' image: the flexible (Polak-Ribiere) form without the old residual.
        betas.append(max(-alphas[-1] * dot(step, image) / energy, 0.0))
        energy = dot(residual, step)
        for one, other in zip(direction, step, strict=True):
            one *= one.dtype.type(betas[-1])
            one += other
    raise ComputationError(
        f"conjugate gradients on {potential.size:,} voxels stopped after {len(alphas)} iterations with a relative energy error "
        f"of {np.sqrt(missing / abs(current)):.1e}, asked {tolerance:.0e}"
    )


def _least(alphas: list[float], betas: list[float]) -> float:
    """Return the least eigenvalue of P^-1 A seen so far, at most 1."""
    if not alphas:
        return 1.0
    a, b = np.array(alphas), np.array(betas[: len(alphas) - 1])
    diagonal = 1 / a + np.append(0.0, b / a[:-1])
    found = linalg.eigh_tridiagonal(diagonal, np.sqrt(b) / a[:-1], eigvals_only=True, select="i", select_range=(0, 0))
    return float(np.clip(found[0], np.finfo(float).tiny, 1.0))


def dot(a: Real, b: Real) -> float:
    """Return the sum of products, in double precision from layer to layer."""
    return float(sum(float(np.vdot(one, other)) for one, other in zip(a, b, strict=True)))


def add_scaled(target: Real, factor: float, source: Real) -> None:
    """Add factor times source to target, layer by layer."""
    for one, other in zip(target, source, strict=True):
        one += one.dtype.type(factor) * other
