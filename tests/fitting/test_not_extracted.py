"""What two backends agree on is kept, whatever becomes of the fit to it: spectra, pictures and page, and the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction.errors import ComputationError, LeftOutWarning, NotAgreed, NotExtracted
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.refinement import Family, angular_band
from validation import Result, crosscheck
from validation.gate import fits
from validation.gate import run as gate_run
from validation.gate.families import solve_families
from validation.show.crosscheck_files import write_result
from validation.show.pictures import plane
from validation.show.report import crosscheck_report
from validation.show.terminal import console

F = np.geomspace(1e-3, 1e9, 25)
WRITTEN = {"crosscheck.json", "network.csv", "fem.csv", "agreed.csv", "nyquist.png", "agreement.png", "crosscheck.html"}

Run = Callable[..., tuple[int, str, str]]


def deep(depth: str) -> fc.Cell:
    """A homogeneous cube beside an air pore: its relaxation and that of the constriction draw near as the pore deepens."""
    return fc.Cell(
        geometry={"width": "50 um", "thickness": "50 um"},
        electrolyte={"conductivity": "0.46 mS/cm", "relative_permittivity": 150},
        working_electrode={
            "contact": {"shape": "square", "fraction": 0.25},
            "pore": {"depth": depth, "relative_permittivity": 1},
        },
    )


@pytest.fixture(scope="module")
def vague() -> Result:
    """Bulk and constriction relax within a tenth of a decade: the uncertainty of the spectrum moves either without bounds."""
    return crosscheck(deep("2 um"), F, discs=False)


@pytest.fixture(scope="module")
def grids(small: fc.Cell) -> dict[str, Family]:
    """Those on which both backends agree."""
    return solve_families([Problem.of(small).within(angular_band(F))], [backend_named(name) for name in gate_run.BACKENDS])


@pytest.fixture
def solved(grids: dict[str, Family], monkeypatch: pytest.MonkeyPatch) -> None:
    """Cross-checks begin where the grids are solved."""
    monkeypatch.setattr(gate_run, "solve_families", lambda *_: grids)


def text_of(result: Result) -> str:
    shown = console()
    with shown.capture() as captured:
        shown.print(crosscheck_report(result))
    return captured.get()


@pytest.mark.parametrize("depth", ["20 um", "2 um"])
@pytest.mark.filterwarnings("ignore")
def test_an_air_pore_too_deep_for_two_arcs_loses_nothing(depth: str, run: Run, tmp_path: Path) -> None:
    deep(depth).save(tmp_path / "cell.toml")
    out = tmp_path / "out"
    status, _, err = run("crosscheck", tmp_path / "cell.toml", "--no-discs", "--frequencies", "1e-3:1e9:25", "--out", out)
    assert status == 1, err
    assert "nothing is extracted" in err
    assert {path.name for path in out.iterdir()} >= WRITTEN
    record = json.loads((out / "crosscheck.json").read_text())
    assert record["agreement"]["verdict"] == "agree"
    assert record["refusal"].startswith("nothing is extracted")
    assert fc.Spectrum.load(out / "agreed.csv").provenance["agreement"]["verdict"] == "agree"
    assert "othing is extracted" in (out / "crosscheck.html").read_text()


def test_a_value_that_its_uncertainty_exceeds_is_no_headline(vague: Result) -> None:
    assert vague.agreement.verdict == "agree"
    assert vague.extraction.constriction.R.value is None
    with pytest.raises(NotAgreed, match="not determined"):
        _ = vague.constriction
    text = text_of(vague)
    assert "Not determined by the spectrum" in text
    assert "(124." in text  # in brackets
    legend = [each.label for each in plane.nyquist(vague).panels[0].series]
    assert "constriction (not determined)" in legend


def test_what_agrees_lies_between_the_backends(vague: Result) -> None:
    own, low, high = (each.arcs["constriction"].R.value for each in (vague.extraction, *vague.by_backend.values()))
    assert min(low, high) <= own <= max(low, high)


def test_a_combined_value_outside_its_parts_says_so(vague: Result) -> None:
    """R of the combined fit is put 1 % above both: a fault that the note must tell."""
    known = {name: replace(arc, R=replace(arc.R, discretisation=1.0)) for name, arc in vague.extraction.arcs.items()}
    certain = replace(vague.extraction, arcs=known)
    both = {"network": certain, "fem": certain}
    assert fits.beside(certain, both) == []
    arc = known["constriction"]
    above = replace(certain, arcs={**known, "constriction": replace(arc, R=replace(arc.R, value=1.01 * arc.R.value))})
    (note,) = fits.beside(above, both)
    assert "R_Cstr" in note
    assert "outside the backends' own fits" in note


@pytest.mark.parametrize("failure", [NotExtracted("no circuit converged"), ValueError("array of NaN")])
def test_a_fit_that_fails_leaves_agreement_and_reason(
    failure: Exception, small: fc.Cell, solved: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(fits, "extract", fails)
    result = crosscheck(small, F, discs=False)
    assert result.agreement.verdict == "agree"
    assert result.extraction is None
    assert result.refusal.startswith("nothing is extracted: ")
    assert result.refusal.count("nothing is extracted") == 1
    assert set(result.unfitted) == {"agreed", "network", "fem"}
    assert {path.name for path in write_result(result, tmp_path)} >= WRITTEN
    assert json.loads((tmp_path / "crosscheck.json").read_text())["refusal"] == result.refusal


def test_one_backend_whose_fit_fails_is_named_and_the_rest_stands(
    small: fc.Cell, solved: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = fits.extract, []

    def second_fails(*arguments: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise ComputationError("no convergence")
        return real(*arguments, **more)

    monkeypatch.setattr(fits, "extract", second_fails)
    result = crosscheck(small, F, discs=False)
    assert result.refusal is None
    assert result.constriction.R.value > 0
    assert result.unfitted == {"network": "no convergence"}
    assert list(result.by_backend) == ["fem"]
    assert "The fit to network alone failed: no convergence" in text_of(result)


def test_a_picture_that_fails_leaves_numbers_and_the_other_pictures(
    vague: Result, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nyquist(_: Result) -> None:
        raise RuntimeError("no fonts")

    monkeypatch.setattr(plane, "nyquist", nyquist)
    with pytest.warns(LeftOutWarning, match="nyquist is left out: RuntimeError: no fonts"):
        written = {path.name for path in write_result(vague, tmp_path)}
    assert written >= WRITTEN - {"nyquist.png"}
    assert not written & {"nyquist.png", "nyquist.pdf"}
