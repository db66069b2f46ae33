"""Where the metal touches the electrolyte, as a section of the cell file: one outline, several, an image, or what chance makes.

A shape fills the face, or with `repeat` each of so many equal parts of it. What it looks like there: `patterns`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic.json_schema import JsonSchemaValue

from fem_constriction.cell.microstructure import Count, Seed
from fem_constriction.cell.regions import Region
from fem_constriction.cell.section import Section
from fem_constriction.cell.units import Fraction, Length, Number, Quantity
from fem_constriction.errors import Absent, InputError
from fem_constriction.sources.face_images import as_text

#: shape -> keys that it takes, those that it needs first, and how many of them those are.
TAKES: Final[Mapping[str, tuple[int, tuple[str, ...]]]] = {
    "square": (1, ("fraction", "repeat", "mesher")),
    "disc": (1, ("fraction", "repeat", "mesher")),
    "regions": (1, ("regions", "repeat", "mesher")),
    "mesh": (0, ("mesher",)),
    "mask": (1, ("image", "pixel", "threshold", "repeat")),
    "spots": (0, ("count", "radius", "radii", "fraction", "gap", "seed", "pixels", "repeat", "mesher")),
    "rough": (3, ("fraction", "correlation_length", "pixels", "hurst", "seed", "repeat")),
}

#: Hurst exponent of a rough surface where none is given: that of most surfaces that were broken or ground.
HURST: Final = 0.8


@dataclass(frozen=True, kw_only=True)
class _OneOrTwo(Quantity):
    """One length, or two, [along x, along y]; two equal ones are one."""

    def validate(self, value: object) -> Any:
        if not isinstance(value, (list, tuple)):
            return super().validate(value)
        if len(value) != 2:
            raise InputError(value=value, allowed="one length or two, [along x, along y]")
        first, second = (super(_OneOrTwo, self).validate(each) for each in value)
        return first if first == second else (first, second)

    def text(self, number: Any) -> Any:
        if isinstance(number, tuple):
            return [super(_OneOrTwo, self).text(each) for each in number]
        return super().text(number)

    def schema(self) -> JsonSchemaValue:
        one = super().schema()
        pair = {"type": "array", "items": {"anyOf": one["anyOf"]}, "minItems": 2, "maxItems": 2}
        return {"anyOf": [*one["anyOf"], pair], "examples": one["examples"]}


@dataclass(frozen=True, kw_only=True)
class _Counts(Number):
    """One whole number for both directions, or two, [along x, along y]."""

    def validate(self, value: object) -> Any:
        if not isinstance(value, (list, tuple)):
            one = super().validate(value)
            return one, one
        if len(value) != 2:
            raise InputError(value=value, allowed="one whole number or two, [along x, along y]")
        first, second = (super(_Counts, self).validate(each) for each in value)
        return first, second

    def schema(self) -> JsonSchemaValue:
        one = super().schema()
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 2, "maxItems": 2}]}


_COUNTS = _Counts(allowed="a whole number from 1, or two of them, [along x, along y]", least=1, greatest=100_000, whole=True)
Pixel = Annotated[float | tuple[float, float], _OneOrTwo(unit="m", what="a length", example="0.1 um")]
Threshold = Annotated[float, Number(allowed="a number (no unit)", least=-np.inf)]
Spread = Annotated[float, Number(allowed="a number of at least 0 (no unit)", greatest=10, usual=(0.01, 2))]
Hurst = Annotated[float, Number(allowed="a number above 0 and at most 1 (no unit)", least=1e-6, greatest=1)]


class Radii(Section):
    """r = mean exp(w N - w^2/2), w^2 = ln(1 + spread^2): radii of spots, their logarithms normally distributed."""

    distribution: Literal["lognormal"] = Field("lognormal", description="Of the radii; left out: lognormal")
    mean: Length | None = Field(None, description="Mean radius in m; left out where count and fraction are given")
    spread: Spread = Field(description="Standard deviation over mean (no unit)")


def _metal(values: NDArray[Any], section: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Where an image that stands in a section is metal."""
    threshold = section.get("threshold")
    return np.asarray(metal_of(values, None if threshold is None else float(threshold)))


