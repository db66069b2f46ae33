"""Errors of a voxelised contact outline: they add up, vanish where there is none, and a wrong backend is seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from outline_cells import DISC, cell, regions

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fem import FiniteElements
from fem_constriction.grids.grid import Grid
from fem_constriction.solving.backends import Backend
from fem_constriction.stack.layered import Layered
from network import Network
from validation.cli import app as cli
from validation.errors_apart import Split, neglected, refined, staircase, tell_apart
from validation.errors_apart.limits import Value, body_fitted, on_grid
from validation.errors_apart.neglected import FREQUENCIES, along_pores
from validation.errors_apart.outcome import observed_order
from validation.errors_apart.run import disagreements, split_at

DIRECT = np.array([0.0])
SQUARE = {"shape": "square", "fraction": 0.25}
TURNED = {"shape": "rectangle", "centre": ["25 um", "25 um"], "size": ["22 um", "22 um"], "angle": "45 deg"}


class Softer(Network):
    """A network whose contact conducts 2 % too well."""

    name = "softer"

    def layered(self, cell: fc.Cell, grid: Grid) -> Layered | None:
        made = super().layered(cell, grid)
        assert made is not None
        return replace(made, face={**made.face, "charge_transfer": 1.02 * made.face["charge_transfer"]})


def test_a_staircase_has_the_area_of_its_voxels() -> None:
    for n in (10, 11, 16):
        disc = cell(DISC)
        grid = Network().uniform(disc, n)
        steps = staircase(disc, n, grid)
        assert steps.contact_area == pytest.approx(grid.copies * grid.contact.sum() * (50e-6 / n) ** 2, rel=1e-12)
        assert steps.electrolyte == disc.electrolyte


def test_the_staircase_of_a_square_on_grid_lines_is_the_square() -> None:
    square = cell(SQUARE)
    steps = staircase(square, 8, Network().uniform(square, 8))
    (region,) = steps.outlines
    assert region.same(square.outlines[0])


def test_a_resolution_at_which_no_voxel_is_half_metal_is_refused() -> None:
    small = cell({"shape": "disc", "fraction": 0.001})
    with pytest.raises(InputError, match="resolution = 4 is not allowed: no voxel is half metal"):
        staircase(small, 4, Network().uniform(small, 4))


def test_cutting_voxels_keeps_what_each_has_of_the_contact() -> None:
    disc = cell(DISC, layers=2)
    grid = Network().uniform(disc, 10)
    fine, sharp = (refined(grid, 3, sharp=each) for each in (False, True))
    assert fine.shape == tuple(3 * n for n in grid.shape)
    assert fine.contact_area == pytest.approx(grid.contact_area, rel=1e-12)
    assert sharp.fits
    assert sharp.contact_area == pytest.approx(staircase(disc, 10, grid).contact_area, rel=1e-12)
    np.testing.assert_array_equal(fine.touched[1::3, 1::3], grid.touched)


def test_parts_add_up_to_the_difference_from_the_true_outline() -> None:
    disc, true = cell(DISC), Value(np.array([8e5 + 0j]), np.array([1.0]))
    backends: list[Backend] = [Network(), FiniteElements()]
    for split, backend in zip(_splits(disc, true), backends, strict=True):
        z = on_grid(disc, backend, backend.uniform(disc, 10), DIRECT)
        # Rounding: three differences of numbers of the size of Z.
        np.testing.assert_allclose(split.part("total"), z - true.z, rtol=0, atol=1e-12 * abs(z[0]))
        np.testing.assert_allclose(split.part("outline") + split.parts["grid"], z - true.z, rtol=0, atol=1e-12 * abs(z[0]))


def test_a_square_on_grid_lines_has_no_staircase_error() -> None:
    square = cell(SQUARE)
    true = body_fitted(square, FiniteElements(), DIRECT)
    for split in split_at(square, [Network(), FiniteElements()], 8, DIRECT, true, 32):
        # Both limits are solved, on grids that differ in rounding alone: 1e-8 is what a solution is good for.
        assert abs(split.parts["staircase"][0]) < 1e-8 * abs(true.z[0])
        assert split.parts["interface"][0] == 0
        assert abs(split.limit[0] - true.z[0]) <= split.limit_uncertainty[0] + true.u[0]
        assert abs(split.parts["grid"][0]) > 1e-4 * abs(true.z[0])


def test_a_turned_square_has_a_staircase_of_another_area() -> None:
    turned = cell(regions(TURNED))
    true = Value(np.array([7.5e5 + 0j]), np.array([1.0]))
    (split,) = split_at(turned, [Network()], 10, DIRECT, true, 10)
    assert abs(split.area) > 1e-3
    assert split.parts["interface"][0] != 0


def test_with_an_ideal_contact_shares_are_the_staircase_at_direct_current() -> None:
    ideal = cell(DISC, robin=False)
    for split in _splits(ideal, Value(np.array([6e5 + 0j]), np.array([1.0]))):
        # Metal holds the potential or not: the same matrices, solved twice.
        assert abs(split.parts["interface"][0]) < 1e-8 * abs(split.impedance[0])


def test_backends_that_agree_on_a_staircase_are_silent_and_a_wrong_one_is_named() -> None:
    disc, true = cell(DISC), Value(np.array([8e5 + 0j]), np.array([1.0]))
    assert not disagreements(_splits(disc, true), DIRECT)
    found = disagreements(split_at(disc, [Softer(), FiniteElements()], 10, DIRECT, true, 40), DIRECT)
    assert len(found) == 1
    assert found[0].startswith("N = 10, 0 Hz: the limits of softer and fem for one staircase differ by")


def test_the_order_of_a_power_law_is_found_and_scatter_makes_it_uncertain() -> None:
    n = np.array([10, 20, 40, 80])
    exact = observed_order(n, 3 * n**-1.5)
    assert exact is not None
    assert exact.value == pytest.approx(1.5, abs=1e-9)
    assert exact.uncertainty < 1e-6
    scattered = observed_order(n, 3 * n**-1.5 * np.array([1, 3, 0.3, 2]))
    assert scattered is not None and scattered.uncertainty > 1
    assert observed_order(n, [1.0, 0.5, 0.0, 0.0]) is None


def test_conduction_along_pores_grows_with_the_square_of_their_depth() -> None:
    disc = cell(DISC)
    one, ten = (along_pores(disc, depth, 0).max() for depth in (1e-8, 1e-7))
    # First order in depth^2; the effect itself, 1e-5, is what a second order would add.
    assert ten / one == pytest.approx(100, rel=1e-2)


def test_without_pores_nothing_conducts_along_them_and_boundaries_take_their_thickness() -> None:
    plain = cell(DISC, robin=False, layers=50)
    found = neglected(plain, 5e5)
    assert found.lateral == 0
    assert found.boundaries == pytest.approx(49 * 10e-9 / 50e-6)
    assert found.resistance == pytest.approx(49 * 10e-9 / (0.046 * 2.5e-9) / 5e5)
    assert len(FREQUENCIES) > 40


@pytest.mark.long
def test_the_outline_of_a_disc_outweighs_the_grid_of_elements_and_opposes_that_of_voxels(tmp_path: Path) -> None:
    path = tmp_path / "disc.toml"
    cell(DISC).save(path)
    assert cli.main(["errors", str(path), "--resolutions", "6,12,24", "--out", str(tmp_path / "out"), "--quiet"]) == 0
    record = json.loads((tmp_path / "out" / "errors.json").read_text())
    assert (tmp_path / "out" / "errors.png").exists() and (tmp_path / "out" / "outlines.png").exists()
    network, fem = ([split for split in record["splits"] if split["backend"] == name] for name in ("network", "fem"))
    for one, other in zip(network, fem, strict=True):
        assert one["grid_ohm"][0][0] > 0 > one["outline_ohm"][0][0]
        assert abs(other["outline_ohm"][0][0]) > 5 * abs(other["grid_ohm"][0][0])
    # Robin edge: h^2 ln h of elements and voxels on a staircase whose edges are on lines.
    order, uncertainty = record["orders"]["fem"]["grid"]
    assert order == pytest.approx(2, abs=max(uncertainty, 0.2))
    low, high = record["enclosure_ohm"]
    assert low <= record["reference_ohm"][0][0] <= high
    assert record["disagreements"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resolutions", "20,10"], "ascending"),
        (["--resolutions", "many"], "whole numbers with commas between"),
    ],
)
def test_resolutions_that_are_none_are_refused(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "disc.toml"
    cell(DISC).save(path)
    assert cli.main(["errors", str(path), *arguments, "--quiet"]) == 2
    assert message in capsys.readouterr().err


def test_a_contact_without_an_edge_is_refused() -> None:
    with pytest.raises(InputError, match="no edge"):
        tell_apart(cell({"shape": "square", "fraction": 1.0}), (10,))


def _splits(of: fc.Cell, true: Value) -> list[Split]:
    return split_at(of, [Network(), FiniteElements()], 10, DIRECT, true, 40)
