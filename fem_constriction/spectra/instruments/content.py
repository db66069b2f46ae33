"""What a file holds, and what is found in it: sweeps of f, Re(Z), Im(Z), and what the instrument says beside them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Any, ClassVar, Protocol

from fem_constriction.errors import InputError
from fem_constriction.files import any_text, printable
from fem_constriction.spectra.columns import columns, numbered
from fem_constriction.spectra.numerals import is_number

_COMPARED = 40  # lines at the end of a file


@dataclass(frozen=True, eq=False)
class Content:
    """A file: its path for messages, and its bytes."""

    path: str
    data: bytes

    @cached_property
    def is_text(self) -> bool:
        """Whether it is a text, an empty one too."""
        return any_text(self.data) is not None

    @cached_property
    def text(self) -> str:
        """The text, "" where it is none: UTF-8, UTF-16 with a byte order mark, or Latin-1."""
        return any_text(self.data) or ""

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, without their ends."""
        return numbered(self.text)

    @cached_property
    def first(self) -> str:
        """The first line that is not empty, without blanks around it."""
        return next((line.strip() for line in self.lines if line.strip()), "")

    @cached_property
    def printable(self) -> list[str]:
        """The lines of a file that has a text between bytes that are none."""
        return numbered(printable(self.data))

    @property
    def suffix(self) -> str:
        """The extension in lower case, with its point."""
        return PurePath(self.path).suffix.lower()


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Rows of one sweep: f (Hz), re, im and u (ohm; u empty where there is none), its name, "" for the only one."""

    name: str
    columns: dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The sweeps of a file in their order, and what is said of them: format, area, temperature, comments, ..."""

    sweeps: tuple[Sweep, ...]
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Lines of a file that are one table, the header first, and the number of the line before it."""

    name: str
    above: int
    lines: Sequence[str]

    def sweep(self, path: str) -> Sweep | None:
        """The table as a sweep, None for one that has no row with an impedance. Raises InputError with path and line."""
        found = columns("\n" * self.above + "\n".join(self.lines), path, empty=True)
        return Sweep(name=self.name, columns=found) if found["f"] else None


class Format(Protocol):
    """A format: its name, whether a file is of it, and what is in the file."""

    name: ClassVar[str]

    def recognises(self, file: Content) -> bool:
        """Whether the file is of this format, by what is in it."""

    def read(self, file: Content) -> Measured:
        """The sweeps of the file. Raises InputError, which names the format."""


class TableFormat:
    """A format of tables in a text: what siblings share is how sweeps are made of tables."""

    name: ClassVar[str]

    def tables(self, file: Content) -> Iterator[Table]:
        """The tables of the file that may hold an impedance."""
        raise NotImplementedError

    def details(self, file: Content) -> dict[str, Any]:
        """What the file says of area, temperature and the like, as JSON can hold it."""
        raise NotImplementedError

    def read(self, file: Content) -> Measured:
        """The sweeps of the file. Raises InputError where it has none."""
        found = [sweep for table in self.tables(file) if (sweep := table.sweep(file.path)) is not None]
        if not found:
            raise InputError(f"is a file of {self.name}, and has no impedance spectrum: {self.missing(file)}", file=file.path)
        return Measured(sweeps=told_apart(found), details={"format": self.name} | self.details(file))

    def missing(self, file: Content) -> str:
        """What there is instead, for the message."""
        return "no table with a frequency, Re(Z) and Im(Z)"


def told_apart(sweeps: Sequence[Sweep]) -> tuple[Sweep, ...]:
    """The sweeps with names that occur once: of equal ones the second has " (2)" behind it; a sweep alone has none."""
    if len(sweeps) == 1:
        return (Sweep(name="", columns=sweeps[0].columns),)
    made: list[Sweep] = []
    for number, sweep in enumerate(sweeps, 1):
        same = sum(earlier.name == sweep.name for earlier in sweeps[: number - 1])
        name = sweep.name or f"sweep {number}"
        made.append(Sweep(name=f"{name} ({same + 1})" if same and sweep.name else name, columns=sweep.columns))
    return tuple(made)


def cut_short(file: Content) -> str:
    """A note on a text whose last line has no end, and whose last number is shorter than all above it; "" on any other."""
    *above, last = [re.split(r"[\s,;]+", line.strip()) for line in (file.lines or [""])[-_COMPARED:]]
    ends = [len(cells[-1]) for cells in above if len(cells) > 2 and is_number(cells[-1])]
    if len(ends) < 2 or len(last) < 3 or len(last[-1]) >= min(ends):
        return ""
    return f"the file ends within a line, and its last number, {last[-1]}, may be cut short"


def tabbed(lines: list[str], first: str) -> list[str]:
    """The lines with tabs between cells: a spreadsheet puts commas or semicolons there, and a cell `first` tells which."""
    sign = next((match[1] for line in lines if (match := re.match(rf'"?{re.escape(first)}"?([;,])', line))), "")
    if not sign:
        return lines
    return ["\t".join(next(csv.reader([line], delimiter=sign), [])) for line in lines]


def entry(lines: Sequence[str], key: str, sign: str = ":") -> str:
    """What stands behind "key :" in the first line that begins so, "" where none does or nothing stands there."""
    for line in lines:
        name, found, value = line.partition(sign)
        if found and name.strip().strip('"').lower() == key.lower():
            return value.strip().strip('"').strip()
    return ""


def area_text(number: str, unit: str = "cm^2") -> str:
    """An area as a quantity, "1.13 cm^2"; "" for what is no number above 0, which says that nobody has typed one."""
    plain = number.strip().replace(",", ".")
    if not re.fullmatch(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", plain) or not 0 < float(plain) < 1e6:
        return ""
    return f"{float(plain):g} {unit}"


def told(**details: str | None) -> dict[str, Any]:
    """The details that say anything."""
    return {key: value for key, value in details.items() if value}
