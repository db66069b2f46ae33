"""Orthonormal Legendre polynomials on segments graded geometrically towards every contact edge."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import spherical_jn

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

RATIO = 0.1  # each segment is this much shorter than the one before it, towards the edge
LEVEL_COST = 0.9  # one segment nearer to the edge weighs as much as 0.9 polynomial degrees
PORE_COST = 2  # degrees fewer in the pores, where the current density is smaller and smoother


@dataclass(frozen=True)
class Segment:
    """anchor + [low, high]: an interval by its offsets from a contact edge, the anchor.

    Offsets keep full relative precision for segments of 1e-10 of the cell. `interval`: which of the intervals between
    the edges it lies in.
    """

    anchor: float
    low: float
    high: float
    level: int
    interval: int
    degree: int

    @property
    def length(self) -> float:
        """Length high - low."""
        return self.high - self.low


@dataclass(frozen=True)
class GradedBasis:
    """phi_l(x) = sqrt((2 l + 1)/h) P_l(2 (x - mid)/h) on each segment of [0, half], l = 0 ... degree.

    Contacts begin and end at `edges`, ascending, inside (0, half); `touched` tells for each interval between 0, the
    edges and half whether some contact lies there. Towards an edge the segments of an interval are
    edge -+ w [q^(k+1), q^k], q = RATIO, the last one closing at the edge; an interval between two edges is halved, each
    half graded to its own edge, others have w as their width. `weight` = LEVEL_COST level + degree l orders the functions
    by what they contribute to the energy of a current density ~ r^(-1/2): q^level times the squared Legendre
    coefficient. All functions with weight <= order (touched), order - PORE_COST (pores alone) are kept. Without an edge
    there is the constant alone: a contact as wide as the cell has no variation in this direction. Any unit of length.
    """

    edges: tuple[float, ...]
    half: float
    order: int
    touched: tuple[bool, ...]
    segments: tuple[Segment, ...] = field(init=False)
    first: tuple[int, ...] = field(init=False)
    weight: FloatArray = field(init=False)
    interval: IntArray = field(init=False)
    integral: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        segments: list[Segment] = []
        if not self.edges:
            segments.append(Segment(self.half, -self.half, 0.0, 0, 0, 0))
        ends = (0.0, *self.edges, self.half)
        for n in range(len(ends) - 1) if self.edges else ():
            graded = ([] if n == 0 else [(ends[n], 1)]) + ([] if n == len(self.edges) else [(ends[n + 1], -1)])
            for edge, side in graded:
                width = (ends[n + 1] - ends[n]) / len(graded)
                segments.extend(self._towards(edge, side, width, n))
        sizes = [s.degree + 1 for s in segments]
        degrees = np.concatenate([np.arange(n) for n in sizes])
        levels = np.repeat([s.level for s in segments], sizes)
        mean = np.repeat([np.sqrt(s.length) for s in segments], sizes)
        setter = object.__setattr__
        setter(self, "segments", tuple(segments))
        setter(self, "first", tuple(int(i) for i in np.concatenate([[0], np.cumsum(sizes)])))
        setter(self, "weight", LEVEL_COST * levels + degrees)
        setter(self, "interval", np.repeat([s.interval for s in segments], sizes))
        setter(self, "integral", np.where(degrees == 0, mean, 0.0))

    def _towards(self, edge: float, side: int, width: float, interval: int) -> list[Segment]:
        """Segments of an interval that closes at `edge`, above it (side 1) or below it (side -1)."""
        top = self.order - (0 if self.touched[interval] else PORE_COST)
        count = int(top / LEVEL_COST) + 1
        out = []
        for k in range(count):
            near = width * RATIO ** (k + 1) if k < count - 1 else 0.0
            far = width * RATIO**k
            low, high = (near, far) if side > 0 else (-far, -near)
            out.append(Segment(edge, low, high, k, interval, int(top - LEVEL_COST * k)))
        return out

    @property
    def size(self) -> int:
        """Number of basis functions."""
        return self.first[-1]

    def wave_numbers(self, modes: int) -> FloatArray:
        """k_m = pi m/half for m = 0 ... modes."""
        out: FloatArray = np.pi * np.arange(modes + 1, dtype=np.float64) / self.half
        return out

    def cosine_coefficients(self, modes: int) -> FloatArray:
        """T_mi = integral of c_m phi_i, c_m = sqrt((2 - [m=0])/half) cos(k_m x); shape (modes + 1, size).

        integral over a segment of P_l e^(ikx) = h i^l j_l(k h/2) e^(ik mid), j_l the spherical Bessel
        function (DLMF 10.54.2).
        """
        k = self.wave_numbers(modes)
        norm = np.sqrt(np.where(k == 0, 1.0, 2.0) / self.half)
        out = np.empty((modes + 1, self.size))
        for segment, start in zip(self.segments, self.first, strict=False):
            h = segment.length
            middle = k * (segment.anchor + (segment.low + segment.high) / 2)
            wave = (np.cos(middle), -np.sin(middle), -np.cos(middle), np.sin(middle))
            for degree in range(segment.degree + 1):
                bessel = spherical_jn(degree, k * h / 2)
                out[:, start + degree] = norm * np.sqrt((2 * degree + 1) * h) * bessel * wave[degree % 4]
        return out
