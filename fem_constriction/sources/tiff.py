"""A label image in TIFF, whole or refused: what its pages lead to, what of them is missing, what they unpack to.

Readers of TIFF put zeros where pages, strips or the files of a set are missing, and say so in a log at most: zeros are labels.
"""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import numpy as np

from fem_constriction import memory
from fem_constriction.errors import InputError
from fem_constriction.sources.contents import inside
from fem_constriction.sources.meshreaders import Counted
from fem_constriction.sources.xmlfile import check_entities

#: Codes of the compression that may unpack to a thousand times as much and more, and what it is.
_DEFLATE, _LZMA = (8, 32946), (34925,)
#: How many times as much deflated data may unpack to, at most.
_MOST: Final = 1032
SUFFIXES: Final = (".tif", ".tiff")


def leads_of_image(path: Path) -> list[Path]:
    """Return the files that an image is read from besides itself. Raises InputError for what is elsewhere, or not there."""
    if path.suffix.lower() not in SUFFIXES:
        return []
    with _opened(path) as tif:
        return _leads(tif, path)


def tiff_shape(path: Path) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
    """Return shape and type of an image, one page being one layer, and whether layers can be read one by one."""
    with _opened(path) as tif:
        _leads(tif, path)
        selected = _selected(tif)
        shape = _shape(selected)
        pages = _pages(selected)
        own = all(page.parent is tif and page.shape == shape[1:] for page in pages)
        single = len(shape) == 3 and len(pages) == shape[0] and own
        return shape, np.dtype(selected[0].dtype), single


def read_tiff(path: Path, layers: slice | None = None) -> Any:
    """Return the pages of an image as one array, of a single page with two axes.

    layers: some of them alone, with three axes, where `tiff_shape` says that they can be read one by one. Raises InputError if
    any of it is missing, MemoryShort if it does not fit.
    """
    with _opened(path) as tif:
        _leads(tif, path)
        selected = _selected(tif)
        if layers is not None:
            pages = _pages(selected)[layers]
            memory.require(2.0 * sum(page.nbytes for page in pages), f"layers of the image {path.name}", "a smaller image")
            _check_pages(pages, path)
            return np.stack([page.asarray() for page in pages])
        memory.require(2.0 * sum(series.nbytes for series in selected), f"the image {path.name}", "a smaller image")
        for series in selected:
            _check_pages(series.pages, path, series)
        if len(selected) == 1:
            return np.asarray(tif.asarray())
        return np.stack([series.asarray() for series in selected])


def _selected(tif: Any) -> list[Any]:
    """The series that are the image: the first, or all where each is one page, as they are if pages are written one by one."""
    first, *others = tif.series
    if len(first.shape) == 2 and all((each.shape, each.dtype) == (first.shape, first.dtype) for each in others):
        return [first, *others]
    return [first]


def _shape(selected: list[Any]) -> tuple[int, ...]:
    shape = tuple(map(int, selected[0].shape))
    return (len(selected), *shape) if len(shape) == 2 else shape


def _pages(selected: list[Any]) -> list[Any]:
    return [page for series in selected for page in series.pages]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file; what its reader logs in the meantime is a fault."""
    if find_spec("tifffile") is None:
        raise InputError(
            'TIFF takes tifffile, which is not installed: pip install "fem-constriction[images]", or an image as .npy'
        )
    import tifffile

    said: list[str] = []
    log = logging.getLogger("tifffile")
    handler = _Listening(said)
    before = log.level, log.propagate, log.disabled
    log.addHandler(handler)
    log.setLevel(logging.WARNING)
    log.propagate = log.disabled = False
    try:
        with tifffile.TiffFile(path) as tif:
            yield tif
    except InputError:
        raise
    except Exception as error:  # of the library, whatever it is
        own = str(error) if isinstance(error, (OSError, tifffile.TiffFileError)) else "it is damaged"
        raise InputError(f"it cannot be read ({'; '.join([*said, own])})") from None
    finally:
        log.removeHandler(handler)
        log.level, log.propagate, log.disabled = before
    if said:
        raise InputError(f"it is not read whole ({'; '.join(said)})")


class _Listening(logging.Handler):
    """Keeps what a library logs of a file; what it says of a single tag, such as letters that are not ASCII, is no loss."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        text = " ".join(record.getMessage().split()).partition(" raised ")[0].rstrip(",")
        if not text.startswith("<tifffile.TiffTag "):
            said = re.sub(r"<tifffile[^>]*> ?", "", text).replace("<TiffTag.fromfile>", "a tag cannot be read")
            if said not in self._said:
                self._said.append(said)


def _leads(tif: Any, path: Path) -> list[Path]:
    """The files of a set, before any of them is opened, and those that pages come from."""
    folder = path.absolute().parent
    found: list[Path] = []
    if tif.is_ome:
        text = tif.ome_metadata
        check_entities(text.encode(), "its description")
        try:
            root = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise InputError(f"its description cannot be read ({error})") from None
        own = root.get("UUID")
        for element in root.iter():
            name = element.get("FileName")
            itself = element.text == own if own is not None else name is not None and name.lower() == path.name.lower()
            if name is not None and not itself:
                inside(path, folder / name)
                found.append(folder / name)
    if not tif.series:
        raise InputError("it has no image")
    series = tif.series[0]
    pages = _pages(_selected(tif))
    if missing := sum(page is None for page in pages):
        raise InputError(f"{missing} of its {len(pages)} pages are missing, and would be read as zeros")
    for page in pages:
        source = Path(page.parent.filehandle.path)
        if source != path.absolute() and source not in found:
            inside(path, source)
            found.append(source)
    if series.kind == "ndtiff":
        found.append(folder / "NDTiff.index")
    return found


def _check_pages(pages: Iterable[Any], path: Path, series: Any = None) -> None:
    """Refuse strips that were never written or are cut off, and what unpacks to more than it says."""
    for page in pages:
        number = page.index
        handle = page.parent.filehandle
        segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
        size = handle.size
        contiguous = series is not None and series.dataoffset is not None and len(series.pages) == 1
        end = series.dataoffset + series.nbytes if contiguous else max((a + n for a, n in segments), default=0)
        if not segments or any(a <= 0 or n <= 0 for a, n in segments) or end > size:
            raise InputError(
                f"page {number + 1} of {Path(handle.path).name} is incomplete: a part of it would be read as zeros"
            )
        compression = int(page.compression)
        if compression not in (*_DEFLATE, *_LZMA):
            continue
        if compression in _DEFLATE and _MOST * sum(n for _, n in segments) < memory.free() / 2:
            continue
        declared = 2 * prod(page.chunks) * page.dtype.itemsize  # a strip is padded to a tile at most
        for offset, count in segments:
            if _unpacked(compression, Path(handle.path), offset, count) > declared:
                raise InputError(f"page {number + 1} of {path.name} unpacks to more than the {page.shape} pixels it has")


def _unpacked(compression: int, path: Path, offset: int, count: int) -> int:
    with path.open("rb") as stream:
        stream.seek(offset)
        data = stream.read(count)
    if compression in _LZMA:
        import lzma

        return Counted(lzma).unpacked(data)
    return Counted(zlib).unpacked(data)
