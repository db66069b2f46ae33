"""A growing orthonormal basis: X' X = 1 whatever comes in, and what came in is X times its coordinates."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from fem_constriction.reduction.growing import Growing, Rows, bordered
from network.distributed import _Ranks
from network.image.shifts import _Volumes

SIZE = 60


def solutions() -> np.ndarray:
    """Columns that are nearly dependent, as solutions at neighbouring shifts are: condition 1e15, one of them twice."""
    rates = np.geomspace(1e-2, 1e2, 15)
    columns = 1 / (np.linspace(0.1, 10, SIZE)[:, None] + rates)
    columns = np.hstack([columns, columns[:, :1]])
    return columns / np.linalg.norm(columns, axis=0)


def in_memory(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    growing = Growing(Rows())
    for start in range(0, columns.shape[1], 5):
        block = columns[:, start : start + 5].copy()
        growing.take(block, block.shape[1])
    return np.hstack(growing.blocks), growing.coordinates


def as_volumes(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    growing = Growing(_Volumes(np.float64))
    for column in columns.T:
        growing.take((column[:-1].reshape(1, 1, -1).copy(), float(column[-1])), 1)
    return np.stack([np.append(each.ravel(), v) for each, v in growing.blocks], axis=1), growing.coordinates


class Communicator:
    """Three threads that stand for the ranks of MPI."""

    size = 3

    def __init__(self, rank: int, barrier: Barrier, board: list[Any]) -> None:
        self.rank, self.barrier, self.board = rank, barrier, board

    def allgather(self, value: Any) -> list[Any]:
        self.board[self.rank] = value
        self.barrier.wait(60)
        found = list(self.board)
        self.barrier.wait(60)
        return found

    def allreduce(self, value: Any) -> Any:
        return sum(self.allgather(value))


def over_ranks(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    barrier, board = Barrier(3), [None] * 3
    rows = np.split(np.arange(SIZE), [25, 42])

    def one(rank: int) -> tuple[np.ndarray, np.ndarray]:
        growing = Growing(_Ranks(Communicator(rank, barrier, board)))
        for start in range(0, columns.shape[1], 5):
            block = columns[rows[rank], start : start + 5].copy()
            growing.take(block, block.shape[1])
        return np.hstack(growing.blocks), growing.coordinates

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(one, range(3)))
    assert all(np.array_equal(coordinates, found[0][1]) for _, coordinates in found)
    return np.vstack([basis for basis, _ in found]), found[0][1]


@pytest.mark.parametrize("held", [in_memory, as_volumes, over_ranks])
def test_the_basis_is_orthonormal_and_holds_all_that_came_in(held: Any) -> None:
    """To rounding, 1e-14, where one pass of Gram-Schmidt or Gram matrices lose four digits and more."""
    columns = solutions()
    basis, coordinates = held(columns)
    assert np.abs(basis.T @ basis - np.eye(basis.shape[1])).max() < 1e-14
    assert np.abs(basis @ coordinates - columns).max() < 3e-14
    assert coordinates.shape == (basis.shape[1], columns.shape[1])


@pytest.mark.parametrize("held", [in_memory, over_ranks])
def test_what_is_there_already_adds_no_column(held: Any) -> None:
    columns = solutions()[:, [0, 0, 0, 0, 0, 3, 3, 0, 3, 0]]
    basis, coordinates = held(columns)
    assert basis.shape[1] == 2
    assert np.abs(basis @ coordinates - columns).max() < 1e-14


@pytest.mark.parametrize("size", [2, 3, 7])
@pytest.mark.parametrize("held", [in_memory, as_volumes])
def test_a_span_that_is_complete_takes_in_nothing_more(held: Any, size: int) -> None:
    """Of as many unknowns as columns, every further solution leaves rounding, however often it is normalised."""
    columns = np.random.default_rng(size).standard_normal((size, size + 6))
    columns /= np.linalg.norm(columns, axis=0)
    basis, coordinates = held(columns)
    assert basis.shape == (size, size)
    assert basis @ coordinates == pytest.approx(columns, abs=1e-14)


def test_a_bordered_matrix_is_what_all_columns_give_at_once() -> None:
    rng = np.random.default_rng(0)
    matrix, columns = (lambda a: a + a.T)(rng.standard_normal((9, 9))), rng.standard_normal((9, 7))
    first = bordered(np.zeros((0, 0)), columns[:, :4].T @ matrix @ columns[:, :4])
    whole = bordered(first, columns.T @ matrix @ columns[:, 4:])
    assert whole == pytest.approx(columns.T @ matrix @ columns, abs=1e-13)
    assert np.array_equal(whole, whole.T)
    assert np.array_equal(bordered(np.stack([first, 2 * first]), np.stack([columns.T @ matrix @ columns[:, 4:]] * 2))[0], whole)
