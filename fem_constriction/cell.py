"""The cell: one frozen, validated description of geometry and materials, read from and written to TOML."""

from __future__ import annotations

import copy
import math
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import tomli_w
from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from fem_constriction.errors import InputError
from fem_constriction.faults import FaultError, keys, sentence, show, unknown_key
from fem_constriction.files import read_text, write_text
from fem_constriction.meshes import Mesh, check_mesh, measure_of, mesh_beside
from fem_constriction.microstructure import beside, contact_voxels
from fem_constriction.outlines import Outline, faults
from fem_constriction.sections import CounterElectrode, Electrolyte, Geometry, Section, WorkingElectrode
from fem_constriction.temperature import Temperature

_ROUNDING = 1e-12  # a square may be this much too wide for its face, and is then as wide as the face


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
    temperature: Temperature | None = Field(None, description="Temperature; left out: conductances hold as they are given")
    mesh: Mesh | None = Field(None, description="A mesh from a file, with named regions; left out: the box itself")

    def __init__(self, /, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise InputError(sentence(Cell, error)) from None

    @model_validator(mode="after")
    def _contact_fits(self) -> Self:
        x, y, _ = self.geometry.lengths
        contact = self.working_electrode.contact
        check_mesh(self)
        if contact.shape == "mesh":
            return self
        if contact.shape == "regions":
            if wrong := faults(self.outlines, (x, y)):
                raise FaultError("working_electrode.contact.regions", f" is not allowed: {wrong}")
            return self
        fraction, largest = self.contact_fraction, min(x, y) / max(x, y)
        if contact.shape == "disc":
            largest *= math.pi / 4
        if fraction > largest * (1 + _ROUNDING) and (fraction < 1 or contact.shape == "disc"):
            size = math.sqrt(fraction) * math.sqrt(x) * math.sqrt(y)
            what = f"a square of side {size:.6g} m" if contact.shape == "square" else f"a disc of radius {_radius(size):.6g} m"
            whole = ", or 1 for the whole face" if contact.shape == "square" else ""
            allowed = f"{what} does not fit a face of {x:.6g} m x {y:.6g} m, at most {largest:.6g}{whole}"
            raise FaultError("working_electrode.contact.fraction", f" = {fraction!r} is not allowed: {allowed}")
        return self

    @model_validator(mode="after")
    def _voxels_fit(self) -> Self:
        if self.electrolyte.microstructure is not None:
            contact_voxels(self)
        return self

    @property
    def area(self) -> float:
        """A = L_x L_y in m2; of a mesh that of its working electrode, A_c + A_pore."""
        if self.mesh is not None:
            return measure_of(self).electrode
        x, y, _ = self.geometry.lengths
        return x * y

    @property
    def contact_fraction(self) -> float:
        """A_c/A, from 0 to 1."""
        if self.mesh is not None:
            return measure_of(self).contact / self.area
        contact = self.working_electrode.contact
        if contact.fraction is not None:
            return contact.fraction
        return min(sum(outline.area for outline in self.outlines) / self.area, 1.0)

    @property
    def contact_area(self) -> float:
        """A_c = fraction A in m2."""
        return self.contact_fraction * self.area

    @property
    def contact_sides(self) -> tuple[float, float]:
        """(s_x, s_y) in m, the extent of the contact; of a square sqrt(A_c), (L_x, L_y) at fraction 1, (0, 0) at 0."""
        if self.mesh is not None:
            return measure_of(self).sides
        x, y, _ = self.geometry.lengths
        if self.working_electrode.contact.shape != "square":
            boxes = np.array([outline.shape.bounds for outline in self.outlines]).reshape(-1, 4)
            low, high = (boxes[:, :2].min(0), boxes[:, 2:].max(0)) if len(boxes) else (np.zeros(2), np.zeros(2))
            return float(high[0] - low[0]), float(high[1] - low[1])
        if self.contact_fraction == 1:
            return x, y
        side = float(min(math.sqrt(self.contact_area), x, y))
        return side, side

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """The outlines of the contact on the face, the origin in its corner; none at fraction 0."""
        contact = self.working_electrode.contact
        if contact.shape == "regions":
            return tuple(region.outline for region in contact.regions)
        if not contact.fraction:
            return ()
        x, y, _ = self.geometry.lengths
        if contact.shape == "disc":
            return (Outline.disc((x / 2, y / 2), min(_radius(math.sqrt(self.contact_area)), x / 2, y / 2)),)
        half_x, half_y = (side / 2 for side in self.contact_sides)
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        return (Outline.polygon([(x / 2 + a * half_x, y / 2 + b * half_y) for a, b in signs]),)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Cell:
        """The cell in a TOML file; InputError names the file, the key, its value and what is allowed."""
        return cls.loads(read_text(path), source=os.fspath(path), folder=Path(path).parent)

    @classmethod
    def loads(cls, text: str, source: str = "", folder: Path | None = None) -> Cell:
        """The cell in a TOML text; `source` is what errors call it, `folder` what a relative path in it is seen from."""
        name = f"{source}: " if source else ""
        try:
            data = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name}not TOML: {error}") from None
        try:
            return cls(**(data if folder is None else mesh_beside(beside(data, folder), folder)))
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
                if isinstance(place, (list, tuple)):
                    raise InputError(f"{key} = {show(value)} is not allowed: {section} is a list, give all of it")
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


def _radius(side: float) -> float:
    """The radius of a disc with the area of a square."""
    return side / math.sqrt(math.pi)


class _FileSchema(GenerateJsonSchema):
    """TOML knows no null: an optional key is one that may be left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if isinstance(schema.get("default"), (str, float)):
            return super().default_schema(schema)
        return self.generate_inner(schema["schema"])
