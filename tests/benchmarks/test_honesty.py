"""The share of cells whose uncertainty holds the truth, and its width: judged right, kept, and failing where it must."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction.errors import ComputationError, InputError
from validation import oracles
from validation.benchmarks.honesty import cells, populations, run, truth
from validation.benchmarks.honesty.cells import Found, found, one
from validation.benchmarks.honesty.judging import judge, summary
from validation.benchmarks.honesty.kept import Kept
from validation.benchmarks.honesty.populations import KINDS, OUTLINES, Drawn, draw
from validation.benchmarks.honesty.run import ALL, honesty
from validation.cli import app as cli

CELLS = 2


@pytest.fixture(scope="module")
def kept() -> dict[str, Found]:
    return {}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few frequencies."""
    monkeypatch.setattr(populations, "FREQUENCY", np.logspace(-1, 6, 4))


def judged(kept: dict[str, Found], change: Any) -> cells.Judged:
    """The results of a cross-check, changed."""

    def changed(drawn: Drawn) -> Found:
        if drawn.cell.title not in kept:
            kept[drawn.cell.title] = found(drawn)
        got = kept[drawn.cell.title]
        return replace(got, results={name: change(*result) for name, result in got.results.items()})

    return changed


def test_uncertainties_of_a_few_random_cells_hold(kept: dict[str, Found]) -> None:
    record = honesty(CELLS, 1, judged=judged(kept, lambda z, u: (z, u)))
    (mixed,) = record["kinds"].values()
    for verdict in mixed["backends"].values():
        assert verdict["holds"] == 1.0
        assert verdict["left_out"] < CELLS
        assert verdict["violations"] == []
    assert mixed["verdicts"]["agree"]["cells"] == CELLS
    assert mixed["discs"] == {"cells": CELLS, "outside": []}


@pytest.mark.parametrize(
    "change",
    [lambda z, u: (z, u / 10), lambda z, u: (z, u / 100), lambda z, u: (1.01 * z, u)],
    ids=["u a tenth", "u a hundredth", "Z one percent off"],
)
def test_uncertainties_that_are_too_small_do_not_hold(change: Any, kept: dict[str, Found]) -> None:
    record = honesty(CELLS, 1, judged=judged(kept, change))
    assert not record["honest"]
    (mixed,) = record["kinds"].values()
    # the truth must stay sharp for the smaller u: what is left out is left out by width
    assert any(verdict["left_out"] == CELLS or verdict["holds"] < 0.92 for verdict in mixed["backends"].values())


def row(u: float, error: float, unknown: float = 1e-9, points: int = 4, **more: Any) -> dict[str, Any]:
    each = {"u": [u] * points, "error": [error] * points, "u_reference": [unknown] * points, "reference": "mode expansion"}
    told = {"fraction": 0.2, "contact": "square", "zeta": None, "layers": 1, "pores": True, "counter_electrode": False}
    key = {"kind": "mixed", "cell": 0, "seed": 42}
    return {**key, "verdict": "agree", "reason": "", "discs": None, "fem": each, "network": each, **told, **more}


def test_a_verdict_needs_both_share_and_width() -> None:
    right, wrong, wide = row(1e-5, 5e-6), row(1e-5, 2e-5), row(1e-3, 5e-6)
    assert judge([right] * 25, "fem")["honest"]
    assert judge([right] * 23 + [wrong] * 2, "fem")["honest"]  # 92 %
    assert not judge([right] * 22 + [wrong] * 3, "fem")["honest"]
    assert not judge([wide] * 25, "fem")["honest"]


def test_what_is_left_out_does_not_depend_on_being_right_and_a_violation_is_one_all_the_same() -> None:
    for error, beyond in ((1e-7, []), (1e-3, [7])):
        found = judge([row(1e-5, error, unknown=8e-6, cell=7), row(1e-5, 5e-6)], "fem")
        assert found["left_out"] == 1
        assert found["holds"] == 1.0
        assert found["violations"] == beyond


def test_errors_below_the_floor_or_the_reference_do_not_narrow_the_width() -> None:
    rows = [row(1e-5, 1e-9), row(1e-5, 5e-6), row(1e-5, 2e-8, unknown=1e-7), row(1e-5, 2e-8, unknown=1e-7)]
    found = judge(rows, "fem")
    assert found["points"] == {"all": 16, "error_below_floor": 4, "error_below_reference": 8}
    assert found["width"] == np.inf
    # Twelve points: 2, and 8 times 1e-5/(2e-8 + 1e-7) at least.
    assert found["width_at_least"] == pytest.approx(1e-5 / 1.2e-7)


