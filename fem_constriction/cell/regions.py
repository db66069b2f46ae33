"""Regions of the contact, as a cell file says them: discs, ellipses, rectangles and polygons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic.json_schema import JsonSchemaValue

from fem_constriction.cell.section import Section
from fem_constriction.cell.units import Length, Quantity
from fem_constriction.errors import Absent, InputError
from fem_constriction.geometry.outlines import Outline, _fault_of_ring, _turned


@dataclass(frozen=True, kw_only=True)
class _Pair(Quantity):
    """Two lengths, [along x, along y]."""

    def validate(self, value: object) -> Any:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise InputError(value=value, allowed=f"two lengths, [along x, along y], such as {self.example}")
        return tuple(super(_Pair, self).validate(each) for each in value)

    def text(self, number: Any) -> Any:
        return [super(_Pair, self).text(each) for each in number]

    def schema(self) -> JsonSchemaValue:
        return {"type": "array", "items": {"anyOf": super().schema()["anyOf"]}, "minItems": 2, "maxItems": 2}


@dataclass(frozen=True, kw_only=True)
class _Corners(_Pair):
    """A list of at least three pairs of lengths."""

    def validate(self, value: object) -> Any:
        if not isinstance(value, (list, tuple)) or len(value) < 3:
            raise InputError(value=value, allowed=f"a list of at least three corners, each such as {self.example}")
        return tuple(super(_Corners, self).validate(each) for each in value)

    def text(self, number: Any) -> Any:
        return [super(_Corners, self).text(each) for each in number]

    def schema(self) -> JsonSchemaValue:
        return {"type": "array", "items": super().schema(), "minItems": 3}


_EXAMPLE = '["10 um", "20 um"]'


_POINT = _Pair(unit="m", what="a length", example=_EXAMPLE, positive=False)


_SIZES = _Pair(unit="m", what="a length", example=_EXAMPLE)


_CORNERS = _Corners(unit="m", what="a length", example=_EXAMPLE, positive=False)


Angle = Annotated[float, Quantity(unit="rad", what="an angle", example="30 deg", positive=False, usual=(0, 2 * np.pi))]


#: shape -> keys it needs; angle is allowed where there is one to turn.
NEEDS = {
    "disc": ("centre", "radius"),
    "ellipse": ("centre", "semi_axes"),
    "rectangle": ("centre", "size"),
    "polygon": ("vertices",),
}


class Region(Section):
    """One region of the contact: a disc, an ellipse, a rectangle or a polygon."""

    shape: Literal["disc", "ellipse", "rectangle", "polygon"] = Field(description="What the region is")
    centre: Annotated[tuple[float, float], _POINT] | None = Field(None, description="Centre [x, y] in m; left out of a polygon")
    radius: Length | None = Field(None, description="Radius of a disc in m; left out of other shapes")
    semi_axes: Annotated[tuple[float, float], _SIZES] | None = Field(
        None, description="Semi-axes of an ellipse in m; left out of other shapes"
    )
    size: Annotated[tuple[float, float], _SIZES] | None = Field(
        None, description="Edges of a rectangle in m; left out of other shapes"
    )
    angle: Angle | None = Field(None, description="Angle from x to the first axis or edge, counter-clockwise; left out: 0")
    vertices: Annotated[tuple[tuple[float, float], ...], _CORNERS] | None = Field(
        None, description="Corners of a polygon in order, each [x, y] in m; left out of other shapes"
    )

    @model_validator(mode="after")
    def _keys_of_its_shape(self) -> Self:
        needed = NEEDS[self.shape]
        allowed = (*needed, "angle") if self.shape in ("ellipse", "rectangle") else needed
        for key in ("centre", "radius", "semi_axes", "size", "angle", "vertices"):
            given = getattr(self, key) is not None
            if not given and key in needed:
                raise InputError(key=key, value=Absent.MISSING, why=f"shape '{self.shape}' needs {' and '.join(needed)}")
            if given and key not in allowed:
                takes = " and ".join(allowed)
                raise InputError(key=key, value=getattr(self, key), why=f"shape '{self.shape}' takes {takes}")
        if self.vertices is not None and (wrong := _fault_of_ring(np.array(self.vertices))):
            raise InputError(key="vertices", value=self.vertices, why=wrong)
        return self

    @property
    def outline(self) -> Outline:
        """Its outline on the face."""
        turn = self.angle or 0.0
        if self.vertices is not None:
            return Outline.polygon(self.vertices)
        assert self.centre is not None
        if self.size is not None:
            half = np.array(self.size) / 2 * [[1, 1], [-1, 1], [-1, -1], [1, -1]]
            return Outline.polygon(np.array(self.centre) + half @ _turned(turn).T)
        axes = self.semi_axes if self.semi_axes is not None else (self.radius or 0.0, self.radius or 0.0)
        return Outline(self.centre, axes, turn)
