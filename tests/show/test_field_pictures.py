"""Pictures of fields, and the command that writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import fem_constriction as fc
from fem_constriction.fields import Fields, fields_at, solve_fields
from fem_constriction.fields import drawn as field_plots
from validation.cli.fields import report


@pytest.fixture(scope="module")
def cell(every_process: fc.Cell) -> fc.Cell:
    return every_process.vary({"electrolyte.grain_boundaries.layers": 2, "geometry.width": ["60 um", "40 um"]})


@pytest.fixture(scope="module")
def found(cell: fc.Cell) -> tuple[Fields, ...]:
    return fields_at(cell, [0.0, 1e4, 1e9], level=0)


def test_lines_of_the_current_end_on_the_metal_at_direct_current_and_are_straight_at_high_frequency(
    found: tuple[Fields, ...],
) -> None:
    low, high = (field_plots.current_lines(fields.section(nx=121), 12) for fields in (found[0], found[-1]))
    (start, end), *_ = found[0].whole.contact(1, 20e-6)
    assert low[0] == pytest.approx(high[0])
    assert np.diff(low[0, :, 0]) == pytest.approx(60e-6 / 12)
    assert np.all(low[-1, :, 1] == 0)
    assert np.all((low[-1, :, 0] > start - 0.5e-6) & (low[-1, :, 0] < end + 0.5e-6))
    assert high[-1, :, 0] == pytest.approx(high[0, :, 0], abs=0.3e-6)


def test_a_picture_has_equal_axes_units_and_one_scale_of_colours(found: tuple[Fields, ...]) -> None:
    shown = [fields.section(nx=31, nz=30) for fields in found[:2]]
    figure = field_plots.sections(shown, "modulus", title="cell", currents=4)
    *panels, bar = figure.axes
    assert [axes.get_title() for axes in panels] == ["direct current", "10 kHz"]
    assert all(axes.get_aspect() == 1 for axes in panels)
    assert panels[0].get_xlabel() == "$x$ / µm"
    assert panels[0].get_ylabel() == "$z$ / µm"
    assert panels[0].get_xlim() == pytest.approx((0, 60))
    low, high = panels[0].get_ylim()
    assert low > 50 > 0 > high  # the WE above
    assert bar.get_ylabel() == r"$|\varphi|$ / V"
    largest = max(float(np.abs(each.potential).max()) for each in shown)
    assert bar.get_ylim()[1] == pytest.approx(largest)
    assert field_plots.sections(shown, "phase").axes[-1].get_ylabel() == r"arg $\varphi$ / °"
    for wrong in (lambda: field_plots.sections([]), lambda: field_plots.sections(shown, "size")):  # type: ignore[arg-type]
        with pytest.raises(fc.InputError, match="is not allowed"):
            wrong()


def test_a_jump_is_drawn_as_one(found: tuple[Fields, ...]) -> None:
    """On rows that are equally spaced the drop across a boundary stays between two neighbours."""
    section = found[0].section(nx=5, nz=30)
    z, phi = field_plots.evenly(section, section.potential.real)
    at = int(np.searchsorted(z, found[0].ends[1]))
    above, below = (found[0].potential(30e-6, 20e-6, found[0].ends[1], layer=layer).real for layer in (0, 1))
    assert above - below > 0.05
    assert phi[at - 1, 2] - phi[at, 2] == pytest.approx(above - below, rel=0.1)


def test_one_section_is_drawn_on_given_axes(found: tuple[Fields, ...]) -> None:
    figure = Figure()
    axes = figure.subplots()
    colours = field_plots.section(axes, found[1].section("x", nx=21, nz=20), "real", limits=(0.0, 1.0), lines=5, currents=0)
    assert colours.get_clim() == (0.0, 1.0)
    assert axes.get_xlabel() == "$y$ / µm"
    assert len(figure.axes) == 2


def test_the_command_writes_fields_a_picture_and_what_they_are(
    run: Callable[..., tuple[int, str, str]], cell: fc.Cell, tmp_path: Path
) -> None:
    cell.save(tmp_path / "cell.toml")
    out = tmp_path / "out"
    status, text, _ = run("fields", tmp_path / "cell.toml", "--frequency", "0,1e6", "--level", 0, "--out", out, "--json")
    assert status == 0
    record = json.loads(text)
    assert record == json.loads((out / "fields.json").read_text())
    assert {path.name for path in out.iterdir()} == {
        "fields-0Hz.vtu", "fields-1e6Hz.vtu", "fields-0Hz.npz", "fields-1e6Hz.npz", "section.png", "section.pdf", "fields.json",
    }  # fmt: skip
    assert Fields.load(out / "fields-1e6Hz.npz") == solve_fields(cell, 1e6, level=0)
    direct, fast = record["fields"]
    assert direct["largest_difference_of_current"] < 1e-8  # as in test_fields
    assert direct["real_ohm"] == pytest.approx(solve_fields(cell, 0.0, level=0).impedance.real, rel=1e-9)
    assert direct["lateral_spread_V"][0] > 100 * fast["lateral_spread_V"][0]
    assert report([direct, fast]).row_count == 2


@pytest.mark.parametrize(
    "wrong",
    [("--frequency", "-1"), ("--frequency", "1,1"), ("--frequency", "fast"), ("--part", "size"), ("--plane", "z"),
     ("--format", "stl"), ("--level", -1), ("--resolution", 2), ("--backend", "nothing")],
)  # fmt: skip
def test_the_command_names_the_option_that_is_wrong(
    run: Callable[..., tuple[int, str, str]], cell: fc.Cell, tmp_path: Path, wrong: tuple[str, object]
) -> None:
    cell.save(tmp_path / "cell.toml")
    status, _, said = run("fields", tmp_path / "cell.toml", *wrong, "--out", tmp_path / "out")
    assert status == 2
    assert "is not allowed" in said
    assert wrong[0] in said
