"""What the README says is what works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fem_constriction as fc

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_cell_file_is_the_one_of_figure_2() -> None:
    (text,) = blocks("toml")
    assert fc.Cell.loads(text) == fc.Cell.load(ROOT / "tests/data/cells/figure-2-25.toml")


def test_the_library_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    names: dict[str, object] = {}
    exec(code, names)
    shown = capsys.readouterr().out
    assert "agree at all 61 frequencies" in shown
    assert "R_Cstr = " in shown
    assert names["smaller"].working_electrode.contact.fraction == 0.16


def test_there_are_two_set_up_commands_and_ci_calls_that_of_the_tests() -> None:
    main_job, tests = (block.strip() for block in blocks("bash"))
    assert main_job.endswith("fem-constriction crosscheck")
    assert tests.endswith("pytest")
    script = (ROOT / ".ci/run").read_text()
    assert tests in script
    assert main_job.rsplit(" && ", 1)[1] in script
