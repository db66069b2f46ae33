"""Columns of a spectrum, as instruments and other programs write them, -> Hz and ohm, by name, sign and unit."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

from fem_constriction.errors import InputError
from fem_constriction.faults import show
from fem_constriction.units import parse

#: What a spectrum that is saved begins with.
HEADER = "freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm"
#: What is allowed as a frequency, for messages.
POSITIVE = "a positive number in Hz (direct current is fc.resistance)"

_NAMES = {  # of columns, in lower case and without unit, sign, blanks and underscores
    "f": ("f", "freq", "frequency"),
    "re": ("re", "re(z)", "rez", "real", "real(z)", "z'", "zre", "zreal", "z(re)"),
    "im": ("im", "im(z)", "imz", "imag", "imag(z)", "z''", 'z"', "zim", "zimag", "z(im)"),
    "u": ("u(z)",),
}
_TITLE = re.compile(r"(-?)\s*(.*?)\s*(?:/\s*(.+)|\[(.+)\]|\(((?!re|im|z)[^()]+)\))?", re.IGNORECASE)
_UNITS = {"hz": "Hz", "ohm": "ohm", "ohms": "ohm", "a": "", "b": ""}  # ZView writes Z'(a) and Z''(b)
_COLUMNS = {name: column for column, names in _NAMES.items() for name in names}


def columns(text: str, path: str) -> dict[str, list[float]]:
    """The columns f (Hz), re, im and u (ohm) of a text; u is empty if there is none. Raises InputError with path and line."""
    found: dict[str, list[float]] = {"f": [], "re": [], "im": [], "u": []}
    layout: list[tuple[str, float]] | None = None
    separator = None
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path}, line {number}"
        remark = line.lstrip().startswith("#")
        line = line.strip().lstrip("# ") if remark else line.strip()
        if not line:
            continue
        if layout is None or not any(found.values()):
            separator = next((sign for sign in "\t;," if sign in line), None)
        cells = _split(line, separator)
        if remark or (layout is None and not any(map(_is_number, cells))):
            layout = _layout(cells, where, strict=not remark) or layout
            continue
        if layout is None:
            if len(cells) not in (3, 4):
                allowed = "without a header there must be 3 or 4 (frequency, Re(Z), Im(Z), u(Z))"
                raise InputError(f"{where}: {len(cells)} columns, and {allowed}")
            layout = [(column, 1.0) for column in ("f", "re", "im", "u")[: len(cells)]]
        if len(cells) != len(layout):
            raise InputError(f"{where}: {len(cells)} columns, and the lines above it have {len(layout)}")
        for cell, (column, factor) in zip(cells, layout, strict=True):
            if column:
                found[column].append(_number(cell, column, where) * factor)
    if not found["f"]:
        raise InputError(f"{path}: holds no data, and must have the columns {HEADER}")
    return found


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:  # a unit belongs to its name: "Freq (Hz)", "Z' / Ohm"
        line = re.sub(r"\s+(?=[(\[])|\s*/\s*", lambda match: match[0].strip(), line)
    cells = [cell.strip().removeprefix('"').removesuffix('"').strip() for cell in line.split(separator)]
    while len(cells) > 3 and not cells[-1]:
        cells.pop()
    if separator == ",":
        return cells
    return [cell.replace(",", ".") if _is_number(cell) else cell for cell in cells]  # decimal commas


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _number(cell: str, column: str, where: str) -> float:
    allowed = {"f": POSITIVE, "u": "a number of at least 0 in ohm"}.get(column, "a finite number in ohm")
    name = {"f": "frequency", "re": "Re(Z)", "im": "Im(Z)", "u": "u(Z)"}[column]
    value = float(cell) if _is_number(cell) and "," not in cell else math.nan
    fine = value > 0 if column == "f" else value >= 0 if column == "u" else not math.isnan(value)
    if not fine or (math.isinf(value) and column != "u"):
        raise InputError(f"{where}: {name} = {cell or 'nothing'} is not allowed: {allowed}")
    return value


def _layout(cells: Sequence[str], where: str, strict: bool) -> list[tuple[str, float]] | None:
    """For each column what it is ("" if nothing of ours) and the factor to Hz or ohm, negative for -Z''."""
    layout = []
    for cell in cells:
        plain = unicodedata.normalize("NFKC", cell).translate(str.maketrans("′’−", "''-"))
        match = _TITLE.fullmatch(plain)
        sign, name, *units = match.groups("") if match else ("", plain)
        name = re.sub(r"[\s_.]", "", name).lower()
        column = _COLUMNS.get(name, "")
        unit = _UNITS.get("".join(units).lower(), "".join(units))
        factor = -1.0 if sign else 1.0
        try:
            factor *= parse(f"1 {unit}", "Hz" if column == "f" else "ohm") if column and unit else 1.0
        except InputError:
            unit = "Hz" if column == "f" else "ohm"
            raise InputError(f"{where}: the unit of {cell} must be {unit} or a multiple") from None
        if sign and column in ("f", "re", "u"):
            raise InputError(f"{where}: {cell} has a minus, which only the imaginary part may have")
        layout.append((column, factor))
    found = [column for column, _ in layout if column]
    if len(found) != len(set(found)) or not {"f", "re", "im"} <= set(found):
        if strict:
            names = ", ".join(map(show, cells))
            allowed = f"must be {HEADER} once each (or f, Z', Z'' or -Z'') among others"
            raise InputError(f"{where}: the columns {names} are not allowed: they {allowed}")
        return None
    return layout
