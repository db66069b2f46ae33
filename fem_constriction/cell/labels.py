"""label(z, x, y) of a section: its image read, cut out and made coarser, as whole numbers."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction import memory
from fem_constriction.cell.label_array import LabelArray, whole
from fem_constriction.cell.microstructure import Microstructure, contents_of
from fem_constriction.errors import InputError, MemoryShort
from fem_constriction.sources.volumes import Volume, open_volume

Labels = NDArray[Any]

#: Bytes of the layers that are read at once.
_PIECE: Final = 1 << 26

_KEY: Final = "electrolyte.microstructure"


def read(structure: Microstructure) -> Labels:
    """Return the labels that a section names, (n_z, n_x, n_y), without copying more than is looked at where that is possible.

    Raises InputError for a file that is not there, not readable or no array of whole numbers with three axes, and for a part or
    a coarsening that does not fit it; MemoryShort where it does not fit the memory.
    """
    try:
        return _made(structure, _opened(structure))
    except MemoryShort:
        raise
    except Exception as error:  # each reader has its own kinds
        if isinstance(error, InputError) and error.key:
            raise
        shown = structure.image if isinstance(structure.image, LabelArray) else Path(str(structure.image))
        raise InputError(key=f"{_KEY}.image", value=shown, why=_reason(error)) from None


def _opened(structure: Microstructure) -> Volume:
    form = structure.form
    if isinstance(structure.image, LabelArray) or form is None or form == "array":
        return Volume.of(structure.image.values if isinstance(structure.image, LabelArray) else np.zeros(0), mapped=True)
    contents_of(structure)
    kind = np.dtype(structure.dtype or "uint8").newbyteorder(">" if structure.endian == "big" else "<")
    volume = open_volume(
        str(structure.image), form, dataset=structure.dataset, shape=structure.shape, dtype=kind, order=structure.order or "C"
    )
    if len(volume.shape) != 3 or volume.dtype.kind not in "biuf":
        why = f"it holds {volume.dtype} of shape {volume.shape}, allowed are whole numbers with three axes (z, x, y)"
        raise InputError(why)
    return volume


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return text
    return f"it cannot be read ({text if isinstance(error, OSError) else 'it is damaged, or no array of numbers'})"


def _made(structure: Microstructure, volume: Volume) -> Labels:
    if volume.mapped and volume.dtype.kind in "biu" and structure.crop is None and structure.coarsen is None:
        return np.asarray(volume.slab(0, volume.shape[0]))
    part, steps = _part(structure, volume), structure.coarsening
    shape = tuple((p.stop - p.start) // n for p, n in zip(part, steps, strict=True))
    layer = prod(volume.shape[1:]) * volume.dtype.itemsize
    size = np.dtype(np.int32).itemsize if volume.dtype.kind == "f" else volume.dtype.itemsize
    piece = min(max(_PIECE, layer * steps[0]), layer * volume.shape[0])
    what = structure.image if isinstance(structure.image, LabelArray) else Path(str(structure.image)).name
    memory.require(prod(shape) * size + 4 * piece, f"the image {what}", "a smaller image")
    depth = steps[0] * max(1, _PIECE // max(1, layer * steps[0]))
    found = np.empty(shape, np.int32 if volume.dtype.kind == "f" else volume.dtype.newbyteorder("="))
    for begin in range(part[0].start, part[0].stop, depth):
        end = min(begin + depth, part[0].stop)
        labels = _coarse(whole(volume.slab(begin, end)[:, part[1], part[2]]), steps)
        if not np.can_cast(labels.dtype, found.dtype):
            found = found.astype(np.int64)
        first = (begin - part[0].start) // steps[0]
        found[first : first + len(labels)] = labels
    return found


def _part(structure: Microstructure, volume: Volume) -> list[slice]:
    """Return what of the image is the cell, along z, x and y. Raises InputError where it is not there, or no whole voxels."""
    pairs = structure.crop or tuple((0, length) for length in volume.shape)
    size = " x ".join(map(str, volume.shape))
    for (_, high), length in zip(pairs, volume.shape, strict=True):
        if high > length:
            raise InputError(
                key=f"{_KEY}.crop", value=[list(pair) for pair in pairs], why=f"the image has {size} voxels (z, x, y)"
            )
    for (low, high), step in zip(pairs, structure.coarsening, strict=True):
        if (high - low) % step:
            raise InputError(
                key=f"{_KEY}.coarsen",
                value=structure.coarsen,
                when=f"with {' x '.join(str(b - a) for a, b in pairs)} voxels (z, x, y)",
                why="each number of voxels must be a multiple of it",
                remedy="crop makes it one",
            )
    return [slice(low, high) for low, high in pairs]


def _coarse(labels: Labels, steps: tuple[int, int, int]) -> Labels:
    """Return the label that most voxels of every block have; of those that are as frequent the smallest."""
    if steps == (1, 1, 1):
        return labels
    z, x, y = (n // step for n, step in zip(labels.shape, steps, strict=True))
    blocks = labels.reshape(z, steps[0], x, steps[1], y, steps[2]).transpose(0, 2, 4, 1, 3, 5).reshape(z * x * y, -1)
    blocks = np.sort(blocks, axis=1)
    best, most = blocks[:, 0].copy(), np.zeros(len(blocks), dtype=np.int64)
    run = np.zeros(len(blocks), dtype=np.int64)
    for column in range(blocks.shape[1]):
        here = blocks[:, column]
        run = np.where(column and here == blocks[:, column - 1], run + 1, 1)
        better = run > most
        best[better], most[better] = here[better], run[better]
    return best.reshape(z, x, y)
