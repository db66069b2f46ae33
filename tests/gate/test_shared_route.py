"""What both backends are solved with is looked at on the user's own cell: a fault of it moves both alike, and is named."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from images import image_cell
from mesh_files import LENGTHS, mesh_cell, write_vtu
from mesh_files import small as small_mesh
from rich.console import Console

import fem_constriction as fc
from fem_constriction.fem import FiniteElements
from fem_constriction.processes.elements import Admittance, Element
from fem_constriction.reduction.projection import Basis
from fem_constriction.stack.layered import Recursion
from network import Network
from validation import crosscheck
from validation.gate import shared_route
from validation.gate.default_cell import cell_of
from validation.gate.shared_route import RouteCheck, check_route, check_routes
from validation.show.report import crosscheck_report

BAND = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)
BACKENDS = [Network(), FiniteElements()]
NAMES = ["network", "fem"]


def boundaries_too_resistive(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.02 times the resistance of the boundaries in the recursion below the face, which both backends are solved with."""
    climb = Recursion._climb

    def wrong(self, y, derive=False):
        return climb(self, {**y, "grain_boundary": y["grain_boundary"] / 1.02}, derive)

    monkeypatch.setattr(Recursion, "_climb", wrong)


CELLS = {
    "every process": {},
    "ideal contact": {"working_electrode.charge_transfer": None},
    "insulating pores": {"working_electrode.pore": None},
    "no boundaries": {"electrolyte.grain_boundaries": None},
    "disc": {"working_electrode.contact.shape": "disc"},
    "full contact": {"working_electrode.contact.fraction": 1.0},
    "no contact": {"working_electrode.contact.fraction": 0.0},
    "fifty layers": {"electrolyte.grain_boundaries.layers": 50},
}


@pytest.mark.parametrize("backend", BACKENDS, ids=NAMES)
@pytest.mark.parametrize("changes", CELLS.values(), ids=CELLS)
def test_the_route_of_the_families_is_a_plain_solution_of_the_backends_own_matrices(every_process, backend, changes) -> None:
    found = check_route([every_process.vary(changes)], backend, BAND)
    assert not found.faults and not found.exempt
    # The reduced models are made for 1e-10 here; at 1 GHz rounding of the sparse matrices is as large.
    assert found.difference.max() < 1e-9
    assert found.frequency.min() == (0 if changes.get("working_electrode.contact.fraction") != 0.0 else found.frequency[0])
    assert found.frequency[-1] == pytest.approx(1e9), "the ends of the band are looked at"


@pytest.mark.parametrize("backend", BACKENDS, ids=NAMES)
@pytest.mark.parametrize("shape", ["square", "disc"])
def test_boundaries_too_resistive_in_the_recursion_are_found_on_every_backend(small, shape, backend, monkeypatch) -> None:
    boundaries_too_resistive(monkeypatch)
    found = check_route([small.vary({"working_electrode.contact.shape": shape})], backend, BAND)
    assert re.search(f"shared route is .* off the own matrices of {backend.name}", found.faults[0])
    assert "off by" in found.state


def test_the_cross_check_that_agrees_on_a_shared_fault_disagrees_and_extracts_nothing(small, monkeypatch) -> None:
    boundaries_too_resistive(monkeypatch)
    result = crosscheck(small, [1.0, 1e3, 1e6], discs=False)
    assert np.all(result.agreement.verdicts == "agree"), "the limits say nothing of it"
    assert result.agreement.verdict == "disagree"
    assert "the shared route is" in result.refusal and result.extraction is None


def test_it_stands_in_table_and_json(small) -> None:
    result = crosscheck(small, [1.0, 1e3, 1e6], discs=False)
    written = json.loads(json.dumps(result.as_dict()))["agreement"]["shared_route"]
    assert [each["backend"] for each in written] == NAMES and not any(each["faults"] for each in written)
    shown = StringIO()
    Console(file=shown, width=200).print(crosscheck_report(result))
    for name in NAMES:
        assert re.search(f"shared route +{name}: holds to", shown.getvalue())


def test_a_backend_that_gives_spectra_alone_has_no_route_of_ours() -> None:
    alone = SimpleNamespace(name="table", bound=None, impedance=None, resistance=None)
    (found,) = check_routes([], [alone], BAND)
    assert not found.faults and "gives spectra" in found.state


def test_of_several_cells_of_one_discretisation_each_is_looked_at(small) -> None:
    changes = {"electrolyte.conductivity": "1 mS/cm"}, {"working_electrode.pore.capacitance": 0.01}
    cells = [small, *(small.vary(each) for each in changes)]
    found = check_route(cells, Network(), BAND)
    assert set(found.cells) == {0, 1, 2} and not found.faults
    assert found.difference.max() < 1e-7, "a model for several materials is made for 1e-8"


@pytest.fixture
def too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """No grid is small enough for a plain solution."""
    monkeypatch.setattr(shared_route, "QUICK", 0)
    monkeypatch.setattr(shared_route, "MOST", 0)


