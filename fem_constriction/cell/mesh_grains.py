"""Grains of a mesh: cells told apart by an array or by the names of groups, boundaries found between them, and sides by place.

Meshers of polycrystals (Neper, Gmsh) write one region of cells per grain, and often no faces at all. A boundary is then every
facet between cells of two grains, and an electrode the facets on a side of the box.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.cell.mesh import Mesh
from fem_constriction.cell.meshnames import KINDS, SIDES, Names, distinct, refuse
from fem_constriction.geometry.facets import Facets, Integers

#: Value of `mesh.grains` for which every named group of cells is a grain.
GROUPS: Final = "groups"

#: How far a node may be from a side, over the size of the cell: coordinates are often written with seven digits.
NEAR: Final = 1e-6


def every_cell(file: Any) -> dict[int, Integers]:
    """Return {block: cells} of all cells in space."""
    return {
        number: np.arange(len(block.data))
        for number, block in enumerate(file.cells)
        if KINDS.get(block.type, (int(block.dim), 0))[0] == 3
    }


def grain_of(section: Mesh, names: Names, where: Mapping[int, Integers]) -> list[Integers]:
    """Return the grain that each cell of a region belongs to, block by block. Raises InputError where nothing says it."""
    file, asked = names.file, str(section.grains)
    if asked in file.cell_data:
        found = [np.asarray(file.cell_data[asked][block])[which] for block, which in where.items()]
        if any(each.ndim != 1 or not np.all(np.isfinite(each)) or np.any(each != np.round(each)) for each in found):
            refuse(section, f"its array '{asked}' does not hold one whole number for every cell")
        return [each.astype(np.int64) for each in found]
    groups = [name for name in names.known[3] if isinstance(name, str)]
    if asked != GROUPS or not groups:
        arrays = ", ".join(f"'{name}'" for name in file.cell_data) or "none"
        has = f"it has no array '{asked}'" if asked != GROUPS else "it has no named groups of cells"
        refuse(
            section, f"{has} for mesh.grains: its arrays are {arrays}, its groups of cells {', '.join(groups[:8]) or 'none'}"
        )
    found = []
    for block, which in where.items():
        number = np.full(len(file.cells[block].data), -1, dtype=np.int64)
        for grain, name in enumerate(groups):
            of_block = names.known[3][name].get(block, np.zeros(0, dtype=np.int64))
            if np.any(number[of_block] >= 0):
                refuse(
                    section,
                    f"cells of the group '{name}' belong to another one as well, and mesh.grains = 'groups' takes one each",
                )
            number[of_block] = grain
        found.append(number[which])
    return found


def of_distinct(names: Names, where: Mapping[int, Integers], grain: list[Integers]) -> Integers:
    """Return the grains of the cells that `Names.vertices` returns, from those of all of a region."""
    rows = [np.asarray(names.file.cells[block].data, dtype=np.int64)[which] for block, which in where.items()]
    corners = [each[:, : KINDS[names.file.cells[block].type][1]] for block, each in zip(where, rows, strict=True)]
    return np.asarray(np.concatenate(grain)[distinct(np.concatenate(corners))])


def boundaries(cells: Integers, grain: Integers) -> Integers:
    """Return the facets between cells of different grains, by their vertices."""
    facets = Facets.build(cells)
    inner, one, other = facets.pairs
    return np.asarray(facets.vertices[inner[grain[one] != grain[other]]])


def on_side(points: Array, cells: Integers, side: str, taken: list[Integers]) -> Integers:
    """Return the outer facets that lie on a side of the box and are in no other region, by their vertices.

    taken: faces of the other regions, by their vertices.
    """
    axis, end = SIDES[side]
    facets = Facets.build(cells)
    at = points[:, axis]
    place = (at.min(), at.max())[end]
    near = np.abs(at[facets.vertices] - place) <= NEAR * np.ptp(points, axis=0).max()
    chosen = (facets.count == 1) & near.all(1)
    for faces in taken:
        if len(faces) and faces.shape[1] == facets.vertices.shape[1]:
            number = facets.find(faces)
            chosen[number[number >= 0]] = False
    return np.asarray(facets.vertices[chosen])
