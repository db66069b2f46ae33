"""Ideal contacts whose outline cuts voxels: one distance of the edge wherever it lies, and an uncertainty that holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import fem_constriction as fc
from fem_constriction.fem import enclose
from fem_constriction.grids.equal import voxelised
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import BULK, PORE
from fem_constriction.reduction.projection import reduce
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import solve_family
from network import Network
from network.metal import metal
from validation import oracles

WIDTH, SIGMA = 50e-6, 0.046
SQUARE = {"shape": "rectangle", "centre": [25e-6, 25e-6], "size": [20e-6, 20e-6], "angle": np.pi / 4}
TRIANGLE = {"shape": "polygon", "vertices": [[10e-6, 12e-6], [34e-6, 12e-6], [22e-6, 36e-6]]}
DISC = {"shape": "disc", "centre": [25e-6, 25e-6], "radius": 12.6e-6}


def cell(region: dict[str, Any], width: Any = WIDTH, **electrode: Any) -> fc.Cell:
    return fc.Cell(
        geometry={"width": width, "thickness": WIDTH},
        electrolyte={"conductivity": SIGMA, "relative_permittivity": 150},
        working_electrode={"contact": {"shape": "regions", "regions": [region]}, **electrode},
    )


def distance(half: float, voxels: int) -> float:
    """How far inside its outline the edge of a strip seems to be, in voxels; half: half of the strip, in voxels."""
    size = [2 * half / voxels * WIDTH, WIDTH / 10]
    strip = {"shape": "rectangle", "centre": [WIDTH / 2, WIDTH / 20], "size": size}
    narrow = cell(strip, width=[WIDTH, WIDTH / 10])
    r = solve_grid(narrow, Network(), voxelised(Problem.of(narrow), voxels), None).model.resistance() * SIGMA * WIDTH / 10
    return half - brentq(lambda a: oracles.strip_equipotential(2 * a / voxels, 1.0) - r, half - 1, half + 1)


@pytest.mark.parametrize("part", [0.0, 0.03, 0.25, 0.5, 0.8, 0.99])
def test_the_edge_of_an_ideal_contact_is_d_over_four_inside_wherever_it_crosses_a_voxel(part: float) -> None:
    """Edge-shift law, D = sqrt(2) h for cubes. The next term is 0.07 h/a at most, a half of the strip: 1.7e-3 here."""
    assert distance(40 + part, 160) == pytest.approx(np.sqrt(2) / 4, abs=2e-3)


def test_a_staircase_is_seen_to_have_no_such_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("network.metal.WHOLE", 0.5)  # voxels that are half metal are held
    monkeypatch.setattr("numpy.hypot", lambda a, b: 1e9 * np.sqrt(a * a + b * b))  # and nothing is linked
    assert distance(20.25, 80) - distance(20.75, 80) == pytest.approx(-0.5 + 1.0, abs=1e-2)


@pytest.mark.parametrize("region", [SQUARE, TRIANGLE, DISC], ids=["square", "triangle", "disc"])
def test_the_limit_lies_within_its_uncertainty_of_the_guaranteed_interval(region: dict[str, Any]) -> None:
    """A rotated square was 10 u off, a triangle 2.5 u, with voxels that are metal or not."""
    ideal = cell(region)
    bounds = enclose(ideal, 3e-4, [0.0])
    value, u = fc.resistance(ideal, uncertainty=True)
    assert bounds.lower[0] - u <= value <= bounds.upper[0] + u
    assert u < 1e-3 * value


def test_an_outline_costs_one_term_of_first_order() -> None:
    values = [solution.model.resistance() for solution in solve_family(cell(DISC), Network(), None).solutions]
    assert np.log2((values[0] - values[1]) / (values[1] - values[2])) == pytest.approx(1.0, abs=0.05)


def test_on_the_face_and_with_all_unknowns_it_is_the_same_network() -> None:
    ideal, band = cell(DISC, pore={"capacitance": "8.85 uF/cm^2"}), (1e2, 1e6)
    grid = Network().uniform(ideal, 12)
    s = 1j * np.geomspace(*band, 5)
    face = solve_grid(ideal, Network(), grid, band).model.impedance(s)
    every = reduce(Network().assemble(ideal, grid), Problem.of(ideal).places, band).impedance(s)
    assert np.abs(face / every - 1).max() < 1e-8


def test_what_joins_metal_and_voxels_has_the_area_of_the_face() -> None:
    ideal = cell(DISC, pore={"capacitance": "8.85 uF/cm^2"})
    grid = Network().uniform(ideal, 20)
    resistive = metal(grid, grid.touched, 1e-6, ideal=False).geometry
    assert sum(each.sum() for each in resistive.values()) == pytest.approx(ideal.area, rel=1e-12)
    linked = metal(grid, grid.touched, 1e-6, ideal=True)
    assert linked.geometry[PORE].sum() == pytest.approx(ideal.area - ideal.contact_area, rel=1e-12)
    assert np.all((linked.geometry[BULK] > 0) == ((grid.touched.ravel() > 0) & ~linked.held))


def test_what_follows_no_series_grows_as_pores_conduct() -> None:
    ideal, network = cell(DISC, pore={"capacitance": "8.85 uF/cm^2"}), backend_named("network")
    family = solve_family(ideal, network, None, levels=(0,))
    parts = family.erratic(2j * np.pi * np.array([0.0, 1e4, 1e7]))
    assert parts[0] < 0.1
    assert parts[0] < parts[1] < 0.2
    assert parts[2] == 1.0
    assert solve_family(cell(DISC, charge_transfer={"resistance": "1 ohm cm^2"}), network, None, levels=(0,)).erratic(0.0) == 1
