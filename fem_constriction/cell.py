"""The cell: one frozen, validated description of geometry and materials, read from and written to TOML."""

from __future__ import annotations

import copy
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from scipy.constants import epsilon_0

from fem_constriction.errors import InputError
from fem_constriction.faults import FaultError, keys, sentence, show, unknown_key
from fem_constriction.files import read_text, write_text
from fem_constriction.units import (
    AreaCapacitance,
    AreaResistance,
    Conductivity,
    Fraction,
    Layers,
    Length,
    Permittivity,
    PoreConductivity,
    Quantity,
)

_ROUNDING = 1e-12  # a square may be this much too wide for its face, and is then as wide as the face


class Section(BaseModel):
    """A part of the cell file: frozen, no unknown keys; None stands for a key left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _leave_out(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}


@dataclass(frozen=True, kw_only=True)
class _Width(Quantity):
    """One length, or [L_x, L_y]; two equal lengths are one."""

    def validate(self, value: object) -> Any:
        if not isinstance(value, (list, tuple)):
            return super().validate(value)
        if len(value) != 2:
            raise InputError(f"{show(value)} is not allowed: one length or two, [L_x, L_y]")
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

    width: Annotated[float | tuple[float, float], _Width(unit="m", what="a length", example="50 um")] = Field(
        description="Width L_x = L_y in m, or [L_x, L_y]"
    )
    thickness: Length = Field(description="Thickness L_z of the electrolyte in m")

    @property
    def lengths(self) -> tuple[float, float, float]:
        """(L_x, L_y, L_z) in m."""
        x, y = self.width if isinstance(self.width, tuple) else (self.width, self.width)
        return x, y, self.thickness


class GrainBoundaries(Section):
    """y_gb(s) = (sigma_gb + s eps_gb)/delta_gb in S/m2 on layers - 1 planes, evenly spaced."""

    layers: Layers = Field(description="Number of bulk layers; there is one boundary fewer (1: no boundary)")
    thickness: Length = Field(description="Thickness delta_gb of a boundary in m")
    conductivity: Conductivity = Field(description="Conductivity sigma_gb of a boundary in S/m")
    relative_permittivity: Permittivity = Field(0.0, description="Relative permittivity; left out: 0")


class Electrolyte(Section):
    """kappa(s) = sigma_b + s eps_b in S/m, the same everywhere in the bulk."""

    conductivity: Conductivity = Field(description="Bulk conductivity sigma_b in S/m")
    relative_permittivity: Permittivity = Field(0.0, description="Relative permittivity; left out: 0")
    grain_boundaries: GrainBoundaries | None = Field(None, description="Planar grain boundaries; left out: none")


class Contact(Section):
    """A_c = fraction A: where the metal touches the electrolyte, one square in the middle of the face."""

    shape: Literal["square"] = Field(description="Shape of the contact: one centred square")
    fraction: Fraction = Field(description="Contact area over cell area, A_c/A, from 0 to 1 (no unit)")


class ChargeTransfer(Section):
    """y(s) = 1/R_pol + s C_dl in S/m2."""

    resistance: AreaResistance = Field(
        description="Polarisation resistance R_pol in ohm m^2; for an ideal contact leave the section out"
    )
    capacitance: AreaCapacitance = Field(0.0, description="Capacitance C_dl in F/m^2; left out: 0")


class Pore(Section):
    """y_pore(s) = g + s c in S/m2: by a capacitance, or by a filling (g = sigma/d, c = eps/d)."""

    capacitance: AreaCapacitance | None = Field(None, description="Pore capacitance c in F/m^2; or give depth instead")
    depth: Length | None = Field(None, description="Depth d of the pores in m; or give capacitance instead")
    relative_permittivity: Permittivity | None = Field(
        None, description="Relative permittivity of what fills the pores, with depth; left out: 0"
    )
    conductivity: PoreConductivity | None = Field(
        None, description="Conductivity of what fills the pores in S/m, with depth; left out: 0"
    )

    @property
    def areal_conductance(self) -> float:
        """g = sigma/d in S/m2."""
        return (self.conductivity or 0.0) / self.depth if self.depth else 0.0

    @property
    def areal_capacitance(self) -> float:
        """c = eps_r eps_0/d, or the capacitance as given, in F/m2."""
        if self.depth:
            return float((self.relative_permittivity or 0.0) * epsilon_0 / self.depth)
        return self.capacitance or 0.0

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        filling = [key for key in ("relative_permittivity", "conductivity") if getattr(self, key) is not None]
        others = ["depth"] * (self.depth is not None) + filling
        allowed = "either capacitance, or depth with relative_permittivity or conductivity or both"
        if self.capacitance is not None and others:
            given = f"{self.capacitance!r} F/m^2 is not allowed together with {others[0]}"
            raise FaultError("capacitance", f" = {given}: {allowed}")
        if self.capacitance is None and not others:
            raise FaultError("", f" is empty: {allowed}; leave the section out for insulating pores")
        if filling and self.depth is None:
            raise FaultError("depth", f" is missing: {allowed}")
        if self.depth is not None and not filling:
            raise FaultError("depth", f" = {self.depth!r} m is not allowed alone: {allowed}")
        return self


class WorkingElectrode(Section):
    """j = y (V - phi): charge transfer on the contact, capacitance on the pores around it."""

    contact: Contact = Field(description="Where the metal touches the electrolyte")
    charge_transfer: ChargeTransfer | None = Field(
        None, description="Charge transfer at the contact; left out: an ideal contact, phi = V"
    )
    pore: Pore | None = Field(None, description="The pores beside the contact; left out: insulating")


class CounterElectrode(Section):
    """j = y phi over the whole face."""

    charge_transfer: ChargeTransfer | None = Field(
        None, description="Charge transfer at the counter electrode; left out: ideal, phi = 0"
    )


class Cell(Section):
    """div(kappa grad phi) = 0 in a box with thin layers inside and at its faces: geometry, materials, in SI.

    Sections may be given as dictionaries with the keys of the cell file, quantities as numbers in SI or
    strings with a unit. Cells are frozen, hashable, and equal where their values are. Raises InputError.
    """

    title: str = Field("", description="What this cell is, in words; left out: empty")
    geometry: Geometry = Field(description="The box of electrolyte")
    electrolyte: Electrolyte = Field(description="The solid electrolyte")
    working_electrode: WorkingElectrode = Field(description="The porous metal electrode")
    counter_electrode: CounterElectrode = Field(
        default=CounterElectrode(charge_transfer=None),
        description="The counter electrode; left out: ideal, phi = 0",
    )

    def __init__(self, /, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise InputError(sentence(Cell, error)) from None

    @model_validator(mode="after")
    def _square_fits(self) -> Self:
        x, y, _ = self.geometry.lengths
        fraction, largest = self.working_electrode.contact.fraction, min(x, y) / max(x, y)
        if fraction < 1 and fraction > largest * (1 + _ROUNDING):
            side = f"a square of side {math.sqrt(fraction) * math.sqrt(x) * math.sqrt(y):.6g} m"
            face = f"a face of {x:.6g} m x {y:.6g} m"
            allowed = f"{side} does not fit {face}, at most {largest:.6g}, or 1 for the whole face"
            raise FaultError("working_electrode.contact.fraction", f" = {fraction!r} is not allowed: {allowed}")
        return self

    @property
    def area(self) -> float:
        """A = L_x L_y in m2."""
        x, y, _ = self.geometry.lengths
        return x * y

    @property
    def contact_area(self) -> float:
        """A_c = fraction A in m2."""
        return self.working_electrode.contact.fraction * self.area

    @property
    def contact_sides(self) -> tuple[float, float]:
        """(s_x, s_y) in m: both sqrt(A_c), at most the face; (L_x, L_y) at fraction 1, (0, 0) at 0."""
        x, y, _ = self.geometry.lengths
        if self.working_electrode.contact.fraction == 1:
            return x, y
        side = float(min(math.sqrt(self.contact_area), x, y))
        return side, side

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Cell:
        """The cell in a TOML file; InputError names the file, the key, its value and what is allowed."""
        return cls.loads(read_text(path), source=os.fspath(path))

    @classmethod
    def loads(cls, text: str, source: str = "") -> Cell:
        """The cell in a TOML text; `source` is what errors call it."""
        name = f"{source}: " if source else ""
        try:
            data = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name}not TOML: {error}") from None
        try:
            return cls(**data)
        except InputError as error:
            raise InputError(f"{name}{error}") from None

    def dumps(self) -> str:
        """The cell as TOML, quantities as strings with their SI unit, what is left out left out."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True, exclude_defaults=True))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the cell file; loading it gives an equal cell. InputError where it cannot be written."""
        write_text(path, self.dumps())

    def vary(self, changes: Mapping[str, Any]) -> Cell:
        """A validated copy with other values: {"working_electrode.contact.fraction": 0.16}.

        None leaves a key or a section out; a key in a section left out makes the section. Raises InputError.
        """
        data = self.model_dump()
        for key, value in changes.items():
            if str(key) not in dict(keys(Cell)):
                raise InputError(f"{key} = {show(value)} is not allowed: {unknown_key(Cell, str(key))[0]}")
            *sections, name = key.split(".")
            place: Any = data
            for section in sections:
                if place.get(section) is None and value is not None:
                    place[section] = {}
                place = place.get(section)
                if not isinstance(place, dict):
                    break  # nothing to leave out, or no section, which validation reports
            else:
                place[name] = value.model_dump() if isinstance(value, BaseModel) else copy.deepcopy(value)
        return Cell(**data)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON schema of the cell file, for editors: every key with its meaning, unit and default."""
        schema = cls.model_json_schema(schema_generator=_FileSchema, mode="validation")
        return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


class _FileSchema(GenerateJsonSchema):
    """TOML knows no null: an optional key is one that may be left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if isinstance(schema.get("default"), (str, float)):
            return super().default_schema(schema)
        return self.generate_inner(schema["schema"])
