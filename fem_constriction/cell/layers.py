"""Layers of different materials, and grain boundaries plane by plane: what the sections of the electrolyte say of either."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator
from scipy.constants import epsilon_0

from fem_constriction.cell.constant_phase import BulkConstantPhase, ConstantPhase
from fem_constriction.cell.section import Section
from fem_constriction.cell.units import AreaCapacitance, Conductivity, Extent, Layers, Length, Permittivity, Quantity
from fem_constriction.errors import Absent, InputError

_Resistance = Annotated[
    float,
    Quantity(
        unit="ohm m^2",
        what="an area-specific resistance",
        example="0.2 ohm cm^2",
        remedy="leave the plane out for no boundary",
        usual=(1e-12, 1e6),
    ),
]
#: Planes that are nearer to each other, over the thickness of the electrolyte, are one.
SAME: Final = 1e-9
#: Of keys that every cell has whose boundaries are not listed one by one.
_LEFT_OUT: Final[Any] = None
_WAYS: Final = "either resistance, with capacitance where it has one, or thickness and conductivity (also of all planes)"


class Layer(Section):
    """kappa(s) = sigma + s eps + Q s^n in S/m from one z to another."""

    thickness: Extent = Field(description="Thickness of the layer in m; all of them together have that of the electrolyte")
    conductivity: Conductivity = Field(description="Conductivity sigma in S/m")
    relative_permittivity: Permittivity = Field(0.0, description="Relative permittivity; left out: 0")
    cpe: BulkConstantPhase | None = Field(None, description="Constant-phase element, per m; left out: none")


class BoundaryPlane(Section):
    """y(s) = (sigma + s eps)/delta + Q s^n, or 1/R + s C + Q s^n, in S/m2 at one z; what is left out is that of all planes."""

    position: Length = Field(description="Distance of the plane from the working electrode in m")
    resistance: _Resistance | None = Field(None, description="Resistance R in ohm m^2; or thickness and conductivity instead")
    capacitance: AreaCapacitance | None = Field(None, description="Capacitance C in F/m^2, with resistance; left out: 0")
    thickness: Length | None = Field(None, description="Thickness delta in m; left out: that of all planes")
    conductivity: Conductivity | None = Field(None, description="Conductivity in S/m; left out: that of all planes")
    relative_permittivity: Permittivity | None = Field(None, description="Relative permittivity; left out: that of all planes")
    cpe: ConstantPhase | None = Field(None, description="Constant-phase element of the plane; left out: that of all planes")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        filling = [key for key in ("thickness", "conductivity", "relative_permittivity") if getattr(self, key) is not None]
        if self.resistance is not None and filling:
            raise InputError(key="resistance", value=self.resistance, when=f"together with {filling[0]}", allowed=_WAYS)
        if self.capacitance is not None and self.resistance is None:
            raise InputError(key="resistance", value=Absent.MISSING, allowed=_WAYS)
        return self


class GrainBoundaries(Section):
    """y_gb(s) = (sigma_gb + s eps_gb)/delta_gb + Q s^n in S/m2 on layers - 1 planes, evenly spaced, or plane by plane.

    layers, thickness and conductivity are None only where planes are listed.
    """

    layers: Layers = Field(
        _LEFT_OUT,
        description="Number of layers of one thickness; there is one boundary fewer (1: none); left out with planes",
    )
    thickness: Length = Field(
        _LEFT_OUT, description="Thickness delta_gb of a boundary in m; left out where planes have their own"
    )
    conductivity: Conductivity = Field(
        _LEFT_OUT, description="Conductivity of a boundary in S/m; left out where planes have their own"
    )
    relative_permittivity: Permittivity = Field(0.0, description="Relative permittivity; left out: 0")
    cpe: ConstantPhase | None = Field(None, description="Constant-phase element of a boundary; left out: none")
    planes: tuple[BoundaryPlane, ...] = Field((), description="Boundaries one by one, by their position; left out with layers")

    @model_validator(mode="after")
    def _even_or_listed(self) -> Self:
        if self.planes and self.layers:
            raise InputError(key="layers", value=self.layers, when="together with planes", allowed="one of the two")
        for key in () if self.planes else ("layers", "thickness", "conductivity"):
            if not getattr(self, key):
                what = {"layers": "a whole number from 1", "thickness": "a length", "conductivity": "a conductivity"}[key]
                other = ", or planes, each with a position" if key == "layers" else ""
                raise InputError(key=key, value=Absent.MISSING, allowed=f"required is {what}{other}")
        for number, plane in enumerate(self.planes):
            for key in ("thickness", "conductivity") if plane.resistance is None else ():
                if getattr(plane, key) is None and not getattr(self, key):
                    raise InputError(key=f"planes.{number}.{key}", value=Absent.MISSING, allowed=_WAYS)
        return self

    def film(self, plane: BoundaryPlane | None) -> tuple[float, float, ConstantPhase | None]:
        """Return (g, c, Q s^n) of a plane, in S/m2 and F/m2; None: of one that says nothing of itself."""
        if plane is not None and plane.resistance is not None:
            return 1 / plane.resistance, plane.capacitance or 0.0, plane.cpe or self.cpe
        given = {key: getattr(plane, key, None) for key in ("thickness", "conductivity", "relative_permittivity", "cpe")}
        own = {key: getattr(self, key) if value is None else value for key, value in given.items()}
        thickness = own["thickness"]
        return own["conductivity"] / thickness, own["relative_permittivity"] * epsilon_0 / thickness, own["cpe"]
