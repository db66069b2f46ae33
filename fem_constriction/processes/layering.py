"""Cell -> 0 = z_0 < z_1 < ... < L_z: where layers and boundaries lie, what they are called, and what each conducts.

Materials that are equal share a name, and boundaries that are equal do: bulk, bulk_2, ... and grain_boundary, grain_boundary_2,
in the order in which a current from the working electrode meets them first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.layers import SAME
from fem_constriction.processes.course import Course
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.materials import boundary, film, material
from fem_constriction.processes.names import BULK, GRAIN_BOUNDARY


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
    at: dict[float, Admittance | None] = {}  # z of a plane -> what it conducts, None where two materials touch
    if section is not None and section.layers:
        even = np.linspace(0.0, length, section.layers + 1)[1:-1].tolist()
        at = dict.fromkeys(even, boundary(section))
    elif section is not None:
        at = {each.position: film(*section.film(each), GRAIN_BOUNDARY) for each in section.planes}
    for z in tops[1:].tolist():
        if not any(abs(z - known) <= SAME * length for known in at):
            at[z] = None
    inner = sorted(at)
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

    bulks = []
    for top, bottom in pairwise(ends):
        which = int(np.searchsorted(tops, (top + bottom) / 2)) - 1
        bulks.append(named(BULK, material(electrolyte.layers[which] if electrolyte.layers else electrolyte, BULK)))
    boundaries: list[str | None] = []
    for z in inner:
        y = at[z]
        boundaries.append(None if y is None else named(GRAIN_BOUNDARY, y))
    order = [*dict.fromkeys(bulks), *dict.fromkeys(name for name in boundaries if name is not None)]
    return ends, tuple(bulks), tuple(boundaries), {name: conducts[name] for name in order}
