"""What a key takes: a quantity, in SI or as a string such as "0.46 mS/cm", or a plain number; and what is usual for it."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from fem_constriction.cell.conversion import apart, conversion, number
from fem_constriction.errors import InputError


def parse(value: object, unit: str) -> float:
    """`value` in `unit`, a float: a number is in `unit` already, a string or a quantity carries a unit of its own.

    Parameters
    ----------
    value
        A real number, a string such as "50 um", or an object of another library with its unit (`conversion.apart`).
    unit
        The SI unit wanted, for instance "ohm m^2"; "Hz" takes an angle per time as well, a full turn being a period.

    Raises
    ------
    InputError
        For a boolean, a string without a unit, an unknown unit, a unit of another dimension or with an angle too many, and for
        whatever is not finite.
    """
    try:
        return number(value, unit)
    except ValueError as error:
        allowed = f"a number in {unit} or a string with a unit such as '1 {unit}'"
        raise InputError(value=value, allowed=allowed, why=str(error)) from None


def array_in(unit: str, values: Any, name: str) -> NDArray[Any]:
    """Return values of any shape, real or complex, as an array of them in `unit`; bare numbers are in it already.

    Raises InputError where they have a unit that is no multiple of it.
    """
    try:
        magnitude, written = apart(values)
        if written is None:
            return np.asarray(magnitude)
        factor, offset = conversion(written, unit)
        return np.asarray(magnitude) * float(factor) + float(offset)
    except ValueError as error:
        raise InputError(key=name, value=values, allowed=f"numbers in {unit}", why=str(error)) from None


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A pydantic field: `what` as a float in the SI `unit`, above zero or (positive=False) at least zero.

    Accepts what `parse` accepts; in JSON mode it is written as a string, "5e-05 m", which loads as the same
    float. `remedy` is what to do instead of a zero. `usual` is the range of values that somebody means; 0 is always one.
    """

    unit: str
    what: str
    example: str
    positive: bool = True
    remedy: str = ""
    usual: tuple[float, float] = (0.0, math.inf)

    @property
    def allowed(self) -> str:
        """What may stand there, in words."""
        least = "above 0" if self.positive else "of at least 0"
        return f"{self.what} {least}, a number in {self.unit} or a string with a unit such as '{self.example}'"

    def validate(self, value: object) -> float:
        """Return the value in SI; raise InputError for what is not allowed."""
        try:
            found = number(value, self.unit)
        except ValueError as error:
            raise InputError(value=value, allowed=self.allowed, why=str(error)) from None
        if found < 0 or (self.positive and found == 0):
            raise InputError(value=value, allowed=self.allowed, remedy=self.remedy if found == 0 else "")
        return found + 0.0  # no negative zero

    def unusual(self, value: float) -> str:
        """Return what is to be said of a value outside the usual range, "" for others."""
        return _unusual(value, self.usual, f" {self.unit}")

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
    usual: tuple[float, float] = (-math.inf, math.inf)

    def validate(self, value: object) -> float:
        """Return the number; raise InputError for what is not allowed."""
        try:
            plain, unit = apart(value)
            if unit not in (None, "", "dimensionless") or isinstance(plain, str):
                raise ValueError
            found = number(plain, "")
            if self.whole and not isinstance(plain, numbers.Integral):
                raise ValueError
        except ValueError:
            found = math.nan  # which lies in no range
        if not self.least <= found <= self.greatest:
            raise InputError(value=value, allowed=self.allowed)
        return int(plain) if self.whole else found + 0.0  # type: ignore[call-overload]

    def unusual(self, value: float) -> str:
        """Return what is to be said of a value outside the usual range, "" for others."""
        return _unusual(value, self.usual, "")

    def schema(self) -> JsonSchemaValue:
        """Return the JSON schema of the key."""
        bounds = ({"minimum": self.least} if self.least > -math.inf else {}) | (
            {"maximum": self.greatest} if self.greatest < math.inf else {}
        )
        return {"type": "integer" if self.whole else "number", **bounds}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(self, core: CoreSchema, _: GetJsonSchemaHandler) -> JsonSchemaValue:
        return self.schema()


def _unusual(value: float, usual: tuple[float, float], unit: str) -> str:
    low, high = usual
    if value == 0 or low <= value <= high:
        return ""
    return f"{value!r}{unit} is unusual: usual are {low:.3g} to {high:.3g}{unit}; is the unit as it is meant?"


# Ranges that are usual, wide enough for every material, so that what lies outside is a slip of the unit. Lengths: an atom to a
# pellet; a cell has some unit cells of its crystal at least. Conductivities: glasses in the cold to three decades above the
# best ion conductors; what fills pores and inclusions may be air or a metal. Permittivities: of vacuum to relaxors. Interfaces,
# per area: 1e-6 ohm cm2 to 1e10 ohm cm2; a vacuum of 1 mm to 1 F/cm2, more than any double layer. Temperatures: a cold cryostat
# to sintering. Activation energies: above 1 meV and below those of evaporation.
SIZE: Final = (1e-10, 3e-2)
EXTENT: Final = (1e-8, 3e-2)

#: What an uncertainty may be that is asked for.
RELATIVE: Final = Number(
    allowed="a number between 0 and 1, relative to |Z|", least=math.ulp(0.0), greatest=math.nextafter(1.0, 0.0)
)


def relative_to_z(name: str, value: object) -> float:
    """Return a number between 0 and 1, as RELATIVE has it. Raises InputError, which begins with the name."""
    return checked(name, value, RELATIVE)


def whole(name: str, value: object, allowed: str) -> int:
    """Return a whole number. Raises InputError, which begins with the name and ends with what is allowed."""
    return int(checked(name, value, Number(allowed=allowed, least=-math.inf, whole=True)))


def checked(name: str, value: object, rule: Number | Quantity) -> float:
    """Return the value as its rule has it. Raises InputError, which begins with the name."""
    try:
        return rule.validate(value)
    except InputError as error:
        raise error.renamed(name) from None


Length = Annotated[float, Quantity(unit="m", what="a length", example="50 um", usual=SIZE)]
Extent = Annotated[float, Quantity(unit="m", what="a length", example="50 um", usual=EXTENT)]
Conductivity = Annotated[float, Quantity(unit="S/m", what="a conductivity", example="0.46 mS/cm", usual=(1e-16, 1e4))]
PoreConductivity = Annotated[
    float, Quantity(unit="S/m", what="a conductivity", example="1e-9 S/cm", positive=False, usual=(1e-24, 1e8))
]
AreaResistance = Annotated[
    float,
    Quantity(
        unit="ohm m^2",
        what="an area-specific resistance",
        example="1 ohm cm^2",
        remedy="leave the section out for an ideal contact",
        usual=(1e-10, 1e6),
    ),
]
AreaCapacitance = Annotated[
    float,
    Quantity(unit="F/m^2", what="an area-specific capacitance", example="885 uF/cm^2", positive=False, usual=(1e-8, 1e4)),
]
Permittivity = Annotated[float, Number(allowed="a number of at least 0 (no unit)", usual=(1, 1e6))]
Fraction = Annotated[float, Number(allowed="a number from 0 to 1 (no unit)", greatest=1)]
Layers = Annotated[int, Number(allowed="a whole number from 1 (no unit; 1 means no boundary)", least=1, whole=True)]
