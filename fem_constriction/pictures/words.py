"""A value with an SI prefix, for terminals ("146.394 kohm") and for pictures and pages ("146.394 kΩ")."""

from __future__ import annotations

import math
import re
from typing import Final

MICRO: Final = "\N{MICRO SIGN}"
#: Exponent of 1000 -> SI prefix, in letters that every terminal has.
PREFIXES: Final = dict(zip(range(-10, 11), "qryzafpnum kMGTPEZYRQ", strict=True))
#: The same where there are more letters, and what stands for a unit there.
SIGNS: Final = {n: {"u": MICRO, " ": ""}.get(sign, sign) for n, sign in PREFIXES.items()}
_UNITS: Final = {"ohm": "\N{GREEK CAPITAL LETTER OMEGA}"}


def amount(value: float | None, unit: str, places: int = 3) -> str:
    """Return the value with an SI prefix, in plain letters.

    Parameters
    ----------
    value
        In the unit; None: there is none.
    unit
        Its symbol in plain letters: "ohm", "s", "F".
    places
        Behind the point.

    Returns
    -------
    str
        Such as "146.394 kohm", "1.5 us", "none", "infinite".
    """
    number, prefix = _parts(value, places)
    return number if prefix is None else f"{number} {prefix}{unit}".strip()


def written(value: float | None, unit: str, places: int = 3) -> str:
    """Return the same with signs: 146.394 kΩ, 1.5 µs.

    Parameters
    ----------
    value, unit, places
        As of `amount`.

    Returns
    -------
    str
        For pictures and pages, which have all letters.
    """
    number, prefix = _parts(value, places)
    if prefix is None:
        return number
    return f"{number} {prefix.replace('u', MICRO)}{_UNITS.get(unit, unit)}".strip()


def signed(text: str) -> str:
    """Return a text whose amounts have signs for ohm and micro: "1.5 us in 3 kohm" is "1.5 µs in 3 kΩ".

    Parameters
    ----------
    text
        With amounts as `amount` writes them, and with units alone: "Re Z / ohm".

    Returns
    -------
    str
        Everything else as it was.
    """
    text = re.sub(r"\b([qryzafpnumkMGTPEZYRQ]?)ohm\b", lambda found: found[1].replace("u", MICRO) + _UNITS["ohm"], text)
    return re.sub(r"(?<=[0-9] )u(?=(?:s|F|H|m|V|A|Hz)\b)", MICRO, text)


def _parts(value: float | None, places: int) -> tuple[str, str | None]:
    """The number as it is written, and its prefix: None where there is no number that a unit belongs to."""
    if value is None:
        return "none", None
    if not math.isfinite(value):
        return "infinite", None
    exponent = 0 if not value else min(max(math.floor(math.log10(abs(value)) / 3 + 1e-12), -10), 10)
    if abs(float(f"{value / 1000.0**exponent:.{places}f}")) >= 1000 and exponent < 10:  # 999.9996 is 1.000 of the next
        exponent += 1
    number = f"{value / 1000.0**exponent:.{places}f}".replace("-", "\N{MINUS SIGN}")
    return number, PREFIXES[exponent].strip()
