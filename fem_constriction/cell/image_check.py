"""Does a label image fit its cell? Whole numbers of voxels, and a contact whose edges lie between them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fem_constriction.cell.description import Description
from fem_constriction.cell.microstructure import Microstructure
from fem_constriction.errors import Absent, InputError, Written

#: How far a length may be from a whole number of voxels, relatively: rounding of the cell file.
_VOXEL_TOLERANCE = 1e-9

#: Voxels on either side of the square that is asked for, among which the nearest ones that fit are looked for.
_NEAR = 40


def counts(cell: Description) -> tuple[int, int, int]:
    """Return the number of voxels along z, x and y. Raises InputError where the cell is not a whole number of them."""
    structure = cell.electrolyte.microstructure
    if structure is None:
        raise InputError(key="electrolyte.microstructure", value=Absent.MISSING, why="only a label image has voxels of its own")
    x, y, z = cell.geometry.lengths
    found = []
    coarse = "" if structure.coarsen is None else f" and coarsen = {structure.coarsen}"
    for key, length, edge in zip(("thickness", "width", "width"), (z, x, y), structure.edges, strict=True):
        if (number := _whole(length, edge)) is None:
            raise InputError(
                key="electrolyte.microstructure.voxel",
                value=structure.voxel,
                unit="m",
                when=f"with geometry.{key} = {length!r} m{coarse}",
                why=f"that is {length / edge:.6g} voxels, and a whole number is allowed",
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
    check_contact(cell)
    if cell.counter_touch.fraction != 1:
        raise InputError(
            key="counter_electrode.contact.fraction",
            value=cell.counter_touch.fraction,
            when="with electrolyte.microstructure",
            allowed="the whole face is, fraction = 1",
            remedy="a phase of kind 'electrode' that is tied_to 'counter' may have any shape",
        )
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
    for edge in structure.edges if structure.grain_size is not None else ():
        if _whole(structure.grain_size or edge, edge) is None:
            raise InputError(
                key="electrolyte.microstructure.grain_size",
                value=structure.grain_size,
                unit="m",
                when=f"with voxel = {structure.voxel!r} m",
                why=f"that is {(structure.grain_size or edge) / edge:.6g} voxels, and a whole number is allowed",
            )
    _check_crop(structure, voxels)


def _check_crop(structure: Microstructure, voxels: tuple[int, int, int]) -> None:
    """Raise InputError where the part of the image is not as large as the cell."""
    if structure.crop is None:
        return
    found = tuple((high - low) / step for (low, high), step in zip(structure.crop, structure.coarsening, strict=True))
    if found != voxels:
        raise InputError(
            key="electrolyte.microstructure.crop",
            value=[list(pair) for pair in structure.crop],
            why=f"it makes {' x '.join(f'{n:.6g}' for n in found)} voxels (z, x, y), and geometry with voxel and coarsen makes "
            f"{' x '.join(map(str, voxels))}",
        )


def check_contact(cell: Description) -> None:
    """Raise InputError where edges of the contact cut voxels, from numbers alone: nothing of the image's size is made."""
    contact, (_, nx, ny) = cell.working_electrode.contact, counts(cell)
    if contact.shape == "square" and not contact.several:
        contact_voxels(cell)
    elif (pixels := cell.working_touch.pixels) is not None:
        if nx % pixels.shape[0] or ny % pixels.shape[1]:
            raise InputError(
                key="working_electrode.contact.shape",
                value=contact.shape,
                when=f"of {pixels.shape[0]} x {pixels.shape[1]} pixels on {nx} x {ny} voxels",
                why="the edges of a pixel must lie between voxels, each a whole number of them",
            )
    else:
        _rectangles(cell)