@pytest.mark.parametrize("backend", BACKENDS, ids=NAMES)
@pytest.mark.parametrize("shape", ["square", "disc"])
def test_of_a_grid_too_large_for_a_plain_solution_the_residual_is_looked_at(small, shape, backend, too_large) -> None:
    found = check_route([small.vary({"working_electrode.contact.shape": shape})], backend, BAND)
    # Conjugate gradients to 1e-9 in energy leave a residual whose square stays below what is allowed.
    assert not found.faults and found.difference.max() < 1e-9 and found.allowed.max() < 1e-6
    assert found.by_residual and "residuals judged" in found.state


@pytest.mark.parametrize("backend", BACKENDS, ids=NAMES)
@pytest.mark.parametrize("shape", ["square", "disc"])
def test_residuals_find_boundaries_too_resistive_in_the_recursion(small, shape, backend, too_large, monkeypatch) -> None:
    """Potentials of all unknowns are solved without the recursion: Z of the face alone is what is held against them."""
    boundaries_too_resistive(monkeypatch)
    found = check_route([small.vary({"working_electrode.contact.shape": shape})], backend, BAND)
    assert re.search(f"shared route is .* off the own matrices of {backend.name}", found.faults[0])


def body_of_its_own(kind: str, folder: Path) -> fc.Cell:
    """A mesh of tetrahedra with a boundary in its middle, or an image of two grains: no stack, all unknowns are solved."""
    if kind == "mesh":
        return mesh_cell(write_vtu(small_mesh(), folder), LENGTHS)
    return image_cell((4, 4, 4), 0.25, {"image": np.repeat([0, 1], 32).reshape(4, 4, 4)})


@pytest.mark.parametrize(("kind", "backend"), [("mesh", BACKENDS[1]), ("image", BACKENDS[0]), ("image", BACKENDS[1])])
def test_residuals_of_meshes_and_images_are_small_and_tell_of_other_matrices(
    kind, backend, too_large, tmp_path, monkeypatch
) -> None:
    cell = body_of_its_own(kind, tmp_path)
    found = check_route([cell], backend, BAND)
    assert found.by_residual and not found.faults and not found.exempt
    assert found.difference.max() < 1e-9 and found.allowed.max() < 1e-6

    own = shared_route._Own.__init__

    def other(self, assembly):
        """The matrix of charge transfer 1.02 times too large, in what is held against the route alone."""
        own(self, assembly)
        name = next(name for name in self.matrices if "charge_transfer" in name)
        self.matrices[name] = 1.02 * self.matrices[name]

    monkeypatch.setattr(shared_route._Own, "__init__", other)
    assert "the shared route is" in check_route([cell], backend, BAND).faults[0]


def test_the_residual_finds_a_projection_of_other_matrices(small, too_large, monkeypatch) -> None:
    model = Basis.model

    def wrong(self, shifts):
        right = model(self, shifts)
        right.matrices["bulk"] = 1.01 * right.matrices["bulk"]
        return right

    monkeypatch.setattr(Basis, "model", wrong)
    assert check_route([small], Network(), BAND).faults


def test_the_circuit_that_r_cstr_is_counted_from_is_that_of_the_matrices_at_full_contact(every_process, monkeypatch) -> None:
    right = shared_route.one_dimensional_resistance
    monkeypatch.setattr(shared_route, "one_dimensional_resistance", lambda cell: 1.005 * right(cell))
    for backend in BACKENDS:
        (fault,) = check_route([every_process], backend, BAND).faults
        assert fault.startswith("R_Cstr is counted from")


@pytest.mark.parametrize("pore", [{"capacitance": 0.1}, {"depth": 1e-9, "conductivity": 1e-6, "relative_permittivity": 3}])
def test_pores_that_conduct_count_in_it_side_by_side_with_the_contact(every_process, pore) -> None:
    cell = every_process.vary({"working_electrode.pore": pore})
    claimed, own, _ = check_route([cell], Network(), BAND).one_dimensional
    assert claimed == pytest.approx(own, rel=1e-12)


def test_an_admittance_is_evaluated_from_its_numbers() -> None:
    place = Admittance((Element(2.0, 3.0), Element(0.0, 0.0, 5.0, 0.5)))
    s = 4j
    assert shared_route.admittance(place, s) == pytest.approx(1 / (1 / (2 + 12j) + 1 / (5 * s**0.5)))
    assert shared_route.admittance(place, 0.0) == 0, "a constant-phase element blocks direct current"


def test_a_difference_that_is_no_number_is_a_fault() -> None:
    arrays = {"frequency": np.array([1.0]), "plain": np.array([1.0 + 0j]), "allowed": np.array([1e-7])}
    assert RouteCheck(backend="network", fast=np.array([np.nan + 0j]), **arrays).faults


def test_what_the_fast_route_states_as_its_own_error_is_no_fault() -> None:
    arrays = {"frequency": np.array([1.0]), "fast": np.array([1.0 + 1e-6j]), "plain": np.array([1.0 + 0j])}
    assert RouteCheck(backend="network", allowed=np.array([9e-7]), **arrays).faults
    assert not RouteCheck(backend="network", allowed=np.array([1.1e-6]), **arrays).faults


