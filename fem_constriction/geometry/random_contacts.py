"""Contacts that chance makes: discs that keep a distance, and the highest parts of a rough surface. The same for the same seed.

Discs are placed one after the other, the largest first, wherever they fit (random sequential addition). A rough surface is
Gaussian and self-affine: C(q) ~ (1 + (q xi)^2)^-(1 + H), so that heights at a distance r below the correlation length xi differ
by r^H, and those farther apart know nothing of each other. Pressed against a flat it touches where it is highest. It is
periodic: what leaves a face at one wall enters at the other. Source: Persson et al. 2005, doi 10.1088/0953-8984/17/1/R01.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError
from fem_constriction.geometry.pixels import Pixels

#: Places that are tried for a disc before it counts as one too many, and how many at once.
TRIES, AT_ONCE = 20_000, 200


def lognormal(count: int, spread: float, seed: int) -> Array:
    """Return radii of mean 1 whose logarithms are normal; spread: standard deviation over mean of all that there may be."""
    width = np.sqrt(np.log1p(spread**2))
    drawn = np.exp(width * np.random.default_rng([seed, 1]).standard_normal(count) - width**2 / 2)
    return np.asarray(drawn)


def placed(radii: Array, width: tuple[float, float], gap: float, seed: int) -> Array:
    """Return centres of discs on a face, (n, 2), m, no two nearer to each other than gap, nor to a mirror image in a wall.

    Raises InputError, without a key, with how many found room.
    """
    random = np.random.default_rng([seed, 0])
    order = np.argsort(-radii, kind="stable")
    centres = np.empty((radii.size, 2))
    for number, place in enumerate(order):
        margin = radii[place] + gap / 2  # of the mirror image in a wall it is a gap
        room = np.array(width) - 2 * margin
        before = order[:number]
        found = None
        for _ in range(TRIES // AT_ONCE if np.all(room >= 0) else 0):
            tried = margin + room * random.random((AT_ONCE, 2))
            away = np.linalg.norm(tried[:, None] - centres[before], axis=2) >= radii[before] + radii[place] + gap
            if (good := np.flatnonzero(away.all(1))).size:
                found = tried[good[0]]
                break
        if found is None:
            part = np.pi * float(np.sum(radii**2)) / (width[0] * width[1])
            raise InputError(
                f"{number} of {radii.size} discs find room, which together cover {part:.3g} of the face with gaps of "
                f"{gap:.3g} m; placed at random hardly more than half of a face is ever covered"
            )
        centres[place] = found
    return centres


def drawn(centres: Array, radii: Array, width: tuple[float, float], shape: tuple[int, int]) -> Pixels:
    """Return discs on pixels: metal where a pixel's centre is inside of one."""
    found = np.zeros(shape, dtype=bool)
    steps = [width[axis] / shape[axis] for axis in range(2)]
    for (x, y), radius in zip(centres, radii, strict=True):
        ranges = []
        for axis, at in enumerate((x, y)):
            low, high = np.floor((at - radius) / steps[axis]), np.ceil((at + radius) / steps[axis])
            ranges.append(np.arange(max(0, int(low)), min(shape[axis], int(high) + 1)))
        away = [(ranges[axis] + 0.5) * steps[axis] - at for axis, at in enumerate((x, y))]
        found[np.ix_(*ranges)] |= away[0][:, None] ** 2 + away[1] ** 2 < radius**2
    return found


def rough(
    fraction: float, correlation: float, hurst: float, width: tuple[float, float], shape: tuple[int, int], seed: int
) -> Pixels:
    """Return where a rough surface is highest: as many pixels as are nearest to fraction of them."""
    waves = [2 * np.pi * np.fft.fftfreq(count, length / count) for count, length in zip(shape, width, strict=True)]
    squared = waves[0][:, None] ** 2 + waves[1] ** 2
    amplitude = (1 + correlation**2 * squared) ** (-(1 + hurst) / 2)
    noise = np.random.default_rng([seed, 2]).standard_normal(shape)
    height = np.fft.ifft2(np.fft.fft2(noise) * amplitude).real
    order: NDArray[np.int64] = np.argsort(-height.ravel(), kind="stable")
    found = np.zeros(height.size, dtype=bool)
    found[order[: round(fraction * height.size)]] = True
    return found.reshape(shape)
