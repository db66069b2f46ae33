"""Cells with constant-phase elements: their arcs are depressed, and each bears the name of its process."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction.fitting.extraction import Extraction, extract
from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.projection import reduce
from fem_constriction.solving.backends import backend_named

F = np.geomspace(1e-3, 1e9, 61)


@lru_cache(maxsize=4)
def extracted(fraction: float) -> Extraction:
    cell = fc.Cell(
        geometry={"width": 5e-5, "thickness": 5e-5},
        electrolyte={"conductivity": 0.046, "cpe": {"Q": "2 nS s^n/cm", "exponent": 0.95}},
        working_electrode={
            "contact": {"shape": "square", "fraction": fraction},
            "charge_transfer": {"resistance": "1 ohm cm^2", "cpe": {"Q": "20 mS s^n/cm^2", "exponent": 0.8}},
            "pore": {"cpe": {"Q": "8.85 uS s^n/cm^2", "exponent": 0.9}},
        },
    )
    problem, backend = Problem.of(cell), backend_named("network")
    band = (2 * np.pi * F[0], 2 * np.pi * F[-1])
    model = reduce(backend.assemble(problem, backend.grid(problem, 0)), problem.places, band)
    return extract(F, model.impedance(2j * np.pi * F), cell=problem, model=model)


def test_arcs_of_a_full_contact_are_those_of_the_circuit() -> None:
    """Nothing is squeezed: two arcs in series, exactly; their parameters are those of the elements."""
    found = extracted(1.0)
    assert list(found.arcs) == ["bulk", "charge_transfer"]
    bulk, transfer = found.arcs["bulk"], found.arcs["charge_transfer"]
    wanted = {"R": 5e-5 / (0.046 * 2.5e-9), "alpha": 0.95, "tau": (2e-7 / 0.046) ** (1 / 0.95)}
    for name, value in wanted.items():
        assert getattr(bulk, name).value == pytest.approx(value, rel=1e-4)
    wanted = {"R": 1e-4 / 2.5e-9, "alpha": 0.8, "tau": (200 * 1e-4) ** (1 / 0.8)}
    for name, value in wanted.items():
        assert getattr(transfer, name).value == pytest.approx(value, rel=1e-4)
    # Hsu and Mansfeld: C = tau/R
    assert transfer.C.value == pytest.approx(transfer.tau.value / transfer.R.value, rel=1e-9)
    assert any("Hsu and Mansfeld" in note for note in found.notes)


def test_the_constriction_of_pores_with_a_constant_phase_element_is_a_depressed_arc() -> None:
    found = extracted(0.09)
    assert set(found.arcs) == {"bulk", "charge_transfer", "constriction"}
    assert found.residual is not None and found.residual < 1e-2
    constriction, transfer = found.arcs["constriction"], found.arcs["charge_transfer"]
    assert constriction.alpha is not None and 0.8 < (constriction.alpha.value or 0) < 1.0
    assert transfer.alpha is not None and transfer.alpha.value == pytest.approx(0.8, abs=0.05)
    # Of two arcs that are read as a ladder the slow one has 1.05 to 1.49 times the contact's 1 ohm cm2 over 9 % of the face
    # (measured with capacitors, figure 2's series).
    assert 1.05 < (transfer.R.value or 0) / (1e-4 / (0.09 * 2.5e-9)) < 1.49
    assert found.ladder is not None and "fitted itself" in found.ladder.source
    assert found.constriction is not None and found.constriction.R.value is not None


def test_of_a_film_under_the_face_the_arc_is_exact_and_nothing_is_read_as_a_ladder() -> None:
    """It is in series with contact and pores alike: an arc by itself, R = 5 ohm cm2 over the whole face."""
    cell = fc.Cell(
        geometry={"width": 5e-5, "thickness": 5e-5},
        electrolyte={"conductivity": 0.046, "relative_permittivity": 150},
        working_electrode={
            "contact": {"shape": "square", "fraction": 0.09},
            "interphase": {"resistance": "5 ohm cm^2", "capacitance": "1 uF/cm^2", "covers": "face"},
            "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
            "pore": {"capacitance": "8.85 uF/cm^2"},
        },
    )
    problem, backend = Problem.of(cell), backend_named("network")
    band = (2 * np.pi * F[0], 2 * np.pi * F[-1])
    model = reduce(backend.assemble(problem, backend.grid(problem, 0)), problem.places, band)
    found = extract(F, model.impedance(2j * np.pi * F), cell=problem, model=model)
    assert set(found.arcs) == {"bulk", "interphase", "charge_transfer", "constriction"}
    film = found.arcs["interphase"]
    # 1e-3: what four arcs are off where the constriction is more than one relaxation (residual 1e-4 |Z|)
    assert film.R.value == pytest.approx(5e-4 / 2.5e-9, rel=1e-3)
    assert film.C.value == pytest.approx(1e-2 * 2.5e-9, rel=1e-3)
    assert found.ladder is None and any("no ladder" in note for note in found.notes)
