"""The benchmark compares like with like, says what it did not measure, and refuses what would not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import outline_cells
import pytest
from paper_cells import paper_cell

from fem_constriction.errors import InputError
from fem_constriction.solving.backends import backend_named
from validation.benchmarks import one_grid as module
from validation.benchmarks import scaling as module_scaling
from validation.benchmarks.one_grid import benchmark
from validation.benchmarks.scaling import scaling
from validation.cli import app as cli

HOMOGENEOUS = Path(__file__).parents[1] / "data" / "cells" / "homogeneous-25.toml"


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_one_run_has_times_their_ratio_and_the_accuracy(backend: str, tmp_path: Path, capsys) -> None:
    out = tmp_path / "benchmark.json"
    assert cli.main(["benchmark", backend, str(HOMOGENEOUS), "--level=0", "--out", str(out), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads(out.read_text())
    assert record["ratio"] == min(row["ratio"] for row in record["peers"]) > 0
    accuracy = record["accuracy"]
    assert len(accuracy["frequency_Hz"]) == 3
    # 5e-10: rounding of the sparse solve, admittances span ten decades
    assert max(accuracy["difference"]) <= accuracy["projection_error"] + 5e-10
    reference, default = record["peers"]
    assert (reference["solves"], reference["extrapolated"]) == (3, True)
    assert default["solves"] in (1, 2, 3)
    assert reference["seconds"] >= 61 * reference["seconds_per_solve"] * 0.99


def test_the_table_says_what_was_measured_and_what_was_multiplied(capsys) -> None:
    assert cli.main(["benchmark", "fem", str(HOMOGENEOUS), "--level=0", "--frequencies", "1:1e6:7"]) == 0
    printed = capsys.readouterr().out
    expected = (" unknowns, 7 frequencies", "shifts, mode by mode", "3 of 7", "multiplied by 7", "1 Hz, 1 kHz, 1 MHz", "stated")
    for words in expected:
        assert words in printed


def test_peers_that_cannot_be_afforded_are_left_out_and_named(monkeypatch) -> None:
    monkeypatch.setattr(module, "SLOW", 0.0)
    record = benchmark(paper_cell("homogeneous-25"), backend_named("fem"), [1.0, 1e3])
    assert [row["name"] for row in record["peers"]] == [module.PEERS[0].name]
    assert "per solve" in record["left_out"][module.PEERS[1].name]
    assert record["peers"][0]["extrapolated"] is False


def test_a_direct_solve_that_would_not_fit_is_refused_before_anything_is_computed(monkeypatch) -> None:
    monkeypatch.setattr(module, "solve_grid", lambda *_: pytest.fail("computed"))
    with pytest.raises(InputError, match=r"level = 5 is not allowed: a direct solve of .* unknowns may need .* GiB"):
        benchmark(paper_cell("figure-2-25"), backend_named("network"), [1.0], level=5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("boundary",), "fem, network"),
        (("fem", "--level=-1"), "--level = -1"),
        (("fem", "--frequencies", "0:1:3"), "--frequencies"),
        (("fem", "--out", "."), "--out"),
    ],
)
def test_wrong_input_is_2(options: tuple[str, ...], words: str, capsys) -> None:
    name, *rest = options
    assert cli.main(["benchmark", name, str(HOMOGENEOUS), *rest]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err


def test_sizes_give_every_route_a_limit_and_growth(tmp_path: Path, capsys) -> None:
    out = tmp_path / "scaling.json"
    options = ("--sizes", "8,16", "--frequencies", "1e-1:1e6:8", "--out", str(out), "--json")
    assert cli.main(["benchmark", "network", str(HOMOGENEOUS), *options]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads(out.read_text())
    assert (tmp_path / "scaling.png").stat().st_size > 10_000
    rows = {(row["method"], row["size"]): row for row in record["rows"]}
    for size in (8, 16):
        fast, whole = rows["mode by mode", size], rows["all unknowns", size]
        assert fast["unknowns"] == whole["unknowns"]
        # The same network: both projections are made for 1e-8.
        assert fast["distance"] == pytest.approx(whole["distance"], rel=1e-5)
        assert rows["polycrystal", size]["voxels"] == size**3
        assert rows["3D DCT", size]["seconds"] > 0
    # Uniform voxels converge slowly, but they do.
    assert rows["mode by mode", 16]["distance"] < rows["mode by mode", 8]["distance"]
    assert set(record["left_out"]) <= {"taufactor", "multigrid"}


@pytest.mark.filterwarnings("ignore:Setting maxiter:UserWarning")  # of pyamg, on a matrix this small
def test_a_method_that_would_take_too_long_is_left_out_and_named() -> None:
    record = scaling(paper_cell("homogeneous-25"), [1.0, 1e3], [8, 16], limit=1e-6)
    assert {row["size"] for row in record["rows"]} == {8}
    assert "s foreseen, more than 1e-06 s" in record["left_out"]["SuperLU"]


def test_the_distance_sees_a_network_that_is_wrong(monkeypatch) -> None:
    right = scaling(paper_cell("homogeneous-25"), [1.0, 1e3], [8])
    double = "network.stacks._voxel"  # links of twice the length
    monkeypatch.setattr(double, lambda values, height: (values * height / 2, np.full_like(values, 1 / height)))
    wrong = scaling(paper_cell("homogeneous-25"), [1.0, 1e3], [8])
    assert wrong["rows"][0]["distance"] > 2 * right["rows"][0]["distance"]


@pytest.mark.parametrize("sizes", ["", "16,x", "10", "0"])
def test_wrong_sizes_are_refused(sizes: str, capsys) -> None:
    assert cli.main(["benchmark", "network", str(HOMOGENEOUS), f"--sizes={sizes}"]) == 2
    assert "sizes" in capsys.readouterr().err


def test_a_peer_that_has_not_solved_it_is_seen() -> None:
    cell, points = paper_cell("homogeneous-25"), np.array([1.0, 1e3, 1e6])
    exact = module_scaling._limit(cell, points)
    rows = [
        module_scaling.METHODS["SuperLU"](cell, 16, points),
        module_scaling._peer(lambda _, port: (0 * port, 1))(cell, 16, points),
    ]
    solved, idle = (module_scaling._with_distance(row, exact)["distance"] for row in rows)
    ours = module_scaling._with_distance(module_scaling.METHODS["mode by mode"](cell, 16, points), exact)["distance"]
    assert solved == pytest.approx(ours, rel=1e-5)  # the same network; the projection is made for 1e-8 of Z
    assert idle == pytest.approx(1.0)


def test_peers_solve_a_disc_whose_outline_cuts_voxels() -> None:
    """Cut voxels conduct through contact and bulk in series; a peer's matrix that left them out had another impedance."""
    cell, points = outline_cells.cell(outline_cells.DISC), np.array([1.0, 1e3, 1e6])
    peer = module_scaling.METHODS["SuperLU"](cell, 16, points)
    ours = module_scaling.METHODS["mode by mode"](cell, 16, points)
    assert peer["impedance"] == pytest.approx(ours["impedance"][peer["places"]], rel=1e-7)  # of a projection made for 1e-8
