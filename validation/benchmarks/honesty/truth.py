"""Z_true and how far off it may be, at the points of a random cell, from what has no part in what is judged.

Where the oracle knows the cell, its mode expansion, refined until its own error is a part of the uncertainties that are judged.
Elsewhere guaranteed discs, on grids of their own, whose radii assume no limit and no order; and where there are none, finer
grids of the *other* backend, with the uncertainty that it states of them: independent of what is judged in its space, not in
what both backends share.
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
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.refinement import FIRST_LEVELS, angular_band, solve_family
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

#: Levels above the usual ones that the other backend is solved on.
FINER: Final = 1

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


def truths(drawn: Drawn, wanted: dict[str, Array]) -> dict[str, Truth]:
    """Return the truth that each backend is judged by.

    wanted: backend -> its u/|Z|, (n,). Raises ComputationError, InputError where no reference can be computed.
    """
    if drawn.known_as is not None and _affordable(drawn.known_as):
        return dict.fromkeys(wanted, by_oracle(drawn, SHARP * np.min(list(wanted.values()), axis=0)))
    try:
        return by_discs(drawn, {name: SHARP * each for name, each in wanted.items()})
    except (ComputationError, InputError):
        return {name: by_the_other(drawn, name) for name in wanted}


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


def by_the_other(drawn: Drawn, judged: str) -> Truth:
    """Return the limit of finer grids of the backend that is not judged, with its own uncertainty."""
    (other,) = {"fem", "network"} - {judged}
    cell, levels = drawn.cell, [level + FINER for level in FIRST_LEVELS]
    family = solve_family(cell, backend_named(other), angular_band(drawn.frequency), levels=levels)
    limit = family.limit(drawn.frequency)
    z, u = np.asarray(limit.value, dtype=complex), np.asarray(limit.uncertainty)
    if direct_current(cell):
        resistance, uncertain = family.resistance()
        z, u = np.append(z, resistance), np.append(u, uncertain)
    return Truth(z, u / np.abs(z), f"finer grids of {other}")


def by_discs(drawn: Drawn, wanted: Mapping[str, Array]) -> dict[str, Truth]:
    """Return centres and radii of guaranteed discs for each backend: on finer grids where those are sharp, or may be.

    wanted: backend -> what its truth's error may be, relative to |Z|, (n,). A level more is made for those whose discs are too
    wide, as long as it may make them sharp (`LEAVES`): decided by widths alone.
    """
    found: dict[str, Truth] = {}
    left = dict(wanted)
    for level in DISCS:
        truth = _of_discs(face_discs(drawn, level), f"discs, level {level}")
        found |= dict.fromkeys(left, truth)
        left = {name: each for name, each in left.items() if np.mean(truth.u > each) >= 0.5}
        if not any(np.mean(LEAVES * truth.u > each) < 0.5 for each in left.values()):
            break
    return found


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
