"""What a contact looks like on its face: outlines, or an image of pixels; read, placed or drawn once, and kept.

A shape is made in one of the equal parts of the face (`repeat`), and set into all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from fem_constriction import memory
from fem_constriction.arrays import Array
from fem_constriction.cell.contact import HURST, Contact, metal_of
from fem_constriction.errors import InputError, Written
from fem_constriction.geometry import random_contacts
from fem_constriction.geometry.outlines import Outline, faults
from fem_constriction.geometry.pixels import Pixels
from fem_constriction.sources.face_images import contents_of, is_inline, named, values_of

#: How far pixels times their number may be from the width, relatively: rounding of the cell file.
FITS: Final = 1e-9

#: A square may be this much too wide for its part of the face, and is then as wide.
_WIDTH_TOLERANCE = 1e-12

#: Pixels that a correlation length has at least: the surface is a picture of pixels otherwise.
RESOLVED: Final = 2.0

#: Of spots: a gap where none is given, over their mean radius; most of them, each with a place that is looked for.
GAP, MOST = 0.1, 20_000

Width = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Pattern:
    """outlines: of the contact on the face, or pixels: where it is metal, (x, y), first index at x = 0."""

    outlines: tuple[Outline, ...] = ()
    pixels: Pixels | None = None


def pattern_of(contact: Contact, width: Width) -> Pattern:
    """Return what a contact looks like on a face of this width, m. Raises InputError, its key as in the contact's section."""
    digest = None
    if contact.image is not None:
        try:
            found = contents_of(contact.image)
        except InputError as error:
            raise error.renamed("image") from None
        digest = None if found is None else found.digest
    return _pattern(contact, width, digest)


def check_pattern(contact: Contact, width: Width) -> None:
    """Raise InputError, its key as in the contact's section, where a contact does not fit a face or cannot be made."""
    if contact.several:
        pattern_of(contact, width)
    elif contact.shape in _LARGEST:
        _fitting(contact, width)


@lru_cache(maxsize=32)
def _pattern(contact: Contact, width: Width, digest: str | None) -> Pattern:
    across, along = contact.repeat or (1, 1)
    if contact.fraction == 1 and contact.shape == "square":
        across = along = 1
    part = _SHAPES[contact.shape](contact, (width[0] / across, width[1] / along))
    if (across, along) == (1, 1):
        return part
    if part.pixels is not None:
        memory.require(10.0 * part.pixels.size * across * along, "an image of the contact, repeated,", "a smaller repeat")
        return Pattern(pixels=np.tile(part.pixels, (across, along)))
    steps = [(i * width[0] / across, j * width[1] / along) for i in range(across) for j in range(along)]
    return Pattern(tuple(outline.moved(step) for step in steps for outline in part.outlines))


def _square(contact: Contact, width: Width) -> Pattern:
    x, y = width
    fraction = _fitting(contact, width)
    if not fraction:
        return Pattern()
    half_x, half_y = (side / 2 for side in square_sides(fraction, width))
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return Pattern((Outline.polygon([(x / 2 + a * half_x, y / 2 + b * half_y) for a, b in signs]),))


def square_sides(fraction: float, width: Width) -> Width:
    """Return the sides of the square that is this part of a face, the whole face at 1."""
    if fraction == 1:
        return width
    side = float(min(math.sqrt(fraction * (width[0] * width[1])), *width))
    return side, side


def radius_of(side: float) -> float:
    """The radius of a disc with the area of a square."""
    return side / math.sqrt(math.pi)


def _disc(contact: Contact, width: Width) -> Pattern:
    x, y = width
    fraction = _fitting(contact, width)
    if not fraction:
        return Pattern()
    return Pattern((Outline.disc((x / 2, y / 2), min(radius_of(math.sqrt(fraction * (x * y))), x / 2, y / 2)),))


#: shape -> part of a square face that the largest one covers.
_LARGEST: Final = {"square": 1.0, "disc": math.pi / 4}


def _fitting(contact: Contact, width: Width) -> float:
    """The fraction. Raises InputError where it does not fit."""
    (x, y), shape = width, contact.shape
    fraction, largest = contact.fraction or 0.0, min(x, y) / max(x, y) * _LARGEST[shape]
    if fraction > largest * (1 + _WIDTH_TOLERANCE) and (fraction < 1 or shape == "disc"):
        size = math.sqrt(fraction) * math.sqrt(x) * math.sqrt(y)
        what = f"a square of side {size:.6g} m" if shape == "square" else f"a disc of radius {radius_of(size):.6g} m"
        whole = ", or 1 for the whole face" if shape == "square" else ""
        where = "a face" if contact.repeat in (None, (1, 1)) else "a part of the face"
        allowed = f"{what} does not fit {where} of {x:.6g} m x {y:.6g} m, at most {largest:.6g}{whole}"
        raise InputError(key="fraction", value=fraction, allowed=allowed)
    return fraction


def _regions(contact: Contact, width: Width) -> Pattern:
    outlines = tuple(region.outline for region in contact.regions)
    if wrong := faults(outlines, width):
        raise InputError(key="regions", why=wrong)
    return Pattern(outlines)


