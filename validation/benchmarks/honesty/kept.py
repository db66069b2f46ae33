"""Rows of a run in a file, one JSON object a line: what is in it is not computed again.

A row counts if it is of the same kind, number and seed *and* of the same cell at the same points (its digest): rows of another
version's random cells are left alone and made anew. A last line that was cut off is one that is not there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from fem_constriction.errors import InputError
from fem_constriction.files import jsonable, read_text, write_text

Row = dict[str, Any]
Key = tuple[str, int, int]


def key_of(row: Row) -> Key:
    """Return (kind, number, seed) of a row."""
    return str(row["kind"]), int(row["cell"]), int(row["seed"])


class Kept:
    """The rows of a file, and a place for more; without a file only in memory."""

    def __init__(self, path: Path | None) -> None:
        """Read what is there. Raises InputError for a file that holds something else, or cannot be written."""
        self.path = path
        self.rows: dict[Key, Row] = {}
        if path is None:
            return
        text = read_text(path) if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = json.loads(line)
                self.rows[key_of(row)] = row
            except (ValueError, TypeError, KeyError):
                raise InputError(
                    f"line {number} is no row of this benchmark", file=path, remedy="allowed is a file that it wrote"
                ) from None
        write_text(path, whole)  # without the line that a run was ended in, and to see that it can be written

    def has(self, key: Key, digest: str) -> bool:
        """Return whether there is a row of this cell."""
        return key in self.rows and self.rows[key].get("digest") == digest

    def add(self, row: Row) -> Row:
        """Keep a row, on disk before it is counted as done, and return it as a file holds it."""
        plain: Row = json.loads(json.dumps(jsonable(row)))
        self.rows[key_of(plain)] = plain
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(plain) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        return plain
