"""A laterally uniform stack solved on its WE face alone is the same discretisation as with all its unknowns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import linalg
from scipy.sparse.linalg import spsolve
from stacked_cells import stacked_cell

import fem_constriction as fc
from fem_constriction.problem.problem import Problem, check_solvable
from fem_constriction.processes.elements import evaluate
from fem_constriction.processes.of_cell import admittances, direct_current
from fem_constriction.reduction.projection import reduce
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import refine, solve_family
from fem_constriction.stack.face_model import LateralModel, reduce_layered
from fem_constriction.stack.face_problem import Plane
from fem_constriction.stack.layered import Layered, Recursion
from fem_constriction.stack.modes import Lateral, Modes
from network.stacks import _voxel

FREQUENCY = np.geomspace(1e-3, 1e9, 13)
S = 2j * np.pi * FREQUENCY
BAND = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)

#: What two routes to the same discretisation may differ by: each projection is made for 1e-10 here, and rounding of the sparse
#: matrices reaches some 1e-10 at high frequency.
SAME = 1e-9


def sparse_impedance(cell: fc.Cell, backend: str, grid) -> np.ndarray:
    assembly = backend_named(backend).assemble(cell, grid)
    port = np.zeros(assembly.unknowns, dtype=complex)
    port[-1] = 1
    found = []
    for s in S:
        matrix = assembly.matrix({name: complex(y) for name, y in evaluate(admittances(cell), s).items()})
        x = spsolve(matrix, port, permc_spec="MMD_AT_PLUS_A")
        found.append(2 * x[-1] - x @ (matrix @ x))
    return np.array(found)


def face_only(cell: fc.Cell, backend: str, grid) -> LateralModel:
    chosen = backend_named(backend)
    flows = direct_current(cell)
    return reduce_layered(chosen.layered(cell, grid), admittances(cell), BAND, direct_current=flows, tolerance=1e-10)


decades = st.floats(-3, 3).map(lambda power: 10.0**power)


@pytest.mark.parametrize("backend", ["network", "fem"])
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    bulk=decades, boundary=decades, pore=decades, contact=decades, fraction=st.sampled_from([0.04, 0.25, 0.5, 0.9, 1.0]),
    ideal=st.booleans(), grounded=st.booleans(), layers=st.sampled_from([1, 3]),
)  # fmt: skip
def test_it_is_the_sparse_solution(backend, bulk, boundary, pore, contact, fraction, ideal, grounded, layers) -> None:
    cell = stacked_cell(
        4,
        **{
            "electrolyte.conductivity": 0.046 * bulk,
            "electrolyte.grain_boundaries.conductivity": 5.97e-4 * boundary,
            "electrolyte.grain_boundaries.layers": layers,
            "working_electrode.contact.fraction": fraction,
            "working_electrode.pore.capacitance": 0.0885 * pore,
            "working_electrode.charge_transfer.resistance": 1e-4 * contact,
        },
    )
    if ideal:
        cell = cell.vary({"working_electrode.charge_transfer": None})
    if grounded:
        cell = cell.vary({"counter_electrode.charge_transfer": None})
    grid = backend_named(backend).uniform(cell, 8)
    exact = sparse_impedance(cell, backend, grid)
    model = face_only(cell, backend, grid)
    stated = model.error(S)
    # Rounding of the sparse solution: eps times the largest admittance ratio, at most 1e-9 over these six decades of each
    # material.
    assert np.all(np.abs(model.impedance(S) - exact) <= (SAME + stated) * np.abs(exact))


@pytest.mark.parametrize("backend", ["network", "fem"])
@pytest.mark.parametrize("fraction", [0.0, 0.25])
def test_on_graded_grids_as_well(backend: str, fraction: float) -> None:
    cell = stacked_cell(4, **{"working_electrode.contact.fraction": fraction})
    chosen = backend_named(backend)
    grid = chosen.grid(cell, 0)
    flows = direct_current(cell)
    whole = reduce(chosen.assemble(cell, grid), admittances(cell), BAND, direct_current=flows, tolerance=1e-10)
    model = face_only(cell, backend, grid)
    np.testing.assert_allclose(model.impedance(S), whole.impedance(S), rtol=SAME)
    if fraction:
        np.testing.assert_allclose(model.resistance(), whole.resistance(), rtol=SAME)
    else:
        assert model.resistance() == np.inf


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_shares_of_the_processes_are_those_of_the_whole_cell(backend: str) -> None:
    cell = stacked_cell(4)
    chosen = backend_named(backend)
    grid = chosen.grid(cell, 0)
    whole = reduce(chosen.assemble(cell, grid), admittances(cell), BAND, tolerance=1e-10)
    model = face_only(cell, backend, grid)
    found, expected = model.shares(np.append(0, S)), whole.shares(np.append(0, S))
    assert set(found) == set(expected)
    for name, share in expected.items():
        # Shares are of first order in the potentials' error, Z of second: the root of 1e-10 and a decade.
        np.testing.assert_allclose(found[name], share, atol=1e-6)
    np.testing.assert_allclose(sum(found.values()), 1, atol=1e-9)


def test_the_choice_is_made_and_reported() -> None:
    cell, network = stacked_cell(4), backend_named("network")
    grid = network.grid(cell, 0)
    assert solve_grid(cell, network, grid, BAND).description["route"] == "mode by mode"
    kept = solve_grid(cell, network, grid, BAND, keep=True)  # potentials were asked for
    assert "route" not in kept.description
    assert kept.description["unknowns"] == solve_grid(cell, network, grid, BAND).description["unknowns"]
    z = fc.solve(cell, FREQUENCY, resolution=16)
    assert z.provenance["grids"][0]["route"] == "mode by mode"


def test_relaxation_times_come_from_the_whole_cell() -> None:
    cell, network = stacked_cell(4), backend_named("network")
    grid = network.grid(cell, 0)
    face, whole = solve_grid(cell, network, grid, BAND), solve_grid(cell, network, grid, BAND, keep=True)
    np.testing.assert_allclose(face.model.relaxation().tau, whole.model.relaxation().tau)
    with pytest.raises(fc.ComputationError, match="relaxation times"):
        face.without_potentials().model.relaxation()


@pytest.mark.usefixtures("coarse")
def test_a_family_that_is_refined_still_knows_what_names_its_arcs() -> None:
    """A cross-check that needs a fourth grid: the relaxation times are still those of the coarsest grid."""
    problem, network = Problem.of(stacked_cell(4)), backend_named("network")
    family = solve_family(problem, network, BAND)
    before = family.relaxing.relaxation()
    refined = refine(solve_family(problem, network, BAND), BAND)
    assert len(refined.solutions) == len(family.solutions) + 1
    assert all(isinstance(each.model, LateralModel) for each in refined.solutions)
    for each in (refined, refined.without_potentials()):
        np.testing.assert_array_equal(each.relaxing.relaxation().tau, before.tau)


def test_too_large_a_face_is_refused_before_it_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = stacked_cell(4)
    monkeypatch.setattr("fem_constriction.solving.one_grid.DOUBLES_PER_NODE", 10**12)
    with pytest.raises(fc.InputError, match=r"mode by mode: .* unknowns would need about .* GiB"):
        fc.solve(cell, FREQUENCY, resolution=16)


def test_a_boundary_left_out_of_the_recursion_is_seen() -> None:
    cell, network = stacked_cell(4), backend_named("network")
    grid = network.uniform(cell, 8)
    right = network.layered(cell, grid)
    wrong = Layered(**{**vars(right), "layers": [np.concatenate(right.layers[:2]), *right.layers[2:]]})
    model = reduce_layered(wrong, admittances(cell), BAND)
    exact = sparse_impedance(cell, "network", grid)
    assert np.max(np.abs(model.impedance(S) / exact - 1)) > 1e-2


def test_modes_that_have_died_out_do_not_see_what_is_below() -> None:
    """Truncation against the recursion through all layers for every mode, and interpolation between modes."""
    eigenvalues = np.geomspace(1e6, 1e16, 400)
    layers = [np.full(8, 1e-7)] * 50
    y = {"bulk": np.array([0.046 + 1e-3j]), "grain_boundary": np.array([6e4 + 10j]), "counter_electrode": np.array([1e4 + 1j])}
    recursion = Recursion(eigenvalues, layers, _voxel)
    whole = np.concatenate([recursion.impedance(y)[0], recursion.shallow])
    plain = []
    for value in eigenvalues:
        below = y["bulk"][0] / y["counter_electrode"][0]
        for number in range(50):
            for _ in range(8):  # a voxel: half link, lateral conduction of its node, half link
                below = 5e-8 + 1 / (value * 1e-7 + 1 / (5e-8 + below))
            below = below + (y["bulk"][0] / y["grain_boundary"][0] if number < 49 else 0)
        plain.append(below)
    np.testing.assert_allclose(whole, np.array(plain), rtol=1e-12)
    assert 0 < recursion.deep < eigenvalues.size


def test_eigenvalues_of_strongly_graded_lines_are_known_to_rounding_of_each() -> None:
    """Voxels whose sizes span seven decades: the low modes must not feel eps times the highest one."""
    sizes = np.geomspace(1e-7, 1.0, 40)
    modes = Modes.voxels(sizes)
    # lambda of K = D' G D and M are those of G^1/2 D M^-1 D' G^1/2, whose inverse is known entry by entry, without a
    # difference: (D M^-1 D')^-1_ij = P_i (T - P_j)/T for i <= j, P the mass up to a link and T all of it.
    mass, total = np.cumsum(sizes)[:-1], sizes.sum()
    after = np.cumsum(sizes[::-1])[::-1][1:]
    inverse = np.minimum.outer(mass, mass) * np.minimum.outer(after, after) / total
    root = np.sqrt((sizes[1:] + sizes[:-1]) / 2)
    exact = 1 / linalg.eigvalsh(root[:, None] * inverse * root)[::-1]
    # The inverse gives its largest eigenvalues to rounding: the lowest modes.
    np.testing.assert_allclose(modes.values[1:6], exact[:5], rtol=1e-12)
    links = 1 / root**2
    stiffness = np.diag(np.append(links, 0) + np.append(0, links)) - np.diag(links, 1) - np.diag(links, -1)
    plain = linalg.eigh(stiffness, np.diag(sizes), eigvals_only=True)
    assert np.max(np.abs(plain[1:6] / exact[:5] - 1)) > 1e-10  # what is mended
    np.testing.assert_allclose(modes.vectors.T @ np.diag(sizes) @ modes.vectors, np.eye(40), atol=1e-13)


def test_the_cosine_transform_is_the_dense_one() -> None:
    sizes = np.full(200, 0.3)
    fast = Modes.voxels(sizes)
    assert fast.step is not None
    links = np.full(199, 1 / 0.3)
    stiffness = np.diag(np.append(links, 0) + np.append(0, links)) - np.diag(links, 1) - np.diag(links, -1)
    slow = Modes.generalised(stiffness, np.diag(sizes))
    np.testing.assert_allclose(fast.values[1:], slow.values[1:], rtol=1e-12)
    values = np.random.default_rng(1).standard_normal((2, 200, 200))
    for a, b in ((Lateral(fast, fast), Lateral(slow, slow)), (Lateral(fast, slow), Lateral(slow, slow))):
        for weight in (a.values, a.values**0.5):
            np.testing.assert_allclose(
                a.spread(a.analyse(values) * weight), b.spread(b.analyse(values) * weight), rtol=0, atol=1e-9 * weight.max()
            )
        np.testing.assert_allclose(a.synthesise(a.analyse(values)), values, atol=1e-11)
        np.testing.assert_allclose(a.diagonal, b.diagonal, rtol=1e-11)


def test_a_plane_that_is_not_solved_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plane, "most_iterations", 2)
    cell = stacked_cell(4)
    check_solvable(cell)
    with pytest.raises(fc.ComputationError, match="conjugate gradients on the WE face stopped after"):
        fc.solve(cell, FREQUENCY, resolution=16)


@pytest.mark.parametrize("backend", ["network", "fem"])
@pytest.mark.parametrize("level", [1, 2])
def test_what_lies_in_series_behind_a_deep_stack_adds_to_its_resistance(backend: str, level: int) -> None:
    """R_DC = R_without + r/A where current has spread evenly before it meets r: also where r is 50,000 times all the rest.

    The current leaves no other way: an even mode of eigenvalue 2e-10 instead of 0 let 3e-8 of it leak, a fault 4000 times eps.
    """
    contact = {"contact": {"shape": "square", "fraction": 0.015}, "charge_transfer": {"resistance": "1 ohm cm^2"}}
    geometry = {"width": "0.3 mm", "thickness": "13 mm"}
    cell = fc.Cell(geometry=geometry, electrolyte={"conductivity": "7 S/m"}, working_electrode=contact)
    behind = cell.vary({"counter_electrode.charge_transfer": {"resistance": "800 ohm m^2"}})
    chosen = backend_named(backend)
    alone, together = (
        solve_grid(each, chosen, chosen.grid(Problem.of(each), level), None).model.resistance() for each in (cell, behind)
    )
    assert together == pytest.approx(alone + 800 / cell.area, rel=1e-13)  # eps, a few hundred operations
