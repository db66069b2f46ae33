"""What workers do: shared grids where they suffice, failures as records, dense algebra in one thread."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from study_fakes import FRACTION, Fake
from threadpoolctl import threadpool_info, threadpool_limits

from fem_constriction import Cell, ComputationError, InputError
from fem_constriction.errors import MemoryShort
from validation.gate import run as gate
from validation.study import work
from validation.study.points import Settings
from validation.study.work import Spectra

CELLS = Path(__file__).parents[1] / "data" / "cells"
CHECKED = Settings(frequencies=(1.0, 1e3), backends=("network", "fem"), tolerance=1e-3)
ALONE = Settings(frequencies=(1.0, 1e3), backends=("fem",), accuracy=1e-3)


@pytest.fixture
def cell() -> Cell:
    return Cell.load(CELLS / "homogeneous-25.toml")


def test_materials_share_a_group_geometry_does_not(cell: Cell) -> None:
    first = Spectra().group(cell, CHECKED)
    assert first is not None
    assert Spectra().group(cell.vary({"electrolyte.conductivity": 1.0, "title": "other"}), CHECKED) == first
    assert Spectra().group(cell.vary({FRACTION: 0.5}), CHECKED) != first
    assert Spectra().group(cell, ALONE) is None


@pytest.mark.parametrize(
    ("verdict", "refusal", "alone"),
    [
        ("agree", None, False),
        ("disagree", "they disagree", True),
        ("unresolved", "too wide", True),
        ("agree", "R unknown", True),
    ],
)
def test_what_shared_grids_do_not_let_through_is_checked_by_itself(
    cell: Cell, monkeypatch: pytest.MonkeyPatch, verdict: str, refusal: str | None, alone: bool
) -> None:
    judged = SimpleNamespace(refusal=refusal, agreement=SimpleNamespace(verdict=verdict))
    monkeypatch.setattr(gate, "judge", lambda *_, **__: judged)
    monkeypatch.setattr(gate, "crosscheck", lambda *_, **__: "alone")
    found: Any = Spectra()._judged(cell, CHECKED, prepared=object())
    assert found == ("alone" if alone else judged)
    assert Spectra()._judged(cell, CHECKED, prepared=None) == "alone"


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (ComputationError("the solver\nfailed"), "computation", "the solver failed"),
        (InputError("too few frequencies"), "input", "too few frequencies"),
        (ZeroDivisionError("by zero"), "unexpected", "ZeroDivisionError: by zero"),
        (KeyError(), "unexpected", "KeyError: KeyError"),
        (MemoryError(), "worker", "memory: MemoryError"),
        (MemoryShort("would need about 9 GiB of memory and 2 GiB are free: allowed is"), "worker", "memory: would"),
    ],
)
def test_a_failure_is_a_record_with_its_kind_and_reason(
    cell: Cell, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: str, reason: str
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(Fake, "evaluate", fail)
    record, seconds = work.evaluate(Fake(), cell, CHECKED, None)
    assert (record.kind, record.done, seconds >= 0) == (kind, False, True)
    assert record.reason.startswith(reason)


def test_the_words_for_short_memory_are_those_of_the_solver(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1))
    record, _ = work.evaluate(Spectra(), cell, ALONE, None)
    assert record.kind in work.PASSING


def test_an_interrupt_is_no_failure(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Fake, "evaluate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        work.evaluate(Fake(), cell, CHECKED, None)


def test_all_that_goes_to_a_worker_can(cell: Cell) -> None:
    for each in (work.prepare, work.evaluate, Spectra(), cell, CHECKED, work.Record("input", "why", {"R": 1.0})):
        pickle.loads(pickle.dumps(each))


def test_memory_is_estimated_before_anything_is_built(cell: Cell) -> None:
    both, one = (Spectra().memory(cell, settings) for settings in (CHECKED, ALONE))
    assert both > one > 1e6


def threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_dense_algebra_has_one_thread_in_a_process_that_computes_points(cell: Cell) -> None:
    before = threadpool_limits(limits=2, user_api="blas")
    try:
        if threads() != {2}:
            pytest.skip("a library with one thread only")
        work._one_thread.cache_clear()
        work.evaluate(Fake(), cell, CHECKED, None)
        assert threads() == {1}
    finally:
        before.restore_original_limits()
