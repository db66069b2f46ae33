"""How deep the pores are: one length, lengths of regions, or a map of the face; sections of the cell file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from fem_constriction.cell.contact import Pixel
from fem_constriction.cell.regions import _POINT, _SIZES
from fem_constriction.cell.section import Section
from fem_constriction.cell.units import SIZE, Length, Quantity
from fem_constriction.sources.face_images import as_text

#: Unit of a map's values -> m.
UNITS: Final[Mapping[str, float]] = {"m": 1.0, "mm": 1e-3, "um": 1e-6, "nm": 1e-9}


class DepthMap(Section):
    """d(x, y) as an image of the face: what it has where the metal touches does not matter."""

    image: str = Field(
        min_length=1,
        description="Image of depths, .png, .npy or .tif, first index x, second y, index 0 at x = y = 0, no flip; from Python "
        "an array as well",
    )
    unit: Literal["m", "mm", "um", "nm"] = Field(description="Unit of the image's values")
    pixel: Pixel | None = Field(
        None, description="Edge of a pixel of the image in m, or [along x, along y]; left out: width over their number"
    )

    @model_validator(mode="before")
    @classmethod
    def _array_as_text(cls, data: Any) -> Any:
        """An array becomes what the cell file writes."""
        return as_text(data, lambda values, _: np.asarray(values, dtype=float))


class PoreRegion(Section):
    """A rectangle of the face whose pores have a depth of their own."""

    centre: Annotated[tuple[float, float], _POINT] = Field(description="Centre [x, y] in m")
    size: Annotated[tuple[float, float], _SIZES] = Field(description="Edges along x and y in m")
    depth: Length = Field(description="Depth of the pores there in m")


@dataclass(frozen=True, kw_only=True)
class Depth(Quantity):
    """One length, or the section of a map."""

    @property
    def allowed(self) -> str:
        """What may stand there, in words."""
        return f"{super().allowed}, or a map of them (image, unit, pixel)"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def either(value: Any, section: core_schema.ValidatorFunctionWrapHandler) -> Any:
            return section(value) if isinstance(value, (Mapping, BaseModel)) else self.validate(value)

        def text(value: Any, info: Any) -> Any:
            if isinstance(value, DepthMap):
                return value.model_dump(mode=info.mode, exclude_none=info.exclude_none)
            return self.text(value) if info.mode == "json" and value is not None else value

        written = core_schema.plain_serializer_function_ser_schema(text, info_arg=True)
        return core_schema.no_info_wrap_validator_function(either, handler.generate_schema(DepthMap), serialization=written)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [*self.schema()["anyOf"], handler(core)], "examples": self.schema()["examples"]}


DepthOrMap = Annotated[float | DepthMap, Depth(unit="m", what="a length", example="1 nm", usual=SIZE)]
