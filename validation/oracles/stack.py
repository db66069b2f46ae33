"""Input impedance of a stack of identical layers, per lateral cosine mode."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ComplexArray = NDArray[np.complex128]
FloatArray = NDArray[np.float64]


def mode_impedance(
    g: FloatArray,
    kappa: complex,
    thickness: float,
    layers: int = 1,
    y_gb: complex | None = None,
    y_ce: complex | None = None,
) -> ComplexArray:
    """Z <- Z0 (Z + Z0 T)/(Z0 + Z T) through each layer, Z <- Z + 1/y_gb at each boundary, from Z = 1/y_ce.

    Z0 = 1/(kappa g), T = tanh(g d), d = thickness/layers; at g = 0 a layer adds d/kappa. The step
    "boundary, then layer" is one and the same Moebius map f, with fixed points Z+ (attracting) and Z-, so
    that its powers have the closed form (f^n(Z) - Z+)/(f^n(Z) - Z-) = mu^n (Z - Z+)/(Z - Z-), |mu| < 1,
    used here; stable for every g d.

    Units: g lateral wave numbers 1/m, kappa S/m, thickness m, admittances S/m2 (None: perfect); returns ohm
    m2, in the shape of g. Valid for every kappa, y_gb, y_ce with positive real part, or on the imaginary
    axis but 0. Source: transmission-line theory; the recursion as in references.md, 'Stack of laterally
    uniform layers'.
    """
    if layers > 1 and y_gb is None:
        layers = 1  # perfect boundaries: one layer
    d = thickness / layers
    bottom = 0.0 if y_ce is None else 1.0 / y_ce
    resistance = 0.0 if y_gb is None else 1.0 / y_gb
    uniform = bottom + thickness / kappa + (layers - 1) * resistance
    safe = np.where(g > 0, g, 1.0)
    # in units of 1/(kappa g): Z0 = 1
    r = np.asarray(kappa * safe * resistance, dtype=np.complex128)
    t = np.tanh(safe * d)
    z = (kappa * safe * bottom + t) / (1.0 + kappa * safe * bottom * t)
    if layers > 1:
        root = np.sqrt(r * r / 4.0 + r / t + 1.0)
        attracting = (r / t + 1.0) / (root + r / 2.0)
        repelling = -root - r / 2.0
        mu = (1.0 + r * t / 2.0 - t * root) / (1.0 + r * t / 2.0 + t * root)
        w = mu ** (layers - 1) * (z - attracting) / (z - repelling)
        z = (attracting - w * repelling) / (1.0 - w)
    out: ComplexArray = np.where(g > 0, z / (kappa * safe), uniform).astype(np.complex128)
    return out
