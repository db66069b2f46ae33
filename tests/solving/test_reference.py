"""A reference electrode: Z_WE + Z_CE = Z, from the one-dimensional law of mean potentials, and between two patterned faces."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from two_electrodes import SQUARE, S, coarse, two

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fem.backend import FiniteElements
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.one_dimensional import beyond
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.elements import evaluate
from fem_constriction.reduction.factors import factorised
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.reference import beyond_plane, mean_of, of_model
from network import Network

BAND = (2e-3 * np.pi, 2e8 * np.pi)
FREQUENCY = S.imag / (2 * np.pi)
MAKE = pytest.mark.parametrize("make", [Network, lambda: FiniteElements(1)], ids=["network", "fem 1"])
SMALL = {"shape": "square", "fraction": 0.09}
BILAYER = {
    "layers": [
        {"thickness": "20 um", "conductivity": "0.1 mS/cm", "relative_permittivity": 50},
        {"thickness": "30 um", "conductivity": "1 mS/cm", "relative_permittivity": 150},
    ],
    "grain_boundaries": {"planes": [{"position": "30 um", "resistance": "0.2 ohm cm^2", "capacitance": "1 uF/cm^2"}]},
}


def row_means(backend: Any, cell: fc.Cell, grid: Grid, rows: list[int]) -> Any:
    """The mean potential of rows of nodes, from the last one up, by one plain sparse solution for each s, (s, rows)."""
    problem = Problem.of(cell)
    assembly = backend.assemble(problem, grid)
    widths = [np.diff(lines) for lines in (grid.x, grid.y)]
    if backend.name == "fem":  # int u of the elements: half an element beside a wall
        widths = [np.convolve(each, [0.5, 0.5]) for each in widths]
    weights = np.outer(*widths).ravel() / (grid.x[-1] * grid.y[-1])
    found = []
    for s in S:
        y = {place: complex(value) for place, value in evaluate(problem.places, s).items()}
        right = np.zeros(assembly.unknowns, dtype=complex)
        right[-1] = 1
        phi = factorised(assembly.matrix(y)).solve(right)[:-1]
        found.append([weights @ phi[len(phi) - (row + 1) * weights.size : len(phi) - row * weights.size] for row in rows])
    return np.array(found)


@MAKE
def test_mean_potentials_of_planes_obey_the_one_dimensional_law(make: Callable[[], Any]) -> None:
    """Of two materials and a boundary under a small contact: all unknowns, to the rounding of a sparse solution."""
    backend, cell = make(), two(SMALL, None, electrolyte=BILAYER)
    grid = backend.uniform(cell, 10)
    # From the counter electrode's face up: nodes of elements are on the lines, two at a boundary and one where materials touch;
    # those of the network in the middle of voxels and on faces, two at a boundary.
    planes = {"fem": {2: 40e-6, 4: 30e-6, 7: 20e-6}, "network": {2: 42.5e-6, 4: 32.5e-6, 8: 22.5e-6}}[backend.name]
    problem = Problem.of(cell)
    interface = 1 / (problem.places["counter_electrode"](S) * problem.area)
    means = row_means(backend, cell, grid, list(planes))
    for depth, mean in zip(planes.values(), means.T, strict=True):
        np.testing.assert_allclose(mean, beyond(problem, S, depth) + interface, rtol=1e-9)


@MAKE
@pytest.mark.parametrize("ideal", [(), ("counter_electrode.charge_transfer",)], ids=["resistive", "ideal"])
def test_the_mean_of_a_patterned_face_is_that_of_all_unknowns(make: Callable[[], Any], ideal: tuple[str, ...]) -> None:
    backend = make()
    cell = two(SMALL, SQUARE, layers=2, **dict.fromkeys(ideal), reference={"depth": "20 um"})
    grid = coarse(cell)
    model = solve_grid(cell, backend, grid, BAND).model
    found = of_model(Problem.of(cell), model, FREQUENCY, fc.Spectrum(FREQUENCY, model.impedance(S)))
    if not ideal:
        np.testing.assert_allclose(mean_of(model).impedance(S), row_means(backend, cell, grid, [0])[:, 0], rtol=1e-8)
    assert np.all(mean_of(model).error(S) < 1e-7)
    # The same cell upside down, its plane as far from the other electrode, has the electrodes' spectra swapped.
    flipped = two(SQUARE, SMALL, layers=2, reference={"depth": "30 um"})
    flipped = flipped.vary({each.replace("counter", "working"): None for each in ideal})
    other = solve_grid(flipped, backend, coarse(flipped), BAND).model
    swapped = of_model(Problem.of(flipped), other, FREQUENCY, fc.Spectrum(FREQUENCY, other.impedance(S)))
    np.testing.assert_allclose(found["working"].impedance, swapped["counter"].impedance, rtol=1e-7)
    np.testing.assert_allclose(found["counter"].impedance, swapped["working"].impedance, rtol=1e-7)


@MAKE
def test_mirror_images_have_half_each(make: Callable[[], Any]) -> None:
    backend, cell = make(), two(layers=3, reference={"depth": "25 um"})
    model = solve_grid(cell, backend, coarse(cell), BAND).model
    found = of_model(Problem.of(cell), model, FREQUENCY, fc.Spectrum(FREQUENCY, model.impedance(S)))
    for electrode in ("working", "counter"):
        np.testing.assert_allclose(found[electrode].impedance, model.impedance(S) / 2, rtol=1e-8)


def test_a_patterned_face_that_conducts_evenly_obeys_the_law() -> None:
    """Pores that conduct like the contact: the limit in which the one-dimensional circuit knows the counter electrode."""
    alike = {"charge_transfer": {"resistance": "2 ohm cm^2"}, "pore": {"depth": "1 nm", "conductivity": 1e-9 / 2e-4}}
    cell = two(layers=2, reference={"depth": "10 um"}, counter_electrode={"contact": SQUARE, **alike})
    uniform = Problem.of(cell.vary({"counter_electrode.contact": None, "counter_electrode.pore": None}))
    model = solve_grid(cell, Network(), coarse(cell), BAND).model
    found = of_model(Problem.of(cell), model, FREQUENCY, fc.Spectrum(FREQUENCY, model.impedance(S)))
    np.testing.assert_allclose(found["counter"].impedance, beyond_plane(uniform, S), rtol=1e-8)


def test_two_ports_enclose_at_every_real_shift() -> None:
    """Z_fem <= Z <= Z_net, 2 x 2 as quadratic forms, monotone under refinement: |Z_12 - middle| <= sqrt(g_11 g_22)/2."""
    cell = two(SMALL, {"shape": "square", "fraction": 0.36}, reference={"depth": "10 um"})
    s = np.array([0.0, 1.0, 1e3, 1e6])
    low, high = (
        [mean_of(solve_grid(cell, each, coarse(cell, steps), BAND).model).two_port(s).real for steps in (1, 2)]
        for each in (FiniteElements(1), Network())
    )
    for under, over in pairwise([*low, *high[::-1]]):
        assert np.all(np.linalg.eigvalsh(over - under) > -1e-8 * np.trace(over, axis1=1, axis2=2)[:, None])
    known = []
    for under, over in zip(low, high, strict=True):
        gap = over - under
        known.append(((over + under)[:, 0, 1] / 2, np.sqrt(gap[:, 0, 0] * gap[:, 1, 1]) / 2))
    (middle, half), (finer, narrower) = known
    assert np.all(np.abs(finer - middle) + narrower < half)  # hence the finer interval lies in the coarser one
    assert np.all(narrower < half / 1.5)


def test_a_whole_counter_electrode_is_known_exactly(tmp_path: Path) -> None:
    """Z_CE = l/(kappa A) + boundaries + 1/(y_ce A), written out; spectra of the electrodes are kept beside that of the cell."""
    cell = two(SQUARE, None, layers=4, reference={"depth": "20 um"})
    found = fc.solve(cell, FREQUENCY, resolution=8)
    area, eps = 2.5e-9, 8.8541878128e-12
    counter = 30e-6 / (0.046 + S * 150 * eps) + 2e-8 / (5e-5 + S * 150 * eps) + 1 / (1e4 + S * 8.85)
    np.testing.assert_allclose(found.electrodes["counter"].impedance, counter / area, rtol=1e-9)  # eps to 10 digits
    total = sum(each.impedance for each in found.electrodes.values())
    np.testing.assert_allclose(total, found.impedance, rtol=1e-15)
    found.save(tmp_path / "z.csv")
    assert fc.Spectrum.load(tmp_path / "z.csv") == found
    assert {each.name for each in tmp_path.glob("*.csv")} == {"z.csv", "z_working.csv", "z_counter.csv"}
    cell.save(tmp_path / "cell.toml")
    assert fc.Cell.load(tmp_path / "cell.toml") == cell


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"reference": {"depth": "50 um"}}, "reference.depth", "less than the thickness"),
        ({"reference": {"depth": "25 um"}}, "reference.depth", "grain boundary"),
        ({"reference": {"depth": "0 um"}}, "reference.depth", "above 0"),
        ({"reference": {}}, "reference.depth", "missing"),
    ],
)
def test_a_plane_that_is_none_is_refused(changes: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        two(layers=2, **changes)
    assert refused.value.key == key
