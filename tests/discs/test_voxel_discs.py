"""Discs of label images: what they guarantee holds on grids far finer, and a fault in either side is found out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.constants import epsilon_0

import fem_constriction as fc
from fem_constriction.fem import FiniteElements
from fem_constriction.geometry.grains import voronoi
from fem_constriction.problem.problem import Problem
from network import Network
from tests.shared.images import BOUNDARY, image_cell
from tests.shared.oracle import direct
from validation.discs.voxels import on_voxels

FREQUENCIES = np.array([1e-2, 1e3, 1e5, 3e6])
BACKENDS = [FiniteElements(), Network()]


def cell_of(labels: np.ndarray, *, ideal: bool = False) -> fc.Cell:
    """Grains, a conductor, a dielectric and holes."""
    inclusions = [
        {"label": 50, "conductivity": "5 mS/cm"},
        {"label": 60, "conductivity": 0, "relative_permittivity": 40},
        {"label": 70, "conductivity": 0},
    ]
    electrode = {"pore": {"capacitance": "8.85 uF/cm^2"}}
    if not ideal:
        electrode["charge_transfer"] = {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}
    structure = {"image": labels, "inclusions": inclusions, "boundary": BOUNDARY}
    counter = {"charge_transfer": {"resistance": "2 ohm cm^2", "capacitance": "100 uF/cm^2"}}
    return image_cell(labels.shape, 4 / 9, structure, electrode=electrode, counter=counter)


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    found = voronoi((4, 6, 6), 7, seed=4)
    found[1, 2, 2:4] = 50
    found[3, 4, 1] = found[0, 0, 5] = 60
    found[2, 4:6, 4] = found[3, 1, 1] = 70
    return found


@pytest.mark.parametrize("ideal", [False, True])
def test_finer_grids_of_both_lie_in_the_discs_of_a_coarse_one(labels: np.ndarray, ideal: bool) -> None:
    cell = cell_of(labels, ideal=ideal)
    problem = Problem.of(cell).over(FREQUENCIES)
    pairing = on_voxels(problem, BACKENDS)
    discs = pairing.discs(FREQUENCIES)
    elements = FiniteElements()
    fine = direct(elements.assemble(problem, elements.grid(problem, 1)), problem.places, 2j * np.pi * FREQUENCIES)
    # The fine grid's own distance to the continuum is a few hundredths of the coarse disc's radius.
    assert np.all(np.abs(fine - discs.centre) <= 1.05 * discs.radius)
    assert np.all(discs.radius < 0.15 * np.abs(fine))
    finer = on_voxels(problem, BACKENDS, 1).discs(FREQUENCIES)
    assert np.all(finer.radius < discs.radius)
    assert np.all(np.abs(finer.centre - discs.centre) <= discs.radius + finer.radius)
    # Interval and energies of direct current: the finer one lies within the coarser.
    assert discs.resistance and finer.resistance
    (low, high), (lower, higher) = discs.resistance, finer.resistance
    assert low <= lower * (1 + 1e-7) <= higher * (1 + 2e-7) <= high * (1 + 3e-7)


def test_an_even_body_has_discs_of_no_size() -> None:
    """Layers under full contact: potentials and currents are exact, and the circuit is in the disc."""
    labels = np.repeat(np.arange(3), 2)[:, None, None] + np.zeros((1, 3, 3), dtype=int)
    electrode = {"charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}}
    cell = image_cell(labels.shape, 1.0, {"image": labels, "boundary": BOUNDARY}, electrode=electrode)
    problem = Problem.of(cell).over(FREQUENCIES)
    discs = on_voxels(problem, BACKENDS).discs(FREQUENCIES)
    # Rounding that is allowed for, and what single precision leaves of the currents.
    assert np.all(discs.radius < 1e-5 * np.abs(discs.centre))


def test_currents_that_are_not_those_of_the_same_voxels_are_found_out(labels: np.ndarray) -> None:
    problem = Problem.of(cell_of(labels)).over(FREQUENCIES)
    pairing = on_voxels(problem, BACKENDS)
    voxels = Network().assemble(problem, Network().grid(problem, 0))
    assert voxels.through is not None
    potentials = np.random.default_rng(0).random((voxels.unknowns, 2))

    class Given:
        def values(self, unknowns: slice) -> np.ndarray:
            return potentials[unknowns]

    y = {name: np.array([float(each(1.0)), float(each(1e4))]) for name, each in voxels.admittances(problem.places).items()}
    (down, across, aside), worst = voxels.through(Given(), y)
    # Whatever the potentials are, what enters a voxel leaves it, and all of it leaves at the counter electrode.
    left = down[:-1] - down[1:] + across[:, :-1] - across[:, 1:] + aside[:, :, :-1] - aside[:, :, 1:]
    assert np.abs(left).max() < 1e-11 * max(np.abs(down).max(), np.abs(across).max())
    assert down[-1].sum((0, 1)) == pytest.approx([1.0, 1.0], rel=1e-9)
    assert worst > 0.1
    assert pairing.imbalance < 1e-3


@pytest.mark.filterwarnings("ignore:.*like the fields of a chessboard:fem_constriction.errors.ResolutionWarning")
@pytest.mark.parametrize("contrast", [3.0, 100.0, 1e4])
def test_a_chessboard_lies_inside_at_every_contrast_and_frequency(contrast: float) -> None:
    """Keller, Dykhne: four fields of k1 and k2 conduct like sqrt(k1 k2), at every complex s; their edge no grid resolves."""
    fields = np.add.outer(np.arange(8) // 4, np.arange(8) // 4) % 2
    labels = np.repeat(9 * fields[:, :, None], 2, axis=2)
    inclusion = {"label": 9, "conductivity": 0.046 / contrast, "relative_permittivity": 1e4}
    cell = image_cell(labels.shape, 1.0, {"image": labels, "inclusions": [inclusion]}, electrode={})
    problem = Problem.of(cell).over(FREQUENCIES)
    pairing = on_voxels(problem, BACKENDS)
    discs = pairing.discs(FREQUENCIES)
    s = 2j * np.pi * FREQUENCIES
    one, other = 0.046 + s * 150 * epsilon_0, 0.046 / contrast + s * 1e4 * epsilon_0
    exact = 8e-6 / (np.sqrt(one * other) * cell.area)
    assert discs.holds(exact).all()
    assert discs.resistance is not None
    low, high = discs.resistance
    assert low < 8e-6 * np.sqrt(contrast) / (0.046 * cell.area) < high
    for real in (1e-2, 1e6, 1e8):
        low, high = pairing.enclosure(real)
        kappa = np.sqrt((0.046 + real * 150 * epsilon_0) * (0.046 / contrast + real * 1e4 * epsilon_0))
        assert low < 8e-6 / (kappa * cell.area) < high


@pytest.fixture(scope="module")
def tomogram() -> np.ndarray:
    """Grains under a rough front of metal, with a void at it, metal that floats, and metal of the other electrode."""
    found = voronoi((4, 6, 6), 6, seed=5) + 100
    found[0, :4, :] = found[1, 1:3, 2:5] = 1
    found[1, 0, :3] = 2
    found[2, 4:6, 3] = 1
    found[3, 0, 0:2] = 3
    return found


@pytest.mark.parametrize("ideal", [False, True])
def test_discs_of_an_image_with_metal_hold_finer_grids(tomogram: np.ndarray, ideal: bool) -> None:
    """Potentials are one in metal and currents of no account there: what crosses its faces is conserved all the same."""
    phases = [
        {"label": 1, "kind": "electrode", "tied_to": "working"},
        {"label": 2, "kind": "hole"},
        {"label": 3, "kind": "electrode", "tied_to": "counter"},
    ]
    electrode = {"pore": {"capacitance": "8.85 uF/cm^2"}}
    counter = {}
    if not ideal:
        electrode["charge_transfer"] = {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}
        counter["charge_transfer"] = {"resistance": "2 ohm cm^2", "capacitance": "100 uF/cm^2"}
    structure = {"image": tomogram, "phases": phases, "boundary": BOUNDARY}
    cell = image_cell(tomogram.shape, 4 / 9, structure, electrode=electrode, counter=counter)
    problem = Problem.of(cell).over(FREQUENCIES)
    discs, finer = (on_voxels(problem, BACKENDS, level).discs(FREQUENCIES) for level in (0, 1))
    assert max(discs.imbalance, finer.imbalance) < 1e-6  # the work of unit current, faces of metal included
    assert np.all(finer.radius < 0.7 * discs.radius)
    assert np.all(np.abs(finer.centre - discs.centre) <= discs.radius - finer.radius)
    elements = FiniteElements()
    fine = direct(elements.assemble(problem, elements.grid(problem, 1)), problem.places, 2j * np.pi * FREQUENCIES)
    assert finer.holds(fine).all()
    assert discs.resistance is not None and finer.resistance is not None
    (low, high), (lower, higher) = discs.resistance, finer.resistance
    assert low <= lower * (1 + 1e-7) <= higher * (1 + 2e-7) <= high * (1 + 3e-7)


def test_currents_into_metal_are_conserved_whatever_the_potentials(tomogram: np.ndarray) -> None:
    phases = [{"label": 1, "kind": "electrode", "tied_to": "working"}, {"label": 2, "kind": "hole"}]
    labels = np.where(tomogram == 3, 100, tomogram)
    problem = Problem.of(image_cell(labels.shape, 1.0, {"image": labels, "phases": phases, "boundary": BOUNDARY})).over([1e3])
    voxels = Network().assemble(problem, Network().grid(problem, 0))
    potentials = np.random.default_rng(0).random((voxels.unknowns, 1))

    class Given:
        def values(self, unknowns: slice) -> np.ndarray:
            return potentials[unknowns]

    assert voxels.through is not None
    y = {name: np.array([float(each(1e4))]) for name, each in voxels.admittances(problem.places).items()}
    (down, across, aside), _ = voxels.through(Given(), y)
    out = np.diff(down, axis=0) + np.diff(across, axis=1) + np.diff(aside, axis=2)
    largest = np.abs(down).max()
    assert np.abs(out[labels > 2]).max() < 1e-11 * largest
    floating = np.zeros(labels.shape, dtype=bool)
    floating[2, 4:6, 3] = True
    assert abs(out[floating].sum()) < 1e-11 * largest
    assert out[(labels == 1) & ~floating].sum() + down[0].sum() == pytest.approx(1.0, rel=1e-9)
    assert down[-1].sum() == pytest.approx(1.0, rel=1e-9)
