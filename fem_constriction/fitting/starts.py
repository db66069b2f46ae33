"""Z = R_elec + sum of R/(1 + i omega tau), R >= 0: time constants from which the fit of a circuit may start.

From a relaxation spectrum, a model's or one found by non-negative least squares, by clustering; and by adding one arc after
the other, the resistances projected out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, nnls

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError

Spectral = NDArray[np.complex128]


def stacked(values: NDArray[Any]) -> Array:
    """Real parts, then imaginary parts, along the first axis."""
    return np.asarray(np.concatenate([values.real, values.imag]))


def nonnegative(matrix: Array, wanted: Array) -> Array:
    """Return the x >= 0 with the least |matrix x - wanted|. Raises ComputationError where it is not found."""
    try:
        return np.asarray(nnls(matrix, wanted, maxiter=30 * matrix.shape[1])[0])
    except RuntimeError as error:
        raise ComputationError(f"no resistances of at least 0 were found: {error}") from None


def starts(tau: Array, resistance: Array, arcs: int) -> list[Array]:
    """Return sets of so many time constants (s) to start a fit from, the likeliest first.

    Centres of the optimal clusters of log tau, weighted by R, its square root (small arcs count for more) and its
    fourth root; and the relaxations of largest resistance, at least half a decade apart. Where relaxations are too few,
    the widest gaps between and beyond them are filled.
    """
    keep = (resistance > 1e-6 * resistance.sum()) & (tau > 0) & np.isfinite(tau)
    log, weight = np.log(tau[keep]), resistance[keep]
    order = np.argsort(log)
    log, weight = log[order], weight[order]
    if not log.size:  # nothing relaxes: anywhere
        log, weight = np.log([np.exp(np.mean(np.log(tau[(tau > 0) & np.isfinite(tau)])))]), np.ones(1)
    while log.size < arcs:
        padded = np.concatenate([log[:1] - 2, log, log[-1:] + 2])
        place = int(np.argmax(np.diff(padded)))
        log = np.sort(np.append(log, (padded[place] + padded[place + 1]) / 2))
        weight = np.full(log.size, 1.0)
    found = [_cluster(log, weight**power, arcs) for power in (1.0, 0.5, 0.25)]
    apart: list[float] = []
    for place in np.argsort(-weight, kind="stable"):
        if len(apart) < arcs and all(abs(log[place] - other) > np.log(10) / 2 for other in apart):
            apart.append(float(log[place]))
    if len(apart) == arcs:
        found.append(np.sort(np.array(apart)))
    return [np.exp(each) for number, each in enumerate(found) if not any(np.allclose(each, o) for o in found[:number])]


def _cluster(points: Array, weight: Array, count: int) -> Array:
    """Centres of the clusters of ascending points that minimise sum w (x - centre)^2, by dynamic programming."""
    total, first, second = (np.append(0, np.cumsum(weight * points**power)) for power in (0, 1, 2))

    def spread(begin: NDArray[np.intp], end: int) -> Array:
        mass, mean = total[end] - total[begin], first[end] - first[begin]
        return np.asarray(np.maximum(second[end] - second[begin] - mean**2 / mass, 0.0))

    size = points.size
    best, back = np.full((count + 1, size + 1), np.inf), np.zeros((count + 1, size + 1), dtype=int)
    best[0, 0] = 0.0
    for clusters in range(1, count + 1):
        for end in range(clusters, size + 1):
            begin = np.arange(clusters - 1, end)
            cost = best[clusters - 1, begin] + spread(begin, end)
            back[clusters, end] = begin[np.argmin(cost)]
            best[clusters, end] = cost.min()
    edges = [size]
    for clusters in range(count, 0, -1):
        edges.insert(0, int(back[clusters, edges[0]]))
    return np.array([np.average(points[a:b], weights=weight[a:b]) for a, b in pairwise(edges)])


class Relaxations(NamedTuple):
    """Relaxation times (s) and resistances (ohm), R_elec (ohm), inductance (H), and the root of the sum of squares left."""

    tau: Array
    resistance: Array
    r_elec: float
    inductance: float
    misfit: float


def relaxations(frequency: Array, impedance: Spectral, per_decade: int = 10, *, inductance: bool = False) -> Relaxations:
    """Return tau and R of Z = R_elec + sum R/(1 + i omega tau) [+ i omega L], R >= 0, on a dense grid of tau.

    Non-negative least squares with modulus weighting; the grid spans the band of the data, R_elec takes what is faster.
    """
    omega = 2 * np.pi * frequency
    decades = float(np.log10(omega.max() / omega.min()))
    tau = np.geomspace(1 / omega.max(), 1 / omega.min(), max(3, round(per_decade * decades) + 1))
    s, modulus, count = 1j * omega[:, None], np.abs(impedance), 1 + int(inductance)
    columns = [np.ones_like(s), *[s / omega.max()] * inductance, 1 / (1 + s * tau)]
    basis, wanted = stacked(np.hstack(columns) * (modulus.max() / modulus)[:, None]), stacked(impedance / modulus)
    found = nonnegative(basis, wanted)
    left = float(np.linalg.norm(basis @ found - wanted))
    r_elec, *rest = found[:count] * modulus.max()
    return Relaxations(tau, found[count:] * modulus.max(), float(r_elec), float(sum(rest)) / omega.max(), left)


class Projected:
    """min over R >= 0 of |sum R/(1 + i omega tau) - Z|/|Z|, a function of tau alone (variable projection)."""

    def __init__(self, frequency: Array, impedance: Spectral, series: bool) -> None:
        self.omega, self.modulus, self.series = 2 * np.pi * frequency, np.abs(impedance), series
        self.data = stacked(impedance / self.modulus)

    def residual(self, log: Array) -> Array:
        """Return the relative residual (2 f,) of the best resistances for log tau."""
        each = 1 / (1 + 1j * self.omega[:, None] * np.exp(log))
        if self.series:
            each = np.hstack([np.ones((self.omega.size, 1)), each])
        basis = stacked(each / self.modulus[:, None]) * self.modulus.max()
        return np.asarray(basis @ nonnegative(basis, self.data) - self.data)

    def cost(self, tau: Array) -> float:
        """Return the sum of squares of the relative residual."""
        return float(np.sum(self.residual(np.log(tau)) ** 2))

    def improve(self, tau: Array) -> Array:
        """Return the local minimum next to tau (s), within a decade of the band."""
        band = np.log(0.1 / self.omega.max()), np.log(10 / self.omega.min())
        start = np.clip(np.log(tau), band[0] + 1e-6, band[1] - 1e-6)
        found = least_squares(self.residual, start, bounds=band, ftol=1e-10, xtol=1e-10, max_nfev=100)
        return np.asarray(np.exp(found.x))

    def forward(self, arcs: int) -> Array:
        """One arc after the other, each where it lowers the cost most."""
        decades = np.log10(self.omega.max() / self.omega.min())
        grid = np.geomspace(1 / self.omega.max(), 1 / self.omega.min(), max(3, round(4 * decades)))
        tau: Array = np.empty(0)
        for _ in range(arcs):
            tau = self.improve(np.append(tau, min(grid, key=lambda new: self.cost(np.append(tau, new)))))
        return tau
