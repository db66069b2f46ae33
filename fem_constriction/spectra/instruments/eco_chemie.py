"""Autolab (Eco Chemie): .dfr of the FRA program, one number a line, and its ASCII exports .P00, which name their columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from fem_constriction.errors import InputError
from fem_constriction.spectra.instruments.content import Content, Measured, Sweep, Table, TableFormat, told
from fem_constriction.spectra.numerals import cleaned, decimal_sign, is_number, value

_POINT = 9  # numbers of one point in .dfr: f, Re(Z), -Im(Z), and six of which we need none
_HEAD = 3  # lines above: version, number of points, number of sets


class FRAData:
    """.dfr: "VERSION8.0", the number of points, 1, then nine lines for each point."""

    name: ClassVar[str] = "Autolab FRA (.dfr)"

    def recognises(self, file: Content) -> bool:
        """By its first line and numbers alone below."""
        return re.match(r"VERSION\d+\.\d+$", file.first) is not None

    def read(self, file: Content) -> Measured:
        """The spectrum of the file. Raises InputError unless it has nine numbers for each point."""
        cells = [cleaned(line) for line in file.lines if line.strip()][1:]
        count = int(cells[0]) if cells and cells[0].isdigit() else 0
        numbers = cells[_HEAD - 1 : _HEAD - 1 + _POINT * count]
        if not count or len(numbers) < _POINT * count or not all(map(is_number, numbers)):
            raise InputError(f"is not as {self.name} is: {count} points with {_POINT} numbers each, one a line", file=file.path)
        decimal = decimal_sign(numbers, numbers[::_POINT], file.path)
        points = [[value(cell, decimal) for cell in numbers[place : place + 3]] for place in range(0, len(numbers), _POINT)]
        f, re_, im = (list(each) for each in zip(*(point for point in points if point[0] > 0), strict=True))
        columns = {"f": f, "re": re_, "im": [-each for each in im], "u": list[float]()}
        return Measured(sweeps=(Sweep(name="", columns=columns),), details={"format": self.name})


class FRAText(TableFormat):
    """.P00: "Procedure : ...", a description, a header f/Hz, Z'/Ohm, -Z''/Ohm, the number of rows, and the rows."""

    name: ClassVar[str] = "Autolab FRA (ASCII)"

    def recognises(self, file: Content) -> bool:
        """By its first line, and a header of the three columns."""
        return file.text.lstrip().startswith("Procedure :") and self._header(file) is not None

    def _header(self, file: Content) -> int | None:
        wanted = re.compile(r"\s*f\s*/\s*Hz\s.*Z'")
        return next((number for number, line in enumerate(file.lines) if wanted.match(line)), None)

    def tables(self, file: Content) -> Iterator[Table]:
        """The one below the header."""
        place = self._header(file)
        if place is not None:
            yield Table(name="", above=place, lines=file.lines[place:])

    def details(self, file: Content) -> dict[str, Any]:
        """The procedure's title and its description."""
        head = [line.strip() for line in file.lines[: self._header(file)]]
        return told(title=head[0].partition(":")[2].strip(), comments="\n".join(head[2:]).strip())
