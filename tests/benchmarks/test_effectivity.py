"""The truth of random cells lies in their discs, and a disc that is too small is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fem_constriction.errors import InputError
from fem_constriction.processes.of_cell import admittances
from validation.benchmarks import effectivity
from validation.cli import app as cli


def test_a_random_cell_depends_on_its_number_alone() -> None:
    first, again, other = (effectivity.random_cell(number) for number in (3, 3, 4))
    assert first == again
    assert first != other


def test_random_cells_are_of_all_kinds() -> None:
    cells = [effectivity.random_cell(number) for number in range(60)]
    kinds = [
        *([name in admittances(cell) for cell in cells] for name in ("grain_boundary", "charge_transfer", "counter_electrode")),
        [cell.geometry.lengths[0] == cell.geometry.lengths[1] for cell in cells],
    ]
    assert all(0 < sum(kind) < len(cells) for kind in kinds)
    fractions = [cell.working_electrode.contact.fraction for cell in cells]
    assert min(fractions) < 0.03
    assert max(fractions) > 0.9


def test_every_truth_lies_inside_and_the_command_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["benchmark", "discs", "--cells", "2", "--out", str(tmp_path / "discs.json")]) == 0
    assert "for all cells" in " ".join(capsys.readouterr().out.split())
    assert (tmp_path / "discs.json").exists()


def test_a_disc_that_misses_the_truth_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    true = effectivity.oracles.spectrum
    monkeypatch.setattr(effectivity.oracles, "spectrum", lambda *a: (1.5 * true(*a)[0], true(*a)[1]))
    assert cli.main(["benchmark", "discs", "--cells", "1", "--json"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["outside"] == [0]
    assert min(record["cells"][0]["effectivity"]) < 1


def test_no_cells_are_refused() -> None:
    with pytest.raises(InputError, match=r"cells = 0 is not allowed"):
        effectivity.effectivity(0)
