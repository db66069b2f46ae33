"""Functions of a sparse plane by poles that all share: the same as by its modes, to the error that theory gives."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outline_cells import DISC, MANY, cell, regions

import fem_constriction as fc
from fem_constriction.fem import FiniteElements
from fem_constriction.fem.prisms.bounds import bounds_on
from fem_constriction.fem.prisms.equilibrated import equilibrated, semi_discrete
from fem_constriction.fem.prisms.prisms import Prisms
from fem_constriction.processes.elements import evaluate
from fem_constriction.processes.names import BULK
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.stack.face_model import PlaneBasis, reduce_layered
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.rational import Rational
from fem_constriction.stack.sparse_functions import POLES, Pencil

BAND = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)
S = 2j * np.pi * np.geomspace(1e-3, 1e9, 13)
LOW, HIGH = 9.0, 1e13

#: The bound rho^r is asymptotic, its constant between 1 and 4 (Beckermann and Reichel 2009).
CONSTANT = 4.0


@pytest.fixture
def route(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Take modes, or the pencil, whatever the number of nodes."""

    def take(pencil: bool) -> None:
        for module in ("prisms.prisms", "prisms.equilibrated"):
            monkeypatch.setattr(f"fem_constriction.fem.{module}.DENSE", 0 if pencil else 10**6)
        monkeypatch.setattr("fem_constriction.fem.prisms.prisms.STACKED", 0 if pencil else 10**6)

    return take


def stack_of(made: fc.Cell, which: str = "elements") -> Layered:
    elements = FiniteElements()
    grid = elements.grid(made, 0)
    assert isinstance(grid, Prisms)
    make = {"elements": elements.layered, "potentials": semi_discrete, "currents": equilibrated}
    found = make[which](made, grid)
    assert found is not None
    return found


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(-3, 16), st.floats(-6, 6)), min_size=1, max_size=30), st.floats(-6, 6))
def test_every_rising_function_is_interpolated_as_theory_says(measure: list[tuple[float, float]], at_0: float) -> None:
    """f = f(0) + sum of mu lambda/(lambda + t), any t > 0 and mu >= 0, here of nineteen decades, on twelve."""
    rational = Rational(LOW, HIGH, POLES)
    t, mu = (10.0 ** np.array(each) for each in zip(*measure, strict=True))

    def f(values: np.ndarray) -> np.ndarray:
        return 10.0**at_0 + np.sum(mu * values[:, None] / (values[:, None] + t), axis=1)

    values = np.append(0.0, np.geomspace(LOW, HIGH, 500))
    found = rational.evaluate(rational.coefficients(f(rational.points)[None]), values)[0]
    assert np.abs(found / f(values) - 1).max() < CONSTANT * POLES
    # Quadratic forms have every pole twice: the square of it.
    squared = Rational(LOW, HIGH, POLES, order=2)
    twice = squared.evaluate(squared.coefficients(f(squared.points)[None]), values)[0]
    assert np.abs(twice / f(values) - 1).max() < 1e-12
    # What precondition: 1/f, to the error that is asked for there.
    rough = Rational(LOW, HIGH, 0.1)
    falling = rough.falling(1 / f(rough.points[1:])[None])[0]
    error = np.abs(np.sum(falling / (values[1:, None] + rough.poles), axis=1) * f(values[1:]) - 1)
    assert error.max() < 0.5  # positive, so that conjugate gradients may use it


@pytest.mark.parametrize(("angle", "error"), [(1.0, 1e-12), (0.75, 1e-10), (0.5, 1e-6)])
def test_at_complex_frequencies_the_exponent_falls_with_the_angle_of_the_poles(angle: float, error: float) -> None:
    """f = lambda/(lambda + t): -t at pi on the plate; at pi/2, which takes an insulator beside a conductor, half is left."""
    squared = Rational(LOW, HIGH, POLES, order=2)
    t = np.geomspace(LOW / 100, HIGH, 60)[:, None] * np.exp(1j * np.pi * (1 - angle))
    found = squared.evaluate(squared.coefficients(1e-6 + squared.points / (squared.points + t)), squared.between)
    worst = np.abs(found / (1e-6 + squared.between / (squared.between + t)) - 1).max()
    assert worst < error
    if angle < 1:
        assert worst > error / 1e4


