"""Studies: what axes make, what is refused and in which words, and what a point is known by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fem_constriction import Cell, InputError
from validation.study import Study
from validation.study.axes import MOST

CELLS = Path(__file__).parents[1] / "data" / "cells"
FRACTION = "working_electrode.contact.fraction"
CONDUCTIVITY = "electrolyte.conductivity"
LAYERS = "electrolyte.grain_boundaries.layers"

SWEEP = """
cell = "cell.toml"
mode = "product"
frequencies = "1:1e6:7"
[axes]
"working_electrode.contact.fraction" = [0.04, 0.25, 0.5]
"electrolyte.conductivity" = { start = "0.1 mS/cm", stop = "10 mS/cm", num = 5, scale = "log" }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "cell.toml").write_text((CELLS / "figure-2-25.toml").read_text())
    path = tmp_path / "SWEEP.toml"
    path.write_text(SWEEP)
    return path


def study(axes: dict[str, Any] | None = None, **others: Any) -> Study:
    return Study(axes={FRACTION: [0.04, 0.25]} if axes is None else axes, **others)


def values(made: Study, key: str) -> list[Any]:
    return [point.values[key] for point in made.points]


# What axes make


def test_a_product_is_every_combination_the_last_axis_fastest(file: Path) -> None:
    made = Study.load(file)
    assert made.shape == {FRACTION: 3, CONDUCTIVITY: 5}
    assert len(made.points) == 15
    assert values(made, FRACTION)[:6] == [0.04] * 5 + [0.25]
    assert made.points[7].cell.working_electrode.contact.fraction == 0.25
    assert made.points[7].cell.electrolyte.conductivity == made.points[7].values[CONDUCTIVITY]
    assert made.points[0].settings.frequencies == tuple(np.geomspace(1, 1e6, 7).tolist())
    assert made.points[0].settings.backends == ("network", "fem")


def test_ranges_hold_both_ends_exactly_in_si(file: Path) -> None:
    found = Study.load(file).axes[CONDUCTIVITY].values
    assert (found[0], found[-1]) == (0.01, 1.0)
    assert np.allclose(np.diff(np.log10(found)), 0.5)
    linear = study({FRACTION: {"start": 0.1, "stop": 0.4, "num": 4}}).axes[FRACTION].values
    assert linear == (0.1, 0.2, pytest.approx(0.3), 0.4)
    assert study({LAYERS: {"start": 1, "stop": 50, "num": 3}}).axes[LAYERS].values == (1, 26, 50)


def test_quantities_are_strings_with_a_unit_or_numbers_in_si() -> None:
    made = study({CONDUCTIVITY: ["1 mS/cm", 0.2]})
    assert values(made, CONDUCTIVITY) == [0.1, 0.2]
    assert made.axes[CONDUCTIVITY].unit == "S/m"
    assert study().axes[FRACTION].unit == "1"
    assert study({"working_electrode.pore.capacitance": [1.0]}).axes["working_electrode.pore.capacitance"].unit == "F/m^2"


def test_zip_takes_values_side_by_side() -> None:
    made = study({FRACTION: [0.04, 0.25], CONDUCTIVITY: {"start": 1, "stop": 2, "num": 2}}, mode="zip")
    assert made.shape == {"point": 2}
    assert [(p.values[FRACTION], p.values[CONDUCTIVITY]) for p in made.points] == [(0.04, 1), (0.25, 2)]


def test_a_latin_hypercube_has_one_point_in_every_slice_whatever_the_order_of_the_axes() -> None:
    axes = {FRACTION: {"start": 0.1, "stop": 0.5}, CONDUCTIVITY: {"start": 0.01, "stop": 1, "scale": "log"}}
    made = study(axes, mode="latin-hypercube", samples=8)
    fraction = (np.array(values(made, FRACTION)) - 0.1) / 0.4
    conductivity = np.log10(np.array(values(made, CONDUCTIVITY)) / 0.01) / 2
    for each in (fraction, conductivity):
        assert sorted(np.floor(8 * each).tolist()) == list(range(8))
    turned = study(dict(reversed(axes.items())), mode="latin-hypercube", samples=8, seed=0)
    assert values(turned, FRACTION) == values(made, FRACTION)
    other = study(axes, mode="latin-hypercube", samples=8, seed=1)
    assert values(other, FRACTION) != values(made, FRACTION)
    whole = study({LAYERS: {"start": 2, "stop": 4}}, mode="latin-hypercube", samples=30)
    assert set(values(whole, LAYERS)) == {2, 3, 4}


def test_backend_accuracy_and_tolerance_are_axes_too() -> None:
    made = study({"backend": ["network", "fem"], "accuracy": [1e-2, 1e-3]})
    assert [(p.settings.backends, p.settings.accuracy) for p in made.points][1] == (("network",), 1e-3)
    assert made.points[0].settings.tolerance is None
    made = study({"tolerance": [1e-2, 1e-3]})
    assert [p.settings.tolerance for p in made.points] == [1e-2, 1e-3]
    assert made.points[0].settings.crosschecked
    assert study(backend="fem").points[0].settings.accuracy == 1e-3


