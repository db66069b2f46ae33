"""Two patterned electrodes: limits that are exact on every grid, against plain complex sparse solutions of the matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.constants import epsilon_0
from two_electrodes import SQUARE, coarse, plain, two

from fem_constriction.fem.backend import FiniteElements
from fem_constriction.fem.stacks.elements import GRADINGS
from fem_constriction.grids.grading import Grading
from fem_constriction.problem.problem import Problem
from network import Network

DISC = {"shape": "disc", "fraction": 0.16}
MAKE = pytest.mark.parametrize("make", [Network, lambda: FiniteElements(1), FiniteElements], ids=["network", "fem 1", "fem 2"])


@MAKE
@pytest.mark.parametrize("ideal", [False, True])
def test_mirror_images_give_twice_the_half_cell(make: Callable[[], Any], ideal: bool) -> None:
    """By symmetry the plane in the middle is at V/2: an ideal counter electrode there; a boundary in it counts half."""
    changes = {f"{each}_electrode.charge_transfer": None for each in ("working", "counter")} if ideal else {}
    cell = two(layers=4, **changes)
    half = cell.vary(
        {
            "geometry.thickness": "25 um",
            "electrolyte.grain_boundaries.layers": 2,
            "counter_electrode": {"charge_transfer": {"resistance": 1e-8 / 5e-5 / 2, "capacitance": 300 * epsilon_0 / 1e-8}},
        }
    )
    grid = coarse(cell)
    upper = replace(grid, layers=grid.layers[:2], counter=None)
    np.testing.assert_allclose(plain(make(), cell, grid), 2 * plain(make(), half, upper), rtol=1e-8)


def test_mirror_images_of_discs_give_twice_the_half_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Triangles of both outlines, which are the same, and those of one."""
    monkeypatch.setitem(GRADINGS, 1, Grading(exponent=2.0, steps=1))
    cell, backend = two(DISC, DISC, layers=4), FiniteElements(1)
    half = cell.vary(
        {
            "geometry.thickness": "25 um",
            "electrolyte.grain_boundaries.layers": 2,
            "counter_electrode": {"charge_transfer": {"resistance": 1e-8 / 5e-5 / 2, "capacitance": 300 * epsilon_0 / 1e-8}},
        }
    )
    grid = backend.grid(cell, 0)
    upper = replace(backend.grid(half, 0), layers=grid.layers[:2])
    np.testing.assert_allclose(plain(backend, cell, grid), 2 * plain(backend, half, upper), rtol=1e-8)


@MAKE
def test_an_ideal_electrode_that_touches_everything_is_none(make: Callable[[], Any]) -> None:
    """Its face is all at 0 V: two faces solved together are the one that is left, and the cell is that with one electrode."""
    cell = two(layers=2, **{"counter_electrode.charge_transfer": None})
    one = cell.vary({"counter_electrode": None})
    grid = coarse(cell)
    assert grid.counter is not None
    alone = plain(make(), one, replace(grid, counter=None))
    np.testing.assert_allclose(plain(make(), cell, replace(grid, counter=np.ones_like(grid.counter))), alone, rtol=1e-8)
    whole = cell.vary({"counter_electrode.contact.fraction": 1.0})
    assert Problem.of(whole).kind == Problem.of(one).kind
    assert Problem.of(whole).discretisation == Problem.of(one).discretisation


@MAKE
def test_pores_that_conduct_like_the_contact_are_a_uniform_electrode(make: Callable[[], Any]) -> None:
    alike = {"charge_transfer": {"resistance": "2 ohm cm^2"}, "pore": {"depth": "1 nm", "conductivity": 1e-9 / 2e-4}}
    cell = two(counter_electrode={"contact": SQUARE, **alike})
    uniform = cell.vary({"counter_electrode.contact": None, "counter_electrode.pore": None})
    grid = coarse(cell)
    np.testing.assert_allclose(plain(make(), cell, grid), plain(make(), uniform, replace(grid, counter=None)), rtol=1e-8)


@MAKE
def test_the_electrodes_may_be_swapped(make: Callable[[], Any]) -> None:
    small = {"shape": "square", "fraction": 0.16}
    one, other = two(small, layers=2), two(SQUARE, small, layers=2)
    changes = {"counter_electrode.charge_transfer": None}, {"working_electrode.charge_transfer": None}
    one, other = (cell.vary(change) for cell, change in zip((one, other), changes, strict=True))
    np.testing.assert_allclose(plain(make(), one, coarse(one)), plain(make(), other, coarse(other)), rtol=1e-8)


def test_elements_and_network_enclose_at_every_real_shift() -> None:
    cell = two({"shape": "square", "fraction": 0.09}, {"shape": "square", "fraction": 0.36}, layers=2)
    cell = cell.vary({"counter_electrode.charge_transfer": None})
    s = np.array([0.0, 1.0, 1e3, 1e6, 1e9])
    lower = [plain(FiniteElements(1), cell, coarse(cell, steps), s) for steps in (1, 2)]
    upper = [plain(Network(), cell, coarse(cell, steps), s) for steps in (1, 2)]
    assert np.all(lower[0] < lower[1])
    assert np.all(lower[1] < upper[1])
    assert np.all(upper[1] < upper[0])


def test_constrictions_far_apart_add_up() -> None:
    """What both patterns cost together is what each costs by itself, but for what decays as exp(-2 pi L_z/L_x)."""
    both, interaction = two(), []
    for thickness in ("12.5 um", "50 um"):
        cell = both.vary({"geometry.thickness": thickness})
        grid = coarse(cell)
        z = []
        for working in (True, False):
            for counter in (True, False):
                changed = {} if working else {"working_electrode.contact.fraction": 1.0}
                changed |= {} if counter else {"counter_electrode.contact.fraction": 1.0}
                contact = grid.contact if working else np.ones_like(grid.contact)
                here = replace(grid, contact=contact, counter=grid.counter if counter else None)
                z.append(float(plain(Network(), cell.vary(changed), here, 0.0)[0].real))
        interaction.append((z[0] - z[1] - z[2] + z[3]) / (z[0] - z[3]))
    assert interaction[0] < 0  # each squeezes what the other one has squeezed already
    assert 0 <= abs(interaction[1]) < 0.1 * abs(interaction[0])
