"""Z_true and how far off it may be, at the points of a random cell, from what has no part in what is judged.

Where the oracle knows the cell, its mode expansion, refined until its own error is a part of the uncertainties that are judged.
Elsewhere guaranteed discs, on grids of their own, whose radii assume no limit and no order. Where these are too wide, or there
are none, the limit of the *other* backend with the uncertainty that it states, if that is narrow enough: independent of what is
judged in its space, not in what both backends share. So the network is judged under curved outlines (elements state 1e-6 there,
it 1e-4); elements are not, since discs on triangles that narrow would take hours, but for a violation of wide ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fem import FiniteElements
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.of_cell import direct_current
from fem_constriction.solving.refinement import angular_band
from validation import oracles
from validation.benchmarks.honesty.populations import Description, Drawn
from validation.discs.certificate import Discs
from validation.discs.face import paired
from validation.oracles.face import DECAY

#: The reference tells right from wrong where its own error is below this part of u.
SHARP: Final = 1 / 2

#: Orders of the oracle, tried until it is sharp, by how many lines through edges cut the part of the face that it solves: two
#: (one along each axis), or more. The last ones take some 20 s per cell.
FEW_LINES, ORDERS = 2, ((8, 9), (7,))

#: Most modes along an axis that the oracle tells from a half space, some 2/(layer over width): it keeps their square in memory.
MODES: Final = 1500

#: Levels that discs are made on until they are sharp, and what a finer one leaves of a radius (theory).
DISCS: Final = (1, 2)
LEAVES: Final = 1 / 16

ORACLE: Final = "mode expansion"


@dataclass(frozen=True, eq=False)
class Truth:
    """Z at the points of a cell, ohm, (n,); u: how far off it may be, relative to |Z|, (n,); source: what it is of."""

    z: NDArray[np.complex128]
    u: Array
    source: str


def laplace(drawn: Drawn) -> NDArray[np.complex128]:
    """Return s at the points of a cell, 1/s: i omega at its frequencies, then 0 where direct current flows."""
    return np.append(2j * np.pi * drawn.frequency, [0.0] * direct_current(drawn.cell))


def truths(drawn: Drawn, results: Mapping[str, tuple[NDArray[np.complex128], Array]]) -> dict[str, Truth]:
    """Return the truth that each backend is judged by.

    results: backend -> (Z, u) that is judged, ohm, (n,). Raises ComputationError, InputError where there is no reference.
    """
    wanted = {name: SHARP * u / np.abs(z) for name, (z, u) in results.items()}
    if drawn.known_as is not None and _affordable(drawn.known_as):
        return dict.fromkeys(wanted, by_oracle(drawn, np.min(list(wanted.values()), axis=0)))
    others = {name: by_the_other(results, name) for name in results}
    try:
        return by_discs(drawn, wanted, others)
    except (ComputationError, InputError):
        return others


def by_oracle(drawn: Drawn, wanted: Array) -> Truth:
    """Return the mode expansion's Z, refined at the points where its error is above what is wanted."""
    assert drawn.known_as is not None
    described = oracles.from_description(drawn.known_as)
    lines = sum(map(len, oracles.partition(described.rectangles, described.width).edges))
    s, orders = laplace(drawn), ORDERS[lines > FEW_LINES]
    z, error = oracles.impedance(described, s, orders[0])
    for order in orders[1:]:
        if np.mean(again := error > wanted) >= 0.5:
            z[again], error[again] = oracles.impedance(described, s[again], order)
    return Truth(drawn.times * z, error, ORACLE)


def by_the_other(results: Mapping[str, tuple[NDArray[np.complex128], Array]], judged: str) -> Truth:
    """Return the limit of the backend that is not judged, with its own uncertainty."""
    (other,) = set(results) - {judged}
    z, u = results[other]
    return Truth(z, u / np.abs(z), f"limit of {other}")


def by_discs(drawn: Drawn, wanted: Mapping[str, Array], others: Mapping[str, Truth]) -> dict[str, Truth]:
    """Return centres and radii of guaranteed discs for each backend: on finer grids where those are sharp, or may be.

    wanted: backend -> what its truth's error may be, relative to |Z|, (n,). others: a truth that costs no more, taken where the
    coarsest discs are not sharp and it is. A level more is made for the rest, as long as it may make them sharp (`LEAVES`). All
    of that is decided by widths alone.
    """
    found: dict[str, Truth] = {}
    left = dict(wanted)
    for level in DISCS:
        truth = _of_discs(face_discs(drawn, level), f"discs, level {level}")
        found |= dict.fromkeys(left, truth)
        left = {name: each for name, each in left.items() if not _sharp(truth.u, each)}
        found |= {name: others[name] for name, each in left.items() if _sharp(others[name].u, each)}
        left = {name: each for name, each in left.items() if found[name] is truth}
        if not any(_sharp(LEAVES * truth.u, each) for each in left.values()):
            break
    return found


def _sharp(u: Array, wanted: Array) -> bool:
    """Whether a truth is known well enough at more than half of the points."""
    return bool(np.mean(u > wanted) < 0.5)


def _of_discs(discs: Discs, source: str) -> Truth:
    z, u = discs.centre, discs.radius / np.abs(discs.centre)
    if discs.resistance is not None:
        low, high = discs.resistance
        z, u = np.append(z, (low + high) / 2), np.append(u, (high - low) / (high + low))
    return Truth(z, np.asarray(u), source)


def face_discs(drawn: Drawn, level: int) -> Discs:
    """Return the guaranteed discs of the grids of a level. Raises ComputationError, InputError where there are none."""
    problem = Problem.of(drawn.cell).within(angular_band(drawn.frequency))
    return paired(problem, FiniteElements().sides(problem, level)).discs(drawn.frequency)


def _affordable(known_as: Description) -> bool:
    """Whether the oracle needs few modes: the thinner a layer, the more of them do not see a half space."""
    described = oracles.from_description(known_as)
    layer = described.thickness / (1 if described.boundary is None else described.layers)
    part = oracles.partition(described.rectangles, described.width)
    return DECAY * max(part.half) * described.width[0] / (np.pi * layer) <= MODES
