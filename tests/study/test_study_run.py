"""Sweeps survive: kills, deaths of workers, full disks, failing points and company in the folder change nothing."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from study_fakes import FRACTION, Fake, Here, fake_sweep, here, points_of, read, same, study_of, wait_for

from fem_constriction import ComputationError, InputError
from validation.study import store as _store
from validation.study.dataset import build
from validation.study.driver import Driver, Step
from validation.study.pool import Pool
from validation.study.run import run
from validation.study.store import Store

TESTS = Path(__file__).parents[1] / "shared"


class Dying(Here):
    """An executor that breaks at some of its jobs."""

    def __init__(self, *at: int) -> None:
        self.at, self.jobs = at, 0

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        self.jobs += 1
        if self.jobs in self.at:
            future: Future[Any] = Future()
            future.set_exception(BrokenProcessPool("a worker died"))
            return future
        return super().submit(call, *arguments, **options)


# Killed


def sweeping(out: Path, workers: int = 1) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(TESTS / "study_fakes.py"), str(out), str(workers)]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # jobs in the background of a shell do not hear it
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, preexec_fn=heard)


@pytest.mark.long
def test_a_sweep_of_100_points_killed_four_times_ends_as_one_that_was_not(tmp_path: Path) -> None:
    chance, out = random.Random(4), tmp_path / "killed"
    before = 0
    for _ in range(4):
        with sweeping(out) as process:
            assert wait_for(lambda: len(list(out.glob("points/*.json"))) > before)  # noqa: B023
            time.sleep(chance.uniform(0, 0.4))
            workers = psutil.Process(process.pid).children(recursive=True)
            assert process.poll() is None
            process.kill()
        assert not psutil.wait_procs(workers, timeout=10)[1], "workers outlive their driver"
        assert not (out / "results.nc").exists()
        before = len(list(out.glob("points/*.json")))
    assert 4 <= before < 100
    with sweeping(out) as process:
        assert process.wait(timeout=120) == 0
    whole = build(study_of(), here(study_of(), tmp_path / "whole", Fake()))
    assert same(read(out), whole)
    assert points_of(out) == points_of(tmp_path / "whole")
    assert len(points_of(out)) == 100
    assert [path.name for path in out.iterdir() if path.name.endswith(".tmp")] == []


def test_the_comparison_sees_a_single_bit(tmp_path: Path) -> None:
    one = build(study_of(2, 2), here(study_of(2, 2), tmp_path, Fake()))
    two = one.copy(deep=True)
    assert same(one, two)
    two["R_Cstr"].values[0, 0] = np.nextafter(two["R_Cstr"].values[0, 0], 1)
    assert not same(one, two)


def test_a_worker_that_is_killed_costs_nothing_but_time(tmp_path: Path) -> None:
    study = study_of(3, 2)
    work = Fake(kills=(0.04,), kills_once=str(tmp_path / "killed"))
    found = fake_sweep(study, tmp_path / "out", work)
    assert (tmp_path / "killed").exists()
    assert same(found, build(study, here(study, tmp_path / "whole", Fake())))


@pytest.mark.long
def test_a_point_that_kills_its_worker_is_found_recorded_and_tried_again_the_next_time(tmp_path: Path) -> None:
    study, out = study_of(3, 1), tmp_path / "out"
    records = run(study, out, workers=2, work=Fake(kills=(0.04,)))
    assert [record.kind for record in records] == ["worker", "", ""]
    assert "its worker died twice" in records[0].reason
    assert all(record.done for record in here(study, out, Fake()))


def test_whoever_is_in_flight_when_a_pool_breaks_is_done_again_alone(tmp_path: Path) -> None:
    records = here(study_of(4, 2), tmp_path, Fake(), Dying(3))
    assert all(record.done for record in records)
    with pytest.raises(ComputationError, match="workers die as soon as they start"):
        here(study_of(4, 2), tmp_path / "never", Fake(), Dying(*range(100)))
    with pytest.raises(ComputationError, match="the executor is broken; what was finished is kept"):
        run(study_of(4, 2), tmp_path / "foreign", Pool(Dying(5)), work=Fake())
    assert len(points_of(tmp_path / "foreign")) >= 4


def test_memory_that_is_short_for_a_moment_says_nothing_of_a_point(tmp_path: Path) -> None:
    records = here(study_of(3, 1), tmp_path, Fake(short_of_memory_once=str(tmp_path / "short")))
    assert (tmp_path / "short").exists()
    assert all(record.done for record in records)


@pytest.mark.long
def test_an_interrupt_keeps_what_is_finished_and_ends_the_workers(tmp_path: Path) -> None:
    with sweeping(tmp_path) as process:
        assert wait_for(lambda: len(list(tmp_path.glob("points/*.json"))) > 2)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) != 0
    assert not psutil.wait_procs(workers, timeout=10)[1]
    kept = points_of(tmp_path)
    here(study_of(), tmp_path, Fake())
    assert kept.items() <= points_of(tmp_path).items()


# Failures


def test_a_point_that_fails_is_recorded_and_does_not_stop_the_others(tmp_path: Path) -> None:
    study = study_of(3, 2)
    fraction = study.points[2].values[FRACTION]
    records = here(study, tmp_path, Fake(fails=(fraction,)))
    assert [record.kind for record in records] == ["", "", "computation", "computation", "", ""]
    assert records[2].reason == f"the solver failed at {fraction}"
    # It is kept, unless asked for
    assert not here(study, tmp_path, Fake())[2].done
    assert here(study, tmp_path, Fake(), retry=True)[2].done


def test_a_damaged_point_is_computed_again(tmp_path: Path) -> None:
    study = study_of(3, 2)
    here(study, tmp_path, Fake())
    whole = points_of(tmp_path)
    victim = tmp_path / "points" / sorted(whole)[2]
    victim.write_bytes(whole[victim.name].replace(b'"agree"', b'"agre"'))
    steps: list[Step] = []
    here(study, tmp_path, Fake(), progress=steps.append)
    assert [step.finished for step in steps] == [5, 6]
    assert points_of(tmp_path) == whole


def test_a_full_disk_ends_the_sweep_in_one_sentence_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, move, room = study_of(5, 2), os.replace, iter(range(7))

    def full(*paths: Any) -> None:
        if next(room, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        move(*paths)

    with monkeypatch.context() as patched:
        patched.setattr(_store.os, "replace", full)
        with pytest.raises(ComputationError, match="no space left on device.*what was finished is kept"):
            here(study, tmp_path, Fake())
    kept = points_of(tmp_path)
    assert len(kept) == 6  # and study.json
    steps: list[Step] = []
    here(study, tmp_path, Fake(), progress=steps.append)
    assert steps[0].finished == 6
    assert kept.items() <= points_of(tmp_path).items()


# Company


@pytest.mark.long
def test_two_sweeps_in_one_folder_do_no_harm_and_share_the_work(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with sweeping(out) as one, sweeping(out) as two:
        assert (one.wait(timeout=120), two.wait(timeout=120)) == (0, 0)
    assert same(read(out), build(study_of(), here(study_of(), tmp_path / "whole", Fake())))
    assert points_of(out) == points_of(tmp_path / "whole")
    computed = (out / "log.jsonl").read_text().count("\n")
    assert computed == 100


def test_the_order_in_which_points_come_back_does_not_matter(tmp_path: Path) -> None:
    study = study_of(5, 4)
    with ThreadPoolExecutor(4) as threads:
        run(study, tmp_path / "threads", Pool(threads), work=Fake(seconds=0.005))
    here(study, tmp_path / "here", Fake())
    assert points_of(tmp_path / "threads") == points_of(tmp_path / "here")


# What is found in a folder is not trusted


class Bomb:
    """Runs code where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


