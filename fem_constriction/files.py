"""Text files, read and written whole or refused in one sentence, and what goes into them as JSON."""

from __future__ import annotations

import contextlib
import json
import math
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fem_constriction.errors import InputError


def read_text(path: str | os.PathLike[str]) -> str:
    """The UTF-8 text of a file, without a byte order mark.

    Raises InputError for a file that is not there, is a directory, is not readable or is not UTF-8.
    """
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory, not a file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start})") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({_reason(error)})") from None


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a UTF-8 file whole or not at all; parent folders are created.

    Raises InputError where the file or its folder cannot be written.
    """
    target = Path(path)
    temporary = target.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="")
        os.replace(temporary, target)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{path}: cannot be written ({target.parent} is not a folder)") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be written ({_reason(error)})") from None
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
