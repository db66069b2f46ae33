"""f in Hz from what a user gives: one number, several, a text such as "1 kHz:1 MHz:61", or an array with a unit."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.cell.conversion import apart, converted, number
from fem_constriction.errors import InputError, show

#: Frequencies that are taken at once.
MOST: Final = 1_000_000
#: The highest and, inverted, the lowest one in Hz: beyond 1e150, squares of what the solvers multiply overflow.
HIGHEST: Final = 1e100

_POSITIVE: Final = "a positive number in"
_ZERO: Final = "a number of at least 0 in"
_DIRECT: Final = "direct current is fc.resistance"


def frequencies_taken(values: Any, unit: str = "Hz", name: str = "frequencies", *, zero: bool = False) -> Array:
    """Return f in Hz, shape (n,), from whatever a user may give for it; nothing that has a unit is taken without it.

    Parameters
    ----------
    values
        A number in Hz; a text (`parse_frequencies`); a sequence or a one-dimensional array of numbers in Hz, of texts with
        units and of quantities; a quantity of pint or of another library, with one value or several (`conversion.apart`). An
        angle per time is divided by a full turn: 2 pi rad/s is 1 Hz.
    unit
        "1/s" for rates, real s, which are no frequencies.
    name
        What messages call them.
    zero
        Whether 0 is allowed: direct current.

    Returns
    -------
    numpy.ndarray
        Float, shape (n,), n from 1 to MOST, in the order given.

    Raises
    ------
    InputError
        For what is empty, of more than one dimension, complex, true or false, masked, not a number, not finite, or negative (or
        0); for a text without a unit among others, and for a unit that is none of a frequency.
    """
    if isinstance(values, str):
        return parse_frequencies(values, unit, name, zero=zero)
    what = f"one or several numbers in {unit} of at least 0" if zero else f"one or several positive numbers in {unit}"
    try:
        found = _floats(values, unit)
    except ValueError as error:
        raise InputError(key=name, value=values, allowed=what, why=str(error)) from None
    wrong = ~((found <= HIGHEST) & ((found >= 1 / HIGHEST) | (zero & (found == 0))))
    if wrong.any():
        value = float(found[wrong][0])
        raise InputError(key=name, value=value, allowed=f"{what}{_beyond(value)}", note="" if zero else _DIRECT)
    return found


def parse_frequencies(text: str, unit: str = "Hz", name: str = "frequencies", *, zero: bool = False) -> Array:
    """f_i = a (b/a)^(i/(n-1)) for "a:b:n", both ends included exactly; or a list "1,10,100"; in Hz.

    Parameters
    ----------
    text
        Numbers in Hz, or all of them with a unit: "1 kHz:1 MHz:61", "1 Hz, 10 Hz", "6.28 rad/s".
    unit, name, zero
        As of `frequencies_taken`; 0 only in a list.

    Returns
    -------
    numpy.ndarray
        Float, shape (n,).

    Raises
    ------
    InputError
        Unless n is a whole number from 1 (1 only if a = b), all frequencies are positive, and all or none have a unit.
    """
    allowed = f"a:b:n, n logarithmically spaced values from a to b in {unit}, or a list such as 1,10,100"
    refused = InputError(key=name, value=text, allowed=allowed)
    parts = text.split(":")
    if len(parts) not in (1, 3):
        raise refused
    ends = parts[:2] if len(parts) == 3 else text.split(",", MOST)
    read = [_read(part.strip(), unit, refused) for part in ends]
    for part, (value, _) in zip(ends, read, strict=True):
        if not (1 / HIGHEST <= value <= HIGHEST or (zero and value == 0 and len(parts) == 1)):
            what = f"{_ZERO if zero else _POSITIVE} {unit}{_beyond(value)}"
            raise refused.vary(when=f"with {part.strip()}", allowed=what, note=_DIRECT)
    if len({has for _, has in read}) > 1:
        raise refused.vary(allowed="a unit belongs to each of the numbers, or to none of them")
    values = np.array([value for value, _ in read])
    if len(parts) == 1:
        if len(values) > MOST:
            raise InputError(f"are more than {MOST}, the most that is taken at once", key=name)
        return values
    try:
        count = int(parts[2])
    except ValueError:
        count = 0
    if not 1 <= count <= MOST:
        raise refused.vary(when=f"with n = {show(parts[2].strip())}", allowed=f"n is a whole number from 1 to {MOST}")
    if count == 1 and values[0] != values[1]:
        raise refused.vary(allowed="n = 1 only if both ends are equal, n from 2 otherwise")
    spaced = np.geomspace(values[0], values[1], count)
    spaced[0], spaced[-1] = values
    return spaced


def _beyond(value: float) -> str:
    return f" from {1 / HIGHEST:g} to {HIGHEST:g}" if 0 < value < math.inf else ""


def _read(part: str, unit: str, refused: InputError) -> tuple[float, bool]:
    """The number in a part of a text, and whether it has a unit. Raises what refuses the whole text, with the reason."""
    try:
        return float(part if "_" not in part else ""), False
    except ValueError:
        pass
    try:
        return number(part, unit), True
    except ValueError as error:
        if not any(map(str.isdigit, part)):
            raise refused.vary(when=f"because {show(part)} is not a number") from None
        raise refused.vary(when=f"with {show(part)}", allowed="", why=str(error)) from None


def _floats(values: Any, unit: str) -> Array:
    """What was given as floats in `unit`. Raises ValueError, in a few words what is wrong."""
    magnitude, written = apart(values)
    if isinstance(magnitude, (str, bytes, numbers.Number, Decimal)):
        return np.array([number(values, unit)])
    if isinstance(magnitude, (Mapping, set, frozenset)) or not isinstance(magnitude, Iterable):
        raise ValueError("it is neither a number nor a list of numbers")
    shape = getattr(magnitude, "shape", None)
    if isinstance(shape, tuple) and len(shape) != 1:
        raise ValueError(f"it has the shape {shape}, and must have one dimension")
    if np.ma.is_masked(magnitude):
        raise ValueError("some of it is masked")
    kind = getattr(getattr(magnitude, "dtype", None), "kind", "")
    if written is None and kind and kind in "iuf":
        found = np.array(magnitude, dtype=float)
    else:
        listed = list(islice(magnitude, MOST + 1))
        found = np.array([number(each, unit) if written is None else converted(each, written, unit) for each in listed])
    if not 0 < found.size <= MOST:
        raise ValueError("it is empty" if not found.size else f"it has more than {MOST} values, the most that is taken at once")
    return found
