"""What nobody means draws a warning, once a cell, with key and number; where thin layers stop being thin is measured."""

from __future__ import annotations

import math
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.constants import epsilon_0
from scipy.sparse.linalg import spsolve

import fem_constriction as fc
from fem_constriction.cell.cell import Cell
from fem_constriction.cell.plausible import DEEP, cost_of, implausible
from fem_constriction.errors import ImplausibleWarning
from validation.cli.app import main

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for path in ROOT.rglob("*.toml")
    if "[working_electrode" in path.read_text(encoding="utf-8") and ".git" not in path.parts
)
FIGURE_2 = ROOT / "tests" / "data" / "cells" / "figure-2-25.toml"
CELL = Cell.load(FIGURE_2)
PORE = "working_electrode.pore"
REGION = {"shape": "rectangle", "centre": ["25 um", "25 um"], "size": ["10 um", "10 um"]}


def drawn(changes: dict[str, Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CELL.vary(changes)
    assert all(each.category is ImplausibleWarning for each in caught)
    return [str(each.message) for each in caught]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"geometry.width": 50}, "geometry.width = 50.0 m is unusual: usual are 1e-08 to 0.03 m"),
        ({"geometry.width": [50, "50 um"], "working_electrode.contact.fraction": 0}, "geometry.width = 50.0 m is unusual"),
        ({"geometry.thickness": "50 m"}, "geometry.thickness = 50.0 m is unusual"),
        ({"geometry.thickness": "5 nm", "electrolyte.grain_boundaries": None}, "geometry.thickness = 5e-09 m is unusual"),
        ({"temperature.value": 60}, "temperature.value = 60.0 K is unusual: usual are 150 to 2e+03 K"),
        ({"temperature.value": 300, "temperature.reference": "25 K"}, "temperature.reference = 25.0 K is unusual"),
        (
            {"temperature.value": 298.15, "temperature.activation_energy.bulk": 0.35},
            "temperature.activation_energy.bulk = 0.35 J is unusual",
        ),
        ({"electrolyte.conductivity": 1e9}, "electrolyte.conductivity = 1000000000.0 S/m is unusual"),
        ({"electrolyte.conductivity": "1e-20 S/m"}, "electrolyte.conductivity = 1e-20 S/m is unusual"),
        (
            {"electrolyte.relative_permittivity": 0.5},
            "relative_permittivity = 0.5 is unusual: usual are 1 to 1e+06",
        ),
        ({"electrolyte.relative_permittivity": 1e9}, "electrolyte.relative_permittivity = 1000000000.0 is unusual"),
        ({"electrolyte.grain_boundaries.conductivity": 1e9}, "grain_boundaries.conductivity = 1000000000.0 S/m is unusual"),
        ({"working_electrode.charge_transfer.resistance": 1e9}, "charge_transfer.resistance = 1000000000.0 ohm m^2 is unusual"),
        ({"working_electrode.charge_transfer.capacitance": "885 F/cm^2"}, "charge_transfer.capacitance = 8850000.0 F/m^2"),
        (
            {"electrolyte.grain_boundaries.thickness": "2 um"},
            "electrolyte.grain_boundaries.thickness = 2e-06 m is more than the thickness of a layer of the bulk, 1e-06 m",
        ),
        (
            {"working_electrode.contact": {"shape": "regions", "regions": [{**REGION, "angle": 45}]}},
            "working_electrode.contact.regions.0.angle = 45.0 rad is unusual: usual are 0 to 6.28 rad",
        ),
        (
            {PORE: {"depth": "50 um", "relative_permittivity": 1}},
            "pore.depth = 5e-05 m is 1.3 times the width of the pore, 3.75e-05 m: pores are thin layers, and from 0.04",
        ),
        ({PORE: {"depth": "2 um", "relative_permittivity": 1}}, "pore.depth = 2e-06 m is 0.053 times the width of the pore"),
        (
            {PORE: {"capacitance": "0.1 nF/cm^2"}},
            "pore.capacitance = 1e-06 F/m^2, that of a vacuum 8.85e-06 m deep, is 0.24 times the width of the pore",
        ),
        (
            {PORE: {"depth": "10 nm", "relative_permittivity": 1}, "working_electrode.contact.fraction": 1e-8},
            "pore.depth = 1e-08 m is more than the width of the contact, 5e-09 m",
        ),
    ],
)
def test_what_nobody_means_draws_one_warning_with_the_key_and_the_number(changes: dict[str, Any], message: str) -> None:
    found = drawn(changes)
    assert len(found) == 1 and message in found[0] and len(found[0]) < 500


