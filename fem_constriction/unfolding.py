"""y x' K x = min over u of c_1 y_1 |F x - u|^2 + c_2 y_2 |u|^2: a link through several elements, with its inner nodes again.

K = F' F is the projected matrix of one kind of link, 1/y = 1/(c_1 y_1) + 1/(c_2 y_2) + ... Every element is linear in s, so the
unfolded system is G + s C, and has the relaxation times that the folded one has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from fem_constriction.admittance import Admittance
from fem_constriction.assembly import Array
from fem_constriction.link_kinds import Series

#: Eigenvalue of a projected matrix below which a direction is rounding, relative to the largest.
_RANK = 1e-14


def unfolded(
    matrices: Mapping[str, Array], processes: Mapping[str, Admittance], port: Array
) -> tuple[list[tuple[str, Admittance, Array]], Array]:
    """Return (process, admittance, matrix) of every element, and the port, on the unknowns and the inner nodes of all links.

    matrices: kind -> (r, r). What is linear in s already is its own only element.
    """
    size = len(port)
    pieces: list[tuple[tuple[tuple[str, float, Admittance], ...], Array, Array, int]] = []
    for name, y in processes.items():
        elements = y.elements if isinstance(y, Series) else ((name, 1.0, y),)
        if len(elements) == 1:
            pieces.append((elements, np.eye(len(port)), matrices[name], 0))
            continue
        values, vectors = linalg.eigh(matrices[name])
        kept = values > _RANK * max(values[-1], 0.0)
        factor = np.sqrt(values[kept])[:, None] * vectors[:, kept].T
        pieces.append((elements, factor, np.eye(len(factor)), size))
        size += (len(elements) - 1) * len(factor)
    terms = []
    for elements, factor, inner, start in pieces:
        rank = len(factor)
        for number, (process, c, y) in enumerate(elements):
            drop = np.zeros((rank, size))
            if number == 0:
                drop[:, : len(port)] = factor
            else:
                drop[:, start + (number - 1) * rank : start + number * rank] = np.eye(rank)
            if number < len(elements) - 1:
                drop[:, start + number * rank : start + (number + 1) * rank] = -np.eye(rank)
            terms.append((process, y, c * (drop.T @ inner @ drop)))
    return terms, np.append(port, np.zeros(size - len(port)))


def by_process(
    processes: Mapping[str, Admittance], shares: Mapping[str, NDArray[Any]], s: ArrayLike
) -> dict[str, NDArray[Any]]:
    """Return the shares of kinds of links, {kind: (n,)}, as those of the processes that are in series in them."""
    found: dict[str, NDArray[Any]] = {}
    for name, share in shares.items():
        y = processes[name]
        parts = y.shares(np.atleast_1d(np.asarray(s))) if isinstance(y, Series) else {name: np.ones(1)}
        for process, part in parts.items():
            found[process] = found.get(process, np.zeros_like(share)) + part * share
    return found
