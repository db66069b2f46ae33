"""The voxel network is the paper's: half-voxel series links, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import direct, one_dimensional

import fem_constriction as fc
from fem_constriction.grids.grid import Grid, uniform
from fem_constriction.processes.elements import evaluate
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from network import Network

# Rounding of two different solves of one matrix whose admittances span ten decades at the highest frequencies.
ROUNDING = 1e-9
OMEGA = 2j * np.pi * np.array([1e-3, 1.0, 1e3, 1e5, 1e7, 1e9])


def paper_network(cell: fc.Cell, grid: Grid, s: complex) -> complex:
    """Section 2 of the paper, link by link: a node at every voxel centre, every link the series of what it crosses."""
    y = {name: complex(value) for name, value in evaluate(admittances(cell), s).items()}
    dx, dy = np.diff(grid.x), np.diff(grid.y)
    dz = np.concatenate([np.diff(lines) for lines in grid.layers])
    layer = np.concatenate([np.full(len(lines) - 1, k) for k, lines in enumerate(grid.layers)])
    shape = (dz.size, dx.size, dy.size)
    number = np.arange(np.prod(shape)).reshape(shape)
    electrode = number.size
    matrix = np.zeros((electrode + 1, electrode + 1), dtype=complex)

    def link(a: int, b: int | None, impedance: complex) -> None:
        matrix[a, a] += 1 / impedance
        if b is not None:
            matrix[b, b] += 1 / impedance
            matrix[a, b] -= 1 / impedance
            matrix[b, a] -= 1 / impedance

    for k, i, j in np.ndindex(shape):
        area, here = dx[i] * dy[j], number[k, i, j]
        half = dz[k] / 2 / (y["bulk"] * area)
        if i + 1 < dx.size:
            link(here, number[k, i + 1, j], (dx[i] + dx[i + 1]) / 2 / (y["bulk"] * dy[j] * dz[k]))
        if j + 1 < dy.size:
            link(here, number[k, i, j + 1], (dy[j] + dy[j + 1]) / 2 / (y["bulk"] * dx[i] * dz[k]))
        if k + 1 < dz.size:
            boundary = 1 / (y["grain_boundary"] * area) if layer[k] != layer[k + 1] else 0.0
            link(here, number[k + 1, i, j], half + boundary + dz[k + 1] / 2 / (y["bulk"] * area))
        else:
            ce = 1 / (y["counter_electrode"] * area) if "counter_electrode" in y else 0.0
            link(here, None, half + ce)
        if k == 0:
            touches = grid.contact[i, j]
            surface = y["charge_transfer"] if touches and "charge_transfer" in y else y["pore"]
            link(here, electrode, half + (0.0 if touches and "charge_transfer" not in y else 1 / (surface * area)))
    port = np.zeros(electrode + 1)
    port[-1] = 1
    return np.linalg.solve(matrix, port)[-1] / grid.copies


@pytest.mark.parametrize("name", ["every_process", "ideal_contact"])
@pytest.mark.parametrize("resolution", [8, 7])  # even: a quarter of the cell; odd: all of it
def test_it_is_the_network_of_the_paper(name: str, resolution: int, request: pytest.FixtureRequest) -> None:
    cell = request.getfixturevalue(name)
    grid = uniform(cell, resolution)
    assembly = Network().assemble(cell, grid)
    expected = np.array([paper_network(cell, grid, s) for s in OMEGA])
    assert direct(assembly, admittances(cell), OMEGA) == pytest.approx(expected, rel=ROUNDING)


def test_graded_voxels_too(every_process: fc.Cell) -> None:
    grid = Network().grid(every_process, 0)
    coarse = Grid(x=grid.x[::4], y=grid.y[::4], layers=grid.layers, contact=grid.contact[::4, ::4], copies=4)
    expected = [paper_network(every_process, coarse, s) for s in OMEGA[::2]]
    found = direct(Network().assemble(every_process, coarse), admittances(every_process), OMEGA[::2])
    assert found == pytest.approx(np.array(expected), rel=ROUNDING)


def test_a_quarter_of_a_symmetric_cell_is_the_whole_of_it(small: fc.Cell) -> None:
    quarter = uniform(small, 8)
    mirrored = [np.concatenate([-lines[:0:-1], lines]) for lines in (quarter.x, quarter.y)]
    contact = np.block([[np.flip(quarter.contact), quarter.contact[::-1]], [quarter.contact[:, ::-1], quarter.contact]])
    whole = Grid(x=mirrored[0], y=mirrored[1], layers=quarter.layers, contact=contact, copies=1)
    z = [direct(Network().assemble(small, grid), admittances(small), OMEGA) for grid in (quarter, whole)]
    assert z[0] == pytest.approx(z[1], rel=ROUNDING)


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_without_or_with_full_contact_it_is_the_one_dimensional_circuit(
    figure_2: fc.Cell, fraction: float, band: tuple[float, float]
) -> None:
    cell = figure_2.vary({"working_electrode.contact.fraction": fraction})
    network = Network()
    model = reduce(network.assemble(cell, network.grid(cell, 0)), admittances(cell), band, direct_current=fraction > 0)
    s = 2j * np.pi * np.geomspace(1e-3, 1e9, 61)
    assert model.impedance(s) == pytest.approx(one_dimensional(cell, s), rel=1e-10)


def test_every_matrix_is_symmetric_and_positive_semidefinite(every_process: fc.Cell) -> None:
    assembly = Network().assemble(every_process, uniform(every_process, 6))
    for operator in assembly.operators.values():
        matrix = operator.tocsr().toarray()
        assert np.array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix).min() > -1e-14 * np.abs(matrix).max()


def test_equal_potentials_drive_no_current(every_process: fc.Cell) -> None:
    assembly = Network().assemble(every_process, uniform(every_process, 6))
    ones = np.ones((assembly.unknowns, 1))
    for process in ("bulk", "grain_boundary", "charge_transfer", "pore"):
        operator = assembly.operators[process]
        assert np.abs(operator @ ones).max() <= 1e-14 * abs(operator.tocsr()).max()
