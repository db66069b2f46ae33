"""The disc is guaranteed: the truth lies in it at every frequency, on any pair of grids, and a fault does not."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
from paper_cells import DATA
from random_cells import random_cell
from stacked_cells import ONE_PER_CENT, times

import fem_constriction as fc
from fem_constriction.errors import ComputationError
from fem_constriction.fem import FiniteElements
from fem_constriction.fem.stacks.spaces import LineSpace
from fem_constriction.fem.stacks.traces import moments
from fem_constriction.grids.grid import uniform
from fem_constriction.processes.elements import evaluate
from fem_constriction.processes.names import BULK
from fem_constriction.processes.of_cell import admittances
from fem_constriction.solving.one_grid import Solution, solve_grid
from fem_constriction.space.reconstruction import Reconstruction
from network import Network
from validation import oracles
from validation.discs.all_unknowns import certify
from validation.discs.all_unknowns import pair as paired
from validation.discs.certificate import Discs

REFERENCES = json.loads((DATA / "references.json").read_text())["spectra"]
BAND = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)


@lru_cache(maxsize=4)
def pair(cell: fc.Cell, level: int, degree: int = 2, band=BAND) -> tuple[Solution, Solution]:
    fem, network = FiniteElements(degree), Network()
    return (
        solve_grid(cell, fem, fem.grid(cell, level), band, keep=True),
        solve_grid(cell, network, network.grid(cell, level), band, keep=True),
    )


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("entry", REFERENCES, ids=lambda entry: entry["cell"])
def test_the_references_lie_in_the_discs(entry: dict, degree: int) -> None:
    cell = fc.Cell.load(DATA / entry["cell"])
    discs = certify(*pair(cell, 0, degree), entry["frequency"])
    reference = np.array(entry["real"]) + 1j * np.array(entry["imag"])
    # 1e-5: how far two independent references agree, and one of theirs is 1.8e-6 off (tests of the oracles).
    assert np.all(discs.holds(reference, 1e-5 * np.abs(reference)))
    assert np.all(discs.radius <= 0.05 * np.abs(reference))  # coarsest grids; and not vacuous
    assert discs.imbalance < 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_the_truth_lies_in_the_discs_of_random_cells(seed: int) -> None:
    cell = random_cell(100 + seed)
    frequency = np.geomspace(1e-2, 1e8, 6)
    truth, error = oracles.spectrum(oracles.from_description(tomllib.loads(cell.dumps())), frequency)
    discs = certify(*pair(cell, 0, band=(2 * np.pi * 1e-2, 2 * np.pi * 1e8)), frequency)
    assert np.all(discs.holds(truth, error * np.abs(truth)))
    resistance, error = oracles.resistance(oracles.from_description(tomllib.loads(cell.dumps())))
    low, high = discs.resistance
    assert low * (1 - error) <= resistance <= high * (1 + error)


def test_discs_shrink_with_refinement_and_the_bounds_are_nested(small: fc.Cell, frequencies: np.ndarray) -> None:
    pairings = [paired(*pair(small, level)) for level in (0, 1)]
    for s in 2 * np.pi * np.geomspace(1e-3, 1e9, 13):
        (low, high), (lower, upper) = (pairing.enclosure(s) for pairing in pairings)
        assert low <= lower <= upper <= high
    coarse, fine = (pairing.discs(frequencies) for pairing in pairings)
    assert np.all(fine.radius < coarse.radius / 2)
    assert coarse.resistance[0] <= fine.resistance[0] <= fine.resistance[1] <= coarse.resistance[1]
    # Two discs that both hold the truth meet.
    assert np.all(np.abs(fine.centre - coarse.centre) <= fine.radius + coarse.radius)


def test_currents_bound_more_tightly_than_their_network(small: fc.Cell) -> None:
    """Z <= Z_RT <= Z_net: linear between faces instead of lumped, for nothing."""
    lower, upper = pair(small, 0)
    low, high = certify(lower, upper, [1.0]).resistance
    assert lower.model.resistance() == pytest.approx(low, rel=2e-8)
    assert high < upper.model.resistance()


def test_currents_are_conserved_to_rounding_and_total_one(small: fc.Cell) -> None:
    _, upper = pair(small, 0)
    shifts = upper.model.shifts
    y = evaluate(admittances(small), shifts)
    found = upper.assembly.fluxes(upper.model.potentials(upper.model.coordinates), y[BULK])
    area = 4 * np.outer(found.x.widths, found.y.widths)
    metal = found.through["charge_transfer"] + found.through["pore"]
    for faces in (metal, found.through["grain_boundary"], found.through["counter_electrode"]):
        assert np.einsum("fxyr,xy->fr", faces, area) == pytest.approx(np.ones((faces.shape[0], shifts.size)), abs=1e-9)
    still = np.flatnonzero(shifts == 0)
    assert np.all(found.through["pore"][..., still] == 0)


@pytest.mark.parametrize("degree", [1, 2])
def test_traces_are_integrated_exactly_against_any_density(degree: int) -> None:
    space = LineSpace.build(np.array([0.0, 0.1, 0.7, 1.0]), degree)
    density = Reconstruction(2.0 * np.array([0.0, 0.25, 0.7, 0.75, 1.0]), breaks=(2,))
    integrals = space.nodes**degree @ moments(space, degree, density, 2.0)
    points, weights = np.polynomial.legendre.leggauss(3)
    for interval, (a, b) in enumerate(pairwise(density.lines / 2)):
        x = (a + b) / 2 + (b - a) / 2 * points
        mean, first = ((b - a) / 2 * weights @ (x**degree * (x - (a + b) / 2) ** power) for power in (0, 1))
        unit_means = np.eye(4)[interval] * mean + density.slopes.toarray()[interval] * 2.0 * first
        integrals = integrals - unit_means
    assert integrals == pytest.approx(np.zeros(4), abs=1e-14)


@pytest.fixture(scope="module")
def narrow(small: fc.Cell) -> tuple[Discs, fc.Spectrum]:
    """Discs of level 1, and the limit that they hold."""
    discs = certify(*pair(small, 1), np.geomspace(1e-2, 1e8, 31))
    return discs, fc.solve(small, discs.frequency, backend="fem")


@pytest.mark.parametrize("wrong", ONE_PER_CENT)
def test_a_limit_one_per_cent_off_in_one_admittance_leaves_the_discs(
    small: fc.Cell, narrow: tuple[Discs, fc.Spectrum], wrong: dict[str, float]
) -> None:
    """At the tolerance that resolves it: level 1, where the discs are a few 1e-4 wide."""
    discs, right = narrow
    limit = fc.solve(times(small, wrong), discs.frequency, backend="fem")
    assert np.all(discs.holds(right.impedance, right.uncertainty))
    assert not np.all(discs.holds(limit.impedance, limit.uncertainty))


def test_without_potentials_or_currents_nothing_is_certified(small: fc.Cell) -> None:
    lower, upper = pair(small, 0)
    with pytest.raises(ComputationError, match="a certificate takes conforming potentials from one backend"):
        certify(upper, lower, [1.0])
    with pytest.raises(ComputationError, match="both kept"):
        certify(lower.without_potentials(), upper, [1.0])
    whole = replace(upper, grid=uniform(small, 7))
    with pytest.raises(ComputationError, match="same part of the cell"):
        certify(lower, whole, [1.0])