def contact_mask(cell: Description) -> NDArray[np.bool_]:
    """Return which voxels of the first layer the contact covers, (n_x, n_y). Raises InputError as `check_contact`."""
    contact, (_, nx, ny) = cell.working_electrode.contact, counts(cell)
    if (pixels := cell.working_touch.pixels) is not None:
        check_contact(cell)
        return np.asarray(pixels.repeat(nx // pixels.shape[0], 0).repeat(ny // pixels.shape[1], 1))
    found = np.zeros((nx, ny), dtype=bool)
    square = contact.shape == "square" and not contact.several
    for place in [contact_voxels(cell)] if square else _rectangles(cell):
        found[place] = True
    return found


def _rectangles(cell: Description) -> list[tuple[slice, slice]]:
    """Return the voxels along x and y of each region of the contact."""
    _, hx, hy = (1.0, 1.0, 1.0) if cell.electrolyte.microstructure is None else cell.electrolyte.microstructure.edges
    found = []
    for number, outline in enumerate(cell.outlines):
        corners = outline.rectangle
        ends = None if corners is None else [_line(at, edge) for at, edge in zip(corners, (hx, hy, hx, hy), strict=True)]
        if ends is None or any(each is None for each in ends):
            shape = cell.working_electrode.contact.shape
            one = f"working_electrode.contact.regions.{number}" if shape == "regions" else "working_electrode.contact.shape"
            raise InputError(
                key=one,
                value=Written("an outline") if shape == "regions" else shape,
                when=f"on voxels of {hx:.6g} m x {hy:.6g} m",
                why="edges of the contact must lie between voxels",
                remedy="allowed are squares, rectangles along the axes, and what has pixels (mask, rough, spots with pixels)",
            )
        x0, y0, x1, y1 = (int(each or 0) for each in ends)
        found.append((slice(x0, x1), slice(y0, y1)))
    return found


def _line(at: float, edge: float) -> int | None:
    """Return the number of the line between voxels at a place; None where there is none."""
    return 0 if abs(at) <= _VOXEL_TOLERANCE * edge else _whole(at, edge)


def contact_voxels(cell: Description) -> tuple[slice, slice]:
    """Return the voxels along x and y that a square in the middle covers. Raises InputError where its edges cut voxels."""
    _, nx, ny = counts(cell)
    fraction = cell.contact_fraction
    if fraction in (0, 1):
        return (slice(0, 0), slice(0, 0)) if fraction == 0 else (slice(0, nx), slice(0, ny))
    _, hx, hy = cell.electrolyte.microstructure.edges if cell.electrolyte.microstructure is not None else (1.0, 1.0, 1.0)
    middle = round(math.sqrt(fraction * nx * hx * ny * hy) / hx)
    squares = [(n, m) for n in range(middle - _NEAR, middle + _NEAR + 1) if (m := _other_side(n, hx, hy, nx, ny)) is not None]
    shares = {(n, m): n * m / (nx * ny) for n, m in squares}
    near = sorted(shares, key=lambda each: abs(shares[each] - fraction))
    if not near or abs(shares[near[0]] - fraction) > _VOXEL_TOLERANCE * fraction:
        fitting = sorted(shares[each] for each in near[:2])
        remedy = (
            f"nearest are {' and '.join(f'{each:.12g}' for each in fitting)}" if near else "0 or 1 alone, or an even difference"
        )
        raise InputError(
            key="working_electrode.contact.fraction",
            value=fraction,
            when=f"on {nx} x {ny} voxels",
            why=f"the edges of a centred square must lie between voxels, {remedy}",
        )
    along_x, along_y = near[0]
    first, second = (nx - along_x) // 2, (ny - along_y) // 2
    return slice(first, first + along_x), slice(second, second + along_y)


def _other_side(n: int, hx: float, hy: float, nx: int, ny: int) -> int | None:
    """Return how many voxels along y a square in the middle has that has n along x; None where there is none on the lines."""
    m = 0 if n == 0 else _whole(n * hx, hy)
    fits = m is not None and 0 <= n <= nx and 0 <= m <= ny and not (nx - n) % 2 and not (ny - m) % 2
    return m if fits else None


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