def test_functions_that_die_out_are_interpolated_as_well() -> None:
    """What a boundary far below takes of the current: exp(-lambda^1/2), 0 in floating point at the upper end."""
    squared = Rational(LOW, HIGH, POLES, order=2)
    values = np.append(0.0, np.geomspace(LOW, HIGH, 500))
    for height in (1e-2, 1e-1, 1.0):
        found = squared.evaluate(squared.coefficients(np.exp(-height * np.sqrt(squared.points))[None]), values)[0]
        assert np.abs(found - np.exp(-height * np.sqrt(values))).max() < 1e-9  # shares of processes ask for 1e-5


def test_twice_the_poles_have_the_square_of_the_error() -> None:
    """One pole of its own is the worst of all such functions, and the bound is sharp. (A square root has half the exponent.)"""
    values, t = np.geomspace(LOW, HIGH, 1000), np.geomspace(LOW, HIGH, 200)
    for tolerance in (1e-4, 1e-8):
        rational = Rational(LOW, HIGH, tolerance)
        found = rational.evaluate(rational.coefficients(1e-6 + rational.points / (rational.points + t[:, None])), values)
        error = np.abs(found / (1e-6 + values / (values + t[:, None])) - 1).max()
        assert tolerance / CONSTANT < error < CONSTANT * tolerance


@pytest.mark.parametrize("which", ["elements", "potentials", "currents"])
def test_functions_of_the_pencil_are_those_of_the_modes(which: str, route: Callable[[bool], None]) -> None:
    made = cell(DISC, layers=3)
    s = np.geomspace(1e-2, 1e9, 6)
    y, results = evaluate(admittances(made), s), []
    for pencil in (False, True):
        route(pencil)
        stack = stack_of(made, which)
        lateral, recursion = stack.lateral, stack.recursion
        assert isinstance(lateral, Pencil) == pencil
        f = np.empty((s.size, recursion.count))
        f[:, recursion.order[: recursion.deep]] = y[BULK][:, None] / recursion.impedance(y)
        f[:, recursion.order[recursion.deep :]] = y[BULK][:, None] / recursion.shallow
        phi = np.random.default_rng(1).standard_normal((s.size, *lateral.shape))
        results.append(phi * lateral.conduct(phi, f.reshape(s.size, *lateral.values.shape)))
        ones = np.ones((s.size, *lateral.shape))
        below = lateral.conduct(ones, f.reshape(s.size, *lateral.values.shape)).sum((1, 2))
        mass = float(lateral.mass.sum()) if isinstance(lateral, Pencil) else float(np.sum(lateral.x.dual.T @ ones[0]) ** 2)
        if pencil:  # the uniform current: f(0), exactly
            assert below == pytest.approx(mass * f[:, 0], rel=1e-9)
    total = np.abs(results[0].sum((1, 2)))
    assert np.all(np.abs(results[1].sum((1, 2)) - results[0].sum((1, 2))) < CONSTANT * POLES * total)


@pytest.mark.parametrize("robin", [True, False], ids=["charge transfer", "ideal contact"])
@pytest.mark.parametrize("contact", [DISC, regions(MANY[2])], ids=["disc", "polygon"])
def test_the_spectrum_is_that_of_all_unknowns(contact: dict[str, object], robin: bool, route: Callable[[bool], None]) -> None:
    """Sparse matrices of the whole cell, solved by another preconditioner with modes: nothing of the pencil is in them."""
    made, backend = cell(contact, robin, layers=3), FiniteElements()
    grid = backend.grid(made, 0)
    route(True)
    stack = backend.layered(made, grid)
    assert stack is not None and isinstance(stack.lateral, Pencil)
    model = reduce_layered(stack, admittances(made), BAND)
    whole = reduce(backend.assemble(made, grid), admittances(made), BAND)
    assert np.abs(model.impedance(S) / whole.impedance(S) - 1).max() < 1e-8  # what both reductions are asked for
    assert model.resistance() == pytest.approx(whole.resistance(), rel=1e-9)  # both, by two routes that share no solver
    shares, others = model.shares(S), whole.shares(S)
    assert sum(shares.values()) == pytest.approx(np.ones(S.size), abs=1e-8)
    for name, share in shares.items():  # first order in the potentials, whose error is the root of that of Z
        assert np.abs(share - others[name]).max() < 1e-5


