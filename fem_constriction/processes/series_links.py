"""1/y_k(s) = sum over what a link crosses of 1/(c_i y_i(s)): what the kinds of links of a label image conduct.

A link between two voxels, or a voxel and an electrode, is the series of what it crosses; how many kinds of links there are
depends on the materials alone. Their names say what is crossed, in its order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from scipy.constants import epsilon_0

from fem_constriction.errors import Absent, InputError
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE

if TYPE_CHECKING:
    from fem_constriction.cell.cell import Cell
    from fem_constriction.cell.microstructure import Boundary
    from fem_constriction.cell.sections import GrainBoundaries


def volume_kind(first: str, second: str) -> str:
    """Return the name of the links between voxels of two phases, of one grain where both are bulk."""
    return " - ".join(sorted((first, second), key=lambda phase: (phase != BULK, phase)))


#: Links between voxels of two different grains.
BOUNDARY_KIND: Final = f"{BULK} - {GRAIN_BOUNDARY} - {BULK}"


def face_kind(process: str, phase: str) -> str:
    """Return the name of the links between an electrode and the voxels of a phase beside it."""
    return f"{process} - {phase}"


def boundary_admittance(boundary: Boundary | GrainBoundaries) -> Admittance:
    """Return (sigma + s eps)/delta in S/m2."""
    eps = boundary.relative_permittivity * epsilon_0
    return Admittance.of(boundary.conductivity / boundary.thickness, eps / boundary.thickness, process=GRAIN_BOUNDARY)


def link_admittances(cell: Cell, processes: Mapping[str, Admittance]) -> dict[str, Admittance]:
    """Return y_k(s) in S/m2 of every kind of link, from those of the processes: kinds that never conduct have no entry."""
    structure = cell.electrolyte.microstructure
    if structure is None:
        raise InputError(key="electrolyte.microstructure", value=Absent.MISSING, why="only a label image has kinds of links")
    half = 2 / structure.voxel
    phases = {BULK: processes[BULK], **{each.phase: processes[each.phase] for each in structure.inclusions}}
    found: dict[str, Admittance] = {}
    for number, (one, y) in enumerate(phases.items()):
        found[volume_kind(one, one)] = y.times(half / 2)
        for other in list(phases)[number + 1 :]:
            found[volume_kind(one, other)] = Admittance.series(y.times(half), phases[other].times(half))
        if number == 0 and GRAIN_BOUNDARY in processes:
            found[BOUNDARY_KIND] = Admittance.series(y.times(half / 2), processes[GRAIN_BOUNDARY])
        contact = cell.contact_fraction > 0
        thin = {CHARGE_TRANSFER: contact, PORE: PORE in processes, COUNTER_ELECTRODE: True}
        for process, there in thin.items():
            film = [processes[process]] if process in processes else []
            if there:
                found[face_kind(process, one)] = Admittance.series(*film, y.times(half))
    return {name: y for name, y in found.items() if any(_conducts(y))}


def _conducts(y: Admittance) -> Iterator[bool]:
    for s in (0.0, 1.0):
        yield bool(y(s) > 0)
