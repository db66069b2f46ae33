"""50 random cells of all kinds of interfaces: both backends against plain sparse solutions of their own matrices, to 1e-8."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import direct

import fem_constriction as fc
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.one_grid import solve_grid

S = 2j * np.pi * np.geomspace(1e-2, 1e8, 11)
BAND = (2 * np.pi * 1e-2, 2 * np.pi * 1e8)
FEW = 5


def random_cell(seed: int) -> fc.Cell:
    """A cell of one to three layers, planes, interphases and constant-phase elements, each there with probability one half.

    So is a patterned counter electrode; a contact is a square, or a mask of 8 x 8 pixels that is its own mirror image.
    """
    random = np.random.default_rng(seed)

    def between(low: float, high: float) -> float:
        return float(10 ** random.uniform(np.log10(low), np.log10(high)))

    def there() -> bool:
        return bool(random.random() < 0.5)

    def cpe(low: float, high: float) -> dict[str, Any]:
        return {"cpe": {"Q": between(low, high), "exponent": float(random.uniform(0.5, 1))}} if there() else {}

    def film(**more: Any) -> dict[str, Any]:
        return {"resistance": between(1e-5, 1e-2), "capacitance": between(1e-3, 10), **cpe(1e-2, 10), **more}

    def material() -> dict[str, Any]:
        return {"conductivity": between(1e-3, 1), "relative_permittivity": between(10, 1e3), **cpe(1e-9, 1e-6)}

    def interphases() -> list[dict[str, Any]]:
        return [film(covers=("contact", "face")[int(there())]) for _ in range(int(random.integers(0, 3)))]

    thickness, count = 4e-5, int(random.integers(1, 4))
    parts = random.dirichlet(np.full(count, 5.0)) * thickness
    electrolyte: dict[str, Any] = material()
    if count > 1:
        electrolyte = {"layers": [{"thickness": float(part), **material()} for part in parts]}
    if there():
        at = np.sort(random.uniform(0.1, 0.9, int(random.integers(1, 4)))) * thickness
        planes = [
            {"position": float(z), "resistance": between(1e-6, 1e-3), "capacitance": between(1e-3, 1), **cpe(1e-3, 1)}
            for z in at
        ]
        electrolyte["grain_boundaries"] = {"planes": planes}

    def touching() -> dict[str, Any]:
        fraction = float(random.uniform(0.05, 0.8))
        if there():
            return {"contact": {"shape": "square", "fraction": fraction}, "pore": pores()}
        quarter = random.random((4, 4)) < max(fraction, 0.2)
        half = np.concatenate([quarter[::-1], quarter])
        return {"contact": {"shape": "mask", "image": np.concatenate([half[:, ::-1], half], axis=1)}, "pore": pores()}

    def pores() -> dict[str, Any]:
        return {"capacitance": between(1e-4, 1), **cpe(1e-3, 1)}

    working: dict[str, Any] = {**touching(), "interphase": interphases()}
    if there() or not working["interphase"]:
        working["charge_transfer"] = film()
    counter: dict[str, Any] = {"interphase": interphases()}
    if there():
        counter["charge_transfer"] = film()
    if there():
        counter |= touching()
    return fc.Cell(
        geometry={"width": 5e-5, "thickness": thickness},
        electrolyte=electrolyte,
        working_electrode=working,
        counter_electrode=counter,
    )


def test_they_are_of_all_kinds() -> None:
    """One patterned electrode and two, squares and masks; materials, planes, films and constant-phase elements with each."""
    kinds: dict[str, set[str]] = {}
    for seed in range(50):
        cell = random_cell(seed)
        problem, counter = Problem.of(cell), cell.counter_electrode.contact
        has = kinds.setdefault(problem.kind.name, set())
        has |= {*problem.features, *problem.places, cell.working_electrode.contact.shape}
        has |= {f"counter {counter.shape}"} if counter else set()
    films = {"square", "mask", "bulk_3", "grain_boundary_3", "interphase", "constant-phase elements", "counter_electrode"}
    assert set(kinds) == {"rectangles", "two_rectangles"}
    assert all(films <= has for has in kinds.values())
    assert {"counter square", "counter mask", "counter_pore"} <= kinds["two_rectangles"]


@pytest.mark.parametrize("backend", ["network", "fem"])
@pytest.mark.parametrize("seed", [seed if seed < FEW else pytest.param(seed, marks=pytest.mark.long) for seed in range(50)])
def test_it_is_the_plain_sparse_solution(seed: int, backend: str) -> None:
    problem, chosen = Problem.of(random_cell(seed)), backend_named(backend)
    grid = chosen.uniform(problem, 8)
    exact = direct(chosen.assemble(problem, grid), problem.places, S)
    found = solve_grid(problem, chosen, grid, BAND).model.impedance(S)
    # 1e-8: what models are made for
    assert np.max(np.abs(found / exact - 1)) < 1e-8
