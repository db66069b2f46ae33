"""label(z, x, y) from a file: .npy, .tif or a raw volume, checked against what the cell file says of it.

Axes: z first, the direction of the current, index 0 at the working electrode; then x and y. For a TIFF stack these are pages,
rows and columns. Labels are whole numbers.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from fem_constriction.cell.microstructure import contents_of
from fem_constriction.errors import InputError, MemoryShort
from fem_constriction.geometry.grains import bricks, voronoi
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.sources.tiff import SUFFIXES, read_tiff

if TYPE_CHECKING:
    from fem_constriction.cell.microstructure import Microstructure

Labels = NDArray[Any]

_SECTION = "electrolyte.microstructure"

#: What files of other kinds begin with: their bytes are no labels, whatever their number.
_CONTAINERS = {
    b"\x89PNG\r\n\x1a\n": "a PNG image",
    b"GIF8": "a GIF image",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"MATLAB 5.0 MAT-f": "a MATLAB file",
    b"\x93NUMPY": "a NumPy array",
    b"PK\x03\x04": "an archive",
}


def labels_of(described: Described) -> tuple[Labels, dict[str, Any]]:
    """Return the label image of a cell, (nz, nx, ny), read or generated, and where it comes from.

    Raises InputError for a file that is not there, not readable or not of the cell's shape, for labels that are not whole
    numbers, and for inclusions that the image does not hold.
    """
    body = Image.of(Problem.of(described).body)
    structure, shape = body.structure, body.shape
    made: dict[str, Any]
    if structure.generator == "voronoi":
        seed = structure.seed or 0
        labels = voronoi(shape, structure.grains or 1, seed)
        made = {"generator": "voronoi", "grains": structure.grains, "seed": seed}
    elif structure.generator == "cubic":
        labels = bricks(shape, round((structure.grain_size or structure.voxel) / structure.voxel))
        made = {"generator": "cubic", "grain_size_m": structure.grain_size}
    else:
        _check_shape(body, structure.shape or shape)
        found = contents_of(structure)
        if structure.sha256 not in (None, found.digest):
            raise found.mismatch(f"{_SECTION}.sha256", str(structure.sha256), "image")
        labels = read(structure)
        made = {"image": structure.image, "sha256": found.digest}
    _check_shape(body, labels.shape)
    for number, inclusion in enumerate(structure.inclusions):
        if not np.any(labels == inclusion.label):
            raise InputError(
                key=f"electrolyte.microstructure.inclusions.{number}.label",
                value=inclusion.label,
                why=f"no voxel of {structure.image} has it",
            )
    return labels, made


def _check_shape(body: Image, found: tuple[int, ...]) -> None:
    structure, shape = body.structure, body.shape
    if found != shape:
        raise InputError(
            key="electrolyte.microstructure.image",
            value=Path(str(structure.image)),
            why=f"it has {_by(found)} voxels (z, x, y), and geometry {body.lengths[2]:.6g} m thick and "
            f"{body.lengths[0]:.6g} m x {body.lengths[1]:.6g} m wide with voxel = {structure.voxel:.6g} m "
            f"makes {_by(shape)}",
        )


def read(structure: Microstructure) -> Labels:
    """Return the labels in the file a section names, without copying more than is looked at where the format allows."""
    path = Path(str(structure.image))
    refused = InputError(key=f"{_SECTION}.image", value=path)
    contents_of(structure)
    labels: Labels
    try:
        if path.suffix.lower() == ".npy":
            labels = open_memmap(path, mode="r")  # not np.load, which opens archives and pickles, too
        elif path.suffix.lower() in SUFFIXES:
            labels = read_tiff(path)
        else:
            labels = _raw(path, structure)
    except MemoryShort:
        raise
    except Exception as error:  # each reader has its own kinds
        raise refused.vary(why=_reason(error)) from None
    if labels.ndim != 3 or not (np.issubdtype(labels.dtype, np.integer) or labels.dtype == np.bool_):
        why = f"it holds {labels.dtype} of shape {labels.shape}, allowed are whole numbers with three axes (z, x, y)"
        raise refused.vary(why=why)
    return np.asarray(labels)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return text
    return f"it cannot be read ({text if isinstance(error, OSError) else 'it is damaged, or no array of numbers'})"


def _raw(path: Path, structure: Microstructure) -> Labels:
    kind, shape = np.dtype(structure.dtype or "uint8").newbyteorder("<"), structure.shape or (1, 1, 1)
    expected = math.prod(shape) * kind.itemsize
    if path.stat().st_size != expected:
        raise InputError(
            f"it has {path.stat().st_size} bytes, and shape = {list(shape)} with dtype = '{structure.dtype}' makes {expected}"
        )
    with path.open("rb") as stream:
        head = stream.read(16)
    for known, what in _CONTAINERS.items():
        if head.startswith(known):
            raise InputError(f"it is {what}, not a raw volume; .npy and .tif are read as images")
    return np.memmap(path, dtype=kind, mode="r", shape=shape)


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
