"""Excel .xlsx through openpyxl (an extra): each sheet that names the columns of a spectrum is a sweep."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any, ClassVar

from fem_constriction.errors import InputError
from fem_constriction.spectra.columns import columns
from fem_constriction.spectra.instruments.content import Content, Measured, Sweep, told_apart
from fem_constriction.spectra.instruments.plain import details_of


class Excel:
    """.xlsx: values of cells as they were last computed, hidden sheets too."""

    name: ClassVar[str] = "Excel (.xlsx)"

    def recognises(self, file: Content) -> bool:
        """By its first bytes, of a ZIP archive, and the name of its main part."""
        return file.data.startswith(b"PK\x03\x04") and b"xl/workbook" in file.data

    def read(self, file: Content) -> Measured:
        """The sweeps of the workbook. Raises InputError without openpyxl, and where no sheet is a spectrum."""
        try:
            library = import_module("openpyxl")
        except ImportError:
            raise InputError(
                f"{self.name} needs openpyxl: pip install 'fem-constriction[excel]', or save the sheet as CSV", file=file.path
            ) from None
        try:
            book = library.load_workbook(io.BytesIO(file.data), data_only=True)
            sheets = {sheet.title: [[_text(cell) for cell in row] for row in sheet.values] for sheet in book.worksheets}
        except Exception as error:  # whatever an archive that is broken makes of its parser
            raise InputError(f"openpyxl does not read it ({error})", file=file.path) from None
        sweeps, failures, details = [], [], dict[str, Any]()
        for title, rows in sheets.items():
            text = "\n".join("\t".join(row) for row in rows)
            try:
                found = columns(text, f"{file.path}, sheet {title}")
            except InputError as error:
                failures.append(error)
                continue
            sweeps.append(Sweep(name=title, columns=found))
            details = details or details_of(text)
        if not sweeps:
            if len(failures) == 1:
                raise failures[0]
            raise InputError(f"no sheet of {', '.join(sheets)} is a spectrum", file=file.path)
        return Measured(sweeps=told_apart(sweeps), details={"format": self.name} | details)


def _text(cell: object) -> str:
    """A cell as text: numbers to the last digit, no tabs or ends of lines."""
    if cell is None:
        return ""
    return repr(cell) if isinstance(cell, float) else " ".join(str(cell).split())
