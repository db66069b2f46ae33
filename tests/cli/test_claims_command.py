"""`claims`: what is asked for, what is written, and the exit status."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from claims_fakes import What, World

from fem_constriction.errors import InputError
from fem_constriction.processes.names import GRAIN_BOUNDARY
from fem_constriction.reduction.reduced import Relaxation
from validation.cli.claims import chosen
from validation.paper.claims import REGISTRY, decide, shapes, source
from validation.paper.claims.measured import Measured
from validation.paper.claims.notes import lateral_links, notes, switching_time, voxels

ROOT = Path(__file__).parents[2]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch):
    """Where the command takes its data from."""

    def be(one: World) -> None:
        monkeypatch.setattr(source, "on_disk", lambda *_, **__: one.context())

    return be


def test_claims_are_asked_for_by_number_range_or_figure() -> None:
    assert [claim.number for claim in chosen(["8", "21-23"])] == [8, 21, 22, 23]
    assert [claim.number for claim in chosen(["figure-5"])] == [35, 36, 37, 38, 39]
    assert len(chosen([])) == len(REGISTRY) == 56


@pytest.mark.parametrize("text", ["0", "57", "50-60", "9-8", "figure-1", "figure-", "R_Cstr", "", "-1"])
def test_what_is_no_claim_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"is not allowed: a number from 1 to 56"):
        chosen([text])


def test_claims_that_hold_end_in_status_0_and_files(run, world, tmp_path: Path) -> None:
    world(World())
    status, out, _ = run("claims", "8", "22", "--out", tmp_path)
    assert status == 0
    assert "2 hold, 0 fail, 0 not decided" in out
    page = (tmp_path / "claims.md").read_text()
    assert "`fem-constriction claims 8 22`" in page
    assert "| 22 | 3a | Boundaries do not see a slower constriction |" in page
    record = json.loads((tmp_path / "claims.json").read_text())
    assert record["counts"] == {"holds": 2, "fails": 0, "not decided": 0}
    assert set(record["claims"][0]["backends"]) == {"network", "fem"}


def falling(what: What, value: float) -> float:
    """Boundaries that see a slower constriction: claim 22 fails."""
    return value * (1 + 0.01 * what.x) if (what.name, what.letter, what.label) == (GRAIN_BOUNDARY, "R", "3a") else value


def test_a_claim_that_fails_ends_in_status_1_with_its_evidence(run, world, tmp_path: Path) -> None:
    world(World(arc=falling))
    status, out, err = run("claims", "8", "22", "--json", "--out", tmp_path)
    assert status == 1
    assert "1 of 2 claims fail: 22" in err
    found = {claim["number"]: claim for claim in json.loads(out)["claims"]}
    assert [found[number]["result"] for number in (8, 22)] == ["holds", "fails"]
    assert found[22]["backends"]["fem"]["evidence"] == "spread of R_GB"
    assert "**fails**" in (tmp_path / "claims.md").read_text()


def test_what_is_not_decided_ends_in_status_0_and_is_said(run, world, tmp_path: Path) -> None:
    world(World(verdict=lambda what: "unresolved"))
    status, out, _ = run("claims", "22", "--out", tmp_path)
    assert status == 0
    assert "22, not decided" in out
    assert "0 hold, 0 fail, 1 not decided" in out


def test_a_wrong_claim_ends_in_status_2(run, tmp_path: Path) -> None:
    status, _, err = run("claims", "99", "--out", tmp_path)
    assert status == 2
    assert "claim = '99' is not allowed" in err


def test_cells_that_failed_are_computed_once_and_decide_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []
    monkeypatch.setattr(source.series, "compute", lambda folder, figures, **_: asked.append(figures) or {"3a": ()})
    monkeypatch.setattr(source.series, "failures", lambda folder, figure, *, quick: ((None, "out of memory"),))
    context = source.on_disk(tmp_path)
    outcomes = [decide(REGISTRY[number], context) for number in (21, 22)]
    assert [outcome.verdict for outcome in outcomes] == ["not decided"] * 2
    assert "1 of the cells of figure 3 failed: out of memory" in outcomes[0].evidence
    assert asked == [["3"]]


@pytest.mark.long
def test_single_grids_decide_the_claims_that_need_no_series(run, tmp_path: Path) -> None:
    status, out, _ = run("claims", "1", "2", "4", "32", "33", "--json", "--out", tmp_path)
    assert status == 0
    assert json.loads(out)["counts"] == {"holds": 5, "fails": 0, "not decided": 0}


def test_the_page_in_the_documentation_has_every_claim_and_both_backends() -> None:
    page = (ROOT / "docs/claims.md").read_text()
    rows = re.findall(r"^\| (\d+) \| [^|]* \| ([^|]*) \| [^|]+ \| [^|]+ \| (\**[a-z ]+\**) \|$", page, flags=re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == sorted(REGISTRY)
    assert [title for _, title, _ in rows] == [REGISTRY[number].title for number in sorted(REGISTRY)]
    assert {result.strip("*") for _, _, result in rows} <= {"holds", "fails", "not decided"}


def test_the_notes_are_thirteen_and_say_what_they_are_about() -> None:
    found = notes()
    assert [note.label for note in found] == [f"I{number}" for number in range(1, 14)]
    assert all(note.evidence for note in found)
    assert {number for note in found for number in note.claims} <= set(REGISTRY)


def test_the_rows_of_figure_5_are_exchanged_in_the_table() -> None:
    """I3: with 885 uF/cm2 the pores switch more slowly than charge transfer, with 0.885 faster."""
    from validation.paper import cells

    slow, fast = (switching_time(cells.cell(label, 0.25)) for label in ("5a", "5b"))
    assert fast < 1e-4 * 0.885 < slow


def test_78_percent_is_no_square_of_50_voxels() -> None:
    assert all(abs((side / 50) ** 2 - 0.78) > 0.005 for side in range(0, 51, 2))
    assert (45, 51) in voxels(0.78, 60)[:3]
    assert (53, 60) not in voxels(0.78, 60)  # no voxel in the middle of the cell, but one in that of the contact


def test_lateral_links_of_a_thin_layer_carry_nothing() -> None:
    """I12: proportional to the square of the depth at a given capacitance."""
    from validation.paper import cells

    cell = cells.cell("2", 0.25)
    assert lateral_links(cell) < 1e-6
    assert lateral_links(cell, 2e-9) == pytest.approx(4 * lateral_links(cell))


def test_shapes_of_series() -> None:
    x = [0.1, 0.3, 0.4, 0.9]
    parabola = [Measured(2 + 3 * at - at**2, 0.0) for at in x]
    assert shapes.to_zero(x, parabola).value == pytest.approx(2)
    assert shapes.bend(x[:3], parabola[:3]).value == pytest.approx(-2)
    assert shapes.smallest_rise(parabola).value > 0 > shapes.smallest_fall(parabola).value
    assert shapes.least_curvature(x, parabola).value < 0
    assert shapes.log_slope(x, [Measured(at**-1.5) for at in x]).value == pytest.approx(-1.5)
    assert shapes.spread([Measured(1.0), Measured(1.2), Measured(1.1)]).value == pytest.approx(0.2 / 1.1)
    assert shapes.off_line(x, [Measured(1 + at) for at in x], ((0.0, 1.0), (1.0, 2.0))).value == pytest.approx(0, abs=1e-15)


def test_arcs_are_counted_in_three_ways() -> None:
    """Two relaxations a factor 2 apart are one group, one peak and one maximum; a factor 30 apart they are two of each."""
    for factor, count in ((2.0, 1), (30.0, 2)):
        pair = Relaxation(np.array([1e-3, 1e-3 * factor]), np.array([1.0, 1.0]), {})
        assert len(shapes.clusters(pair.tau, pair.resistance)) == count
        assert shapes.peaks(pair) == count
        assert len(shapes.bumps(pair)) == count
    faint = Relaxation(np.array([1e-3, 1e2]), np.array([1.0, 1e-5]), {})
    assert len(shapes.clusters(faint.tau, faint.resistance)) == shapes.peaks(faint) == 1