def bombs(marker: Path) -> dict[str, bytes]:
    """A pickle that runs code: plain, as an earlier version kept it, in an object array, and in an archive of arrays."""
    plain, arrays, archive = pickle.dumps(Bomb(marker), protocol=5), io.BytesIO(), io.BytesIO()
    held = np.empty(1, dtype=object)
    held[0] = Bomb(marker)
    np.save(arrays, held, allow_pickle=True)
    np.savez(archive, record=held, allow_pickle=True)
    checked = b"fem-constriction prepared 1\n" + hashlib.sha256(plain).hexdigest().encode() + b"\n" + plain
    return {"plain": plain, "checked": checked, "array": arrays.getvalue(), "archive": archive.getvalue()}


def test_the_bomb_goes_off_where_it_is_unpickled(tmp_path: Path) -> None:
    pickle.loads(bombs(tmp_path / "marker")["checked"].split(b"\n", 2)[2])
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize("form", ["plain", "checked", "array", "archive"])
def test_no_code_in_a_folder_is_run(tmp_path: Path, form: str) -> None:
    """A pickle under every name that there is in a folder, or was in that of an earlier version, and beside each of them."""
    study, marker, out = study_of(3, 4), tmp_path / "marker", tmp_path / "out"
    planted = bombs(marker)[form]
    here(study, out, Fake(shared=True))
    whole = points_of(out)
    groups = [*Driver(study, Store(out, study), Fake(shared=True), None).groups, *whole, "study", "results"]
    for name in [Path(name).stem for name in groups]:
        for folder in ("groups", "points"):
            (out / folder).mkdir(exist_ok=True)
            for ending in ("pickle", "pkl", "npz", "npy", "joblib", "json"):
                (out / folder / f"{name}.{ending}").write_bytes(planted)
    for name in ("log.jsonl", "results.nc", "results.pickle", "results.zarr", "prepared.pickle"):
        (out / name).write_bytes(planted)
    with pytest.warns(UserWarning, match=r"groups: \d+ files \*.pickle of an earlier version may hold code and are not read"):
        here(study, out, Fake(shared=True))
    found = points_of(out)
    assert {name: found[name] for name in whole} == whole
    (out / "study.json").write_bytes(planted)
    with pytest.warns(UserWarning, match="not read"):
        here(study, out, Fake(shared=True))
    assert not marker.exists()


