"""Texts of one table that say by whom they were written: CH Instruments, Parstat, PowerSuite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, ClassVar

from fem_constriction.spectra.instruments.content import Content, Table, TableFormat, entry, told


class CHInstruments(TableFormat):
    """.txt: date, "A.C. Impedance", settings, a header Freq/Hz, Z'/ohm, Z"/ohm, rows between commas."""

    name: ClassVar[str] = "CH Instruments"

    def recognises(self, file: Content) -> bool:
        """By the line of the instrument's model, or that of the technique with the settings of a sweep."""
        head = "\n".join(file.lines[:40])
        return re.search(r"Instrument Model:\s*CHI", head) is not None or (
            "Imp SF" in head and "High Frequency (Hz)" in head and "Freq/Hz" in head
        )

    def tables(self, file: Content) -> Iterator[Table]:
        """What begins with the header; a further header begins a further sweep."""
        places = [number for number, line in enumerate(file.lines) if line.lstrip().startswith("Freq/Hz")]
        for place, end in pairwise([*places, len(file.lines)]):
            yield Table(name="", above=place, lines=file.lines[place:end])

    def details(self, file: Content) -> dict[str, Any]:
        """The note and the header that the user typed, and the model."""
        return told(
            title=entry(file.lines, "Header"),
            comments=entry(file.lines, "Note"),
            started=next((line.strip() for line in file.lines if line.strip()), "") if "," in file.lines[0] else "",
            device=entry(file.lines, "Instrument Model"),
        )

    def missing(self, file: Content) -> str:
        """What is looked for."""
        return "no line that begins with Freq/Hz"


class Parstat(TableFormat):
    """.txt of Princeton Applied Research: direct current, with a frequency of 0, and impedance in one table."""

    name: ClassVar[str] = "Parstat"

    def recognises(self, file: Content) -> bool:
        """By its header."""
        return all(word in file.first for word in ("Elapsed Time (s)", "Frequency (Hz)", "Zre (ohms)", "Zim (ohms)"))

    def tables(self, file: Content) -> Iterator[Table]:
        """The one table."""
        yield Table(name="", above=0, lines=file.lines)

    def details(self, file: Content) -> dict[str, Any]:
        """How many rows have no impedance."""
        cells = [line.split("\t") for line in file.lines if line.strip()]
        place = next((n for n, name in enumerate(cells[0]) if "Frequency" in name), 0)
        direct = sum(1 for row in cells[1:] if len(row) > place and row[place].strip() in ("0", "0.0"))
        return told(note=f"{direct} rows of direct current passed over" if direct else "")


class PowerSuite(TableFormat):
    """.txt: Frequency, Zre, Zimg between tabs, nothing else."""

    name: ClassVar[str] = "PowerSuite"

    def recognises(self, file: Content) -> bool:
        """By its header."""
        return [cell.strip() for cell in file.first.split("\t")][:3] == ["Frequency", "Zre", "Zimg"]

    def tables(self, file: Content) -> Iterator[Table]:
        """The one table."""
        yield Table(name="", above=0, lines=file.lines)

    def details(self, file: Content) -> dict[str, Any]:
        """Nothing: the file has none."""
        return {}
