"""Ivium .idf and .ids: settings, then "primary_data", 3, the number of rows, and rows Re(Z), Im(Z), f; bytes in between."""

from __future__ import annotations

from typing import Any, ClassVar

from fem_constriction.errors import InputError
from fem_constriction.spectra.instruments.content import Content, Measured, Sweep, area_text, entry, told, told_apart
from fem_constriction.spectra.numerals import is_number, value

_TRIPLE = 3  # columns of a spectrum


class Ivium:
    """.idf (one measurement) and .ids (several), each with its title."""

    name: ClassVar[str] = "Ivium (.idf, .ids)"

    def recognises(self, file: Content) -> bool:
        """By the line that begins the data, beside settings of Ivium's."""
        lines = file.printable
        return any(line.strip() == "primary_data" for line in lines) and any(line.startswith("Method=") for line in lines)

    def read(self, file: Content) -> Measured:
        """The sweeps of the file, the impedance among its measurements. Raises InputError where there is none."""
        lines = file.printable
        sweeps, methods = [], []
        method, title = "", ""
        for number, line in enumerate(lines):
            if line.startswith("Method="):
                method = line.partition("=")[2].strip()
            elif line.startswith("Title="):
                title = line.partition("=")[2].strip()
            elif line.strip() == "primary_data":
                methods.append(method)
                if "impedance" in method.lower():
                    sweeps.append(Sweep(name=title, columns=self._rows(lines, number, file.path)))
        if not sweeps:
            raise InputError(
                f"is a file of {self.name}, and has no impedance spectrum: Method={', '.join(methods) or 'none'}",
                file=file.path,
            )
        return Measured(sweeps=told_apart(sweeps), details={"format": self.name} | self._details(lines))

    def _rows(self, lines: list[str], begin: int, path: str) -> dict[str, list[float]]:
        """The columns of the rows below; the first two lines are the numbers of columns and of rows."""
        counts = [line.strip() for line in lines[begin + 1 : begin + 3]]
        if not all(map(str.isdigit, counts)) or len(counts) != 2 or int(counts[0]) != _TRIPLE:
            raise InputError("below primary_data must stand 3, and the number of rows", file=path, key=f"line {begin + 2}")
        found: dict[str, list[float]] = {"f": [], "re": [], "im": [], "u": []}
        for number, line in enumerate(lines[begin + 3 : begin + 3 + int(counts[1])], begin + 4):
            cells = line.split()
            if len(cells) != _TRIPLE or not all(map(is_number, cells)):
                raise InputError("must be three numbers, Re(Z), Im(Z) and the frequency", file=path, key=f"line {number}")
            re_, im, f = (value(cell, "," if "," in cell else ".") for cell in cells)
            if f > 0:
                for key, each in (("f", f), ("re", re_), ("im", im)):
                    found[key].append(each)
        return found

    def _details(self, lines: list[str]) -> dict[str, Any]:
        area = entry(lines, "Data Options.Area", "=")
        return told(
            area=area_text(area),
            comments=entry(lines, "Report.Remarks", "="),
            started=entry(lines, "starttime", "="),
        )
