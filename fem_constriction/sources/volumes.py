"""Arrays of numbers with three axes, in files of many kinds: what they are like, and their layers, a few at a time.

Axes are z, x, y as they stand in a file: pages, rows and columns of pictures, first, second and third index of an array. Only
.vti names its axes, x fastest: there they are taken by their names.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import DTypeLike, NDArray

from fem_constriction import memory
from fem_constriction.errors import InputError
from fem_constriction.sources.contents import Contents, contents
from fem_constriction.sources.hdf5file import check_hdf5
from fem_constriction.sources.tiff import SUFFIXES, leads_of_image, read_tiff, tiff_shape
from fem_constriction.sources.vti import read_vti

#: What a path is read as.
Form = Literal["npy", "tiff", "pages", "hdf5", "vti", "zarr", "raw"]

#: Suffixes of single pages, which make a volume together.
PAGES: Final = (".png", *SUFFIXES)

_FORMS: Final[dict[str, Form]] = {
    ".npy": "npy",
    **dict.fromkeys(SUFFIXES, "tiff"),
    ".png": "pages",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".vti": "vti",
    ".zarr": "zarr",
}

#: What files of other kinds begin with: their bytes are no labels, whatever their number.
CONTAINERS: Final = {
    b"\x89PNG\r\n\x1a\n": "a PNG image",
    b"GIF8": "a GIF image",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"MATLAB 5.0 MAT-f": "a MATLAB file",
    b"\x93NUMPY": "a NumPy array",
    b"PK\x03\x04": "an archive",
}

_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True, eq=False)
class Volume:
    """shape and type of an array in a file; slab: layers from one to before another; mapped: without reading any of it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    slab: Callable[[int, int], NDArray[Any]]
    mapped: bool = False

    @classmethod
    def of(cls, array: NDArray[Any], mapped: bool = False) -> Volume:
        """Return an array as a volume."""
        return cls(array.shape, array.dtype, lambda a, b: array[a:b], mapped)


@dataclass(frozen=True)
class _Others:
    """The pages of a stack after the first, and what they lead to."""

    files: tuple[Path, ...]

    def __call__(self, path: Path) -> list[Path]:
        return [*leads_of_image(path), *self.files, *(lead for each in self.files for lead in leads_of_image(each))]


def form_of(path: str, described: bool) -> Form:
    """Return what a path is read as, from its name alone; described: whether shape or type of raw numbers are given.

    A path without a suffix is a folder of pages, with wildcards a pattern of their names, of another suffix raw numbers.
    """
    name = Path(path).name
    if _WILD.search(name) or (not Path(path).suffix and not described):
        return "pages"
    return _FORMS.get(Path(path).suffix.lower(), "raw")


def files_of(path: str, form: Form) -> tuple[Path, ...]:
    """Return the files that are named by a path, in the order of their layers. Raises InputError where there are none."""
    place = Path(path)
    if form == "zarr":
        if not place.is_dir():
            raise InputError("there is no such folder")
        found = tuple(sorted((each for each in place.rglob("*") if each.is_file()), key=lambda each: (len(each.parts), each)))
        if not found:
            raise InputError("the folder is empty")
        return found
    if form == "pages" and (_WILD.search(place.name) or place.is_dir()):
        folder, pattern = (place, "*") if place.is_dir() else (place.parent, place.name)
        if not folder.is_dir():
            raise InputError(f"there is no folder '{folder}'")
        pages = [each for each in folder.glob(pattern) if each.suffix.lower() in PAGES and each.is_file()]
        kinds = sorted({".tif" if each.suffix.lower() in SUFFIXES else ".png" for each in pages})
        if len(kinds) != 1:
            why = f"pages of {' and '.join(kinds)} lie there, and one kind is allowed" if kinds else "no .png or .tif is there"
            raise InputError(why)
        return tuple(sorted(pages, key=_natural))
    if not place.is_file():
        raise InputError("it is a folder, not a file" if place.is_dir() else "there is no such file")
    return (place,)


def contents_of_image(path: str, form: Form) -> Contents:
    """Return everything that is read with an image, and one digest of it. Raises InputError where any of it is missing."""
    first, *others = files_of(path, form)
    if not others:
        return contents(first, leads_of_image)
    return contents(first, _Others(tuple(others)))


def open_volume(
    path: str,
    form: Form,
    *,
    dataset: str | None = None,
    shape: tuple[int, int, int] | None = None,
    dtype: DTypeLike = "uint8",
    order: Literal["C", "F"] = "C",
) -> Volume:
    """Return the array in a file.

    dataset: which of those in a .h5, .zarr or .vti, None for the only one; shape, dtype, order: of raw numbers, "F" for files
    whose first index, z, runs fastest. Raises InputError for what is damaged, incomplete or not there, and MemoryShort.
    """
    files = files_of(path, form)
    if form == "pages":
        return _pages(files)
    place = Path(path)
    if form == "npy":
        return Volume.of(open_memmap(place, mode="r"), mapped=True)  # not np.load, which opens archives and pickles, too
    if form == "tiff":
        shape_of, kind, single = tiff_shape(place)
        if not single:
            return Volume.of(np.asarray(read_tiff(place)).reshape(shape_of))
        return Volume(shape_of, kind, lambda a, b: np.asarray(read_tiff(place, slice(a, b))))
    if form == "hdf5":
        return _hdf5(place, dataset)
    if form == "vti":
        return Volume.of(read_vti(place, dataset))
    if form == "zarr":
        return _zarr(place, dataset)
    return Volume.of(_raw(place, shape or (1, 1, 1), np.dtype(dtype), order), mapped=True)


