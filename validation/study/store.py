"""A study's folder: every finished point is a file in it, complete or not there, and checked when it is read.

study.json: which study this is. points/<digest>.json: a record each, with the SHA-256 of what it says. log.jsonl: when what
was computed and how long it took, for people; nothing depends on it. A file is written beside its place, flushed to the disk
and renamed, so that a kill at any moment leaves it old or new. Any number of processes may work in one folder: what two of
them write is the same.

Folders are shared and archived, so what is read from them is JSON: numbers and texts, nothing that can hold code. What the
points of a group share is not kept for that reason: solved again, it costs a resumed study at most what was in flight.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import socket
import time
import uuid
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import numpy as np
import psutil

from fem_constriction.errors import ComputationError, InputError, LeftOutWarning
from fem_constriction.files import json_text, read_text
from validation.study.plan import Study
from validation.study.work import Kind, Record

#: Seconds after which a temporary file of another machine is taken for one of a process that is no more.
STALE = 86400.0


class Store:
    """The folder of one study. Raises InputError for a folder that holds another one or cannot be written.

    fresh: this process is the first to work here.
    """

    def __init__(self, folder: str | os.PathLike[str], study: Study) -> None:
        self.folder = Path(folder)
        self.points = self.folder / "points"
        self._check(study)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.fresh = _made(self.points)
        except OSError as error:
            reason = "it is not a folder" if isinstance(error, (FileExistsError, NotADirectoryError)) else error.strerror
            raise InputError(key="out", value=folder, why=f"results cannot be written there ({reason})") from None
        for each in (self.folder, self.points):
            _sweep_up(each)
        _tell_of_pickles(self.folder / "groups")
        record = {"sweep": study.digest, "title": study.title, "points": len(study.points), "study": study.dumps()}
        replace(self.folder / "study.json", (json_text(record) + "\n").encode())

    def _check(self, study: Study) -> None:
        """Refuse a folder with another study; a garbled study.json is written anew, since every point names itself."""
        path = self.folder / "study.json"
        refused = InputError(key="out", value=self.folder)
        if not path.exists():
            if (self.folder / "results.nc").exists():
                raise refused.vary(why="results.nc in it would be overwritten, and there is no study.json beside it")
            return
        try:
            found = json.loads(read_text(path)) if path.is_file() else {}
        except (ValueError, RecursionError):
            return
        if not isinstance(found, dict) or found.get("sweep") != study.digest:
            what = "another study, or this one by another version" if isinstance(found, dict) and "sweep" in found else "none"
            why = f"{path.name} in it is of {what}"
            raise refused.vary(why=why, remedy="allowed is an empty folder or that of this study")

    def load(self, digest: str) -> Record | None:
        """Return the record of a point; None if there is none, or none that is whole."""
        path = self.points / f"{digest}.json"
        try:
            found = json.loads(path.read_bytes()) if path.is_file() else {}
            if found["point"] != digest or found["sha256"] != _sum(found["record"]):
                return None
            return _decoded(found["record"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return None

    def written(self, digest: str) -> int:
        """Return when the record of a point was written, in ns; 0 if there is none."""
        with suppress(OSError):
            return (self.points / f"{digest}.json").stat().st_mtime_ns
        return 0

    def save(self, digest: str, record: Record) -> None:
        """Write the record of a point; ComputationError if the disk is full."""
        data = _encoded(record)
        text = json.dumps({"point": digest, "sha256": _sum(data), "record": data}, indent=1, sort_keys=True, allow_nan=False)
        replace(self.points / f"{digest}.json", text.encode() + b"\n")

    def log(self, **entry: Any) -> None:
        """Note what happened; without a place for it, it is not noted."""
        now = time.strftime("%Y-%m-%dT%H:%M:%S")
        line = json.dumps({"time": now, "host": socket.gethostname(), "process": os.getpid(), **entry}) + "\n"
        with suppress(OSError), (self.folder / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(line)


def replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; on the disk when this returns. Raises ComputationError."""
    temporary = path.parent / f".{_host()}.{os.getpid()}.{uuid.uuid4().hex}.tmp"
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "; what was finished is kept, and the same command goes on when there is room" if full else ""
        raise ComputationError(f"{path}: cannot be written ({(error.strerror or str(error)).lower()}){remedy}") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Ask for a folder's names to be on the disk, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _made(folder: Path) -> bool:
    """Make a folder; whether it was this process that made it."""
    try:
        folder.mkdir()
    except FileExistsError:
        folder.mkdir(exist_ok=True)
        return False
    return True


def _sweep_up(folder: Path) -> None:
    """Remove temporary files of processes of this machine that are no more, and of any machine if a day old."""
    for path in folder.glob(".*.tmp"):
        host, _, rest = path.name[1:].partition(".")
        with suppress(OSError, ValueError):
            here = host == _host() and not psutil.pid_exists(int(rest.partition(".")[0]))
            if here or time.time() - path.stat().st_mtime > STALE:
                path.unlink(missing_ok=True)


def _tell_of_pickles(folder: Path) -> None:
    """Say that what earlier versions kept as pickles is not read: a pickle runs whatever code was put into it."""
    number = len(list(folder.glob("*.pickle")))
    if number:
        said = f"{number} file{'s' * (number > 1)} *.pickle of an earlier version"
        text = f"{folder}: {said} may hold code and are not read, what is missing is solved again"
        warnings.warn(text, LeftOutWarning, stacklevel=3)


def _host() -> str:
    return socket.gethostname().replace(".", "-") or "host"


def _sum(record: Any) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _encoded(record: Record) -> dict[str, Any]:
    """Every float exactly; those that JSON does not know as text."""
    return {
        "kind": record.kind,
        "reason": record.reason,
        "numbers": {name: _out(float(value)) for name, value in record.numbers.items()},
        "texts": dict(record.texts),
        "arrays": {name: _out(np.asarray(value, dtype=float).tolist()) for name, value in record.arrays.items()},
        "versions": dict(record.versions),
    }


def _decoded(data: Any) -> Record:
    """The record that was encoded. Raises ValueError, TypeError, KeyError or AttributeError for anything that is none."""
    if data["kind"] not in get_args(Kind):
        raise ValueError("of a kind that there is not")
    return Record(
        kind=data["kind"],
        reason=str(data["reason"]),
        numbers={name: float(value) for name, value in data["numbers"].items()},
        texts={name: str(value) for name, value in data["texts"].items()},
        arrays={name: np.array(value, dtype=float) for name, value in data["arrays"].items()},
        versions={name: str(value) for name, value in data["versions"].items()},
    )


def _out(value: Any) -> Any:
    if isinstance(value, list):
        return [_out(each) for each in value]
    return value if math.isfinite(value) else str(value)
