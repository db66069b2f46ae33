"""An element of a column as a symmetric two-port: what is left of it when its inner nodes are eliminated."""

from __future__ import annotations

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.fem.stacks.spaces import LineSpace
from fem_constriction.stack.layered import TwoPort


def two_port(degree: int) -> TwoPort:
    """Return c and d of an element of a column (`layered`): S = K/h + lambda h M, its inner nodes eliminated.

    c: a row of S summed, both ends alike; d: its two entries' difference, ends opposite. Degree 2:
    c = x (60 + x)/(120 + 12 x)/h, x = lambda h^2.
    """
    line = LineSpace.build(np.array([0.0, 1.0]), degree)
    order = np.append([0, degree], np.arange(1, degree))
    k, m = (each.toarray()[np.ix_(order, order)] for each in (line.stiffness, line.mass))
    inner, opposite = slice(2, None), np.array([1.0, -1.0])

    def ends(values: Array, height: float) -> tuple[Array, Array]:
        x = values[:, None] * height**2
        system = k[inner, inner] + x[:, :, None] * m[inner, inner]
        # Inner nodes of alike ends as 1 + w: K sees only w, so that no difference of large numbers is taken at small lambda.
        w = np.linalg.solve(system, -(x * m[inner].sum(1))[:, :, None])[:, :, 0]
        v = np.linalg.solve(system, -((k + x[:, :, None] * m)[:, inner, :2] @ opposite)[:, :, None])[:, :, 0]
        even = x[:, 0] * (m[0].sum() + w @ m[0, inner]) + w @ k[0, inner]
        odd = (k[0, :2] + x * m[0, :2]) @ opposite + np.sum((k[0, inner] + x * m[0, inner]) * v, 1)
        return even / height, odd / height

    return ends


def exact(values: Array, height: float) -> tuple[Array, Array]:
    """Return c and d of a layer of the continuum, not discretised along z (`layered`): both ends alike, and opposite."""
    root = np.sqrt(values)
    tangent = np.tanh(root * height / 2)
    flat = root * height < 1e-8
    return root * tangent, np.where(flat, 2 / height, root / np.where(flat, 1.0, tangent))