def _mask(contact: Contact, width: Width) -> Pattern:
    image = str(contact.image)
    try:
        values = values_of(image)
    except InputError as error:
        raise error.renamed("image") from None
    part = "the width of the face" if contact.repeat in (None, (1, 1)) else "the width of one part of the face"
    check_pixel(image, values.shape, contact.pixel, width, part)
    return Pattern(pixels=metal_of(values, contact.threshold))


def check_pixel(image: str, shape: tuple[int, ...], pixel: float | Width | None, width: Width, part: str) -> None:
    """Raise InputError where pixels of an edge that is given do not fill a face; part: what has that width, in words."""
    if pixel is None:
        return
    sizes = pixel if isinstance(pixel, tuple) else (pixel, pixel)
    for axis, (size, length) in enumerate(zip(sizes, width, strict=True)):
        count = shape[axis]
        if abs(size * count - length) > FITS * length:
            name = named(image) if isinstance(named(image), Written) else Path(image).name
            raise InputError(
                key="pixel",
                value=size,
                unit="m",
                why=f"{count} pixels of {name} along {'xy'[axis]} are {size * count:.9g} m, and {part} is {length:.9g} m",
            )


def _spots(contact: Contact, width: Width) -> Pattern:
    area, seed = width[0] * width[1], contact.seed or 0
    spread = contact.radii.spread if contact.radii else 0.0
    mean = contact.radius if contact.radius is not None else contact.radii.mean if contact.radii else None
    count = contact.count
    if count is None:
        assert mean is not None
        assert contact.fraction is not None
        count = max(1, round(min(contact.fraction * area / (math.pi * mean**2 * (1 + spread**2)), 1e18)))
    if count > MOST:
        raise InputError(key="count", value=count, allowed=f"at most {MOST} spots", remedy="draw more of them as a mask")
    radii: Array = random_contacts.lognormal(count, spread, seed) if spread else np.ones(count)
    if mean is not None:
        radii = radii * mean
    else:
        assert contact.fraction is not None
        radii = radii * math.sqrt(contact.fraction * area / (math.pi * float(np.sum(radii**2))))
    if not radii.any():
        return Pattern(pixels=np.zeros(contact.pixels, dtype=bool)) if contact.pixels else Pattern()
    gap = contact.gap if contact.gap is not None else GAP * float(radii.mean())
    if contact.pixels is not None:
        step = max(width[axis] / contact.pixels[axis] for axis in range(2))
        if gap < step:
            raise InputError(
                key="gap" if contact.gap is not None else "pixels",
                value=gap if contact.gap is not None else contact.pixels,
                unit="m" if contact.gap is not None else "",
                why=f"gaps of {gap:.3g} m are less than a pixel of {step:.3g} m",
                remedy=f"at least {math.ceil(max(width) / gap * (1 - FITS))} pixels per edge show them",
            )
    try:
        centres = random_contacts.placed(radii, width, gap, seed)
    except InputError as error:
        raise error.renamed("count" if contact.count else "fraction").vary(
            value=contact.count or contact.fraction, sentence="", why=error.sentence
        ) from None
    if contact.pixels is not None:
        return Pattern(pixels=random_contacts.drawn(centres, radii, width, contact.pixels))
    return Pattern(tuple(Outline.disc((float(x), float(y)), float(r)) for (x, y), r in zip(centres, radii, strict=True)))


def _rough(contact: Contact, width: Width) -> Pattern:
    fraction, length, shape = contact.fraction, contact.correlation_length, contact.pixels
    assert fraction is not None
    assert length is not None
    assert shape is not None
    memory.require(60.0 * math.prod(shape), f"a rough surface of {shape[0]} x {shape[1]} pixels", "fewer pixels")
    step = max(width[axis] / shape[axis] for axis in range(2))
    if length < RESOLVED * step:
        raise InputError(
            key="correlation_length",
            value=length,
            unit="m",
            why=f"it is {length / step:.3g} pixels of {step:.3g} m, and {RESOLVED:g} at least show a surface",
            remedy=f"at least {math.ceil(RESOLVED * max(width) / length * (1 - FITS))} pixels per edge do",
        )
    hurst = contact.hurst if contact.hurst is not None else HURST
    return Pattern(pixels=random_contacts.rough(fraction, length, hurst, width, shape, contact.seed or 0))


#: shape -> how it looks in one part of the face.
_SHAPES: Final[Mapping[str, Callable[[Contact, Width], Pattern]]] = {
    "square": _square,
    "disc": _disc,
    "regions": _regions,
    "mesh": lambda _contact, _width: Pattern(),
    "mask": _mask,
    "spots": _spots,
    "rough": _rough,
}


def images_beside(data: Any, folder: Path) -> Any:
    """Return the data of a cell file with the paths of its faces' images seen from the file's folder."""
    for electrode in ("working_electrode", "counter_electrode"):
        for place in (("contact",), ("pore", "depth")):
            section = data
            for key in (electrode, *place):
                section = section.get(key) if isinstance(section, dict) else None
            if isinstance(section, dict) and isinstance(section.get("image"), str) and not is_inline(section["image"]):
                section["image"] = str((folder / section["image"]).absolute())
    return data
