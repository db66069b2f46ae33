"""Seconds, processor seconds and peak memory of whatever is inside a `with`."""

from __future__ import annotations

import ctypes
import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil


@contextmanager
def cost() -> Iterator[dict[str, Any]]:
    """Fill in wall time, processor time and the largest increase of resident memory (seen every 5 ms) of what is inside."""
    _give_back()
    process, done = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    found: dict[str, Any] = {}
    watcher.start()
    begin, worked = time.perf_counter(), time.process_time()
    try:
        yield found
        found["seconds"], found["cpu_seconds"] = time.perf_counter() - begin, time.process_time() - worked
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