@pytest.mark.parametrize("robin", [True, False], ids=["charge transfer", "ideal contact"])
def test_the_bounds_are_the_same(robin: bool, route: Callable[[bool], None]) -> None:
    made, s = cell(DISC, robin, layers=3), np.array([0.0, 1e3, 1e7])
    grid = FiniteElements().grid(made, 0)
    assert isinstance(grid, Prisms)
    found = []
    for pencil in (False, True):
        route(pencil)
        found.append(bounds_on(made, grid, s))
    # Interpolation and projection, each of which the bounds allow for.
    assert np.allclose(found[1], found[0], rtol=2e-9, atol=0)
    assert np.all(found[1][0] < found[1][1])


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("resistance", [0.0, 1e-9, 1e-6, 1e-4, 1e-2, 1e2])
def test_iterations_depend_neither_on_the_mesh_nor_on_the_contrast(
    level: int, resistance: float, route: Callable[[bool], None]
) -> None:
    """H^1/2_00 lies between L2 and H1_0: 10 to 17 iterations to 1e-9 at any contact resistance, ideal contacts included."""
    made = cell(DISC, robin=False, layers=3)
    if resistance:
        made = made.vary({"working_electrode.charge_transfer": {"resistance": resistance, "capacitance": 8.85},
                          "working_electrode.pore": {"capacitance": 0.0885}})  # fmt: skip
    route(True)
    stack = FiniteElements().layered(made, FiniteElements().grid(made, level))
    assert stack is not None
    basis = PlaneBasis(stack, admittances(made))
    basis.extend(np.append(0.0, np.geomspace(1e-2, 1e9, 8)))
    assert basis.iterations <= 20  # a third of what scaled modes take at best, a twentieth at worst


@pytest.mark.parametrize("robin", [True, False], ids=["charge transfer", "ideal contact"])
def test_all_unknowns_by_modes_along_z_are_the_same_cell(robin: bool, route: Callable[[bool], None]) -> None:
    """Another preconditioner, the same matrices: a fault in it could only cost iterations."""
    made, backend, models = cell(DISC, robin, layers=3), FiniteElements(), []
    for pencil in (False, True):
        route(pencil)
        models.append(reduce(backend.assemble(made, backend.grid(made, 0)), admittances(made), BAND))
    assert np.abs(models[1].impedance(S) / models[0].impedance(S) - 1).max() < 1e-8
    assert models[1].statistics["iterations"] <= 25


@pytest.mark.parametrize("frequency", [0.0, 1e3, 1e6])
def test_fields_are_those_of_the_modes_and_conserve_the_current(frequency: float, route: Callable[[bool], None]) -> None:
    made, found = cell(DISC, layers=2), []
    for pencil in (False, True):
        route(pencil)
        found.append(fc.fields.solve_fields(made, frequency, backend="fem", level=0))
    points = np.random.default_rng(3).random((3, 50)) * 48e-6 + 1e-6
    a, b = (each.potential(*points) for each in found)
    assert np.abs(a - b).max() < 1e-9  # of 1 V; what the currents ask of the potential
    through = found[1].through([5e-6, 20e-6, 45e-6])
    assert np.abs(through / found[1].current - 1).max() < 1e-8


