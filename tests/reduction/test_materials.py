"""Cells that differ in materials alone share grids and basis: what each gets equals what it would get alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fem import FiniteElements
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.materials import _Shared, reduce_together
from fem_constriction.reduction.projection import TARGET, first_shifts, reduce
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import solve_family
from network import Network
from validation import crosscheck, judge, prepare

BAND = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)
BACKENDS = [Network(), FiniteElements()]


@pytest.fixture
def materials(small: fc.Cell) -> list[fc.Cell]:
    """Every admittance of a cell over a decade to both sides, at random."""
    values, random = small.model_dump(), np.random.default_rng(5)
    electrode, electrolyte = values["working_electrode"], values["electrolyte"]
    found = [small]
    for _ in range(3):
        factor = 10 ** random.uniform(-1, 1, 4)
        found.append(
            small.vary(
                {
                    "electrolyte.conductivity": electrolyte["conductivity"] * factor[0],
                    "electrolyte.grain_boundaries.conductivity": electrolyte["grain_boundaries"]["conductivity"] * factor[1],
                    "working_electrode.charge_transfer.resistance": electrode["charge_transfer"]["resistance"] * factor[2],
                    "working_electrode.pore.capacitance": electrode["pore"]["capacitance"] * factor[3],
                }
            )
        )
    return found


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_one_basis_serves_all_materials_within_its_own_estimate(materials: list[fc.Cell], backend) -> None:
    cell = materials[0]
    s = 2j * np.pi * np.geomspace(1e-3, 1e9, 61)
    together = None
    for level in (0, 1):  # the coarsest grid chooses, the next one takes its choice
        assembly = backend.assemble(cell, backend.grid(cell, level))
        processes = [admittances(each) for each in materials]
        together = reduce_together(assembly, processes, BAND, like=together)
        # Chosen on level 0; the finer grid has a little more to resolve (3 TARGET seen), and says so.
        assert together.basis_error <= (1 if level == 0 else 20) * TARGET
        for each in processes:
            alone, shared = reduce(assembly, each, BAND), together.of(each)
            allowed = shared.error(s) + alone.error(s)
            assert np.all(np.abs(shared.impedance(s) - alone.impedance(s)) <= allowed * np.abs(alone.impedance(s)))
            assert shared.resistance() == pytest.approx(alone.resistance(), rel=20 * TARGET)
            assert len(shared.shifts) <= 45  # small again: as many columns as a model of its own
    assert len(together.shifts) < len(materials) * 25  # and less than every material for itself


def test_the_estimate_sees_what_a_basis_lacks(materials: list[fc.Cell]) -> None:
    """A basis of one material alone, asked for another: the estimate is above the error, and both are large."""
    backend, s = Network(), 2j * np.pi * np.geomspace(1e-2, 1e8, 13)
    assembly = backend.assemble(materials[0], backend.grid(materials[0], 0))
    processes = [admittances(each) for each in materials[:2]]
    basis = _Shared(assembly, processes, s)
    shifts, _ = first_shifts(BAND, True)
    basis.add(np.zeros(shifts.size, dtype=np.int64), shifts)
    estimate, found = basis.estimate(1, s), basis.model().of(processes[1]).impedance(s)
    truth = reduce(assembly, processes[1], BAND).impedance(s)
    error = np.abs(found - truth) / np.abs(truth)
    assert error.max() > 100 * TARGET
    significant = error > TARGET
    assert np.all(estimate[significant] >= error[significant])


def test_a_cell_judged_with_others_is_judged_as_alone(materials: list[fc.Cell]) -> None:
    frequency = np.geomspace(1e-2, 1e8, 31)
    prepared = pickle.loads(pickle.dumps(prepare(materials[:2], frequency)))
    for cell in materials[:2]:
        shared, alone = judge(cell, prepared, frequency), crosscheck(cell, frequency)
        assert shared.agreement.verdict == alone.agreement.verdict == "agree"
        z = alone.spectrum.impedance
        # The limits of both: what one basis may lack (20 TARGET) times what extrapolation makes of it.
        assert np.all(np.abs(shared.spectrum.impedance - z) <= 60 * TARGET * np.abs(z))
        # Other currents to choose from: about as small (1.15 seen, at low frequencies), and both hold the truth.
        discs, own = shared.agreement.discs, alone.agreement.discs
        assert np.all(discs.radius <= 1.3 * own.radius)
        assert np.diff(discs.resistance) <= 1.3 * np.diff(own.resistance)
        assert np.all(discs.holds(own.centre, own.radius))
        assert shared.constriction.R.value == pytest.approx(alone.constriction.R.value, rel=1e-5)
        assert shared.geometric.value == pytest.approx(alone.geometric.value, rel=1e-5)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_the_same_cells_give_the_same_numbers_bit_by_bit(materials: list[fc.Cell], backend) -> None:
    s = 2j * np.pi * np.geomspace(1e-2, 1e8, 7)
    families = [solve_family(materials[0], backend, BAND, levels=(0,), others=materials[1:3]) for _ in range(2)]
    one, other = (family.of(materials[1]).solutions[0].model.impedance(s) for family in families)
    assert np.array_equal(one, other)


def test_only_cells_that_differ_in_materials_share_a_discretisation(small: fc.Cell) -> None:
    assert Problem.of(small).discretisation == Problem.of(small.vary({"electrolyte.conductivity": 2.0})).discretisation
    for change in (
        {"working_electrode.contact.fraction": 0.3},
        {"geometry.thickness": 1e-4},
        {"electrolyte.grain_boundaries.layers": 3},
        {"working_electrode.charge_transfer": None},
    ):
        assert Problem.of(small).discretisation != Problem.of(small.vary(change)).discretisation
    other = small.vary({"working_electrode.contact.fraction": 0.3})
    backend = Network()
    with pytest.raises(InputError, match="unless they differ in materials alone"):
        solve_grid(small, backend, backend.grid(small, 0), BAND, others=[other])


def test_what_was_made_for_some_materials_is_for_no_other_and_for_no_other_cell(materials: list[fc.Cell]) -> None:
    alone = solve_family(materials[0], FiniteElements(), BAND, levels=(0,))
    shared = solve_family(materials[0], FiniteElements(), BAND, levels=(0,), others=materials[1:2])
    for family in (alone, shared):
        with pytest.raises(ComputationError, match="none of another"):
            family.solutions[0].of(materials[2])
        for cell in (materials[2], materials[0].vary({"working_electrode.contact.fraction": 0.3})):
            with pytest.raises(InputError, match="none of those that were solved together"):
                family.of(cell)
        family.of(materials[0].vary({"title": "another name"}))
