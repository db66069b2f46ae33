"""Rising, convex, linear, parallel: what a series of measured numbers is, each as one number with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import argrelmax, find_peaks

from fem_constriction.arrays import Array
from fem_constriction.reduction.reduced import Relaxation
from validation.paper.claims.measured import Measured

#: Relaxations closer than this, in decades of tau, are seen as one arc: an RC arc is 1.14 decades wide at half its height.
GAP = 0.57
#: Part of the whole resistance below which a relaxation is no arc that anyone sees.
FAINT = 1e-4


def smallest_rise(values: Sequence[Measured]) -> Measured:
    """Return min over neighbours of (v_(i+1) - v_i)/|v_i|, the one least certain to be above 0, with its uncertainty."""
    found = []
    for first, second in pairwise(values):
        size = max(abs(first.value), 1e-300)
        found.append(Measured((second.value - first.value) / size, (first.uncertainty + second.uncertainty) / size))
    return min(found, key=lambda step: step.value - step.uncertainty)


def smallest_fall(values: Sequence[Measured]) -> Measured:
    """Return min over neighbours of (v_i - v_(i+1))/|v_i|: `smallest_rise` downwards."""
    return smallest_rise([Measured(-value, uncertainty) for value, uncertainty in values])


def least_curvature(x: ArrayLike, values: Sequence[Measured]) -> Measured:
    """Return min over inner points of (chord - v)/|v|, the chord from the neighbours: above 0 where convex."""
    points, found = np.asarray(x, dtype=float), []
    for i in range(1, len(values) - 1):
        weight = (points[i] - points[i - 1]) / (points[i + 1] - points[i - 1])
        before, here, after = values[i - 1], values[i], values[i + 1]
        chord = (1 - weight) * before.value + weight * after.value
        doubt = (1 - weight) * before.uncertainty + here.uncertainty + weight * after.uncertainty
        size = max(abs(here.value), 1e-300)
        found.append(Measured((chord - here.value) / size, doubt / size))
    return min(found, key=lambda bend: bend.value - bend.uncertainty)


def spread(values: Sequence[Measured]) -> Measured:
    """Return (max - min)/mean over a series."""
    low, high = min(values), max(values)
    mean = float(np.mean([value for value, _ in values]))
    return Measured((high.value - low.value) / mean, (high.uncertainty + low.uncertainty) / mean)


def off_line(x: ArrayLike, values: Sequence[Measured], ends: tuple[tuple[float, float], tuple[float, float]]) -> Measured:
    """Return max |v - line|/line over a series, the straight line through two points (x, v)."""
    (x0, v0), (x1, v1) = ends
    line = v0 + (v1 - v0) * (np.asarray(x, dtype=float) - x0) / (x1 - x0)
    found = [Measured(abs(v.value - at) / abs(at), v.uncertainty / abs(at)) for v, at in zip(values, line, strict=True)]
    return max(found, key=lambda each: each.value)


def log_slope(x: ArrayLike, values: Sequence[Measured]) -> Measured:
    """Return the slope of ln v over ln x by least squares, with what the values' uncertainties can do to it at worst."""
    log = np.log(np.asarray(x, dtype=float))
    centred = log - log.mean()
    weights = centred / np.sum(centred**2)
    slope = float(weights @ np.log([value for value, _ in values]))
    doubt = float(np.abs(weights) @ np.array([uncertainty / value for value, uncertainty in values]))
    return Measured(slope, doubt)


def to_zero(x: ArrayLike, values: Sequence[Measured]) -> Measured:
    """Return the limit for x -> 0 of the first three points: the parabola's, with its distance to the straight line's added."""
    points = np.asarray(x, dtype=float)[:3]
    weights = [np.prod([other / (other - at) for other in np.delete(points, place)]) for place, at in enumerate(points)]
    value = float(sum(weight * each.value for weight, each in zip(weights, values, strict=False)))
    doubt = float(sum(abs(weight) * each.uncertainty for weight, each in zip(weights, values, strict=False)))
    first, second = values[0].value, values[1].value
    straight = first - points[0] * (second - first) / (points[1] - points[0])
    return Measured(value, doubt + abs(value - straight))


