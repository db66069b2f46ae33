"""Constriction resistances of square and strip contacts at direct current in a homogeneous conductor."""

from __future__ import annotations

from itertools import pairwise
from math import erf, exp, log, pi, sin, sqrt

import numpy as np
from scipy.special import ellipj, ellipk, ellipkm1

from validation.oracles.validity import listed, positive, within

# Equipotential square, h = L: R_Cstr sigma L by contact side over L; Robin, zeta = sigma R_pol/L = 0.092: K below
SQUARE_EQUIPOTENTIAL = {0.1: 3.7200587013, 0.2: 1.5554702516, 0.4: 0.49089728353, 0.5: 0.289377985806, 0.8: 0.034812008663}
SQUARE_FINITE_CONTACT = {0.2: 1.7202541, 0.5: 0.3367065, 0.8: 0.0472715}


def square_half_space_equipotential(side: float, conductivity: float) -> float:
    """R = 0.43391534/(sigma s): equipotential square on a half space.

    Units: m, S/m; ohm. Valid to the digits given (capacitance of the square plate 0.366788 x 4 pi eps0 s).
    Source: references.md (verified there).
    """
    positive(side=side, conductivity=conductivity)
    return 0.43391534 / (conductivity * side)


def square_half_space_isoflux(side: float, conductivity: float) -> float:
    """R = (2/pi)[ln(1 + sqrt 2) + (1 - sqrt 2)/3]/(sigma s): uniform flux on a square, mean potential.

    Units: m, S/m; ohm. Exact. Source: mean of 1/(2 pi sigma r) over pairs of points of a square.
    """
    positive(side=side, conductivity=conductivity)
    return 2.0 / pi * (log(1.0 + sqrt(2.0)) + (1.0 - sqrt(2.0)) / 3.0) / (conductivity * side)


def square_tube_isoflux(ratio: float, height: float = float("inf")) -> float:
    """R sigma L = sum over (m,n) != (0,0) of w sinc^2(m eps) sinc^2(n eps) tanh(g h)/(g L).

    Constriction resistance of a uniform current density on a centred square of side eps L; square tube L x L
    of depth h on an ideal ground. g = (2 pi/L) sqrt(m^2 + n^2), w = (2 - [m=0])(2 - [n=0]),
    sinc u = sin(pi u)/(pi u). Dimensionless: `ratio` = eps from 1e-4 to 1, `height` = h/L >= 0.01; good to 1e-12.

    The slow part, tanh -> 1, is (2/sqrt(pi)) times the integral over t of A(t)^2 - 1 with
    A(t) = sum_m (2 - [m=0]) sinc^2(m eps) exp(-(2 pi m t)^2), in closed form by images; what is left
    converges like exp(-2 g h). Source: Mikic and Rohsenow 1966; Yovanovich 2005.
    """
    within("ratio", ratio, 1e-4, 1.0)
    within("height", height, 0.01, float("inf"))
    gap = 1.0 - ratio
    if gap <= 0:
        return 0.0
    start = min(ratio, gap) / 12.0  # below, A = 1/eps - (2 t/sqrt(pi))/eps^2 to rounding
    slope = 2.0 / sqrt(pi) / ratio**2
    total = start / ratio**2 - slope * start**2 / ratio + slope**2 * start**3 / 3.0 - start
    nodes, weights = np.polynomial.legendre.leggauss(24)
    ends = np.linspace(log(start), log(1.2), 3 + int(2 * log(1.2 / start)))
    for low, high in pairwise(ends):
        for u, w in zip((low + high + (high - low) * nodes) / 2, (high - low) / 2 * weights, strict=True):
            t = exp(u)
            total += w * t * (_square_mean(ratio, t) ** 2 - 1.0)
    return 2.0 / sqrt(pi) * total + _finite_depth(ratio, height)


def _square_mean(ratio: float, t: float) -> float:
    """A(t) of `square_tube_isoflux`: mean of the heat kernel over pairs of points of the contact."""

    def second_primitive(u: float) -> float:
        return u / 2.0 * erf(u / (2.0 * t)) + t / sqrt(pi) * exp(-((u / (2.0 * t)) ** 2))

    images = int(13.0 * t) + 2
    terms = (
        second_primitive(k + ratio) - 2.0 * second_primitive(k) + second_primitive(k - ratio)
        for k in range(-images, images + 1)
    )
    return sum(terms) / ratio**2


