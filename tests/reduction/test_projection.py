"""The spectrum from real solves is that of one complex solve per frequency, and says how far it may be off."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import direct

import fem_constriction as fc
from fem_constriction.errors import ComputationError
from fem_constriction.fem import FiniteElements
from fem_constriction.processes.elements import evaluate
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.reduction.solver import solve_shifts
from network import Network

BACKENDS = [Network(), FiniteElements(1), FiniteElements(2)]
CELLS = ["every_process", "ideal_contact"]


@pytest.fixture(scope="module", params=[(b, c) for b in BACKENDS for c in CELLS], ids=lambda p: f"{p[0].name}-{p[1]}")
def case(request: pytest.FixtureRequest, band: tuple[float, float]) -> tuple[fc.Cell, Assembly, ReducedModel]:
    backend, name = request.param
    cell = request.getfixturevalue(name)
    assembly = backend.assemble(cell, backend.uniform(cell, 8))
    return cell, assembly, reduce(assembly, admittances(cell), band)


def test_it_equals_one_complex_solve_per_frequency_within_its_own_estimate(case, frequencies) -> None:
    cell, assembly, model = case
    s = 2j * np.pi * frequencies
    expected = direct(assembly, admittances(cell), s)
    error = np.abs(model.impedance(s) - expected) / np.abs(expected)
    assert error.max() <= 1e-8  # the target
    assert np.all(error <= model.error(s) + 5e-10)  # rounding: admittances span ten decades


def test_the_estimate_decides_how_many_shifts_are_enough(every_process, band) -> None:
    network = Network()
    assembly = network.assemble(every_process, network.grid(every_process, 0))
    counts = [len(reduce(assembly, admittances(every_process), band, tolerance=tolerance).shifts) for tolerance in (1e-7, 1e-9)]
    assert counts[0] < counts[1]
    with pytest.raises(ComputationError, match=r"real shifts has an estimated relative error of .* at .* Hz, asked 1e-14"):
        reduce(assembly, admittances(every_process), band, tolerance=1e-14, most_shifts=26)


def test_its_relaxation_times_are_the_spectrum(case, frequencies) -> None:
    _, _, model = case
    relaxation = model.relaxation()
    s = 2j * np.pi * frequencies
    series = np.sum(relaxation.resistance / (1 + s[:, None] * relaxation.tau), 1)
    # The generalised eigenvalues carry rounding of 1e-16 times the decades the relaxation times span.
    assert series == pytest.approx(model.impedance(s), rel=1e-8)
    assert np.all(relaxation.resistance >= 0)
    assert np.sum(relaxation.resistance) == pytest.approx(model.resistance(), rel=1e-9)


def test_shares_of_the_processes_and_of_the_current_sum_to_one(case, frequencies) -> None:
    _, _, model = case
    s = 2j * np.pi * frequencies
    assert sum(model.shares(s).values()) == pytest.approx(np.ones(s.size), abs=1e-9)
    entry = model.entry(s)
    # Linear in the potential's error, where Z is quadratic: the root of the projection's 1e-10.
    assert entry["charge_transfer"] + entry["pore"] == pytest.approx(np.ones(s.size), abs=1e-5)


def test_at_direct_current_it_is_the_resistance_and_no_pore_conducts(case) -> None:
    _, assembly, model = case
    conductances = {name: complex(y.conductance) for name, y in model.processes.items()}
    matrix = assembly.matrix(conductances)
    port = np.zeros(assembly.unknowns)
    port[-1] = 1
    expected = np.linalg.solve(matrix.toarray().real, port)[-1]
    assert model.resistance() == pytest.approx(expected, rel=1e-9)
    assert abs(model.entry(np.zeros(1))["pore"][0]) < 1e-12


def test_other_materials_on_the_same_basis_stay_close(every_process, band) -> None:
    """The basis made for one conductivity serves another: what a materials sweep builds on."""
    network = Network()
    assembly = network.assemble(every_process, network.uniform(every_process, 12))
    other = every_process.vary({"electrolyte.conductivity": "0.5 mS/cm"})
    model = reduce(assembly, admittances(every_process), band)
    s = 2j * np.pi * np.geomspace(1, 1e8, 9)
    expected = direct(assembly, admittances(other), s)
    assert model.impedance(s, admittances(other)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: f"{b.name}-{b.order:g}")
def test_conjugate_gradients_and_a_sparse_factorisation_find_the_same_potentials(backend, every_process) -> None:
    assembly = backend.assemble(every_process, backend.grid(every_process, 0))
    y = evaluate(admittances(every_process), np.array([0.0, 1.0, 1e4, 1e8]))
    iterated = solve_shifts(assembly, y)
    direct_ = solve_shifts(Assembly(assembly.operators), y)
    assert np.all(iterated.error <= 1e-10)
    assert iterated.potentials == pytest.approx(direct_.potentials, abs=1e-8)


def test_conjugate_gradients_that_do_not_arrive_raise(every_process) -> None:
    class Useless:
        def solve(self, columns):
            return columns

    network = Network()
    good = network.assemble(every_process, network.uniform(every_process, 10))
    bad = Assembly(good.operators, precondition=lambda y: Useless(), description=good.description)
    with pytest.raises(ComputationError, match=r"conjugate gradients stopped after 5 iterations"):
        solve_shifts(bad, evaluate(admittances(every_process), np.array([1.0])), most_iterations=5)


@pytest.mark.parametrize("resistance", ["1e-6 ohm cm^2", "1e-3 ohm cm^2", "1e4 ohm cm^2"])
def test_any_contrast_at_the_working_electrode_is_solved(small, resistance, band) -> None:
    """From nearly ideal to nearly blocking contacts, beside pores that insulate at direct current."""
    cell = small.vary({"working_electrode.charge_transfer.resistance": resistance})
    for backend in BACKENDS:
        assembly = backend.assemble(cell, backend.grid(cell, 0))
        model = reduce(assembly, admittances(cell), band)
        s = 2j * np.pi * np.array([1e-3, 1e2, 1e6])
        expected = direct(assembly, admittances(cell), s)
        # 2e-8: rounding of the sparse solve, which multiplies potentials by 1e10 S/m2 before it takes their difference.
        assert np.all(np.abs(model.impedance(s) - expected) <= (model.error(s) + 2e-8) * np.abs(expected))


@pytest.mark.parametrize(
    "changes",
    [
        {"electrolyte.relative_permittivity": None, "electrolyte.grain_boundaries.relative_permittivity": None},
        {"counter_electrode.charge_transfer.resistance": "10 ohm cm^2"},
    ],
    ids=["bulk", "counter electrode"],
)
def test_processes_without_capacitance_are_solved(small, changes, band) -> None:
    """A series resistance stays at high frequency, under admittances that grow without bound: rounding must not show."""
    cell = small.vary(changes)
    for backend in BACKENDS:
        assembly = backend.assemble(cell, backend.grid(cell, 0))
        model = reduce(assembly, admittances(cell), band)
        assert model.statistics["projection_error"] <= 1e-6  # rounding, seen up to 4e-7
        s = 2j * np.pi * np.array([1e-3, 1e2, 1e6])
        expected = direct(assembly, admittances(cell), s)
        assert model.impedance(s) == pytest.approx(expected, rel=1e-8)
