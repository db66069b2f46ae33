"""s^n = (sin(n pi)/pi) int t^(n-1) s/(s + t) dt: a constant-phase element as resistors in series with capacitors, side by side.

The trapezoidal rule in log t with step h is off by about 2 exp(-pi^2/h) on the imaginary axis, where the nearest pole of the
integrand is a quarter turn away: with `STEP` by a thousandth. Nodes below the band and above it are lumped.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from fem_constriction.arrays import Array

#: h, for an error of about 1e-3 of s^n.
STEP: Final = 1.3
#: Nodes beyond each end of the band, where what is lumped is off by e^(-h (1 + n)) for each of them.
BEYOND: Final = 4


class Standing(NamedTuple):
    """Branches that stand for s^n, a resistor 1/conductance and a capacitor in series, (k,) each; beside: another capacitor."""

    conductance: Array
    capacitance: Array
    beside: float


def standing(exponent: float, band: tuple[float, float]) -> Standing:
    """Return RC branches whose sum is s^n to a thousandth at i omega in a band (1/s)."""
    low, high = np.log(band[0]) - BEYOND * STEP, np.log(band[1]) + BEYOND * STEP
    at = np.arange(np.ceil((high - low) / STEP) + 1) * STEP + low
    weight = np.sin(np.pi * exponent) / np.pi * STEP * np.exp(exponent * at)
    # Of the nodes below, t -> 0, the weights are a geometric series; of those above, s/(s + t) -> s/t, the capacitances are.
    weight[0] /= 1 - np.exp(-exponent * STEP)
    capacitances = weight * np.exp(-at)
    last = np.exp(-(1 - exponent) * STEP)
    return Standing(weight, capacitances, float(capacitances[-1] * last / (1 - last)))
