"""Who computes what: several processes may work in one folder, and none begins what another one has begun.

claims/<owner>.alive: a process at work, touched every few seconds. claims/<what>.<n>: the n-th claim on a point or a group,
which names its owner; the last one counts. A claim is made by a file that must not have been there, which one process alone can
do on any file system. Whose owner is no more may be claimed anew, as n + 1: a process of this machine that does not run, or one
that has not touched its file for a while. If a process is taken for dead that is not, points are computed twice, to the same
bits.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

import psutil

from fem_constriction.errors import ComputationError
from validation.study.pool import shielded

#: Seconds between two touches, and after which an owner is taken for dead: file systems of clusters show times a minute late.
BEAT: Final = 10.0
STALE: Final = 180.0


class Claims:
    """The claims of this process in a folder; left, all of them are given up. Raises ComputationError if the disk is full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "claims"
        self.name = f"{socket.gethostname().replace('.', '-') or 'host'}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
        self._alive = self.folder / f"{self.name}.alive"
        self._held: dict[str, Path] = {}
        self._ended = threading.Event()
        self._beating = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        try:
            with shielded():
                self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        process = psutil.Process()
        record = {"host": socket.gethostname(), "process": process.pid, "started": process.create_time()}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._alive.write_text(json.dumps(record))
        except OSError as error:
            raise _unwritable(self._alive, error) from None
        self._bury()
        self._beating.start()

    def __exit__(self, *_: Any) -> None:
        self._ended.set()
        with shielded():  # whoever interrupts does so twice
            for what in list(self._held):
                self.release(what)
            with suppress(OSError):
                self._alive.unlink(missing_ok=True)
                self.folder.rmdir()  # if nobody else is there

    def take(self, what: str) -> bool:
        """Claim a point or a group; False if another process that is at work has it."""
        if what in self._held:
            return True
        claims = self._claims(what)
        number, last = claims[-1] if claims else (-1, None)
        if last is not None and self._at_work(last):
            return False
        path = self.folder / f"{what}.{number + 1}"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return False
        except OSError as error:
            raise _unwritable(path, error) from None
        self._held[what] = path
        try:
            with os.fdopen(handle, "w") as stream:
                stream.write(self.name)
        except OSError as error:
            raise _unwritable(path, error) from None
        return True

    def release(self, what: str) -> None:
        """Give up a claim, and those of the dead before it."""
        path = self._held.pop(what, None)
        if path is None:
            return
        for number, each in self._claims(what):
            if number <= int(path.suffix[1:]):
                with suppress(OSError):
                    each.unlink(missing_ok=True)

    def free(self, what: str) -> bool:
        """Whether nobody else at work has a claim."""
        claims = self._claims(what)
        return what in self._held or not claims or not self._at_work(claims[-1][1])

    def _claims(self, what: str) -> list[tuple[int, Path]]:
        found = [(path.suffix[1:], path) for path in self.folder.glob(f"{what}.*")]
        return sorted((int(number), path) for number, path in found if number.isdecimal())

    def _at_work(self, claim: Path) -> bool:
        """Whether the owner of a claim is at work; one who has not written its name yet has just begun."""
        try:
            owner = claim.read_text() or None
            age = self._now() - (claim if owner is None else self.folder / f"{owner}.alive").stat().st_mtime
            record: Any = {} if owner is None else json.loads((self.folder / f"{owner}.alive").read_text())
        except (OSError, ValueError):
            return False  # its owner has left
        return bool(age < STALE) and not _gone(record)

    def _now(self) -> float:
        """The time of the file system, which need not be that of this machine."""
        with suppress(OSError):
            os.utime(self._alive)
        return self._alive.stat().st_mtime

    def _bury(self) -> None:
        """Remove what processes left behind that are no more; their claims count for nothing then."""
        for path in self.folder.glob("*.alive"):
            with suppress(OSError, ValueError):
                if path != self._alive and (_gone(json.loads(path.read_text())) or self._now() - path.stat().st_mtime > STALE):
                    path.unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            with suppress(OSError):
                os.utime(self._alive)


def _gone(record: Any) -> bool:
    """Whether a record is of a process of this machine that does not run any more; its number may be another's by now."""
    if not isinstance(record, dict) or record.get("host") != socket.gethostname():
        return False
    try:
        return bool(abs(psutil.Process(int(record["process"])).create_time() - float(record["started"])) > 2.0)
    except (psutil.Error, KeyError, TypeError, ValueError):
        return True


def _unwritable(path: Path, error: OSError) -> ComputationError:
    return ComputationError(f"{path}: cannot be written ({(error.strerror or str(error)).lower()}); what was finished is kept")
