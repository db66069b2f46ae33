"""free = min(machine, control groups, limits of the process) / backends that run side by side: what may still be allocated.

Counts come first: whoever is about to allocate works out the bytes from numbers alone and asks `require`. An operating system
grants memory that it does not have and then ends the process, or the whole session, without a word.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from fem_constriction.errors import MemoryShort

try:
    import resource
except ImportError:  # not a Unix: the system has no such limits
    resource = None  # type: ignore[assignment]

#: Where files of the system are looked for; the tests put a tree of their own here.
ROOT = Path("/")

GIB: Final = 2.0**30

#: Shares of those who compute side by side, innermost last, in bytes. Of the process, not of a context: the threads that
#: compute are those of pools, which inherit none.
_shares: list[int] = []


def free() -> int:
    """Return how many bytes may be allocated now, by each of those who compute side by side."""
    return _least()[0]


def require(needed_bytes: float, what: str, allowed: str = "a coarser grid") -> None:
    """Raise MemoryShort, an InputError, if what is about to be allocated exceeds what is free.

    what: the subject of the sentence, "network on 400 x 400 x 400 cells"; allowed: what would help.
    """
    available, limit = _least()
    if needed_bytes > available:
        needed = min(needed_bytes, 1e300) / GIB  # whole numbers of Python may exceed every float
        raise MemoryShort(
            f"{what} would need about {needed:.3g} GiB of memory and {available / GIB:.3g} GiB are free{limit}: "
            f"allowed is {allowed}"
        )


@contextmanager
def shared(parties: int) -> Iterator[None]:
    """Meanwhile each of `parties` threads of this process may take its part of what is free now."""
    share = free() // max(1, parties)
    _shares.append(share)
    try:
        yield
    finally:
        _shares.remove(share)


def settle(share: int) -> None:
    """From now on this process may take `share` bytes, and never more than is free: a worker among others."""
    _shares.append(share)


def _least() -> tuple[int, str]:
    """What is free, and which limit says so, as an aside: nothing for the machine's own memory."""
    found = [(int(psutil.virtual_memory().available), "")]
    found += [(left, " within its control group") for left in _control_groups()]
    found += [(left, f" within {name}") for name, left in _process_limits()]
    found += [(share, " for each of those that run side by side") for share in _shares]
    least, limit = min(found, key=lambda each: each[0])
    return max(0, least), limit


# Limits of the process


def _process_limits() -> Iterator[tuple[str, int]]:
    if resource is None:
        return
    for name, used in (("RLIMIT_AS", _address_space), ("RLIMIT_DATA", _data)):
        soft = resource.getrlimit(getattr(resource, name))[0]
        if soft != resource.RLIM_INFINITY:
            yield name, soft - used()


def _address_space() -> int:
    return int(psutil.Process().memory_info().vms)


def _data() -> int:
    """Private writable memory, which Linux counts against RLIMIT_DATA; elsewhere all of it, to be on the safe side."""
    with suppress(OSError, ValueError, IndexError):
        for line in (ROOT / "proc/self/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return 1024 * int(line.split()[1])
    return _address_space()


# Control groups of Linux, versions 1 and 2

#: Files of a group, by the type of its file system: limit, what it uses, and the part of its `memory.stat` that it could drop.
_FILES: Final = {
    "cgroup2": ("memory.max", "memory.current", "inactive_file"),
    "cgroup": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def _control_groups() -> Iterator[int]:
    """What is left in every group that the process is in, up to the topmost that can be seen."""
    with suppress(OSError, ValueError):
        paths = _paths()
        for line in (ROOT / "proc/self/mountinfo").read_text().splitlines():
            before, _, after = line.partition(" - ")
            kind, _, options = after.split(" ", 2)
            if kind not in paths or (kind == "cgroup" and "memory" not in options.split(",")):
                continue
            top, mount = before.split(" ")[3:5]
            yield from _upwards(ROOT / mount.lstrip("/"), _below(paths[kind], top), _FILES[kind])


def _paths() -> dict[str, str]:
    """The process' group in each version's tree that counts memory: file system -> path."""
    found = {}
    for line in (ROOT / "proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            found["cgroup2"] = path
        elif "memory" in controllers.split(","):
            found["cgroup"] = path
    return found


def _below(path: str, top: str) -> str:
    """A group's path below the one that is mounted: in a container that is often the group itself."""
    relative = os.path.relpath(path, top) if path.startswith("/") else "."
    return "." if relative.startswith("..") else relative


def _upwards(mount: Path, path: str, files: tuple[str, str, str]) -> Iterator[int]:
    group = mount / path
    while True:
        if (left := _left(group, files)) is not None:
            yield left
        if group == mount:
            return
        group = group.parent


def _left(group: Path, files: tuple[str, str, str]) -> int | None:
    limit, usage, droppable = files
    with suppress(OSError, ValueError):  # no limit ("max"), or a topmost group, which has no such files
        left = int((group / limit).read_text()) - int((group / usage).read_text())
        for line in (group / "memory.stat").read_text().splitlines():
            name, _, value = line.partition(" ")
            left += int(value) if name == droppable else 0
        return left
    return None
