"""A convergence study of real cells: orders, limits that are true, wrong families caught, and what is written."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from paper_cells import DATA, paper_cell

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fem import FiniteElements
from fem_constriction.files import json_text
from fem_constriction.grids.grid import Grid
from fem_constriction.stack.layered import Layered
from network import Network
from validation import Convergence, converge
from validation.convergence import families, latex, tables

F = np.geomspace(1e-3, 1e9, 7)
KEYS = {
    "backend", "grids", "quantity", "frequency_Hz", "h", "unknowns", "seconds", "memory_MB", "value", "error", "observed_order",
    "expected_order", "reason",
}  # fmt: skip


@pytest.fixture(scope="module")
def ideal() -> fc.Cell:
    return paper_cell("homogeneous-25").vary({"working_electrode.charge_transfer": None})


@pytest.fixture(scope="module")
def found(ideal: fc.Cell) -> Convergence:
    """Grids of 8 to 64 equal cells per edge: an eighth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(families, "COARSEST", range(8, 42, 2))
        return converge(ideal, frequencies=F, quantities=["Z", "R_DC"])


def of(result: Convergence, name: str, quantity: str):
    (series,) = [s for s in result.series if s.solved.name == name and s.quantity == quantity and s.frequency is None]
    return series


# Orders and limits


@pytest.mark.parametrize(
    ("name", "order"),
    [
        # numerics: ideal contact 1 on equal cells whatever the degree; 1.9 and 3.5 on graded ones.
        ("network, uniform", 1.0),
        ("fem, uniform", 1.0),
        ("network, graded", 1.9),
        ("fem, graded", 3.5),
    ],
)
def test_an_ideal_contact_converges_as_theory_says(found: Convergence, name: str, order: float) -> None:
    for quantity in ("Z", "R_DC"):
        series = of(found, name, quantity)
        assert series.observed == pytest.approx(order, abs=0.1)
        assert series.failure is None
        assert np.all(np.diff(series.error) < 0)
    assert found.passed


@pytest.mark.long
def test_a_robin_edge_costs_equal_cells_a_logarithm_and_graded_ones_nothing() -> None:
    result = converge(paper_cell("homogeneous-25"), frequencies=[1.0], quantities=["R_DC"])
    assert of(result, "network, graded", "R_DC").observed == pytest.approx(2.0, abs=0.05)
    assert of(result, "fem, graded", "R_DC").observed == pytest.approx(4.0, abs=0.1)
    # numerics: 1.5 to 1.7 for the network; the elements of second degree show less of the logarithm.
    assert 1.5 < of(result, "network, uniform", "R_DC").observed < 1.8
    assert 1.8 < of(result, "fem, uniform", "R_DC").observed < 2.0
    assert result.passed


def test_every_limit_is_the_published_resistance_within_its_uncertainty(found: Convergence) -> None:
    """An ideal square contact, known to 1e-9 from a Galerkin solution with an edge-singular basis."""
    published = json.loads((DATA / "references.json").read_text())["resistance"]
    (entry,) = [each for each in published if each["fraction"] == 0.25]
    for each in found.families:
        series = of(found, each.name, "R_DC")
        assert abs(series.limit - entry["R_ohm"]) <= series.uncertainty
        # The index of the finest grid belongs to its own value, and holds the error of that.
        assert abs(series.value[-1] - entry["R_ohm"]) <= series.gci * abs(series.value[-1])


def test_the_finest_grids_of_equal_cells_cost_more_and_err_more(found: Convergence) -> None:
    graded, uniform = of(found, "fem, graded", "R_DC"), of(found, "fem, uniform", "R_DC")
    assert graded.solved.unknowns[-1] < uniform.solved.unknowns[-1]
    assert 100 * graded.error[-1] < uniform.error[-1]


def test_a_full_contact_is_exact_on_every_grid(ideal: fc.Cell) -> None:
    cell = ideal.vary({"working_electrode.contact.fraction": 1})
    result = converge(cell, frequencies=F, levels=3, grids=["uniform"], backends=["fem"], quantities=["Z", "R_DC", "tau"])
    assert result.passed
    assert {each.expected.order for each in result.series} == {None}
    assert "full contact" in " ".join(result.notes)
    assert "exact" in result.text()