def test_a_truth_outside_a_disc_is_not_honest_and_reasons_are_counted_without_their_numbers() -> None:
    outside = row(1e-5, 5e-6, discs={"radius": 1e-3, "outside": 2}, cell=3)
    wide = [row(1e-5, 5e-6, verdict="unresolved", reason=f"u is {n}e-3 |Z|", cell=n) for n in (4, 5)]
    failed = {"kind": "mixed", "cell": 6, "verdict": "failed", "reason": "memory ran out"}
    found = summary([outside, *wide, failed])
    assert found["discs"] == {"cells": 1, "outside": [3]}
    assert not found["honest"]
    assert found["verdicts"]["unresolved"] == {"cells": 2, "numbers": [4, 5], "reasons": {"u is # |Z|": 2}}
    assert found["verdicts"]["failed"]["reasons"] == {"memory ran out": 1}
    assert found["backends"]["fem"]["not_judged"] == 1


# Random cells


@pytest.mark.parametrize("kind", KINDS)
def test_a_random_cell_depends_on_kind_number_and_seed_alone(kind: str) -> None:
    first, again, other, elsewhere = (draw(kind, *key) for key in ((3, 1), (3, 1), (4, 1), (3, 2)))
    assert first.cell == again.cell
    assert first.cell != other.cell and first.cell != elsewhere.cell


def test_extremes_are_extreme() -> None:
    every = [draw("extremes", number, 5).cell for number in range(120)]
    fractions = [cell.contact_fraction for cell in every]
    aspects = [cell.geometry.lengths[2] / cell.geometry.lengths[0] for cell in every]
    layers = [1 if (gb := cell.electrolyte.grain_boundaries) is None else gb.layers for cell in every]
    assert min(fractions) < 0.003 and max(fractions) > 0.99
    assert min(aspects) < 0.02 and max(aspects) > 50
    assert min(layers) == 1 and max(layers) > 150
    assert draw("extremes", 0, 5).frequency[[0, -1]] == pytest.approx([1e-6, 1e12])


def test_what_the_oracle_takes_for_an_outline_has_its_area() -> None:
    for number in range(3 * len(OUTLINES)):
        drawn = draw("outlines", number, 5)
        if drawn.known_as is None:
            continue
        known = oracles.from_description(drawn.known_as)
        pieces = oracles.partition(known.rectangles, known.width)
        ends = [np.diff([0.0, *at, half]) for at, half in zip(pieces.edges, pieces.half, strict=True)]
        touched = float(np.sum(np.outer(*ends)[np.array(pieces.touched)])) * pieces.copies * known.width[0] ** 2
        assert touched / known.area == pytest.approx(drawn.cell.contact_fraction, rel=1e-9)
        assert known.area == pytest.approx(drawn.times * drawn.cell.area, rel=1e-9)


def test_a_rotated_square_is_a_cell_of_two_upright_corners() -> None:
    """Z of the diamond by finite elements, which follow its edges, and by the oracle, which has none that are oblique."""
    drawn = draw("outlines", 0, 5)
    assert drawn.cell.working_electrode.contact.regions[0].angle == pytest.approx(np.pi / 4)
    simple = drawn.cell.vary({"electrolyte.grain_boundaries": None})
    described = {**drawn.known_as, "electrolyte": tomllib.loads(simple.dumps())["electrolyte"]}  # type: ignore[dict-item]
    r, error = oracles.resistance(oracles.from_description(described), 6)
    found, u = fc.resistance(simple, backend="fem", uncertainty=True)
    assert abs(drawn.times * r - found) <= u + error * found
    assert abs(r - found) > 0.4 * found  # half is not forgotten


# Kept


