"""y x' K x = min over u of y_1 |F x - u|^2 + y_2 |u|^2: a place with several elements in series, with its inner nodes again.

K = F' F is the projected matrix of one place, 1/y = 1/y_1 + 1/y_2 + ... Where every element is linear in s, the unfolded system
is G + s C, and has the relaxation times that the folded one has. A constant-phase element is unfolded as the RC branches that
stand for it in a band (`processes.rational`), each with an inner node of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, sparse

from fem_constriction.arrays import Array
from fem_constriction.processes.elements import Admittance, Element
from fem_constriction.processes.rational import standing

#: Eigenvalue of a projected matrix below which a direction is rounding, relative to the largest.
_RANK = 1e-14


@dataclass(frozen=True, eq=False)
class Term:
    """y x' R' K R x: an element that is linear in s, and what is across it as a function of all unknowns.

    rows: R, (k, unknowns), sparse; inner: K, (k, k), None for 1.
    """

    process: str
    element: Element
    rows: sparse.csr_array
    inner: Array | None = None

    @property
    def matrix(self) -> sparse.csr_array:
        """R' K R, (unknowns, unknowns)."""
        return sparse.csr_array(self.rows.T @ (self.rows if self.inner is None else sparse.csr_array(self.inner) @ self.rows))

    def squares(self, vectors: Array) -> Array:
        """Return v' R' K R v of each column, (n,)."""
        across = self.rows @ vectors
        return np.asarray(np.sum(across * (across if self.inner is None else self.inner @ across), 0))


def unfolded(
    matrices: Mapping[str, Array], processes: Mapping[str, Admittance], port: Array, band: tuple[float, float]
) -> tuple[list[Term], Array]:
    """Return a term for every element, and the port, on the unknowns and the inner nodes of all places.

    matrices: place -> (r, r); band: 1/s, of what stands for constant-phase elements.
    """
    pieces, size = [], len(port)
    for name, y in processes.items():
        branches = [standing(each.exponent, band) if each.cpe else None for each in y.elements]
        inner = sum(len(each.conductance) for each in branches if each is not None) + len(y.elements) - 1
        factor = _factor(matrices[name]) if inner else np.eye(len(port))
        pieces.append((name, y, branches, factor, size, matrices[name] if not inner else None))
        size += inner * len(factor)
    terms = []
    for name, y, branches, factor, start, alone in pieces:
        nodes = _Nodes(factor, start, size)
        drop = nodes.ends()
        for number, (element, branch) in enumerate(zip(y.elements, branches, strict=True)):
            across = drop
            if number < len(y.elements) - 1:
                drop = nodes.inner()
                across = across - drop
            process = element.process or name
            if branch is None:
                terms.append(Term(process, element, across, alone))
                continue
            beside = element.capacitance + element.cpe * branch.beside
            terms.append(Term(process, Element(element.conductance, beside), across))
            for g, c in zip(branch.conductance, branch.capacitance, strict=True):
                node = nodes.inner()  # what is across the capacitor
                terms.append(Term(process, Element(element.cpe * g), sparse.csr_array(across - node)))
                terms.append(Term(process, Element(0.0, element.cpe * c), node))
    return terms, np.append(port, np.zeros(size - len(port)))


class _Nodes:
    """Rows that read what is across a place, or at one of its inner nodes, from all unknowns: (rank, unknowns)."""

    def __init__(self, factor: Array, start: int, size: int) -> None:
        self.factor, self.next, self.size = factor, start, size

    def ends(self) -> sparse.csr_array:
        """What is across the place."""
        rank, unknowns = self.factor.shape
        return sparse.csr_array(sparse.hstack([self.factor, sparse.csr_array((rank, self.size - unknowns))]))

    def inner(self) -> sparse.csr_array:
        """The next inner node."""
        rank, start = len(self.factor), self.next
        self.next += rank
        return sparse.csr_array((np.ones(rank), (np.arange(rank), np.arange(start, start + rank))), shape=(rank, self.size))


def _factor(matrix: Array) -> Array:
    """F of K = F' F, (rank, r)."""
    values, vectors = linalg.eigh(matrix)
    kept = values > _RANK * max(values[-1], 0.0)
    return np.asarray(np.sqrt(values[kept])[:, None] * vectors[:, kept].T)


def by_process(
    processes: Mapping[str, Admittance], shares: Mapping[str, NDArray[Any]], s: ArrayLike
) -> dict[str, NDArray[Any]]:
    """Return the shares of places, {place: (n,)}, as those of the processes that are in series in them."""
    found: dict[str, NDArray[Any]] = {}
    for name, share in shares.items():
        for process, part in processes[name].shares(np.atleast_1d(np.asarray(s)), name).items():
            found[process] = found.get(process, np.zeros_like(share)) + part * share
    return found
