"""The sections of a cell file: geometry, materials and electrodes, frozen, validated, in SI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.json_schema import JsonSchemaValue
from scipy.constants import epsilon_0

from fem_constriction.cell.constant_phase import BulkConstantPhase, ConstantPhase
from fem_constriction.cell.contact import Contact
from fem_constriction.cell.interphase import Interphase
from fem_constriction.cell.layers import GrainBoundaries, Layer
from fem_constriction.cell.microstructure import Microstructure
from fem_constriction.cell.pore_depth import DepthMap, DepthOrMap, PoreRegion
from fem_constriction.cell.section import OneOrSeveral
from fem_constriction.cell.section import Section as Section
from fem_constriction.cell.units import (
    EXTENT,
    AreaCapacitance,
    AreaResistance,
    Conductivity,
    Extent,
    Permittivity,
    PoreConductivity,
    Quantity,
)
from fem_constriction.errors import Absent, InputError


@dataclass(frozen=True, kw_only=True)
class _Width(Quantity):
    """One length, or [L_x, L_y]; two equal lengths are one."""

    def validate(self, value: object) -> Any:
        if not isinstance(value, (list, tuple)):
            return super().validate(value)
        if len(value) != 2:
            raise InputError(value=value, allowed="one length or two, [L_x, L_y]")
        first, second = (super(_Width, self).validate(each) for each in value)
        return first if first == second else (first, second)

    def text(self, number: Any) -> Any:
        if isinstance(number, tuple):
            return [super(_Width, self).text(each) for each in number]
        return super().text(number)

    def schema(self) -> JsonSchemaValue:
        one = super().schema()
        pair = {"type": "array", "items": {"anyOf": one["anyOf"]}, "minItems": 2, "maxItems": 2}
        return {"anyOf": [*one["anyOf"], pair], "examples": [*one["examples"], [self.example, self.example]]}


class Geometry(Section):
    """The box L_x x L_y x L_z: the electrodes lie at its two faces across z."""

    width: Annotated[float | tuple[float, float], _Width(unit="m", what="a length", example="50 um", usual=EXTENT)] = Field(
        description="Width L_x = L_y in m, or [L_x, L_y]"
    )
    thickness: Extent = Field(description="Thickness L_z of the electrolyte in m")

    @property
    def lengths(self) -> tuple[float, float, float]:
        """(L_x, L_y, L_z) in m."""
        x, y = self.width if isinstance(self.width, tuple) else (self.width, self.width)
        return x, y, self.thickness


def _of_one_or_several(schema: dict[str, Any]) -> None:
    """The conductivity of the bulk is required unless layers have their own."""
    schema["required"].remove("conductivity")
    schema["anyOf"] = [{"required": ["conductivity"]}, {"required": ["layers"]}]


class Electrolyte(Section):
    """kappa(s) = sigma_b + s eps_b + Q s^n in S/m, the same everywhere in the bulk."""

    model_config = ConfigDict(json_schema_extra=_of_one_or_several)

    conductivity: Conductivity = Field(
        description="Bulk conductivity sigma_b in S/m; left out with layers, which have their own"
    )
    relative_permittivity: Permittivity = Field(0.0, description="Relative permittivity; left out: 0")
    cpe: BulkConstantPhase | None = Field(None, description="Constant-phase element of the bulk, per m; left out: none")
    grain_boundaries: GrainBoundaries | None = Field(None, description="Planar grain boundaries; left out: none")
    layers: tuple[Layer, ...] = Field(
        (), description="Layers of different materials, from the working electrode down; left out: one material"
    )
    microstructure: Microstructure | None = Field(None, description="A label image of grains and inclusions; left out: none")

    @model_validator(mode="before")
    @classmethod
    def _first_layer(cls, data: Any) -> Any:
        """Of layers the first one's conductivity is the electrolyte's, below the working electrode, where none is given."""
        if not isinstance(data, Mapping) or data.get("conductivity") is not None:
            return data
        first = next(iter(data.get("layers") or ()), None)
        conductivity = first.get("conductivity") if isinstance(first, Mapping) else getattr(first, "conductivity", None)
        return data if conductivity is None else {**data, "conductivity": conductivity}

    @model_validator(mode="after")
    def _layers_or_image(self) -> Self:
        if self.layers and self.microstructure is not None:
            raise InputError(key="layers", when="together with microstructure", why="an image has its own materials")
        return self

    @model_validator(mode="after")
    def _planes_or_image(self) -> Self:
        if self.microstructure is not None and self.grain_boundaries is not None:
            raise InputError(
                key="microstructure",
                when="together with grain_boundaries",
                why="an image has its own boundaries (microstructure.boundary)",
            )
        return self


class ChargeTransfer(Section):
    """y(s) = 1/R_pol + s C_dl + Q s^n in S/m2."""

    resistance: AreaResistance = Field(
        description="Polarisation resistance R_pol in ohm m^2; for an ideal contact leave the section out"
    )
    capacitance: AreaCapacitance = Field(0.0, description="Capacitance C_dl in F/m^2; left out: 0")
    cpe: ConstantPhase | None = Field(None, description="Constant-phase element of the double layer; left out: none")


class Pore(Section):
    """y_pore(s) = g + s c + Q s^n in S/m2: by a capacitance, or by a filling (g = sigma/d, c = eps/d)."""

    capacitance: AreaCapacitance | None = Field(None, description="Pore capacitance c in F/m^2; or give depth instead")
    depth: DepthOrMap | None = Field(
        None, description="Depth d of the pores in m, or a map of it, with what fills them; or give capacitance instead"
    )
    regions: tuple[PoreRegion, ...] = Field((), description="Rectangles of the face with a depth of their own; left out: none")
    relative_permittivity: Permittivity | None = Field(
        None, description="Relative permittivity of what fills the pores, with depth; left out: 0"
    )
    conductivity: PoreConductivity | None = Field(
        None, description="Conductivity of what fills the pores in S/m, with depth; left out: 0"
    )
    cpe: ConstantPhase | None = Field(None, description="Constant-phase element of the pores; left out: none")

    @property
    def varied(self) -> bool:
        """Whether the depth differs from place to place."""
        return bool(self.regions) or isinstance(self.depth, DepthMap)

    def areal(self, depth: float | None) -> tuple[float, float]:
        """Return g = sigma/d in S/m2 and c = eps_r eps_0/d, or the capacitance as given, in F/m2, of pores of a depth in m."""
        if not depth:
            return 0.0, self.capacitance or 0.0
        return (self.conductivity or 0.0) / depth, float((self.relative_permittivity or 0.0) * epsilon_0 / depth)

    @property
    def areal_conductance(self) -> float:
        """g in S/m2 of pores that are all equally deep."""
        return self.areal(None if isinstance(self.depth, DepthMap) else self.depth)[0]

    @property
    def areal_capacitance(self) -> float:
        """c in F/m2 of pores that are all equally deep."""
        return self.areal(None if isinstance(self.depth, DepthMap) else self.depth)[1]

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        filling = [key for key in ("relative_permittivity", "conductivity") if getattr(self, key) is not None]
        others = ["depth"] * (self.depth is not None) + filling
        allowed = "either capacitance, or depth with relative_permittivity or conductivity or both"
        if self.capacitance is not None and others:
            raise InputError(
                key="capacitance", value=self.capacitance, unit="F/m^2", when=f"together with {others[0]}", allowed=allowed
            )
        if self.capacitance is None and not others and self.cpe is None:
            remedy = "leave the section out for insulating pores"
            raise InputError(value=Absent.EMPTY, allowed=allowed, remedy=remedy)
        if filling and self.depth is None:
            raise InputError(key="depth", value=Absent.MISSING, allowed=allowed)
        if self.depth is not None and not filling:
            value = Absent.UNSAID if isinstance(self.depth, DepthMap) else self.depth
            raise InputError(key="depth", value=value, unit="m", when="alone", allowed=allowed)
        if self.regions and not isinstance(self.depth, float):
            why = "regions need one depth of all other pores" if self.depth is None else "a map has all depths"
            raise InputError(key="regions", value=Absent.UNSAID, why=why)
        if self.varied and self.cpe is not None:
            why = "a constant-phase element is given per area, and knows of no depth that differs from place to place"
            raise InputError(key="cpe", value=Absent.UNSAID, why=why)
        return self


class Electrode(Section):
    """j = y (V - phi): charge transfer where the metal touches the face, capacitance on the pores beside, films before both."""

    contact: Contact | None = Field(None, description="Where the metal touches the electrolyte; left out: the whole face")
    charge_transfer: ChargeTransfer | None = Field(
        None,
        description="Charge transfer where the metal touches; left out: ideal, the electrolyte is at the metal's potential",
    )
    pore: Pore | None = Field(None, description="The pores beside the contact; left out: insulating")
    interphase: Annotated[tuple[Interphase, ...], OneOrSeveral()] = Field(
        (), description="Films in series with charge transfer, from the electrolyte to the metal; left out: none"
    )

    @model_validator(mode="after")
    def _one_depth_under_a_film(self) -> Self:
        if self.pore is not None and self.pore.varied and any(each.covers == "face" for each in self.interphase):
            raise InputError(
                key="pore.depth",
                value=Absent.UNSAID,
                when="with an interphase that covers the face",
                why="the two in series are then another admittance at every place",
                remedy="give one depth, or an interphase that covers the contact",
            )
        return self

    @property
    def covered(self) -> bool:
        """Whether the metal touches all of its face."""
        return self.contact is None or self.contact.fraction == 1


class WorkingElectrode(Electrode):
    """An electrode whose contact must be given: its metal is at V, that of the counter electrode at 0."""

    contact: Contact = Field(description="Where the metal touches the electrolyte")
