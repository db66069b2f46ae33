"""phi ~ r^lambda around an edge where four voxels of conductivities k_1 to k_4 meet, in this order around it:

    sin^2(pi lambda/2) = (4 + S)/(2 + S + Q),
    S = sum over pairs of k_i/k_j + k_j/k_i, Q = k_1 k_3/(k_2 k_4) + k_2 k_4/(k_1 k_3).

In each quadrant r^lambda times a sine and a cosine of lambda theta, continuous with its current: going around once is the
product of four matrices c + s J_i, c and s cosine and sine of pi lambda/2, J_i^2 = -1, and its trace is 2. At complex k the
real part of lambda counts. Grids that are uniform there come to their limit like h^(2 lambda): a chessboard of contrast c has
lambda = (4/pi) arctan(c^-1/2), an edge of one voxel among others 2/3 or more, the edge of an ideal contact 1/2, that of metal
that meets a good conductor across bad ones about 0.9 c^-1/2. Such an edge conducts at most G = sqrt(k_good k_bad) along its
length.

How much of Z depends on it differences of few grids hardly tell: while h is not tiny they fall as if it were not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE

#: What stands for metal that holds the potential, and for what conducts nothing, over the best and the worst conductor.
HELD, NOTHING = 1e15, 1e-15

#: Body -> (charge transfer, counter electrode as a place) -> its edges: labels are read once.
_COUNTED: Final[WeakKeyDictionary[Image, dict[tuple[bool, bool], EdgeKinds]]] = WeakKeyDictionary()


def exponent(conductivities: ArrayLike) -> Array:
    """Return Re lambda of edges, conductivities (..., 4) around each, none of them 0."""
    k = np.asarray(conductivities, dtype=np.complex128)
    pairs = sum(k[..., i] / k[..., j] + k[..., j] / k[..., i] for i in range(4) for j in range(i + 1, 4))
    across = k[..., 0] * k[..., 2] / (k[..., 1] * k[..., 3])
    sine = np.sqrt((4 + pairs) / (2 + pairs + across + 1 / across))
    return np.asarray(np.abs(np.real(2 / np.pi * np.arcsin(sine))))


@dataclass(frozen=True, eq=False)
class EdgeKinds:
    """Which quadruples of materials meet at edges of voxels, (kinds, 4) numbers, and their length in all, (kinds,), m.

    Numbers: 0 of grains, from 1 on of inclusions in their order, then metal at V or 0 without and with charge transfer.
    """

    quadruples: NDArray[np.int64]
    lengths: Array


def edge_orders(problem: Problem, s: ArrayLike) -> tuple[Array, Array]:
    """Return 2 Re lambda of the most singular edge of a label image at each s, inf without one, and what all of them conduct.

    Parameters
    ----------
    problem
        Of a label image.
    s
        Laplace frequencies in 1/s, (n,).

    Returns
    -------
    order, conducts
        (n,) each; S: what Z changes by, relative, if singular edges conducted nothing, is at most |Z| times that.
    """
    points = np.asarray(s)
    body = Image.of(problem.body)
    order, conducts = np.full(points.shape, np.inf), np.zeros(points.shape)
    if not body.inclusions and not body.electrodes:
        return order, conducts
    known = _kinds_of(problem)
    places = problem.places
    phases = (BULK, *body.inclusions.values())
    k = np.zeros((len(phases), *points.shape), dtype=np.complex128)  # (materials, n)
    for number, name in enumerate(phases):
        if name in places:
            k[number] = places[name](points)
    size = np.abs(k)
    best, worst = size.max(0), np.where(size > 0, size, np.inf).min(0)
    k = np.where(size > 0, k, NOTHING * worst)
    k = np.concatenate([k, [HELD * best, NOTHING * worst]])
    none = np.concatenate([size == 0, np.zeros((1, points.size), bool), np.ones((1, points.size), bool)])
    for quadruple, length in zip(known.quadruples, known.lengths, strict=True):
        around = k[quadruple].T  # (n, 4)
        nothing = none[quadruple].T
        metal = np.asarray(quadruple) == len(phases)
        # What touches across two that conduct nothing is not connected; metal across two others is one conductor.
        apart = (nothing[:, 0] & nothing[:, 2]) | (nothing[:, 1] & nothing[:, 3])
        if (metal[0] and metal[2]) or (metal[1] and metal[3]):
            continue
        found = np.where(apart, np.inf, 2 * exponent(around))
        order = np.minimum(order, found)
        pairs = np.abs(around)
        good = np.maximum(np.minimum(pairs[:, 0], pairs[:, 2]), np.minimum(pairs[:, 1], pairs[:, 3]))
        bad = np.minimum(np.maximum(pairs[:, 0], pairs[:, 2]), np.maximum(pairs[:, 1], pairs[:, 3]))
        conducts += np.where((found < 4 / 3) & ~apart, np.sqrt(good * bad) * length, 0.0)
    return order, conducts


def _kinds_of(problem: Problem) -> EdgeKinds:
    """The quadruples of an image, counted once for each body and each pair of electrodes."""
    films = CHARGE_TRANSFER in problem.places, COUNTER_ELECTRODE in problem.places
    known = _COUNTED.setdefault(Image.of(problem.body), {})
    if films not in known:
        known[films] = _counted(problem)
    return known[films]


def _counted(problem: Problem) -> EdgeKinds:
    """Count the quadruples of an image, electrodes above and below it included."""
    body = Image.of(problem.body)
    labels, _ = labels_of(problem)
    number = np.zeros((labels.shape[0] + 2, *labels.shape[1:]), dtype=np.int64)
    inside = number[1:-1]
    for place, label in enumerate(body.inclusions, 1):
        inside[labels == label] = place
    held = len(body.inclusions) + 1
    film = held + 1
    for label, process in body.electrodes.items():
        inside[labels == label] = film if process in problem.places else held
    number[0] = np.where(body.contact & (CHARGE_TRANSFER not in problem.places), held, film)
    number[-1] = film if COUNTER_ELECTRODE in problem.places else held
    base = film + 1
    codes: dict[int, float] = {}
    for axis, edge in enumerate(body.structure.edges):
        n = np.moveaxis(number if axis else number[1:-1], axis, 0)
        a, b, c, d = n[:, :-1, :-1], n[:, 1:, :-1], n[:, 1:, 1:], n[:, :-1, 1:]
        # Two neighbours alike on opposite sides are a face that goes through: no edge.
        code = ((a * base + b) * base + c) * base + d
        found, counts = np.unique(code[(a != b) | (c != d) | (a != d)], return_counts=True)
        for each, count in zip(found.tolist(), counts.tolist(), strict=True):
            codes[each] = codes.get(each, 0.0) + count * edge
    quadruples = np.array([[each // base**power % base for power in (3, 2, 1, 0)] for each in codes], dtype=np.int64)
    return EdgeKinds(quadruples.reshape(-1, 4), np.array(list(codes.values())))
