"""name -> cell, Z_ref(f), u_ref(f), R_DC: the published set as it lies in `data/`, or in any folder of the same form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.files import read_text
from fem_constriction.spectra.spectrum import Spectrum

INDEX: Final = "index.json"


@dataclass(frozen=True, eq=False)
class Reference:
    """A published reference: |Z - Z_ref| <= u.

    Parameters
    ----------
    name
        What it is called in the set.
    version
        Of the set.
    cell
        What it is the reference of.
    spectrum
        Z_ref and u in ohm.
    direct
        (R_DC, its uncertainty) in ohm; None where the cell blocks direct current.
    record
        What the index says of it.
    """

    name: str
    version: str
    cell: Cell
    spectrum: Spectrum
    direct: tuple[float, float] | None
    record: Mapping[str, Any]


def data() -> Path:
    """Return the folder of the published set."""
    return Path(str(files("validation.references"))) / "data"


def index(folder: Path | None = None) -> dict[str, Any]:
    """Return index.json of a set: version, date, licence, formulas, and a record for each reference. Raises InputError."""
    path = (folder or data()) / INDEX
    try:
        found = json.loads(read_text(path))
        _ = found["version"], [record["name"] for record in found["references"]]
    except (ValueError, KeyError, TypeError):
        raise InputError("is not the index of a set of references", file=path) from None
    return dict(found)


def names(folder: Path | None = None) -> list[str]:
    """Return the names of the references, in their order.

    Parameters
    ----------
    folder
        Of another set; left out: the published one.

    Returns
    -------
    list of str
        What `load` takes.
    """
    return [record["name"] for record in index(folder)["references"]]


def load(name: str, folder: Path | None = None) -> Reference:
    """Return a reference of the published set, or of the one in a folder.

    Parameters
    ----------
    name
        One of `names`.
    folder
        Of another set; left out: the published one.

    Returns
    -------
    Reference
        Spectrum with uncertainty, direct current, record.

    Raises
    ------
    InputError
        For a name that is none, and for a file whose SHA-256 is not that of the index.
    """
    return _load(name, folder or data())


@cache
def _load(name: str, folder: Path) -> Reference:
    found = index(folder)
    records = {record["name"]: record for record in found["references"]}
    if name not in records:
        raise InputError(key="reference", value=name, allowed=f"there are {', '.join(records)}")
    record = records[name]
    cell, spectrum = (checked(folder / record[what], record[f"{what}_sha256"]) for what in ("cell", "spectrum"))
    direct = record["direct_current"]
    return Reference(
        name=name,
        version=found["version"],
        cell=Cell.load(cell),
        spectrum=Spectrum.load(spectrum),
        direct=None if direct is None else (direct["R_ohm"], direct["u_ohm"]),
        record=record,
    )


def checked(path: Path, digest: str) -> Path:
    """Return the path of a file whose SHA-256 is as the index says; raise InputError if it is not."""
    if sha256(path) != digest:
        raise InputError(f"has been changed, its SHA-256 is not the one in {INDEX}", file=path)
    return path


def sha256(path: Path) -> str:
    """Return the SHA-256 of a text file, in hexadecimal."""
    return hashlib.sha256(read_text(path).encode()).hexdigest()