def test_a_record_of_another_shape_is_refused_in_a_sentence(tmp_path: Path) -> None:
    study = study_of(3, 1)
    records = here(study, tmp_path, Fake())
    short = replace(records[1], arrays={"impedance_real": np.ones(2)})
    with pytest.raises(InputError, match=rf"points/{study.points[1].digest}.json is not allowed: its impedance_real has the"):
        build(study, [records[0], short, records[2]])


# Groups


def test_a_group_is_prepared_once_for_all_its_points(tmp_path: Path) -> None:
    study, log = study_of(3, 4), tmp_path / "log"
    here(study, tmp_path / "out", Fake(shared=True, log=str(log)))
    assert log.read_text() == "4\n" * 3
    whole = points_of(tmp_path / "out")
    # Resumed with a point missing: its group is prepared again, of all points, so that nothing depends on the interruption
    (tmp_path / "out" / "points" / min(whole)).unlink()
    here(study, tmp_path / "out", Fake(shared=True, log=str(log)))
    assert log.read_text() == "4\n" * 4
    assert points_of(tmp_path / "out") == whole


def test_points_whose_preparation_fails_are_computed_by_themselves(tmp_path: Path) -> None:
    here(study_of(2, 2), tmp_path / "out", Fake(shared=True, broken_preparation=True))
    here(study_of(2, 2), tmp_path / "alone", Fake())
    assert points_of(tmp_path / "out") == points_of(tmp_path / "alone")


def test_equal_points_are_computed_once(tmp_path: Path) -> None:
    from validation.study import Study

    study = Study(axes={FRACTION: [0.25, 0.25, 0.5]}, mode="zip", frequencies=[1.0])
    records = here(study, tmp_path, Fake())
    assert len(records) == 3
    assert records[0] is records[1]
    assert len(points_of(tmp_path)) == 2


# Progress


def test_progress_tells_points_failures_and_the_time_left(tmp_path: Path) -> None:
    steps: list[Step] = []
    here(study_of(3, 1), tmp_path, Fake(seconds=0.01, fails=(0.04,)), progress=steps.append)
    assert [(step.finished, step.failed, step.total) for step in steps] == [(0, 0, 3), (1, 1, 3), (2, 1, 3), (3, 1, 3)]
    assert steps[0].left is None
    assert 0.02 <= steps[1].left < 2
    assert steps[-1].left == 0
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["result"] for entry in entries] == ["computation", "done", "done"]
    assert entries[0]["seconds"] >= 0.01
