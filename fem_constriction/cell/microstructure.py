"""label(z, x, y): an image of grains and inclusions as the electrolyte, as a section of the cell file.

Every voxel of the image carries a label: a grain of the bulk, or an inclusion with a conductivity and permittivity of its own.
Between voxels of different grains lies a boundary; between a grain and an inclusion, or two inclusions, none (what the links
conduct: `series_links`). Images are arrays (z, x, y): z first, the direction of the current, index 0 at the working electrode.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from fem_constriction.cell.section import Section
from fem_constriction.cell.units import Conductivity, Length, Number, Permittivity, PoreConductivity
from fem_constriction.errors import Absent, InputError, MemoryShort
from fem_constriction.sources.contents import Contents, contents
from fem_constriction.sources.tiff import leads_of_image

#: Doubles alive at once per voxel while an image is solved, whose vectors are in single precision and whose matrices are never
#: written down: 20 to 30 solutions, 10 vectors of the solver, the labels and a byte per link. Measured peaks of the process, at
#: 48^3 and 96^3 voxels with 17 solutions: 118 and 103 bytes per voxel (203 in double precision, which is checked for itself).
DOUBLES_PER_VOXEL = 20


#: Images of other kinds, which are no raw volumes either.
_NOT_READ = (
    ".png",
    ".gif",
    ".jpg",
    ".jpeg",
    ".bmp",
    ".webp",
    ".mat",
    ".npz",
    ".h5",
    ".hdf5",
    ".nc",
    ".nii",
    ".gz",
    ".zip",
    ".vti",
)

Count = Annotated[int, Number(allowed="a whole number from 1 (no unit)", least=1, whole=True)]
Seed = Annotated[int, Number(allowed="a whole number of at least 0 (no unit)", whole=True)]
Label = Annotated[int, Number(allowed="a whole number (no unit)", least=-(2**63), whole=True)]


class Boundary(Section):
    """y_gb(s) = (sigma_gb + s eps_gb)/delta_gb in S/m2 wherever voxels of different grains meet."""

    thickness: Length = Field(description="Thickness delta_gb of a boundary in m")
    conductivity: Conductivity = Field(description="Conductivity sigma_gb of a boundary in S/m")
    relative_permittivity: Permittivity = Field(0.0, description="Relative permittivity; left out: 0")


class Inclusion(Section):
    """kappa(s) = sigma + s eps in S/m in the voxels of one label; both 0: a hole."""

    label: Label = Field(description="Label of the inclusion's voxels in the image")
    conductivity: PoreConductivity = Field(description="Conductivity in S/m; 0: insulating")
    relative_permittivity: Permittivity = Field(0.0, description="Relative permittivity; left out: 0")

    @property
    def phase(self) -> str:
        """The name of what the inclusion is made of."""
        return f"inclusion {self.label}"


class Microstructure(Section):
    """label(z, x, y): grains and inclusions, voxel by voxel, from an image or a generator."""

    image: str | None = Field(
        None,
        min_length=1,
        description="Label image, .npy, .tif or raw, axes z (index 0 at the WE), x, y; or a generator instead",
    )
    shape: tuple[Count, Count, Count] | None = Field(
        None, description="Voxels along z, x and y of a raw volume; left out for other images"
    )
    dtype: Literal["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"] | None = Field(
        None, description="Type of the labels of a raw volume, little-endian; left out for other images"
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
    voxel: Length = Field(description="Edge of a voxel in m")
    boundary: Boundary | None = Field(None, description="Boundaries between different grains; left out: none")
    inclusions: tuple[Inclusion, ...] = Field((), description="Labels that are not grains; left out: none")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = [key for key in ("generator", "image") if getattr(self, key) is not None]
        if len(given) != 1:
            what = "is given together with image" if given else "is missing, and image too"
            raise InputError(what, key="generator", allowed="allowed is one of the two")
        raw = self.image is not None and Path(self.image).suffix.lower() not in (".npy", ".tif", ".tiff")
        if raw and Path(str(self.image)).suffix.lower() in _NOT_READ and self.shape is None and self.dtype is None:
            allowed_images = ".npy, .tif, .tiff, or a raw volume with shape and dtype"
            raise InputError(key="image", value=self.image, allowed=allowed_images)
        needed = (
            {"shape", "dtype"} if raw else {"voronoi": {"grains"}, "cubic": {"grain_size"}}.get(self.generator or "", set())
        )
        allowed = needed | ({"sha256"} if self.image else {"seed"} if self.generator == "voronoi" else set())
        source = f"the generator '{self.generator}'" if self.generator else f"the image '{self.image}'"
        for key in ("shape", "dtype", "sha256", "grains", "seed", "grain_size"):
            if getattr(self, key) is None and key in needed:
                raise InputError(key=key, value=Absent.MISSING, why=f"{source} needs {' and '.join(sorted(needed))}")
            if getattr(self, key) is not None and key not in allowed:
                needs = " and ".join(sorted(allowed)) or "none of these keys"
                raise InputError(key=key, value=getattr(self, key), why=f"{source} takes {needs}")
        labels = [each.label for each in self.inclusions]
        for label in labels:
            if labels.count(label) > 1:
                raise InputError(key="inclusions", why=f"label {label} stands there {labels.count(label)} times, once is")
        if self.generator is not None and labels:
            raise InputError(key="inclusions", why=f"{source} makes grains alone, inclusions need an image")
        return self


def contents_of(structure: Microstructure) -> Contents:
    """Return what is read with the image of a section, and its digest. Raises InputError for a file that is not all there."""
    path = Path(str(structure.image))
    key = "electrolyte.microstructure.image"
    if not path.is_file():
        raise InputError(key=key, value=path, why="it is a folder, not a file" if path.is_dir() else "there is no such file")
    try:
        return contents(path, leads_of_image)
    except MemoryShort:
        raise
    except (InputError, OSError) as error:
        raise InputError(key=key, value=path, why=str(error)) from None


def beside(data: Any, folder: Path) -> Any:
    """Return the data of a cell file with the path of its image seen from the file's folder."""
    try:
        image = data["electrolyte"]["microstructure"]["image"]
        data["electrolyte"]["microstructure"]["image"] = str((folder / image).absolute())
    except (KeyError, TypeError):
        pass  # no image, or no text: validation says what is wrong
    return data
