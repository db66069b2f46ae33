"""A stack between two patterned faces, mode by mode, against what it is without modes and against the one-faced recursion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from two_electrodes import SQUARE, S, coarse, plain, two

import fem_constriction as fc
from fem_constriction.fem.backend import FiniteElements
from fem_constriction.fem.prisms import prisms
from fem_constriction.fem.stacks.elements import GRADINGS
from fem_constriction.fem.stacks.two_port import exact, two_port
from fem_constriction.grids.grading import Grading
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.course import Course
from fem_constriction.processes.names import BULK, COUNTER_ELECTRODE, GRAIN_BOUNDARY
from fem_constriction.reduction.projection import reduce
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.stack import sparse_functions
from fem_constriction.stack.layered import Recursion
from fem_constriction.stack.two_faces import Between
from network import Network

BAND = (2e-3 * np.pi, 2e8 * np.pi)
LAMBDA = np.concatenate([[0.0], np.geomspace(1e8, 1e16, 25)])
LAYERS = [np.diff(np.linspace(0, 1, 9) ** 2) * 2e-5, np.full(5, 4e-6)]
Y = {BULK: np.array([0.046, 0.046 + 1e-2j])}
IDEAL = "working_electrode.charge_transfer", "counter_electrode.charge_transfer"


@pytest.mark.parametrize("cells", [exact, two_port(1), two_port(2), two_port(3)], ids=["exact", "1", "2", "3"])
@pytest.mark.parametrize("layers", [LAYERS, [LAYERS[1]]], ids=["boundary", "none"])
def test_with_its_lower_face_closed_a_circuit_is_the_recursion(cells: Any, layers: list[Any]) -> None:
    """Y = p + t (q + y)/(t + q + y), of every mode, at real s and at i omega."""
    between, recursion = Between(LAMBDA, layers, cells), Recursion(LAMBDA, layers, cells, whole=True)
    s = np.array([1.0, 1e6, 1e3j, 1e8j])
    y = {BULK: 0.046 + s * 1.3e-9, GRAIN_BOUNDARY: 5e3 + s * 0.13, COUNTER_ELECTRODE: 1e4 + s * 8.85}
    p, t, q = np.moveaxis(between.circuit(y), 1, 0)
    beside = q + y[COUNTER_ELECTRODE][:, None]
    found = p + t * beside / (t + beside)
    np.testing.assert_allclose(found, y[BULK][:, None] / recursion.impedance(y), rtol=1e-11)


def test_slopes_are_those_of_differences() -> None:
    """Of a boundary, and of each of two materials that touch without one."""
    layers, course = [*LAYERS, LAYERS[1]], Course((BULK, BULK, "bulk_2"), (GRAIN_BOUNDARY, None))
    between = Between(LAMBDA, layers, exact, course)
    y = {
        name: np.array([value]) for name, value in ((BULK, 0.046 + 1e-2j), ("bulk_2", 0.2 + 0.1j), (GRAIN_BOUNDARY, 5e3 + 2e3j))
    }
    step, size = 1e-5, np.abs(between.circuit(y)).sum(1, keepdims=True)
    slopes = between.slopes(y)
    for name in y:
        above, below = (between.circuit({**y, name: y[name] * (1 + sign * step)}) for sign in (1, -1))
        # Central differences: rounding over the step, 1e-11, and the step squared.
        assert np.all(np.abs(slopes[name] - (above - below) / (2 * step)) < 1e-9 * size)
    np.testing.assert_allclose(sum(slopes.values()), between.circuit(y), rtol=0, atol=1e-12 * size.max())


@pytest.mark.parametrize("make", [Network, lambda: FiniteElements(1)], ids=["network", "fem 1"])
@pytest.mark.parametrize("ideal", [(), IDEAL[:1], IDEAL[1:], IDEAL], ids=["none", "working", "counter", "both"])
def test_two_faces_are_all_unknowns(make: Callable[[], Any], ideal: tuple[str, ...]) -> None:
    """Z and the shares of places: of the faces, of a plain complex solution, and of the model of all unknowns."""
    cell = two({"shape": "square", "fraction": 0.16}, layers=3, **dict.fromkeys(ideal))
    backend, grid, problem = make(), coarse(cell), Problem.of(cell)
    model = solve_grid(cell, backend, grid, BAND).model
    np.testing.assert_allclose(model.impedance(S), plain(backend, cell, grid), rtol=1e-9)
    every = reduce(backend.assemble(problem, grid), problem.places, BAND).shares(S)
    shares = model.shares(S)
    assert list(shares) == list(problem.places)
    for place, share in shares.items():
        # Of first order in the error of solutions, whose square is what both models state for Z, 1e-8; measured 1e-8.
        np.testing.assert_allclose(share, every[place], rtol=0, atol=1e-6)


@pytest.mark.parametrize("make", [Network, lambda: FiniteElements(1)], ids=["network", "fem 1"])
def test_layers_of_materials_between_two_faces_are_all_unknowns(make: Callable[[], Any]) -> None:
    """The face's route and a plain complex solution; the counter electrode is ideal, and lies on the second material."""
    layers = [
        {"thickness": "15 um", "conductivity": "0.1 mS/cm", "relative_permittivity": 50},
        {"thickness": "35 um", "conductivity": "1 mS/cm", "relative_permittivity": 150},
    ]
    plane = {"position": "30 um", "resistance": "0.2 ohm cm^2", "capacitance": "1 uF/cm^2"}
    disc = {"shape": "disc", "fraction": 0.3}
    electrolyte = {"layers": layers, "grain_boundaries": {"planes": [plane]}}
    backend = make()
    square = {"shape": "square", "fraction": 0.36}
    cell = two(SQUARE, disc if backend.name == "network" else square, electrolyte=electrolyte, **dict.fromkeys(IDEAL[1:]))
    grid, problem = backend.uniform(cell, 8), Problem.of(cell)
    model = solve_grid(cell, backend, grid, BAND).model
    assert model.statistics["route"] == "mode by mode"
    exact_z = plain(backend, cell, grid)
    np.testing.assert_allclose(model.impedance(S), exact_z, rtol=1e-8)  # 1e-8: what models are made for
    every = reduce(backend.assemble(problem, grid), problem.places, BAND)
    np.testing.assert_allclose(every.impedance(S), exact_z, rtol=1e-8)
    for place, share in model.shares(S).items():
        np.testing.assert_allclose(share, every.shares(S)[place], rtol=0, atol=1e-6)


