"""docs/measured.md: its commands run as they stand, on files of the names that they use."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from paper_cells import SMALL, paper_cell

import fem_constriction as fc
from fem_constriction.problem.one_dimensional import physical

TEXT = (Path(__file__).parents[2] / "docs" / "measured.md").read_text()
COMMANDS = [line.strip() for line in TEXT.splitlines() if re.match(r"\s*fem-constriction fit .*csv", line)]
F = np.geomspace(1e-1, 1e7, 31)
FRACTION, SIGMA = "working_electrode.contact.fraction", "electrolyte.conductivity"


def test_there_are_commands() -> None:
    assert len(COMMANDS) == 3


@pytest.mark.long
def test_the_walk_through_ends_at_the_planted_contact(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """16 % contact and 0.6 mS/cm, with 0.5 % noise; the cell file says 25 % and 0.46 mS/cm."""
    monkeypatch.chdir(tmp_path)
    cell = paper_cell("figure-2-25").vary(SMALL)
    cell.save("cell.toml")
    random = np.random.default_rng(2)
    for name, fraction in (("measured", 0.16), ("1MPa", 0.12), ("5MPa", 0.16)):
        z = fc.solve(cell.vary({FRACTION: fraction, SIGMA: 0.06}), F, backend="fem").impedance
        fc.Spectrum(F, z * (1 + 0.005 * (random.normal(size=F.size) + 1j * random.normal(size=F.size)))).save(f"{name}.csv")
    for command in COMMANDS:
        status, printed, said = run(*shlex.split(command)[1:])
        assert status == 0, (command, printed, said)
    assert fc.Cell.load("fitted/cell.toml").contact_fraction == pytest.approx(0.16, rel=0.03)


def test_what_the_walk_through_fits_without_a_model_is_a_circuit() -> None:
    """Full contact has the physical circuit: the usual reading is right there alone (R_pol of the cell, 1 ohm cm2)."""
    from fem_constriction.inverse.single_arc import single_arc

    cell = paper_cell("figure-2-25").vary({**SMALL, FRACTION: 1.0})
    reading = single_arc(fc.Spectrum(F, physical(cell).impedance(F)), cell)
    assert reading is not None
    assert reading.per_area == pytest.approx(1e-4, rel=0.02)
    assert reading.fraction == pytest.approx(1.0, rel=0.02)
