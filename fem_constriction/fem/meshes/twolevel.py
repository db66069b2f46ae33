"""x += I A_1^-1 I' (r - A x) between two smoothings: systems of degree 2 through those of degree 1, as a preconditioner.

A_1 = I' A I is the same problem with elements of degree 1 on the same cells, an eighth of the unknowns, factorised. What it
does not see is smoothed by Chebyshev's iteration for D^-1 A; D holds the diagonal blocks of A of nodes in one place: the sides
of a boundary, which a large admittance ties together. The condition of what is left does not depend on the size of the cells.
For degree 1 the preconditioner is A itself, factorised.

One factorisation serves several shifts: with r_p = y_p(s)/y_p(s_0), that of A(s_0)^-1 A(s) is at most max r_p/min r_p.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.reduction.assembly import Operator
from fem_constriction.reduction.factors import factorised

#: Steps of the smoother, and the part of the spectrum it is made for: between the largest eigenvalue over this and itself.
SMOOTHING, SPREAD = 2, 8.0

#: Largest max r_p/min r_p for which the factorisation of another shift is used.
REACH = 12.0


@dataclass(frozen=True, eq=False)
class Shifted:
    """Preconditioners of k real shifts (`assembly.Preconditioner`): which of them serves which column."""

    each: list[TwoLevel]
    serves: list[Any]

    @classmethod
    def of(cls, operators: Mapping[str, Operator], prolong: sparse.csr_array, places: Array, y: Mapping[str, Array]) -> Shifted:
        """Prepare k real shifts, y[p] of shape (k,)."""
        names = list(operators)
        values = np.stack([y[name] for name in names])
        left = list(range(values.shape[1]))
        each, serves = [], []
        while left:
            # The anchor is the farthest of those within reach of the first one left.
            reach = [j for j in left if _ratio(values[:, left[0]], values[:, j]) <= REACH]
            anchor = max(reach, key=lambda j: _ratio(values[:, left[0]], values[:, j]))
            own = [j for j in left if _ratio(values[:, anchor], values[:, j]) <= REACH]
            matrix: Any = sum(values[i, anchor] * operators[name].tocsr() for i, name in enumerate(names) if values[i, anchor])
            each.append(TwoLevel(sparse.csr_array(matrix)[:-1, :-1], prolong, places))
            serves.append(np.array(own))
            left = [j for j in left if j not in own]
        return cls(each, serves)

    def solve(self, columns: Array) -> Array:
        """Return approximately A(s_k)^-1 r_k for each column k."""
        found = np.empty_like(columns)
        for one, own in zip(self.each, self.serves, strict=True):
            found[:, own] = one.solve(np.ascontiguousarray(columns[:, own]))
        return found


class TwoLevel:
    """P of one symmetric positive definite matrix (unknowns, unknowns).

    prolong: values at vertices that are unknowns -> at unknowns; places: where the unknowns are, (3, unknowns).
    """

    def __init__(self, matrix: sparse.csr_array, prolong: sparse.csr_array, places: Array) -> None:
        exact = prolong.shape[0] == prolong.shape[1]
        self.prolong = prolong
        coarse = matrix if exact else prolong.T @ matrix @ prolong
        self.factors = factorised(coarse)
        self.matrix, self.blocks = matrix, None if exact else _inverse_blocks(matrix, places)
        self.largest = 0.0 if self.blocks is None else _largest(matrix, self.blocks)

    def solve(self, columns: Array) -> Array:
        """Return P^-1 applied to columns."""
        if self.blocks is None:
            return np.asarray(self.factors.solve(columns))
        x = self._smooth(np.zeros_like(columns), columns)
        x += self.prolong @ self.factors.solve(self.prolong.T @ (columns - self.matrix @ x))
        return self._smooth(x, columns)

    def _smooth(self, x: Array, right: Array) -> Array:
        """Chebyshev's iteration for D^-1 A x = D^-1 b on the upper part of its spectrum, where degree 1 sees nothing."""
        low, high = self.largest / SPREAD, self.largest
        middle, half = (high + low) / 2, (high - low) / 2
        rho = half / middle
        step = self.blocks @ (right - self.matrix @ x) / middle
        x = x + step
        for _ in range(SMOOTHING - 1):
            following = 1 / (2 * middle / half - rho)
            residual = self.blocks @ (right - self.matrix @ x)
            step = following * rho * step + 2 * following / half * residual
            x, rho = x + step, following
        return x


def _largest(matrix: sparse.csr_array, blocks: sparse.csr_array) -> float:
    """The largest eigenvalue of D^-1 A, a little too large: the power method from a fixed start."""
    x = np.random.default_rng(0).standard_normal(matrix.shape[0])
    for _ in range(15):
        x = blocks @ (matrix @ (x / np.linalg.norm(x)))
    return 1.15 * float(np.linalg.norm(x))


def _ratio(one: Array, other: Array) -> float:
    """max r_p/min r_p of two sets of admittances; infinite where one vanishes in one of them alone."""
    both = (one > 0) | (other > 0)
    with np.errstate(divide="ignore"):
        r = other[both] / one[both]
    return float(r.max() / r.min()) if r.min() > 0 and np.isfinite(r.max()) else np.inf


def _inverse_blocks(matrix: sparse.csr_array, places: Array) -> sparse.csr_array:
    """The inverse of the blocks of a matrix that belong to unknowns in one place."""
    _, group = np.unique(np.round(places * 1e9).astype(np.int64), axis=1, return_inverse=True)
    group = group.ravel()
    entries = sparse.coo_array(matrix)
    within = group[entries.row] == group[entries.col]
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    local = np.empty(group.size, dtype=np.int64)
    local[order] = np.arange(group.size) - np.repeat(start, sizes)
    rows, columns, values = [], [], []
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        place = np.full(sizes.size, -1)
        place[chosen] = np.arange(chosen.size)
        here = within & (sizes[group[entries.row]] == size)
        dense = np.zeros((chosen.size, size, size))
        np.add.at(
            dense,
            (place[group[entries.row[here]]], local[entries.row[here]], local[entries.col[here]]),
            entries.data[here],
        )
        unknowns = order[start[chosen][:, None] + np.arange(size)]
        rows.append(np.repeat(unknowns, size, axis=1).ravel())
        columns.append(np.tile(unknowns, (1, size)).ravel())
        values.append(np.linalg.inv(dense).ravel())
    entry = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_array(entry, shape=matrix.shape)
