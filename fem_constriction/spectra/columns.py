"""Columns of a spectrum, as instruments and other programs write them, -> Hz and ohm, by name, sign and unit.

A header is the first line that names a frequency, Re(Z) with Im(Z) or |Z| with the phase; what stands above it is passed over,
a line of units below it is taken. Without a header the columns are frequency, Re(Z), Im(Z) and, in a fourth, u(Z).
"""

from __future__ import annotations

import cmath
import csv
import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile
from typing import NamedTuple

from fem_constriction.errors import InputError, Written, short, show
from fem_constriction.spectra.numerals import Decimal, cleaned, decimal_sign, is_number, value
from fem_constriction.spectra.titles import UNITS, Column, layout, scale

#: What a spectrum that is saved begins with.
HEADER = "freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm"
#: What is allowed as a frequency, for messages.
POSITIVE = "a positive number in Hz (direct current is fc.resistance)"

_WORDS = {"f": "frequency", "omega": "angular frequency", "re": "Re(Z)", "im": "Im(Z)", "modulus": "|Z|", "phase": "phase"}
_WORDS |= {"u": "u(Z)"}
_ALLOWED = {"re": "a finite number in ohm", "im": "a finite number in ohm", "u": "a number of at least 0 in ohm"}
_ALLOWED |= {"f": POSITIVE, "omega": "a positive number in rad/s", "modulus": "a number of at least 0 in ohm"}
_ALLOWED |= {"phase": "a finite number in deg"}
_DIRECTIVE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_NAMED = re.compile(r"f|omega|ω|\bw\b", re.IGNORECASE)  # no line without any of these names a frequency
_WITHOUT = [Column(kind) for kind in ("f", "re", "im", "u")]
_MODULI = 6  # rows from which on a fourth column that is |Z| to 0.1 % is no uncertainty
_COUNTED = 3  # rows from which on a first column 1, 2, 3 is a counter, not a frequency


class _Line(NamedTuple):
    number: int
    text: str


class _Row(NamedTuple):
    """The cells of ours in one line of data, cleaned."""

    number: int
    cells: list[str]


def columns(text: str, path: str, *, empty: bool = False) -> dict[str, list[float]]:
    """The columns f (Hz), re, im and u (ohm) of a text; u is empty if there is none. Raises InputError with path and line.

    Rows in which all of these are 0 are of direct current, which instruments write between sweeps: they are passed over. empty:
    whether a table without rows is one; left out, it is refused.
    """
    lines, separators, header = _located(text, path)
    if header is None:
        kinds, rows = _WITHOUT, list(_bare(lines, separators, path))
    else:
        place, separator, kinds = header
        kinds, rows = _below(lines[place:], separator, kinds, path)
    rows = [row for row in rows if not all(map(_zero, row.cells))]
    if not rows and empty:
        return {"f": [], "re": [], "im": [], "u": []}
    if not rows:
        raise InputError(f"holds no data, and must have the columns {HEADER}", file=path)
    kinds = [kind for kind in kinds if kind.kind][: len(rows[0].cells)]
    first = next(place for place, kind in enumerate(kinds) if kind.kind in ("f", "omega"))
    numeric = [cell for row in rows for cell in row.cells if is_number(cell)]
    decimal = decimal_sign(numeric, [cell for row in rows if is_number(cell := row.cells[first])], path)
    values = [[_number(cell, kind, decimal, f"{path}, line {row.number}") for cell, kind in zip(row.cells, kinds, strict=True)]
              for row in rows]  # fmt: skip
    found = _in_si(
        {kind.kind: list(column) for kind, column in zip(kinds, zip(*values, strict=True), strict=True)}, kinds, path
    )
    if header is None:
        _refuse_others(found, rows, path)
    return found


def head(text: str) -> list[str]:
    """The lines of a text above the names of its columns; of one without names those that begin it with # or %."""
    lines, _, header = _located(text, "")
    if header is None:
        return [line.text for line in takewhile(lambda line: line.text.lstrip().startswith(("#", "%")), lines)]
    return [line.text for line in lines[: header[0] - 1]]


def numbered(text: str) -> list[str]:
    """The lines of a text, ended as any system ends them."""
    return re.split(r"\r*\n|\r", text)


def _located(text: str, path: str) -> tuple[list[_Line], list[str], tuple[int, str, list[Column]] | None]:
    """The lines that are not empty, the separators that are tried, and the header, None if there is none (see `_headers`)."""
    lines = [_Line(number, line) for number, line in enumerate(numbered(text), 1) if line.strip()]
    directive = _DIRECTIVE.fullmatch(lines[0].text.strip()) if lines else None
    separators = [directive[1]] if directive else ["\t", ";", ",", ""]
    lines = lines[1:] if directive else lines
    headers = list(_headers(lines, separators, path))
    return lines, separators, next((e for e in headers if _has_data(lines[e[0] :], e[2])), headers[0] if headers else None)


