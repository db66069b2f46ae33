"""Work against precision: errors are true errors, ratios compare at equal error, and what was not measured is said."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from paper_cells import paper_cell
from rich.console import Console

from fem_constriction.errors import InputError
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import angular_band
from validation.benchmarks import precision as module
from validation.benchmarks import precision_peers
from validation.benchmarks.precision import equal_error, precision, reference, seconds_at
from validation.benchmarks.precision_methods import Found, Method
from validation.benchmarks.precision_picture import precision_picture
from validation.benchmarks.precision_report import precision_tables
from validation.cli import app as cli

HOMOGENEOUS = Path(__file__).parents[1] / "data" / "cells" / "homogeneous-25.toml"
POINTS = np.geomspace(1.0, 1e3, 3)
WIDE = np.array([1.0, 1e3, 1e6])
MORE = ("fem, degree 1", "fem 2, all unknowns", "prisms, exact along z", "NGSolve")
SOME = {name: module.METHODS[name] for name in ("network, graded", "fem, degree 2")}


@pytest.fixture(scope="module")
def truth() -> dict:
    """The oracle at order 7: 3e-6, well below every error that is looked at, and five times as fast as order 9."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ORDERS", (7,))
        return reference(paper_cell("homogeneous-25"), POINTS)


@pytest.fixture(autouse=True)
def _once(truth: dict, monkeypatch) -> None:
    """One reference for all tests, of one cell at the same frequencies; times are not looked at, so nothing is repeated."""
    monkeypatch.setattr(module, "reference", lambda cell, points: truth)
    monkeypatch.setattr(module, "REPEATS", 1)


def printed(record: dict) -> str:
    shown = io.StringIO()
    Console(width=120, file=shown).print(precision_tables(record))
    return shown.getvalue()


def row(method: str, error: float, seconds: float) -> dict:
    return {"method": method, "error": error, "error_once": error, "cpu_seconds": seconds, "cpu_seconds_once": seconds / 10}


def test_seconds_at_an_error_lie_on_the_line_between_two_grids_in_logarithms() -> None:
    pairs = [(1e-2, 1.0), (1e-4, 100.0), (1e-3, 1e3)]  # the last is beaten by the second
    assert seconds_at(pairs, 1e-3) == (pytest.approx(10.0), "")
    assert seconds_at(pairs, 1e-1) == (1.0, "<")
    assert seconds_at(pairs, 1e-5) == (100.0, ">")


def test_ratios_at_equal_error_are_to_the_fastest_of_ours_that_reaches_it() -> None:
    rows = [
        *(row("ours", error, seconds) for error, seconds in ((1e-3, 1.0), (1e-5, 100.0))),
        *(row("coarse", error, seconds) for error, seconds in ((1e-2, 0.1), (1e-3, 0.2))),
        *(row("peer", error, seconds) for error, seconds in ((1e-3, 20.0), (1e-5, 2000.0))),
        row("exact", 1e-9, 30.0),
    ]
    found = equal_error(rows, 1e-4, ["ours", "coarse"])
    by_name = {each["method"]: each for each in found["rows"]}
    assert found["fastest"] == "ours"
    assert by_name["ours"]["seconds"] == pytest.approx(10.0)
    assert (by_name["peer"]["ratio"], by_name["peer"]["ratio_bound"]) == (pytest.approx(20.0), "")
    assert by_name["peer"]["ratio_once"] == pytest.approx(20.0)
    assert (by_name["coarse"]["bound"], by_name["coarse"]["ratio_bound"]) == (">", ">")
    assert (by_name["exact"]["ratio"], by_name["exact"]["ratio_bound"]) == (pytest.approx(3.0), "<")


def test_a_ratio_to_a_bound_is_a_bound() -> None:
    rows = [row("ours", 1e-5, 1.0), row("peer", 1e-3, 20.0), row("peer", 1e-5, 2000.0), row("exact", 1e-9, 30.0)]
    signs = {each["method"]: each["ratio_bound"] for each in equal_error(rows, 1e-4, ["ours"])["rows"]}
    assert signs == {"ours": "", "peer": ">", "exact": "?"}