def test_keys_need_no_quotes_and_a_range_may_be_a_table_of_its_own() -> None:
    text = """
    [axes]
    working_electrode.contact.fraction = [0.04]
    [axes.electrolyte.conductivity]
    start = 1
    stop = 2
    num = 2
    """
    made = Study.loads(text)
    assert set(made.axes) == {FRACTION, CONDUCTIVITY}
    assert len(made.points) == 2


def test_a_section_may_be_an_axis_and_the_base_cell_is_figure_2_if_left_out() -> None:
    made = study({"counter_electrode.charge_transfer": [{"resistance": "1 ohm cm^2"}, {"resistance": "2 ohm cm^2"}]})
    assert made.cell == Cell.load(CELLS / "figure-2-25.toml")
    assert made.points[1].cell.counter_electrode.charge_transfer.resistance == 2e-4


def test_a_key_that_cells_do_not_know_yet_works_as_soon_as_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"axes.pressure = 300 is not allowed: unknown key.* backend, accuracy, tolerance"):
        study({"pressure": [300, 320]})
    plain = Cell.vary
    monkeypatch.setattr(Cell, "vary", lambda self, changes: plain(self, {k: v for k, v in changes.items() if k != "pressure"}))
    assert values(study({"pressure": [300, 320]}), "pressure") == [300, 320]


