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


def test_the_library_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    names: dict[str, object] = {}
    exec(code, names)
    shown = capsys.readouterr().out
    assert "agree at all 61 frequencies" in shown
    assert "R_Cstr = " in shown
    spectrum = names["z"]
    assert isinstance(spectrum, fc.Spectrum)
    assert spectrum.provenance["cell"]["working_electrode"]["contact"]["fraction"] == 0.16


def test_it_fits_on_two_screens() -> None:
    assert len(README.splitlines()) < 80
    assert "|" not in re.sub(r"```.*?```", "", README, flags=re.DOTALL)  # long tables stand in the documentation


def test_every_link_leads_to_a_file() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if not link.startswith("http")]
    assert len(links) > 15
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_there_are_two_set_up_commands_and_ci_calls_that_of_the_tests() -> None:
    main_job, tests = (block.strip() for block in blocks("bash"))
    assert main_job.endswith("fem-constriction crosscheck")
    assert tests.endswith("pytest")
    script = (ROOT / ".ci/run").read_text()
    assert tests in script
    assert main_job.rsplit(" && ", 1)[1] in script
