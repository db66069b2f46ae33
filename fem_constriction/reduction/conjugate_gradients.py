"""A x = b for k symmetric systems at once, preconditioned: the conjugate gradients of all solvers here.

Each step lowers x' A x/2 - b' x by alpha r' z/2, z = P^-1 r, until r' z, an estimate of the squared energy norm of the error
that is left, is as small as the caller says. Columns that are done are put aside, and the rest goes on. Of complex symmetric
systems products are bilinear (COCG), and r^H z is what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError

#: Columns of one precision or another, (k, ...).
Columns = NDArray[Any]

#: (r' z at the start, what x' A x - 2 b' x has fallen by since), each (k,) -> the r' z that is small enough, (k,).
Enough = Callable[[Array, Array], Array]


class System(Protocol):
    """The matrices A of k systems, and P^-1, about their inverses; what is returned may be overwritten by the next call."""

    def apply(self, direction: Columns, /) -> Columns:
        """Return A times each column, (k, ...)."""
        ...

    def precondition(self, residual: Columns, /) -> Columns:
        """Return P^-1 times each column, (k, ...)."""
        ...

    def only(self, columns: NDArray[np.bool_], /) -> System:
        """Return some of the systems."""
        ...


@dataclass(frozen=True, eq=False)
class Iterated:
    """What conjugate gradients reached, beside x itself.

    Attributes
    ----------
    begin, left : ndarray, (k,)
        r' z of every column at the start and at its end.
    gained : ndarray, (k,)
        What x' A x - 2 b' x has fallen by.
    iterations : int
        Steps of the column that took most.
    reached : ndarray of bool, (k,)
        Which columns are as good as asked.
    least : ndarray, (k,)
        The least eigenvalue of P^-1 A that was seen, at most 1: the squared error is at most left/least.
    """

    begin: Array
    left: Array
    gained: Array
    iterations: int
    reached: NDArray[np.bool_]
    least: Array


def conjugate_gradients(
    system: System,
    x: Columns,
    residual: Columns,
    enough: Enough,
    most: int,
    *,
    flexible: bool = False,
    least: Array | None = None,
) -> Iterated:
    """Improve k columns x in place until r' z is small enough, or for so many steps at most.

    Parameters
    ----------
    system : System
        The matrices and what preconditions them.
    x : ndarray, (k, ...)
        Guesses, 0 if there is nothing better; overwritten by what is found.
    residual : ndarray, (k, ...)
        b - A x of the guesses; overwritten.
    enough : callable
        See `Enough`.
    most : int
        Steps at most.
    flexible : bool
        Whether directions are kept conjugate by the Polak-Ribiere form, for a P^-1 that is itself iterated.
    least : ndarray, (k,), optional
        Bounds from above on the least eigenvalues of P^-1 A, 1 to begin with. If given, they are lowered to what the
        iteration's own (Lanczos) coefficients show, and what is left is divided by them.

    Returns
    -------
    Iterated
        Raises nothing: `not_reached` words the failure where a caller has nothing else to try.
    """
    columns, lowest = np.arange(len(x)), np.ones(len(x)) if least is None else least.copy()
    own, step = x, system.precondition(residual)
    energy = dot(residual, step)
    begin = _positive(residual, step, energy)
    left, gained, done = begin.copy(), np.zeros(len(x)), np.zeros(len(x), dtype=bool)
    direction, image = np.copy(step), step
    alpha = before = energy
    alphas: list[Array] = []
    betas: list[Array] = []
    iterations = 0
    while True:
        if least is not None and alphas:
            for j in columns:
                lowest[j] = min(lowest[j], _least([a[j] for a in alphas], [b[j] for b in betas]))
        active = (left / lowest)[columns] > enough(begin, gained)[columns]
        if not active.all():
            done[columns[~active]] = True
            if own is not x:
                x[columns] = own
            if not active.any():
                break
            system, columns, own = system.only(active), columns[active], x[columns[active]]
            residual, direction, step, image, energy, alpha, before = (
                each[active] for each in (residual, direction, step, image, energy, alpha, before)
            )
        if iterations == most:
            break
        if iterations:
            # Polak-Ribiere without the residual before: z' r_old = z' r + alpha z' A p.
            above = _conjugate(alpha * dot(step, image)) if flexible else energy
            beta = _ratio(above, before)
            _turn(direction, beta, step)
            if least is not None:
                betas.append(_at(columns, beta, len(x)))
        image = system.apply(direction)
        alpha = _ratio(energy, dot(direction, image))
        if not alpha.any():  # the matrix is not positive to rounding: nothing more is to be gained
            break
        iterations += 1
        add_scaled(own, alpha, direction)
        add_scaled(residual, -alpha, image)
        step = system.precondition(residual)
        before, energy = energy, dot(residual, step)
        gained[columns] += np.abs(alpha * before)
        left[columns] = _positive(residual, step, energy)
        if least is not None:
            alphas.append(_at(columns, alpha, len(x)))
    if own is not x:
        x[columns] = own
    return Iterated(begin, left, gained, iterations, done, lowest)


def not_reached(iterations: int, error: float, asked: float, where: str, on: str = "") -> ComputationError:
    """Return the failure of conjugate gradients, for the caller to raise.

    Parameters
    ----------
    iterations : int
        Steps that were made.
    error, asked : float
        Relative energy error that was reached, and that was asked for.
    where, on : str
        Which system it was, and what it stands on, such as " on the WE face".
    """
    return ComputationError(
        f"conjugate gradients{on} stopped after {iterations} iterations with a relative energy error of {error:.2e}, "
        f"asked {asked:.0e} ({where})"
    )


def dot(a: Columns, b: Columns) -> NDArray[Any]:
    """Return the sum of products of each column, (k,), without conjugation, over the layers of a volume in double precision."""
    if a.ndim == 4:
        return np.array([sum(float(np.vdot(p, q)) for p, q in zip(*pair, strict=True)) for pair in zip(a, b, strict=True)])
    if a.dtype == np.float32:
        return np.array([float(np.vdot(p, q)) for p, q in zip(a, b, strict=True)])
    axes = "kxy"[: a.ndim]
    return np.asarray(np.einsum(f"{axes},{axes}->k", a, b))


def add_scaled(target: Columns, factor: NDArray[Any], source: Columns) -> None:
    """Add factor (k,) times source to target, of a volume layer by layer, so that nothing as large is made."""
    if target.ndim < 4:
        target += _spread(factor, target) * source
        return
    for one, weight, other in zip(target, factor.astype(target.dtype), source, strict=True):
        for layer, given in zip(one, other, strict=True):
            layer += weight * given


def _turn(direction: Columns, beta: NDArray[Any], step: Columns) -> None:
    """direction <- step + beta direction, in place."""
    if direction.ndim < 4:
        direction *= _spread(beta, direction)
        direction += step
        return
    for one, weight, other in zip(direction, beta.astype(direction.dtype), step, strict=True):
        for layer, given in zip(one, other, strict=True):
            layer *= weight
            layer += given


def _spread(factor: NDArray[Any], columns: Columns) -> NDArray[Any]:
    """Numbers (k,) in the precision and with the axes of columns (k, ...)."""
    return factor.astype(columns.dtype).reshape(-1, *(1,) * (columns.ndim - 1))


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> NDArray[Any]:
    """above/below, 0 where that is not positive, or of complex numbers where below is 0."""
    fine = np.abs(below) > 0 if np.iscomplexobj(below) else below > 0
    return np.where(fine, above / np.where(fine, below, 1), 0)


def _conjugate(change: NDArray[Any]) -> NDArray[Any]:
    """-alpha z' A p: of real systems at least 0, which is a new beginning."""
    return -change if np.iscomplexobj(change) else np.maximum(-change, 0.0)


def _positive(residual: Columns, step: Columns, energy: NDArray[Any]) -> Array:
    """r^H P^-1 r, (k,), at least 0; energy: r' P^-1 r."""
    found = dot(residual.conj(), step).real if np.iscomplexobj(residual) else energy
    return np.asarray(np.maximum(found, 0.0))


def _at(columns: NDArray[np.int64], values: Array, count: int) -> Array:
    """Values of some of so many columns, 0 for the others."""
    found = np.zeros(count)
    found[columns] = values
    return found


def _least(alphas: list[float], betas: list[float]) -> float:
    """Return the least eigenvalue of P^-1 A that conjugate gradients with these coefficients have seen."""
    a, b = np.array(alphas), np.array(betas)
    diagonal = 1 / a + np.append(0.0, b / a[:-1])
    found = linalg.eigh_tridiagonal(diagonal, np.sqrt(b) / a[:-1], eigvals_only=True, select="i", select_range=(0, 0))
    return float(np.maximum(found[0], np.finfo(float).tiny))