def _finite_depth(ratio: float, height: float) -> float:
    """Sum over modes of w sinc^2 sinc^2 (tanh(g h) - 1)/(g L)."""
    if not np.isfinite(height):
        return 0.0
    m = np.arange(int(20.0 / (2.0 * pi * height)) + 2)
    g = 2.0 * pi * np.sqrt(m[:, None] ** 2 + m**2)
    g[0, 0] = 1.0
    factor = np.where(m == 0, 1.0, 2.0) * np.sinc(m * ratio) ** 2
    terms = np.outer(factor, factor) * (np.tanh(g * height) - 1.0) / g
    terms[0, 0] = 0.0
    return float(terms.sum())


def square_tube_isoflux_fit(ratio: float) -> float:
    """R sigma s = 0.47320 - 0.62075 eps + 0.1198 eps^3: uniform flux, square in a deep square tube.

    Dimensionless; s = eps L is the side of the contact. Valid for eps <= 0.5 (0.2 %). Source: Negus and
    Yovanovich 1984.
    """
    within("ratio", ratio, 0.0, 0.5)
    return 0.47320 - 0.62075 * ratio + 0.1198 * ratio**3


def strip_equipotential(ratio: float, height: float) -> float:
    """R sigma t = K(1 - m1)/(2 K(m1)), m1 = m sn^2(K(m) eps | m), m = (theta2/theta3)^4, q = exp(-2 pi h/L).

    Total resistance, bulk included, of a cell L wide, h high and t deep with a centred equipotential strip
    of width eps L across its depth and an ideal ground. `ratio` = eps from 1e-6 to 1, `height` = h/L from 0.05 to 50;
    returns R sigma t, to 1e-12. Source: conformal map of the half cell to a rectangle; references.md.
    """
    within("ratio", ratio, 1e-6, 1.0)
    within("height", height, 0.05, 50.0)
    q = exp(-2.0 * pi * height)
    n = np.arange(40)
    theta2 = 2.0 * float(np.sum(q ** ((n + 0.5) ** 2)))
    theta3 = 1.0 + 2.0 * float(np.sum(q ** ((n[1:]) ** 2.0)))
    m = (theta2 / theta3) ** 4
    m1 = float(ellipj(float(ellipk(m)) * ratio, m)[0]) ** 2 * m
    return float(ellipkm1(m1) / (2.0 * ellipk(m1)))


def strip_constriction_half_infinite(ratio: float) -> float:
    """R sigma t = (1/pi) ln(1/sin(pi eps/2)): constriction part, equipotential strip on a deep cell.

    Dimensionless; `ratio` = strip width over cell width; depth of the cell >> its width (exp(-2 pi h/L)).
    Exact. Source: conformal map; Smythe, Static and Dynamic Electricity.
    """
    within("ratio", ratio, 1e-6, 1.0)
    return log(1.0 / sin(pi * ratio / 2.0)) / pi


def square_tube_equipotential(ratio: float) -> float:
    """R_Cstr sigma L of an equipotential square of side eps L on a square tube L x L, h = L deep, on an ideal ground.

    Dimensionless; `ratio` = eps in {0.1, 0.2, 0.4, 0.5, 0.8}; to 1e-10 of R sigma L. Source: references.md (verified there).
    """
    return listed("ratio", ratio, SQUARE_EQUIPOTENTIAL)


def square_tube_finite_contact(ratio: float) -> float:
    """K = (R_DC - R_1D) sigma L - zeta/eps^2 of a square contact with zeta = sigma R_pol/L = 0.092, h = L.

    R_1D the bulk alone, pores insulating, ideal ground. Dimensionless; `ratio` = eps in {0.2, 0.5, 0.8}; to 1e-7. For any zeta
    K lies between the equipotential and the isoflux value. Source: references.md (verified there).
    """
    return listed("ratio", ratio, SQUARE_FINITE_CONTACT)
