"""Text files, read and written whole or refused in one sentence, and what goes into them as JSON."""

from __future__ import annotations

import codecs
import contextlib
import json
import math
import os
import re
import stat
import tomllib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction.errors import InputError

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b]")  # in no text
_LOOKED: Final = 4096  # bytes that tell UTF-16
_SHORTEST: Final = 8  # of them at least
_ZEROS: Final = 0.8  # of every other byte: degree signs and the like are few
#: Bytes of the largest file that is read: what is larger, or never ends, is refused before it fills the memory.
MOST: Final = 64_000_000

#: Parts of a dotted key: no file of ours has more than six, and the time to read them grows with their square.
DEEPEST: Final = 50
_DEEP = re.compile(rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{DEEPEST}}}""")


def read_bytes(path: str | os.PathLike[str], most: int = MOST) -> bytes:
    """The bytes of a file.

    Raises InputError for a file that is not there, is a directory or a named pipe (which may never be written), is not readable
    or has more than `most` bytes. A pipe that is open already, as /dev/stdin, is read.
    """
    try:
        if stat.S_ISFIFO(os.stat(path).st_mode) and not os.path.realpath(path).startswith(("/proc/", "/dev/fd/")):
            raise InputError("is a named pipe, not a file", file=path)
        with open(path, "rb") as stream:
            if os.fstat(stream.fileno()).st_size > most:
                raise _too_large(path, most)
            found = stream.read(most + 1)  # a device or a pipe has no size of its own
    except FileNotFoundError:
        raise InputError("there is no such file", file=path) from None
    except IsADirectoryError:
        raise InputError("is a directory, not a file", file=path) from None
    except InputError:
        raise
    except (OSError, ValueError, MemoryError) as error:
        raise InputError(f"cannot be read ({_reason(error)})", file=path) from None
    if len(found) > most:
        raise _too_large(path, most)
    return found


def read_text(path: str | os.PathLike[str], most: int = MOST) -> str:
    """The UTF-8 text of a file, without a byte order mark.

    Raises InputError for what `read_bytes` refuses, and for what is not UTF-8.
    """
    try:
        return read_bytes(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start})", file=path) from None


def read_any_text(path: str | os.PathLike[str], most: int = MOST) -> str:
    """The text of a file that another program wrote: UTF-8, UTF-16 with a byte order mark, or Latin-1 (Windows-1252).

    Raises InputError for what `read_bytes` refuses, and for what is no text.
    """
    text = any_text(read_bytes(path, most))
    if text is None:
        raise InputError("is not text", file=path)
    return text


def any_text(data: bytes) -> str | None:
    """The text that bytes are, None where they are none: UTF-8, UTF-16 with or without its mark, or Latin-1 (Windows-1252).

    What some programs put behind a text, an end-of-file sign or zeros, is no part of it.
    """
    wide = _wide(data)
    for encoding in (wide,) if wide else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            text = data.decode(encoding).rstrip("\x00\x1a")
        except UnicodeDecodeError:
            continue
        return None if _CONTROL.search(text) else text
    return None


def _wide(data: bytes) -> str:
    """The form of UTF-16 that bytes are, "" where they are none.

    Without a byte order mark it is told by its zeros: of letters, digits and signs of a table nearly every other byte is one,
    all of them at even or all at odd places.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    pairs = data[: 2 * (min(len(data), _LOOKED) // 2)]
    if len(pairs) < _SHORTEST or len(data) % 2:
        return ""
    first, second = pairs[::2].count(0), pairs[1::2].count(0)
    if max(first, second) < _ZEROS * (len(pairs) // 2) or min(first, second):
        return ""
    return "utf-16-be" if first > second else "utf-16-le"


def printable(data: bytes) -> str:
    """Bytes as Latin-1 text without control characters: what a file says that has text between bytes that are none."""
    return re.sub(r"[^\t\n\r\x20-\x7e\xa0-\xff]", "", data.decode("latin-1"))


def _too_large(path: str | os.PathLike[str], most: int) -> InputError:
    return InputError(f"is larger than {most / 1e6:g} MB, the most that is read", file=path)


def parsed_toml(text: str, file: str = "") -> dict[str, Any]:
    """What a TOML text holds; `file` is what errors call it. Raises InputError where it is none, or is nested too deep."""
    try:
        if _DEEP.search(text):
            raise ValueError(f"a key has more than {DEEPEST} parts")
        return tomllib.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError("not TOML", file=file, why=str(error)) from None


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a UTF-8 file whole or not at all; parent folders are created.

    What is no file, a device or an open pipe, is written into: no file is put in its place. A link stays one. Raises InputError
    where the file or its folder cannot be written, and for a named pipe, which may have no reader.
    """
    target = Path(os.path.realpath(path))
    temporary = target.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            if stat.S_ISFIFO(os.stat(path).st_mode) and not os.path.realpath(path).startswith(("/proc/", "/dev/fd/")):
                raise InputError("cannot be written (it is a named pipe, not a file)", file=path)
            with open(path, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="")
        os.replace(temporary, target)
    except InputError:
        raise
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"cannot be written ({target.parent} is not a folder)", file=path) from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be written ({_reason(error)})", file=path) from None
    finally:
        with contextlib.suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)


def write_array(path: str | os.PathLike[str], array: NDArray[Any]) -> None:
    """Write an array as .npy, whole or not at all; parent folders are created. Raises InputError where it cannot be written."""
    target = Path(os.path.realpath(path))
    temporary = target.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            np.save(stream, array, allow_pickle=False)
        os.replace(temporary, target)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be written ({_reason(error)})", file=path) from None
    finally:
        with contextlib.suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)


def json_text(record: Any) -> str:
    """`jsonable(record)` as JSON, one item a line."""
    return json.dumps(jsonable(record), indent=1, ensure_ascii=False, allow_nan=False)


def jsonable(value: Any) -> Any:
    """`value` with arrays as lists, numbers JSON does not know as null, and anything else as text."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return jsonable(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, complex):
        return [jsonable(value.real), jsonable(value.imag)]
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
