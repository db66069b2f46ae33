"""The points of a study: what each is, what its result depends on, and how axes make them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from itertools import product
from types import MappingProxyType
from typing import Any, Final

from scipy.stats import qmc

from fem_constriction import DISTRIBUTION
from fem_constriction.cell import meshfile, microstructure
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import show
from fem_constriction.files import jsonable
from validation.study.axes import Axis

#: Tolerance and accuracy where none is given, relative to |Z|.
TOLERANCE: Final = 1e-3


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a point is computed: frequencies in Hz; two or more backends and a tolerance, or one backend and an accuracy."""

    frequencies: tuple[float, ...]
    backends: tuple[str, ...]
    tolerance: float | None = None
    accuracy: float | None = None

    @property
    def crosschecked(self) -> bool:
        """Whether backends are compared, and the constriction extracted."""
        return len(self.backends) > 1


@dataclass(frozen=True, eq=False)
class Point:
    """A point of a study: axis -> value (SI), its cell and its settings."""

    values: Mapping[str, Any]
    cell: Cell
    settings: Settings

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that its result depends on: cell, settings, files that the cell names and the project's version."""
        record = {"cell": self.cell.model_dump(mode="json", exclude_none=True), **asdict(self.settings)}
        return digest(record | ({"files": files} if (files := _files(self.cell)) else {}))


def _files(cell: Cell) -> list[str]:
    """The digests of what is read with the mesh or the image of a cell."""
    found = [] if cell.mesh is None else [meshfile.contents_of(cell.mesh).digest]
    structure = cell.electrolyte.microstructure
    if structure is not None and structure.image is not None:
        found.append(microstructure.contents_of(structure).digest)
    return found


def text_of(values: Mapping[str, Any]) -> str:
    """Return "axis = value, axis = value"."""
    return ", ".join(f"{key} = {show(value)}" for key, value in values.items())


def digest(record: Any) -> str:
    """Return the SHA-256 of a record, as JSON with sorted keys, and of the version of this project."""
    data = {"record": jsonable(record), "version": version(DISTRIBUTION)}
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()).hexdigest()


def combinations(mode: str, axes: Sequence[Axis], samples: int | None, seed: int) -> Iterator[Mapping[str, Any]]:
    """Yield axis -> value for every point.

    product: the last axis fastest. zip: the first values, the second values. latin-hypercube: of each axis one value from each
    of `samples` equal slices of its range; the order of the axes does not matter, the seed does.
    """
    names = [axis.key for axis in axes]
    rows: Iterator[Sequence[Any]]
    if mode == "latin-hypercube":
        drawn = qmc.LatinHypercube(d=len(axes), seed=seed).random(samples or 1)
        column = {key: number for number, key in enumerate(sorted(names))}
        rows = ([axis.draw(float(row[column[axis.key]])) for axis in axes] for row in drawn)
    elif mode == "zip":
        rows = zip(*(axis.values or () for axis in axes), strict=True)
    else:
        rows = product(*(axis.values or () for axis in axes))
    for row in rows:
        yield MappingProxyType(dict(zip(names, row, strict=True)))