def _natural(path: Path) -> list[tuple[bool, int, str]]:
    """Order names as people count: page 2 before page 10."""
    parts = re.split(r"(\d+)", path.name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _pages(files: tuple[Path, ...]) -> Volume:
    first = _page(files[0])

    def slab(a: int, b: int) -> NDArray[Any]:
        found = np.empty((b - a, *first.shape), first.dtype)
        for layer, path in enumerate(files[a:b]):
            page = _page(path)
            if page.shape != first.shape or page.dtype != first.dtype:
                own = f"{files[0].name} {first.dtype} of {_by(first.shape)}"
                raise InputError(f"{path.name} holds {page.dtype} of {_by(page.shape)}, and {own}")
            found[layer] = page
        return found

    return Volume((len(files), *first.shape), first.dtype, slab)


def _page(path: Path) -> NDArray[Any]:
    if path.suffix.lower() in SUFFIXES:
        page = np.asarray(read_tiff(path))
        if page.ndim != 2:
            raise InputError(f"{path.name} has shape {page.shape}, and one page is allowed where every file is a layer")
        return page
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # its size is compared with memory instead
        with Image.open(path, formats=("PNG",)) as picture:
            width, height = picture.size
            memory.require(8.0 * width * height, f"the page {path.name}", "a smaller image")
            if picture.mode not in ("1", "L", "P", "I", "I;16", "I;16B"):
                raise InputError(f"{path.name} is a picture of {picture.mode}: allowed is one number for every pixel")
            if getattr(picture, "n_frames", 1) != 1:
                raise InputError(f"{path.name} is animated")
            return np.asarray(picture)


def _hdf5(path: Path, dataset: str | None) -> Volume:
    import h5py

    check_hdf5(path, ())
    with h5py.File(path, "r") as file:
        names: list[str] = []
        file.visititems(lambda name, each: names.append(name) if isinstance(each, h5py.Dataset) else None)
        sizes = {name: file[name].shape for name in names}
    name = _one_of(sizes, dataset)
    check_hdf5(path, (name,), held=False)
    with h5py.File(path, "r") as file:
        found = file[name]
        shape, kind = found.shape, found.dtype

    def slab(a: int, b: int) -> NDArray[Any]:
        with h5py.File(path, "r") as file:
            return np.asarray(file[name][a:b])

    return Volume(shape, kind, slab)


def _zarr(path: Path, dataset: str | None) -> Volume:
    if find_spec("zarr") is None:
        raise InputError('it takes zarr, which is not installed: pip install "fem-constriction[zarr]", or an image as .npy')
    import zarr

    store: Any = zarr.open(str(path), mode="r")
    if isinstance(store, zarr.Array):
        if dataset is not None:
            raise InputError(f"it is an array itself, and has no dataset '{dataset}'")
        array: Any = store
    else:
        arrays = {name: each for name, each in _members(store, zarr) if isinstance(each, zarr.Array)}
        array = arrays[_one_of({name: each.shape for name, each in arrays.items()}, dataset)]
    if array.nchunks_initialized < array.nchunks:
        raise InputError("a part of it was never written, and would be read as zeros")
    return Volume(tuple(array.shape), np.dtype(array.dtype), lambda a, b: np.asarray(array[a:b]))


def _members(group: Any, zarr: Any, inside: str = "") -> list[tuple[str, Any]]:
    found = []
    for name in group:
        each = group[name]
        found.append((inside + name, each))
        if not isinstance(each, zarr.Array):
            found += _members(each, zarr, f"{inside}{name}/")
    return found


def _one_of(sizes: dict[str, tuple[int, ...]], dataset: str | None) -> str:
    """Return the dataset that is asked for, or the only one with three axes."""
    volumes = [name for name, shape in sizes.items() if shape is not None and len(shape) == 3]
    if dataset is None:
        if len(volumes) == 1:
            return volumes[0]
        there = f"it has {', '.join(volumes[:8])}" if volumes else "it has none with three axes"
        raise InputError(f"dataset says which array is meant: {there}")
    if (name := dataset.strip("/")) in sizes:
        return name
    raise InputError(f"it has no dataset '{dataset}', but {', '.join(list(sizes)[:8]) or 'none at all'}")


def _raw(path: Path, shape: tuple[int, int, int], kind: np.dtype[Any], order: Literal["C", "F"]) -> NDArray[Any]:
    expected = math.prod(shape) * kind.itemsize
    if path.stat().st_size != expected:
        raise InputError(
            f"it has {path.stat().st_size} bytes, and shape = {list(shape)} with dtype = '{kind.name}' makes {expected}"
        )
    with path.open("rb") as stream:
        head = stream.read(16)
    for known, what in CONTAINERS.items():
        if head.startswith(known):
            raise InputError(f"it is {what}, not a raw volume; .npy, .tif, .png and .h5 are read as images by their names")
    return np.memmap(path, dtype=kind, mode="r", shape=shape, order=order)


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