def test_boundaries_of_an_image_are_thin_against_its_grains() -> None:
    boundary = {"thickness": "10 um", "conductivity": "1 uS/cm"}
    cubic = {"generator": "cubic", "grain_size": "5 um", "voxel": "2.5 um", "boundary": boundary}
    grains = {"generator": "voronoi", "grains": 1000, "voxel": "2.5 um", "boundary": boundary}
    for structure, what in ((cubic, "a grain, 5e-06 m"), (grains, "a grain, 5e-06 m")):
        (found,) = drawn({"electrolyte.grain_boundaries": None, "electrolyte.microstructure": structure})
        assert f"boundary.thickness = 1e-05 m is more than the thickness of {what}" in found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_cell_of_the_repository_is_implausible(path: Path) -> None:
    assert implausible(Cell.load(path)) == ()


def test_what_is_left_out_and_what_has_no_pores_is_as_others_are() -> None:
    assert drawn({"electrolyte.relative_permittivity": 0, "working_electrode.charge_transfer.capacitance": 0}) == []
    for fraction in (0, 1):
        assert (
            drawn({PORE: {"depth": "50 um", "relative_permittivity": 1}, "working_electrode.contact.fraction": fraction}) == []
        )


def test_a_cell_is_warned_of_once_and_its_variants_of_what_is_new_in_them() -> None:
    text = CELL.dumps().replace('thickness = "5e-05 m"', 'thickness = "50 m"')
    with pytest.warns(ImplausibleWarning) as caught:
        wide = Cell.loads(text, source="cell.toml")
    assert [str(each.message) for each in caught] == [
        "cell.toml: geometry.thickness = 50.0 m is unusual: usual are 1e-08 to 0.03 m; is the unit as it is meant?"
    ]
    with pytest.warns(ImplausibleWarning, match="^geometry"):
        Cell(**wide.model_dump())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for fraction in (0.01, 0.04, 0.25):
            wide.vary({"working_electrode.contact.fraction": fraction})
        assert pickle.loads(pickle.dumps(wide)) == wide == Cell.of(wide)
    with pytest.warns(ImplausibleWarning) as caught:
        wide.vary({"temperature.value": 60})
    assert len(caught) == 1


def test_solving_draws_no_warning_more() -> None:
    with pytest.warns(ImplausibleWarning):
        unusual = CELL.vary({"electrolyte.relative_permittivity": 0.5})
    with warnings.catch_warnings():
        warnings.simplefilter("error", ImplausibleWarning)
        fc.solve(unusual, [1.0, 1e6], resolution=8)
        fc.resistance(unusual)


