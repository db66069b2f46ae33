"""Admittances that span 9 to 15 decades: Z to rounding, and no more said of it than is so.

Against closed forms (at full contact Z is a series of resistors and capacitors on every grid) and against the network's links
solved one by one, differences first, with residuals in extended precision: neither shares projection or recursion with what is
tested.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from images import _driving_point
from scipy.constants import epsilon_0

import fem_constriction as fc
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.elements import evaluate
from fem_constriction.reduction.projection import TARGET, Basis, first_shifts
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.stack.face_model import PlaneBasis
from network.links import GROUND, Electrodes, network_links

#: What rounding of the entries of a backend's own matrices does, which no model sees: an entry of eps times the diagonal of
#: a fine element, 1e3 times what flows.
MATRICES = 1e-12

BACKENDS = ("network", "fem")
FREQUENCY = np.geomspace(1e-3, 1e12, 11)
S = 2j * np.pi * FREQUENCY
BAND = (float(abs(S[0])), float(abs(S[-1])))


def cell(fraction: float, farad: float = 20.0, depth: str = "1e-9 m") -> fc.Cell:
    """A purely resistive counter electrode, 3e4 S/m2, below a double layer: 20 F/m2 conduct 1e14 S/m2 at 1e12 Hz."""
    return fc.Cell(
        geometry={"width": "7 mm", "thickness": "0.27 mm"},
        electrolyte={"conductivity": "0.12 S/m", "relative_permittivity": 1.02},
        working_electrode={
            "contact": {"shape": "square", "fraction": fraction},
            "charge_transfer": {"resistance": "7e-5 ohm m^2", "capacitance": f"{farad!r} F/m^2"},
            **({} if fraction == 1 else {"pore": {"depth": depth, "conductivity": "7e-7 S/m"}}),
        },
        counter_electrode={"charge_transfer": {"resistance": "3e-5 ohm m^2"}},
    )


def models(made: fc.Cell, backend: str) -> dict[str, Any]:
    """The reduced models of a small grid, on its face and with all unknowns."""
    chosen = backend_named(backend)
    grid = chosen.uniform(Problem.of(made), 10)
    return {f"keep = {keep}": solve_grid(made, chosen, grid, BAND, keep=keep).model for keep in (False, True)}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("farad", [2e-2, 20.0, 2e4])
def test_at_full_contact_z_is_a_series_to_rounding(backend: str, farad: float) -> None:
    made = cell(1.0, farad)
    area = made.area
    bulk = 0.12 + S * 1.02 * epsilon_0
    exact = (0.27e-3 / bulk + 1 / (1 / 7e-5 + S * farad) + 3e-5) / area
    for model in models(made, backend).values():
        off = np.abs(model.impedance(S) / exact - 1)
        assert np.all(off < TARGET)
        assert np.all(off <= model.error(S) + MATRICES)


def by_links(made: fc.Cell, grid: Any) -> np.ndarray:
    """Z of the network's links at each s, without its matrices."""
    electrodes = Electrodes.of(Problem.of(made), grid)
    links, numbering = network_links(grid, electrodes.column(Problem.of(made), grid), electrodes)
    ends = np.concatenate([np.column_stack([each.a, each.b]) for each in links.values()])
    metal, ground = numbering.unknowns - 1, numbering.unknowns
    ends = np.where(ends == GROUND, ground, ends)
    y = evaluate(Problem.of(made).places, S)
    at = [np.concatenate([y[name][k] * each.geometry for name, each in links.items()]) for k in range(S.size)]
    return np.array([_driving_point(ends, conductances, metal) for conductances in at])


@pytest.mark.parametrize("farad", [2e-2, 20.0, 2e4])
def test_the_network_is_its_links_to_rounding_and_says_so(farad: float) -> None:
    """9, 12 and 15 decades between the double layer and the pore; a model of the mixtures is 2e-7 and 2e-4 off at 1e12 Hz."""
    made = cell(0.64, farad)
    chosen = backend_named("network")
    exact = by_links(made, chosen.uniform(Problem.of(made), 10))
    for model in models(made, "network").values():
        off = np.abs(model.impedance(S) / exact - 1)
        assert np.all(off < TARGET)
        assert np.all(off <= model.error(S) + MATRICES)


@pytest.mark.parametrize("route", ["face", "all unknowns"])
def test_mixtures_of_solutions_lose_what_relaxations_keep(route: str) -> None:
    """What is said of the rounding of a model that was not projected anew is enough (seen: 19 and 1800 estimates)."""
    made = cell(0.64)
    chosen, problem = backend_named("network"), Problem.of(made)
    grid = chosen.uniform(problem, 10)
    exact = by_links(made, grid)
    if route == "face":
        basis: Basis = PlaneBasis(chosen.layered(problem, grid), problem.places)
    else:
        basis = Basis(chosen.assemble(problem, grid), problem.places)
    shifts, _ = first_shifts(BAND, direct_current=True)
    basis.extend(shifts)
    mixed = basis.model(shifts)
    apart = basis.turned(mixed)
    off, kept = (np.abs(model.impedance(S) / exact - 1) for model in (mixed, apart))
    assert off[-1] > 1e-8
    assert np.all(off <= mixed.error(S))
    assert np.all(kept <= apart.error(S) + MATRICES)
    assert apart.rounding(S).max() < 1e-12


@pytest.mark.parametrize("farads", [(20.0, 2e-2, 2e4)], ids=["15 decades in one, 6 between them"])
def test_materials_that_share_a_basis_keep_their_digits(farads: tuple[float, ...]) -> None:
    """Each as exact as it is alone: the mixtures that materials share lost 2e-4 of Z, and said 1e-8."""
    cells = [cell(0.64, farad) for farad in farads]
    chosen = backend_named("network")
    grid = chosen.uniform(Problem.of(cells[0]), 10)
    together = solve_grid(cells[0], chosen, grid, BAND, others=cells[1:])
    for made in cells:
        model, exact = together.of(made).model, by_links(made, grid)
        off = np.abs(model.impedance(S) / exact - 1)
        assert np.all(off < 20 * TARGET)  # what one basis may lack of a material (tests of materials)
        assert np.all(off <= model.error(S) + MATRICES)
        assert model.rounding(S).max() < 1e-12


def test_without_turning_the_rounding_is_said_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    made = cell(0.64)
    monkeypatch.setattr(Basis, "turned", lambda self, model: model)
    with pytest.raises(fc.ComputationError, match=r"estimated relative error of .* at 1e\+12 Hz, asked 1e-09"):
        models(made, "network")


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_kept_of_the_basis_belongs_to_the_model(backend: str) -> None:
    """The potentials' energy is the model's: what fields and guaranteed discs are made of."""
    made = cell(0.64)
    chosen = backend_named(backend)
    solved = solve_grid(made, chosen, chosen.uniform(Problem.of(made), 10), BAND, keep=True)
    x = solved.model.solution(S[:1])
    potential = solved.model.potentials(x).values(slice(None))[:, 0]
    y = evaluate(Problem.of(made).places, S[:1])
    image = sum(y[name][0] * (operator @ np.column_stack([potential.real, potential.imag]) @ [1, 1j])
                for name, operator in solved.assembly.operators.items())  # fmt: skip
    assert potential @ image == pytest.approx(solved.model.impedance(S[:1])[0], rel=1e-9)
