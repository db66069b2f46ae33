"""`fem-constriction converge`: what it writes, its exit status, and what it refuses in which words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_fakes import installed
from paper_cells import DATA

HOMOGENEOUS = DATA / "cells" / "homogeneous-25.toml"

Run = Callable[..., tuple[int, str, str]]

PLUGIN = """
from dataclasses import replace
from network import Network

class FirstOrder(Network):
    name = "first-order"

    def layered(self, cell, grid):
        made = super().layered(cell, grid)
        h = 0.3 * 2.0 ** -int(grid.name.split()[-1])
        return replace(made, face={**made.face, "charge_transfer": (1 + h) * made.face["charge_transfer"]})
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    points = "[fem_constriction.backends]\nfirst-order = lumped:FirstOrder\n"
    with installed(monkeypatch, tmp_path / "site", "lumped", PLUGIN, points):
        yield


@pytest.fixture
def unplotted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures and pages take seconds; another test draws them."""
    monkeypatch.setattr("validation.convergence.pictures.write", lambda *_: [])
    monkeypatch.setattr("validation.show.page.write_page", lambda path, *_: path.write_text(""))


def test_the_command_writes_its_files_and_ends_with_0(run: Run, unplotted: None, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--backend", "fem", "--grids", "graded", "--quantity", "R_DC", "--frequencies", "1,10", "--out", out)
    status, printed, err = run("converge", HOMOGENEOUS, *options)
    assert status == 0, err
    assert "fem, graded" in printed
    assert "network" not in printed
    assert "converge.tex" in printed
    record = json.loads((out / "converge.json").read_text())
    assert [family["quantity"] for family in record["families"]] == ["R_DC"]
    status, printed, err = run("converge", HOMOGENEOUS, *options, "--levels", "3", "--json", "--quiet")
    assert (status, err) == (0, "")
    assert json.loads(printed)["families"][0]["observed_order"][0] is None
    assert len(json.loads(printed)["families"][0]["h"]) == 3


def test_an_order_that_falls_short_is_exit_status_1_and_is_named(
    run: Run, plugin: None, unplotted: None, tmp_path: Path
) -> None:
    names = ("--backend", "first-order", "--backend", "fem")
    options = (*names, "--grids", "graded", "--quantity", "R_DC", "--frequencies", "1,10")
    status, printed, err = run("converge", HOMOGENEOUS, *options, "--out", tmp_path / "out")
    assert status == 1
    assert "first-order, graded: the observed order of R_DC is" in err
    assert "expected 2 (stated by the backend)" in err
    assert "Failed: first-order, graded" in printed
    assert "too low" in printed
    assert json.loads((tmp_path / "out" / "converge.json").read_text())["passed"] is False


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--backend", "nothing"), "--backend = 'nothing' is not allowed: installed are"),
        (("--grids", "fine"), "--grids = 'fine' is not allowed: graded, uniform, both"),
        (("--quantity", "R"), "--quantity = 'R' is not allowed: Z, R_DC, R_Cstr, C_Cstr, tau"),
        (("--levels", "2"), "--levels = 2 is not allowed: 3 to 6 grids"),
        (("--frequencies", "0:1:3"), "--frequencies = '0:1:3' is not allowed"),
    ],
)
def test_wrong_options_are_2_in_one_sentence(run: Run, tmp_path: Path, options: tuple[str, str], words: str) -> None:
    status, out, err = run("converge", HOMOGENEOUS, *options, "--out", tmp_path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert not list(tmp_path.iterdir())
