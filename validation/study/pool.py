"""Where the work is done: processes of this machine, a Dask cluster, the ranks of an MPI job, or any executor one is handed.

Processes of this machine read a pipe that only the driver holds open: when it is closed, or the driver dies in whatever
way, they end at once. An interrupt from the keyboard is the driver's to handle.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

from fem_constriction import chatter, memory
from fem_constriction.errors import InputError

#: Jobs handed over at once: more than there are workers, so that none waits for the driver.
AHEAD: Final = 2
#: The same, for an executor that does not say how many workers it has.
UNKNOWN: Final = 64
#: How long to wait for a Dask scheduler to answer.
PATIENCE: Final = "20s"
#: What a process takes before it computes anything, bytes: measured 180 to 220 MiB.
BYTES_PER_WORKER: Final = 200 * 2**20
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Pool:
    """An executor, how many jobs it is handed at once, and whether it can be had anew when a worker died."""

    def __init__(self, executor: Executor, workers: int | None = None) -> None:
        self._executor = executor
        known = workers or getattr(executor, "_max_workers", None) or getattr(executor, "num_workers", None)
        self.limit = AHEAD * known if isinstance(known, int) and known > 0 else UNKNOWN

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand over a job."""
        return self._executor.submit(call, *arguments)

    def renew(self) -> bool:
        """Start anew after a worker died; False if the executor is somebody else's."""
        return False

    def stop(self) -> None:
        """End without waiting for what still runs."""


class Processes(Pool):
    """Processes of this machine, one point each at a time, dense algebra in one thread."""

    def __init__(self, workers: int) -> None:
        memory.require(BYTES_PER_WORKER * workers, f"{workers} processes", "fewer workers")
        self._workers = workers
        self._children: list[BaseProcess] = []
        self._start()
        super().__init__(self._executor, workers)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        reader, self._alive = context.Pipe(duplex=False)
        begin = (reader, memory.free() // self._workers)
        self._executor: Executor = ProcessPoolExecutor(self._workers, context, initializer=_attend, initargs=begin)

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand over a job; processes are started with the first one, and hear no interrupt from the first moment."""
        with shielded():
            before = multiprocessing.active_children()
            future = super().submit(call, *arguments)
            self._children += [each for each in multiprocessing.active_children() if each not in before]
        return future

    def renew(self) -> bool:
        """End these processes and start others."""
        self.stop()
        self._start()
        return True

    def stop(self) -> None:
        """End at once: whatever still runs is of no use any more.

        Waiting for the processes and dropping the executor frees its semaphores, which would else be reported as leaked.
        """
        with shielded():
            self._alive.close()
            for child in self._children:
                child.terminate()
            self._children.clear()
            executor = vars(self).pop("_executor", None)
            if executor is not None:  # else it is stopped already
                executor.shutdown(wait=True, cancel_futures=True)
            del executor
            gc.collect()


def _attend(alive: Connection, share: int) -> None:
    """In a worker: leave when the driver has gone, leave interrupts to it, and take no more memory than its share in bytes."""
    memory.settle(share)
    chatter.silence()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        with suppress(EOFError, OSError):
            alive.recv_bytes()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def shielded() -> Iterator[None]:
    """An interrupt from the keyboard is heard afterwards, and never by processes that are started meanwhile."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    heard: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *arguments: heard.append(arguments))
    resource_tracker.ensure_running()  # before: as it starts it gives signals free again
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
        if heard and callable(before):
            before(*heard[0])


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes started meanwhile find in their environment that dense algebra has one thread."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def usable(needed: float, points: int) -> int:
    """Return how many processes to use: processors this process may have, memory they need, points there are."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    room = int(memory.free() // max(needed, BYTES_PER_WORKER))
    return max(1, min(processors, room, points))


@contextmanager
def chosen(scheduler: str | None) -> Iterator[Pool | None]:
    """The pool of --scheduler: an address of Dask's, "mpi", or None for processes of this machine.

    Started under `python -m mpi4py.futures` with two ranks or more, None stands for MPI as well. Raises InputError.
    """
    if scheduler == "mpi" or (scheduler is None and _under_mpi()):
        with _mpi() as pool:
            yield pool
    elif scheduler is not None:
        with _dask(scheduler) as pool:
            yield pool
    else:
        yield None


def _under_mpi() -> bool:
    """Whether `python -m mpi4py.futures` started this program: nothing in it imports that by itself."""
    if "mpi4py.futures" not in sys.modules:
        return False
    from mpi4py import MPI

    return bool(MPI.COMM_WORLD.Get_size() > 1)


@contextmanager
def _mpi() -> Iterator[Pool]:
    if not _under_mpi():  # asked first: mpi4py without a library that it can load is no ImportError but a RuntimeError
        raise InputError(
            key="--scheduler",
            value="mpi",
            when="here",
            allowed="start with mpiexec -n N python -m mpi4py.futures -m validation sweep …, N from 2",
            remedy="fem-constriction[mpi] and an MPI library have to be installed",
        )
    from mpi4py.futures import MPIPoolExecutor

    with MPIPoolExecutor() as executor:
        yield Pool(executor)


@contextmanager
def _dask(address: str) -> Iterator[Pool]:
    try:
        from dask.distributed import Client
    except ImportError as error:
        raise InputError(key="--scheduler", value=address, allowed=f"install fem-constriction[dask] ({error})") from None
    try:
        client: Any = Client(  # type: ignore[no-untyped-call]
            address, timeout=PATIENCE
        )
    except (OSError, ValueError, TypeError) as error:
        allowed = "the address of a Dask scheduler such as tcp://127.0.0.1:8786, or mpi"
        raise InputError(key="--scheduler", value=address, allowed=f"{allowed} ({error})") from None
    with client:
        yield Pool(client.get_executor(pure=False), sum(client.nthreads().values()) or None)
