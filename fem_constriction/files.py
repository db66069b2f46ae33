"""Text files, read and written whole or refused in one sentence."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

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


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
