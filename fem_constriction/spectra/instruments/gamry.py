"""Gamry .DTA ("EXPLAIN"): settings, then tables; the impedance is in those called ZCURVE, open circuit and others beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any, ClassVar

from fem_constriction.spectra.instruments.content import Content, Table, TableFormat, area_text, tabbed, told

_TABLE = re.compile(r"(\w+)\tTABLE\b")


class Gamry(TableFormat):
    """.DTA: TAG, type, value and label between tabs; rows of tables begin with a tab."""

    name: ClassVar[str] = "Gamry (.DTA)"

    def recognises(self, file: Content) -> bool:
        """By its first line."""
        return file.text.lstrip().startswith("EXPLAIN")

    def _tables(self, file: Content) -> list[tuple[str, int, list[str]]]:
        """Name, line before the header, and lines of each table."""
        found: list[tuple[str, int, list[str]]] = []
        inside = False
        for number, line in enumerate(tabbed(file.lines, "TAG"), 1):
            if match := _TABLE.match(line):
                found.append((match[1].upper(), number, []))
                inside = True
            elif inside and line.startswith(("\t", " ")):
                found[-1][2].append(line)
            elif line:
                inside = False  # a setting between two tables, or a line that says that the measurement was aborted
        return found

    def tables(self, file: Content) -> Iterator[Table]:
        """Those called ZCURVE."""
        for name, above, lines in self._tables(file):
            if name.startswith("ZCURVE") and lines:
                yield Table(name=name, above=above, lines=lines)

    def details(self, file: Content) -> dict[str, Any]:
        """Area, notes, temperature of the first row where a sensor was connected, and when it was measured."""
        lines = tabbed(file.lines, "TAG")
        settings = {cells[0].strip().upper(): cells[1:] for line in lines if len(cells := line.split("\t")) > 2}

        def value(tag: str) -> str:
            cells = settings.get(tag, [])
            return cells[1].strip() if len(cells) > 1 else ""

        return told(
            title=value("TITLE"),
            area=area_text(value("AREA")),
            temperature=self._temperature(file),
            comments=self._notes(file),
            started=" ".join(filter(None, (value("DATE"), value("TIME")))),
            device=value("PSTAT"),
            note="the columns with drift correction (ZrealDrCor, ...) are left out" if "ZrealDrCor" in file.text else "",
        )

    def _notes(self, file: Content) -> str:
        """The lines below NOTES, of which it says how many there are."""
        for number, line in enumerate(file.lines):
            if match := re.match(r"NOTES\tNOTES\t(\d+)", line):
                lines = file.lines[number + 1 : number + 1 + int(match[1])]
                return "\n".join(each.strip() for each in takewhile(lambda each: not each[:1].strip(), lines)).strip()
        return ""

    def _temperature(self, file: Content) -> str:
        for _, _, lines in self._tables(file):
            names = lines[0].split("\t") if lines else []
            if "Temp" in names and len(lines) > 2:
                cells = lines[2].split("\t")
                text = cells[names.index("Temp")].replace(",", ".") if len(cells) == len(names) else ""
                if re.fullmatch(r"-?\d+(?:\.\d+)?", text) and float(text) > -273.15:  # -327.67: no sensor
                    return f"{float(text):g} degC"
        return ""

    def missing(self, file: Content) -> str:
        """The tables that there are."""
        names = ", ".join(dict.fromkeys(name for name, _, _ in self._tables(file)))
        return f"no table ZCURVE with rows, its tables are {names or 'none'}"
