"""The suite sees what it is there to see, says what was declared, and passes nothing that was not checked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.solving.backends import NoData
from fem_constriction.solving.capabilities import features
from network import Network
from validation.conformance import CELLS, CHECKS, FEATURES, conform
from validation.conformance.cells import frequencies
from validation.conformance.outcome import worst
from validation.conformance.wrong import WRONG

Run = Callable[..., tuple[int, str, str]]

DOCS = Path(__file__).parents[2] / "docs" / "backends.md"


class OneDimensional:
    """The 1D circuit of every cell, exact where there is no constriction: a spectra-only backend without a grid."""

    name = "circuit"
    bound = "lower"

    def impedance(self, cell: fc.Cell, frequencies: np.ndarray) -> fc.Spectrum:
        from fem_constriction.problem.one_dimensional import physical

        z = physical(cell).impedance(frequencies)
        return fc.Spectrum(frequencies, z, 1e-9 * np.abs(z))

    def resistance(self, cell: fc.Cell) -> tuple[float, float]:
        from fem_constriction.problem.one_dimensional import physical

        return physical(cell).resistance, 0.0


CHEAP = ("attributes", "passive", "films exchanged", "one dimension: full contact")


@pytest.mark.long
@pytest.mark.parametrize("name", WRONG)
def test_every_wrong_backend_is_caught_by_the_check_that_is_named(name: str) -> None:
    wrong = WRONG[name]()
    (outcome,) = conform(wrong, only=[wrong.caught_by]).outcomes
    assert outcome.status == "failed", outcome
    assert not outcome.detail.startswith("raised"), outcome  # seen by what it asserts, not by an accident


@pytest.mark.parametrize(
    "name",
    ["ContactTooWide", "PoreOffByOnePerCent", "NotReciprocal", "GainsEnergy", "NoUncertainty", "LateralLinksTooConductive"],
)
def test_faults_of_matrices_are_seen_at_once(name: str) -> None:
    found = conform(WRONG[name](), only=[WRONG[name].caught_by])
    assert not found.passed


def test_the_wrong_backends_differ_from_right_ones_in_their_fault_alone() -> None:
    """The checks that catch faults of matrices pass for the network itself."""
    names = sorted({kind.caught_by for kind in WRONG.values() if kind.caught_by.endswith(("matrices", "films", "solution"))})
    assert len(names) == 4
    assert conform(Network(), only=names).passed


def test_what_has_no_constriction_is_exact_in_one_dimension_and_wrong_elsewhere() -> None:
    found = conform(OneDimensional(), only=[*CHEAP, "resistance: strip contact", "symmetric matrices"])
    status = {outcome.check.name: outcome.status for outcome in found.outcomes}
    assert [status[name] for name in CHEAP] == ["passed"] * 4
    assert status["symmetric matrices"] == "does not apply"
    assert status["resistance: strip contact"] == "failed"
    assert not found.passed


def test_a_declaration_of_a_feature_is_listed_with_its_reason_wherever_the_feature_is() -> None:
    backend = OneDimensional()
    backend.unable = {"oblong face": "squares only"}
    found = conform(backend, only=["x and y exchanged", "resistance: strip contact", "films exchanged"])
    assert [outcome.status for outcome in found.outcomes] == ["declared", "declared", "passed"]
    assert found.outcomes[0].detail == "oblong face: squares only"
    assert found.passed


def test_a_needless_declaration_is_noted() -> None:
    backend = OneDimensional()
    backend.unable = {"films exchanged": "I thought so", "resistance: strip contact": "no edges"}
    needless, needed = conform(backend, only=["films exchanged", "resistance: strip contact"]).outcomes
    assert (needless.status, needless.detail, needless.note) == ("declared", "I thought so", "passes all the same")
    assert (needed.status, needed.detail, needed.note) == ("declared", "no edges", "direct current")


def test_a_declaration_of_nothing_is_refused() -> None:
    backend = OneDimensional()
    backend.unable = {"oblong faces": "squares only"}
    with pytest.raises(InputError, match="circuit: unable = 'oblong faces' is not allowed: the name of a check, of a cell"):
        conform(backend, only=["attributes"])


def test_who_declares_everything_conforms_to_nothing() -> None:
    backend = OneDimensional()
    backend.unable = dict.fromkeys(CELLS, "not today")
    found = conform(backend, only=["passive", "films exchanged"])
    assert not found.passed
    assert found.summary() == "circuit (bounds from the lower side): does not conform (2 declared)"


def test_missing_data_are_declared_and_a_crash_is_a_failure() -> None:
    class Missing(OneDimensional):
        def impedance(self, cell: fc.Cell, frequencies: np.ndarray) -> fc.Spectrum:
            raise NoData("no file")

    class Crashing(OneDimensional):
        def impedance(self, cell: fc.Cell, frequencies: np.ndarray) -> fc.Spectrum:
            raise ZeroDivisionError("division by zero")

    (missing,), (crash,) = (conform(kind(), only=["passive"]).outcomes for kind in (Missing, Crashing))
    assert (missing.status, missing.detail) == ("declared", "no data for the cell 'every process': no file")
    assert (crash.status, crash.detail) == ("failed", "raised ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("attribute", "value", "told"),
    [("name", "", "name = ''"), ("bound", "both", "bound = 'both'"), ("unable", {"pores": 1}, "both texts")],
)
def test_attributes_that_are_not_the_protocols_are_named(attribute: str, value: object, told: str) -> None:
    backend = OneDimensional()
    setattr(backend, attribute, value)
    (outcome,) = conform(backend, only=["attributes"]).outcomes
    assert outcome.status == "failed"
    assert told in outcome.detail


def test_other_frequencies_than_those_asked_for_break_the_contract() -> None:
    class Stubborn(OneDimensional):
        def impedance(self, cell: fc.Cell, frequencies: np.ndarray) -> fc.Spectrum:
            return super().impedance(cell, frequencies[:5])

    (outcome,) = conform(Stubborn(), only=["passive"]).outcomes
    assert outcome.status == "failed"
    assert "other frequencies" in outcome.detail


def test_what_is_no_backend_is_refused() -> None:
    with pytest.raises(InputError, match="backend = 1.0 is not allowed: the name of an installed one"):
        conform(1.0)
    with pytest.raises(InputError, match="backend = 'nobody' is not allowed: installed are"):
        conform("nobody")
    with pytest.raises(InputError, match="check = 'nothing' is not allowed: the checks are attributes"):
        conform(OneDimensional(), only=["nothing"])


def test_a_number_that_is_none_never_passes() -> None:
    assert not worst([0.0, np.nan], [1.0, 1.0], [1.0, 1.0], ["a", "b"]).passed
    assert worst([0.0, np.nan], [1.0, 1.0], [1.0, 1.0], ["a", "b"]).detail == "b"
    assert worst([0.5, 1.0], [1.0, 1.0], [2.0, 2.0], ["a", "b"]).measured == "5.0e-01 |Z|"


def test_names_of_checks_are_unique_and_take_cells_of_the_suite() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert {cell for check in CHECKS for cell in check.cells} == set(CELLS)
    assert not set(names) & {*CELLS, *FEATURES}


def test_every_feature_is_one_of_some_cell_and_missing_from_another() -> None:
    for feature in FEATURES:
        assert any(feature in features(cell) for cell in CELLS.values())
        assert any(feature not in features(cell) for cell in CELLS.values())


def test_cells_are_written_so_that_what_is_loaded_is_equal(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("conformance", "--cells", tmp_path, "--json")
    assert code == 0
    index = json.loads((tmp_path / "cells.json").read_text())
    assert {entry["name"] for entry in index.values()} == set(CELLS)
    assert sorted(json.loads(out)["files"]) == sorted([*index, "cells.json"])
    for file, entry in index.items():
        assert fc.Cell.load(tmp_path / file) == CELLS[entry["name"]]
        assert entry["frequency_Hz"] == frequencies(entry["name"]).tolist()


def test_the_command_says_what_failed_and_ends_with_1(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validation.cli.conformance.any_backend", lambda name: WRONG["NotReciprocal"]())
    checks = ("--check", "symmetric matrices", "--check", "semidefinite matrices")
    code, out, err = run("conformance", "--backend", "wrong", *checks, "--out", tmp_path)
    assert code == 1
    assert re.search(r"symmetric matrices +1\.0e-02 max\|L\|, allowed 1\.0e-12 max\|L\|", out)
    assert "not-reciprocal (bounds from the upper side): does not conform (1 passed, 1 failed)" in err
    written = json.loads((tmp_path / "conformance.json").read_text())
    assert [check["status"] for check in written["checks"]] == ["failed", "passed"]
    assert not written["passed"]


def test_the_command_ends_with_0_where_every_check_passes_and_with_2_for_wrong_input(run: Run) -> None:
    assert run("conformance", "--backend", "network", "--check", "symmetric matrices", "--quiet")[:2] == (0, "")
    for arguments, told in (
        ((), "--backend is missing"),
        (("--backend", "nobody"), "--backend = 'nobody' is not allowed: installed are"),
        (("--backend", "fem", "--check", "nothing"), "--check = 'nothing' is not allowed"),
    ):
        code, _, err = run("conformance", *arguments)
        assert code == 2
        assert told in err


@pytest.mark.skipif(not DOCS.exists(), reason="docs/backends.md is not beside the tests")
def test_the_documentation_has_every_check_feature_and_wrong_backend() -> None:
    text = DOCS.read_text()
    for check in CHECKS:
        (row,) = [line for line in text.splitlines() if line.startswith("| `") and f"`{check.name}`" in line.split(" | ")[0]]
        assert check.statement in row.replace(r"\|", "|")
        assert check.reason in row.replace(r"\|", "|")
    for name, kind in WRONG.items():
        assert f"| `{name}` | {(kind.__doc__ or '').splitlines()[0]} | `{kind.caught_by}` |" in text
    assert not [feature for feature in FEATURES if f"`{feature}`" not in text]


MODULE = """
import pytest
from validation.conformance import *
from validation.conformance.wrong import WRONG

@pytest.fixture(scope="session")
def backend():
    made = WRONG["NotReciprocal"]()
    made.unable = {"constant potentials": "to be seen below"}
    return made
"""


@pytest.mark.long
def test_one_import_and_a_fixture_are_a_test_module(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(MODULE)
    picked = "matrices or declaration or constant"
    arguments = [
        "-q",
        "-n0",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        "--rootdir",
        tmp_path,
        "-k",
        picked,
        "-rfs",
        tmp_path,
    ]
    call = [sys.executable, "-m", "pytest", *map(str, arguments)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED test_mine.py::BackendConformance::test_conforms[symmetric matrices]" in done.stdout
    assert "DeclaredWarning: constant potentials is declared as unable: to be seen below" in done.stdout
    assert "1 failed, 2 passed, 1 skipped" in done.stdout


def test_pytest_is_imported_only_where_it_is_asked_for() -> None:
    code = (
        "import sys, validation.conformance as suite; assert 'pytest' not in sys.modules; "
        "suite.BackendConformance; print('pytest' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "True", done.stderr
