"""Closed forms and series for constriction resistances at direct current in a homogeneous conductor."""

from __future__ import annotations

from itertools import pairwise
from math import erf, exp, log, pi, sin, sqrt

import numpy as np
from scipy.special import ellipj, ellipk, ellipkm1


def disc_half_space_equipotential(radius: float, conductivity: float) -> float:
    """R = 1/(4 sigma a): equipotential disc on a half space (one side).

    Units: m, S/m; ohm. Exact. Source: R. Holm, Electric Contacts, 4th ed. 1967; Maxwell, Treatise, art. 151.
    """
    return 1.0 / (4.0 * conductivity * radius)


def disc_half_space_isoflux(radius: float, conductivity: float) -> float:
    """R = 8/(3 pi^2 sigma a): uniform current density on a disc, mean potential of the disc.

    Units: m, S/m; ohm. Exact. Source: Carslaw and Jaeger, Conduction of Heat in Solids, 2nd ed., 8.2.
    """
    return 8.0 / (3.0 * pi**2 * conductivity * radius)


def square_half_space_equipotential(side: float, conductivity: float) -> float:
    """R = 0.43391534/(sigma s): equipotential square on a half space.

    Units: m, S/m; ohm. Valid to the digits given (capacitance of the square plate 0.366788 x 4 pi eps0 s).
    Source: references.md (verified there).
    """
    return 0.43391534 / (conductivity * side)


def square_half_space_isoflux(side: float, conductivity: float) -> float:
    """R = (2/pi)[ln(1 + sqrt 2) + (1 - sqrt 2)/3]/(sigma s): uniform flux on a square, mean potential.

    Units: m, S/m; ohm. Exact. Source: mean of 1/(2 pi sigma r) over pairs of points of a square.
    """
    return 2.0 / pi * (log(1.0 + sqrt(2.0)) + (1.0 - sqrt(2.0)) / 3.0) / (conductivity * side)


def square_tube_isoflux(ratio: float, height: float = float("inf")) -> float:
    """R sigma L = sum over (m,n) != (0,0) of w sinc^2(m eps) sinc^2(n eps) tanh(g h)/(g L).

    Constriction resistance of a uniform current density on a centred square of side eps L; square tube L x L
    of depth h on an ideal ground. g = (2 pi/L) sqrt(m^2 + n^2), w = (2 - [m=0])(2 - [n=0]),
    sinc u = sin(pi u)/(pi u). Dimensionless: `ratio` = eps in (0, 1], `height` = h/L; good to 1e-12.

    The slow part, tanh -> 1, is (2/sqrt(pi)) times the integral over t of A(t)^2 - 1 with
    A(t) = sum_m (2 - [m=0]) sinc^2(m eps) exp(-(2 pi m t)^2), in closed form by images; what is left
    converges like exp(-2 g h). Source: Mikic and Rohsenow 1966; Yovanovich 2005.
    """
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
    return 0.47320 - 0.62075 * ratio + 0.1198 * ratio**3


def disc_tube_series(ratio: float) -> float:
    """4 sigma a R = 1 - 1.4092524134 e + 0.3381827 e^3 + 0.0679327 e^5 - 0.0228735 e^6, e = a/b.

    Equipotential disc in a deep insulated circular tube. Dimensionless; 1e-7 off at e = 0.1,
    5e-7 at 0.2, 2e-4 at 0.5, 5e-3 at 0.8. Source: references.md.
    """
    e = ratio
    return 1.0 - 1.4092524134 * e + 0.3381827 * e**3 + 0.0679327 * e**5 - 0.0228735 * e**6


def disc_tube_correlation(ratio: float) -> float:
    """4 sigma a R = 1 - 1.40978 e + 0.34406 e^3 + 0.0435 e^5 + 0.02271 e^7, e = a/b.

    Equipotential disc in a deep insulated circular tube. Dimensionless; valid for e <= 0.5 (7e-5); 2e-4 off at
    0.8. Source: Negus and Yovanovich 1984.
    """
    e = ratio
    return 1.0 - 1.40978 * e + 0.34406 * e**3 + 0.0435 * e**5 + 0.02271 * e**7


def strip_equipotential(ratio: float, height: float) -> float:
    """R sigma t = K(1 - m1)/(2 K(m1)), m1 = m sn^2(K(m) eps | m), m = (theta2/theta3)^4, q = exp(-2 pi h/L).

    Total resistance, bulk included, of a cell L wide, h high and t deep with a centred equipotential strip
    of width eps L across its depth and an ideal ground. `ratio` = eps in (0, 1], `height` = h/L >= 0.05;
    returns R sigma t, to 1e-12. Source: conformal map of the half cell to a rectangle; references.md.
    """
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
    return log(1.0 / sin(pi * ratio / 2.0)) / pi
