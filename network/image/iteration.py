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

from fem_constriction.arrays import Array
from fem_constriction.reduction.conjugate_gradients import conjugate_gradients, dot
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
    work: tuple[Real, Real, Real],
    tolerance: float,
    gain: float,
    most: int,
    checked: bool = True,
) -> Solved:
    """Bring a guess of the potential at V = 1, in place, to a relative energy error of tolerance, and below gain times its own.

    Parameters
    ----------
    potential : ndarray, (nz, nx, ny)
        The guess in V. What was gained stays in it in any case.
    weights : Weights
        A, as the siemens of every link.
    preconditioner : Preconditioner
        P^-1.
    work : three arrays like potential
        Overwritten.
    tolerance, gain : float
        Of the energy norm of the error, relative to that of the solution and to the guess's.
    most : int
        Iterations at most.
    checked : bool
        Whether the residual is computed again at the end.

    Returns
    -------
    Solved
    """
    residual, image, step = work
    current = weights.apply(potential, 1.0, residual)
    current = weights.energy(potential) if checked else current
    np.negative(residual, out=residual)
    system = _Stencil(weights, preconditioner, image, step)
    rounding = float(np.finfo(potential.dtype).eps)
    iterations, least = 0, np.ones(1)
    for restarts in range(1 + RESTARTS):

        def enough(begin: Array, gained: Array, current: float = current, again: bool = restarts > 0) -> Array:
            now = np.abs(current - gained)
            # A residual that rounding has replaced once gains no more: what is asked of every solution remains.
            wished = np.inf if again else np.maximum(gain**2 * begin, rounding**2 * now)
            return np.minimum(tolerance**2 * now, wished)

        done = conjugate_gradients(
            system, potential[None], residual[None], enough, most - iterations, flexible=True, least=least
        )
        iterations, least = iterations + done.iterations, done.least
        missing = float(done.left[0] / least[0])
        current = abs(current - float(done.gained[0]))
        reached = bool(done.reached[0])
        if not reached or not done.iterations or not checked:
            return Solved(iterations, _relative(missing, current), reached)
        weights.apply(potential, 1.0, image)
        image += residual
        current = weights.energy(potential)
        drifted = dot(image[None], image[None]) > DRIFT**2 * dot(residual[None], residual[None])
        if missing <= tolerance**2 * current and not drifted:
            return Solved(iterations, _relative(missing, current), True)
        residual -= image
    return Solved(iterations, _relative(missing, current), False)


def _relative(missing: float, current: float) -> float:
    return float(np.sqrt(missing / current)) if current else 0.0


@dataclass(frozen=True, eq=False)
class _Stencil:
    """A of all links with V held, for conjugate gradients: columns (1, nz, nx, ny), results in two arrays of its own."""

    weights: Weights
    preconditioner: Preconditioner
    image: Real
    step: Real

    def apply(self, direction: Real) -> Real:
        self.weights.apply(direction[0], 0.0, self.image)
        return self.image[None]

    def precondition(self, residual: Real) -> Real:
        self.preconditioner.solve(residual[0], self.step)
        if self.weights.metal_of is not None:
            self.weights.metal_of.level(self.step)
        return self.step[None]

    def only(self, columns: NDArray[np.bool_]) -> _Stencil:
        return self
