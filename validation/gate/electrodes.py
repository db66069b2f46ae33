"""Z_WE and Z_CE of two or more backends compared, where a reference electrode tells them apart, and what bounds them.

Between two patterned electrodes the mean potential of the lower face makes a two-port. At real s conforming elements are below
and the network above it as quadratic forms, Z_fem <= Z <= Z_net of 2 x 2: one direction in which that fails proves a fault, and

    |Z_CE - middle| <= sqrt(g_11 g_22)/2,   |Z_WE - middle| <= sqrt(g_11 g)/2,   g = g_11 - 2 g_12 + g_22,

of the gap g = Z_net - Z_fem, for |a' D b|^2 <= (a' g a/2)(b' g b/2) where -g/2 <= D <= g/2.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.solving.one_grid import Solution
from fem_constriction.solving.reference import COUNTER, WORKING, beyond_plane, mean_of, observed
from fem_constriction.solving.refinement import Family
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.agreement import ROUNDING, Agreement, Enclosure, compare, in_band

#: Whose mean potential and current make each spectrum: a' Z b with a = (1, 0), the port of the cell, and b of each electrode.
OF: Final[Mapping[str, tuple[float, float]]] = {WORKING: (1.0, -1.0), COUNTER: (0.0, 1.0)}


def electrodes_apart(limits: Mapping[str, Spectrum], families: Mapping[str, Family], tolerance: float) -> dict[str, Agreement]:
    """Return {electrode: agreement on its spectrum}; none where fewer than two backends tell them apart.

    Parameters
    ----------
    limits
        Backend -> its spectrum, with those of the electrodes.
    families
        Backend -> its grids.
    tolerance
        Relative to |Z| of each electrode.
    """
    telling = {name: limit.electrodes for name, limit in limits.items() if limit.electrodes}
    if len(telling) < 2:
        return {}
    bounds = _bounds(families)
    return {
        electrode: compare(
            {name: each[electrode] for name, each in telling.items()}, tolerance, enclosures=bounds.get(electrode, ())
        )
        for electrode in OF
    }


def _bounds(families: Mapping[str, Family]) -> dict[str, list[Enclosure]]:
    """What pairs of a lower and an upper bound know of each electrode of two patterned ones."""
    found: dict[str, list[Enclosure]] = {}
    there = [each for family in families.values() if family.problem.observed and (each := observed(family)) is not None]
    for lower, upper in product(there, repeat=2):
        if (lower.bound, upper.bound) == ("lower", "upper"):
            for electrode, ends in _enclosed(lower, upper).items():
                found.setdefault(electrode, []).append(ends)
    return found


def _enclosed(lower: Family, upper: Family) -> dict[str, Enclosure]:
    """The interval of each electrode at the shifts of the upper bound's finest grid; violations of the forms' order."""
    names = (lower.backend.name, upper.backend.name)
    violations = []
    for under, over in product(lower.solutions, upper.solutions):
        s = np.unique(in_band(over))
        below, above = _two_port(under, s), _two_port(over, s)
        least = np.linalg.eigvalsh(above - below)[:, 0] / np.trace(above, axis1=1, axis2=2)
        allowed = ROUNDING + under.model.error(s) + over.model.error(s)
        if np.any(least < -allowed):
            worst = int(np.argmin(least + allowed))
            violations.append(
                f"the two-port of {names[0]} ({under.grid.name}) exceeds that of {names[1]} ({over.grid.name}) by "
                f"{-least[worst]:.2g} of it at s = {s[worst]:.3g} 1/s: one is at fault"
            )
    s = np.unique(in_band(upper.finest))
    below, above = _two_port(lower.finest, s), _two_port(upper.finest, s)
    gap, middle = above - below, (above + below) / 2
    law = beyond_plane(lower.problem, s).real
    found = {}
    for electrode, weights in OF.items():
        b = np.array(weights)
        size = np.sqrt(np.maximum(gap[:, 0, 0], 0) * np.maximum(np.einsum("i,kij,j->k", b, gap, b), 0)) / 2
        centre = middle[:, 0] @ b + (law if electrode == COUNTER else -law)
        pairs = len(lower.solutions) * len(upper.solutions)
        found[electrode] = Enclosure(names, s, centre - size, centre + size, pairs, tuple(violations))
    return found


def _two_port(solution: Solution, s: Array) -> Array:
    return np.asarray(mean_of(solution.model).two_port(s).real)
