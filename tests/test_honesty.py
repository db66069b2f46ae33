"""The share of cells whose uncertainty holds the truth, and its width: judged right, and failing where it must."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from validation.benchmarks import honesty
from validation.cli import app as cli

CELLS = 2


@pytest.fixture(scope="module")
def solved() -> dict[tuple[str, str], tuple[Any, Any]]:
    return {}


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few frequencies, and an oracle of low order where it is sharp enough."""
    monkeypatch.setattr(honesty, "FREQUENCY", np.logspace(-1, 6, 4))


def solver(kept: dict[tuple[str, str], tuple[Any, Any]], change: Any) -> honesty.Solver:
    def solve(cell: Cell, backend: str) -> tuple[Any, Any]:
        key = (cell.title, backend)
        if key not in kept:
            kept[key] = honesty.solved(cell, backend)
        return change(*kept[key])

    return solve


def test_uncertainties_of_a_few_random_cells_hold(solved: dict[tuple[str, str], tuple[Any, Any]]) -> None:
    record = honesty.honesty(CELLS, 1, solver=solver(solved, lambda z, u: (z, u)))
    for verdict in record["backends"].values():
        assert verdict["holds"] == 1.0
        assert verdict["left_out"] < CELLS


@pytest.mark.parametrize(
    "change", [lambda z, u: (z, u / 100), lambda z, u: (1.01 * z, u)], ids=["u a hundredth", "Z one percent off"]
)
def test_uncertainties_that_are_too_small_do_not_hold(change: Any, solved: dict[tuple[str, str], tuple[Any, Any]]) -> None:
    # the oracle must stay sharp for the smaller u: what is left out is left out by width
    record = honesty.honesty(CELLS, 1, solver=solver(solved, change))
    assert not record["honest"]
    assert any(verdict["left_out"] == CELLS or verdict["holds"] < 0.5 for verdict in record["backends"].values())


def row(u: float, error: float, oracle: float = 1e-9, points: int = 4) -> dict[str, Any]:
    each = {"u": [u] * points, "error": [error] * points}
    return {"cell": 0, "u_oracle": [oracle] * points, "fem": each, "network": each}


def test_a_verdict_needs_both_share_and_width() -> None:
    right, wrong, wide = row(1e-5, 5e-6), row(1e-5, 2e-5), row(1e-3, 5e-6)
    assert honesty.judge([right] * 25, "fem")["honest"]
    assert honesty.judge([right] * 23 + [wrong] * 2, "fem")["honest"]  # 92 %
    assert not honesty.judge([right] * 22 + [wrong] * 3, "fem")["honest"]
    assert not honesty.judge([wide] * 25, "fem")["honest"]


def test_what_is_left_out_does_not_depend_on_being_right() -> None:
    for error in (1e-7, 1e-3):
        found = honesty.judge([row(1e-5, error, oracle=8e-6), row(1e-5, 5e-6)], "fem")
        assert found["left_out"] == 1
        assert found["holds"] == 1.0


def test_errors_below_the_floor_or_the_oracle_do_not_narrow_the_width() -> None:
    found = honesty.judge([row(1e-5, 1e-9), row(1e-5, 5e-6), row(1e-5, 2e-8, oracle=1e-7), row(1e-5, 2e-8, oracle=1e-7)], "fem")
    assert found["points"] == {"all": 16, "error_below_floor": 4, "error_below_oracle": 8}
    assert found["width"] == np.inf


def test_the_command_writes_table_data_and_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {**row(1e-5, 5e-6), "fraction": 0.2, "contact": "square", "zeta": None, "layers": 1, "pores": True,
           "counter_electrode": False}  # fmt: skip
    monkeypatch.setattr(honesty, "one", lambda number, seed, solver: one)
    assert cli.main(["benchmark", "honesty", "--cells", "2", "--out", str(tmp_path / "h.json")]) == 0
    assert "honest" in capsys.readouterr().out
    assert json.loads((tmp_path / "h.json").read_text())["backends"]["fem"]["holds"] == 1.0
    assert (tmp_path / "h.png").exists()
    one["fem"] = one["network"] = row(1e-5, 2e-5)["fem"]
    assert cli.main(["benchmark", "honesty", "--cells", "2", "--json"]) == 1


def test_no_cells_are_refused() -> None:
    with pytest.raises(InputError, match="cells = 0 is not allowed"):
        honesty.honesty(0)
    with pytest.raises(InputError, match="seed = -1 is not allowed"):
        honesty.honesty(1, -1)
