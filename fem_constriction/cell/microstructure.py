"""label(z, x, y): an image of grains and inclusions as the electrolyte, as a section of the cell file.

Every voxel of the image carries a label: a grain of the bulk, or an inclusion with a conductivity and permittivity of its own.
Between voxels of different grains lies a boundary; between a grain and an inclusion, or two inclusions, none (what the links
conduct: `series_links`). Images are arrays (z, x, y): z first, the direction of the current, index 0 at the working electrode.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from fem_constriction.cell.constant_phase import BulkConstantPhase, ConstantPhase
from fem_constriction.cell.label_array import ALLOWED, ImageField, LabelArray
from fem_constriction.cell.section import Section
from fem_constriction.cell.units import SIZE, Conductivity, Length, Number, Permittivity, PoreConductivity, Quantity
from fem_constriction.errors import Absent, InputError, MemoryShort, show
from fem_constriction.sources.contents import Contents
from fem_constriction.sources.volumes import Form, contents_of_image, form_of

#: Doubles alive at once per voxel while an image is solved, whose vectors are in single precision and whose matrices are never
#: written down: 20 to 30 solutions, 10 vectors of the solver, the labels and a byte per link. Measured peaks of the process, at
#: 48^3 and 96^3 voxels with 17 solutions: 118 and 103 bytes per voxel (203 in double precision, which is checked for itself).
DOUBLES_PER_VOXEL = 20


#: Images of other kinds, which are no raw volumes either.
_NOT_READ = (".gif", ".jpg", ".jpeg", ".bmp", ".webp", ".mat", ".npz", ".nc", ".nii", ".gz", ".zip", ".vtk", ".vtr")

Count = Annotated[int, Number(allowed="a whole number from 1 (no unit)", least=1, whole=True)]
Seed = Annotated[int, Number(allowed="a whole number of at least 0 (no unit)", whole=True)]
Label = Annotated[int, Number(allowed="a whole number (no unit)", least=-(2**63), whole=True)]


@dataclass(frozen=True, kw_only=True)
class _Voxel(Quantity):
    """One length, or three along z, x and y; equal lengths are one."""

    def validate(self, value: object) -> Any:
        if not isinstance(value, (list, tuple)):
            return super().validate(value)
        if len(value) != 3:
            raise InputError(value=value, allowed="one length or three, in the image's order z, x, y")
        found = tuple(super(_Voxel, self).validate(each) for each in value)
        return found[0] if len(set(found)) == 1 else found

    def text(self, number: Any) -> Any:
        if isinstance(number, tuple):
            return [super(_Voxel, self).text(each) for each in number]
        return super().text(number)

    def unusual(self, value: Any) -> str:
        several = value if isinstance(value, tuple) else (value,)
        return next(filter(None, (super(_Voxel, self).unusual(each) for each in several)), "")

    def schema(self) -> JsonSchemaValue:
        one = super().schema()
        three = {"type": "array", "items": {"anyOf": one["anyOf"]}, "minItems": 3, "maxItems": 3}
        return {"anyOf": [*one["anyOf"], three], "examples": [*one["examples"], [self.example] * 3]}


@dataclass(frozen=True)
class _Crop:
    """A pydantic field: three pairs of whole numbers, from which voxel to before which, along z, x and y."""

    allowed: str = "[[z0, z1], [x0, x1], [y0, y1]], whole numbers with 0 <= z0 < z1 and so on, counted in the image's voxels"

    def validate(self, value: object) -> tuple[tuple[int, int], ...]:
        """Return the pairs; raise InputError for anything else."""
        try:
            pairs = tuple((int(a), int(b)) for a, b in value)  # type: ignore[attr-defined]
            whole = all(isinstance(each, Integral) and not isinstance(each, bool) for pair in value for each in pair)  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            pairs, whole = (), False
        if not whole or len(pairs) != 3 or not all(0 <= low < high for low, high in pairs):
            raise InputError(value=value, allowed=self.allowed)
        return pairs

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(self, core: CoreSchema, _: GetJsonSchemaHandler) -> JsonSchemaValue:
        pair = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2}
        return {"type": "array", "items": pair, "minItems": 3, "maxItems": 3}


@dataclass(frozen=True)
class _Coarsen:
    """A pydantic field: how many voxels are made one along every axis, or along z, x and y."""

    allowed: str = "a whole number from 1, or three along z, x and y (no unit)"

    def validate(self, value: object) -> int | tuple[int, ...]:
        """Return the number, or the three; raise InputError for anything else."""
        several = tuple(value) if isinstance(value, (list, tuple)) else (value,)
        whole = all(isinstance(each, Integral) and not isinstance(each, bool) and int(each) >= 1 for each in several)
        if not whole or len(several) not in (1, 3) or (len(several) == 1 and isinstance(value, (list, tuple))):
            raise InputError(value=value, allowed=self.allowed)
        found = tuple(int(each) for each in several)
        return found[0] if len(set(found)) == 1 else found

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(self, core: CoreSchema, _: GetJsonSchemaHandler) -> JsonSchemaValue:
        one = {"type": "integer", "minimum": 1}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 3, "maxItems": 3}]}


class Boundary(Section):
    """y_gb(s) = (sigma_gb + s eps_gb)/delta_gb + Q s^n in S/m2 wherever voxels of different grains meet."""

    thickness: Length = Field(description="Thickness delta_gb of a boundary in m")
    conductivity: Conductivity = Field(description="Conductivity sigma_gb of a boundary in S/m")
    relative_permittivity: Permittivity = Field(0.0, description="Relative permittivity; left out: 0")
    cpe: ConstantPhase | None = Field(None, description="Constant-phase element of a boundary; left out: none")


class ImageBoundary(Boundary):
    """y_gb(s) wherever voxels of different grains meet, over the area of their faces or of the boundaries that they picture."""

    area: Literal["voxels", "smooth"] = Field(
        "voxels", description="Area of a boundary: of the voxels' faces, or of the smooth surface; left out: voxels"
    )


class Inclusion(Section):
    """kappa(s) = sigma + s eps + Q s^n in S/m in the voxels of one label; all 0: a hole."""

    label: Label = Field(description="Label of the inclusion's voxels in the image")
    conductivity: PoreConductivity = Field(description="Conductivity in S/m; 0: insulating")
    relative_permittivity: Permittivity = Field(0.0, description="Relative permittivity; left out: 0")
    cpe: BulkConstantPhase | None = Field(None, description="Constant-phase element, per m; left out: none")

    @property
    def phase(self) -> str:
        """The name of what the inclusion is made of."""
        return f"inclusion {self.label}"


class Phase(Section):
    """What the voxels of one label are: grains of the electrolyte, an inclusion in it, a hole, or metal of an electrode."""

    label: Label = Field(description="Label of the phase's voxels in the image")
    kind: Literal["grain", "inclusion", "hole", "electrode"] = Field(
        description="A grain as every label that is not listed, an inclusion with materials of its own, a hole (void), or metal"
    )
    conductivity: PoreConductivity | None = Field(None, description="Of an inclusion in S/m; left out otherwise")
    relative_permittivity: Permittivity | None = Field(
        None, description="Of an inclusion or of what fills a hole; left out: 0, and of grains and electrodes"
    )
    cpe: BulkConstantPhase | None = Field(None, description="Constant-phase element of an inclusion, per m; left out: none")
    tied_to: Literal["working", "counter"] | None = Field(
        None, description="Which electrode an electrode's metal belongs to; left out otherwise"
    )

    @model_validator(mode="after")
    def _kinds(self) -> Self:
        takes = {
            "grain": (),
            "inclusion": ("conductivity", "relative_permittivity", "cpe"),
            "hole": ("relative_permittivity",),
            "electrode": ("tied_to",),
        }[self.kind]
        for key in ("conductivity", "relative_permittivity", "cpe", "tied_to"):
            given = getattr(self, key)
            if given is not None and key not in takes:
                words = " and ".join(takes) or "label alone"
                raise InputError(key=key, value=given, why=f"kind '{self.kind}' takes {words}")
        for kind, key in (("inclusion", "conductivity"), ("electrode", "tied_to")):
            if self.kind == kind and getattr(self, key) is None:
                allowed = "'working' or 'counter'" if key == "tied_to" else "a conductivity of at least 0; 0: insulating"
                raise InputError(key=key, value=Absent.MISSING, allowed=f"kind '{kind}' needs {allowed}")
        return self

    @property
    def phase(self) -> str:
        """The name of what it is made of."""
        return f"{self.kind} {self.label}"


class Microstructure(Section):
    """label(z, x, y): grains and inclusions, voxel by voxel, from an image or a generator."""

    image: Annotated[str | LabelArray, ImageField()] | None = Field(
        None,
        description="Label image with axes z (index 0 at the WE), x, y: .npy, .tif, .h5, .zarr, .vti, a folder or pattern of "
        ".png or .tif pages, raw, or from Python an array; or a generator instead",
    )
    dataset: str | None = Field(
        None, min_length=1, description="Which array of a .h5, .zarr or .vti; left out: the only one with three axes"
    )
    shape: tuple[Count, Count, Count] | None = Field(
        None, description="Voxels along z, x and y of a raw volume; left out for other images"
    )
    dtype: Literal["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"] | None = (
        Field(None, description="Type of the labels of a raw volume; left out for other images")
    )
    endian: Literal["little", "big"] | None = Field(None, description="Order of bytes in a raw volume; left out: little")
    order: Literal["C", "F"] | None = Field(
        None, description="Order of indices in a raw volume: C, y runs fastest, or F, z does; left out: C"
    )
    crop: Annotated[tuple[tuple[int, int], ...], _Crop()] | None = Field(
        None, description="Part of the image that is the cell, [[z0, z1], [x0, x1], [y0, y1]] in its voxels; left out: all"
    )
    coarsen: Annotated[int | tuple[int, ...], _Coarsen()] | None = Field(
        None, description="Voxels along every axis (or z, x, y) that become one, by majority; left out: 1"
    )
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="Digest the image must have; left out: any")
    generator: Literal["voronoi", "cubic"] | None = Field(
        None, description="Voronoi grains or cubic bricks instead of an image"
    )
    grains: Count | None = Field(None, description="Number of Voronoi grains; left out without them")
    seed: Seed | None = Field(None, description="Seed of the Voronoi grains; left out: 0")
    grain_size: Length | None = Field(
        None, description="Edge of the cubic grains in m, a whole number of voxels; left out without them"
    )
    voxel: Annotated[float | tuple[float, float, float], _Voxel(unit="m", what="a length", example="0.5 um", usual=SIZE)] = (
        Field(description="Edge of a voxel of the image in m, or its edges along z, x and y")
    )
    boundary: ImageBoundary | None = Field(None, description="Boundaries between different grains; left out: none")
    inclusions: tuple[Inclusion, ...] = Field((), description="Labels that are not grains; left out: none")
    phases: tuple[Phase, ...] = Field((), description="Labels that are not grains, electrodes among them; left out: none")
    voids: tuple[Label, ...] = Field(
        (), description="Labels of the voids beside the metal, which are metal where the contact is whole; left out: not known"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = [key for key in ("generator", "image") if getattr(self, key) is not None]
        if len(given) != 1:
            what = "is given together with image" if given else "is missing, and image too"
            raise InputError(what, key="generator", allowed="allowed is one of the two")
        form = self.form
        raw = form == "raw"
        if raw and Path(str(self.image)).suffix.lower() in _NOT_READ and self.shape is None and self.dtype is None:
            raise InputError(key="image", value=self.image, allowed=ALLOWED)
        made = {"voronoi": {"grains"}, "cubic": {"grain_size"}}
        needed = {"shape", "dtype"} if raw else made.get(self.generator or "", set())
        allowed = needed | ({"crop", "coarsen"} if form else {"seed"} if self.generator == "voronoi" else set())
        allowed |= {"sha256"} if form and form != "array" else set()
        allowed |= {"order", "endian"} if raw else {"dataset"} if form in ("hdf5", "zarr", "vti") else set()
        source = f"the generator '{self.generator}'" if self.generator else f"the image {show(self.image)}"
        for key in (
            "shape",
            "dtype",
            "order",
            "endian",
            "dataset",
            "crop",
            "coarsen",
            "sha256",
            "grains",
            "seed",
            "grain_size",
        ):
            if getattr(self, key) is None and key in needed:
                raise InputError(key=key, value=Absent.MISSING, why=f"{source} needs {' and '.join(sorted(needed))}")
            if getattr(self, key) is not None and key not in allowed:
                needs = " and ".join(sorted(allowed)) or "none of these keys"
                raise InputError(key=key, value=getattr(self, key), why=f"{source} takes {needs}")
        for key in ("inclusions", "phases"):
            labels = [each.label for each in getattr(self, key)]
            for label in labels:
                if labels.count(label) > 1:
                    raise InputError(key=key, why=f"label {label} stands there {labels.count(label)} times, once is")
            if self.generator is not None and labels:
                raise InputError(key=key, why=f"{source} makes grains alone, {key} need an image")
        for label in {each.label for each in self.inclusions} & {each.label for each in self.phases}:
            raise InputError(key="phases", why=f"label {label} stands among the inclusions as well, once is")
        for number, label in enumerate(self.voids):
            if label not in {each.label for each in self.others if each.kind in ("hole", "inclusion")}:
                raise InputError(key=f"voids.{number}", value=label, why="no phase of kind 'hole' or 'inclusion' has it")
        return self

    @property
    def form(self) -> Form | Literal["array"] | None:
        """What the image is read as; None for a generator."""
        if self.image is None or isinstance(self.image, LabelArray):
            return None if self.image is None else "array"
        return form_of(self.image, self.shape is not None or self.dtype is not None)

    @property
    def others(self) -> tuple[Phase, ...]:
        """All that is no grain: phases that are listed, and inclusions."""
        listed = tuple(each for each in self.phases if each.kind != "grain")
        return listed + tuple(
            Phase(
                label=each.label,
                kind="inclusion",
                conductivity=each.conductivity,
                relative_permittivity=each.relative_permittivity,
                cpe=each.cpe,
            )
            for each in self.inclusions
        )

    @property
    def materials(self) -> tuple[Phase, ...]:
        """Phases that have a conductivity and permittivity of their own."""
        return tuple(each for each in self.others if each.kind != "electrode")

    @property
    def electrodes(self) -> dict[int, Literal["working", "counter"]]:
        """Label -> the electrode that its metal belongs to."""
        return {each.label: each.tied_to for each in self.phases if each.tied_to is not None}

    @property
    def coarsening(self) -> tuple[int, int, int]:
        """How many voxels of the image become one along z, x and y."""
        return triple(1 if self.coarsen is None else self.coarsen)

    @property
    def edges(self) -> tuple[float, float, float]:
        """Edges of the cell's voxels along z, x and y in m: those of the image times its coarsening."""
        z, x, y = (h * n for h, n in zip(triple(self.voxel), self.coarsening, strict=True))
        return z, x, y


def triple(value: Any) -> tuple[Any, Any, Any]:
    """Return a value for every axis: three as they are, one three times."""
    first, second, third = value if isinstance(value, tuple) else (value, value, value)
    return first, second, third


def contents_of(structure: Microstructure) -> Contents:
    """Return what is read with the image of a section, and its digest. Raises InputError for a file that is not all there."""
    if isinstance(structure.image, LabelArray):
        return Contents((), structure.image.sha256, structure.image.sha256)
    path = str(structure.image)
    try:
        return contents_of_image(path, form_of(path, structure.shape is not None))
    except MemoryShort:
        raise
    except (InputError, OSError) as error:
        raise InputError(key="electrolyte.microstructure.image", value=Path(path), why=str(error)) from None


def beside(data: Any, folder: Path) -> Any:
    """Return the data of a cell file with the path of its image seen from the file's folder."""
    try:
        structure = data["electrolyte"]["microstructure"]
        image = structure["image"]
        if isinstance(image, dict):
            structure["image"] = image | {"array": str((folder / image["array"]).absolute())}
        else:
            structure["image"] = str((folder / image).absolute())
    except (KeyError, TypeError):
        pass  # no image, or no text: validation says what is wrong
    return data
