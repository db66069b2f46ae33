"""An array of a VTK image, .vti: numbers as text, in base64 or appended as they are, packed by zlib or LZMA or not at all.

VTK's image data have a regular grid along x, y and z, x fastest. Numbers belong to its cells or to its points; either way
one of them is a voxel. What is returned has the axes z, x, y.
"""

from __future__ import annotations

import base64
import re
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from fem_constriction import memory
from fem_constriction.errors import InputError
from fem_constriction.sources.meshreaders import Counted
from fem_constriction.sources.xmlfile import check_entities

_TYPES: Final = {
    **{f"{sign}Int{bits}": f"{'i' if not sign else 'u'}{bits // 8}" for sign in ("", "U") for bits in (8, 16, 32, 64)},
    "Float32": "f4",
    "Float64": "f8",
}
_APPENDED = re.compile(rb"<AppendedData[^>]*>\s*_")


def read_vti(path: Path, dataset: str | None) -> NDArray[Any]:
    """Return an array, (n_z, n_x, n_y), None for the only one. Raises InputError for what is damaged, and MemoryShort."""
    memory.require(3.0 * path.stat().st_size, f"the image {path.name}", "a smaller image")
    data = path.read_bytes()
    check_entities(data[: 1 << 20])
    text, appended = data, b""
    if (begin := _APPENDED.search(data)) is not None:
        end = data.rfind(b"</AppendedData>")
        appended = data[begin.end() : end]
        text = data[: begin.end()] + data[end:]
    root = ElementTree.fromstring(text)
    pieces = root.findall("ImageData/Piece")
    if root.get("type") != "ImageData" or len(pieces) != 1:
        raise InputError(f"it is {root.get('type')} in {len(pieces)} pieces, allowed is ImageData in one")
    extent = [int(each) for each in str(pieces[0].get("Extent") or pieces[0].attrib["WholeExtent"]).split()]
    points = [high - low + 1 for low, high in zip(extent[::2], extent[1::2], strict=True)]
    sizes = {"CellData": [max(n - 1, 1) for n in points], "PointData": points}
    arrays = [
        (str(each.get("Name")), each, sizes[kind])
        for kind in sizes
        for each in pieces[0].findall(f"{kind}/DataArray")
        if int(each.get("NumberOfComponents", "1")) == 1
    ]
    wanted = [each for each in arrays if dataset in (None, each[0])]
    if len(wanted) != 1:
        there = ", ".join(name for name, _, _ in arrays[:8]) or "none of one number each"
        raise InputError(f"dataset says which array is meant, it has {there}")
    _, element, (nx, ny, nz) = wanted[0]
    numbers = _Numbers(root, appended).of(element)
    if numbers.size != nx * ny * nz:
        raise InputError(f"'{element.get('Name')}' has {numbers.size} numbers, and its extent makes {nx * ny * nz}")
    return numbers.reshape(nz, ny, nx).transpose(0, 2, 1)


class _Numbers:
    """The numbers of an element, as the head of the file says they are written."""

    def __init__(self, root: ElementTree.Element, appended: bytes) -> None:
        self.sign = ">" if root.get("byte_order") == "BigEndian" else "<"
        self.head = np.dtype(self.sign + ("u8" if root.get("header_type") == "UInt64" else "u4"))
        self.packed = root.get("compressor", "")
        place = root.find("AppendedData")
        self.plain = place is not None and place.get("encoding") == "raw"
        self.appended = appended

    def of(self, element: ElementTree.Element) -> NDArray[Any]:
        """Return them, one after the other."""
        if (code := _TYPES.get(str(element.get("type")))) is None:
            raise InputError(f"'{element.get('Name')}' holds {element.get('type')}, which are no numbers")
        kind = np.dtype(self.sign + code)
        if element.get("format") == "ascii":
            return np.array((element.text or "").split(), dtype=np.float64 if kind.kind == "f" else np.int64)
        if element.get("format") == "appended":
            data, plain = self.appended[int(element.attrib["offset"]) :], self.plain
        else:
            data, plain = "".join((element.text or "").split()).encode(), False
        return np.frombuffer(self._unpacked(data, plain), dtype=kind)

    def _unpacked(self, data: bytes, plain: bool) -> bytes:
        """Return the bytes of one array: behind their number, or behind the sizes of the blocks that they are packed in."""
        width = self.head.itemsize
        length = width
        if self.packed:
            length *= 3 + int(np.frombuffer(_first(data, width, plain), self.head, 1)[0])
        counts = np.frombuffer(_first(data, length, plain), self.head).astype(int)
        parts = counts[3:] if self.packed else counts
        size = int(parts.sum())
        if plain:
            rest = data[length : length + size]
        elif self.packed or data[_encoded(length) - 1 :][:1] == b"=":  # the sizes are encoded for themselves
            rest = _first(data[_encoded(length) :], size, plain)
        else:
            rest = _first(data, length + size, plain)[length:]
        if len(rest) < size:
            raise InputError("it ends before its numbers do")
        if not self.packed:
            return rest
        ends = np.concatenate([[0], np.cumsum(parts)])
        unpack = self._library()
        return b"".join(unpack.decompress(rest[begin:end]) for begin, end in pairwise(ends))

    def _library(self) -> Counted:
        if "ZLib" in self.packed:
            return Counted(zlib)
        if "LZMA" in self.packed:
            import lzma

            return Counted(lzma)
        raise InputError(f"it is packed by {self.packed}, allowed are zlib, LZMA, or not at all")


def _encoded(count: int) -> int:
    """Return how many characters of base64 so many bytes take."""
    return 4 * -(-count // 3)


def _first(data: bytes, count: int, plain: bool) -> bytes:
    """Return the first bytes of what may be encoded."""
    return data[:count] if plain else base64.b64decode(data[: _encoded(count)])[:count]
