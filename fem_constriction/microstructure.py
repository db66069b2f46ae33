"""label(z, x, y): an image of grains and inclusions as the electrolyte, as a section of the cell file.

Every voxel of the image carries a label: a grain of the bulk, or an inclusion with a conductivity and permittivity of its own.
Between voxels of different grains lies a boundary; between a grain and an inclusion, or two inclusions, none (what the links
conduct: `link_kinds`). Images are arrays (z, x, y): z first, the direction of the current, index 0 at the working electrode.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from fem_constriction import memory
from fem_constriction.contents import Contents, contents
from fem_constriction.errors import InputError, MemoryShort
from fem_constriction.faults import FaultError
from fem_constriction.grid import Grid
from fem_constriction.section import Section
from fem_constriction.tiff import leads_of_image
from fem_constriction.units import Conductivity, Length, Number, Permittivity, PoreConductivity

if TYPE_CHECKING:
    from fem_constriction.cell import Cell

#: Doubles alive at once per voxel while an image is solved, whose vectors are in single precision and whose matrices are never
#: written down: 20 to 30 solutions, 10 vectors of the solver, the labels and a byte per link. Measured peaks of the process, at
#: 48^3 and 96^3 voxels with 17 solutions: 118 and 103 bytes per voxel (203 in double precision, which is checked for itself).
DOUBLES_PER_VOXEL = 20

#: How far a length may be from a whole number of voxels, relatively: rounding of the cell file.
_ROUNDING = 1e-9

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
            raise FaultError("generator", f" {what}: allowed is one of the two")
        raw = self.image is not None and Path(self.image).suffix.lower() not in (".npy", ".tif", ".tiff")
        if raw and Path(str(self.image)).suffix.lower() in _NOT_READ and self.shape is None and self.dtype is None:
            allowed_images = ".npy, .tif, .tiff, or a raw volume with shape and dtype"
            raise FaultError("image", f" = '{self.image}' is not allowed: {allowed_images}")
        needed = (
            {"shape", "dtype"} if raw else {"voronoi": {"grains"}, "cubic": {"grain_size"}}.get(self.generator or "", set())
        )
        allowed = needed | ({"sha256"} if self.image else {"seed"} if self.generator == "voronoi" else set())
        source = f"the generator '{self.generator}'" if self.generator else f"the image '{self.image}'"
        for key in ("shape", "dtype", "sha256", "grains", "seed", "grain_size"):
            if getattr(self, key) is None and key in needed:
                raise FaultError(key, f" is missing: {source} needs {' and '.join(sorted(needed))}")
            if getattr(self, key) is not None and key not in allowed:
                needs = " and ".join(sorted(allowed)) or "none of these keys"
                raise FaultError(key, f" = {getattr(self, key)!r} is not allowed: {source} takes {needs}")
        labels = [each.label for each in self.inclusions]
        for label in labels:
            if labels.count(label) > 1:
                raise FaultError(
                    "inclusions", f" is not allowed: label {label} stands there {labels.count(label)} times, once is"
                )
        if self.generator is not None and labels:
            raise FaultError("inclusions", f" is not allowed: {source} makes grains alone, inclusions need an image")
        return self


def contents_of(structure: Microstructure) -> Contents:
    """Return what is read with the image of a section, and its digest. Raises InputError for a file that is not all there."""
    path = Path(str(structure.image))
    what = f"electrolyte.microstructure.image = '{path}' is not allowed"
    if not path.is_file():
        raise InputError(f"{what}: {'it is a folder, not a file' if path.is_dir() else 'there is no such file'}")
    try:
        return contents(path, leads_of_image)
    except MemoryShort:
        raise
    except (InputError, OSError) as error:
        raise InputError(f"{what}: {error}") from None


def counts(cell: Cell) -> tuple[int, int, int]:
    """Return the number of voxels along z, x and y. Raises FaultError where the cell is not a whole number of them."""
    structure = cell.electrolyte.microstructure
    if structure is None:
        raise InputError("electrolyte.microstructure is missing: only a label image has voxels of its own")
    x, y, z = cell.geometry.lengths
    found = []
    for key, length in (("thickness", z), ("width", x), ("width", y)):
        if (number := _whole(length, structure.voxel)) is None:
            raise FaultError(
                "electrolyte.microstructure.voxel",
                f" = {structure.voxel!r} m is not allowed with geometry.{key} = {length!r} m: that is "
                f"{length / structure.voxel:.6g} voxels, and a whole number is allowed",
            )
        found.append(number)
    return found[0], found[1], found[2]


def _whole(length: float, voxel: float) -> int | None:
    """Return how many voxels a length is; None where they are no whole number, or more than a float counts one by one."""
    ratio = length / voxel
    if not 0.5 < ratio < 2**53 or abs(ratio - round(ratio)) > _ROUNDING * ratio:
        return None
    return round(ratio)


def check_fits(cell: Cell) -> None:
    """Raise FaultError where a microstructure does not fit its cell, from numbers alone: nothing of its size is made."""
    structure, voxels = cell.electrolyte.microstructure, counts(cell)
    contact_voxels(cell)
    if structure is None:
        return
    number = math.prod(voxels)
    if structure.grains is not None and structure.grains > number:
        raise FaultError(
            "electrolyte.microstructure.grains",
            f" = {structure.grains} is not allowed on {' x '.join(map(str, voxels))} voxels: at most one grain per voxel is, "
            f"{number}",
        )
    if structure.grain_size is not None and _whole(structure.grain_size, structure.voxel) is None:
        raise FaultError(
            "electrolyte.microstructure.grain_size",
            f" = {structure.grain_size!r} m is not allowed with voxel = {structure.voxel!r} m: that is "
            f"{structure.grain_size / structure.voxel:.6g} voxels, and a whole number is allowed",
        )


def contact_voxels(cell: Cell) -> tuple[slice, slice]:
    """Return the voxels along x and along y that the contact covers. Raises FaultError where its edges cut voxels."""
    _, nx, ny = counts(cell)
    fraction, shape = cell.contact_fraction, cell.working_electrode.contact.shape
    if shape != "square":
        raise FaultError(
            "working_electrode.contact.shape", f" = {shape!r} is not allowed with electrolyte.microstructure: 'square' is"
        )
    if fraction in (0, 1):
        return (slice(0, 0), slice(0, 0)) if fraction == 0 else (slice(0, nx), slice(0, ny))
    covered = round(math.sqrt(fraction * nx * ny))
    exact = abs(covered**2 / (nx * ny) - fraction) <= _ROUNDING * fraction
    if not exact or (nx - covered) % 2 or (ny - covered) % 2:
        below = covered - (covered - nx) % 2
        fitting = [] if (nx - ny) % 2 else [n for n in range(below - 2, below + 5, 2) if 0 <= n <= min(nx, ny)]
        near = sorted(sorted((n**2 / (nx * ny) for n in fitting), key=lambda each: abs(each - fraction))[:2])
        remedy = (
            f"nearest are {' and '.join(f'{each:.12g}' for each in near)}" if near else "0 or 1 alone, or an even difference"
        )
        raise FaultError(
            "working_electrode.contact.fraction",
            f" = {fraction!r} is not allowed on {nx} x {ny} voxels: the edges of a centred square must lie between "
            f"voxels, {remedy}",
        )
    first, second = (nx - covered) // 2, (ny - covered) // 2
    return slice(first, first + covered), slice(second, second + covered)


def image_grid(cell: Cell) -> Grid:
    """Return the voxels of a label image as the grid of its cell, all of it. Raises MemoryShort where they would not fit."""
    nz, nx, ny = counts(cell)
    name = f"image, {nz} x {nx} x {ny} voxels"
    needed = 8 * DOUBLES_PER_VOXEL * math.prod((nz, nx, ny))
    memory.require(needed, f"electrolyte.microstructure with {nz} x {nx} x {ny} = {nz * nx * ny:.3g} voxels", "larger voxels")
    x, y, z = cell.geometry.lengths
    contact = np.zeros((nx, ny), dtype=bool)
    contact[contact_voxels(cell)] = True
    return Grid(
        x=np.linspace(0, x, nx + 1),
        y=np.linspace(0, y, ny + 1),
        layers=(np.linspace(0, z, nz + 1),),
        contact=contact,
        copies=1,
        name=name,
    )


def own_resolution(cell: Cell, resolution: int | None) -> int | None:
    """Return the resolution; of a cell with a label image None, which stands for the image's own, and no other is allowed."""
    if cell.electrolyte.microstructure is None:
        return resolution
    along = counts(cell)
    if resolution is not None and resolution not in along:
        raise InputError(
            f"resolution = {resolution} is not allowed with electrolyte.microstructure: the image has "
            f"{' x '.join(map(str, along))} voxels and no other grid; allowed is to leave it out"
        )
    return None


def beside(data: Any, folder: Path) -> Any:
    """Return the data of a cell file with the path of its image seen from the file's folder."""
    try:
        image = data["electrolyte"]["microstructure"]["image"]
        data["electrolyte"]["microstructure"]["image"] = str((folder / image).absolute())
    except (KeyError, TypeError):
        pass  # no image, or no text: validation says what is wrong
    return data
