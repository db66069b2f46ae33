"""Constriction resistances of disc contacts at direct current in a homogeneous conductor."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import pi, sqrt

import numpy as np
from scipy.special import erfc, ive, j1, kve

from validation.oracles.graded import FloatArray
from validation.oracles.validity import positive, within

LARGEST = 0.9  # radius ratio of the integral equations: kernels fall like exp(-2 x (1 - eps))
HARMONIC = np.cumsum([0.0, *(1.0 / np.arange(1, 10))]) - np.euler_gamma  # digamma(k + 1)


def disc_half_space_equipotential(radius: float, conductivity: float) -> float:
    """R = 1/(4 sigma a): equipotential disc on a half space (one side).

    Units: m, S/m; ohm. Exact. Source: R. Holm, Electric Contacts, 4th ed. 1967; Maxwell, Treatise, art. 151.
    """
    positive(radius=radius, conductivity=conductivity)
    return 1.0 / (4.0 * conductivity * radius)


def disc_half_space_isoflux(radius: float, conductivity: float) -> float:
    """R = 8/(3 pi^2 sigma a): uniform current density on a disc, mean potential of the disc.

    Units: m, S/m; ohm. Exact. Source: Carslaw and Jaeger, Conduction of Heat in Solids, 2nd ed., 8.2.
    """
    positive(radius=radius, conductivity=conductivity)
    return 8.0 / (3.0 * pi**2 * conductivity * radius)


def disc_tube_series(ratio: float) -> float:
    """4 sigma a R = 1 - 1.4092524134 e + 0.3381827 e^3 + 0.0679327 e^5 - 0.0228735 e^6, e = a/b.

    Equipotential disc in a deep insulated circular tube. Dimensionless; valid for e <= 0.8: 1e-7 off at 0.1, 2e-4 at 0.5,
    5e-3 (8 % of the value) at 0.8. Source: references.md.
    """
    e = within("ratio", ratio, 0.0, 0.8)
    return 1.0 - 1.4092524134 * e + 0.3381827 * e**3 + 0.0679327 * e**5 - 0.0228735 * e**6


def disc_tube_correlation(ratio: float) -> float:
    """4 sigma a R = 1 - 1.40978 e + 0.34406 e^3 + 0.0435 e^5 + 0.02271 e^7, e = a/b.

    Equipotential disc in a deep insulated circular tube. Dimensionless; valid for e <= 0.8: 7e-5 up to 0.5, 2e-4 off at
    0.8. Source: Negus and Yovanovich 1984.
    """
    e = within("ratio", ratio, 0.0, 0.8)
    return 1.0 - 1.40978 * e + 0.34406 * e**3 + 0.0435 * e**5 + 0.02271 * e**7


def disc_tube_equipotential(ratio: float) -> float:
    """4 sigma a R = 2 eps/(pi int f), f(t) + int_0^eps k(t, u) f(u) du = 2/pi: equipotential disc in a deep tube.

    k(t, u) = (4/pi^2) int_0^inf [K_1(x)/I_1(x) cosh(x t) cosh(x u) - 2/x^2] dx; lengths in units of the tube's radius.
    From phi = int A J_0(s r) exp(-s z) ds + int B I_0(s r) cos(s z) ds, A the cosine transform of f, B from the insulated
    wall; the subtracted term is the uniform current far away. `ratio` = eps = a/b, 0.01 to 0.9; to 1e-10. Source: dual
    integral equations, I. N. Sneddon, Mixed Boundary Value Problems in Potential Theory, 1966, ch. 4 and 8.
    """
    eps = within("ratio", ratio, 0.01, LARGEST)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    t, w = eps * (nodes + 1) / 2, eps * weights / 2

    def integrand(x: float) -> FloatArray:
        p, q = x * (t[:, None] + t) / 2, x * (t[:, None] - t) / 2
        beyond = np.sinh(p) ** 2 + np.sinh(q) ** 2  # cosh cosh - 1
        return _times(x, beyond)

    kernel = 4.0 / pi**2 * _half_line(integrand, eps, 2.0)
    f = np.linalg.solve(np.eye(t.size) + kernel * w, np.full(t.size, 2.0 / pi))
    return float(2.0 * eps / (pi * (w @ f)))


def disc_tube_isoflux(ratio: float) -> float:
    """4 sigma a R = 32/(3 pi^2) + (8 eps/pi^2) int_0^inf [2 K_1(x) I_1(x eps)^2/(I_1(x) (x eps)^2) - 1/x^2] dx.

    Uniform current density on a disc in a deep insulated tube, mean potential. `ratio` = eps = a/b, 0.01 to 0.9; to 1e-11.
    It is the series (16/(pi eps)) sum J_1(d_n eps)^2/(d_n^3 J_0(d_n)^2) over the zeros d_n of J_1 (Mikic and Rohsenow
    1966), summed. Source: as `disc_tube_equipotential`, with the potential of uniform flux on a half space.
    """
    eps = within("ratio", ratio, 0.01, LARGEST)

    def integrand(x: float) -> FloatArray:
        u = x * eps
        beyond = _i1_beyond(u) if u < 1.0 else 2.0 * ive(1, u) * np.exp(u) / u - 1.0
        return _times(x, 2.0 * beyond + beyond**2) / 2.0  # 4 I_1(u)^2/u^2 - 1

    return float(32.0 / (3.0 * pi**2) + 8.0 * eps / pi**2 * _half_line(integrand, eps, 1.0))


def disc_square_tube_isoflux(ratio: float) -> float:
    """R sigma L = sum over (m,n) != (0,0) of w [2 J_1(g a)/(g a)]^2/(g L), g = (2 pi/L) sqrt(m^2 + n^2).

    Uniform current density on a centred disc of radius a in a deep insulated square tube L x L, mean potential; w as in
    `square_tube_isoflux`. `ratio` = 2 a/L, 0.01 to 0.9; to 1e-11. The slow part of 1/g, erf(g t)/g, is summed in space,
    where for t = (L - 2 a)/12 it is the disc alone: the mean of erfc(r/2t)/(2 pi r) over pairs of its points; what is left
    falls like erfc(g t). Source: Fourier-Bessel series, Yovanovich 2005; splitting: Ewald.
    """
    a = within("ratio", ratio, 0.01, LARGEST) / 2.0
    t = (1.0 - 2.0 * a) / 12.0
    m = np.arange(int(6.0 / (2.0 * pi * t)) + 2)
    g = 2.0 * pi * np.hypot(m[:, None], m)
    g[0, 0] = 1.0
    w = np.where(m == 0, 1.0, 2.0)
    terms = np.outer(w, w) * (2.0 * j1(g * a) / (g * a)) ** 2 * erfc(g * t) / g
    nodes, weights = np.polynomial.legendre.leggauss(16)
    ends = np.linspace(0.0, pi / 2.0, 200)  # r = 2 a cos(angle)
    angle = ((ends[1:] + ends[:-1])[:, None] + np.diff(ends)[:, None] * nodes) / 2.0
    density = 8.0 / (pi * a) * (angle - np.sin(angle) * np.cos(angle)) * np.sin(angle)  # of r, over r
    mean = float(np.sum(np.diff(ends)[:, None] / 2.0 * weights * density * erfc(a * np.cos(angle) / t))) / (2.0 * pi)
    return float(terms.sum() - terms[0, 0]) + mean - 2.0 * t / sqrt(pi)


def _i1_beyond(x: float) -> float:
    """2 I_1(x)/x - 1 without cancellation, x <= 1."""
    term, total = 1.0, 0.0
    for k in range(1, 12):
        term *= (x / 2.0) ** 2 / (k * (k + 1))
        total += term
    return total


def _times(x: float, beyond: float | FloatArray) -> FloatArray:
    """K_1(x)/I_1(x) (1 + beyond) - 2/x^2 without cancellation, for beyond = O(x^2) at 0."""
    if x > 1.0:
        return np.asarray(kve(1, x) / ive(1, x) * np.exp(-2.0 * x) * (1.0 + beyond) - 2.0 / x**2)
    return np.asarray(_wall(x) * (1.0 + beyond) + 2.0 / x**2 * beyond)


def _wall(x: float) -> float:
    """K_1(x)/I_1(x) - 2/x^2 without cancellation, x <= 1 (DLMF 10.31.1)."""
    beyond = _i1_beyond(x)
    i1 = x / 2.0 * (1.0 + beyond)
    term, total = 1.0, 0.0
    for k in range(9):
        total += term * (HARMONIC[k] + HARMONIC[k + 1])
        term *= (x / 2.0) ** 2 / ((k + 1) * (k + 2))
    return float(-2.0 / x**2 * beyond / (1.0 + beyond) + np.log(x / 2.0) - x / 4.0 * total / i1)


def _half_line(integrand: Callable[[float], FloatArray], eps: float, tail: float) -> FloatArray:
    """int_0^inf of an integrand ~ ln x at 0 and -tail/x^2 + O(exp(-2 x (1 - eps))) far away: Gauss on shrinking pieces."""
    end = 20.0 / (1.0 - eps)
    nodes, weights = np.polynomial.legendre.leggauss(20)
    ends = np.append(end * 2.0 ** -np.arange(46.0), 0.0)
    total = np.asarray(-tail / end)
    for high, low in pairwise(ends):
        for node, weight in zip(nodes, weights, strict=True):
            total = total + (high - low) / 2 * weight * integrand(float(low + (high - low) * (node + 1) / 2))
    return total
