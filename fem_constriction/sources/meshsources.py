"""What a mesh file leads to, as meshio's readers follow it, and what of it would be read: before anything of it is read.

XDMF names HDF5 and binary files, Abaqus includes others, TetGen and DOLFIN have more than one file for a mesh. Whatever names a
file that its reader leaves out, or is larger unpacked than the memory is, is refused as well.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fem_constriction import memory
from fem_constriction.errors import InputError
from fem_constriction.sources.contents import inside
from fem_constriction.sources.hdf5file import check_hdf5
from fem_constriction.sources.xmlfile import check_entities, elements

_XML: Final = (".vtu", ".xml")
SURFACES: Final = (".obj", ".off", ".ply", ".stl", ".svg", ".wkt")
_NASTRAN: Final = (".bdf", ".fem", ".nas")
_HDF5: Final = (".med", ".h5m", ".hmf", ".cgns", ".e", ".exo", ".ex2")
#: Keywords of Abaqus whose data make the mesh.
_TABLES: Final = ("NODE", "ELEMENT", "NSET", "ELSET")
#: Bytes of a piece that is unpacked to be counted.
_PIECE: Final = 1 << 20


def leads_of_mesh(path: Path) -> list[Path]:
    """Return what a file of a mesh leads to. Raises InputError for what is not allowed, MemoryShort for what does not fit."""
    suffix = path.suffix.lower()
    memory.require(2.0 * path.stat().st_size, f"mesh.file = '{path.name}'", "a smaller mesh")
    if suffix in SURFACES:
        raise InputError(f"files {suffix} hold surfaces, and tetrahedra or hexahedra in space are allowed")
    if suffix in (".xdmf", ".xmf"):
        return _xdmf(path)
    if suffix in _XML:
        check_entities(path)
        return _dolfin(path) if suffix == ".xml" else []
    if suffix == ".inp":
        return list(dict.fromkeys(place for place, _ in _expanded(path, path, ()) if place != path))
    if suffix in (".node", ".ele"):
        other = path.with_suffix(".ele" if suffix == ".node" else ".node")
        for each in (path, other):
            _check_begun(path, each)
        return [other]
    if suffix in _NASTRAN:
        _check_nastran(path)
    if suffix == ".vtk":
        _check_vtk(path)
    elif suffix == ".gz":
        _check_gzip(path)
    elif suffix in _HDF5 and _is_hdf5(path):
        check_hdf5(path)
    return []


def _xdmf(path: Path) -> list[Path]:
    """Files of data items, paths of HDF5 from the folder of the XDMF file, those of binary data as the process sees them."""
    datasets: dict[Path, list[str]] = {}
    binary = []
    for item in elements(path, "DataItem"):
        where, kind = (item.text or "").strip(), item.get("Format")
        if kind == "HDF":
            name, _, dataset = where.partition(":")
            datasets.setdefault(path.resolve().parent / name, []).append(dataset.strip("/"))
        elif kind == "Binary":
            for key, only in (("Seek", "0"), ("Endian", "Little"), ("Compression", "Raw")):
                if (found := item.get(key, only)).lower() not in (only.lower(), "native"):
                    raise InputError(f"its binary data have {key} = '{found}', which is not followed, and {only} is allowed")
            binary.append(Path(where))
            inside(path, binary[-1])
    for file, wanted in datasets.items():
        inside(path, file)
        check_hdf5(file, wanted)
    return [*datasets, *binary]


def abaqus_text(path: Path) -> str:
    """Return the text of an Abaqus file with what it includes in the place of each *INCLUDE.

    As Abaqus has it: meshio reads an included file as a mesh of its own, and forgets its sets. Raises InputError for files
    elsewhere, and for data that meshio would not read.
    """
    text = "".join(line for _, line in _expanded(path, path, ()))
    _check_sets(path, text)
    return text


def _check_sets(path: Path, text: str) -> None:
    """Refuse what meshio's reader takes for something else: it keeps the last block of nodes, the last set of a name, and
    numbers the sets of element blocks by their order.
    """
    nodes, blocks, keyword = 0, 0, ""
    named: list[str] = []
    sets: list[str] = []
    for line in text.splitlines():
        if line.startswith("**") or not line.strip():
            continue
        if not line.lstrip().startswith("*"):
            if keyword == "ELSET" and line.lstrip()[:1].isalpha():
                raise InputError(f"the set '{sets[-1]}' in {path.name} is made of sets, and sets of elements are allowed")
            continue
        keyword, options = _keyword(line)
        name = re.search(r"(?:^|,)\s*elset\s*=\s*([^,]+)", options, re.IGNORECASE)
        nodes += keyword == "NODE"
        if keyword == "ELEMENT":
            if sets:
                raise InputError(f"{path.name} has *ELEMENT after *ELSET, and sets after all elements are allowed")
            blocks += 1
            named += [name[1].strip()] if name else []
        elif keyword == "ELSET":
            sets.append(name[1].strip() if name else "")
    if nodes > 1:
        raise InputError(f"{path.name} has {nodes} blocks *NODE, of which the last alone would be read: one is allowed")
    if len(named) not in (0, blocks):
        raise InputError(f"{len(named)} of {blocks} blocks *ELEMENT in {path.name} have an ELSET, and all or none are allowed")
    if twice := sorted({each for each in [*named, *sets] if [*named, *sets].count(each) > 1}):
        raise InputError(f"the set '{twice[0]}' stands in {path.name} more than once, and once is allowed")


def _expanded(path: Path, first: Path, above: tuple[Path, ...]) -> Iterator[tuple[Path, str]]:
    """Every line of a file and of those that it includes, and where it stands; names are seen from the file that has them."""
    above = (*above, path.resolve())
    memory.require(3.0 * sum(each.stat().st_size for each in above), f"the text of {path.name}", "a smaller mesh")
    with path.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            if line.startswith("**") or not line.lstrip("* \t")[:1].isalpha():
                yield path, line  # a comment, or numbers
                continue
            keyword, options = _keyword(line)
            if keyword == "INCLUDE":
                lead = path.parent / line.split("=")[-1].strip().strip("\"'")
                if inside(first, lead) in above:
                    raise InputError(f"line {number} of {path.name} includes a file that includes it")
                yield lead, f"** {lead.name}\n"
                yield from _expanded(lead, first, above)
            elif keyword in _TABLES and re.search(r"(?:^|,)\s*(?:input|file)\s*=", options, re.IGNORECASE):
                raise InputError(f"line {number} of {path.name}, *{keyword}, takes data from another file: only *INCLUDE may")
            else:
                yield path, line
    yield path, "\n"


def _keyword(line: str) -> tuple[str, str]:
    """The keyword of a line as meshio takes it, in capitals, and what follows."""
    keyword, _, options = line.partition(",")
    return keyword.strip().replace("*", "").upper(), options


def _dolfin(path: Path) -> list[Path]:
    """Functions on the mesh that lie beside it: NAME_FUNCTION.xml."""
    pattern = re.compile(rf"{re.escape(path.stem)}_[^.]+\.xml")
    folder = path.resolve().parent
    found = [folder / name for name in sorted(os.listdir(folder)) if pattern.match(name)]
    for each in found:
        check_entities(inside(path, each))
    return found


def _check_begun(path: Path, each: Path) -> None:
    """Refuse a file without a line that is no comment: its reader looks for one without end."""
    with inside(path, each).open(encoding="utf-8", errors="replace") as stream:
        if not any(line.strip() and not line.strip().startswith("#") for line in stream):
            raise InputError(f"{each.name} holds nothing")


def _check_nastran(path: Path) -> None:
    """Refuse what meshio would leave out, and a deck without an end, for which it looks without end."""
    begun = ended = False
    with path.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            if not ended and line.lstrip().upper().startswith("INCLUDE"):
                raise InputError(f"line {number} includes another file, and all data in one file are allowed")
            begun |= line.strip().startswith("BEGIN BULK")
            ended |= begun and line.startswith("ENDDATA")
    if not ended:
        raise InputError("it has no lines BEGIN BULK and ENDDATA")


def _check_vtk(path: Path) -> None:
    """A structured grid is three numbers in the file and a cell for each of their product in memory."""
    with path.open("rb") as stream:
        head = stream.read(_PIECE)
    for found in re.finditer(rb"DIMENSIONS\s+(\d+)\s+(\d+)\s+(\d+)", head, re.IGNORECASE):
        points = 1.0
        for number in found.groups():
            points *= min(float(number), 1e100)
        memory.require(24.0 * 8 * points, f"the grid of {points:.3g} points in {path.name}", "a smaller one")


def _check_gzip(path: Path) -> None:
    size = 0
    try:
        with gzip.open(path) as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                memory.require(2.0 * size, f"{path.name}, unpacked,", "a smaller mesh")
    except (OSError, EOFError) as error:
        raise InputError(f"it cannot be unpacked ({error})") from None


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(8) == b"\x89HDF\r\n\x1a\n"
