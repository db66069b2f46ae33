"""The one loop of all solvers: it finds A^-1 b, column by column, and says how far from it it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from fem_constriction.errors import ComputationError
from fem_constriction.reduction.conjugate_gradients import Iterated, conjugate_gradients, dot, not_reached

TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Dense:
    """k dense systems on arrays (k, ...), preconditioned by their diagonals; worked: how many columns each step took."""

    matrices: np.ndarray
    scale: float = 1.0
    worked: list[int] = field(default_factory=list)

    def apply(self, direction: np.ndarray) -> np.ndarray:
        self.worked.append(len(direction))
        return np.einsum("kij,kj->ki", self.matrices, direction.reshape(len(direction), -1)).reshape(direction.shape)

    def precondition(self, residual: np.ndarray) -> np.ndarray:
        diagonal = np.einsum("kii->ki", self.matrices).reshape(residual.shape)
        return residual / (self.scale * diagonal)

    def only(self, columns: np.ndarray) -> Dense:
        return replace(self, matrices=self.matrices[columns])


def spread(decades: list[float], size: int = 24) -> np.ndarray:
    """Matrices whose eigenvalues span so many decades: the more, the more steps they take."""
    rng = np.random.default_rng(0)
    turned = [np.linalg.qr(rng.standard_normal((size, size)))[0] for _ in decades]
    return np.stack([q @ np.diag(np.geomspace(1, 10**d, size)) @ q.T for q, d in zip(turned, decades, strict=True)])


def solve(system: Dense, right: np.ndarray, x: np.ndarray, most: int = 500, **options: Any) -> Iterated:
    """To a squared error of TOLERANCE^2 times that of x = 0."""
    begin = dot(right, system.precondition(right)).real

    def enough(_begin: np.ndarray, _gained: np.ndarray) -> np.ndarray:
        return TOLERANCE**2 * begin

    return conjugate_gradients(system, x, right - system.apply(x), enough, most, **options)


@pytest.mark.parametrize("shape", [(24,), (4, 6), (2, 3, 4)])
@pytest.mark.parametrize("flexible", [False, True])
def test_every_column_is_its_matrix_inverse_times_its_right_side(shape: tuple[int, ...], flexible: bool) -> None:
    matrices = spread([0.5, 2.0, 1.0])
    right = np.random.default_rng(1).standard_normal((3, *shape))
    x = np.zeros_like(right)
    done = solve(Dense(matrices), right, x, flexible=flexible)
    exact = np.linalg.solve(matrices, right.reshape(3, -1, 1)).reshape(right.shape)
    assert done.reached.all()
    assert x == pytest.approx(exact, abs=1e-9)


def test_columns_that_are_done_are_put_aside_and_stay_as_they_are() -> None:
    matrices, right = spread([0.1, 2.0]), np.ones((2, 24))
    together, alone = np.zeros_like(right), np.zeros((1, 24))
    system = Dense(matrices)
    both, first = solve(system, right, together), solve(Dense(matrices[:1]), right[:1], alone)
    assert first.iterations < both.iterations
    assert system.worked[1:] == [2] * first.iterations + [1] * (both.iterations - first.iterations)
    assert together[0] == pytest.approx(alone[0], rel=1e-13)
    assert both.left[0] == pytest.approx(first.left[0], rel=1e-6)


def test_a_guess_that_is_right_takes_no_step() -> None:
    matrices, right = spread([1.0]), np.ones((1, 24))
    x = np.linalg.solve(matrices, right[:, :, None])[:, :, 0]
    assert solve(Dense(matrices), right, x).iterations == 0


def test_what_is_gained_is_the_energy_of_the_solution() -> None:
    """From x = 0 the functional x' A x - 2 b' x falls by b' A^-1 b."""
    matrices, right = spread([1.0, 2.0]), np.ones((2, 24))
    done = solve(Dense(matrices), right, np.zeros_like(right))
    assert done.gained == pytest.approx(np.einsum("ki,kij,kj->k", right, np.linalg.inv(matrices), right), rel=1e-12)


def test_a_preconditioner_that_is_too_large_by_a_factor_is_found_out() -> None:
    """P = 100 diag(A) makes r' P^-1 r a hundredth of the squared error; the least eigenvalue of P^-1 A says so."""
    matrices, right = spread([1.0]), np.ones((1, 24))
    x = np.zeros_like(right)
    done = solve(Dense(matrices, scale=100.0), right, x, most=8, least=np.ones(1))
    error = np.linalg.solve(matrices, right[:, :, None])[:, :, 0] - x
    squared = float(np.einsum("ki,kij,kj->", error, matrices, error))
    eigenvalues = np.linalg.eigvals(matrices[0] / (100 * np.diagonal(matrices[0])[:, None])).real
    assert done.left[0] < 0.05 * squared
    assert eigenvalues.min() <= done.least[0] <= 1.2 * eigenvalues.min()
    assert squared <= 1.2 * done.left[0] / done.least[0]


def test_complex_symmetric_systems_are_solved_in_the_bilinear_product() -> None:
    matrices = spread([0.5]) + 1j * spread([1.0])
    right = np.ones((1, 24), dtype=complex)
    x = np.zeros_like(right)
    assert solve(Dense(matrices), right, x, flexible=True).reached.all()
    assert x[0] == pytest.approx(np.linalg.solve(matrices[0], right[0]), abs=1e-9)


def test_sums_over_a_volume_in_single_precision_are_carried_on_in_double() -> None:
    """n numbers in a layer are added with at most n roundings, however many layers there are; one after the other in single
    precision 4e6 of them are not."""
    volume = np.full((1, 40_000, 10, 10), 0.1, dtype=np.float32)
    exact = 4e6 * float(np.float32(0.1))
    rounding = 100 * float(np.finfo(np.float32).eps)
    assert dot(volume, np.ones_like(volume))[0] == pytest.approx(exact, rel=rounding)
    assert float(np.cumsum(volume.ravel())[-1]) != pytest.approx(exact, rel=rounding)


def test_steps_that_do_not_suffice_are_said() -> None:
    matrices, right = spread([3.0, 0.01]), np.ones((2, 24))
    x = np.zeros_like(right)
    done = solve(Dense(matrices), right, x, most=8)
    assert (done.iterations, done.reached.tolist()) == (8, [False, True])
    assert x[1] == pytest.approx(np.linalg.solve(matrices[1], right[1]), abs=1e-8)
    with pytest.raises(ComputationError, match=r"on the face stopped after 8 .* error of 1.00e-03, asked 1e-10 \(a cell\)"):
        raise not_reached(done.iterations, 1e-3, TOLERANCE, "a cell", " on the face")
