"""docs/measured.md: its commands run as they stand, on files of the names that they use."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from instrument_files import gamry
from paper_cells import SMALL, paper_cell

import fem_constriction as fc
from fem_constriction.problem.one_dimensional import physical

TEXT = (Path(__file__).parents[2] / "docs" / "measured.md").read_text()
COMMANDS = [
    line.strip()
    for line in TEXT.splitlines()
    if re.match(r"\s*fem-constriction fit .*(csv|DTA)( |$)", line) and "*" not in line
]
F = np.geomspace(1e6, 1.0, 61)
FRACTION, SIGMA = "working_electrode.contact.fraction", "electrolyte.conductivity"
R_CT, C_DL = "working_electrode.charge_transfer.resistance", "working_electrode.charge_transfer.capacitance"


def test_there_are_commands() -> None:
    assert len(COMMANDS) == 3


@pytest.mark.long
def test_the_walk_through_ends_at_the_planted_contact(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cell file of the page, and what the page says was planted, in a file of the instrument's form with 0.5 % of noise."""
    monkeypatch.chdir(tmp_path)
    Path("cell.toml").write_text(textwrap.dedent(re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)[0]))
    cell = fc.Cell.load("cell.toml").vary({SIGMA: 0.03, R_CT: 4e-4, C_DL: 0.3})
    random = np.random.default_rng(2)
    whole = cell.area / 0.785e-4
    for name, fraction in (("measured.DTA", 0.12), ("1MPa.csv", 0.12), ("5MPa.csv", 0.16)):
        z = fc.solve(cell.vary({FRACTION: fraction}), F, backend="fem").impedance
        z = z * (1 + 0.005 * (random.normal(size=F.size) + 1j * random.normal(size=F.size)))
        if name.endswith(".DTA"):
            Path(name).write_bytes(gamry(rows=list(zip(F.tolist(), (z * whole).tolist(), strict=True))))
        else:
            fc.Spectrum(F, z).save(name)
    for command in COMMANDS:
        if "1MPa" in command:  # a series is known to have the same charge transfer
            fc.Cell.load("cell.toml").vary({R_CT: 4e-4, C_DL: 0.3}).save("cell.toml")
        status, printed, said = run(*shlex.split(command)[1:])
        assert status == 0, (command, printed, said)
    value = json.loads(Path("fitted/fit.json").read_text())["values"][FRACTION]
    assert abs(value["value"] - 0.12) < 3 * value["nominal"] < 0.03


def test_what_the_walk_through_fits_without_a_model_is_a_circuit() -> None:
    """Full contact has the physical circuit: the usual reading is right there alone (R_pol of the cell, 1 ohm cm2)."""
    from fem_constriction.inverse.single_arc import single_arc

    cell = paper_cell("figure-2-25").vary({**SMALL, FRACTION: 1.0})
    reading = single_arc(fc.Spectrum(F, physical(cell).impedance(F)), cell)
    assert reading is not None
    assert reading.per_area == pytest.approx(1e-4, rel=0.02)
    assert reading.fraction == pytest.approx(1.0, rel=0.02)