def test_what_is_kept_is_not_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []

    def fake(kind: str, number: int, seed: int, judged: Any) -> dict[str, Any]:
        computed.append(number)
        return row(1e-5, 5e-6, cell=number, seed=seed, digest=cells.digest(draw(kind, number, seed)))

    monkeypatch.setattr(run, "one", fake)
    file = tmp_path / "rows.jsonl"
    whole = honesty(3, 42, keep=file)
    with file.open("a") as stream:
        stream.write('{"kind": "mixed", "cell": 3')  # a run that was ended in the middle of a line
    again = honesty(5, 42, keep=file)
    assert computed == [0, 1, 2, 3, 4]
    assert again["cells"][:3] == whole["cells"]
    assert len(Kept(file).rows) == 5
    text = file.read_text().splitlines()
    text[0] = text[0].replace(json.loads(text[0])["digest"], "of another cell")
    file.write_text("\n".join(text) + "\n")
    honesty(5, 42, keep=file)
    assert computed[5:] == [0]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cell.toml").write_text("[geometry]\n")
    with pytest.raises(InputError, match="line 1 is no row of this benchmark"):
        honesty(1, keep=tmp_path / "cell.toml")
    with pytest.raises(InputError, match="rows.jsonl"):
        honesty(1, keep=tmp_path / "cell.toml" / "rows.jsonl")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(InputError("too thin"), "refused"), (ComputationError("no end"), "failed"), (ZeroDivisionError(), "failed")],
)
def test_what_cannot_be_computed_is_a_row_with_its_reason(error: Exception, verdict: str) -> None:
    def raising(drawn: Drawn) -> Found:
        raise error

    found = one("squares", 0, 1, raising)
    assert found["verdict"] == verdict
    assert str(error) in found["reason"]
    assert fc.Cell.loads(found["toml"]) == draw("squares", 0, 1).cell


# The command


def test_the_command_writes_table_data_and_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = row(1e-5, 5e-6)
    monkeypatch.setattr(run, "one", lambda kind, number, seed, judged: answer | {"kind": kind, "cell": number, "seed": seed})
    options = ["--cells", "2", "--out", str(tmp_path / "h.json")]
    assert cli.main(["benchmark", "honesty", *options]) == 0
    assert "honest" in capsys.readouterr().out
    record = json.loads((tmp_path / "h.json").read_text())
    assert record["kinds"]["mixed"]["backends"]["fem"]["holds"] == 1.0
    assert (tmp_path / "h.png").exists()
    assert cli.main(["benchmark", "honesty", *options, "--kinds", "all"]) == 0
    assert list(json.loads((tmp_path / "h.json").read_text())["kinds"]) == list(ALL)
    answer["fem"] = answer["network"] = row(1e-5, 2e-5)["fem"]
    assert cli.main(["benchmark", "honesty", "--cells", "2", "--json"]) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--cells", "0"), "--cells = 0 is not allowed"),
        (("--seed", "-1"), "seed = -1 is not allowed"),
        (("--kinds", "cubes"), "--kinds = 'cubes' is not allowed: mixed, squares, rectangles, outlines, extremes, or all"),
    ],
)
def test_wrong_options_are_refused(options: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["benchmark", "honesty", *options]) == 2
    assert words in capsys.readouterr().err


def test_discs_are_refined_only_where_widths_say_that_it_may_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """Radii of 1e-4 |Z|, and a sixteenth of it: enough for one backend, once more for another, hopeless for a third."""
    levels: list[int] = []

    def made(drawn: Drawn, level: int) -> Any:
        levels.append(level)
        centre = np.full(4, 2.0 + 0j)
        return SimpleNamespace(centre=centre, radius=2e-4 / 16 ** (level - 1) * np.ones(4), resistance=None)

    monkeypatch.setattr(truth, "face_discs", made)
    drawn: Any = None
    wanted = {"wide": np.full(4, 2e-4), "narrow": np.full(4, 1e-5)}
    wide = dict.fromkeys(("wide", "narrow", "hopeless"), truth.Truth(np.full(4, 2.0 + 0j), np.full(4, 1e-2), "limit"))
    found = truth.by_discs(drawn, wanted, wide)
    assert levels == [1, 2]
    assert {name: each.source[-1] for name, each in found.items()} == {"wide": "1", "narrow": "2"}
    assert found["wide"].u == pytest.approx(1e-4) and found["narrow"].u == pytest.approx(1e-4 / 16)
    levels.clear()
    assert truth.by_discs(drawn, {"wide": np.full(4, 2e-4), "hopeless": np.full(4, 1e-6)}, wide)["hopeless"].source[-1] == "1"
    assert levels == [1], "what is left out all the same takes no hours"
    levels.clear()
    known = truth.by_discs(drawn, wanted, {**wide, "narrow": truth.Truth(np.full(4, 2.0 + 0j), np.full(4, 1e-6), "limit")})
    assert levels == [1], "what the other limit tells needs no finer discs"
    assert known["narrow"].source == "limit" and known["wide"].source[-1] == "1"


def test_the_limit_of_the_other_backend_is_what_stands_in_for_an_oracle() -> None:
    results = {"fem": (np.array([2.0 + 0j]), np.array([2e-6])), "network": (np.array([2.1 + 0j]), np.array([0.2]))}
    found = truth.by_the_other(results, "network")
    assert found.z[0] == 2.0 and found.u[0] == pytest.approx(1e-6) and found.source == "limit of fem"