# What must be caught


class FirstOrder(Network):
    """Charge transfer (1 + h) too good: consistent, and of first order."""

    name = "first-order"

    def layered(self, cell: fc.Cell, grid: Grid) -> Layered:
        made = super().layered(cell, grid)
        h = 0.3 * 2.0 ** -int(grid.name.split()[-1])
        return replace(made, face={**made.face, "charge_transfer": (1 + h) * made.face["charge_transfer"]})


class FixedRatio(Network):
    """Layers in a fixed geometric ratio, ever more of them: far from the edge nothing is ever refined."""

    name = "fixed-ratio"

    def grid(self, cell: fc.Cell, level: int) -> Grid:
        def lines(length: float) -> np.ndarray:
            return np.concatenate([[0.0], length * 0.4 ** np.arange(2 << level)[::-1]])

        inside, outside = cell.contact_sides[0] / 2, (cell.body.lengths[0] - cell.contact_sides[0]) / 2
        x = np.concatenate([inside - lines(inside)[::-1], inside + lines(outside)[1:]])
        touching = (x[1:] + x[:-1]) / 2 < inside
        contact = np.logical_and.outer(touching, touching)
        layers = (lines(cell.body.lengths[2]),)
        return Grid(x=x, y=x, layers=layers, contact=contact, copies=4, name=f"fixed ratio, level {level}")


