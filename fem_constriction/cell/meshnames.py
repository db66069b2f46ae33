"""{dimension: {name: {block: cells}}}: the regions of a mesh file as meshio has it, by name or by number, and what is missing.

Names are physical groups of Gmsh (2.2 and 4.1), sets of elements (Abaqus) and families of MED; numbers are the values of one
array of cell data (VTU, XDMF, Gmsh).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fem_constriction.cell.mesh import Mesh
from fem_constriction.errors import InputError
from fem_constriction.geometry.facets import Integers

#: meshio's cells: dimension and vertices; second-order nodes are left out where the cell is straight.
KINDS = {
    "tetra": (3, 4), "tetra10": (3, 4), "hexahedron": (3, 8), "hexahedron20": (3, 8), "hexahedron27": (3, 8),
    "triangle": (2, 3), "triangle6": (2, 3), "quad": (2, 4), "quad8": (2, 4), "quad9": (2, 4),
}  # fmt: skip

#: Names for what lies on a side of the box, but in no other region: axis and end.
SIDES = {"z min": (2, 0), "z max": (2, 1)}

#: How far a middle node may be from the middle, relative to the size of its cell: coordinates may have seven digits.
STRAIGHT = 1e-5

#: An array with more values than this does not number regions.
MOST_NUMBERS = 10_000


def refused(section: Mesh, why: str) -> InputError:
    """Return what to say of the file of a section."""
    return InputError(key="mesh.file", value=Path(section.file), why=why)


def refuse(section: Mesh, why: str) -> Any:
    """Raise InputError for the file of a section."""
    raise refused(section, why)


class Names:
    """The regions of a file: {dimension: {name: {block: which of its cells}}}, and what of them is missing."""

    def __init__(self, section: Mesh, file: Any) -> None:
        self.section, self.file = section, file
        self.missing: list[str] = []
        self.sides: dict[str, str] = {}  # region -> the side of the box that it is
        self.by_number = False
        self.empty: set[str | int] = set()
        self.known: dict[int, dict[str | int, dict[int, Integers]]] = {2: {}, 3: {}}
        for number, block in enumerate(file.cells):
            dimension = KINDS[block.type][0] if block.type in KINDS else int(block.dim)
            if dimension not in self.known:
                continue
            for name, which in _named(file, number, dimension, section.data):
                if not which.size:  # a name that nothing bears is not there
                    self.empty.add(name)
                    continue
                known = self.known[dimension].setdefault(name, {})
                known[number] = np.union1d(known.get(number, which), which)

    def found(self, dimension: int, region: str, *, required: bool) -> dict[int, Integers]:
        """Return {block: cells} of a region; remember what the file has not."""
        asked = getattr(self.section.regions, region)
        names = (region,) if asked is None else asked
        where: dict[int, Integers] = {}
        for name in names:
            self.by_number |= isinstance(name, int)
            if dimension == 2 and name in SIDES and name not in self.known[2]:
                self.sides[region] = str(name)
                continue
            if name not in self.known[dimension]:
                if name in self.empty and any(each in self.known[dimension] for each in names):
                    continue  # one of several that a list joins may be empty
                if asked is not None or required:
                    other = name in self.known[5 - dimension]
                    kind = ("cells", "faces")[3 - dimension]
                    hint = f" (these are {('cells', 'faces')[dimension - 2]})" if other else ""
                    if not other and name in self.empty:
                        hint = " (there is such a name, and nothing bears it)"
                    self.missing.append(f"{kind} {name!r} for {region}{hint}")
                continue
            for block, which in self.known[dimension][name].items():
                where[block] = np.union1d(where.get(block, which), which)
        return where

    def complain(self) -> None:
        """Raise InputError for everything that was not found, with what there is."""
        if not self.missing:
            return
        there = []
        for dimension, kind in ((3, "cells"), (2, "faces")):
            names = [repr(name) for name in self.known[dimension] if isinstance(name, str)]
            numbers = sorted(name for name in self.known[dimension] if isinstance(name, int))
            if names or not numbers:
                there.append(f"{kind} named {', '.join(names) or 'nothing'}")
            if numbers and (self.by_number or not names):
                shown = ", ".join(map(str, numbers[:20])) + (" ..." if len(numbers) > 20 else "")
                there.append(f"{kind} numbered {shown}")
        arrays = ", ".join(f"'{name}'" for name in self.file.cell_data) or "none"
        refuse(
            self.section,
            f"it has no {', no '.join(self.missing)}; it has {', '.join(there)}; arrays for mesh.data: {arrays} "
            "(mesh.regions says what is named how)",
        )

    def vertices(self, where: Mapping[int, Integers], region: str) -> Integers:
        """Return the vertices of the cells of a region, (cells, 3, 4 or 8)."""
        rows: list[Integers] = []
        for block, which in where.items():
            kind, nodes = self.file.cells[block].type, np.asarray(self.file.cells[block].data, dtype=np.int64)[which]
            if kind not in KINDS:
                refuse(self.section, f"{region} has cells of the kind {kind}, and {', '.join(KINDS)} are allowed")
            corners = KINDS[kind][1]
            if nodes.size and not 0 <= nodes.min() <= nodes.max() < len(self.file.points):
                refuse(self.section, f"{region} has cells with nodes that are not there: {len(self.file.points)} are")
            self._straight(nodes, corners, region)
            rows.append(nodes[:, :corners])
        if len({each.shape[1] for each in rows}) > 1:
            refuse(self.section, f"{region} has cells of several kinds, and one kind is allowed")
        found = np.concatenate(rows) if rows else np.zeros((0, 3), dtype=np.int64)
        return found[distinct(found)]

    def _straight(self, nodes: Integers, corners: int, region: str) -> None:
        """Nodes beyond the corners lie in the middle of edges, facets or cells, or the cell is curved."""
        if nodes.shape[1] == corners:
            return
        at = np.asarray(self.file.points, dtype=float)[nodes]
        corner, middle = at[:, :corners], at[:, corners:]
        pairs = [(a, b) for a in range(corners) for b in range(a)]
        places = np.stack([*((corner[:, a] + corner[:, b]) / 2 for a, b in pairs), corner.mean(1)], axis=1)
        size = np.ptp(corner, axis=1).max(1)
        away = np.linalg.norm(middle[:, :, None] - places[:, None], axis=3).min(2).max(1)
        curved = int(np.sum(away > STRAIGHT * size))
        if curved:
            refuse(
                self.section,
                f"{curved} of {len(nodes)} cells of {region} are curved, and second-order cells are allowed where straight",
            )


def distinct(rows: Integers) -> Integers:
    """Return which rows hold vertices that none before them does."""
    return np.sort(np.unique(np.sort(rows, axis=1), axis=0, return_index=True)[1])


def _named(file: Any, block: int, dimension: int, data: str | None) -> Iterator[tuple[str | int, Integers]]:
    """The regions of one block of cells: name or number, and which of the cells."""
    if (physical := file.cell_data.get("gmsh:physical")) is not None:
        for name, (tag, of) in file.field_data.items():
            if int(of) == dimension:
                yield name, np.flatnonzero(np.asarray(physical[block]) == int(tag))
    for name, sets in file.cell_sets.items():
        if not name.startswith("gmsh:") and block < len(sets) and sets[block] is not None:
            yield name, np.asarray(sets[block], dtype=np.int64)
    if (tags := file.cell_data.get("cell_tags")) is not None:
        for tag, families in getattr(file, "cell_tags", {}).items():
            for name in families:
                yield name, np.flatnonzero(np.asarray(tags[block]) == tag)
    if (array := file.cell_data.get(data or "gmsh:physical")) is not None:
        values = np.asarray(array[block])
        whole = values.ndim == 1 and bool(np.all(np.isfinite(values)) and np.all(values == np.round(values)))
        if whole and (numbers := np.unique(values)).size <= MOST_NUMBERS:
            for number in numbers:
                yield int(number), np.flatnonzero(values == number)
