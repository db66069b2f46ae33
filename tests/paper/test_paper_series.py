"""The series of the paper's figures: the cells of table 1, computed once, kept on the disk, and read from there exactly."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coarse import CoarseElements, CoarseNetwork
from paper_cells import paper_cell
from paper_fakes import FREQUENCY, FakeWork, fake_sample
from study_fakes import Here, Renewing

from fem_constriction import Cell, ComputationError, InputError
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from fem_constriction.processes.of_cell import admittances
from validation import compare, crosscheck
from validation.gate import spectra_alone as told
from validation.paper import cells, series
from validation.paper.sample import AGREED, Sample
from validation.paper.work import Fitted
from validation.study.plan import Study
from validation.study.points import Settings
from validation.study.store import Store

#: Grids a tenth as fine as those of the installed backends.
COARSE = (CoarseNetwork(), CoarseElements())


def compute(folder: Path, figure: str, quick: bool = True, **options: Any) -> Any:
    work = FakeWork(figure, **options)
    return series.compute(folder, [figure], quick=quick, work=work, pool=Renewing(Here()))


def equal(one: Any, two: Any) -> bool:
    """Whether two samples hold the same numbers, to the last bit."""
    if is_dataclass(one):
        return type(one) is type(two) and all(equal(getattr(one, f.name), getattr(two, f.name)) for f in fields(one))
    if isinstance(one, dict):
        return list(one) == list(two) and all(equal(one[key], two[key]) for key in one)
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, two, equal_nan=True))
    return bool(one == two)


@pytest.mark.parametrize(
    ("label", "fraction", "name"),
    [("2", 0.25, "figure-2-25"), ("3a", 0.16, "figure-3a-16"), ("6", 0.16, "figure-6-16"), ("7", 0.64, "figure-7-64")],
)
def test_table_1_gives_the_cells_that_were_typed_with_units(label: str, fraction: float, name: str) -> None:
    ours, typed = cells.cell(label, fraction, cells.VARIED[label][0]), paper_cell(name)
    ours, typed = (each.vary({"title": ""}) for each in (ours, typed))
    assert ours == typed


def test_charge_transfer_is_faster_than_the_pores_switch_in_5a_and_slower_in_5b_as_the_text_says() -> None:
    """Of equal resistances the larger capacitance switches later: the rows 5 (a) and 5 (b) are not those printed."""
    pore, double_layer = (
        {label: admittances(cells.cell(label, 0.5))[process].elements[0].capacitance for label in ("5a", "5b")}
        for process in (PORE, CHARGE_TRANSFER)
    )
    assert pore["5a"] > double_layer["5a"]
    assert pore["5b"] < double_layer["5b"]


@pytest.mark.parametrize("figure", cells.FIGURES)
def test_every_point_of_a_figure_is_found_again_among_its_series(figure: str) -> None:
    asked = series.study(figure, quick=True)
    found = [cells.identify(figure, point.cell) for point in asked.points]
    expected = [
        (label, dict(varied))
        for label in cells.FIGURES[figure]
        for varied in cells.VARIED[label]
        for _ in cells.fractions(label, quick=True)
    ]
    assert found == expected
    with pytest.raises(InputError, match=f"none of figure {figure}"):
        cells.identify(figure, asked.points[0].cell.vary({"electrolyte.relative_permittivity": 151}))


@pytest.mark.parametrize("figure", cells.FIGURES)
def test_cells_of_one_contact_differ_in_materials_alone_within_a_figure(figure: str) -> None:
    by_fraction: dict[float, set[str]] = {}
    for point in series.study(figure, quick=True).points:
        by_fraction.setdefault(point.cell.working_electrode.contact.fraction, set()).add(Problem.of(point.cell).discretisation)
    assert all(len(found) == 1 for found in by_fraction.values())


@pytest.mark.parametrize("quick", [True, False])
def test_a_study_read_from_its_text_is_the_same_study(quick: bool) -> None:
    asked = series.study("4", quick=quick)
    again = Study.loads(asked.dumps())
    assert again.digest == asked.digest
    assert [point.digest for point in again.points] == [point.digest for point in asked.points]


def test_the_quick_set_is_part_of_the_full_one() -> None:
    assert set(cells.QUICK) <= set(cells.FULL)
    assert cells.fractions("7", quick=False) == (0.78,)


def test_what_was_computed_is_read_from_the_disk_exactly_and_in_order(tmp_path: Path) -> None:
    found = compute(tmp_path, "3")
    assert list(found) == ["3a", "3b"]
    for label, samples in found.items():
        assert [sample.fraction for sample in samples] == sorted(cells.QUICK)
        for sample in samples:
            assert equal(sample, fake_sample(label, sample.fraction))
    assert series.samples(tmp_path, "3b")[0].cell.title == "Figure 3 (b), 4 % contact"
    assert series.samples(tmp_path, "2") == ()


def test_samples_are_sorted_by_what_is_varied_then_by_fraction(tmp_path: Path) -> None:
    samples = compute(tmp_path, "6")["6"]
    keys = [(sample.varied[cells.R_POL], sample.fraction) for sample in samples]
    assert keys == sorted(keys)
    assert len(samples) == len(cells.RESISTANCES) * len(cells.QUICK)
    assert all(admittances(s.cell)[CHARGE_TRANSFER].conductance == 1 / s.varied[cells.R_POL] for s in samples)


def test_a_second_call_computes_nothing(tmp_path: Path) -> None:
    first = compute(tmp_path, "2")
    again = compute(tmp_path, "2", never=True)
    assert all(equal(a, b) for a, b in zip(first["2"], again["2"], strict=True))
    assert series.failures(tmp_path, "2", quick=True) == ()


@pytest.mark.parametrize("quick", [True, False])
def test_what_the_other_set_has_finished_is_not_computed_again(tmp_path: Path, quick: bool) -> None:
    compute(tmp_path, "2", quick=quick)
    found = compute(tmp_path, "2", quick=not quick, never=True)["2"]
    missing = {point.cell.working_electrode.contact.fraction for point, _ in series.failures(tmp_path, "2", quick=not quick)}
    asked = set(cells.fractions("2", quick=not quick))
    assert missing == asked - set(cells.fractions("2", quick=quick))
    assert {sample.fraction for sample in found} >= asked - missing


def test_a_cell_that_fails_has_no_sample_is_listed_and_tried_again_when_asked(tmp_path: Path) -> None:
    found = compute(tmp_path, "2", fails=(0.25,))["2"]
    assert 0.25 not in [sample.fraction for sample in found]
    ((point, reason),) = series.failures(tmp_path, "2", quick=True)
    assert point.cell.working_electrode.contact.fraction == 0.25
    assert "the solver failed at 0.25" in reason
    series.compute(tmp_path, ["2"], quick=True, retry=True, work=FakeWork("2"), pool=Renewing(Here()))
    assert series.failures(tmp_path, "2", quick=True) == ()


def test_progress_hears_of_every_point_of_every_figure(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []

    class Watch:
        def __init__(self, study: Study) -> None:
            self.name = study.name

        def __enter__(self) -> Any:
            return lambda step: heard.append((self.name, step.finished, step.total))

        def __exit__(self, *_: object) -> None: ...

    series.compute(tmp_path, ["7"], quick=True, progress=Watch, work=FakeWork("7"), pool=Renewing(Here()))
    assert heard[0] == ("Figure 7", 0, 1)
    assert heard[-1] == ("Figure 7", 1, 1)


def test_other_frequencies_are_another_study_and_are_refused_in_the_same_folder(tmp_path: Path) -> None:
    compute(tmp_path, "7")
    with pytest.raises(InputError, match="another study"):
        series.compute(tmp_path, ["7"], quick=True, frequencies=FREQUENCY[:9], work=FakeWork("7"), pool=Renewing(Here()))


@pytest.mark.parametrize("wrong", ["1", "3a", "8", ""])
def test_a_figure_the_paper_has_no_series_of_is_refused(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2, 3, 4, 5, 6, 7"):
        series.compute(tmp_path, [wrong])
    with pytest.raises(InputError, match="3a, 3b"):
        cells.cell("8", 0.5)


@pytest.fixture(scope="module")
def both_electrodes() -> Any:
    """A cell with charge transfer at both electrodes, on coarse grids."""
    return crosscheck(cells.cell("7", 0.78), backends=COARSE, tolerance=0.05)


@pytest.fixture(scope="module")
def sample(both_electrodes: Any) -> Sample:
    return Sample.of_result(both_electrodes, "7", {})


def test_a_sample_says_what_the_cross_check_says(sample: Sample, both_electrodes: Any) -> None:
    assert (sample.verdict, sample.refusal, sample.fraction) == ("agree", None, 0.78)
    assert sample.agreed is not None
    combined = both_electrodes.agreement.combined()
    assert np.array_equal(sample.agreed.spectrum.impedance, combined.impedance)
    assert sample.agreed.extended == both_electrodes.extraction
    assert list(sample.sides) == ["network", "fem", AGREED]
    one_dimensional = physical(sample.cell).resistance
    assert sample.geometric is not None
    assert sample.agreed.resistance[0] - one_dimensional == pytest.approx(sample.geometric[0], rel=1e-9)  # of a difference
    for name, side in sample.backends.items():
        assert side.resistance == both_electrodes.families[name].resistance()
        assert sum(side.weights.values()) == pytest.approx(1, abs=1e-10)  # rounding of the reduced model
        assert float(np.sum(side.relaxation.resistance)) == pytest.approx(side.resistance[0], rel=0.05)  # of coarse grids


def test_one_element_for_both_electrodes_fits_worse_than_one_each(sample: Sample) -> None:
    for side in sample.sides.values():
        assert side.fit is not None
        assert side.extended is not None
        assert "counter_electrode" in side.extended.arcs
        assert "counter_electrode" not in side.fit.arcs
        assert (side.fit.residual or 0) > 5 * (side.extended.residual or 1)


def test_current_enters_through_the_pores_at_high_frequency_only(sample: Sample) -> None:
    """There it enters evenly: the bulk is in the way, whatever the face."""
    for side in sample.sides.values():
        share = side.entry.real[np.argsort(side.spectrum.frequency)]
        assert abs(share[0]) < 1e-3  # at 1 mHz, five decades below the switching
        assert share[-1] == pytest.approx(1 - sample.fraction, abs=0.01)  # the double layer is not quite a short circuit


def test_a_record_on_the_disk_gives_the_sample_back_to_the_last_bit(
    sample: Sample, both_electrodes: Any, tmp_path: Path
) -> None:
    store = Store(tmp_path, series.study("7", quick=True))
    store.save("0" * 64, sample.as_record(both_electrodes))
    record = store.load("0" * 64)
    assert record is not None
    assert equal(Sample.of_record(record, "7", sample.cell, {}), sample)
    other = replace(record, numbers={**record.numbers, "fem/resistance": 1.0})
    assert not equal(Sample.of_record(other, "7", sample.cell, {}), sample)


def test_the_work_at_a_point_is_the_cross_check_of_its_cell(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = {backend.name: backend for backend in COARSE}
    monkeypatch.setattr(told, "any_backend", lambda name: coarse[name])
    frequencies = tuple(sample.backends["fem"].spectrum.frequency.tolist())
    settings = Settings(frequencies=frequencies, backends=("network", "fem"), tolerance=0.05)
    assert Fitted("7").group(sample.cell, settings) is None  # no cell waits for others
    record = Fitted("7").evaluate(sample.cell, settings, None)
    assert equal(Sample.of_record(record, "7", sample.cell, {}), sample)


def test_nothing_is_fitted_where_the_backends_do_not_agree(both_electrodes: Any) -> None:
    narrow = compare(both_electrodes.agreement.limits, 1e-9)
    refused = replace(both_electrodes, agreement=narrow, extraction=None, by_backend={}, refusal="nothing is extracted")
    found = Sample.of_result(refused, "7", {})
    assert (found.verdict, found.refusal, found.agreed) == ("unresolved", "nothing is extracted", None)
    assert all(side.fit is None and side.extended is None for side in found.sides.values())
    assert equal(Sample.of_record(found.as_record(refused), "7", found.cell, {}), found)


def test_a_cell_without_contact_has_no_resistance_and_no_arcs() -> None:
    cell = cells.cell("7", 0.0)
    sample = Sample.of_result(crosscheck(cell, backends=COARSE, tolerance=0.05, discs=False), "7", {})
    assert sample.agreed is not None
    assert sample.agreed.resistance == (np.inf, 0.0)
    assert sample.agreed.weights == {}
    assert sample.geometric is None
    assert sample.agreed.fit is not None
    assert sample.agreed.fit.arcs == {}
    assert np.allclose(sample.agreed.entry, 1, rtol=0, atol=1e-9)  # all current, to rounding


def test_a_computation_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    with pytest.raises(ComputationError):
        FakeWork("2", fails=(0.25,)).evaluate(cells.cell("2", 0.25), None, None)
    assert len(compute(tmp_path, "2", fails=(0.25,))["2"]) == len(cells.fractions("2", quick=True)) - 1


def test_cells_are_equal_however_they_are_made() -> None:
    made: Cell = cells.cell("6", 0.25, {cells.R_POL: 1e-2, cells.R_POL_COUNTER: 1e-2})
    assert made == cells.cell("6", 0.25).vary({"title": made.title, cells.R_POL: 1e-2, cells.R_POL_COUNTER: 1e-2})
