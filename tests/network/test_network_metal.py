"""Contacts whose outline cuts voxels: one distance of the edge wherever it lies, and an uncertainty that holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import brentq
from scipy.sparse.linalg import spsolve

import fem_constriction as fc
from fem_constriction.fem import enclose
from fem_constriction.grids.equal import voxelised
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, PORE
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
    resistive = metal(grid, grid.touched, 1e-6, ideal=False)
    assert sum(each.sum() for each in resistive.geometry.values()) == pytest.approx(ideal.area, rel=1e-12)
    touching = sum(each.sum() for name, each in resistive.geometry.items() if name != PORE)
    assert touching == pytest.approx(ideal.contact_area, rel=1e-12), "voxels that are cut keep their area of metal"
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
    assert solve_family(with_resistance(DISC, 1e-4), network, None, levels=(0,)).erratic(0.0) == parts[0]


# Contacts with a resistance


def with_resistance(region: dict[str, Any], resistance: float, **electrode: Any) -> fc.Cell:
    """In ohm m2: h y/kappa is 1 with 3e-5, h the voxels' width on the coarsest grid of the tests."""
    return cell(region, charge_transfer={"resistance": resistance, "capacitance": 8.85}, **electrode)


def test_a_cut_voxel_is_its_area_of_metal_in_series_with_the_ideal_link() -> None:
    """Link by link: a plain sparse solution with y = 1/(1/(y_ct s A) + 1/(kappa g)) in each voxel, g that of the ideal contact.

    Kinds have the mean of 1 - s of what they hold: with one kind for each voxel there would be no difference.
    """
    found, s = with_resistance(DISC, 1e-5), 2j * np.pi * 30.0
    grid, problem = Network().uniform(found, 12), Problem.of(found)
    assembly, y = Network().assemble(problem, grid), {name: place(s) for name, place in problem.places.items()}
    height = float(np.diff(grid.layers[0])[0])
    ideal = metal(grid, grid.touched, height, ideal=True)
    area = grid.copies * np.outer(np.diff(grid.x), np.diff(grid.y)).ravel()
    touched = grid.touched.ravel()
    links = y[CHARGE_TRANSFER] * area * touched
    cut = ideal.geometry[BULK] > 0
    links[cut] = 1 / (1 / links[cut] + 1 / (y[BULK] * ideal.geometry[BULK][cut]))
    size = assembly.unknowns
    drop = sparse.csr_array(
        (
            np.append(np.ones(area.size), -np.ones(area.size)),
            (np.tile(np.arange(area.size), 2), np.append(np.arange(area.size), np.full(area.size, size - 1))),
        ),
        shape=(area.size, size),
    )
    system = sparse.csc_array(y[BULK] * assembly.operators[BULK].tocsr() + drop.T @ sparse.diags_array(links) @ drop)
    port = np.zeros(size, dtype=complex)
    port[-1] = 1
    plain = spsolve(system, port)[-1]
    (z,) = solve_grid(found, Network(), grid, (1.0, 1e4)).model.impedance(np.array([s]))
    assert abs(z / plain - 1) < 2e-3
    without = y[CHARGE_TRANSFER] * area * touched
    system = sparse.csc_array(y[BULK] * assembly.operators[BULK].tocsr() + drop.T @ sparse.diags_array(without) @ drop)
    assert abs(z / spsolve(system, port)[-1] - 1) > 2e-2, "without the link it is another network"


def test_a_resistance_that_vanishes_leaves_the_ideal_contact() -> None:
    ideal, nearly = cell(DISC), cell(DISC, charge_transfer={"resistance": 1e-11})
    values = [solve_grid(each, Network(), Network().uniform(each, 24), None).model.resistance() for each in (ideal, nearly)]
    assert values[1] == pytest.approx(values[0], rel=1e-3), "kinds of voxels instead of each by itself"


def test_with_a_resistance_it_is_the_same_network_on_the_face_and_with_all_unknowns() -> None:
    found, band = with_resistance(DISC, 1e-4, pore={"capacitance": "8.85 uF/cm^2"}), (1e-1, 1e6)
    grid = Network().uniform(found, 12)
    s = 1j * np.geomspace(*band, 5)
    face = solve_grid(found, Network(), grid, band).model
    every = reduce(Network().assemble(found, grid), Problem.of(found).places, band)
    assert np.abs(face.impedance(s) / every.impedance(s) - 1).max() < 1e-8
    shares, entry = face.shares(s), face.entry(s)
    assert set(shares) == {BULK, CHARGE_TRANSFER, PORE} and set(entry) == {CHARGE_TRANSFER, PORE}
    assert np.abs(sum(shares.values()) - 1).max() < 1e-9
    assert np.abs(shares[CHARGE_TRANSFER] - every.shares(s)[CHARGE_TRANSFER]).max() < 1e-6
    assert face.of(Problem.of(found).places) is face, "it is asked for by places, whatever its matrices are of"


@pytest.mark.parametrize("resistance", [1e-7, 1e-5, 1e-3])
def test_the_limit_of_an_oblique_contact_with_a_resistance_lies_within_its_uncertainty(
    resistance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A square at 45 degrees; a network that is one of upright squares knows it (see `populations`). From h y/kappa = 100 on,
    a staircase has the same bias at every doubling: 3.7 u off with voxels that share their area alone."""
    monkeypatch.setattr("network.stacks.VOXELS", 48)
    side, narrow = 22e-6, WIDTH / np.sqrt(2)
    turned = {"shape": "rectangle", "centre": [WIDTH / 2] * 2, "size": [side, side], "angle": np.pi / 4}
    family = solve_family(cell(turned, charge_transfer={"resistance": resistance}), Network(), None)
    upright = [{"shape": "rectangle", "centre": [a, a], "size": [side / 2] * 2} for a in (side / 4, narrow - side / 4)]
    known = oracles.from_description(
        {
            "geometry": {"width": narrow, "thickness": WIDTH},
            "electrolyte": {"conductivity": SIGMA},
            "working_electrode": {
                "contact": {"shape": "regions", "regions": upright}, "charge_transfer": {"resistance": resistance}
            },
        }
    )  # fmt: skip
    truth, error = oracles.resistance(known, 5)
    value, u = family.resistance()
    assert abs(value - truth / 2) <= u + error * truth / 2
    assert u < 1e-2 * value
