"""Drive a study: what is missing is handed to workers, what comes back is on the disk at once, and the rest goes on.

A group's preparation goes first, then its points. A worker that dies takes the jobs in flight with it: they are tried once
more, one at a time, so that the one that kills its worker is found; it is recorded, and tried again the next time. What another
process in the folder has begun is left to it, and taken from the disk when it is there.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from fem_constriction.errors import ComputationError, ConstrictionError
from validation.study import work as _work
from validation.study.claims import Claims
from validation.study.plan import Study
from validation.study.points import Point, digest, text_of
from validation.study.pool import Pool
from validation.study.store import Store
from validation.study.work import PASSING, Record, Work

#: Points whose memory is estimated before processes are started.
_SAMPLE: Final = 16
#: Pools that may break before a single job has come back.
_DEATHS: Final = 3
#: Seconds between two looks at what other processes are computing.
_LOOK: Final = 0.5
#: Points left of a group from which on it is prepared here as well: a preparation costs as much as some 65 points.
_SHARED: Final = 150


@dataclass(frozen=True, eq=False)
class Step:
    """How far a study is: a point that was just finished (None at the start, and when a group is prepared), and all that are.

    finished, failed, total: points, those found on the disk among them; preparing: groups whose grids are being solved; left:
    seconds, None if not known yet; elsewhere: points that wait for another process in the folder; note: what else happened, a
    sentence.
    """

    point: Point | None
    record: Record | None
    finished: int
    failed: int
    total: int
    preparing: int
    left: float | None
    elsewhere: int = 0
    note: str = ""


Progress = Callable[[Step], None]


@dataclass(frozen=True, eq=False)
class _Job:
    """A point to evaluate with what its group shares, or (point None) a group to prepare, `beside` another process."""

    group: str | None
    point: Point | None = None
    prepared: bytes | None = None
    again: bool = False
    beside: bool = False


class Driver:
    """A study under way: what is known of its points, what is in flight, and what is to be done."""

    def __init__(self, study: Study, store: Store, work: Work, progress: Progress | None) -> None:
        self.store, self.work, self.progress = store, work, progress
        self.claims = Claims(store.folder)
        self.before: dict[str, int] = {}
        self.elsewhere: dict[str, _Job] = {}
        self.lost: list[Point] = []
        self.points = {point.digest: point for point in study.points}
        self.records: dict[str, Record] = {}
        self.groups = _groups(study, work)
        self.group_of = {point.digest: name for name, points in self.groups.items() for point in points}
        self.ready: deque[_Job] = deque()
        self.suspects: deque[_Job] = deque()
        self.flying: dict[Future[Any], _Job] = {}
        self.computed, self.failed, self.start = 0, 0, time.monotonic()
        self.deaths, self.returned = 0, False

    @property
    def missing(self) -> list[Point]:
        """Points without a record."""
        return [point for key, point in self.points.items() if key not in self.records]

    def look(self, retry: bool) -> None:
        """Take what is on the disk, but for failures that say nothing of the point, or all if they are to be tried again."""
        for key in self.points:
            record = self.store.load(key)
            if record is not None and (record.done or not (retry or record.kind in PASSING)):
                self.records[key] = record
                self.failed += not record.done
            else:
                self.before[key] = self.store.written(key)
        self._tell(None, None)

    def memory(self) -> float:
        """Return what the largest of some of the missing points is estimated to take, in bytes.

        A point whose grids cannot be made says so when it is computed.
        """
        missing, found = self.missing, [0.0]
        for point in missing[:: max(1, len(missing) // _SAMPLE)]:
            with suppress(ConstrictionError):
                found.append(self.work.memory(point.cell, point.settings))
        return max(found)

    def drive(self, pool: Pool) -> None:
        """Compute and store what is missing."""
        self.start = time.monotonic()
        waiting = self._jobs()
        with self.claims:
            try:
                while self._hand_over(pool, waiting) or self._wait_for_others():
                    done, _ = wait(self.flying, return_when=FIRST_COMPLETED)
                    broken = [self._take(self.flying.pop(future), future) for future in list(self.flying) if future in done]
                    if any(broken):
                        self._rescue(pool)
            finally:
                for future in self.flying:
                    future.cancel()

    def _jobs(self) -> Iterator[_Job]:
        """What is to do, by group; in an order of its own where others may be at work already."""
        by_group: dict[str, list[Point]] = {}
        for point in self.missing:
            by_group.setdefault(self.group_of.get(point.digest, point.digest), []).append(point)
        names = list(by_group)
        if not self.store.fresh:
            random.shuffle(names)
        for name in names:
            if name not in self.groups:
                yield from (_Job(None, point) for point in by_group[name])
            else:
                yield _Job(name)

    def _hand_over(self, pool: Pool, waiting: Iterator[_Job]) -> bool:
        """Keep the workers busy, a suspect alone with its worker; False if nothing is left to wait for."""
        alone = any(job.again for job in self.flying.values())
        while not alone and len(self.flying) < (1 if self.suspects else pool.limit):
            queue = self.suspects or self.ready
            job = queue.popleft() if queue else next(waiting, None)
            if job is None:
                break
            if not self._mine(job):
                continue
            try:
                self.flying[self._submit(pool, job)] = job
                alone = job.again
                if job.point is None:
                    self._tell(None, None)
            except BrokenExecutor:
                queue.appendleft(job)
                self._rescue(pool)
        return bool(self.flying)

    def _submit(self, pool: Pool, job: _Job) -> Future[Any]:
        if job.point is None:
            points = sorted(self.groups[job.group or ""], key=lambda point: point.digest)
            cells = list(dict.fromkeys(point.cell for point in points))
            return pool.submit(_work.prepare, self.work, cells, points[0].settings)
        return pool.submit(_work.evaluate, self.work, job.point.cell, job.point.settings, job.prepared)

    def _mine(self, job: _Job) -> bool:
        """Claim a job; False if it is done, or another process is at it, to which it is left for now."""
        name = job.group or "" if job.point is None else job.point.digest
        if job.point is not None and self._found(job.point):
            return False
        if not job.beside and not self.claims.take(name):
            self.elsewhere[name] = job
            return False
        if job.point is not None and self._found(job.point):  # finished between the look and the claim
            self.claims.release(name)
            return False
        return True

    def _found(self, point: Point) -> bool:
        """Whether another process has finished the point meanwhile, or has failed at it."""
        if point.digest in self.records:
            return True
        record = self.store.load(point.digest)
        if record is None or not (record.done or self.store.written(point.digest) != self.before.get(point.digest)):
            return False
        self._finish(point, record)
        return True

    def _wait_for_others(self) -> bool:
        """Look at what other processes are at, from time to time, until it is done or has become free; False if nothing is."""
        told = False
        while self.elsewhere and not (self.ready or self.suspects):
            for name, job in list(self.elsewhere.items()):
                points = [job.point] if job.point is not None else self.groups[name]
                left = [point for point in points if not self._found(point)]
                if not left:
                    del self.elsewhere[name]
                elif self.claims.free(name):
                    self.ready.append(self.elsewhere.pop(name))
                elif job.point is None and len(left) >= _SHARED:
                    self.ready.append(replace(self.elsewhere.pop(name), beside=True))
            if self.elsewhere and not self.ready:
                if not told:
                    self._tell(None, None)
                told = True
                time.sleep(_LOOK)
        return bool(self.ready)

    def _take(self, job: _Job, future: Future[Any]) -> bool:
        """Store what came back; True if the worker died."""
        try:
            result = future.result()
        except (BrokenExecutor, CancelledError) as error:
            self._lost(job, error)
            return True
        except Exception as error:  # of the executor: what workers do raises nothing
            self._lost(job, error)
            return False
        self.returned = True
        if job.point is None:
            group = job.group or ""
            todo = [point for point in self.groups[group] if point.digest not in self.records]
            self.ready.extend(_Job(group if result is not None else None, point, result) for point in todo)
            return False
        record, seconds = result
        if record.kind in PASSING and not job.again:
            self.suspects.append(replace(job, again=True))
        else:
            self._keep(job.point, record, seconds)
        return False

    def _lost(self, job: _Job, error: BaseException) -> None:
        """Try a job once more whose worker died; then record it, and leave it to the next time."""
        if not job.again:
            self.suspects.append(replace(job, again=True))
            return
        died = isinstance(error, (BrokenExecutor, CancelledError))
        reason = "its worker died twice: the process was killed, or memory was short"
        if not died:
            reason = f"its executor failed twice ({type(error).__name__}: {error})"
        points = [job.point] if job.point is not None else self.groups[job.group or ""]
        for point in points:
            if point.digest not in self.records:
                self.lost.append(point)
                self._keep(point, Record("worker", reason))

    def _rescue(self, pool: Pool) -> None:
        """Take the jobs of a broken pool back and start another."""
        jobs = list(self.flying.values())
        self.flying.clear()
        for job in jobs:
            self._lost(job, BrokenExecutor("a worker process ended abruptly"))
        self._tell(None, None, self._death())
        self.lost.clear()
        self.deaths += 1
        if self.deaths > _DEATHS and not self.returned:
            raise ComputationError(
                'workers die as soon as they start; in a script, keep the call under: if __name__ == "__main__"'
            )
        if not pool.renew():
            raise ComputationError("the executor is broken; what was finished is kept, and the same call goes on with another")

    def _death(self) -> str:
        """Say that a worker died, and which points are recorded as failed for it, or tried once more."""
        tried = [point for job in self.suspects for point in ([job.point] if job.point else self.groups[job.group or ""])]
        points = self.lost or tried
        what = "recorded as failed" if self.lost else "what was in flight is tried once more, one at a time"
        more = f" and {len(points) - 1} more" if len(points) > 1 else ""
        where = f"; {what}: {text_of(points[0].values)}{more}" if points else ""
        return f"a worker died{' again' if self.lost else ''}: the process was killed, or memory was short{where}"

    def _keep(self, point: Point, record: Record, seconds: float | None = None) -> None:
        self.store.save(point.digest, record)
        self.computed += 1
        self.store.log(point=point.digest, result=record.kind or "done", seconds=seconds)
        self.claims.release(point.digest)
        self._finish(point, record)

    def _finish(self, point: Point, record: Record) -> None:
        self.records[point.digest] = record
        self.failed += not record.done
        group = self.group_of.get(point.digest)
        if group is not None and all(each.digest in self.records for each in self.groups[group]):
            self.claims.release(group)
        self._tell(point, record)

    def _tell(self, point: Point | None, record: Record | None, note: str = "") -> None:
        if self.progress is None:
            return
        finished, total = len(self.records), len(self.points)
        preparing = sum(job.point is None for job in self.flying.values())
        spent = time.monotonic() - self.start
        left = spent / self.computed * (total - finished) if self.computed else None
        elsewhere = sum(1 if job.point else len(self.groups[name]) for name, job in self.elsewhere.items())
        self.progress(Step(point, record, finished, self.failed, total, preparing, left, elsewhere, note))


def _groups(study: Study, work: Work) -> dict[str, list[Point]]:
    """Return the points that share a preparation, by a digest of all that goes into it: every point of the group."""
    found: dict[str, list[Point]] = {}
    for point in {point.digest: point for point in study.points}.values():
        shared = work.group(point.cell, point.settings)
        if shared is not None:
            found.setdefault(digest([shared, *_without_tolerance(point)]), []).append(point)
    several = {name: points for name, points in found.items() if len(points) > 1}
    return {digest([name, *sorted(point.digest for point in points)]): points for name, points in several.items()}


def _without_tolerance(point: Point) -> tuple[Any, ...]:
    """What of the settings the preparation depends on."""
    return (point.settings.frequencies, point.settings.backends, point.settings.accuracy)