# What is refused, and in which words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("0.04, 0.25, 0.5", "0.04, 1.2"), ["axes.working_electrode.contact.fraction = 1.2", "from 0 to 1"]),
        (("0.04, 0.25, 0.5", "0.25, 0.25"), ["axes.working_electrode.contact.fraction has 0.25 2 times"]),
        (("0.04, 0.25, 0.5", ""), ["axes.working_electrode.contact.fraction = []", "a list of values"]),
        (('"0.1 mS/cm"', '"0.1 mS"'), ["axes.electrolyte.conductivity.start = '0.1 mS'", "S/m", "dimension"]),
        (('"0.1 mS/cm"', "-1"), ["axes.electrolyte.conductivity.start = -1", "above 0"]),
        (("num = 5", "num = 1"), ["axes.electrolyte.conductivity.num = 1", "whole number from 2"]),
        (("num = 5, ", ""), ["axes.electrolyte.conductivity.num is missing"]),
        (("num = 5", "num = 2.5"), ["axes.electrolyte.conductivity.num = 2.5", "whole number"]),
        (("num = 5", "nmu = 5"), ["axes.electrolyte.conductivity.nmu = 5", "perhaps num is meant"]),
        (('"log"', '"cubic"'), ["axes.electrolyte.conductivity.scale = 'cubic'", "'linear' or 'log'"]),
        (("contact.fraction", "contact.fractoin"), ["axes.working_electrode.contact.fractoin", "perhaps", "tolerance"]),
        (("product", "zip"), ["axes must be of equal length", "fraction has 3", "conductivity has 5"]),
        (("product", "grid"), ["mode = 'grid'", "'product' or 'zip' or 'latin-hypercube'"]),
        (("product", "latin-hypercube"), ["samples is missing"]),
        (("mode", "samples = 3\nmode"), ["samples = 3", "only with mode = 'latin-hypercube'"]),
        (("mode", "accuracy = 1e-3\nmode"), ["accuracy = 0.001", "only with one backend"]),
        (("mode", 'backend = "fem"\ntolerance = 1e-3\nmode'), ["tolerance = 0.001", "two that must agree"]),
        (("mode", 'backend = "boundary"\nmode'), ["backend = 'boundary'", "installed are"]),
        (("mode", 'backends = ["fem"]\nmode'), ["backends = ['fem']", "two or more"]),
        (("mode", 'backends = ["fem", "boundary"]\nmode'), ["backends = 'boundary'", "installed are"]),
        (("mode", "tolerance = 2\nmode"), ["tolerance = 2", "between 0 and 1"]),
        (("mode", "seeds = 2\nmode"), ["seeds = 2", "perhaps seed is meant"]),
        (("1:1e6:7", "1:1e6"), ["frequencies = '1:1e6'", "a:b:n"]),
        (("[axes]", "[axis]"), ["axis = ", "perhaps axes is meant"]),
        (("cell.toml", "sell.toml"), ["sell.toml", "no such file"]),
        (("[axes]", "[axes"), ["not TOML"]),
    ],
)
def test_one_sentence_names_file_key_value_and_what_is_allowed(file: Path, change: tuple[str, str], words: list[str]) -> None:
    assert change[0] in SWEEP
    file.write_text(SWEEP.replace(*change))
    with pytest.raises(InputError) as caught:
        Study.load(file)
    for word in [str(file), *words]:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_points_that_are_no_cells_are_refused_with_axis_value_and_point() -> None:
    wide = {"geometry.width": [[1e-4, 1e-5]], FRACTION: [0.04, 0.5]}
    with pytest.raises(
        InputError, match=r"axes.working_electrode.contact.fraction = 0.5 .*does not fit.* \(point 2: geometry.w"
    ):
        study(wide)
    cell = Cell.load(CELLS / "homogeneous-25.toml").vary({"working_electrode.pore": None})
    with pytest.raises(InputError, match=r"axes.working_electrode.contact.fraction = 0.0 .* without working_electrode.pore"):
        study({FRACTION: [0.0, 0.25]}, cell=cell)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"axes": {}}, "axes = {}"),
        ({"axes": {FRACTION: [None]}}, "fraction = None"),
        ({"axes": {FRACTION: 0.2}}, r"fraction = 0.2 is not allowed: a list"),
        ({"axes": {"backend": ["network"]}, "backend": "fem"}, "backend = 'fem' is not allowed together with axes.backend"),
        ({"axes": {"backend": ["network"]}, "backends": ["fem", "network"]}, "backends = .* together with one backend"),
        ({"axes": {"backend": ["network"], "tolerance": [0.1]}}, "axes.tolerance is not allowed here"),
        ({"axes": {"backend": ["boundary"]}}, "axes.backend = 'boundary' is not allowed: installed are"),
        ({"axes": {"backend": {"start": "fem", "stop": "network", "num": 2}}}, "a range is of numbers"),
        ({"axes": {"accuracy": [1e-3]}}, "axes.accuracy is not allowed here: only with one backend"),
        (
            {"axes": {FRACTION: {"start": 0, "stop": 1, "num": 3, "scale": "log"}}},
            r"start = 0.0 .* above 0 where scale = 'log'",
        ),
        ({"mode": "latin-hypercube", "samples": 3}, "is not allowed with mode = 'latin-hypercube': start and stop"),
        (
            {"mode": "latin-hypercube", "samples": 3, "axes": {FRACTION: {"start": 0, "stop": 1, "num": 3}}},
            "num = 3 is not allowed with mode = 'latin-hypercube'",
        ),
        (
            {"axes": {key: {"start": 0.1, "stop": 0.2, "num": 400} for key in (FRACTION, CONDUCTIVITY)}},
            rf"axes make 160000 points: allowed are {MOST}",
        ),
        ({"cell": "nowhere.toml"}, "nowhere.toml: there is no such file"),
        ({"cell": 5e-324}, "cell = 5e-324 is not allowed: the path of a cell file"),
        ({"cell": ["cell.toml"]}, r"cell = \['cell.toml'\] is not allowed: the path of a cell file"),
        ({"cell": {"geometry": {}}}, "^cell.geometry.width is missing: required is a length"),
        ({"frequencies": [0.0]}, "frequencies = "),
    ],
)
def test_python_is_refused_in_the_same_words(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Study(**{"axes": {FRACTION: [0.04, 0.25]}, **given})


# What a study and a point are known by


def test_the_order_of_axes_and_the_spelling_of_values_do_not_change_a_digest() -> None:
    one = study({FRACTION: [0.04, 0.25], CONDUCTIVITY: ["1 mS/cm"]})
    two = study({CONDUCTIVITY: [0.1], FRACTION: [0.04, 0.25]}, title="the same")
    assert one.digest == two.digest
    assert {p.digest for p in one.points} == {p.digest for p in two.points}


@pytest.mark.parametrize(
    "change",
    [
        {"axes": {FRACTION: [0.04, 0.26]}},
        {"frequencies": [1.0]},
        {"tolerance": 1e-2},
        {"backend": "fem"},
        {"mode": "zip"},
        {"cell": CELLS / "homogeneous-25.toml"},
    ],
)
def test_anything_else_does(change: dict[str, Any]) -> None:
    assert Study(**{"axes": {FRACTION: [0.04, 0.25]}, **change}).digest != study().digest


def test_a_digest_does_not_change_between_sessions_but_with_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    made = study(frequencies=[1.0])
    monkeypatch.setattr("validation.study.points.version", lambda _: "0.1.0")
    first = made.points[0].digest
    assert first == study(frequencies=[1.0]).points[0].digest
    monkeypatch.setattr("validation.study.points.version", lambda _: "0.2.0")
    assert first != study(frequencies=[1.0]).points[0].digest


def test_a_study_written_as_toml_is_the_same_study(file: Path) -> None:
    for made in (
        Study.load(file),
        study({"backend": ["fem"], "geometry.width": [[1e-5, 2e-5], "3 um"], FRACTION: [0.1]}),
        study({CONDUCTIVITY: {"start": 1, "stop": 2, "scale": "log"}}, mode="latin-hypercube", samples=3, seed=4),
    ):
        again = Study.loads(made.dumps())
        assert again.digest == made.digest
        assert [p.digest for p in again.points] == [p.digest for p in made.points]
