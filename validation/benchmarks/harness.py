"""Seconds, processor seconds and peak memory; methods on ever larger grids; a benchmark as a command runs it.

One way for each thing that benchmarks have in common. `Clock` and `cost` measure, the latter memory as well; `fastest` repeats
what is short; `climb` takes a method from grid to grid until the next one would take too long or would not fit, and says which
and why; `sampled` says at which few frequencies a peer is solved, whose mean time is multiplied by all; `Benchmark` holds what
a command needs: run, tables, picture, and whether what it found is as asked.
"""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import numpy as np
import psutil
from numpy.typing import NDArray
from rich.console import RenderableType

from fem_constriction.errors import MemoryShort
from fem_constriction.pictures.picture import Picture

Row = dict[str, Any]
Record = dict[str, Any]
T = TypeVar("T")
Rung = TypeVar("Rung")

#: Frequencies at which a peer is solved: both ends of the band and its middle.
SOLVES: Final = 3

#: What is shorter than this, in processor seconds, is repeated, at most so often; the fastest counts.
SHORT, REPEATS = 1.0, 3

#: Seconds that a method may be foreseen to take on its next grid.
LIMIT: Final = 60.0


class CannotBeUsedError(Exception):
    """A method that cannot be used here: what is not installed, or cannot take the cell."""


class Clock:
    """Seconds, and seconds of the processor, since it was made."""

    def __init__(self) -> None:
        self._begin, self._worked = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> float:
        """Wall time."""
        return time.perf_counter() - self._begin

    @property
    def cpu_seconds(self) -> float:
        """Time of the processor, all threads together."""
        return time.process_time() - self._worked


@contextmanager
def cost() -> Iterator[Row]:
    """Fill in wall time, processor time and the largest increase of resident memory (seen every 5 ms) of what is inside."""
    _give_back()
    process, done = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    found: Row = {}
    watcher.start()
    clock = Clock()
    try:
        yield found
        found["seconds"], found["cpu_seconds"] = clock.seconds, clock.cpu_seconds
    finally:
        done.set()
        watcher.join()
    found["peak_bytes"] = max(peak, process.memory_info().rss) - before


def _give_back() -> None:
    """Return freed memory to the system, where the C library can: what was used before would hide what is used now."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def fastest(call: Callable[[], T], repeats: int = REPEATS) -> tuple[Row, T]:
    """Return what a call costs, the fastest of a few where it is short, and what it returns; memory is the most seen."""
    best: Row = {}
    for _ in range(repeats):
        with cost() as row:
            found = call()
        peak = max(row["peak_bytes"], best.get("peak_bytes", 0))
        if not best or row["cpu_seconds"] < best["cpu_seconds"]:
            best = row
        best["peak_bytes"] = peak
        if row["cpu_seconds"] > SHORT:
            break
    return best, found


def sampled(count: int, solves: int = SOLVES) -> NDArray[np.int64]:
    """Return at which of so many frequencies a peer is solved: both ends, and equal steps between them."""
    return np.unique(np.linspace(0, count - 1, solves).round().astype(np.int64))


def machine() -> Record:
    """Return what the seconds of a record are of."""
    return {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}


@dataclass(frozen=True)
class Climber(Generic[Rung]):
    """A method on grids of growing size, coarse to fine.

    measure: rung -> its row, with "seconds", or "spent" where more was spent than is stated; size: what seconds grow with, to
    the power of `growth`; called: the rung in words; room: why a rung would not fit, "" if it does.
    """

    measure: Callable[[Rung], Row]
    size: Callable[[Rung], float]
    growth: float
    called: Callable[[Rung], str]
    room: Callable[[Rung], str] = lambda rung: ""


def climb(climber: Climber[Rung], rungs: Sequence[Rung], limit: float) -> Iterator[Row | str]:
    """Yield the row of each rung that can be afforded; last, where one cannot, why the method ends there.

    limit: seconds that the next rung may be foreseen to take.
    """
    spent = before = 0.0
    for rung in rungs:
        where, size = climber.called(rung), climber.size(rung)
        if spent and (foreseen := spent * (size / before) ** climber.growth) > limit:
            yield f"from {where}: about {foreseen:.0f} s foreseen, more than {limit:g} s"
            return
        if reason := climber.room(rung):
            yield f"from {where}: {reason}"
            return
        try:
            row = climber.measure(rung)
        except CannotBeUsedError as error:
            yield str(error)
            return
        except (MemoryShort, MemoryError) as error:
            yield f"from {where}: {error or 'out of memory'}"
            return
        spent, before = float(row.pop("spent", row["seconds"])), size
        yield row


def exponent(sizes: Sequence[float], seconds: Sequence[float], shortest: float = 0.02) -> float | None:
    """Return the slope of log seconds over log size, of the three largest above 20 ms; None for fewer than two."""
    long = [(size, each) for size, each in zip(sizes, seconds, strict=True) if each > shortest][-3:]
    if len(long) < 2:
        return None
    x, y = np.log(np.array(long)).T
    return float(np.polyfit(x, y, 1)[0])


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A benchmark as a command runs it.

    run: -> what was measured, as JSON can hold it; tables: that in words; picture: that drawn, None if nothing is;
    passed: whether what was found is as asked (a benchmark that only measures always is); pieces: how many it has, where that
    is known: `run` then takes `progress`, which is told how many are done.
    """

    run: Callable[..., Record]
    tables: Callable[[Record], RenderableType]
    picture: Callable[[Record], Picture] | None = None
    pieces: int | None = None
    passed: Callable[[Record], bool] = lambda record: True
