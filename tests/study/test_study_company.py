"""Several processes in one folder share the work; deaths and interrupts cost what was in flight, and are said in a sentence."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from study_fakes import CONDUCTIVITY, FRACTION, Fake, here, points_of, read, study_of, wait_for

from fem_constriction import ComputationError
from validation.study import Study
from validation.study import claims as _claims
from validation.study import driver as _driver
from validation.study.claims import Claims
from validation.study.driver import Step

TESTS = Path(__file__).parents[1] / "shared"
SWEEP = f"""
frequencies = "1:1e6:4"
[axes]
"{FRACTION}" = {{ start = 0.04, stop = 0.81, num = 4 }}
"{CONDUCTIVITY}" = [0.1, 0.2]
"""
#: A process that there is not: numbers of processes are smaller.
NOBODY = 2**22 + 1


# Claims


def test_of_many_who_claim_at_once_one_gets_it(tmp_path: Path) -> None:
    claims = [Claims(tmp_path).__enter__() for _ in range(8)]
    for round_ in range(20):
        with ThreadPoolExecutor(8) as threads:
            got = list(threads.map(lambda each: each.take(f"point{round_}"), claims))  # noqa: B023
        assert sum(got) == 1
        assert claims[got.index(True)].take(f"point{round_}")  # it has it already
    for each in claims:
        each.__exit__()
    assert not (tmp_path / "claims").exists()


def another(folder: Path, **changes: Any) -> Path:
    """The claim of another process on `point`; its file says whose."""
    (folder / "claims").mkdir(exist_ok=True)
    me = psutil.Process()
    record = {"host": socket.gethostname(), "process": me.pid, "started": me.create_time()} | changes
    alive = folder / "claims" / "other.1.aa.alive"
    alive.write_text(json.dumps(record))
    (folder / "claims" / "point.0").write_text("other.1.aa")
    return alive


@pytest.mark.parametrize(
    ("changes", "age", "free"),
    [
        ({}, 0, False),
        ({}, 2 * _claims.STALE, True),
        ({"process": NOBODY}, 0, True),
        ({"started": 1.0}, 0, True),
        ({"host": "elsewhere", "process": NOBODY}, 0, False),
        ({"host": "elsewhere", "process": NOBODY}, 2 * _claims.STALE, True),
    ],
    ids=["at work", "asleep", "dead", "another by its number", "elsewhere", "elsewhere, silent"],
)
def test_the_claim_of_a_process_that_is_no_more_is_free(tmp_path: Path, changes: dict, age: float, free: bool) -> None:
    mine = Claims(tmp_path).__enter__()
    alive = another(tmp_path, **changes)
    old = time.time() - age
    os.utime(alive, (old, old))
    assert mine.free("point") is free
    assert mine.take("point") is free
    mine.__exit__()
    assert (tmp_path / "claims" / "point.0").exists() is not free


def test_a_claim_without_a_name_is_one_that_was_just_made(tmp_path: Path) -> None:
    with Claims(tmp_path) as mine:
        (tmp_path / "claims" / "point.0").touch()
        assert not mine.take("point")
        old = time.time() - 2 * _claims.STALE
        os.utime(tmp_path / "claims" / "point.0", (old, old))
        assert mine.take("point")


def test_a_claim_that_was_given_up_is_free(tmp_path: Path) -> None:
    with Claims(tmp_path) as mine, Claims(tmp_path) as other:
        assert other.take("point")
        assert not mine.take("point")
        other.release("point")
        assert mine.take("point")


def test_an_owner_that_works_is_seen_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_claims, "BEAT", 0.01)
    with Claims(tmp_path) as mine:
        os.utime(mine._alive, (1.0, 1.0))
        assert wait_for(lambda: mine._alive.stat().st_mtime > 1e6, 5)


def test_a_folder_without_room_for_claims_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    with Claims(tmp_path) as mine:
        monkeypatch.setattr(_claims.os, "open", full)
        with pytest.raises(
            ComputationError, match=r"point.0: cannot be written \(no space left on device\); what was finished"
        ):
            mine.take("point")


# Two in one folder


@pytest.mark.parametrize("shared", [False, True])
def test_two_sweeps_in_one_folder_compute_each_point_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    monkeypatch.setattr(_driver, "_LOOK", 0.02)
    study, log, steps = study_of(5, 4), tmp_path / "log", []
    work = Fake(seconds=0.02, shared=shared, log=str(log))
    with ThreadPoolExecutor(3) as threads:
        jobs = [threads.submit(here, study, tmp_path / "out", work, progress=steps.append) for _ in range(3)]
        records = [job.result(timeout=60) for job in jobs]
    assert all(record.done for each in records for record in each)
    done = [json.loads(line)["point"] for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert len(done) == len(set(done)) == 20
    assert not shared or log.read_text() == "4\n" * 5  # and each group is prepared once
    here(study, tmp_path / "whole", Fake(shared=shared))
    assert points_of(tmp_path / "out") == points_of(tmp_path / "whole")
    assert any(step.elsewhere for step in steps)
    assert not (tmp_path / "out" / "claims").exists()


def test_a_group_with_many_points_left_is_prepared_beside_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_driver, "_LOOK", 0.02)
    monkeypatch.setattr(_driver, "_SHARED", 5)
    study = Study(frequencies=[1.0, 1e3], axes={CONDUCTIVITY: np.geomspace(0.01, 1, 30)})
    log = tmp_path / "log"
    work = Fake(seconds=0.03, shared=True, log=str(log))
    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(here, study, tmp_path / "out", work) for _ in range(2)]
        assert all(record.done for job in jobs for record in job.result(timeout=60))
    assert log.read_text() == "30\n" * 2
    done = [json.loads(line)["point"] for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert len(done) == len(set(done)) == 30


def test_a_point_that_failed_elsewhere_is_not_tried_again_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one that is tried again on request by both."""
    monkeypatch.setattr(_driver, "_LOOK", 0.02)
    study = study_of(5, 1)
    here(study, tmp_path, Fake(fails=(0.04,)))
    lines = len((tmp_path / "log.jsonl").read_text().splitlines())
    assert lines == 5
    work = Fake(seconds=0.1, fails=(0.04,))
    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(here, study, tmp_path, work, retry=True) for _ in range(2)]
        assert [[record.kind for record in job.result(timeout=60)] for job in jobs] == [["computation", "", "", "", ""]] * 2
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == lines + 1


