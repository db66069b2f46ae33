"""meshio's readers on files that are cut off, damaged or packed: none searches without end, or fills the memory.

They look for the end of a block until they find it, also where the file has ended before, and unpack whatever they are given.
So they are handed files that say so when they are read beyond their end time and again, and libraries that count first.
"""

from __future__ import annotations

import builtins
import importlib
import io
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from fem_constriction import memory

#: How often nothing is read at the end of a file before it is taken for an endless search: readers ask twice or so.
_PATIENCE: Final = 100
#: Bytes of a piece that is unpacked to be counted.
_PIECE: Final = 1 << 20


class _Ending:
    """A file that is not read beyond its end without end."""

    _beyond = 0

    def _seen(self, piece: Any) -> Any:
        self._beyond = 0 if piece else self._beyond + 1
        if self._beyond > _PATIENCE:
            raise EOFError("it ends before its last block does")
        return piece


class _Binary(_Ending, io.BufferedReader):
    def readline(self, size: int | None = -1, /) -> bytes:
        return bytes(self._seen(super().readline(size)))

    def read(self, size: int | None = -1, /) -> bytes:
        return bytes(self._seen(super().read(size)))


class _Text(_Ending, io.TextIOWrapper):
    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        return str(self._seen(super().readline(size)))

    def read(self, size: int | None = -1, /) -> str:
        return str(self._seen(super().read(size)))


def ending(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
    """Open a file as `open` does; one to be read is not read beyond its end without end."""
    if mode not in ("r", "rt", "rb") or arguments or not isinstance(file, (str, Path)):
        return builtins.open(file, mode, *arguments, **options)
    binary = _Binary(io.FileIO(file))
    return binary if mode == "rb" else _Text(binary, **options)


class Counted:
    """zlib or lzma, counting what data unpack to before they do: a thousandth of it is what a file may have."""

    def __init__(self, library: ModuleType | Any) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def decompress(self, data: bytes) -> bytes:
        """Return the data unpacked; MemoryShort if they would not fit."""
        memory.require(3.0 * self.unpacked(data), "what the file unpacks to", "a smaller file")
        return bytes(self._library.decompress(data))

    def unpacked(self, data: bytes) -> int:
        """Return how many bytes the data unpack to, at least as far as they could fit."""
        size, most = 0, memory.free()
        if hasattr(self._library, "decompressobj"):
            opened = self._library.decompressobj()
            while data and not opened.eof and size <= most:
                size += len(opened.decompress(data, _PIECE))
                data = opened.unconsumed_tail
            return size
        opened = self._library.LZMADecompressor()
        while not opened.eof and size <= most:
            piece = opened.decompress(data, _PIECE)
            data = b""
            size += len(piece)
            if not piece and opened.needs_input:
                break
        return size


@cache
def guard() -> None:
    """From now on meshio's readers open files that end, and those of VTU count what they unpack."""
    import meshio

    names = [each.name for each in pkgutil.walk_packages(meshio.__path__, "meshio.") if "._cli" not in each.name]
    for name in names:
        module: Any = importlib.import_module(name)
        module.open = ending
        for library in ("zlib", "lzma"):
            if isinstance(getattr(module, library, None), ModuleType):
                setattr(module, library, Counted(getattr(module, library)))
