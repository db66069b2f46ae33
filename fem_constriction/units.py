"""Quantities with units: a number in SI, or a string such as "0.46 mS/cm".

The registry is pint's; decimal arithmetic keeps "50 um" equal to 5e-05 to the last bit.
"""

from __future__ import annotations

import decimal
import math
import numbers
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
import pint
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from fem_constriction.errors import InputError
from fem_constriction.faults import short, show

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SIGNS = str.maketrans(
    dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{HYPHEN}", "-")
    | dict.fromkeys("\N{MIDDLE DOT}\N{DOT OPERATOR}\N{BULLET OPERATOR}\N{BULLET}\N{MULTIPLICATION SIGN}", "*")
    | dict.fromkeys("\N{ZERO WIDTH SPACE}\N{WORD JOINER}\N{ZERO WIDTH NO-BREAK SPACE}", "")
)
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\s*\*\s*10\s*\^\s*([+-]?\d+))?")
_UNIT = re.compile(r"(?=\D|1\s*/)[A-Za-zΩμÅ°%_*/^()0-9+\-. ]{1,80}")
_TOWER = re.compile(r"\^[^A-Za-z]*\^|\^[\s(]*[+-]?\d{3}")  # powers of powers take for ever
_CONTEXT = decimal.Context(prec=50, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)


