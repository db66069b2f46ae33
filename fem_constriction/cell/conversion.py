"""x in a unit from what a user gives: a number, a text such as "0.46 mS/cm", or an object of another library with its unit.

The registry is pint's; decimal arithmetic keeps "50 um" equal to 5e-05 to the last bit. What is refused is a ValueError that
says why in a few words: `units` and `frequencies` know what to say around it.
"""

from __future__ import annotations

import decimal
import math
import numbers
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fem_constriction.cell import usual_units
from fem_constriction.errors import show

if TYPE_CHECKING:
    import pint

#: Characters of the longest text that is read as a number with a unit.
LONGEST: Final = 200

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SIGNS = str.maketrans(
    dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{HYPHEN}", "-")
    | dict.fromkeys("\N{MIDDLE DOT}\N{DOT OPERATOR}\N{BULLET OPERATOR}\N{BULLET}\N{MULTIPLICATION SIGN}", "*")
    | dict.fromkeys("\N{ZERO WIDTH SPACE}\N{WORD JOINER}\N{ZERO WIDTH NO-BREAK SPACE}", "")
)
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\s*\*\s*10\s*\^\s*([+-]?\d+))?")
_GROUPED = re.compile(r"[,_'’]\s*\d")
_UNIT = re.compile(r"(?=\D|1\s*/)[A-Za-zΩμÅ°%_*/^()0-9+\-. ]{1,80}")
_TOWER = re.compile(r"\^[^A-Za-z]*\^|\^[\s(]*[+-]?\d{3}")  # powers of powers take for ever
_CONTEXT = decimal.Context(prec=50, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
_BARE: Final = "it has no unit"
#: s^n and s^(n-1), the letter n standing for an exponent: a unit of its own, so that no other power is taken for it.
_OPEN_POWER = re.compile(r"(?<![A-Za-zΩμÅ_])s\s*\^\s*(?:n|\(\s*n\s*([+-]\s*\d+)?\s*\))(?![A-Za-z0-9_^])")


def _plain(text: str) -> str:
    """Spaces, minus signs, middle dots, superscripts, micro and ohm signs in the one spelling used below."""
    text = re.sub("ⁿ([⁺⁻][⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", lambda m: f"^(n{m[1].translate(_SUPERSCRIPTS)})" if m[1] else "^n", text)
    text = re.sub("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda match: "^" + match[0].translate(_SUPERSCRIPTS), text)
    return unicodedata.normalize("NFKC", text).translate(_SIGNS)


def spell(unit: str) -> str:
    """A unit as researchers write it, spelt for pint: cm2, cm², cm-1, ohm·cm, Ohm.cm, ohm-cm, /cm.

    The registry of `registry` applies it to whatever it parses.
    """
    unit = _plain(unit).replace("**", "^").strip().lstrip("* ")
    unit = _OPEN_POWER.sub(lambda power: f"(s_to_n*s^{power[1].replace(' ', '')})" if power[1] else "s_to_n", unit)
    unit = re.sub(r"(?<=[A-Za-zΩμÅ)])(?=[+-]?\d)", "^", unit)
    unit = re.sub(r"(?<=[A-Za-zΩÅ)])-(?=[A-Za-zΩμÅ(])", "*", unit)
    unit = re.sub(r"(?<=[A-Za-zΩÅ)\d])\.(?=[A-Za-zΩμÅ(])", "*", unit)
    return "1" + unit if unit.startswith("/") else unit


@lru_cache(maxsize=1)
def registry() -> pint.UnitRegistry[Any]:
    """The one registry, made when first asked for: pint's units, decimal numbers, and our spellings.

    pint looks for arrays of other libraries when it is imported, and imports all of dask: no cell of usual units needs that.
    """
    import pint

    units: pint.UnitRegistry[Any] = pint.UnitRegistry(non_int_type=decimal.Decimal, preprocessors=[spell])
    units.define("@alias ohm = Ohm = Ohms")
    units.define("s_to_n = [time_to_n]")
    return units


@lru_cache(maxsize=1024)
def conversion(written: str, unit: str) -> tuple[decimal.Decimal, decimal.Decimal]:
    """(a, b) of x = a y + b, for y in the unit that is written and x in `unit`.

    Both must be equal down to base units, angles and counts among them. Dimensions alone do not tell "um rad" from um, nor
    rad/s from Hz: pint calls every angle dimensionless. A frequency (`unit` "Hz") is taken in hertz, or as an angle per time,
    of which a full turn is a period; 1/s may be meant as either, and is refused, as is a percentage. Raises ValueError.
    """
    spelt = spell(written)
    if (usual := usual_units.factor(spelt, unit)) is not None:
        return usual, decimal.Decimal(0)
    named, units = show(written), registry()
    wanted = units.parse_units(unit)
    try:
        if not _UNIT.fullmatch(spelt) or _TOWER.search(spelt):
            raise ValueError
        has = units.parse_units(spelt)
        base, dimension = units.get_root_units(has)[1], has.dimensionality
        parts = {name: units.get_root_units(name)[1] for name in units.parse_units_as_container(spelt)}
    except Exception:  # pint raises many kinds, AssertionError among them, for what is no unit
        raise ValueError(f"{named} is not a known unit") from None
    if dimension != wanted.dimensionality:
        raise ValueError(f"{named} has the dimension {dimension}, not {wanted.dimensionality}")
    counts_periods, is_frequency = any(name.endswith("hertz") for name in parts), unit == "Hz"
    turn = units.parse_units("turn")
    if is_frequency and not counts_periods and base == units.get_root_units(turn / units.parse_units("s"))[1]:
        wanted = wanted * turn
    elif base != (in_base := units.get_root_units(wanted)[1]):
        raise ValueError(f"{named} is a multiple of {unit} times {base / in_base:D}, not of {unit}")
    elif is_frequency != counts_periods:
        allowed = "Hz or rad/s" if is_frequency else unit
        raise ValueError(f"{named} may count periods or radians: write {allowed}")
    for name, root in parts.items():
        if name.startswith("delta_") or root == units.parse_units(""):
            raise ValueError(f"{named} is not allowed here, {unit} is: {name.replace('_', ' ')} is no unit of it")
    with decimal.localcontext(_CONTEXT):
        zero, one = (units.Quantity(decimal.Decimal(y), has).to(wanted).magnitude for y in (0, 1))
        return one - zero, zero


def number(value: object, unit: str) -> float:
    """The value in `unit`: a bare number is in it already, a text or an object with a unit is converted.

    Raises ValueError, in a few words what is wrong, for everything that is not one finite real number, and for a text without
    a unit.
    """
    magnitude, written = apart(value)
    if written is None and isinstance(magnitude, str):
        magnitude, written = _read(magnitude)
    found = _real(magnitude) if written is None else converted(magnitude, written, unit)
    if not math.isfinite(found):
        raise ValueError("it is not finite")
    return found


def apart(value: object) -> tuple[object, str | None]:
    """(magnitude, unit) of an object that carries a unit, (value, None) of one that does not; arrays as well.

    Understood are the quantities of any pint registry, objects with `value` and `unit` or `units`, and what has its unit in
    `attrs["units"]`, as arrays of xarray. An array of one value without dimensions is that value. Raises ValueError where a
    unit is there and the number in it is not to be had: it is never dropped.
    """
    if isinstance(value, (str, bytes, int, float, list, tuple)):
        return value, None
    if hasattr(value, "dims") and hasattr(data := getattr(value, "data", None), "magnitude"):
        value = data  # an array of xarray around one of pint
    attributes = getattr(value, "attrs", None)
    given = attributes.get("units") if isinstance(attributes, Mapping) else None
    if given is not None:
        return _one(np.asarray(value)), str(given)
    for name in ("units", "unit"):
        given = None if hasattr(value, "index") else getattr(value, name, None)  # a table's columns may have any name
        if given is None or callable(given):
            continue
        magnitude = getattr(value, "magnitude", getattr(value, "value", None))
        if magnitude is None:
            raise ValueError(f"its unit {show(str(given))} is of a kind that is not understood: give a text with a unit")
        try:
            return _one(magnitude), format(given, "D")  # pint's plain form, whatever its user chose
        except (ValueError, TypeError):
            return _one(magnitude), str(given)
    return _one(value), None


def _one(value: object) -> object:
    """The value in an array without dimensions; anything else as it is. Raises ValueError where it is masked."""
    if getattr(value, "ndim", None) == 0 and not isinstance(value, np.generic) and hasattr(value, "item"):
        if np.ma.is_masked(value):
            raise ValueError("it is masked")
        return value.item()
    return value


def _real(value: object) -> float:
    if isinstance(value, (bool, np.bool_)):
        raise ValueError("true and false are not numbers")
    if not isinstance(value, (numbers.Real, decimal.Decimal)) or isinstance(value, np.timedelta64):
        raise ValueError("it is neither a number nor a string")
    try:
        return float(value)
    except (OverflowError, ValueError):
        return math.inf


def _read(text: str) -> tuple[decimal.Decimal, str]:
    """The number that a text begins with, and the unit that follows."""
    if len(text) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    plain = _plain(text)
    match = _NUMBER.match(plain)
    if match is None:
        raise ValueError("it does not begin with a finite number")
    written = plain[match.end() :].strip()
    if not written:
        raise ValueError(_BARE)
    if _GROUPED.match(written):
        raise ValueError("digits are not grouped and decimals follow a point, as in 1234.5")
    try:
        return decimal.Decimal(match[1]).scaleb(int(match[2] or 0), _CONTEXT), written
    except (ArithmeticError, ValueError):
        raise ValueError("it is not finite") from None


def converted(value: object, written: str, unit: str) -> float:
    """A magnitude, without a unit of its own, in `unit` when it was in the unit written; infinite where no float holds it."""
    if written in ("", "dimensionless"):
        raise ValueError(_BARE)
    exact = value if isinstance(value, decimal.Decimal) else decimal.Decimal(repr(_real(value)))
    factor, offset = conversion(written, unit)
    try:
        with decimal.localcontext(_CONTEXT):
            return float(exact * factor + offset)
    except (ArithmeticError, ValueError):
        return math.inf
