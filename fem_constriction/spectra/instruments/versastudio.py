"""VersaStudio .par: sections between <Name> and </Name>; <Segment1> has a Definition, which names the columns, and rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from fem_constriction.spectra.instruments.content import Content, Table, TableFormat, area_text, entry, told

_BEGIN = re.compile(r"<(Segment\d+)>", re.IGNORECASE)


class VersaStudio(TableFormat):
    """.par: columns Frequency(Hz), Z Real and Z Imag among others, rows of direct current with a frequency of 0."""

    name: ClassVar[str] = "VersaStudio (.par)"

    def recognises(self, file: Content) -> bool:
        """By its first section."""
        return any(line.strip() == "<Application>" for line in file.lines[:5]) and "Name=VersaStudio" in file.text

    def tables(self, file: Content) -> Iterator[Table]:
        """One for each segment."""
        name, above, lines = "", 0, list[str]()
        for number, line in enumerate(file.lines, 1):
            if match := _BEGIN.fullmatch(line.strip()):
                name, above, lines = match[1], 0, []
            elif name and line.strip().startswith("</"):
                if "Z Real" in "".join(lines[:1]) and len(lines) > 1:
                    yield Table(name=name, above=above, lines=lines)
                name = ""
            elif name and line.startswith("Definition="):
                # The definition ends in a column "0" that no row has.
                above, lines = number - 1, [re.sub(r"(?:,\s*0?)+\s*$", "", line.removeprefix("Definition="))]
            elif name and lines:
                lines.append(line)
        if name and "Z Real" in "".join(lines[:1]) and len(lines) > 1:  # the file ends before the segment does
            yield Table(name=name, above=above, lines=lines)

    def details(self, file: Content) -> dict[str, Any]:
        """Area, comment, and when it was measured, and by what."""
        area = entry(file.lines, "Working Electrode Area (cm2)", "=")
        return told(
            area=area_text(area),
            comments=entry(file.lines, "Comment", "="),
            started=" ".join(filter(None, (entry(file.lines, "DateAcquired", "="), entry(file.lines, "TimeAcquired", "=")))),
            device=" ".join(filter(None, (entry(file.lines, "Type", "="), entry(file.lines, "Model", "=")))),
            note=self._cut(file),
        )

    def _cut(self, file: Content) -> str:
        names = [match[1] for line in file.lines if (match := _BEGIN.fullmatch(line.strip()))]
        open_ = bool(names) and f"</{names[-1]}>".lower() not in file.text.lower()
        return f"the file ends within <{names[-1]}>: rows may be missing" if open_ else ""

    def missing(self, file: Content) -> str:
        """What is looked for."""
        return "no <Segment> with the columns Frequency(Hz), Z Real and Z Imag and rows with a frequency above 0"
