"""1/y_k(s) = sum over elements of 1/(c_i y_i(s)): what the kinds of links of a label image conduct.

A link between two voxels, or a voxel and an electrode, is the series of what it crosses; how many kinds of links there are
depends on the materials alone. Their names say what is crossed, in its order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import epsilon_0

from fem_constriction.admittance import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE, Admittance
from fem_constriction.errors import InputError

if TYPE_CHECKING:
    from fem_constriction.cell import Cell
    from fem_constriction.microstructure import Boundary


@dataclass(frozen=True)
class Series(Admittance):
    """1/y(s) = sum over elements of 1/(c y_process(s)): a link through several elements.

    elements: (process, geometry c, admittance); y in S/m2. conductance is y(0); capacitance is not a number where there are
    several, since y is not linear in s then.
    """

    elements: tuple[tuple[str, float, Admittance], ...] = ()

    @classmethod
    def of(cls, *elements: tuple[str, float, Admittance]) -> Series:
        """Return the series of some elements."""
        parts = [c * y.conductance for _, c, y in elements]
        direct = 1 / sum(1 / part for part in parts) if all(parts) else 0.0
        linear = sum(c * y.capacitance for _, c, y in elements) if len(elements) == 1 else math.nan
        return cls(direct, linear, elements)

    def __call__(self, s: ArrayLike) -> NDArray[Any]:
        """Return y at s (1/s, any shape, real or complex); 0 where one of the elements conducts nothing."""
        points = np.asarray(s)
        each = [c * y(points) for _, c, y in self.elements]
        conducts = np.all([part != 0 for part in each], axis=0)
        total = sum(1 / np.where(conducts, part, 1) for part in each)
        return np.asarray(np.where(conducts, 1 / np.asarray(total), 0))

    def shares(self, s: ArrayLike) -> dict[str, NDArray[Any]]:
        """Return the part of each process in 1/y(s), {process: shape of s}; they sum to 1, or to 0 where nothing conducts."""
        points, whole = np.asarray(s), self(s)
        found: dict[str, NDArray[Any]] = {}
        for process, c, y in self.elements:
            part = whole / np.where(whole != 0, c * y(points), 1)
            found[process] = found.get(process, np.zeros(points.shape)) + part
        return found


def volume_kind(first: str, second: str) -> str:
    """Return the name of the links between voxels of two phases, of one grain where both are bulk."""
    return " - ".join(sorted((first, second), key=lambda phase: (phase != BULK, phase)))


#: Links between voxels of two different grains.
BOUNDARY_KIND: Final = f"{BULK} - {GRAIN_BOUNDARY} - {BULK}"


def face_kind(process: str, phase: str) -> str:
    """Return the name of the links between an electrode and the voxels of a phase beside it."""
    return f"{process} - {phase}"


def boundary_admittance(boundary: Boundary) -> Admittance:
    """Return (sigma + s eps)/delta in S/m2."""
    eps = boundary.relative_permittivity * epsilon_0
    return Admittance(boundary.conductivity / boundary.thickness, eps / boundary.thickness)


def link_admittances(cell: Cell, processes: Mapping[str, Admittance]) -> dict[str, Admittance]:
    """Return y_k(s) in S/m2 of every kind of link, from those of the processes: kinds that never conduct have no entry."""
    structure = cell.electrolyte.microstructure
    if structure is None:
        raise InputError("electrolyte.microstructure is missing: only a label image has kinds of links")
    half = 2 / structure.voxel
    phases = {BULK: processes[BULK], **{each.phase: processes[each.phase] for each in structure.inclusions}}
    found: dict[str, Admittance] = {}
    for number, (one, y) in enumerate(phases.items()):
        found[volume_kind(one, one)] = Series.of((one, half / 2, y))
        for other in list(phases)[number + 1 :]:
            found[volume_kind(one, other)] = Series.of((one, half, y), (other, half, phases[other]))
        if number == 0 and GRAIN_BOUNDARY in processes:
            boundary = (GRAIN_BOUNDARY, 1.0, processes[GRAIN_BOUNDARY])
            found[BOUNDARY_KIND] = Series.of((BULK, half / 2, y), boundary)
        contact = cell.contact_fraction > 0
        thin = {CHARGE_TRANSFER: contact, PORE: PORE in processes, COUNTER_ELECTRODE: True}
        for process, there in thin.items():
            element = [(process, 1.0, processes[process])] if process in processes else []
            if there:
                found[face_kind(process, one)] = Series.of(*element, (one, half, y))
    return {name: y for name, y in found.items() if any(_conducts(y))}


def _conducts(y: Admittance) -> Iterator[bool]:
    for s in (0.0, 1.0):
        yield bool(y(s) > 0)
