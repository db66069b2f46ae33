"""Does a label image fit its cell? Whole numbers of voxels, and a contact whose edges lie between them."""

from __future__ import annotations

import math

from fem_constriction.cell.description import Description
from fem_constriction.errors import Absent, InputError

#: How far a length may be from a whole number of voxels, relatively: rounding of the cell file.
_VOXEL_TOLERANCE = 1e-9


def counts(cell: Description) -> tuple[int, int, int]:
    """Return the number of voxels along z, x and y. Raises InputError where the cell is not a whole number of them."""
    structure = cell.electrolyte.microstructure
    if structure is None:
        raise InputError(key="electrolyte.microstructure", value=Absent.MISSING, why="only a label image has voxels of its own")
    x, y, z = cell.geometry.lengths
    found = []
    for key, length in (("thickness", z), ("width", x), ("width", y)):
        if (number := _whole(length, structure.voxel)) is None:
            raise InputError(
                key="electrolyte.microstructure.voxel",
                value=structure.voxel,
                unit="m",
                when=f"with geometry.{key} = {length!r} m",
                why=f"that is {length / structure.voxel:.6g} voxels, and a whole number is allowed",
            )
        found.append(number)
    return found[0], found[1], found[2]


def _whole(length: float, voxel: float) -> int | None:
    """Return how many voxels a length is; None where they are no whole number, or more than a float counts one by one."""
    ratio = length / voxel
    if not 0.5 < ratio < 2**53 or abs(ratio - round(ratio)) > _VOXEL_TOLERANCE * ratio:
        return None
    return round(ratio)


def check_fits(cell: Description) -> None:
    """Raise InputError where a microstructure does not fit its cell, from numbers alone: nothing of its size is made."""
    structure, voxels = cell.electrolyte.microstructure, counts(cell)
    contact_voxels(cell)
    if structure is None:
        return
    number = math.prod(voxels)
    if structure.grains is not None and structure.grains > number:
        raise InputError(
            key="electrolyte.microstructure.grains",
            value=structure.grains,
            when=f"on {' x '.join(map(str, voxels))} voxels",
            allowed=f"at most one grain per voxel is, {number}",
        )
    if structure.grain_size is not None and _whole(structure.grain_size, structure.voxel) is None:
        raise InputError(
            key="electrolyte.microstructure.grain_size",
            value=structure.grain_size,
            unit="m",
            when=f"with voxel = {structure.voxel!r} m",
            why=f"that is {structure.grain_size / structure.voxel:.6g} voxels, and a whole number is allowed",
        )


def contact_voxels(cell: Description) -> tuple[slice, slice]:
    """Return the voxels along x and along y that the contact covers. Raises InputError where its edges cut voxels."""
    _, nx, ny = counts(cell)
    fraction, shape = cell.contact_fraction, cell.working_electrode.contact.shape
    if shape != "square":
        raise InputError(
            key="working_electrode.contact.shape", value=shape, when="with electrolyte.microstructure", allowed="'square' is"
        )
    if fraction in (0, 1):
        return (slice(0, 0), slice(0, 0)) if fraction == 0 else (slice(0, nx), slice(0, ny))
    covered = round(math.sqrt(fraction * nx * ny))
    exact = abs(covered**2 / (nx * ny) - fraction) <= _VOXEL_TOLERANCE * fraction
    if not exact or (nx - covered) % 2 or (ny - covered) % 2:
        below = covered - (covered - nx) % 2
        fitting = [] if (nx - ny) % 2 else [n for n in range(below - 2, below + 5, 2) if 0 <= n <= min(nx, ny)]
        near = sorted(sorted((n**2 / (nx * ny) for n in fitting), key=lambda each: abs(each - fraction))[:2])
        remedy = (
            f"nearest are {' and '.join(f'{each:.12g}' for each in near)}" if near else "0 or 1 alone, or an even difference"
        )
        raise InputError(
            key="working_electrode.contact.fraction",
            value=fraction,
            when=f"on {nx} x {ny} voxels",
            why=f"the edges of a centred square must lie between voxels, {remedy}",
        )
    first, second = (nx - covered) // 2, (ny - covered) // 2
    return slice(first, first + covered), slice(second, second + covered)


def own_resolution(cell: Description, resolution: int | None) -> int | None:
    """Return the resolution; of a cell with a label image None, which stands for the image's own, and no other is allowed."""
    if cell.electrolyte.microstructure is None:
        return resolution
    along = counts(cell)
    if resolution is not None and resolution not in along:
        raise InputError(
            key="resolution",
            value=resolution,
            when="with electrolyte.microstructure",
            why=f"the image has {' x '.join(map(str, along))} voxels and no other grid",
            remedy="allowed is to leave it out",
        )
    return None
