"""Run inputs of one kind in this process, one after the other, and write a line of JSON about each.

Before an input its number is written, so that whoever waits knows which one it was that never ended or ended the process.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from fem_constriction.errors import ConstrictionError
from fuzzing import planted
from fuzzing.damage import Random
from fuzzing.kinds import KINDS
from validation.cli import app as cli
from validation.show import terminal
from validation.study import pool, run

#: Address space of the process, bytes.
MEMORY = 4 * 2**30

OURS = ("fem_constriction", "network", "validation")


class _OneThread(pool.Pool):
    """In the place of processes, which take seconds to start."""

    def __init__(self, _workers: int) -> None:
        super().__init__(ThreadPoolExecutor(1), 1)


def main(kind: str, seed: int, first: int, count: int, folder: str | None) -> None:
    """Run inputs first … first + count - 1; folder: where the files of the inputs are kept."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    talk = os.fdopen(os.dup(1), "w", buffering=1)
    run.Processes = _OneThread
    made = planted.planted if kind == "planted" else KINDS[kind][0]
    with threadpool_limits(limits=1), tempfile.TemporaryDirectory() as scratch:
        for number in range(first, first + count):
            place = Path(folder or scratch) / f"{kind}-{seed}-{number}"
            place.mkdir(parents=True)
            arguments = made(Random(kind, seed, number), place)
            record = {"kind": kind, "seed": seed, "number": number, "arguments": arguments}
            print(json.dumps(record), file=talk)
            print(json.dumps(record | _run(arguments, place)), file=talk)


def _run(arguments: list[str], place: Path) -> dict[str, Any]:
    os.chdir(place)
    errors: list[str] = []
    shown: list[str] = []
    failed = terminal.failed

    def noted(error: Exception) -> int:
        typed = isinstance(error, ConstrictionError) or hasattr(error, "format_message")
        errors.append("" if typed else f"{type(error).__name__}: {error}"[:300])
        return failed(error)

    terminal.failed = noted
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / "out", Path(scratch) / "err"]
        with _written_to(paths), _noted(shown):
            try:
                status = cli.main(arguments)
            except BaseException as error:  # what leaves main is a fault by itself
                errors.append(f"left main: {type(error).__name__}: {error}"[:300])
                status = -1
        terminal.failed = failed
        out, err = (path.read_text("utf-8", "replace") for path in paths)
    return {
        "status": status,
        "untyped": [each for each in errors if each],
        "out": out[:1_000_000],
        "err": err[:20_000],
        "warnings": shown,
        "seconds": time.monotonic() - start,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


@contextmanager
def _written_to(paths: list[Path]) -> Iterator[None]:
    """Standard output and error go to files meanwhile, what compiled libraries write there as well."""
    before = os.dup(1), os.dup(2)
    for number, path in zip((1, 2), paths, strict=True):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
    sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w", encoding="utf-8", errors="replace") for number in (1, 2))
    try:
        yield
    finally:
        sys.stdout.close()
        sys.stderr.close()
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        for number, old in zip((1, 2), before, strict=True):
            os.dup2(old, number)
            os.close(old)


@contextmanager
def _noted(shown: list[str]) -> Iterator[None]:
    """Note every warning of a library that is shown: those of this project have categories of their own."""
    show = warnings._showwarnmsg

    def noted(message: warnings.WarningMessage) -> None:
        if not message.category.__module__.startswith(OURS):
            shown.append(
                f"{message.category.__name__}: {message.message} ({Path(message.filename).name}:{message.lineno})"[:300]
            )
        show(message)

    warnings._showwarnmsg = noted
    try:
        yield
    finally:
        warnings._showwarnmsg = show


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5] if len(sys.argv) > 5 else None)
