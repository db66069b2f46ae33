"""M f(M^-1 K) u for sparse matrices of a plane, without its modes: one sparse factorisation per pole of f (`rational`).

f = c_0 + sum of c_j lambda/(lambda + p_j) gives M f(M^-1 K) = c_0 M + K sum of c_j (K + p_j M)^-1 M. All functions, those of
every frequency, share the poles and so the solutions. Work and memory grow like those of sparse factorisations in the plane,
nearly in proportion to its nodes; the modes of a plane without product structure take their cube and their square.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh

from fem_constriction.arrays import Array
from fem_constriction.reduction.factors import Solver, factorised
from fem_constriction.stack.rational import Rational

#: Relative error of functions of the pencil at real s, where they give what solutions span; that of their quadratic forms,
#: which give Z, is its square.
POLES = 1e-8

#: Solvers at work at once: they run outside the interpreter's lock.
THREADS = os.cpu_count() or 1

#: How far beyond the estimated ends of the spectrum functions are interpolated.
MARGIN = 0.1


class Pencil:
    """Functions of K v = lambda M v on n nodes of a plane; arrays and functions as of `Lateral`: (k, n, 1) and (k, points, 1).

    stiffness: K, anything with @ and a shape, positive semidefinite, 0 for constants alone; mass: M, positive definite;
    factorise: S -> a solver of K + S, for sparse positive semidefinite S and free nodes. For one thread at a time.
    """

    #: `values` are no eigenvalues. Relative energy error to which the plane's problem is solved: its square is that of Z at the
    #: shifts, and what it does between them was measured on random cells: 1e-10 in Z (1e-8 leaves 1e-8).
    modal, tolerance = False, 1e-9

    def __init__(
        self, stiffness: Any, mass: sparse.csr_array, factorise: Callable[[sparse.csr_array, NDArray[np.bool_]], Solver]
    ) -> None:
        self.stiffness, self.mass, self.factorise = stiffness, mass, factorise
        self.augmented: dict[Any, tuple[Rational, list[Solver]]] = {}
        low, high = self._ends()
        ends = low * (1 - MARGIN), high * (1 + MARGIN)
        self.rational, self.squared = (Rational(*ends, POLES, order) for order in (1, 2))

    @classmethod
    def of_matrices(cls, stiffness: sparse.csr_array, mass: sparse.csr_array) -> Pencil:
        """Return the pencil of two sparse matrices."""

        def factorise(added: sparse.csr_array, free: NDArray[np.bool_]) -> Solver:
            return factorised(sparse.csc_array(stiffness + added)[free][:, free])

        return cls(stiffness, mass, factorise)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of nodes, and 1: the shape of the plane's values."""
        return self.mass.shape[0], 1

    @cached_property
    def values(self) -> Array:
        """Values of lambda at which functions are to be given, (points, 1): no eigenvalues."""
        return self.rational.points[:, None]

    @cached_property
    def diagonal(self) -> Array:
        """The diagonal of M, (n, 1)."""
        return np.asarray(self.mass.diagonal()[:, None])

    def conduct(self, phi: Array, f: Array) -> Array:
        """Return M f(M^-1 K) phi."""
        c = self.rational.coefficients(f[:, :, 0])
        columns = phi[:, :, 0].T
        found = np.zeros_like(columns)
        for solved, weight in zip(self.solutions(columns), c.T[1:], strict=True):
            found += solved * weight
        return np.asarray((self.mass @ columns * c[:, 0] + self.stiffness @ found).T[:, :, None])

    def solutions(self, phi: Array) -> Iterator[Array]:
        """Yield (K + p_j M)^-1 M (phi - its mean) for every pole, columns (n, k).

        K is 0 for the mean, but for rounding, which would be as large as all else where nearly everything is uniform.
        """
        right = self.mass @ phi
        weights = np.asarray(self.mass.sum(0)).ravel()
        yield from each_solved(self.factors, right - np.outer(weights, right.sum(0) / weights.sum()))

    @cached_property
    def factors(self) -> list[Solver]:
        """(K + p_j M)^-1."""
        return self.factorised([pole * self.mass for pole in self.rational.poles], np.ones(self.shape[0], dtype=bool))

    def factorised(self, added: Sequence[sparse.csr_array], free: NDArray[np.bool_]) -> list[Solver]:
        """Return solvers of K + S for each S, factorised in the calling thread: SuperLU returns memory to no other."""
        return [self.factorise(each, free) for each in added]

    def _ends(self) -> tuple[float, float]:
        """Estimates of the smallest eigenvalue but 0, and of the largest one."""
        size, area = self.mass.shape[0], float(self.mass.sum())
        start = np.random.default_rng(0).standard_normal(size)
        shift, direct = self.factorise(self.mass / area, np.ones(size, dtype=bool)), factorised(self.mass)
        stiffness = LinearOperator((size, size), matvec=lambda v: self.stiffness @ v, dtype=float)
        near = LinearOperator((size, size), matvec=shift.solve, dtype=float)
        inverse = LinearOperator((size, size), matvec=direct.solve, dtype=float)
        few = {"M": self.mass, "v0": start, "return_eigenvectors": False}
        low = eigsh(stiffness, 2, sigma=-1 / area, OPinv=near, tol=1e-3, **few)
        high = eigsh(stiffness, 1, Minv=inverse, tol=1e-2, **few)
        return float(low.max()), float(high[0])


def each_solved(solvers: Sequence[Solver], right: Array) -> Iterator[Array]:
    """Yield the solutions of every solver, in their order, computed on all processors."""
    columns = np.asfortranarray(right)
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(solvers), THREADS):
            yield from pool.map(lambda solver: solver.solve(columns), solvers[start : start + THREADS])