def _plain(text: str) -> str:
    """Spaces, minus signs, middle dots, superscripts, micro and ohm signs in the one spelling used below."""
    text = re.sub("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda match: "^" + match[0].translate(_SUPERSCRIPTS), text)
    return unicodedata.normalize("NFKC", text).translate(_SIGNS)


def spell(unit: str) -> str:
    """A unit as researchers write it, spelt for pint: cm2, cm², cm-1, ohm·cm, Ohm.cm, ohm-cm, /cm.

    The registry of `registry` applies it to whatever it parses.
    """
    unit = _plain(unit).replace("**", "^").strip().lstrip("* ")
    unit = re.sub(r"(?<=[A-Za-zΩμÅ)])(?=[+-]?\d)", "^", unit)
    unit = re.sub(r"(?<=[A-Za-zΩÅ)])-(?=[A-Za-zΩμÅ(])", "*", unit)
    unit = re.sub(r"(?<=[A-Za-zΩÅ)\d])\.(?=[A-Za-zΩμÅ(])", "*", unit)
    return "1" + unit if unit.startswith("/") else unit


@lru_cache(maxsize=1)
def registry() -> pint.UnitRegistry[Any]:
    """The one registry, made when first asked for: pint's units, decimal numbers, and our spellings."""
    units: pint.UnitRegistry[Any] = pint.UnitRegistry(non_int_type=decimal.Decimal, preprocessors=[spell])
    units.define("@alias ohm = Ohm = Ohms")
    return units


@lru_cache(maxsize=1024)
def _si(text: str, unit: str) -> float:
    plain = _plain(text)
    match = _NUMBER.match(plain)
    if match is None:
        raise ValueError("it does not begin with a finite number")
    written = plain[match.end() :].strip()
    if not written:
        raise ValueError("it has no unit")
    unknown = f"'{short(written)}' is not a known unit"
    spelt = spell(written)
    if not _UNIT.fullmatch(spelt) or _TOWER.search(spelt):
        raise ValueError(unknown)
    units = registry()
    try:
        has = units.parse_units(spelt)
    except Exception:  # pint raises many kinds, AssertionError among them, for what is no unit
        raise ValueError(unknown) from None
    wanted = units.parse_units(unit)
    if has.dimensionality != wanted.dimensionality:
        raise ValueError(f"'{written}' has the dimension {has.dimensionality}, not {wanted.dimensionality}")
    try:
        with decimal.localcontext(_CONTEXT):
            number = decimal.Decimal(match[1]).scaleb(int(match[2] or 0))
            return float(units.Quantity(number, has).to(wanted).magnitude)
    except (ArithmeticError, ValueError):
        return math.inf


def _magnitude(value: object, unit: str) -> float:
    """As `parse`, but the ValueError raised says only what is wrong."""
    if isinstance(value, (bool, np.bool_)):
        raise ValueError("true and false are not numbers")
    if isinstance(value, str):
        number = _si(value, unit)
    elif isinstance(value, numbers.Real):
        number = _float(value)
    else:
        raise ValueError("it is neither a number nor a string")
    if not math.isfinite(number):
        raise ValueError("it is not finite")
    return number


def _float(value: numbers.Real) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def parse(value: object, unit: str) -> float:
    """`value` in `unit`, a float: a number is in `unit` already, a string carries a unit of its own.

    `unit` is the SI unit wanted, for instance "ohm m^2". Raises InputError for a boolean, a string without a
    unit, an unknown unit, a unit of another dimension, and for whatever is not finite.
    """
    try:
        return _magnitude(value, unit)
    except ValueError as error:
        allowed = f"a number in {unit} or a string with a unit such as '1 {unit}'"
        raise InputError(f"{show(value)} is not allowed: {allowed}; {error}") from None


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A pydantic field: `what` as a float in the SI `unit`, above zero or (positive=False) at least zero.

    Accepts what `parse` accepts; in JSON mode it is written as a string, "5e-05 m", which loads as the same
    float. `remedy` is what to do instead of a zero.
    """

    unit: str
    what: str
    example: str
    positive: bool = True
    remedy: str = ""

    @property
    def allowed(self) -> str:
        """What may stand there, in words."""
        least = "above 0" if self.positive else "of at least 0"
        return f"{self.what} {least}, a number in {self.unit} or a string with a unit such as '{self.example}'"

    def validate(self, value: object) -> float:
        """Return the value in SI; raise InputError for what is not allowed."""
        try:
            number = _magnitude(value, self.unit)
        except ValueError as error:
            raise InputError(f"{show(value)} is not allowed: {self.allowed}; {error}") from None
        if number < 0 or (self.positive and number == 0):
            remedy = f"; {self.remedy}" if self.remedy and number == 0 else ""
            raise InputError(f"{show(value)} is not allowed: {self.allowed}{remedy}")
        return number + 0.0  # no negative zero

    def text(self, number: float) -> str:
        """Return the value as the cell file writes it."""
        return f"{number!r} {self.unit}"

    def schema(self) -> JsonSchemaValue:
        """Return the JSON schema of the key."""
        bound = "exclusiveMinimum" if self.positive else "minimum"
        string = {"type": "string", "pattern": r"^\s*[+]?[0-9.].*\D"}
        return {"anyOf": [{"type": "number", bound: 0}, string], "examples": [self.example]}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.plain_serializer_function_ser_schema(self.text, when_used="json-unless-none")
        return core_schema.no_info_plain_validator_function(self.validate, serialization=text)

    def __get_pydantic_json_schema__(self, core: CoreSchema, _: GetJsonSchemaHandler) -> JsonSchemaValue:
        return self.schema()


@dataclass(frozen=True, kw_only=True)
class Number:
    """A pydantic field that holds a plain number without a unit, from `least` to `greatest`, whole if asked.

    Raises InputError with `allowed` for anything else; a boolean is no number, a string neither.
    """

    allowed: str
    least: float = 0
    greatest: float = math.inf
    whole: bool = False

    def validate(self, value: object) -> float:
        """Return the number; raise InputError for what is not allowed."""
        kind = numbers.Integral if self.whole else numbers.Real
        number = _float(value) if isinstance(value, kind) and not isinstance(value, bool) else math.nan
        if not (math.isfinite(number) and self.least <= number <= self.greatest):
            raise InputError(f"{show(value)} is not allowed: {self.allowed}")
        return int(value) if self.whole else number + 0.0  # type: ignore[call-overload]

    def schema(self) -> JsonSchemaValue:
        """Return the JSON schema of the key."""
        bounds = {"minimum": self.least} | ({"maximum": self.greatest} if self.greatest < math.inf else {})
        return {"type": "integer" if self.whole else "number", **bounds}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(self, core: CoreSchema, _: GetJsonSchemaHandler) -> JsonSchemaValue:
        return self.schema()


Length = Annotated[float, Quantity(unit="m", what="a length", example="50 um")]
Conductivity = Annotated[float, Quantity(unit="S/m", what="a conductivity", example="0.46 mS/cm")]
PoreConductivity = Annotated[float, Quantity(unit="S/m", what="a conductivity", example="1e-9 S/cm", positive=False)]
AreaResistance = Annotated[
    float,
    Quantity(
        unit="ohm m^2",
        what="an area-specific resistance",
        example="1 ohm cm^2",
        remedy="leave the section out for an ideal contact",
    ),
]
AreaCapacitance = Annotated[
    float, Quantity(unit="F/m^2", what="an area-specific capacitance", example="885 uF/cm^2", positive=False)
]
Permittivity = Annotated[float, Number(allowed="a number of at least 0 (no unit)")]
Fraction = Annotated[float, Number(allowed="a number from 0 to 1 (no unit)", greatest=1)]
Layers = Annotated[int, Number(allowed="a whole number from 1 (no unit; 1 means no boundary)", least=1, whole=True)]
