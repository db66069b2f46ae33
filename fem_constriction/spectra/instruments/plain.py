"""Any other text with a table, named in a header or not (`columns`); area, temperature and remarks as people write them."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from fem_constriction.spectra.columns import columns, head
from fem_constriction.spectra.instruments.content import Content, Measured, Sweep, area_text, told

_NUMBER: Final = r"([-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)"
_AREA: Final = re.compile(
    rf"\b(?:area|fläche|surface)\b[^\d\n]{{0,30}}?{_NUMBER}?\W*((?:[mcu\u00b5\u03bc]?m)(?:\^?2|\u00b2))\W*{_NUMBER}?",
    re.IGNORECASE,
)
_DEGREE: Final = r"(\u00b0\s*C|degC|C|K)"
_TEMPERATURE: Final = re.compile(
    rf"\b(?:temp(?:erature|eratur|\.)?|T)(?!\w)\s*"
    rf"(?:[(/\[]\s*{_DEGREE}\b\s*[)\]]?)?\s*[:=,;\t ]\s*{_NUMBER}\s*{_DEGREE}?(?!\w)",
    re.IGNORECASE,
)
_MOST: Final = 4000  # letters of remarks that are kept


class Plain:
    """CSV and texts in all dialects: what no other format recognises."""

    name: ClassVar[str] = "text"

    def recognises(self, file: Content) -> bool:
        """Any text."""
        return file.is_text

    def read(self, file: Content) -> Measured:
        """The rows of the table. Raises InputError with file and line."""
        found = columns(file.text, file.path)
        return Measured(sweeps=(Sweep(name="", columns=found),), details=details_of(file.text))


def details_of(text: str) -> dict[str, Any]:
    """What stands above the table: the lines themselves, and the area and the temperature among them."""
    above = [line.strip(" \t,;\"'#%") for line in head(text)]
    remarks = "\n".join(line for line in above if line and not line.lower().startswith("sep="))
    if not remarks:
        return {}
    return told(area=_area(remarks), temperature=_temperature(remarks), comments=remarks[:_MOST])


def _area(remarks: str) -> str:
    """The area as a quantity, of "Area (cm2): 1.13" or "area = 1.13 cm^2"; "" where there is none."""
    match = _AREA.search(remarks)
    return area_text(match[1] or match[3] or "", f"{match[2][:-1].rstrip('^')}^2") if match else ""


def _temperature(remarks: str) -> str:
    """The temperature as a quantity, of "T / K: 298" or "Temperature: 25 °C"; "" where there is none."""
    match = _TEMPERATURE.search(remarks)
    if match is None or not (degree := match[1] or match[3]):
        return ""
    return f"{match[2].replace(',', '.')} {'K' if degree.upper() == 'K' else 'degC'}"
