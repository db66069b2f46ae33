"""1,000.5 or 1.000,5 or 1 000,5: numbers as people and instruments write them; the decimal sign is one for a whole file.

A number has at most one decimal sign, and groups of three digits before it, the first without a leading zero. Nobody writes
groups before an exponent: "9,961e+4" has a decimal comma. Of a comma and a point the one that makes numbers of all cells is the
decimal sign. Where both do ("100,000" beside "11.235"), the one that makes the frequencies run in one direction is; where that
does not tell them apart either, the file is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

from fem_constriction.errors import InputError, show

Decimal = Literal[".", ","]

_SIGNS: Final = str.maketrans(
    dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{HYPHEN}\N{NON-BREAKING HYPHEN}", "-")
    | dict.fromkeys("\N{RIGHT SINGLE QUOTATION MARK}\N{PRIME}", "'")
)
_BEYOND: Final = r"[+-]?(?:nan|inf|infinity)(?![a-z])"  # numbers to `float`, refused as values
_EXPONENT: Final = r"(?:[eEdD][+-]?\d{1,4})?"


def _pattern(decimal: str, group: str) -> re.Pattern[str]:
    groups = rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+(?:{decimal}\d*)?|[1-9]\d{{0,2}}(?: \d{{3}})+(?:{decimal}\d*)?"
    groups += rf"|[1-9]\d{{0,2}}(?:'\d{{3}})+(?:{decimal}\d*)?"
    plain = rf"0?{decimal}\d+|\d+{decimal}\d*|0{_EXPONENT}|[1-9]\d*"
    return re.compile(rf"[+-]?(?:{groups}|(?:{plain}){_EXPONENT})|{_BEYOND}", re.IGNORECASE)


_SIMPLE: Final = re.compile(
    r"[+-]?(?:0|[1-9]\d*|\d+\.\d*|\.\d+)(?:[eE][+-]?\d{1,4})?"
)  # to `float` as to us: most cells of most files
_PATTERNS: Final[dict[Decimal, re.Pattern[str]]] = {".": _pattern(r"\.", ","), ",": _pattern(",", r"\.")}


def cleaned(cell: str) -> str:
    """The cell without blanks around it, with plain minus signs, apostrophes, digits and spaces."""
    if cell.isascii():
        return cell.strip()
    return unicodedata.normalize("NFKC", cell).translate(_SIGNS).strip()


def is_number(cell: str) -> bool:
    """Whether a cell is a number with a decimal point or with a decimal comma, a cleaned one."""
    return _SIMPLE.fullmatch(cell) is not None or any(pattern.fullmatch(cell) for pattern in _PATTERNS.values())


def decimal_sign(cells: Sequence[str], ordered: Sequence[str], path: str) -> Decimal:
    """Return the decimal sign of a file from its cells that are numbers, all cleaned; `ordered`: those of one column, in order.

    Raises InputError where none serves for all of them, or both do and mean different numbers.
    """
    written = [cell for cell in cells if "," in cell or "." in cell]
    if not any("," in cell for cell in written):
        return "," if any(cell.count(".") > 1 for cell in written) else "."
    fits: list[Decimal] = [sign for sign, pattern in _PATTERNS.items() if all(map(pattern.fullmatch, written))]
    if len(fits) == 1:
        return fits[0]
    if not fits:
        point, comma = (next(c for c in written if not _PATTERNS[sign].fullmatch(c)) for sign in (",", "."))
        raise InputError(
            f"{path}: {show(point)} and {show(comma)} are not allowed in one file: numbers with one decimal sign are, "
            "a point or a comma, and groups of three digits before it"
        )
    turns = {sign: _turns([value(cell, sign) for cell in ordered]) for sign in fits}
    if turns["."] != turns[","]:
        return min(fits, key=turns.__getitem__)
    example = next(cell for cell in written if "," in cell)
    raise InputError(
        file=path,
        value=example,
        when=f"because it could be {value(example, '.'):g} or {value(example, ','):g}",
        allowed="numbers with a decimal point and without a sign between thousands are",
    )


def value(cell: str, decimal: Decimal) -> float:
    """Return the number in a cleaned cell that `is_number`; not a number where it is none with this decimal sign."""
    if decimal == "." and _SIMPLE.fullmatch(cell):
        return float(cell)
    if _PATTERNS[decimal].fullmatch(cell) is None:
        return float("nan")
    other = "," if decimal == "." else "."
    plain = cell.replace(other, "").replace(" ", "").replace("'", "").replace(decimal, ".")
    return float(re.sub("[dD](?=[+-]?[0-9])", "e", plain))


def _turns(values: Sequence[float]) -> int:
    """How often a sequence changes its direction."""
    steps = [later > earlier for earlier, later in pairwise(values) if later != earlier]
    return sum(one != other for one, other in pairwise(steps))