def test_what_a_process_had_begun_that_is_no_more_is_computed(tmp_path: Path) -> None:
    study = study_of(3, 1)
    key = study.points[1].digest
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "gone.1.aa.alive").write_text(json.dumps({"host": socket.gethostname(), "process": NOBODY}))
    (tmp_path / "claims" / f"{key}.0").write_text("gone.1.aa")
    assert all(record.done for record in here(study, tmp_path, Fake()))
    assert not (tmp_path / "claims").exists()


def test_a_point_whose_grids_cannot_be_made_does_not_end_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much memory a point takes is asked before the first one is computed."""

    def memory(*_: Any) -> float:
        raise ComputationError("lines along x are too close")

    monkeypatch.setattr(Fake, "memory", memory)
    driver = _driver.Driver(study_of(2, 1), _driver.Store(tmp_path, study_of(2, 1)), Fake(), None)
    assert driver.memory() == 0


# The command, in processes of its own


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts the command in a session of its own, as a terminal would, with work that costs nothing."""
    (tmp_path / "study.toml").write_text(SWEEP)

    def start(*options: str, **work: Any) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            str(TESTS / "study_fakes.py"),
            "command",
            json.dumps(work),
            "study.toml",
            "--quiet",
            *options,
        ]
        environment = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONWARNINGS": "default::ResourceWarning"}
        return subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment,
            text=True,
            start_new_session=True,
            stdout=-1,
            stderr=-1,
            stdin=subprocess.DEVNULL,
        )

    return start


def ended(process: subprocess.Popen[str], seconds: float = 120) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, out, err


@pytest.mark.parametrize("when", ["workers start", pytest.param("points are finished", marks=pytest.mark.long)])
def test_an_interrupt_leaves_one_sentence_and_the_study_goes_on(tmp_path: Path, sweep: Any, when: str) -> None:
    """Ctrl-C reaches every process of the terminal: no library warns of what is left, nor shows where it was."""
    folder = tmp_path / "study"
    process = sweep("--workers", "2", seconds=0.2)
    sign = "claims/*.alive" if when == "workers start" else "points/*.json"
    assert wait_for(lambda: any(folder.glob(sign)), 120)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    assert ended(process) == (130, "", "fem-constriction: interrupted\n")
    assert not psutil.wait_procs(children, timeout=20)[1]
    kept = points_of(folder)
    assert bool(kept) is (when != "workers start")
    assert not (folder / "claims").exists()
    assert ended(sweep("--workers", "1")) == (0, "", "")
    assert kept.items() <= points_of(folder).items()
    assert len(points_of(folder)) == 8


@pytest.mark.long
def test_a_worker_that_is_killed_is_said_with_its_point_and_the_others_are_kept(tmp_path: Path, sweep: Any) -> None:
    status, out, err = ended(sweep("--workers", "2", kills=[0.04]))
    assert (status, out) == (3, "")
    assert err.splitlines() == [
        f"fem-constriction: 2 of 8 points failed, the first at {FRACTION} = 0.04, {CONDUCTIVITY} = 0.1: its worker died twice: "
        "the process was killed, or memory was short"
    ]
    assert read(tmp_path / "study")["status"].values.ravel().tolist() == ["failed"] * 2 + ["done"] * 6
    # It says nothing of the point: the same command tries it again
    assert ended(sweep("--workers", "1")) == (0, "", "")


@pytest.mark.long
def test_a_worker_that_dies_once_is_told(tmp_path: Path) -> None:
    """Killed from outside, or for want of memory that is there the next time: the points are tried again, one by one."""
    from validation.study.run import run

    steps: list[Step] = []
    work = Fake(kills=(0.04,), kills_once=str(tmp_path / "killed"))
    records = run(study_of(2, 1), tmp_path / "out", workers=1, work=work, progress=steps.append)
    assert all(record.done for record in records)
    (note,) = [step.note for step in steps if step.note]
    assert note.startswith("a worker died: the process was killed, or memory was short; what was in flight is tried once more")
    assert f"{FRACTION} = " in note


def test_interrupts_are_heard_after_what_must_not_be_interrupted() -> None:
    from validation.study.pool import shielded

    done = []

    def interrupted() -> None:
        with shielded():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    threading.Thread(target=lambda: shielded().__enter__()).start()  # where python allows no handlers it does nothing