class Contact(Section):
    """Where the metal touches the electrolyte: one square or disc in the middle of the face, A_c = fraction A, or others."""

    shape: Literal["square", "disc", "regions", "mesh", "mask", "spots", "rough"] = Field(
        description="Shape of the contact: one centred square, one centred disc, the regions that are listed, metal pixels "
        "of an image, discs placed at random, or the highest parts of a rough surface"
    )
    fraction: Fraction | None = Field(
        None, description="Contact area over cell area, A_c/A, from 0 to 1 (no unit); left out with regions and masks"
    )
    regions: tuple[Region, ...] = Field((), description="Regions of the contact, on the face; left out for other shapes")
    mesher: Literal["delaunay", "gmsh"] | None = Field(
        None, description="What triangulates the face beside the contact's outline for finite elements; left out: delaunay"
    )
    image: str | None = Field(
        None,
        min_length=1,
        description="Image of the face for a mask, .png, .npy or .tif, first index x, second y, index 0 at x = y = 0, no flip; "
        "from Python an array as well; left out of other shapes",
    )
    pixel: Pixel | None = Field(
        None, description="Edge of a pixel of the image in m, or [along x, along y]; left out: width over their number"
    )
    threshold: Threshold | None = Field(
        None, description="Metal is where the image exceeds it; left out: half way between the two values of the image"
    )
    count: Count | None = Field(None, description="Number of spots; left out: as many as make the fraction")
    radius: Length | None = Field(None, description="Radius of all spots in m; left out: what makes the fraction")
    radii: Radii | None = Field(None, description="Distribution of the spots' radii; left out: all equal")
    gap: Length | None = Field(
        None,
        description="Smallest distance between spots, and to mirror images in walls, in m; left out: a tenth of the radius",
    )
    seed: Seed | None = Field(None, description="Seed of what is random; left out: 0")
    pixels: Annotated[tuple[int, int], _COUNTS] | None = Field(
        None,
        description="Pixels along x and y of a rough contact, or that spots are drawn on; left out: spots keep their outline",
    )
    correlation_length: Length | None = Field(
        None, description="Length in m beyond which heights of a rough surface are unrelated; left out of others"
    )
    hurst: Hurst | None = Field(None, description="Hurst exponent of a rough surface, above 0 and at most 1; left out: 0.8")
    repeat: Annotated[tuple[int, int], _COUNTS] | None = Field(
        None, description="Number of equal parts of the face along x and y that each have this contact; left out: 1"
    )

    @model_validator(mode="before")
    @classmethod
    def _array_as_text(cls, data: Any) -> Any:
        """An array becomes what the cell file writes: where it is metal."""
        found = as_text(data, _metal)
        return found if found is data else {key: value for key, value in found.items() if key != "threshold"}

    @model_validator(mode="after")
    def _keys_of_its_shape(self) -> Self:
        if self.shape == "mesh":
            for key in ("fraction", "regions"):
                if getattr(self, key):
                    raise InputError(key=key, why="shape 'mesh' takes the contact from the mesh (mesh.regions.contact)")
        elif self.shape == "regions":
            if self.fraction is not None:
                raise InputError(key="fraction", value=self.fraction, why="regions have an area of their own")
            if not self.regions:
                raise InputError(key="regions", value=Absent.MISSING, why="shape 'regions' needs at least one of them")
        elif self.shape in ("square", "disc"):
            if self.regions:
                raise InputError(key="regions", why=f"shape '{self.shape}' takes fraction")
            if self.fraction is None:
                allowed = "required is a number from 0 to 1 (no unit)"
                raise InputError(key="fraction", value=Absent.MISSING, allowed=allowed)
        needed, takes = TAKES[self.shape]
        for key in type(self).model_fields:
            given = getattr(self, key) not in (None, ())
            if given and key != "shape" and key not in takes:
                raise InputError(key=key, value=getattr(self, key), why=f"shape '{self.shape}' takes {', '.join(takes)}")
            if not given and key in takes[:needed]:
                why = f"shape '{self.shape}' needs {' and '.join(takes[:needed])}"
                raise InputError(key=key, value=Absent.MISSING, why=why)
        if self.shape == "spots":
            self._check_spots()
        return self

    @property
    def pixelated(self) -> bool:
        """Whether it is an image of the face, not outlines."""
        return self.image is not None or self.pixels is not None

    @property
    def several(self) -> bool:
        """Whether it may have more than one piece, or another outline than one in the middle of the face."""
        return self.shape not in ("square", "disc") or self.repeat not in (None, (1, 1))

    def _check_spots(self) -> None:
        """Two of number, size and area make the third."""
        if self.radius is not None and self.radii is not None:
            raise InputError(key="radius", value=self.radius, unit="m", when="together with radii", allowed="one of the two")
        sized = self.radius is not None or (self.radii is not None and self.radii.mean is not None)
        given = [
            name
            for name, has in (("count", self.count), ("radius", sized), ("fraction", self.fraction))
            if has not in (None, False)
        ]
        if len(given) != 2:
            size = "radius (or radii.mean)"
            why = f"two of count, {size} and fraction make the third, and given {'are' if len(given) > 1 else 'is'} "
            raise InputError(
                key="count", value=Absent.UNSAID if self.count else Absent.MISSING, why=why + (" and ".join(given) or "none")
            )


def metal_of(values: Any, threshold: float | None) -> Any:
    """Return where an image is metal, booleans. Raises InputError where no threshold tells, and for metal or pores alone."""
    if values.min() == values.max():
        what = "metal" if values.max() > (threshold or 0) else "pore"
        whole = "fraction = 1" if what == "metal" else "fraction = 0"
        raise InputError(
            key="image",
            why=f"all of its {' x '.join(map(str, values.shape))} pixels are {what}, and a mask has both",
            remedy=f"shape = 'square' with {whole} says so",
        )
    if values.dtype == bool and threshold is None:
        return np.ascontiguousarray(values)
    if threshold is None:
        low, high = values.min(), values.max()
        if np.any((values != low) & (values != high)):
            number = np.unique(values).size
            raise InputError(
                key="threshold",
                value=Absent.MISSING,
                why=f"the image has {number} values from {low:g} to {high:g}, and metal is where they exceed it",
            )
        threshold = (float(low) + float(high)) / 2
    metal = np.ascontiguousarray(values > threshold)
    low, high = values.min(), values.max()
    if metal.all() == metal.any():  # an image with a pattern that the threshold does not see
        what = "metal" if metal.any() else "pore"
        raise InputError(
            key="threshold",
            value=threshold,
            why=f"the image has values from {low:g} to {high:g}, so that all of it would be {what}",
        )
    return metal
