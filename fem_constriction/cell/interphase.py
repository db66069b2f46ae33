"""Films between electrolyte and metal, in series with charge transfer: sections of an electrode, one or several in a row.

A film is thin and conducts across alone, so it is a series at every point of the face: with charge transfer where the metal
touches, and, if it covers the face, with the pores beside.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator
from scipy.constants import epsilon_0

from fem_constriction.cell.constant_phase import ConstantPhase
from fem_constriction.cell.section import Section
from fem_constriction.cell.units import AreaCapacitance, Conductivity, Length, Permittivity, Quantity
from fem_constriction.errors import Absent, InputError

_Resistance = Annotated[
    float,
    Quantity(
        unit="ohm m^2",
        what="an area-specific resistance",
        example="5 ohm cm^2",
        remedy="leave the section out for no interphase",
        usual=(1e-10, 1e6),
    ),
]
_ALLOWED: Final = (
    "either resistance, with capacitance where it has one, or thickness and conductivity, with relative_permittivity where it "
    "has one"
)


class Interphase(Section):
    """y(s) = 1/R + s C + Q s^n in S/m2: by a resistance, or by a filling (1/R = sigma/d, C = eps/d)."""

    covers: Literal["contact", "face"] = Field(
        "contact", description="Where it lies: under the contact, or under the whole face with its pores; left out: contact"
    )
    resistance: _Resistance | None = Field(None, description="Resistance R in ohm m^2; or thickness and conductivity instead")
    capacitance: AreaCapacitance | None = Field(None, description="Capacitance C in F/m^2, with resistance; left out: 0")
    thickness: Length | None = Field(None, description="Thickness d in m; or give resistance instead")
    conductivity: Conductivity | None = Field(
        None, description="Conductivity sigma in S/m, with thickness; left out with resistance"
    )
    relative_permittivity: Permittivity | None = Field(None, description="Relative permittivity, with thickness; left out: 0")
    cpe: ConstantPhase | None = Field(None, description="Constant-phase element beside; left out: none")

    @property
    def areal_conductance(self) -> float:
        """1/R in S/m2."""
        if self.thickness and self.conductivity:
            return self.conductivity / self.thickness
        return 1 / self.resistance if self.resistance else 0.0

    @property
    def areal_capacitance(self) -> float:
        """C in F/m2."""
        if self.thickness:
            return float((self.relative_permittivity or 0.0) * epsilon_0 / self.thickness)
        return self.capacitance or 0.0

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        plain = [key for key in ("resistance", "capacitance") if getattr(self, key) is not None]
        filling = [key for key in ("thickness", "conductivity", "relative_permittivity") if getattr(self, key) is not None]
        if plain and filling:
            raise InputError(key=plain[0], value=getattr(self, plain[0]), when=f"together with {filling[0]}", allowed=_ALLOWED)
        for key in ("thickness", "conductivity") if filling else ("resistance",):
            if getattr(self, key) is None:
                why = "an interphase conducts direct current"
                raise InputError(key=key, value=Absent.MISSING, allowed=_ALLOWED, why=why)
        return self
