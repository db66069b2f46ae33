"""R = 1/(4 sigma n a) + sum over pairs of 1/(2 pi sigma n^2 s_ij) less the uniform part: many equipotential discs on a face.

Discs that are far from each other and from the walls see each other as points. Walls are mirrors: the images of a spot lie on a
lattice of twice the width, and the uniform part of what they make is the electrolyte's own resistance. The lattice sum is
split between space and waves (Ewald). Source: Holm 1967; Greenwood 1966, doi 10.1088/0508-3443/17/12/310; the value of the
square lattice, -3.90026492/L, is that of Bonsall and Maradudin 1977.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from validation.oracles.validity import positive, within

#: Splitting of the sum, times the width; images and waves that are left out are below 1e-15 then.
SPLIT, IMAGES, WAVES = 4.0, 2, 16


def seen(offsets: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    """Return sum over the square lattice of period 2 of 1/|d + n|, less its uniform part, of a layer on a plane at 0 V.

    offsets: d, (..., 2), in units of the width; at d = 0 the term itself is left out. height: of the layer, at least 0.3.
    """
    within("height", height, 0.3, np.inf)
    d = np.asarray(offsets, dtype=float)
    n = 2.0 * np.arange(-IMAGES, IMAGES + 1)
    r = np.hypot(d[..., 0, None, None] + n[:, None], d[..., 1, None, None] + n)
    own = r < 1e-12
    near = np.where(own, -2.0 * SPLIT / sqrt(pi), erfc(SPLIT * r) / np.where(own, 1.0, r)).sum((-1, -2))
    m = pi * np.arange(-WAVES, WAVES + 1)
    k = np.hypot(m[:, None], m)
    k[WAVES, WAVES] = 1.0
    weight = (erfc(k / (2.0 * SPLIT)) + np.tanh(k * min(height, 1e3)) - 1.0) / k
    weight[WAVES, WAVES] = 0.0
    waves = np.einsum("ij,...i,...j->...", weight, np.exp(1j * m * d[..., 0, None]), np.exp(1j * m * d[..., 1, None])).real
    return np.asarray(near + 2.0 * pi / 4.0 * waves - 2.0 * sqrt(pi) / (SPLIT * 4.0))


def many_discs(
    centres: Sequence[tuple[float, float]], radius: float, width: float, height: float, conductivity: float, equal: bool = False
) -> tuple[float, float]:
    """Return R of n equal discs on a square face, one matrix of 1/(4 sigma a) and the sums over images of pairs, and its error.

    Discs are points to each other: off by 0.34 (2 a/s)^3/(4 sigma n a), s the smallest distance of two centres, or of one and
    its mirror image (one disc in a round tube: 0.338).

    Parameters
    ----------
    centres
        x and y of each disc, m.
    radius
        a of all of them, m, at most s/4.
    width, height
        Of the face, which is square, and of the electrolyte, m.
    conductivity
        sigma, S/m.
    equal
        Each disc carries as much, as in the sum over pairs, which is never less; else all are at one potential.

    Returns
    -------
    resistance, off : float
        Constriction resistance, and how far off it is at most, ohm.

    Raises
    ------
    InputError
        For numbers that are not positive, and for discs that are nearer to each other than 4 a.

    References
    ----------
    Greenwood 1966.
    """
    positive(radius=radius, width=width, height=height, conductivity=conductivity)
    at = np.asarray(centres, dtype=float) / width
    images = np.stack([at * sign for sign in ((1, 1), (-1, 1), (1, -1), (-1, -1))])
    offsets = at[:, None, None] - images[None]  # (disc, image, disc, 2)
    matrix = seen(offsets, height / width).sum(1) / (2.0 * pi * conductivity * width)
    matrix += np.eye(len(at)) / (4.0 * conductivity * radius)
    between = np.linalg.norm(at[:, None] - at, axis=2)[~np.eye(len(at), dtype=bool)]
    walls = 2.0 * np.minimum(at, 1.0 - at)
    ratio = radius / width / min([*between, *walls.ravel()])
    within("radius over distance", ratio, 0.0, 0.25)
    off = 0.34 * (2.0 * ratio) ** 3 / (4.0 * conductivity * len(at) * radius)
    if equal:
        return float(matrix.mean()), off
    return float(1.0 / np.linalg.solve(matrix, np.ones(len(at))).sum()), off
