"""Elins .i2b: remarks, the number of rows alone in a line, and rows f, Re(Z), Im(Z) between blanks; no names of columns."""

from __future__ import annotations

from typing import Any, ClassVar

from fem_constriction.spectra.instruments.content import Content, Measured, Sweep, told
from fem_constriction.spectra.numerals import is_number, value

_TRIPLE = 3  # columns


class Elins:
    """.i2b, as a text."""

    name: ClassVar[str] = "Elins (.i2b)"

    def recognises(self, file: Content) -> bool:
        """By a line with a number n that exactly n rows of three numbers follow, and nothing else."""
        return self._begin(file) is not None

    def _begin(self, file: Content) -> int | None:
        """The line of the number of rows."""
        last = len(file.lines)
        while last and not file.lines[last - 1].strip():
            last -= 1
        begin = last
        while begin and len(cells := file.lines[begin - 1].split()) == _TRIPLE and all(map(is_number, cells)):
            begin -= 1
        count = file.lines[begin - 1].strip() if begin else ""
        return begin - 1 if begin > 1 and count.isdigit() and last > begin and int(count) == last - begin else None

    def read(self, file: Content) -> Measured:
        """The spectrum of the file."""
        begin = self._begin(file)
        assert begin is not None
        rows = [[value(cell, ".") for cell in line.split()] for line in file.lines[begin + 1 :] if line.strip()]
        f, re_, im = (list(each) for each in zip(*rows, strict=True))
        details: dict[str, Any] = told(comments="\n".join(line.strip() for line in file.lines[:begin]).strip())
        return Measured(
            sweeps=(Sweep(name="", columns={"f": f, "re": re_, "im": im, "u": []}),), details={"format": self.name} | details
        )
