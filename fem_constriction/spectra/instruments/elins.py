"""Elins .i2b: remarks, the number of rows alone in a line, and rows f, Re(Z), Im(Z) between blanks; no names of columns."""

from __future__ import annotations

from typing import Any, ClassVar

from fem_constriction.spectra.instruments.content import Content, Measured, Sweep, told
from fem_constriction.spectra.numerals import cleaned, decimal_sign, is_number, value

_TRIPLE = 3  # columns


class Elins:
    """.i2b, as a text."""

    name: ClassVar[str] = "Elins (.i2b)"

    def recognises(self, file: Content) -> bool:
        """By a line with a number n that exactly n rows of three numbers follow, and nothing else."""
        return self._begin(file) is not None

    def _begin(self, file: Content) -> tuple[int, list[list[str]]] | None:
        """The line of the number of rows, and the cells of the rows."""
        rows: list[list[str]] = []
        for place in range(len(file.lines) - 1, -1, -1):
            cells = [cleaned(cell) for cell in file.lines[place].split()]
            if len(cells) == _TRIPLE and all(map(is_number, cells)):
                rows.insert(0, cells)
            elif cells and rows:
                return (place, rows) if rows and place and cells == [str(len(rows))] else None
        return None

    def read(self, file: Content) -> Measured:
        """The spectrum of the file. Raises InputError for numbers that could mean two things."""
        found = self._begin(file)
        assert found is not None
        begin, rows = found
        decimal = decimal_sign([cell for row in rows for cell in row], [row[0] for row in rows], file.path)
        f, re_, im = ([value(cell, decimal) for cell in column] for column in zip(*rows, strict=True))
        details: dict[str, Any] = told(comments="\n".join(line.strip() for line in file.lines[:begin]).strip())
        return Measured(
            sweeps=(Sweep(name="", columns={"f": f, "re": re_, "im": im, "u": []}),), details={"format": self.name} | details
        )
