"""Scribner ZPlot and ZView .z: "ZPLOT2 ASCII" with settings by name, or "ZPlotW Data File" with settings by place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from fem_constriction.spectra.instruments.content import Content, Table, TableFormat, area_text, entry, told

_FIRST = re.compile(r'\s*"?(?:ZPLOT2? ASCII|(?:ZPlotW?|Z60W?|ZView) Data File)', re.IGNORECASE)
_HEADER = re.compile(r'\s*"?\s*Freq', re.IGNORECASE)


def _between(row: str) -> str:
    """What stands between the cells of a row; beside semicolons commas are decimal ones."""
    return r"[ \t]*;[ \t]*" if ";" in row else r"[ \t]*,[ \t]*|[ \t]+"


class ZPlot(TableFormat):
    """.z: a header that begins with Freq(Hz), then rows between tabs or commas, below "End Comments" or right below it."""

    name: ClassVar[str] = "Scribner ZPlot/ZView (.z)"

    def recognises(self, file: Content) -> bool:
        """By its first line."""
        return _FIRST.match(file.text) is not None

    def _header(self, file: Content) -> int | None:
        places = [number for number, line in enumerate(file.lines) if _HEADER.match(line) and "Z'" in line]
        return places[-1] if places else None

    def tables(self, file: Content) -> Iterator[Table]:
        """The one table; its header may be in quotes and have blanks where the rows have commas."""
        place = self._header(file)
        if place is not None:
            header = "\t".join(re.sub(r"\s+(?=\()", "", file.lines[place].strip().strip('"')).split())
            rows = [
                "" if line.strip().lower().startswith("end ") else "\t".join(re.split(_between(line), line.strip()))
                for line in file.lines[place + 1 :]
            ]
            if any("," in line and "\t" in line for line in file.lines[place + 1 :]):  # decimal commas between tabs
                rows = ["" if line.strip().lower().startswith("end ") else line.strip() for line in file.lines[place + 1 :]]
            yield Table(name="", above=place, lines=[header, *rows])

    def details(self, file: Content) -> dict[str, Any]:
        """Area in cm2, comments, and when it was measured; a file that was cut short says so."""
        place = self._header(file) or 0
        head = file.lines[:place]
        area = entry(head, "Surface Area")
        return told(
            area=area_text(area),
            comments=self._comments(head),
            started=" ".join(filter(None, (entry(head, "Date"), entry(head, "Time")))),
            note=self._cut(file, place),
        )

    def _comments(self, head: list[str]) -> str:
        begin = next((n for n, line in enumerate(head) if line.strip().startswith("Begin User Comments")), None)
        if begin is not None:
            end = next((n for n, line in enumerate(head) if line.strip().startswith("End User Comments")), begin)
            return "\n".join(line.strip() for line in head[begin + 1 : end]).strip()
        plain = [line.strip().strip('"').strip() for line in head[1:]]
        return "\n".join(line for line in plain if line and not re.fullmatch(r"[\d.,eE+-]+", line))

    def _cut(self, file: Content, place: int) -> str:
        above = file.lines[place - 1].strip() if place else ""
        stated = entry(file.lines[:place], "Data Points") or above
        rows = sum(1 for line in file.lines[place + 1 :] if re.match(r"\s*\d", line))
        return f"the file says that it has {stated} points, and has {rows}" if stated.isdigit() and int(stated) != rows else ""

    def missing(self, file: Content) -> str:
        """What is looked for."""
        named = self._header(file) is not None
        return "no rows below the names of its columns" if named else "no line that names Freq(Hz), Z' and Z''"
