"""Random cells of some kinds, one after the other or side by side, kept as they are done, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any, Final

from fem_constriction import memory
from fem_constriction.errors import InputError
from validation.benchmarks.honesty.cells import Judged, digest, found, one
from validation.benchmarks.honesty.judging import SHARE, WIDTH, Row, summary
from validation.benchmarks.honesty.kept import Kept
from validation.benchmarks.honesty.populations import KINDS, draw

SEED: Final = 42

#: The kind of the first study, which is what is meant where none is named; and what `all` stands for.
USUAL: Final = ("mixed",)
ALL: Final = tuple(kind for kind in KINDS if kind not in USUAL)


def honesty(
    cells: int,
    seed: int = SEED,
    *,
    kinds: Sequence[str] = USUAL,
    keep: Path | None = None,
    workers: int = 1,
    judged: Judged = found,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Return every comparison and what they come to.

    cells: of each kind; keep: a file of rows, of which those that are there already are not computed again; workers: processes
    side by side. Raises InputError for less than one cell, a negative seed, an unknown kind, a file that is another's.
    """
    if cells < 1:
        raise InputError(key="cells", value=cells, allowed="at least 1")
    if seed < 0:
        raise InputError(key="seed", value=seed, allowed="a whole number of at least 0")
    chosen = kinds_named(",".join(kinds))
    kept = Kept(keep)
    # Of every kind a first cell before a second one: what is cut short has all kinds in it.
    wanted = [(kind, number, seed) for number in range(cells) for kind in chosen]
    missing = [key for key in wanted if not kept.has(key, digest(draw(*key)))]
    done = len(wanted) - len(missing)
    for row in _rows(missing, workers, judged):
        kept.add(row)
        done += 1
        if progress is not None:
            progress(done)
    rows = [kept.rows[key] for key in wanted]
    by_kind = {kind: summary([row for row in rows if row["kind"] == kind]) for kind in chosen}
    return {
        "seed": seed,
        "frequency_Hz": {kind: draw(kind, 0, seed).frequency.tolist() for kind in by_kind},
        "asked": {"share": SHARE, "width": WIDTH},
        "kinds": by_kind,
        "honest": all(each["honest"] for each in by_kind.values()),
        "cells": rows,
    }


def kinds_named(text: str) -> tuple[str, ...]:
    """Return kinds from their names with commas between, `all` for every kind but the usual one. Raises InputError."""
    found: dict[str, None] = {}
    for kind in text.split(","):
        if kind != "all" and kind not in KINDS:
            raise InputError(key="kinds", value=kind, allowed=f"{', '.join(KINDS)}, or all for {', '.join(ALL)}")
        found |= dict.fromkeys(ALL if kind == "all" else (kind,))
    return tuple(found)


def _rows(keys: Sequence[tuple[str, int, int]], workers: int, judged: Judged) -> Iterator[Row]:
    """The rows of these cells as they are done."""
    if workers == 1 or not keys:
        yield from (one(*key, judged) for key in keys)
        return
    pool = ProcessPoolExecutor(workers, initializer=memory.settle, initargs=(memory.free() // workers,))
    try:
        work = partial(one, judged=judged)
        for job in as_completed([pool.submit(work, *key) for key in keys]):
            yield job.result()
    finally:
        pool.shutdown(cancel_futures=True)
