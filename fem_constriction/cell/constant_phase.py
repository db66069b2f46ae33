"""Q s^n: a constant-phase element as a section of the cell file, beside a capacitance or instead of it.

The unit of Q has the letter n in it, literally: "20 uS s^n/cm^2", or "20 uF s^(n-1)/cm^2", where n is the exponent. A number
may stand there if it is the exponent: "20 uS s^0.9/cm^2".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from fem_constriction.cell.section import Section
from fem_constriction.cell.units import Number, Quantity
from fem_constriction.errors import InputError

#: A power of the second with a number in it that is not whole.
_POWER = re.compile(r"(?<![A-Za-z])s\s*(?:\^|\*\*)\s*(\()?\s*([+-]?\d*\.\d+)\s*(?(1)\))")
#: What two exponents may differ by that were typed with as many digits as somebody has patience for.
_SAME = 1e-9


@dataclass(frozen=True, kw_only=True)
class _Coefficient(Quantity):
    """Q, whose unit may name its exponent by the letter n or by its value; a capacitor's at exponent 1."""

    capacitor: str

    def of(self, value: object, exponent: float | None) -> float:
        """Return Q in SI, of the exponent that stands beside it."""
        if isinstance(value, str) and exponent is not None:
            value = _POWER.sub(lambda power: _named(power, exponent), value)
            if exponent == 1:
                try:
                    return Quantity(unit=self.capacitor, what=self.what, example=self.example).validate(value)
                except InputError:
                    pass  # in S s^n, or wrong
        return self.validate(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def checked(value: object, info: ValidationInfo) -> float:
            return self.of(value, (info.data or {}).get("exponent"))

        text = core_schema.plain_serializer_function_ser_schema(self.text, when_used="json-unless-none")
        return core_schema.with_info_plain_validator_function(checked, serialization=text)


def _named(power: re.Match[str], exponent: float) -> str:
    """A power of the second by the letter n where it is n or n - 1, else as it was written."""
    number = float(power[2])
    for lowered, name in ((0.0, "s^n"), (1.0, "s^(n-1)")):
        if math.isclose(number, exponent - lowered, rel_tol=0, abs_tol=_SAME):
            return name
    return power[0]


_EXPONENT = Number(
    allowed="a number above 0 and at most 1 (no unit; 1 is a capacitor)", least=math.ulp(0.0), greatest=1, usual=(0.3, 1)
)
Exponent = Annotated[float, _EXPONENT]
_WHAT = "the coefficient Q of a constant-phase element, n its exponent,"
ArealCoefficient = Annotated[
    float,
    _Coefficient(
        unit="S s^n/m^2", what=_WHAT, example="20 uS s^n/cm^2", usual=(1e-10, 1e6), capacitor="F/m^2",
        remedy="leave the section out for none",
    ),
]  # fmt: skip
BulkCoefficient = Annotated[
    float,
    _Coefficient(
        unit="S s^n/m", what=_WHAT, example="2 pS s^n/cm", usual=(1e-13, 1e2), capacitor="F/m",
        remedy="leave the section out for none",
    ),
]  # fmt: skip


class ConstantPhase(Section):
    """Q s^n in S/m2: what a place stores beside, or instead of, a capacitance."""

    exponent: Exponent = Field(description="Exponent n, above 0 and at most 1 (a capacitor)")
    Q: ArealCoefficient = Field(description="Coefficient Q in S s^n/m^2; in its unit the letter n stands for the exponent")


class BulkConstantPhase(Section):
    """Q s^n in S/m: what a material stores beside, or instead of, a permittivity."""

    exponent: Exponent = Field(description="Exponent n, above 0 and at most 1 (a permittivity)")
    Q: BulkCoefficient = Field(description="Coefficient Q in S s^n/m; in its unit the letter n stands for the exponent")
