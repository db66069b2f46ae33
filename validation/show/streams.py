"""Standard output and error that may be closed, full, or no longer read: what cannot be shown ends no command.

Results are files; what is printed is a courtesy. Output that is lost is said once on standard error, and the exit status is 3
where it would have been 0. A reader that has seen enough (`| head`) has lost nothing.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any


class Shown(io.TextIOBase):
    """A text stream that goes on when it cannot be written to. lost: why, "" if all was written or nobody reads any more."""

    def __init__(self, stream: IO[str] | None) -> None:
        self.stream, self.lost = stream, ""
        self.ended = False

    def write(self, text: str) -> int:
        """Write the text, if that is possible. Raises TypeError for bytes, by which callers know a stream of text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text and not self.ended:
            self._try(lambda: self._there().write(text))
        return len(text)

    def flush(self) -> None:
        """Write what is held back."""
        if self.stream is not None and not self.ended:
            self._try(self.stream.flush)

    def isatty(self) -> bool:
        """Whether a terminal shows it."""
        return self.stream is not None and self.stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor, from which the width of a terminal is known."""
        if self.stream is None:
            raise io.UnsupportedOperation("the stream is closed")
        return self.stream.fileno()

    def writable(self) -> bool:
        """Always: what cannot be written is lost."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the stream."""
        return str(getattr(self.stream, "encoding", None) or "utf-8")

    @property
    def errors(self) -> str:  # type: ignore[override]
        """What takes the place of characters that the stream does not know."""
        return "replace"

    @property
    def buffer(self) -> Any:
        """The bytes beneath, where there are any."""
        return io.BytesIO() if self.stream is None else getattr(self.stream, "buffer", io.BytesIO())

    def _there(self) -> IO[str]:
        if self.stream is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self.stream

    def _try(self, call: Any) -> None:
        try:
            call()
        except BrokenPipeError:
            self._end()
        except (OSError, ValueError) as error:  # ValueError: the file object was closed
            self.lost = (isinstance(error, OSError) and error.strerror) or str(error)
            self._end()

    def _end(self) -> None:
        """Let what is still held back go nowhere, also when the interpreter ends."""
        self.ended = True
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
        except (OSError, ValueError):
            pass


@contextmanager
def held() -> Iterator[Shown]:
    """Put such streams in the place of standard output and error; yield that of the output."""
    for descriptor in (0, 1, 2):  # a closed one would be given to the next file that is opened, and be printed into
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    before = sys.stdout, sys.stderr
    for stream in before:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    output = Shown(before[0])
    sys.stdout, sys.stderr = output, Shown(before[1])
    try:
        yield output
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before
