"""A study's folder: what is in it is whole, of this study, and survives whatever happens to those who write it."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from study_fakes import FRACTION

from fem_constriction import ComputationError, InputError
from validation.study import Study
from validation.study import store as _store
from validation.study.store import Store
from validation.study.work import Record

RECORD = Record(
    reason="because µ",
    numbers={"resistance_dc": np.inf, "R_Cstr": 0.1 + 0.2},
    texts={"verdict": "agree"},
    arrays={"impedance_real": np.array([1 / 3, np.nan, -np.inf]), "backend_impedance_real": np.array([[1e-300, 2.0]])},
    versions={"numpy": "2"},
)
NAME = "0" * 64


@pytest.fixture
def study() -> Study:
    return Study(axes={FRACTION: [0.04, 0.25]})


def test_a_record_comes_back_to_the_last_bit(tmp_path: Path, study: Study) -> None:
    Store(tmp_path, study).save(NAME, RECORD)
    found = Store(tmp_path, study).load(NAME)
    assert found is not None
    assert (found.kind, found.reason, found.numbers, found.texts, found.versions) == (
        RECORD.kind,
        RECORD.reason,
        RECORD.numbers,
        RECORD.texts,
        RECORD.versions,
    )
    for name, array in RECORD.arrays.items():
        assert found.arrays[name].tobytes() == array.tobytes()
    assert json.loads((tmp_path / "points" / f"{NAME}.json").read_text(), parse_constant=pytest.fail)


def test_no_cut_and_no_changed_byte_of_a_point_goes_unseen(tmp_path: Path, study: Study) -> None:
    store = Store(tmp_path, study)
    store.save(NAME, RECORD)
    path = tmp_path / "points" / f"{NAME}.json"
    whole = path.read_bytes()
    for length in range(0, len(whole.rstrip()), 7):
        path.write_bytes(whole[:length])
        assert store.load(NAME) is None
    for place in range(0, len(whole), 3):
        if chr(whole[place]).isdigit():
            path.write_bytes(whole[:place] + (b"1" if whole[place : place + 1] != b"1" else b"2") + whole[place + 1 :])
            assert store.load(NAME) is None, place
    for wrong in (b"", b"null", b"[]", b"\xff", b"{}", b'{"point": "' + NAME.encode() + b'"}', b"[" * 100_000):
        path.write_bytes(wrong)
        assert store.load(NAME) is None


def test_a_point_under_another_name_is_not_taken(tmp_path: Path, study: Study) -> None:
    store = Store(tmp_path, study)
    store.save(NAME, RECORD)
    os.rename(tmp_path / "points" / f"{NAME}.json", tmp_path / "points" / f"{'1' * 64}.json")
    assert store.load("1" * 64) is None


def test_a_record_with_a_checksum_of_its_own_is_taken_only_if_it_is_one(tmp_path: Path, study: Study) -> None:
    """Whoever can write a point can write its checksum too: what it says must still be numbers and texts."""
    store = Store(tmp_path, study)
    whole = _store._encoded(RECORD)
    for wrong in (
        {"kind": "strange"},
        {"kind": ["worker"]},
        {"numbers": [1.0]},
        {"numbers": {"R": "a lot"}},
        {"numbers": {"R": 10**400}},
        {"texts": "agree"},
        {"arrays": {"z": [[1.0], [1.0, 2.0]]}},
        {"arrays": {"z": {"real": 1.0}}},
        {"versions": None},
        {"reason": None, "kind": None},
    ):
        record = whole | wrong
        text = json.dumps({"point": NAME, "sha256": _store._sum(record), "record": record})
        (tmp_path / "points" / f"{NAME}.json").write_text(text)
        assert store.load(NAME) is None, wrong
    (tmp_path / "points" / f"{NAME}.json").unlink()
    os.mkfifo(tmp_path / "points" / f"{NAME}.json")
    assert store.load(NAME) is None  # and does not wait for somebody to write into it


def test_the_folder_of_another_study_is_refused(tmp_path: Path, study: Study) -> None:
    Store(tmp_path, study)
    Store(tmp_path, Study(axes={FRACTION: [0.04, 0.25]}, title="the same by another name"))
    with pytest.raises(InputError, match=r"out = .* is not allowed: study.json in it is of another study"):
        Store(tmp_path, Study(axes={FRACTION: [0.04, 0.26]}))
    (tmp_path / "study.json").write_text('{"name": "somebody else\'s"}')
    with pytest.raises(InputError, match=r"study.json in it is of none"):
        Store(tmp_path, study)


def test_a_garbled_study_file_is_written_anew(tmp_path: Path, study: Study) -> None:
    Store(tmp_path, study).save(NAME, RECORD)
    (tmp_path / "study.json").write_text("[" * 100_000)
    Store(tmp_path, study)
    (tmp_path / "study.json").write_text('{"swe')
    assert Store(tmp_path, study).load(NAME) is not None
    assert json.loads((tmp_path / "study.json").read_text())["sweep"] == study.digest


def test_somebodys_results_and_places_that_are_no_folders_are_left_alone(tmp_path: Path, study: Study) -> None:
    (tmp_path / "results.nc").touch()
    with pytest.raises(InputError, match=r"results.nc in it would be overwritten"):
        Store(tmp_path, study)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="it is not a folder|not a directory"):
        Store(tmp_path / "file", study)


def test_left_overs_of_the_dead_are_removed_and_those_of_the_living_are_not(tmp_path: Path, study: Study) -> None:
    store = Store(tmp_path, study)
    host, dead = _store._host(), 2**22 + 1
    names = {
        f".{host}.{dead}.aa.tmp": False,
        f".{host}.{os.getpid()}.bb.tmp": True,
        f".elsewhere.{dead}.cc.tmp": True,
        f".elsewhere.{os.getpid()}.dd.tmp": False,
    }
    for name in names:
        (store.points / name).touch()
    old = time.time() - 2 * _store.STALE
    os.utime(store.points / f".elsewhere.{os.getpid()}.dd.tmp", (old, old))
    Store(tmp_path, study)
    assert {name: (store.points / name).exists() for name in names} == names


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_full_disk_is_said_and_what_was_there_stays(
    tmp_path: Path, study: Study, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store = Store(tmp_path, study)
    store.save(NAME, RECORD)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(_store.os, call, full)
        with pytest.raises(
            ComputationError, match=r"no space left on device\); what was finished is kept, and the same command"
        ):
            store.save(NAME, Record(reason="new"))
    found = store.load(NAME)
    assert found is not None
    assert found.reason == RECORD.reason
    assert [path.name for path in store.points.iterdir()] == [f"{NAME}.json"]
