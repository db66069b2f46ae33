"""The terminal: what is said there and how wide, progress, interruptions, failures in one sentence, and refused options."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from fem_constriction.errors import ComputationError, ConstrictionError, InputError, cut
from fem_constriction.errors import show as shown
from fem_constriction.files import json_text, read_text

NAME = "fem-constriction"
#: Set to anything, it shows the traceback of a failure.
DEBUG = "FEM_CONSTRICTION_DEBUG"

T = TypeVar("T")
Step = Callable[[str, int], None]


class _Console(Console):
    """Nobody reading any more (`| head`) ends the output, not the command."""

    def on_broken_pipe(self) -> None:
        silence(self.file)


def console(stderr: bool = False) -> Console:
    """Standard output or error as it is now; as wide as the terminal, or 120 columns."""
    made = _Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if not made.is_terminal:
        made.width = 120
    return made


#: Limits of a number as pydantic names them.
_LIMITS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def _refused_value(error: Exception) -> str:
    """A value of the command line that pydantic refused, in the words of every other refused value; "" of other errors."""
    cause, names = error.__cause__, getattr(getattr(error, "param", None), "opts", None)
    if not isinstance(cause, ValidationError) or not names:
        return ""
    fault = cause.errors()[0]
    what = {"int": "a whole number", "float": "a number"}.get(fault["type"].partition("_")[0])
    limits = [f"{words} {value}" for key, words in _LIMITS.items() if (value := fault.get("ctx", {}).get(key)) is not None]
    return f"{names[0]} = {shown(fault['input'])} is not allowed: {what or ' and '.join(limits) or 'another value'}"


def failed(error: Exception) -> int:
    """Say in one sentence what went wrong, and return the exit status."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    if isinstance(error, ConstrictionError):
        say(str(error))
        return error.exit_status
    if hasattr(error, "format_message"):  # of click: the command line itself is wrong
        place = getattr(getattr(error, "ctx", None), "command_path", NAME)  # the command whose help tells what it takes
        say(f"{_refused_value(error) or error.format_message().rstrip('.')}; see {place} --help")
        return 2
    if isinstance(error, MemoryError):
        say("memory ran out in the middle of a computation: allowed is a coarser grid, or less accuracy")
        return ComputationError.exit_status
    say(f"failed with {type(error).__name__}: {error} ({DEBUG}=1 shows the traceback)")
    return 3


def leave(status: int) -> None:
    """After an interrupt do not wait for threads that still compute."""
    if status == 130:
        os._exit(status)


def silence(stream: Any) -> None:
    """Let what is still written to a stream go nowhere."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
    except (OSError, ValueError):
        pass


def say(text: str) -> None:
    """Say one line of less than 500 characters on standard error, in the name of the command."""
    line = cut(f"{NAME}: {' '.join(text.split())}")
    if hasattr(sys.stderr, "rich_proxied_file"):  # a bar, which makes way for what goes through it
        print(line, file=sys.stderr)
    else:
        console(stderr=True).print(line, soft_wrap=True)


def named(option: str, call: Callable[[], T]) -> T:
    """What `call` gives; a value that it refuses is called by its option: `backend` and `backends` are --backend."""
    try:
        return call()
    except InputError as error:
        name = option.strip("-").rstrip("s")
        raise (error.renamed(option) if error.key in (name, f"{name}s") else error) from None


def check_file(file: Path, what: str, *inputs: Path | None) -> None:
    """Raise InputError, before anything is computed, for a file that cannot be written, or that is read."""
    try:
        if not file.name or (file.exists() and not file.is_file()):  # a folder, a device, a pipe
            raise InputError(key="--out", value=file, allowed=f"the name of {what}")
        if file.exists() and any(each is not None and each.exists() and file.samefile(each) for each in inputs):
            raise InputError(key="--out", value=file, why="it is what is read, allowed is the name of another file")
    except (OSError, ValueError) as error:  # ValueError: a name with a zero in it
        if isinstance(error, InputError):
            raise
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise InputError(key="--out", value=file, when=f"({reason})", allowed=f"allowed is the name of {what}") from None


def check_folder(folder: Path, stems: Sequence[str]) -> None:
    """Make the folder and try to write in it, before anything is computed: InputError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:  # ValueError: a name with a zero in it
        known = isinstance(error, (FileExistsError, NotADirectoryError))
        reason = "it is not a folder" if known else (isinstance(error, OSError) and error.strerror) or error
        why = f"results cannot be written there ({reason}), a folder that can be written is"
        raise InputError(key="--out", value=folder, why=why) from None
    for stem in stems:
        sidecar = folder / f"{stem}.json"
        if sidecar.exists() and '"sha256"' not in read_text(sidecar):
            why = f"{sidecar.name} in it would be overwritten by the provenance of {stem}.csv"
            raise InputError(key="--out", value=folder, why=why)


@contextmanager
def progress(names: Sequence[str], last: str, quiet: bool, grids: int = 1) -> Iterator[Step]:
    """Show a bar per backend on stderr, a step per grid, then what comes last; yield what is to be called after each grid."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    shown = console(stderr=True)
    with Progress(*columns, console=shown, transient=True, disable=quiet or not shown.is_terminal) as bars:
        tasks = {name: bars.add_task(name, total=grids, state=f"grid 1 of {grids}") for name in names}
        if last and not names:
            bars.add_task(last, total=None, state="")

        def step(name: str, level: int) -> None:
            total = max(grids, level + 1)
            state = "done" if level + 1 == total else f"grid {level + 2} of {total}"
            bars.update(tasks[name], completed=level + 1, total=total, state=state)
            if last and all(task.finished for task in bars.tasks) and len(bars.tasks) == len(tasks):
                bars.add_task(last, total=None, state="")

        yield step


@contextmanager
def counted(name: str, total: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar over `total` equal pieces on stderr, with the time that is left; yield what takes how many are done."""
    shown = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shown, transient=True, disable=quiet or not shown.is_terminal) as bars:
        task = bars.add_task(name, total=total)
        yield lambda done: bars.update(task, completed=done)


def aside(call: Callable[[], T]) -> Callable[[], T]:
    """The same call, computed in a thread, so that an interrupt ends the wait at once."""

    def waited() -> T:
        pool = ThreadPoolExecutor(1)
        try:
            return pool.submit(call).result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    return waited


def show(record: Any, draw: Callable[[], RenderableType], as_json: bool, quiet: bool) -> None:
    """Print the record as JSON if asked for, a table otherwise, nothing if quiet."""
    if as_json:
        console().out(json_text(record))
    elif not quiet:
        console().print(draw())