def test_the_command_says_so_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cell.toml").write_text(
        FIGURE_2.read_text(encoding="utf-8").replace('thickness = "50 um"', 'thickness = "50 m"')
    )
    assert main(["show", str(tmp_path / "cell.toml"), "--quiet"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("warning: ") == 1 and "cell.toml: geometry.thickness = 50.0 m is unusual" in said


# where the thin-layer law costs 1 %: voids resolved by finite volumes, which share nothing with the project


def graded(low: float, high: float, cells: int, fine_low: bool, fine_high: bool) -> Any:
    t = np.linspace(-1.0 if fine_low else 0.0, 1.0 if fine_high else 0.0, cells + 1)
    u = np.tanh(2.5 * t)
    return low + (high - low) * (u - u[0]) / (u[-1] - u[0])


def impedance(bulk: complex, void: complex, contact: float, height: float, depth: float, *, law: bool, disc: bool) -> complex:
    """Z between metal at 1 V and a plane at `height`: contact up to `contact`, from there to 1 a void or the law for it.

    The void is `depth` deep, with metal above it and, at the edge of the contact, beside it. A strip, or a disc in a cylinder.
    """
    n = 14
    x = np.r_[graded(0, contact, n, False, True), graded(contact, 1, n, True, False)[1:]]
    above = [] if law else graded(-depth, 0, n, True, True)[:-1]
    z = np.r_[above, graded(0, height, 2 * n, True, False)]
    dx, dz, rows = np.diff(x), np.diff(z), len(above)
    flat = np.pi * np.diff(x**2) if disc else dx  # areas across z, and circumferences
    round_ = 2 * np.pi * x[1:-1, None] if disc else 1.0
    kappa = np.full((len(dx), len(dz)), bulk, dtype=complex)
    kappa[:, :rows] = void
    metal = np.zeros(kappa.shape, dtype=bool)
    metal[:n, :rows] = True
    number = np.cumsum(~metal).reshape(metal.shape) - 1
    size = int((~metal).sum())
    matrix, diagonal, source = sp.coo_matrix((size, size), dtype=complex), np.zeros(size, complex), np.zeros(size, complex)
    half_x, half_z = dx[:, None] / 2 / kappa, dz / 2 / kappa
    for g, a, b in (
        (round_ * dz / (half_x[:-1] + half_x[1:]), np.s_[:-1, :], np.s_[1:, :]),
        (flat[:, None] / (half_z[:, :-1] + half_z[:, 1:]), np.s_[:, :-1], np.s_[:, 1:]),
    ):
        inner = ~metal[a] & ~metal[b]
        i, j, links = number[a][inner], number[b][inner], g[inner]
        matrix = matrix + sp.coo_matrix((np.r_[-links, -links], (np.r_[i, j], np.r_[j, i])), shape=(size, size))
        np.add.at(diagonal, i, links)
        np.add.at(diagonal, j, links)

    def held(cells: Any, links: Any, potential: float) -> None:
        np.add.at(diagonal, cells, links)
        np.add.at(source, cells, links * potential)

    if law:
        held(number[:, 0], flat / (half_z[:, 0] + np.where(np.arange(2 * n) < n, 0, depth / void)), 1.0)
    else:
        held(number[n, :rows], (round_[n - 1] if disc else 1.0) * dz[:rows] / half_x[n, :rows], 1.0)
        held(number[:n, rows], flat[:n] / half_z[:n, rows], 1.0)
        held(number[n:, 0], flat[n:] / half_z[n:, 0], 1.0)
    below = flat / half_z[:, -1]
    held(number[:, -1], below, 0.0)
    phi = spsolve(sp.csc_matrix(matrix + sp.diags(diagonal)), source)
    return complex(1 / np.sum(below * phi[number[:, -1]]))


def cost(ratio: float, contact: float, height: float, over: float, disc: bool) -> float:
    """The largest error of Z over frequency, in units of sigma/eps of the bulk; `over`: depth over width of the pore."""
    free, perimeter = (1 - contact**2, 2 * contact) if disc else (1 - contact, 1.0)
    free, perimeter = (np.pi * free, np.pi * perimeter) if disc else (free, perimeter)
    depth = over * min(2 * free / perimeter, math.sqrt(free) if disc else np.inf)
    worst = 0.0
    for s in 1j * np.logspace(-1.5, 2, 7):
        true, thin = (impedance(1 + s, ratio * s, contact, height, depth, law=law, disc=disc) for law in (False, True))
        worst = max(worst, abs(thin / true - 1))
    return worst


def test_the_resolved_void_is_right_where_everything_is_one_dimensional() -> None:
    void, bulk, depth = 0.3 + 0.1j, 1.0 + 0.2j, 0.25
    whole = impedance(bulk, void, 1e-9, 1.0, depth, law=True, disc=False)
    assert whole == pytest.approx(1 / bulk + depth / void, rel=1e-5)  # the contact of 1e-9 still conducts, as 1/log
    # a void like the bulk, of which the metal beside it is a part: more conducting than without it, less than all metal
    beside = impedance(bulk, bulk, 0.5, 1.0, depth, law=False, disc=False)
    assert abs(1 / bulk) < abs(beside) < abs((1 + depth) / bulk)


@pytest.mark.parametrize("disc", [False, True], ids=["strip", "disc"])
@pytest.mark.parametrize("contact", [0.1, 0.5, 0.9])
def test_up_to_the_ratio_that_is_warned_of_the_thin_layer_law_costs_one_percent_at_most(contact: float, disc: bool) -> None:
    for height, ratio in ((0.25, 10.0), (1.0, 1.0)):
        assert cost(ratio, contact, height, DEEP, disc) < 1.15e-2


def test_the_ratio_is_no_larger_than_it_must_be_and_pores_as_deep_as_wide_are_wrong_by_much() -> None:
    assert cost(10.0, 0.1, 0.25, 2 * DEEP, False) > 2e-2
    assert cost(1 / 15, 0.25, 1.0, 1.0, True) > 2e-2
    assert cost(1 / 150, 0.25, 1.0, DEEP, True) < 2e-3


@pytest.mark.parametrize("over", [0.06, 0.12, 0.5])
def test_what_the_law_is_said_to_cost_is_what_the_worst_resolved_void_has(over: float) -> None:
    """Between the ratios that it was measured at: no cell costs more, and one of them more than half."""
    found = [
        cost(ratio, contact, height, over, disc)
        for disc in (False, True)
        for contact in (0.1, 0.5)
        for height, ratio in ((0.25, 10.0), (1.0, 1.0))
    ]
    assert 0.5 * cost_of(over) < max(found) < cost_of(over)


def test_the_number_is_in_the_warning() -> None:
    (found,) = drawn({PORE: {"depth": 0.3 * 3.75e-5, "relative_permittivity": 150}})
    assert found.endswith(f"from 0.04 times on that may cost 1 % of Z, here up to {100 * cost_of(0.3):.2g} %")
    (found,) = drawn({PORE: {"depth": 5e-5, "relative_permittivity": 150}})
    assert found.endswith("here up to all of it: Z is another one")


def test_a_vacuum_of_the_depth_of_a_pore_has_the_capacitance_that_is_warned_of() -> None:
    found = drawn({PORE: {"capacitance": epsilon_0 / 1e-5}})
    assert "that of a vacuum 1e-05 m deep" in found[0]