def test_outlines_share_patches_at_both_faces() -> None:
    cell = two({"shape": "disc", "fraction": 0.16}, {"shape": "disc", "fraction": 0.3}, layers=2, **dict.fromkeys(IDEAL))
    backend = Network()
    grid = backend.uniform(cell, 8)
    model = solve_grid(cell, backend, grid, BAND).model
    np.testing.assert_allclose(model.impedance(S), plain(backend, cell, grid), rtol=1e-9)


DISC = {"shape": "disc", "centre": ["12 um", "13 um"], "radius": "6 um"}
TURNED = {"shape": "ellipse", "centre": ["36 um", "30 um"], "semi_axes": ["9 um", "4 um"], "angle": 0.4}
TRIANGLE = {"shape": "polygon", "vertices": [["5 um", "30 um"], ["18 um", "35 um"], ["8 um", "45 um"]]}
WITHIN = {"shape": "disc", "centre": ["12 um", "13 um"], "radius": "3 um"}
SMALL, LARGE = ({"shape": "disc", "fraction": fraction} for fraction in (0.16, 0.3))
OVERLAID = {
    "the same": (SMALL, SMALL),
    "one in the other": (SMALL, LARGE),
    "beside and in one another": (
        {"shape": "regions", "regions": [DISC, TURNED]},
        {"shape": "regions", "regions": [WITHIN, TRIANGLE]},
    ),
    "a square and a disc in it": ({"shape": "square", "fraction": 0.5}, SMALL),
}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prisms of degree 1 as few as there can be, whose matrices a sparse factorisation solves in no time."""
    monkeypatch.setitem(GRADINGS, 1, Grading(exponent=2.0, steps=1))
    monkeypatch.setattr(prisms, "FINER", 0)


@pytest.mark.parametrize("dense", [0, 10**6], ids=["functions", "modes"])
@pytest.mark.parametrize("ideal", [(), IDEAL[:1], IDEAL], ids=["none", "working", "both"])
@pytest.mark.parametrize("name", OVERLAID)
def test_triangles_of_both_outlines_are_all_unknowns(
    name: str, ideal: tuple[str, ...], dense: int, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By modes of the triangles, and by functions of their sparse matrices; contacts that are the same, nested, beside."""
    monkeypatch.setattr(prisms, "DENSE", dense)
    working, counter = OVERLAID[name]
    cell, backend = two(working, counter, layers=2, **dict.fromkeys(ideal)), FiniteElements(1)
    grid = backend.grid(cell, 0)
    assert grid.contact_area == pytest.approx(cell.contact_area, rel=1e-9)
    assert grid.counter_area == pytest.approx(Problem.of(cell).counter_area, rel=1e-9)
    model = solve_grid(cell, backend, grid, BAND).model
    assert model.statistics["route"] == ("functions of the plane", "mode by mode")[dense > 0]
    assert model.statistics["iterations"] < 80
    np.testing.assert_allclose(model.impedance(S), plain(backend, cell, grid), rtol=1e-8)  # what models are made for
    np.testing.assert_allclose(sum(model.shares(S).values()), 1, rtol=1e-8)


def test_no_bound_of_another_cell_is_taken() -> None:
    """Currents of triangles leave through a whole face: beside two patterned ones they would bound another cell."""
    assert FiniteElements().opposite(two(SMALL, LARGE)) is None
    assert FiniteElements().opposite(two(SMALL, None)) is not None


def test_circuits_interpolated_with_too_few_poles_are_seen_to_be_off(few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The estimate of interpolated circuits, and the refusal that stands on it."""
    monkeypatch.setattr(prisms, "DENSE", 0)
    cell, backend = two(SMALL, LARGE), FiniteElements(1)
    grid = backend.grid(cell, 0)
    assert solve_grid(cell, backend, grid, BAND).model.used.error(Y) < 1e-8
    monkeypatch.setattr(sparse_functions, "POLES", 1e-2)
    with pytest.raises(fc.ComputationError, match="by interpolation"):
        solve_grid(cell, backend, grid, BAND)


@pytest.mark.parametrize(
    ("working", "counter", "said"),
    [
        (SMALL, {"shape": "square", "fraction": 0.16}, "outlines of both electrodes .* cross or touch"),
        ({"shape": "regions", "regions": [DISC]}, {"shape": "regions", "regions": [TRIANGLE, {**DISC, "radius": "6.0001 um"}]},
         "apart"),
        (SMALL, {"shape": "mask", "image": np.random.default_rng(0).random((64, 64)) > 0.5}, "has edges of pixels"),
    ],
    ids=["cross", "too near", "image"],
)  # fmt: skip
def test_what_no_triangles_follow_is_refused_in_a_sentence(working: Any, counter: Any, said: str) -> None:
    """Before anything is computed, with the contacts that can be solved; the network takes them."""
    with pytest.raises(fc.InputError, match=rf"counter_electrode\.contact.*{said}.*allowed are"):
        fc.solve(two(working, counter), [1.0], backend="fem")
    assert Network().refusal(two(working, counter)) is None
