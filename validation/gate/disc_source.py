"""Where the guaranteed discs of a cross-check come from: its finest grids, a pair kept from before, or grids made for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import product

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.refinement import Family
from validation.discs.all_unknowns import pair
from validation.discs.certificate import Discs, Pairing

#: Families as they are now -> discs at the frequencies of the cross-check, None where there are none.
DiscSource = Callable[[Mapping[str, Family]], Discs | None]


def given(discs: Discs | None) -> DiscSource:
    """Return the source of discs that are there already, whatever becomes of the families."""
    return lambda _: discs


def of_pairing(pairing: Pairing | None, problem: Problem, points: Array) -> DiscSource:
    """Return the source of the discs of a pair of grids, for the materials of a problem."""
    return given(None if pairing is None else pairing.discs(points, problem.places))


def of_finest(problem: Problem, points: Array) -> DiscSource:
    """Return the source of the discs of the finest grids, new after every refinement."""
    return lambda families: of_pairing(finest_pairing(families), problem, points)(families)


def finest_pairing(families: Mapping[str, Family]) -> Pairing | None:
    """Return the finest grids of the first pair of backends that offer potentials and currents."""
    for lower, upper in product(families.values(), repeat=2):
        potentials, currents = lower.finest.assembly, upper.finest.assembly
        if potentials is None or currents is None or potentials.traces is None or currents.fluxes is None:
            continue
        with suppress(ComputationError):  # of other parts or other layers of the cell: the limits will say so
            return pair(lower.finest, upper.finest)
    return None