def test_admittances_too_far_apart_for_double_precision_are_exempt_with_the_reason(small, monkeypatch) -> None:
    def singular(self, y):
        raise RuntimeError("Factor is exactly singular")

    monkeypatch.setattr(shared_route._Own, "impedance", singular)
    found = check_route([small], Network(), BAND)
    assert not found.faults and "exactly singular" in found.state


def test_frequencies_are_where_shares_of_the_processes_change(small) -> None:
    omega = check_route([small], Network(), BAND).frequency * 2 * np.pi
    # From the least frequency to the largest, and between them in the decades of the relaxation times.
    assert omega[0] == 0 and omega[1] == pytest.approx(BAND[0]) and np.all(np.diff(omega) > 0)
    assert np.all((omega[2:-1] > 1e2) & (omega[2:-1] < 1e8))


def test_the_look_at_figure_2_stays_small_beside_its_families() -> None:
    """A few thousand unknowns at three to five frequencies: a plain factorisation of so many takes hundredths of a second."""
    for route in check_routes([cell_of(None)], BACKENDS, BAND):
        assert 0 < route.unknowns <= shared_route.MOST / 5
        assert route.frequency.size <= 1 + shared_route.FREQUENCIES


class NoUniform(Network):
    """Somebody else's backend, which falls over grids that a cross-check did not ask it for before."""

    name = "no-uniform"

    def uniform(self, described, resolution):
        raise KeyError(resolution)


def test_a_backend_that_fails_at_grids_of_the_look_alone_does_not_stop_the_cross_check(small) -> None:
    assert not check_route([small], NoUniform(), BAND).faults


class NoMatrices(Network):
    """Somebody else's backend, whose matrices of the coarse grid cannot be had."""

    name = "no-matrices"

    def assemble(self, described, grid):
        raise KeyError("links")


def test_a_backend_whose_own_matrices_cannot_be_had_is_exempt_with_the_reason(small) -> None:
    found = check_route([small], NoMatrices(), BAND)
    assert "KeyError: 'links'" in found.exempt
    assert not found.faults


@pytest.mark.parametrize("backend", BACKENDS, ids=NAMES)
@pytest.mark.parametrize("fault", [TypeError, KeyError, ValueError])
def test_a_look_that_fails_at_our_own_code_is_a_fault_and_no_exemption(fault, backend, small, monkeypatch) -> None:
    def broken(self, problem, grid):
        raise fault("links")

    monkeypatch.setattr(type(backend), "assemble", broken)
    found = check_route([small], backend, BAND)
    assert not found.exempt and found.as_dict()["failed"]
    assert f"{fault.__name__}" in found.faults[0] and "fault of this program" in found.faults[0]


@pytest.mark.parametrize(
    "failure", [RuntimeError("Factor is exactly singular"), ZeroDivisionError(), np.linalg.LinAlgError("nan")]
)
def test_numbers_that_no_factor_can_take_are_exempt_with_the_reason(failure, small, monkeypatch) -> None:
    def singular(self, problem, grid):
        raise failure

    monkeypatch.setattr(Network, "assemble", singular)
    found = check_route([small], Network(), BAND)
    assert type(failure).__name__ in found.exempt and not found.faults


def image_with_metal() -> fc.Cell:
    """Metal at V, a piece that floats, and a void that no direct current enters, in 5 x 6 x 6 voxels."""
    labels = np.zeros((5, 6, 6), dtype=int)
    labels[0, 2:4, 2:4] = 1
    labels[2, 1:3, 1:3] = 1
    labels[2, 4, 4] = 2
    phases = [{"label": 1, "kind": "electrode", "tied_to": "working"}, {"label": 2, "kind": "hole", "relative_permittivity": 1}]
    return image_cell(labels.shape, 1 / 9, {"image": labels, "phases": phases})


@pytest.mark.parametrize("backend", BACKENDS, ids=NAMES)
def test_images_with_metal_are_looked_at_although_its_voxels_have_no_equation(backend, monkeypatch) -> None:
    found = check_route([image_with_metal()], backend, (1.0, 1e7))
    assert not found.exempt and not found.faults
    assert found.frequency[0] == 0, "direct current, which voids have no part in"
    assert (found.difference <= found.allowed).all() and found.allowed.max() < 1e-6

    assemble = type(backend).assemble

    def better(self, problem, grid):
        """The matrices of charge transfer 1.02 times too large; the fast route of an image has links or elements of its own."""
        made = assemble(self, problem, grid)
        wrong = {n: op.tocsr() * (1.02 if "charge_transfer" in n else 1) for n, op in made.operators.items()}
        return replace(made, operators=wrong)

    monkeypatch.setattr(type(backend), "assemble", better)
    wrong = check_route([image_with_metal()], backend, (1.0, 1e7))
    assert not wrong.exempt and "the shared route is" in wrong.faults[0]