def _zero(cell: str) -> bool:
    return re.fullmatch(r"[+-]?0*[.,]?0*(?:[eE][+-]?\d+)?", cell) is not None and "0" in cell


def _headers(lines: Sequence[_Line], separators: Sequence[str], path: str) -> Iterator[tuple[int, str, list[Column]]]:
    """Lines that name the columns of a spectrum: where the data begin, the separator, and what each column is."""
    for place, line in enumerate(lines):
        plain = line.text.lstrip(" #%")
        if not _NAMED.search(plain):
            continue
        for separator in separators:
            if separator in plain:
                cells = _without_end(_split(plain, separator))
                found = layout(cells, f"{path}, line {line.number}") if len(cells) >= len(_WITHOUT) - 1 else None
                if found is not None:
                    yield place + 1, separator, found
                    break


def _has_data(lines: Sequence[_Line], kinds: Sequence[Column]) -> bool:
    """Whether one of the three lines below a header is a row of data; the third, where units and a rule stand between."""
    ours = [place for place, kind in enumerate(kinds) if kind.kind]
    splits = [_split(line.text, sign) for line in lines[:3] for sign in "\t;, "]
    return any(len(cells) >= len(kinds) and all(is_number(cells[place]) for place in ours) for cells in splits)


def _bare(lines: Sequence[_Line], separators: Sequence[str], path: str) -> Iterator[_Row]:
    """Rows of a file that names no columns. Raises InputError unless there are three or four, all of numbers."""
    separator: str | None = None
    count, ended = 0, 0
    for line in lines:
        if line.text.lstrip().startswith(("#", "%")):
            continue
        where = f"{path}, line {line.number}"
        if separator is None:
            splits = {sign: _without_end(_split(line.text, sign)) for sign in separators if sign in line.text}
            separator = next((sign for sign, cells in splits.items() if len(cells) > 1 and all(map(is_number, cells))), None)
            if separator is None:
                cells = next((cells for cells in splits.values() if len(cells) > 1), _split(line.text, ""))
                names = ", ".join(map(show, cells[:4])) + ", ..." * (len(cells) > 4)
                allowed = f"must be {HEADER} once each (or f, Z', Z'' or -Z'', or |Z| and phase) among others"
                raise InputError(f"the columns {names} are not allowed: they {allowed}", file=where)
        cells = _split(line.text, separator)
        if count and not any(is_number(cell) for cell in cells):
            ended = ended or line.number  # a remark below the data
            continue
        if ended:
            raise InputError(f"the data go on after line {ended}, which is no row of them", file=where)
        if not count:
            cells = _without_end(cells)
            count = len(cells)
            if count not in (3, 4):
                allowed = "without a header there must be 3 or 4 (frequency, Re(Z), Im(Z), u(Z))"
                raise InputError(f"{count} columns, and {allowed}", file=where)
        while len(cells) > count and not cells[-1]:
            cells.pop()
        if len(cells) != count:
            raise InputError(f"{len(cells)} columns, and the lines above it have {count}", file=where)
        yield _Row(line.number, cells)


def _below(lines: Sequence[_Line], separator: str, kinds: list[Column], path: str) -> tuple[list[Column], list[_Row]]:
    """The columns, with the units of a line below the header, and the rows: what belongs to no table above them is left out."""
    rows: list[_Row] = []
    ended = 0
    ours = [place for place, kind in enumerate(kinds) if kind.kind]
    for line in lines:
        where = f"{path}, line {line.number}"
        cells = _split(line.text, separator)
        while len(cells) > len(kinds) and not cells[-1]:
            cells.pop()
        if len(cells) != len(kinds) and not rows:  # the header has blanks in its names, or other separators than the data
            others = (_split(line.text, sign) for sign in "\t;, ")
            cells = next((other for other in others if len(other) == len(kinds) and is_number(other[ours[0]])), cells)
            if len(cells) == len(kinds) and is_number(cells[ours[0]]):
                separator = next(sign for sign in "\t;, " if _split(line.text, sign) == cells).strip()
        wanted = [cells[place] for place in ours] if len(cells) == len(kinds) else []
        filled = [cell for cell in cells if cell]  # a row that begins with a separator may be cut short as well
        numbers = any(map(is_number, wanted)) if wanted else len(filled) > 1 and all(map(is_number, filled))
        if not rows and wanted and not numbers:
            kinds = _with_units(kinds, cells, where)
        elif line.text.lstrip().startswith(("#", "%")):
            continue
        elif not numbers and not wanted:
            ended = ended or (line.number if rows else 0)  # a remark above or below the data
        elif rows and any(cells) and not numbers and layout(cells, where) is not None:
            if layout(cells, where) != kinds:
                raise InputError("other columns than above, one table or several with the same columns are allowed", file=where)
            ended = 0  # a further sweep with the same header
        elif not wanted:
            raise InputError(f"{len(cells)} columns, and the lines above it have {len(kinds)}", file=where)
        elif ended:
            raise InputError(f"the data go on after line {ended}, which belongs to no table", file=where)
        else:
            rows.append(_Row(line.number, wanted))
    return kinds, rows


