"""y x' K x = min over u of y_1 |F x - u|^2 + y_2 |u|^2: a place with several elements in series, with its inner nodes again.

K = F' F is the projected matrix of one place, 1/y = 1/y_1 + 1/y_2 + ... Where every element is linear in s, the unfolded system
is G + s C, and has the relaxation times that the folded one has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from fem_constriction.arrays import Array
from fem_constriction.processes.elements import Admittance, Element

#: Eigenvalue of a projected matrix below which a direction is rounding, relative to the largest.
_RANK = 1e-14


def unfolded(
    matrices: Mapping[str, Array], processes: Mapping[str, Admittance], port: Array
) -> tuple[list[tuple[str, Element, Array]], Array]:
    """Return (process, element, matrix) of every element, and the port, on the unknowns and the inner nodes of all places.

    matrices: place -> (r, r).
    """
    size = len(port)
    pieces: list[tuple[str, tuple[Element, ...], Array, Array, int]] = []
    for name, y in processes.items():
        if len(y.elements) == 1:
            pieces.append((name, y.elements, np.eye(len(port)), matrices[name], 0))
            continue
        values, vectors = linalg.eigh(matrices[name])
        kept = values > _RANK * max(values[-1], 0.0)
        factor = np.sqrt(values[kept])[:, None] * vectors[:, kept].T
        pieces.append((name, y.elements, factor, np.eye(len(factor)), size))
        size += (len(y.elements) - 1) * len(factor)
    terms = []
    for name, elements, factor, inner, start in pieces:
        rank = len(factor)
        for number, element in enumerate(elements):
            drop = np.zeros((rank, size))
            if number == 0:
                drop[:, : len(port)] = factor
            else:
                drop[:, start + (number - 1) * rank : start + number * rank] = np.eye(rank)
            if number < len(elements) - 1:
                drop[:, start + number * rank : start + (number + 1) * rank] = -np.eye(rank)
            terms.append((element.process or name, element, drop.T @ inner @ drop))
    return terms, np.append(port, np.zeros(size - len(port)))


def by_process(
    processes: Mapping[str, Admittance], shares: Mapping[str, NDArray[Any]], s: ArrayLike
) -> dict[str, NDArray[Any]]:
    """Return the shares of places, {place: (n,)}, as those of the processes that are in series in them."""
    found: dict[str, NDArray[Any]] = {}
    for name, share in shares.items():
        for process, part in processes[name].shares(np.atleast_1d(np.asarray(s)), name).items():
            found[process] = found.get(process, np.zeros_like(share)) + part * share
    return found