def bend(x: ArrayLike, values: Sequence[Measured]) -> Measured:
    """Return the second difference of three points divided by their steps: the curvature, in units of v over x^2."""
    (a, b, c), (first, here, last) = np.asarray(x, dtype=float), values
    weights = 2 / ((b - a) * (c - a)), -2 / ((b - a) * (c - b)), 2 / ((c - a) * (c - b))
    value = sum(weight * each.value for weight, each in zip(weights, (first, here, last), strict=True))
    doubt = sum(abs(weight) * each.uncertainty for weight, each in zip(weights, (first, here, last), strict=True))
    return Measured(float(value), float(doubt))


def ratio(above: Measured, below: Measured) -> Measured:
    """Return a/b with |a/b| (u_a/|a| + u_b/|b|), the worst to first order."""
    value = above.value / below.value
    relative = above.uncertainty / max(abs(above.value), 1e-300) + below.uncertainty / abs(below.value)
    return Measured(value, abs(value) * relative)


def off(found: Measured, wanted: float) -> Measured:
    """Return |v - w|/|w| with its uncertainty."""
    return Measured(abs(found.value - wanted) / abs(wanted), found.uncertainty / abs(wanted))


def percent(found: Measured) -> Measured:
    """Return a part as a percentage."""
    return Measured(100 * found.value, 100 * found.uncertainty)


def largest(values: Sequence[Measured]) -> Measured:
    """Return the largest of several numbers."""
    return max(values, key=lambda each: each.value)


def clusters(tau: ArrayLike, resistance: ArrayLike, *, gap: float = GAP, faint: float = FAINT) -> list[tuple[float, float]]:
    """Return (tau, R) of the groups of relaxations: neighbours closer than `gap` decades are in one.

    tau: the mean over the group, weighted with R, of log tau; relaxations of less than `faint` of the whole R are left out.
    """
    times, sizes = np.asarray(tau, dtype=float), np.asarray(resistance, dtype=float)
    keep = sizes >= faint * sizes.sum()
    log, sizes = np.log10(times[keep]), sizes[keep]
    order = np.argsort(log)
    log, sizes = log[order], sizes[order]
    parts = np.split(np.arange(log.size), np.flatnonzero(np.diff(log) > gap) + 1)
    return [(float(10 ** np.average(log[part], weights=sizes[part])), float(sizes[part].sum())) for part in parts]


def peaks(relaxation: Relaxation, width: float = 0.15, valley: float = 0.8) -> int:
    """Return how many peaks a spectrum of relaxations has, drawn `width` decades wide (standard deviation).

    A peak counts if it is `FAINT` of the whole resistance or more and its valley is at most `valley` of it.
    """
    log, sizes = np.log10(relaxation.tau), relaxation.resistance / relaxation.resistance.sum()
    grid = np.arange(log.min() - 1, log.max() + 1, width / 15)
    height = np.exp(-((grid[:, None] - log) ** 2) / (2 * width**2)) @ sizes
    found, _ = find_peaks(np.log(height + 1e-300), prominence=-np.log(valley))
    return int(np.sum(height[found] >= FAINT))


def bumps(relaxation: Relaxation, decades: float = 1.0) -> Array:
    """Return the frequencies in Hz at which -Im Z of a sum of RC elements has a maximum: arcs seen in a Nyquist plot."""
    tau = relaxation.tau
    low, high = np.log10(1 / (2 * np.pi * tau.max())) - decades, np.log10(1 / (2 * np.pi * tau.min())) + decades
    frequency = np.logspace(low, high, int(100 * (high - low)) + 1)
    return np.asarray(frequency[argrelmax(-impedance(relaxation, frequency).imag)[0]], dtype=float)


def impedance(relaxation: Relaxation, frequency: ArrayLike) -> NDArray[np.complex128]:
    """Return sum over k of R_k/(1 + i omega tau_k), ohm, shape of frequency in Hz."""
    s = 2j * np.pi * np.asarray(frequency, dtype=float)
    return np.asarray(np.sum(relaxation.resistance / (1 + s[..., None] * relaxation.tau), axis=-1), dtype=np.complex128)