def test_the_command_measures_errors_against_the_oracle(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(module, "METHODS", {name: module.METHODS[name] for name in (*SOME, *MORE)})
    out = tmp_path / "precision.json"
    options = ("--levels=2", "--no-peers", "--limit=20", "--frequencies", "1:1e3:3", "--out", str(out), "--json")
    assert cli.main(["benchmark", "fem", str(HOMOGENEOUS), *options]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads(out.read_text())
    assert (tmp_path / "precision.png").stat().st_size > 10_000
    assert record["left_out"]["NGSolve"] == "no peers were asked for"
    assert record["reference"]["source"].startswith("mode expansion")
    rows = {(each["method"], each["level"]): each for each in record["rows"]}
    for name in ("network, graded", "fem, degree 1", "fem, degree 2"):
        assert rows[name, 1]["error"] < rows[name, 0]["error"]
        assert rows[name, 0]["cpu_seconds"] > 0
        assert rows[name, 0]["resolved"]
    # The same elements: their projections are made for 1e-8 of Z.
    one, other = (rows[name, 0]["error"] for name in ("fem, degree 2", "fem 2, all unknowns"))
    assert one == pytest.approx(other, abs=1e-7)
    assert 1e-5 < rows["prisms, exact along z", 0]["error"] < rows["fem, degree 2", 0]["error"]
    # What the theory of the family gives: degree 2 gains 2^4 per level, degree 1 2^2; half of it is asymptotic enough here.
    assert rows["fem, degree 2", 0]["error"] / rows["fem, degree 2", 1]["error"] > 8
    assert rows["fem, degree 1", 0]["error"] / rows["fem, degree 1", 1]["error"] > 2
    text = printed(record)
    for words in ("Work and precision, 3 frequencies", "At an error of 1e-05", "Left out: NGSolve", "uncertain by"):
        assert words in text


def test_a_peer_that_is_wrong_is_seen_and_its_unsolved_frequencies_are_said() -> None:
    def wrong(cell, level: int, points: np.ndarray) -> Found:
        return Found(np.array([1e6 + 0j]), 7, np.array([0]), seconds=60.0, cpu_seconds=60.0)

    fake = Method(wrong, lambda cell, level: 741176.73, grid=lambda level: f"fake {level}", ours=False)
    record = precision(paper_cell("homogeneous-25"), POINTS, 1, methods=SOME | {"fake": fake})
    found = record["rows"][-1]
    assert found["error"] > 0.3
    assert found["error_once"] < 1e-5
    assert found["cpu_seconds"] >= 60.0
    text = printed(record)
    assert "fake 0" in text
    assert "60 +" in text
    assert "multiplied by all" in text
    # At direct current it is as good as the reference: no more is known.
    assert [each["bound_once"] for each in record["equal_error"][0]["rows"] if each["method"] == "fake"] == ["<"]
    assert len(precision_picture(record).panels) == 2


def test_an_error_below_that_of_the_reference_is_marked(truth: dict) -> None:
    same = Method(lambda *_: Found(truth["impedance"] * (1 + 1e-7), 1), lambda *_: truth["resistance"])
    record = precision(paper_cell("homogeneous-25"), POINTS, 1, methods={"same": same})
    assert not record["rows"][0]["resolved"]
    assert "1.0e-07 *" in printed(record)


def test_methods_stop_where_the_next_grid_would_take_too_long() -> None:
    record = precision(paper_cell("homogeneous-25"), POINTS, 3, limit=1e-3, methods=SOME)
    assert [each["level"] for each in record["rows"]] == [0, 0]
    assert "from level 1: about" in record["left_out"]["fem, degree 2"]


def test_without_the_oracle_the_reference_is_the_limit_with_its_uncertainty(truth: dict, monkeypatch) -> None:
    cell = paper_cell("homogeneous-25")
    monkeypatch.setattr(module, "known_to_oracle", lambda cell: False)
    limit = reference(cell, POINTS)
    assert limit["source"].startswith("limit")
    distance = np.abs(limit["impedance"] / truth["impedance"] - 1).max()
    assert distance < limit["uncertainty"] + truth["uncertainty"] < 1e-4


def test_without_ngsolve_it_is_left_out_and_said(monkeypatch) -> None:
    monkeypatch.setattr(precision_peers, "find_spec", lambda name: None)
    peers = {name: method for name, method in module.METHODS.items() if not method.ours}
    record = precision(paper_cell("homogeneous-25"), POINTS, 1, methods={"fem": SOME["fem, degree 2"]} | peers)
    assert {each["method"] for each in record["rows"]} == {"fem"}
    assert record["left_out"]["NGSolve"] == "it is not installed (extra ngsolve)"
    assert record["peers"] == {}


@pytest.mark.parametrize(("name", "order", "layers"), [("homogeneous-25", 3, 3), ("figure-2-25", 3, 2)])
def test_ngsolve_and_the_finite_elements_agree(name: str, order: int, layers: int) -> None:
    cell = paper_cell(name)
    if name == "figure-2-25":  # 4 layers instead of 50: the jumps are there, the time is not
        cell = cell.vary({"electrolyte.grain_boundaries.layers": 4})
    fem = backend_named("fem")
    ours = solve_grid(cell, fem, fem.grid(cell, 2), angular_band(WIDE)).model
    s = 2j * np.pi * WIDE
    peer = precision_peers.Hexahedra(cell, precision_peers.Variant(order, layers, 0.3))
    peer.process_matrices()
    z, _, _ = peer.spectrum(s)
    # Their own error is 1.5e-4 with three layers of elements and 1e-3 with two, that of our elements 3e-5.
    bound = {3: 3e-4, 2: 1.5e-3}[layers]
    assert np.abs(z / ours.impedance(s) - 1).max() < bound
    assert abs(peer.resistance() / ours.resistance() - 1) < bound / 2


def test_our_shifts_on_the_matrices_of_ngsolve_give_its_own_solutions() -> None:
    cell = paper_cell("figure-2-25").vary({"electrolyte.grain_boundaries.layers": 3})
    s = 2j * np.pi * WIDE
    peer = precision_peers.Hexahedra(cell, precision_peers.Variant(2, 1, 0.3))
    peer.process_matrices()
    z, _, _ = peer.spectrum(s)
    shifted = peer.reduced(angular_band(WIDE))
    assert np.abs(shifted.impedance(s) / z - 1).max() < 1e-8  # what the projection is made for
    assert shifted.resistance() == pytest.approx(peer.resistance(), rel=1e-9)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("fem", "--levels=0"), "levels = 0"),
        (("network", "--levels=2"), "No such option: --levels"),
        (("fem", "--levels=2", "--level=1"), "--levels = 2"),
    ],
)
def test_wrong_levels_are_refused(options: tuple[str, ...], words: str, capsys) -> None:
    name, *rest = options
    assert cli.main(["benchmark", name, str(HOMOGENEOUS), *rest]) == 2
    assert words in capsys.readouterr().err


def test_cells_without_direct_current_are_refused() -> None:
    cell = paper_cell("homogeneous-25").vary({"working_electrode.contact.fraction": 0.0})
    with pytest.raises(InputError, match="direct current"):
        precision(cell, POINTS)
