"""`fem-constriction fit --cell`: what is said and written, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from instrument_files import gamry
from paper_cells import SMALL, paper_cell

import fem_constriction as fc
from fem_constriction.problem.one_dimensional import physical

Run = Callable[..., tuple[int, str, str]]
F = np.geomspace(1e-1, 1e7, 25)
SIGMA = "electrolyte.conductivity"


@pytest.fixture
def whole(tmp_path: Path) -> tuple[Path, Path]:
    """Full contact, which is a circuit, with 0.7 mS/cm; and the file of the cell, with 0.46 mS/cm."""
    cell = paper_cell("figure-2-25").vary({**SMALL, "working_electrode.contact.fraction": 1.0})
    random = np.random.default_rng(1)
    z = physical(cell.vary({SIGMA: 0.07})).impedance(F)
    z = z * (1 + 5e-3 * (random.normal(size=F.size) + 1j * random.normal(size=F.size)))
    fc.Spectrum(F, z).save(tmp_path / "z.csv")
    cell.save(tmp_path / "cell.toml")
    return tmp_path / "z.csv", tmp_path / "cell.toml"


def test_a_cell_is_fitted_said_and_written(run: Run, whole: tuple[Path, Path], tmp_path: Path) -> None:
    file, cell = whole
    out = tmp_path / "out"
    options = ("--free", SIGMA, "--bound", f"{SIGMA}=0.1 mS/cm:10 mS/cm", "--noise", "0.005", "--out", out)
    status, printed, _ = run("fit", file, "--cell", cell, *options)
    assert status == 0
    for words in ("Cross-checked: network and fem agree", SIGMA, "Determined: ", "Misfit ", "usual reading"):
        assert words in printed
    value = json.loads((out / "fit.json").read_text())["values"][SIGMA]
    again = fc.CellFit.load(out / "fit.json")
    assert again.values[SIGMA].value == value["value"] and again.verdict == "agree"
    again.save(tmp_path / "again.json")
    assert fc.CellFit.load(tmp_path / "again.json") == again
    assert abs(value["value"] - 0.07) < 3 * value["nominal"]
    assert fc.Cell.load(out / "cell.toml").electrolyte.conductivity == value["value"]
    assert {each.name for each in out.iterdir()} >= {"cell_fit.png", "cell_fit.pdf", "fitted.csv"}


def test_a_cell_that_is_another_one_does_not_fit(run: Run, whole: tuple[Path, Path]) -> None:
    """A conductivity that may be ten times too low at most one hundredth: the misfit is above the noise, exit status 1."""
    file, cell = whole
    options = ("--free", SIGMA, "--bound", f"{SIGMA}=1e-4:1e-2", "--noise", "0.005", "--no-check")
    status, printed, said = run("fit", file, "--cell", cell, *options)
    assert status == 1
    assert "lies on its bound" in printed
    assert "the cell does not fit" in said


def test_another_area_in_the_file_than_the_cell_has_is_said(run: Run, whole: tuple[Path, Path], tmp_path: Path) -> None:
    file, cell = whole
    data = fc.Spectrum.load(file)
    size = fc.Cell.load(cell).area
    for name, area, scale in (("same", size * 1e4, 1.0), ("whole", 0.785, size / 0.785e-4)):
        rows = list(zip(F.tolist(), (data.impedance * scale).tolist(), strict=True))
        (tmp_path / f"{name}.DTA").write_bytes(gamry(rows=rows).replace(b"1.13000E+000", f"{area:.5E}".encode()))
    options = ("--cell", cell, "--free", SIGMA, "--noise", "0.005", "--no-check")
    status, _, said = run("fit", tmp_path / "whole.DTA", *options)
    assert status == 1 and "add --area '0.785 cm^2'" in " ".join(said.split())
    status, _, said = run("fit", tmp_path / "whole.DTA", *options, "--area", "0.785 cm^2")
    assert status == 0 and "--area" not in said
    assert "--area" not in run("fit", tmp_path / "same.DTA", *options)[2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--free"),
        (("--free", "electrolyte.conductivty"), "electrolyte.conductivity"),
        (("--free", SIGMA, "--circuit", "R0"), "--circuit"),
        (("--free", SIGMA, "--bound", "1:2"), "--bound"),
    ],
)
def test_wrong_options_are_one_sentence(run: Run, whole: tuple[Path, Path], options: tuple[str, ...], words: str) -> None:
    file, cell = whole
    status, _, said = run("fit", file, "--cell", cell, *options)
    assert status == 2
    assert words in said


def test_keys_without_a_cell_are_refused(run: Run, whole: tuple[Path, Path]) -> None:
    status, _, said = run("fit", whole[0], "--free", SIGMA)
    assert status == 2
    assert "--cell CELL.toml" in said
