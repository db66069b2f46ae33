"""BioLogic EC-Lab: .mpt texts, whose header has "Nb header lines : N", and .mpr, binary, through galvani (an extra)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from typing import Any, ClassVar

from fem_constriction.errors import InputError
from fem_constriction.spectra.instruments.content import (
    Content,
    Measured,
    Sweep,
    Table,
    TableFormat,
    area_text,
    entry,
    tabbed,
    told,
    told_apart,
)

_AREA = re.compile(r"([-+\d.,eE]+)\s*(cm|mm|m)")
_CYCLE = "cycle number"
_CYCLES = (_CYCLE, "z cycle")


class ECLabText(TableFormat):
    """.mpt: settings, a header in the last of N header lines, columns between tabs, cycles one below the other."""

    name: ClassVar[str] = "BioLogic EC-Lab (.mpt)"

    def recognises(self, file: Content) -> bool:
        """By its first line, in any language of the program."""
        return file.text.lstrip().startswith(("EC-Lab ASCII FILE", "BT-Lab ASCII FILE"))

    def _header(self, file: Content) -> int:
        """The number of lines before the one that names the columns, which begins with freq/Hz or is the last one counted."""
        lines = tabbed(file.lines, "freq/Hz")
        if (named := next((n for n, line in enumerate(lines) if line.startswith("freq/Hz\t")), None)) is not None:
            return named
        for line in lines[:6]:
            if match := re.search(r":\s*(\d+)\s*$", line):
                return max(int(match[1]) - 1, 0)
        return 0

    def tables(self, file: Content) -> Iterator[Table]:
        """One for each cycle, told from the others by the column that counts them."""
        above = self._header(file)
        lines = tabbed(file.lines, "freq/Hz")
        header, rows = lines[above : above + 1], [line for line in lines[above + 1 :] if line.strip()]
        names = [name.strip() for name in header[0].split("\t")] if header else []
        if "freq/Hz" not in names:
            return
        place = next((names.index(name) for name in _CYCLES if name in names), len(names))

        def cycle(row: str) -> str:
            cells = row.split("\t")
            return cells[place].split(".")[0].split(",")[0] if place < len(cells) else ""

        first = above
        for number, group in groupby(rows, cycle):
            found = list(group)
            yield Table(name=f"cycle {number}" if number else "", above=first, lines=[*header, *found])
            first += len(found)

    def details(self, file: Content) -> dict[str, Any]:
        """Area, comments and when it was measured, and by what."""
        head = file.lines[: self._header(file)]
        area = _AREA.match(entry(head, "Electrode surface area"))
        return told(
            technique=next((line.strip() for line in head[2:] if line.strip()), ""),
            area=area_text(area[1], f"{area[2]}^2") if area else "",
            comments="\n".join(line.split(":", 1)[1].strip() for line in head if line.startswith("Comments :")).strip(),
            material=entry(head, "Electrode material"),
            electrolyte=entry(head, "Electrolyte"),
            started=entry(head, "Technique started on") or entry(head, "Acquisition started on"),
            device=entry(head, "Device"),
        )

    def missing(self, file: Content) -> str:
        """The columns, or the technique where it measures no impedance."""
        above = self._header(file)
        names = [name.strip() for name in "".join(file.lines[above : above + 1]).split("\t") if name.strip()]
        return f"no column freq/Hz among {', '.join(names[:6])}{', ...' * (len(names) > 6)}"


class ECLabBinary:
    """.mpr: modules of bytes, which galvani knows."""

    name: ClassVar[str] = "BioLogic EC-Lab (.mpr)"

    def recognises(self, file: Content) -> bool:
        """By its first bytes."""
        return file.data.startswith(b"BIO-LOGIC MODULAR FILE")

    def read(self, file: Content) -> Measured:
        """The sweeps of the file, one for each cycle. Raises InputError without galvani, and for what it does not know."""
        try:
            library = import_module("galvani")
        except ImportError:
            raise InputError(
                f"{self.name} needs galvani: pip install 'fem-constriction[biologic]', or export a .mpt text", file=file.path
            ) from None
        try:
            data = library.MPRfile(io.BytesIO(file.data)).data
        except Exception as error:  # whatever its parser meets in a file of an unknown version
            raise InputError(f"galvani does not read it ({error}); export a .mpt text", file=file.path) from None
        names = list(data.dtype.names)
        wanted = ("freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm")
        if not set(wanted) <= set(names):
            raise InputError(
                f"is a file of {self.name}, and has no impedance spectrum: its columns are {', '.join(names)}", file=file.path
            )
        rows = data[data["freq/Hz"] > 0]
        number = rows[_CYCLE] if _CYCLE in names else [1] * len(rows)
        sweeps = []
        for cycle, group in groupby(zip(number, *(rows[name] for name in wanted), strict=True), lambda row: int(row[0])):
            f, re_, im = zip(*((float(row[1]), float(row[2]), -float(row[3])) for row in group), strict=True)
            sweeps.append(Sweep(name=f"cycle {cycle}", columns={"f": list(f), "re": list(re_), "im": list(im), "u": []}))
        if not sweeps:
            raise InputError(f"is a file of {self.name}, and holds no data", file=file.path)
        return Measured(sweeps=told_apart(sweeps), details={"format": self.name})
