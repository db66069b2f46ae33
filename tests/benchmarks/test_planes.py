"""The benchmark of triangulated faces: two routes through a plane, and a fault in one of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from outline_cells import DISC, cell

import fem_constriction as fc
from fem_constriction.stack.sparse_functions import Pencil
from validation.benchmarks.planes import MODES, SPARSE, planes
from validation.cli.app import main

POINTS = [1.0, 1e3, 1e6]


def test_both_routes_are_measured_and_have_the_same_impedance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "disc.toml"
    cell(DISC).save(file)
    assert main(["benchmark", "planes", str(file), "--levels=2", "--frequencies", "1:1e6:4", "--json", "--quiet"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [row["route"] for row in record["rows"]] == [MODES, SPARSE] * 2
    assert all(row["difference"] < 1e-8 for row in record["rows"][1::2])  # what each is made for
    assert record["honest"] and not record["left_out"]


def test_a_fault_in_the_sparse_functions_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Pencil.solutions

    def wrong(self: Pencil, phi: np.ndarray) -> object:
        return (1.001 * each for each in right(self, phi))

    monkeypatch.setattr(Pencil, "solutions", wrong)
    record = planes(cell(DISC), POINTS, 1)
    assert not record["honest"]
    assert record["rows"][1]["difference"] > 1e-5


def test_what_would_take_too_long_is_left_out_and_said() -> None:
    record = planes(cell(DISC), POINTS, 2, limit=1e-3)
    assert [row["level"] for row in record["rows"]] == [0, 0]
    assert all("foreseen, more than 0.001 s" in reason for reason in record["left_out"].values())


def test_a_contact_on_grid_lines_has_no_triangles() -> None:
    with pytest.raises(fc.InputError, match="does not offer triangles that follow the contact's outline"):
        planes(cell({"shape": "square", "fraction": 0.25}), POINTS)
