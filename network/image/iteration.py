"""A phi = -A_V for V = 1 at one real shift: conjugate gradients on the links' stencil, from a guess, until the energy is right.

Arrays are (nz, nx, ny), in single or double precision; sums over voxels are carried from layer to layer in double precision.
The error's energy is r' A^-1 r <= r' P^-1 r/lambda with lambda the least eigenvalue of P^-1 A, which the iteration's own
(Lanczos) coefficients give: below 1 where the preconditioner P conducts better than what it stands for. It is believed only
of a residual that was computed from the potential itself, not of the one that the iteration carries along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from network.image.voxels import Weights

Real = NDArray[Any]

#: The carried residual counts for the true one where they differ by at most this part of it; else the iteration begins again
#: with the true one, so often at most.
DRIFT, RESTARTS = 0.5, 3


class Preconditioner(Protocol):
    """P^-1 at one real shift; name: what it is called where a result says how it was made."""

    name: str

    def solve(self, residual: Real, out: Real) -> Real:
        """Write P^-1 residual into out and return it."""
        ...


@dataclass(frozen=True)
class Solved:
    """iterations; error: estimated energy norm of the error, relative to that of the solution; reached: whether as asked."""

    iterations: int
    error: float
    reached: bool


def improve(
    potential: Real,
    weights: Weights,
    preconditioner: Preconditioner,
    work: tuple[Real, Real, Real, Real],
    tolerance: float,
    gain: float,
    most: int,
    checked: bool = True,
) -> Solved:
    """Bring a guess of the potential at V = 1, in place, to a relative energy error of tolerance, and below gain times its own.

    work: four arrays like potential, overwritten; most: iterations; checked: whether the residual is computed again at the end.
    What was gained stays in the potential in any case.
    """
    residual, direction, image, step = work
    current = weights.apply(potential, 1.0, residual)
    current = weights.energy(potential) if checked else current
    np.negative(residual, out=residual)
    preconditioner.solve(residual, step)
    direction[...] = step
    energy = before = begin = dot(residual, step)
    rounding = float(np.finfo(potential.dtype).eps)
    alphas: list[float] = []
    betas: list[float] = []
    iterations = restarts = 0
    least = 1.0
    while True:
        least = min(least, _least(alphas, betas))
        missing = max(energy, 0.0) / least
        error = float(np.sqrt(missing / abs(current))) if current else 0.0
        # A residual that rounding has replaced once gains no more: what is asked of every solution remains.
        wished = np.inf if restarts else max(gain**2 * begin, rounding**2 * abs(current))
        goal = min(tolerance**2 * abs(current), wished)
        if missing <= goal:
            if not (alphas and checked):
                return Solved(iterations, error, True)
            weights.apply(potential, 1.0, image)
            image += residual
            current = weights.energy(potential)
            as_asked = missing <= tolerance**2 * current
            if as_asked and dot(image, image) <= DRIFT**2 * dot(residual, residual):
                return Solved(iterations, float(np.sqrt(missing / current)), True)
            if restarts == RESTARTS:
                error = float(np.sqrt(missing / current))
                break
            restarts += 1
            residual -= image
            preconditioner.solve(residual, step)
            direction[...] = step
            energy = dot(residual, step)
            alphas, betas = [], []
            continue
        if iterations == most:
            break
        if alphas:
            # z' r_old = z' r + alpha z' image: the flexible (Polak-Ribiere) form without the old residual.
            betas.append(max(-alphas[-1] * dot(step, image) / before, 0.0))
            for one, other in zip(direction, step, strict=True):
                one *= one.dtype.type(betas[-1])
                one += other
        entering = weights.apply(direction, 0.0, image)
        curvature = dot(direction, image)
        if not curvature > 0:
            break
        iterations += 1
        alphas.append(energy / curvature)
        add_scaled(potential, alphas[-1], direction)
        add_scaled(residual, -alphas[-1], image)
        current += alphas[-1] * entering
        preconditioner.solve(residual, step)
        before, energy = energy, dot(residual, step)
    return Solved(iterations, error, False)


def _least(alphas: list[float], betas: list[float]) -> float:
    """Return the least eigenvalue of P^-1 A seen so far, at most 1."""
    if not alphas:
        return 1.0
    a, b = np.array(alphas), np.array(betas)
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
