"""label(z, x, y) from a file: .npy, .tif or a raw volume, checked against what the cell file says of it.

Axes: z first, the direction of the current, index 0 at the working electrode; then x and y. For a TIFF stack these are pages,
rows and columns. Labels are whole numbers.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.errors import InputError
from fem_constriction.microstructure import counts
from network.grains import bricks, voronoi

if TYPE_CHECKING:
    from fem_constriction.cell import Cell
    from fem_constriction.microstructure import Microstructure

Labels = NDArray[Any]


def labels_of(cell: Cell) -> tuple[Labels, dict[str, Any]]:
    """Return the label image of a cell, (nz, nx, ny), read or generated, and where it comes from.

    Raises InputError for a file that is not there, not readable or not of the cell's shape, for labels that are not whole
    numbers, and for inclusions that the image does not hold.
    """
    structure = cell.electrolyte.microstructure
    if structure is None:
        raise InputError("electrolyte.microstructure is missing: there is no label image")
    shape = counts(cell)
    made: dict[str, Any]
    if structure.generator == "voronoi":
        seed = structure.seed or 0
        labels = voronoi(shape, structure.grains or 1, seed)
        made = {"generator": "voronoi", "grains": structure.grains, "seed": seed}
    elif structure.generator == "cubic":
        labels = bricks(shape, _edge(structure))
        made = {"generator": "cubic", "grain_size_m": structure.grain_size}
    else:
        labels = read(structure)
        made = {"image": structure.image, "sha256": digest(str(structure.image))}
        if structure.sha256 not in (None, made["sha256"]):
            raise InputError(
                f"electrolyte.microstructure.sha256 = '{structure.sha256}' is not allowed: {structure.image} has the digest "
                f"{made['sha256']}, it is another image"
            )
    if labels.shape != shape:
        raise InputError(
            f"electrolyte.microstructure.image = '{structure.image}' is not allowed: it has {_by(labels.shape)} voxels "
            f"(z, x, y), and geometry {cell.geometry.lengths[2]:.6g} m thick and {cell.geometry.lengths[0]:.6g} m x "
            f"{cell.geometry.lengths[1]:.6g} m wide with voxel = {structure.voxel:.6g} m makes {_by(shape)}"
        )
    for number, inclusion in enumerate(structure.inclusions):
        if not np.any(labels == inclusion.label):
            raise InputError(
                f"electrolyte.microstructure.inclusions.{number}.label = {inclusion.label} is not allowed: no voxel of "
                f"{structure.image} has it"
            )
    return labels, made


def read(structure: Microstructure) -> Labels:
    """Return the labels in the file a section names, without copying more than is looked at where the format allows."""
    path = Path(str(structure.image))
    what = f"electrolyte.microstructure.image = '{path}' is not allowed"
    if not path.is_file():
        raise InputError(f"{what}: {'it is a folder, not a file' if path.is_dir() else 'there is no such file'}")
    try:
        if path.suffix.lower() == ".npy":
            labels = np.load(path, mmap_mode="r", allow_pickle=False)
        elif path.suffix.lower() in (".tif", ".tiff"):
            labels = _tiff(path)
        else:
            labels = _raw(path, structure)
    except InputError:
        raise
    except Exception as error:  # each reader has its own kinds
        raise InputError(f"{what}: it cannot be read ({error})") from None
    if labels.ndim != 3 or not (np.issubdtype(labels.dtype, np.integer) or labels.dtype == np.bool_):
        raise InputError(
            f"{what}: it holds {labels.dtype} of shape {labels.shape}, allowed are whole numbers with three axes (z, x, y)"
        )
    return np.asarray(labels)


def digest(path: str) -> str:
    """Return the SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tiff(path: Path) -> Labels:
    if find_spec("tifffile") is None:
        raise InputError(
            f"electrolyte.microstructure.image = '{path}': TIFF takes tifffile, which is not installed (allowed is "
            'pip install "fem-constriction[images]", or an image as .npy)'
        )
    import tifffile

    return np.asarray(tifffile.imread(path))


def _raw(path: Path, structure: Microstructure) -> Labels:
    kind, shape = np.dtype(structure.dtype or "uint8").newbyteorder("<"), structure.shape or (1, 1, 1)
    expected = int(np.prod(shape)) * kind.itemsize
    if path.stat().st_size != expected:
        raise InputError(
            f"electrolyte.microstructure.image = '{path}' is not allowed: it has {path.stat().st_size} bytes, and shape = "
            f"{list(shape)} with dtype = '{structure.dtype}' makes {expected}"
        )
    return np.memmap(path, dtype=kind, mode="r", shape=shape)


def _edge(structure: Microstructure) -> int:
    size = structure.grain_size or structure.voxel
    edge = round(size / structure.voxel)
    if edge < 1 or abs(size / structure.voxel - edge) > 1e-9 * edge:
        raise InputError(
            f"electrolyte.microstructure.grain_size = {size!r} m is not allowed with voxel = {structure.voxel!r} m: that is "
            f"{size / structure.voxel:.6g} voxels, and a whole number is allowed"
        )
    return edge


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
