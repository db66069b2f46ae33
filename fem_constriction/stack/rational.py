"""f(lambda) = c_0 + sum over j of c_j lambda/(lambda + p_j): functions of one matrix pencil with poles that all of them share.

What a stack does to a lateral mode of eigenvalue lambda is f = kappa/u with f - f(0) = lambda int d mu(t)/(lambda + t)
(`layered`: -t are eigenvalues of a column), at every frequency with another mu. At real s > 0 mu >= 0 and t > 0. With poles
and points of interpolation that are extremal for the plates (-inf, 0] and [a, b] of a condenser, the relative error of every
such function is then at most about rho^r, rho = exp(-pi^2/ln(16 b/a)), r the number of poles: over twelve decades 57 give 1e-8.

At complex s the t are complex, with |arg t| < pi/2, and the exponent falls with the angle between -t and the plate [a, b], by
half at worst. Quadratic forms x' f x have each pole twice without any further solution, which doubles it: `order` = 2.
Source: Zolotarev's third problem; Beckermann and Reichel 2009, doi 10.1137/080741744; Massei and Robol 2021, doi
10.1007/s10543-020-00826-z.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from fem_constriction.arrays import Array

#: Part of the largest value below which rounding is relative to that: rising functions keep 1e-14 of each value, derivatives of
#: f, which die out, 1e-10 of the largest (measured; 1e-14 would leave those 1e-4, and 1 would leave the others 1e-7).
SMALL = 1e-6


class Rational:
    """Interpolation of functions on 0 and [low, high] with fixed poles: as many as a relative error of `tolerance` takes.

    order: 2 for terms lambda p_j/(lambda + p_j)^2 as well, and twice the points; the poles stay the same.
    """

    def __init__(self, low: float, high: float, tolerance: float, order: int = 1) -> None:
        count = int(np.ceil(np.log(1 / tolerance) * np.log(16 * high / low) / np.pi**2))
        self.order, self.poles = order, _extremal(low, high, count)[1]
        self.points: Array = np.append(0.0, _extremal(low, high, order * count)[0])
        self._column = np.append(1.0, np.tile(np.sqrt(1 + self.poles / low), order))

    @cached_property
    def between(self) -> Array:
        """Values of lambda halfway between the points, where interpolants are farthest off."""
        return np.asarray(np.sqrt(self.points[1:-1] * self.points[2:]))

    def coefficients(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return c_0, then c_j of the simple terms, then of the double ones, (k, points), of functions at the points.

        Rows are scaled to f = 1, so that rounding is relative as well where f spans decades. Solved anew each time and not by
        an inverse, whose terms are 1e9 times larger than what they sum up to.
        """
        size = np.abs(values)
        size = np.maximum(size, SMALL * size.max(1, keepdims=True))[:, :, None]
        found = np.linalg.solve(self._terms(self.points) / size, values[:, :, None] / size)
        return np.asarray(found[:, :, 0] * self._column)

    def falling(self, values: Array) -> Array:
        """Return d_j, (k, r), of sum of d_j/(lambda + p_j) for falling functions given at the points above 0, (k, r).

        For f = int d mu(t)/(lambda + t), mu >= 0, as 1/f of the rising ones is.
        """
        terms = np.sqrt(self.poles) / (self.points[1:, None] + self.poles)
        found = np.linalg.solve(terms / values[:, :, None], np.ones((*values.shape, 1)))
        return np.asarray(found[:, :, 0] * np.sqrt(self.poles))

    def evaluate(self, coefficients: NDArray[Any], values: Array) -> NDArray[Any]:
        """Return the interpolants at values of lambda, (k, values)."""
        return np.asarray(coefficients / self._column @ self._terms(values).T)

    def _terms(self, values: Array) -> Array:
        simple = values[:, None] / (values[:, None] + self.poles)
        double = [simple * self.poles / (values[:, None] + self.poles)] if self.order == 2 else []
        return np.asarray(np.hstack([np.ones((values.size, 1)), simple, *double]) * self._column)


def _extremal(low: float, high: float, count: int) -> tuple[Array, Array]:
    """Return points in [low, high] and -poles in (0, inf), (count,) each, ascending.

    A Moebius map takes [low, high] to [k, 1] and (-inf, 0] to [-1, -k], (1 + k)^2 low/high = 4 k; there they are +- dn.
    """
    ratio = low / high
    k = ratio / (1 + np.sqrt(1 - ratio)) ** 2
    quarter = scipy.special.ellipkm1(k * k)
    u = (2 * np.arange(count) + 1) / (2 * count) * quarter
    near = scipy.special.ellipj(np.minimum(u, quarter - u), 1 - k * k)[2]
    dn = np.where(u <= quarter / 2, near, k / near)  # dn(K - u) = k/dn(u)
    scale = 2 * high / (1 + k)
    return np.sort(scale * (dn + k) / (dn + 1)), np.sort(scale * (dn - k) / (1 - dn))
