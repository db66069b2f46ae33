"""Gram matrices of the one-dimensional heat kernel in a graded basis, and 1/g as a sum of heat kernels.

1/g = (2/sqrt(pi)) integral over t of exp(-g^2 t^2) with g^2 = g_x^2 + g_y^2: every term is a product of one
factor in x and one in y, so that the matrix of the half-space kernel 1/(2 pi r), periodic images included,
is a short sum of Kronecker products of one-dimensional matrices.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander

from validation.oracles.graded import FloatArray, GradedBasis, Segment

STEP = 0.2  # of ln t: the trapezoidal rule for 1/g is good to 2 exp(-pi^2/(2 STEP)) = 4e-11
REACH = 12.5  # exp(-r^2/(4 t^2)) < 1e-16 for r > REACH t
MODES = 2000  # cosine modes used where the kernel is wide
gauss = lru_cache(leggauss)
POINTS, WEIGHTS = gauss(16)


def inverse_as_heat(smallest: float, largest: float) -> tuple[FloatArray, FloatArray, float]:
    """1/g = c + sum_q w_q exp(-g^2 t_q^2): (t, w, c), to 4e-11 for 6/largest < g << 1/smallest.

    Trapezoidal rule in ln t; c is the geometric series of all terms below `smallest`, where the exponential
    is 1. Units: t in length, w and c in length.
    """
    t = np.exp(np.arange(np.log(smallest), np.log(largest) + STEP, STEP))
    weight = 2.0 / np.sqrt(np.pi) * STEP * t
    return t, weight, float(weight[0] / np.expm1(STEP))


def heat_gram(basis: GradedBasis, t: FloatArray) -> FloatArray:
    """H_ij(t) = sum_m T_mi exp(-k_m^2 t^2) T_mj for every t; shape (len(t), size, size).

    Wide kernels (t pi MODES/half > 6.2) by their cosine modes, the others in real space: the kernel is
    exp(-r^2/(4 t^2))/(2 t sqrt(pi)) plus its mirror images in both walls, and the integral over r of it
    times the correlation of the two polynomials, itself a polynomial in r between break points, is done by
    Gauss-Legendre.
    """
    out = np.zeros((len(t), basis.size, basis.size))
    wide = t * np.pi * MODES / basis.half > 6.2
    modes = basis.cosine_coefficients(MODES)
    k = basis.wave_numbers(MODES)
    for q in np.flatnonzero(wide):
        half = modes * np.exp(-0.5 * (k[:, None] * t[q]) ** 2)
        out[q] = half.T @ half
    if wide.all():
        return out
    narrow = t[~wide]
    for i, a in enumerate(basis.segments):
        for j, b in enumerate(basis.segments[: i + 1]):
            apart = b.anchor - a.anchor
            block = _block(a, b, apart + b.low, apart + b.high, False, narrow)
            for wall in (-b.anchor - a.anchor, 2.0 * basis.half - b.anchor - a.anchor):
                block = block + _block(a, b, wall - b.high, wall - b.low, True, narrow)
            rows, columns = slice(*basis.first[i : i + 2]), slice(*basis.first[j : j + 2])
            out[~wide, rows, columns] = block
            out[~wide, columns, rows] = block.transpose(0, 2, 1)
    return out


def _block(a: Segment, b: Segment, low: float, high: float, mirrored: bool, t: FloatArray) -> FloatArray:
    """Integrals of phi_a(x) kernel(x - y, t) phi_b(y), b moved (and mirrored) to a.anchor + [low, high]; (t, a, b)."""
    reach = REACH * float(t.max())
    if max(low - a.high, a.low - high) > reach:
        return np.zeros((len(t), a.degree + 1, b.degree + 1))
    breaks = sorted([low - a.high, low - a.low, high - a.high, high - a.low])
    steps = 0.5 * float(t.min()) * 2.0 ** np.arange(np.ceil(np.log2(2 * reach / t.min())) + 1)
    ends = np.unique(np.clip([*-steps, 0.0, *steps, *breaks], max(breaks[0], -reach), min(breaks[-1], reach)))
    centre, radius = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
    r = (centre[:, None] + radius[:, None] * POINTS).ravel()
    w = (radius[:, None] * WEIGHTS).ravel()
    kernel = np.exp(-((r / (2 * t[:, None])) ** 2)) / (2 * np.sqrt(np.pi) * t[:, None])
    correlation = _correlation(a, b, low, high, mirrored, r)
    return np.tensordot(kernel * w, correlation, 1)


def _correlation(a: Segment, b: Segment, low: float, high: float, mirrored: bool, r: FloatArray) -> FloatArray:
    """C(r) = integral of phi_a(x) phi_b(x + r) over x, exactly; shape (len(r), a, b)."""
    nodes, weights = gauss((a.degree + b.degree) // 2 + 1)
    start = np.maximum(a.low, low - r)
    length = np.maximum(np.minimum(a.high, high - r) - start, 0.0)
    inside = length[:, None] * (nodes + 1) / 2
    x = 2 * ((start - a.low)[:, None] + inside) / a.length - 1
    y = 2 * ((start + r - low)[:, None] + inside) / b.length - 1
    norm_a = np.sqrt((2 * np.arange(a.degree + 1) + 1) / a.length)
    norm_b = np.sqrt((2 * np.arange(b.degree + 1) + 1) / b.length)
    at_x = legvander(np.clip(x, -1, 1), a.degree) * norm_a
    at_y = legvander(np.clip(-y if mirrored else y, -1, 1), b.degree) * norm_b
    weighted = at_x * (length[:, None] * weights / 2)[..., None]
    out: FloatArray = np.matmul(weighted.transpose(0, 2, 1), at_y)
    return out