@pytest.mark.parametrize("conductivity", [1e-10, 1e-4])
def test_a_blocked_stack_below_a_conductor_is_solved_as_well(conductivity: float, route: Callable[[bool], None]) -> None:
    """f(0) is 1e6 times smaller than f of the next eigenvalue; an error there hardly shows in a residual (5e-8 of Z, once)."""
    made = cell(DISC, layers=30).vary(
        {"electrolyte.grain_boundaries.conductivity": conductivity,
         "counter_electrode": {"charge_transfer": {"resistance": 10.0, "capacitance": 1e-3}}}
    )  # fmt: skip
    z = []
    for pencil in (False, True):
        route(pencil)
        stack = stack_of(made)
        z.append(reduce_layered(stack, admittances(made), BAND).impedance(S))
    assert np.abs(z[1] / z[0] - 1).max() < 1e-8


decades = st.floats(-3, 3).map(lambda power: 10.0**power)


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bulk=decades, boundary=decades, contact=decades, pore=decades, counter=decades, layers=st.sampled_from([1, 3, 30]))
def test_random_materials_have_the_same_spectrum_by_modes(bulk, boundary, contact, pore, counter, layers, route) -> None:
    made = cell(DISC, layers=layers).vary(
        {"electrolyte.conductivity": 0.046 * bulk, "working_electrode.charge_transfer.resistance": 1e-4 * contact,
         "working_electrode.pore.capacitance": 0.0885 * pore,
         "counter_electrode": {"charge_transfer": {"resistance": 1e-4 * counter, "capacitance": 8.85}}}
    )  # fmt: skip
    if layers > 1:
        made = made.vary({"electrolyte.grain_boundaries.conductivity": 5.97e-4 * boundary})
    models = []
    for pencil in (False, True):
        route(pencil)
        stack = FiniteElements().layered(made, FiniteElements().grid(made, 0))
        assert stack is not None
        models.append(reduce_layered(stack, admittances(made), BAND))
    stated = sum(model.error(S) for model in models)
    # What both models state, and never more than 1e-8 beyond it, which each is made for.
    assert np.all(np.abs(models[1].impedance(S) / models[0].impedance(S) - 1) < stated + 1e-8)


def test_memory_of_factorisations_is_given_back() -> None:
    """SuperLU frees what its own thread allocated: solvers made in a pool of threads were never freed."""
    script = """
import gc, sys, psutil
from outline_cells import DISC, cell
import fem_constriction.fem.prisms.prisms as prisms
from fem_constriction.processes.of_cell import admittances
from fem_constriction.fem import FiniteElements
from fem_constriction.stack.face_model import reduce_layered
from validation.benchmarks.harness import cost
prisms.DENSE = 0
made, elements, sizes = cell(DISC), FiniteElements(), []
for _ in range(4):
    reduce_layered(elements.layered(made, elements.grid(made, 1)), admittances(made), (1e-2, 1e8))
    with cost():
        sizes.append(psutil.Process().memory_info().rss / 2**20)
print(sizes[-1] - sizes[1])
"""
    here = Path(__file__).parents[1] / "shared"
    done = subprocess.run([sys.executable, "-c", script], cwd=here, capture_output=True, text=True, check=True)
    # One reduction there makes some 30 MiB of factors: two lost ones would be 60.
    assert float(done.stdout) < 30


def test_too_few_poles_are_noticed(route: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fem_constriction.stack.sparse_functions.POLES", 1e-3)
    route(True)
    made = cell(DISC)
    with pytest.raises(fc.ComputationError, match="off by interpolation, at most 1e-08 are allowed"):
        reduce_layered(stack_of(made), admittances(made), BAND)


def test_what_interpolation_leaves_is_part_of_every_error(route: Callable[[bool], None]) -> None:
    made, backend = cell(DISC), FiniteElements()
    route(True)
    model = solve_grid(made, backend, backend.grid(made, 0), BAND).model
    assert 0 < model.basis_error < 1e-10
    added = replace(model, basis_error=1e-5).error(S) - replace(model, basis_error=0.0).error(S)
    assert added == pytest.approx(np.full(S.size, 1e-5), rel=1e-6)
