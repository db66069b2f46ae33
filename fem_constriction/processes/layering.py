"""Cell -> 0 = z_0 < z_1 < ... < L_z: where layers and boundaries lie, what they are called, and what each conducts.

Materials that are equal share a name, and boundaries that are equal do: bulk, bulk_2, ... and grain_boundary, grain_boundary_2,
in the order in which a current from the working electrode meets them first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.layers import SAME
from fem_constriction.memory import require
from fem_constriction.processes.course import Course
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.materials import boundary, film, material
from fem_constriction.processes.names import BULK, GRAIN_BOUNDARY

#: Bytes that a layer takes at least: one unknown of the solvers' (`problem.bodies.Stack.doubles`).
LEAST = 1600

#: Layers up to which nothing is checked.
MANY = 10_000


def layering(cell: Cell) -> tuple[tuple[float, ...], Course]:
    """Return the ends of the layers of a stack, m, and what these and their boundaries are."""
    ends, bulks, boundaries, _ = _found(cell)
    return ends, Course(bulks, boundaries)


def between_electrodes(cell: Cell) -> Mapping[str, Admittance]:
    """Return what materials (S/m) and boundaries (S/m2) of a stack conduct, by name."""
    return _found(cell)[3]


def _found(cell: Cell) -> tuple[tuple[float, ...], tuple[str, ...], tuple[str | None, ...], Mapping[str, Admittance]]:
    electrolyte, length = cell.electrolyte, cell.geometry.lengths[2]
    tops = np.concatenate([[0.0], np.cumsum([each.thickness for each in electrolyte.layers])[:-1]])
    section = electrolyte.grain_boundaries
    inner: list[float] = []
    films: list[Admittance | None] = []  # of each plane, None where two materials touch
    if section is not None and section.layers:
        if section.layers > MANY:  # what is free is not asked of every small stack
            require(LEAST * section.layers, f"a stack of {section.layers} layers", "fewer layers")
        inner = np.linspace(0.0, length, section.layers + 1)[1:-1].tolist()
        films = [boundary(section)] * len(inner)
    elif section is not None:
        inner = [each.position for each in section.planes]
        films = [film(*section.film(each), GRAIN_BOUNDARY) for each in section.planes]
    touching = [z for z in tops[1:].tolist() if not any(abs(z - known) <= SAME * length for known in inner)]
    if touching:
        planes = sorted([*zip(inner, films, strict=True), *((z, None) for z in touching)], key=lambda plane: plane[0])
        inner, films = [z for z, _ in planes], [y for _, y in planes]
    ends = (0.0, *inner, length)
    conducts: dict[str, Admittance] = {}
    names: dict[tuple[str, Admittance], str] = {}

    def named(kind: str, y: Admittance) -> str:
        key = kind, y
        if key not in names:
            number = sum(each[0] == kind for each in names) + 1
            names[key] = kind if number == 1 else f"{kind}_{number}"
            called = names[key]
            conducts[called] = Admittance(tuple(replace(element, process=called) for element in y.elements))
        return names[key]

    # Named once for each material and film, however many layers are of it: millions of layers are only counted here.
    middles = (np.array(ends[:-1]) + np.array(ends[1:])) / 2
    which = (np.searchsorted(tops, middles) - 1).tolist()
    materials = [material(each, BULK) for each in electrolyte.layers or (electrolyte,)]
    called = {number: named(BULK, materials[number]) for number in dict.fromkeys(which)}
    bulks = tuple(called[number] for number in which)
    distinct = {id(y): y for y in films if y is not None}
    films_called = {key: named(GRAIN_BOUNDARY, y) for key, y in distinct.items()}
    boundaries = tuple(None if y is None else films_called[id(y)] for y in films)
    order = [*dict.fromkeys(bulks), *dict.fromkeys(name for name in boundaries if name is not None)]
    return ends, bulks, boundaries, {name: conducts[name] for name in order}
