"""Points that differ in seeds alone are realisations of one cell: their spread is told apart from errors of their values."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from study_fakes import Fake, here

from fem_constriction import Cell
from validation.study import Study, ensembles, pictures, show
from validation.study.dataset import build
from validation.study.points import Settings
from validation.study.work import Record

SEED, FRACTION = "working_electrode.contact.seed", "working_electrode.contact.fraction"
SPREAD = 0.1


class Drawn(Fake):
    """R of a cell is that of its fraction times 1 + SPREAD N(seed), known to `known`."""

    known = 1e-3

    def evaluate(self, cell: Cell, settings: Settings, prepared: Any) -> Record:
        contact = cell.working_electrode.contact
        number = np.random.default_rng([contact.seed or 0, round(1e6 * (contact.fraction or 0))]).standard_normal()
        size = 1e5 / (contact.fraction or 1) * (1 + SPREAD * number)
        numbers = {"R_geometric": size, "R_geometric_uncertainty": self.known * size, "R_Cstr": size, "R_Cstr_model": size}
        return Record("", "", numbers, {"verdict": "agree"}, {}, {"fake": "1"})


def study(seeds: int = 16, **more: Any) -> Study:
    cell = Cell(
        geometry={"width": "50 um", "thickness": "50 um"},
        electrolyte={"conductivity": "0.46 mS/cm"},
        working_electrode={"contact": {"shape": "spots", "count": 5, "fraction": 0.04, "pixels": 64, "gap": "1 um"}},
    )
    return Study(cell=cell, axes={FRACTION: [0.04, 0.08], SEED: list(range(seeds)), **more}, frequencies=[1.0])


def test_the_spread_is_that_of_the_cells_and_errors_that_are_larger_are_not_called_one() -> None:
    """Of 4000 values the standard deviation is known to 1.1 %, sqrt(1/(2 n)), less well where errors are as large."""
    random = np.random.default_rng(0)
    x, errors = 3.0 + 0.5 * random.standard_normal(4000), 0.5 * random.standard_normal(4000)
    clean = ensembles.distribution(x, np.full(4000, 1e-6))
    assert clean is not None
    assert clean.spread == pytest.approx(0.5, rel=0.035)
    assert (clean.low, clean.high) == pytest.approx((3 - 0.4972, 3 + 0.4972), abs=0.04)  # 16 % of a normal distribution
    noisy = ensembles.distribution(x + errors, np.full(4000, 1.0))  # u is two standard errors
    assert noisy is not None
    assert noisy.numerical == pytest.approx(0.5)
    assert abs(noisy.spread - 0.5) < 4 * noisy.spread_error
    same = ensembles.distribution(3.0 + errors, np.full(4000, 1.0))
    assert same is not None
    assert same.spread < 0.15  # (0.5^2 4 sqrt(2/4000))^(1/2): what chance leaves of a variance
    assert not same.told_apart
    assert clean.told_apart
    assert ensembles.distribution([1.0, 2.0, math.nan], [0.0] * 3) is None


def test_seeds_make_realisations_in_data_set_table_and_json(tmp_path: Path) -> None:
    chosen = study()
    records = here(chosen, tmp_path, Drawn())
    records[0] = replace(records[0], numbers={})  # one that was not extracted
    (first, one), (second, other) = ensembles.ensembles(chosen, records)
    assert (first, second) == ({FRACTION: 0.04}, {FRACTION: 0.08})
    assert (one["R_geometric"].members, other["R_geometric"].members) == (15, 16)
    for each, fraction in ((one, 0.04), (other, 0.08)):
        found = each["R_geometric"]
        assert abs(found.spread - SPREAD * 1e5 / fraction) < 4 * found.spread_error
        assert found.told_apart
        assert not each["R_Cstr"].told_apart  # known to no better than itself
    built = build(chosen, records)
    assert built["R_geometric_over_seeds_spread"].dims == (FRACTION,)
    assert float(built["R_geometric_over_seeds_spread"].sel({FRACTION: 0.08})) == other["R_geometric"].spread
    assert list(built["R_geometric_over_seeds_members"]) == [15, 16]
    rows = show.realisations(chosen, records)
    assert rows is not None
    assert rows.row_count == 4
    assert "not told from numerical" in [str(cell) for cell in rows.columns[-1].cells]


def test_over_an_axis_realisations_are_a_band_and_over_seeds_alone_nothing_is(tmp_path: Path) -> None:
    chosen = study(8)
    figure = pictures.summary(chosen, here(chosen, tmp_path / "a", Drawn()), FRACTION)
    assert isinstance(figure, Figure)
    bands = figure.axes[0].collections
    assert any("PolyCollection" in type(each).__name__ for each in bands)
    said = " ".join(text.get_text() for text in figure.legends[0].get_texts())
    assert "16 to 84 % of the realisations" in said
    assert "seed" not in said
    alone = Study(cell=chosen.cell, axes={SEED: [0, 1, 2]}, frequencies=[1.0])
    records = here(alone, tmp_path / "b", Drawn())
    assert len(ensembles.ensembles(alone, records)) == 1
    assert pictures.summary(alone, records, SEED).axes
    assert ensembles.ensembles(study_without(), []) == []


def study_without() -> Study:
    return Study(axes={FRACTION: [0.1, 0.2]}, frequencies=[1.0])