def _with_units(kinds: list[Column], cells: Sequence[str], where: str) -> list[Column]:
    """The columns with the units in a line below their names. Raises InputError for a cell of ours that is none."""
    found = []
    for kind, cell in zip(kinds, cells, strict=True):
        unit = cell.strip("()[]# ")
        if kind.kind and unit:
            factor = scale(kind.kind, unit)
            if factor is None or kind.unit:
                raise InputError(
                    file=where,
                    key=_WORDS[kind.kind],
                    value=Written(short(cell)),
                    allowed=f"{_ALLOWED[kind.kind]}, or once, below its name, {UNITS[kind.kind]} or a multiple",
                )
            kind = Column(kind.kind, math.copysign(factor, kind.factor), unit=True)
        found.append(kind)
    return found


def _split(line: str, separator: str) -> list[str]:
    """The cells of a line, cleaned; "" stands for any number of blanks."""
    if separator in ("", " "):  # a unit belongs to its name: "Freq (Hz)", "Z' / Ohm"
        joined = re.sub(r"[ \t]+(?=[(\[])|[ \t]*/[ \t]*", lambda match: match[0].strip(), line.strip())
        return [cleaned(cell.strip('"')) for cell in re.split(r"[ \t]+", joined)]
    if '"' in line:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
        return [cleaned(cell) for cell in cells]
    return [cleaned(cell) for cell in line.split(separator)]


def _without_end(cells: list[str]) -> list[str]:
    """The cells without empty ones behind the last: separators at the end of a line."""
    return cells[: next((n for n in range(len(cells), 0, -1) if cells[n - 1]), 0)]


def _number(cell: str, column: Column, decimal: Decimal, where: str) -> float:
    number = value(cell, decimal)
    positive, least = column.kind in ("f", "omega"), column.kind in ("u", "modulus")
    fine = number > 0 if positive else number >= 0 if least else not math.isnan(number)
    if not fine or (math.isinf(number) and column.kind != "u"):
        raise InputError(
            file=where, key=_WORDS[column.kind], value=Written(short(cell) or "nothing"), allowed=_ALLOWED[column.kind]
        )
    return number * column.factor


def _in_si(found: dict[str, list[float]], kinds: Sequence[Column], path: str) -> dict[str, list[float]]:
    """The columns f, re, im and u. Raises InputError for phases that could be in degrees and in radians."""
    result = {"f": found.get("f") or found["omega"], "u": found.get("u", [])}
    if "re" in found:
        return result | {"re": found["re"], "im": found["im"]}
    stated = next(kind.unit for kind in kinds if kind.kind == "phase")
    if not stated and max(map(abs, found["phase"])) <= math.pi:
        raise InputError(
            f"the phase is {max(map(abs, found['phase'])):.3g} at most and has no unit: name it phase/deg or phase/rad",
            file=path,
        )
    pairs = zip(found["modulus"], found["phase"], strict=True)
    z = [cmath.rect(modulus, math.radians(phase)) for modulus, phase in pairs]
    return result | {"re": [each.real for each in z], "im": [each.imag for each in z]}


def _refuse_others(found: dict[str, list[float]], rows: Sequence[_Row], path: str) -> None:
    """Raise InputError where columns without names cannot be what they would be taken for."""
    f, u = found["f"], found["u"]
    name = f"name the columns, for instance {HEADER}"
    steps = {later - earlier for earlier, later in pairwise(f)}
    counted = all(row.cells[0].isdigit() for row in rows)  # frequencies have a point, those that `Spectrum.save` writes too
    if len(f) >= (_COUNTED if not u else 2) and steps in ({1.0}, {-1.0}) and counted:
        raise InputError(
            f"the first column, {f[0]:g}, {f[1]:g}, ..., counts the rows, and frequencies stand there: {name}", file=path
        )
    modulus = [math.hypot(re, im) for re, im in zip(found["re"], found["im"], strict=True)]
    if len(u) >= _MODULI and all(abs(each - other) <= 1e-3 * other for each, other in zip(u, modulus, strict=True)):
        raise InputError(f"the fourth column is |Z|, and the uncertainty stands there: {name}", file=path)
