"""Voids that store charge beside metal with charge transfer, on elements: a flat one is the thin layer of its depth."""

from __future__ import annotations

import numpy as np
from images import ELECTRODE, image_cell
from scipy.constants import epsilon_0

import fem_constriction as fc
from fem_constriction.fem import FiniteElements
from fem_constriction.problem.problem import Problem
from network import Network
from validation.benchmarks.random_images import plain

METAL, VOID, EPS = 1, 2, 1000
FREQUENCIES = np.array([1e-3, 1e2, 1e5, 1e6, 1e7])


def cells(depth: float, n: int = 6) -> tuple[fc.Cell, fc.Cell]:
    """A layer of metal on a ninth of the face and a void beside it, depth in um; and the thin layer that it tends to."""
    labels = np.zeros((5, n, n), dtype=np.int32)
    labels[0] = VOID
    labels[0, n // 3 : 2 * n // 3, n // 3 : 2 * n // 3] = METAL
    phases = [
        {"label": METAL, "kind": "electrode", "tied_to": "working"},
        {"label": VOID, "kind": "hole", "relative_permittivity": EPS},
    ]
    electrode = {"charge_transfer": ELECTRODE["charge_transfer"]}
    edges = (depth, 1, 1)
    void = image_cell(labels.shape, 1, {"image": labels, "phases": phases}, edges=edges, electrode=electrode)
    layer = electrode | {"pore": {"capacitance": EPS * epsilon_0 / (depth * 1e-6)}}
    return void, image_cell((4, n, n), 1 / 9, {"image": labels[1:]}, edges=edges, electrode=layer)


def test_a_flat_void_tends_to_the_thin_layer_of_its_depth() -> None:
    """c = eps/d on elements, as on the network: the first order in the depth is what the rim of the void stores."""
    off = []
    for depth in (0.2, 0.1, 0.05):
        z, thin = (plain(Problem.of(each), FiniteElements(), FREQUENCIES) for each in cells(depth))
        off.append(np.abs(z / thin - 1).max())
    assert off[0] > 1.5 * off[1] > 2.25 * off[2]
    assert off[2] < 1e-2


def test_both_backends_go_to_one_limit() -> None:
    """Halved voxels halve what lies between them; held at V by a void of no conductance, elements were 3 times off."""
    problem = Problem.of(cells(0.5)[0])
    gaps = []
    for level in (0, 1):
        one, other = (plain(problem, each, FREQUENCIES, level) for each in (FiniteElements(), Network()))
        gaps.append(np.abs(one / other - 1).max())
    assert gaps[0] < 0.3
    assert gaps[1] < 0.6 * gaps[0]


def test_a_void_at_low_frequency_is_a_hole_and_direct_current_knows_no_void() -> None:
    cell, _ = cells(0.5)
    metal, void = (each.model_dump() for each in cell.electrolyte.microstructure.phases)
    hole = cell.vary({"electrolyte.microstructure.phases": [metal, void | {"relative_permittivity": 0}]})
    found, holes = (plain(Problem.of(each), FiniteElements(), FREQUENCIES[:1]) for each in (cell, hole))
    # The void lies beside the contact, on eight times its area: so much of the current it takes, and no more.
    beside = 8 * 2 * np.pi * FREQUENCIES[0] * EPS * epsilon_0 / 0.5e-6 / 1e4
    assert 0 < abs(found / holes - 1)[0] < 1.2 * beside < 2e-7
    one, other = (FiniteElements().assemble(each, FiniteElements().grid(each, 0)) for each in (cell, hole))
    assert one.bound is None
    assert one.means is None
    assert other.bound == "lower"
