"""Everything that is read when a file is read, and one digest of all of it.

A mesh or an image may be several files: an XDMF file and the HDF5 file it names, an Abaqus file and what it includes, the files
of an OME-TIFF set. What a file leads to must lie in its own folder, links followed, or it is refused: a folder that is handed
on is then whole, and a file from elsewhere reads nothing else of this machine.

One file: its SHA-256. Several: that of the lines "SHA-256, two spaces, path from the folder" of the file itself and then of the
others by their paths, which is what `sha256sum cell.xdmf cell.h5 | sha256sum` prints in that folder.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fem_constriction.errors import InputError, Written

#: All that a file leads to, directly or not, by paths as its reader opens them. Raises InputError for what is not allowed.
Leads = Callable[[Path], Iterable[Path]]

_Stamp = tuple[int, int, int, int, int]

#: Seconds during which a file may change again without its times telling: they advance in steps of the system's clock.
_STEP: Final = 2.0


@dataclass(frozen=True)
class Contents:
    """files: everything that is read, the file itself first; digest: of all of them; alone: of the file itself."""

    files: tuple[Path, ...]
    digest: str
    alone: str

    @property
    def others(self) -> str:
        """The names of what is read besides the file itself."""
        return ", ".join(path.name for path in self.files[1:])

    def mismatch(self, key: str, pinned: str, what: str) -> InputError:
        """Return what to say of a digest that is not this one; what: "mesh" or "image"."""
        if pinned == self.alone:
            why = f"it covers {self.files[0]} alone; with {self.others}, which is read too, the digest is {self.digest}"
        else:
            beside = f" with {self.others}" if self.others else ""
            why = f"{self.files[0]}{beside} has the digest {self.digest}, it is another {what}"
        return InputError(key=key, value=Written(f"'{pinned}'"), why=why)


_hashes: dict[Path, tuple[_Stamp, str]] = {}
_known: dict[tuple[Path, Leads], tuple[tuple[_Stamp, ...], Contents]] = {}


def contents(path: Path, leads: Leads) -> Contents:
    """Return what is read with a file.

    Remembered as long as no file's inode, size or times change: times of the inode change with whatever is written. Raises
    InputError, without the file's name, where it leads to what is not there, or lies elsewhere.
    """
    known = _known.get((path, leads))
    if known is not None and known[0] == _stamps(path, known[1].files):
        return known[1]
    files = _all(path, leads)
    stamps = _stamps(path, files)
    alone = _sha256(path)
    digest = alone
    if len(files) > 1:
        lines = "".join(f"{_sha256(each)}  {_from(path, each)}\n" for each in files)
        digest = hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()
    found = Contents(files, digest, alone)
    if stamps is not None and stamps == _stamps(path, files) and all(map(_settled, files)):
        while len(_known) >= 64:
            _known.pop(next(iter(_known)), None)
        _known[path, leads] = stamps, found
    return found


def _all(path: Path, leads: Leads) -> tuple[Path, ...]:
    """The file itself, then everything that it leads to, by name."""
    found = {path.resolve(): path}
    for lead in leads(path):
        found.setdefault(inside(path, lead), lead)
    return (path, *sorted((each for each in found.values() if each != path), key=lambda each: _from(path, each)))


def inside(path: Path, lead: Path) -> Path:
    """Return where a lead ends: a file in the folder of `path`, or of what that is a link to. Raises InputError for others."""
    try:
        place = lead.resolve()
        folders = (path.parent.resolve(), path.resolve().parent)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"it leads to '{lead}', which cannot be followed ({error})") from None
    if not any(place.is_relative_to(folder) for folder in folders):
        where = "" if place == lead else f", that is '{place}'"
        raise InputError(f"it leads to '{lead}'{where}, and files in its own folder are allowed, which its digest covers")
    if not place.is_file():
        raise InputError(f"it leads to '{lead}', and there is no such file")
    return place


def _from(path: Path, other: Path) -> str:
    """The path of a file as seen from the folder of another."""
    place, folders = other.resolve(), (path.resolve().parent, path.parent.resolve())
    if other == path:
        return path.name
    return min((Path(os.path.relpath(place, folder)).as_posix() for folder in folders), key=len)


def _sha256(path: Path) -> str:
    stamp = _stamp(path)
    known = _hashes.get(path)
    if known is not None and known[0] == stamp:
        return known[1]
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if stamp == _stamp(path) and _settled(path):
        while len(_hashes) >= 256:
            _hashes.pop(next(iter(_hashes)), None)
        _hashes[path] = stamp, found
    return found


def _stamps(path: Path, files: Iterable[Path]) -> tuple[_Stamp, ...] | None:
    """Of all files, and of the folder, too, where names in it decide what is read (DOLFIN's functions)."""
    try:
        return tuple(map(_stamp, (*files, path.parent) if path.suffix.lower() == ".xml" else files))
    except OSError:
        return None


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _settled(path: Path) -> bool:
    """Whether another change would show: the last one is longer ago than the clock of the file system takes for a step."""
    found = path.stat()
    return time.time() - max(found.st_ctime, found.st_mtime if os.name == "nt" else 0.0) > _STEP
