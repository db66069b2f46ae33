"""Metal in the image: tied to V or to ground, or floating; charge transfer where it meets the electrolyte, none at voids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from images import BOUNDARY, ELECTRODE, image_cell, literal_network
from scipy.constants import epsilon_0

import fem_constriction as fc
from fem_constriction.cell.image_check import contact_voxels
from fem_constriction.errors import InputError
from fem_constriction.geometry.grains import voronoi
from fem_constriction.grids.image_grid import image_grid
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.grids.image_metal import GROUNDED, NO_METAL, TIED, pieces_of
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.elements import evaluate
from network.image import shifts
from network.image.image_network import image_assembly, image_voxels

FREQUENCIES = np.array([1e-3, 1.0, 1e5, 1e9])
METAL, BELOW, VOID = 100, 101, 102
PHASES = [
    {"label": METAL, "kind": "electrode", "tied_to": "working"},
    {"label": BELOW, "kind": "electrode", "tied_to": "counter"},
    {"label": VOID, "kind": "hole", "relative_permittivity": 1},
]
COUNTER = {"charge_transfer": {"resistance": "2 ohm cm^2", "capacitance": "10 uF/cm^2"}}


#: Voids that meet metal like the fields of a chessboard are what random images have, and what a warning is for.
pytestmark = pytest.mark.filterwarnings("ignore::fem_constriction.errors.ResolutionWarning")


def rough(shape: tuple[int, int, int], seed: int) -> np.ndarray:
    """A rough front of metal at both ends, voids in it and in the electrolyte, and metal that hangs on nothing."""
    random = np.random.default_rng(seed)
    labels = voronoi(shape, 9, seed).astype(np.int32)
    nz, nx, ny = shape
    for front, label, last in ((random.integers(0, 4, (nx, ny)), METAL, 1), (random.integers(0, 3, (nx, ny)), BELOW, -1)):
        for z in range(4):
            layer = z if last == 1 else nz - 1 - z
            labels[layer][front > z] = label
    labels[random.random(shape) < 0.12] = VOID
    labels[nz // 2, 1:3, 1:4] = METAL
    labels[nz // 2, nx - 2, ny - 2] = BELOW
    return labels


def cell_of(labels: np.ndarray, fraction: float = 1.0, phases: list[dict[str, Any]] = PHASES, **sections: Any) -> fc.Cell:
    there = [each for each in phases if (labels == each["label"]).any()]
    structure = {"image": labels, "phases": there, **sections.pop("structure", {"boundary": BOUNDARY})}
    return image_cell(labels.shape, fraction, structure, **{"counter": COUNTER, **sections})


def expected(cell: fc.Cell, frequencies: np.ndarray = FREQUENCIES) -> np.ndarray:
    labels = labels_of(cell)[0]
    contact = np.zeros(labels.shape[1:], dtype=bool)
    contact[contact_voxels(cell)] = True
    return np.array([literal_network(cell, labels, contact, 2j * np.pi * f) for f in frequencies])


@pytest.mark.parametrize("edges", [(1, 1, 1), (2, 0.5, 1)])
@pytest.mark.parametrize("fraction", [1.0, 4 / 36])
@pytest.mark.parametrize("ideal", [False, True])
def test_metal_is_the_literal_network(ideal: bool, fraction: float, edges: tuple[float, float, float]) -> None:
    if edges != (1, 1, 1):
        fraction = 1.0
    sections = {"electrode": {"pore": ELECTRODE["pore"]}, "counter": {}} if ideal else {}
    labels = rough((8, 6, 6), 3 if edges == (1, 1, 1) else 4)
    cell = cell_of(labels, fraction, edges=edges, **sections)
    assert fc.Cell.loads(cell.dumps()) == cell
    contact = np.zeros(labels.shape[1:], dtype=bool)
    contact[contact_voxels(cell)] = True
    pieces = pieces_of(labels, Problem.of(cell).body.electrodes, contact)
    assert (pieces == TIED).any() and (pieces == GROUNDED).any() and (pieces >= 0).any()
    assert np.abs(fc.solve(cell, FREQUENCIES).impedance / expected(cell) - 1).max() < 1e-6  # what the model is made for


@pytest.mark.parametrize("way", ["the mean-field stack", "multigrid"])
def test_metal_is_the_literal_network_however_it_is_solved(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shifts, "SMALL", 0)  # as large images are
    monkeypatch.setattr(shifts, *(("PATIENCE", 0) if way == "multigrid" else ("BYTES", 1e18)))  # the latter: no room
    cell = cell_of(rough((8, 6, 6), 5))
    found = fc.solve(cell, FREQUENCIES)
    assert np.abs(found.impedance / expected(cell) - 1).max() < 1e-6
    assert ("multigrid" in found.provenance["grids"][0]["solver"]) == (way == "multigrid")


def test_written_out_matrices_are_what_is_applied() -> None:
    cell = cell_of(rough((7, 6, 6), 6))
    problem = Problem.of(cell)
    voxels = image_voxels(problem, labels_of(cell)[0], image_grid(cell))
    columns = np.random.default_rng(0).standard_normal((voxels.unknowns, 2))
    for operator in image_assembly(voxels, {}).operators.values():
        matrix = operator.tocsr()
        assert np.allclose(operator @ columns, matrix @ columns, rtol=1e-12, atol=1e-24)
        assert abs(matrix - matrix.T).max() == 0
        assert np.all(np.linalg.eigvalsh(matrix.toarray()) > -1e-12 * abs(matrix).max())


def test_a_flat_void_is_the_thin_layer_of_its_depth() -> None:
    """c = eps/d: a void of one voxel under the metal, beside a contact on the whole of what is left, as the depth goes to 0.

    What differs at a finite depth are links between voids, and from voids to metal beside them, which the paper has too.
    """
    n, width, frequencies = 8, 4, np.geomspace(1e-3, 1e9, 13)
    differences = []
    for depth in (0.4, 0.2, 0.1):  # um, of voxels that are 1 um wide
        labels = np.zeros((7, n, n), dtype=np.int32)
        labels[0] = VOID
        middle = slice((n - width) // 2, (n + width) // 2)
        labels[0, middle, middle] = METAL
        deep = {"image": labels, "phases": [PHASES[0], PHASES[2] | {"relative_permittivity": 10}]}
        electrode = {"charge_transfer": ELECTRODE["charge_transfer"]}
        void = image_cell(labels.shape, 1, deep, edges=(depth, 1, 1), electrode=electrode)
        layer = electrode | {"pore": {"capacitance": 10 * epsilon_0 / (depth * 1e-6)}}
        thin = image_cell((6, n, n), (width / n) ** 2, {"image": labels[1:]}, edges=(depth, 1, 1), electrode=layer)
        z = fc.solve(thin, frequencies).impedance
        differences.append(np.abs(fc.solve(void, frequencies).impedance / z - 1).max())
        assert fc.resistance(void) == pytest.approx(fc.resistance(thin), rel=1e-6)  # direct current passes the contact alone
    assert differences[0] > 2 * differences[1] > 4 * differences[2]  # first order at least
    assert differences[2] < 1e-3


def test_a_void_at_low_frequency_is_none_and_nothing_is_lost_in_rounding() -> None:
    """At 1 mHz s eps of a void is 1e-12 of kappa: its voxels carry nothing, and Z is that with holes."""
    labels = rough((8, 6, 6), 8)
    filled, empty = cell_of(labels), cell_of(labels, phases=[*PHASES[:2], PHASES[2] | {"relative_permittivity": 0}])
    ratio = 2 * np.pi * 1e-3 * epsilon_0 / filled.electrolyte.conductivity
    assert 1e-13 < ratio < 1e-11
    found, holes = (fc.solve(each, FREQUENCIES[:1]).impedance for each in (filled, empty))
    assert abs(found / holes - 1)[0] < 1e-6
    assert np.abs(found / expected(filled, FREQUENCIES[:1]) - 1).max() < 1e-6
    assert fc.resistance(filled) == pytest.approx(fc.resistance(empty), rel=1e-6)


def test_a_floating_piece_takes_no_current_and_carries_some() -> None:
    """A plate of metal is a short cut of its thickness; charge transfer is passed at both of its faces."""
    labels = np.zeros((8, 4, 4), dtype=np.int32)
    labels[3:5] = METAL
    ideal = cell_of(labels, electrode={}, counter={}, structure={})
    area, kappa = 16e-12, ideal.electrolyte.conductivity
    assert fc.resistance(ideal) == pytest.approx(6e-6 / (kappa * area), rel=1e-9)
    passed = cell_of(labels, electrode={"charge_transfer": {"resistance": "1 ohm cm^2"}}, counter={}, structure={})
    assert fc.resistance(passed) == pytest.approx(6e-6 / (kappa * area) + 3e-4 / area, rel=1e-9)


def test_the_collector_is_what_metal_hangs_on() -> None:
    labels = np.zeros((4, 4, 4), dtype=np.int32)
    labels[0:2, 0, 0] = labels[0:2, 2, 2] = METAL
    labels[2, 2, 3] = METAL  # joined at an edge alone
    labels[3, 1, 1] = BELOW
    contact = np.zeros((4, 4), dtype=bool)
    contact[1:3, 1:3] = True
    electrodes = Problem.of(cell_of(labels, 0.25)).body.electrodes
    pieces = pieces_of(labels, electrodes, contact)
    assert (pieces[0:2, 2, 2] == TIED).all() and pieces[3, 1, 1] == GROUNDED
    assert pieces[2, 2, 3] >= 0 and pieces[0, 0, 0] >= 0 and pieces[2, 2, 3] != pieces[0, 0, 0]
    assert (pieces[labels == 0] == NO_METAL).all()


def test_a_short_circuit_is_refused() -> None:
    labels = np.zeros((4, 4, 4), dtype=np.int32)
    labels[:, 1, 1] = METAL
    with pytest.raises(
        InputError, match=r"label 100 is tied to the working electrode, and a piece of it joins both collectors"
    ):
        fc.resistance(cell_of(labels))
    labels[:2] = 0
    with pytest.raises(InputError, match=r"and a piece of it hangs on the collector of the counter electrode"):
        fc.resistance(cell_of(labels))


REFUSED = {
    "phases.0.tied_to is missing: kind 'electrode' needs 'working' or 'counter'": [{"label": METAL, "kind": "electrode"}],
    "phases.0.conductivity = 1.0 is not allowed: kind 'electrode' takes tied_to": [
        {"label": METAL, "kind": "electrode", "tied_to": "working", "conductivity": 1}
    ],
    "phases.0.conductivity = 1.0 is not allowed: kind 'hole' takes relative_permittivity": [
        {"label": VOID, "kind": "hole", "conductivity": 1}
    ],
    "phases.0.conductivity is missing: kind 'inclusion' needs a conductivity": [{"label": VOID, "kind": "inclusion"}],
    "phases.0.relative_permittivity = 3.0 is not allowed: kind 'grain' takes label alone": [
        {"label": 0, "kind": "grain", "relative_permittivity": 3}
    ],
    "phases.0.kind = 'metal' is not allowed: 'grain' or 'inclusion' or 'hole' or 'electrode'": [{"label": 0, "kind": "metal"}],
}


@pytest.mark.parametrize("said", REFUSED)
def test_wrong_phases_are_refused(said: str) -> None:
    with pytest.raises(InputError) as refused:
        image_cell((4, 4, 4), 1, {"image": np.zeros((4, 4, 4), int), "phases": REFUSED[said]})
    assert said in str(refused.value)


def test_phases_say_what_inclusions_do() -> None:
    labels = rough((6, 6, 6), 2) % 100
    labels[2, 2:4, 2:4] = 50
    one = {"label": 50, "conductivity": "20 mS/cm", "relative_permittivity": 4}
    old, new = (
        image_cell(labels.shape, 1, {"image": labels, **phases, "boundary": BOUNDARY})
        for phases in ({"inclusions": [one]}, {"phases": [one | {"kind": "inclusion"}, {"label": 1, "kind": "grain"}]})
    )
    assert fc.solve(old, FREQUENCIES).impedance == pytest.approx(fc.solve(new, FREQUENCIES).impedance, rel=1e-12)
    assert evaluate(Problem.of(old).places, 1.0) == evaluate(Problem.of(new).places, 1.0)
    with pytest.raises(InputError, match="label 50 stands among the inclusions as well"):
        image_cell(labels.shape, 1, {"image": labels, "inclusions": [one], "phases": [one | {"kind": "inclusion"}]})
    with pytest.raises(InputError, match=r"voids.0 = 7 is not allowed: no phase of kind 'hole' or 'inclusion' has it"):
        image_cell(labels.shape, 1, {"image": labels, "inclusions": [one], "voids": [7]})