@pytest.mark.parametrize(
    ("wrong", "quantity", "levels"),
    [(FirstOrder, "R_DC", 4), (FixedRatio, "R_DC", 3), (FixedRatio, "Z", 3)],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_wrong_family_is_caught_and_named(wrong: type[Network], quantity: str, levels: int) -> None:
    result = converge(
        paper_cell("homogeneous-25"), backends=[wrong(), "fem"], grids=["graded"], levels=levels,
        quantities=[quantity], frequencies=[1e-2, 1.0],
    )  # fmt: skip
    assert not result.passed
    assert result.failures[0].startswith(f"{wrong.name}, graded: the observed order of {quantity} is")
    assert "expected 2 (stated by the backend)" in result.failures[0]
    assert not [failure for failure in result.failures if failure.startswith("fem")]


def test_a_wrong_order_is_caught_with_no_other_family_to_compare() -> None:
    result = converge(
        paper_cell("homogeneous-25"), backends=[FirstOrder()], grids=["graded"], quantities=["R_DC"], frequencies=[1]
    )
    assert "expected 2" in result.failures[0]
    assert "one family alone: nothing checks that its limit is the right one" in result.notes


class OtherCell(FiniteElements):
    """The finite elements of a cell with a better conductor in it: right orders, another limit."""

    name = "other-cell"

    def layered(self, cell: fc.Cell, grid: Grid) -> Layered:
        made = super().layered(cell, grid)
        return replace(made, face={**made.face, "charge_transfer": 1.01 * made.face["charge_transfer"]})


def test_limits_that_differ_are_said_to() -> None:
    result = converge(
        paper_cell("homogeneous-25"),
        backends=[OtherCell(), "fem"],
        grids=["graded"],
        levels=3,
        quantities=["Z"],
        frequencies=[1],
    )
    assert any("their limits of Z differ by" in failure for failure in result.failures)


# What is said and written


def test_the_record_is_json_with_a_series_for_each_family_and_quantity(found: Convergence) -> None:
    record = found.as_dict()
    assert json.loads(json_text(record)) == record
    assert record["passed"] is True
    for family in record["families"]:
        assert set(family) >= KEYS
        assert len(family["h"]) == len(family["error"]) == len(family["observed_order"]) == 4
    # Z: the largest over frequency and five frequencies; R_DC: one.
    assert len(record["families"]) == 4 * (1 + 5 + 1)
    (largest,) = [f for f in record["families"] if (f["backend"], f["grids"], f["quantity"], f["frequency_Hz"])
                  == ("fem", "graded", "Z", None)]  # fmt: skip
    assert largest["value"] is None
    (spectrum,) = [s for s in record["spectra"] if (s["backend"], s["grids"]) == ("fem", "graded")]
    assert len(spectrum["gci_fine"]) == len(spectrum["asymptotic"]) == len(spectrum["ratio"]) == F.size
    assert len(spectrum["impedance_ohm"]) == 4


def test_the_csv_has_a_row_per_grid_with_every_digit(found: Convergence) -> None:
    rows = list(csv.DictReader(io.StringIO(tables.csv_text(found))))
    assert len(rows) == sum(series.error.size for series in found.series)
    for row in rows:
        if (row["backend"], row["grids"], row["quantity"], row["level"]) == ("fem", "graded", "R_DC", "3"):
            assert float(row["value"]) == of(found, "fem, graded", "R_DC").value[3]


def test_the_text_names_orders_reasons_reference_and_how_memory_is_measured(found: Convergence) -> None:
    text = found.text()
    for words in ("ideal edge, potential r^(1/2)", "GCI, finest", "u, limit", "p of C h^p", "seconds", "MB", "passed",
                  "relative to the limit of fem, graded", "resident memory"):  # fmt: skip
        assert words in re.sub(r"\s+", " ", text)
    assert [table.title.split(",")[0] for table in found.tables][1] == "Z"


def test_the_latex_is_well_formed_and_escapes_the_title(found: Convergence) -> None:
    titled = replace(found, cell=found.cell.vary({"title": "50 % & C_dl {x} \\input"}))
    text = latex.document(titled)
    plain = re.sub(r"\\[\\{}%&$#_]", "", text)
    assert plain.count("{") == plain.count("}")
    assert plain.count("$") % 2 == 0
    begun, ended = (re.findall(rf"\\{word}{{(\w+)}}", text) for word in ("begin", "end"))
    assert sorted(begun) == sorted(ended)
    assert begun.count("tabular") == 4
    assert r"50 \% \& C\_dl \{x\} \textbackslash{}input" in text
    for body in re.findall(r"\\begin{tabular}{(r+)}(.*?)\\end{tabular}", text, flags=re.DOTALL):
        columns, rows = body
        assert rows.count(r"\toprule") == rows.count(r"\bottomrule") == 1
        for row in re.findall(r"^(\d.*?) \\\\$", rows, flags=re.MULTILINE):
            assert row.count("&") == len(columns) - 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"levels": 2}, "levels = 2 is not allowed: 3 to 6"),
        ({"quantities": ["R"]}, "quantities = R is not allowed: one or more of Z, R_DC"),
        ({"grids": ["graded", "graded"]}, "grids = graded,graded is not allowed"),
        ({"backends": []}, "backends = \\[\\] is not allowed"),
        ({"backends": ["nothing"]}, "backend = 'nothing' is not allowed: installed are"),
        ({"frequencies": [0.0]}, "positive numbers in Hz"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_solved(ideal: fc.Cell, wrong: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        converge(ideal, **wrong)


@pytest.mark.long
def test_fitted_parameters_converge_and_carry_both_uncertainties(tmp_path: Path) -> None:
    result = converge(paper_cell("homogeneous-25"), grids=["graded"], quantities=["R_DC", "R_Cstr", "C_Cstr", "tau"])
    assert result.passed
    for name, order in (("network, graded", 2.0), ("fem, graded", 4.0)):
        series = of(result, name, "R_Cstr")
        assert series.observed == pytest.approx(order, abs=0.2)
        assert set(series.parts) == {"discretisation", "model", "nominal"}
        # What the error of each grid's spectrum can do at the most, carried through the fit to first order.
        gap = np.abs(series.value - series.reference)
        assert np.all(gap <= series.parts["discretisation"][:-1])
        # Statistical: a matter of the circuit, the same on all fine grids.
        assert series.parts["nominal"][-1] == pytest.approx(series.parts["nominal"][-2], rel=0.01)
    network, fem = (of(result, name, "R_Cstr") for name in ("network, graded", "fem, graded"))
    assert abs(network.limit - fem.limit) <= network.uncertainty + fem.uncertainty
    written = {path.name for path in result.save(tmp_path)}
    assert written >= {"converge.json", "converge.csv", "converge.tex", "converge.html", "converge_parameters.png"}
    assert "converge_impedance.png" not in written
    assert (tmp_path / "converge_parameters.pdf").read_bytes().startswith(b"%PDF")
