"""Cell -> {process: y_p(s)}: the admittance of every process of a cell, as a function of s = i omega (or of real s).

This is the only place where materials meet frequency. A discretisation knows geometry alone and names the processes it
carries; what each of them conducts at s is decided here, from elements in series (`elements`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from fem_constriction.cell.cell import Cell
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.layering import between_electrodes
from fem_constriction.processes.materials import boundary, film, material
from fem_constriction.processes.names import (
    BULK,
    CHARGE_TRANSFER,
    COUNTER_ELECTRODE,
    COUNTER_INTERPHASE,
    COUNTER_PORE,
    GRAIN_BOUNDARY,
    INTERPHASE,
    PORE,
    numbered,
)
from fem_constriction.processes.series_links import conducts

if TYPE_CHECKING:
    from fem_constriction.cell.sections import ChargeTransfer, Electrode


class Lowered(Protocol):
    """A cell whose places have been worked out already, such as a `Problem`."""

    @property
    def places(self) -> Mapping[str, Admittance]:
        """{place: y(s)}."""
        ...


def admittances(cell: Cell | Lowered) -> Mapping[str, Admittance]:
    """Return y_p(s) of every place the cell has, by name, in the order of current flow.

    They are its `processes`, without the phases of a label image that never conduct: holes. What the links of a voxel network
    conduct, several places in series, follows from them (`fem_constriction.processes.series_links`).

    Parameters
    ----------
    cell
        A Cell; of what has been lowered already the places are returned as they are.

    Returns
    -------
    dict
        Place -> Admittance, in S/m for the bulk and in S/m2 for all else.
    """
    return places(cell, processes(cell)) if isinstance(cell, Cell) else cell.places


def places(cell: Cell, conducting: Mapping[str, Admittance]) -> Mapping[str, Admittance]:
    """Return the places where processes conduct: themselves, without the phases of a label image that are holes."""
    structure = cell.electrolyte.microstructure
    holes = [] if structure is None else [each.phase for each in structure.materials if not conducts(conducting[each.phase])]
    return {name: y for name, y in conducting.items() if name not in holes} if holes else conducting


def processes(cell: Cell) -> dict[str, Admittance]:
    """Return y_p(s) of every process the cell has, by name, in the order of current flow.

    bulk kappa = sigma + s eps; grain_boundary (sigma + s eps)/delta; charge_transfer 1/R_pol + s C_dl with its interphases in
    series; pore g + s C_pore with those that cover the face; at the other electrode counter_electrode 1/R_pol + s C_dl and
    counter_pore g + s C_pore alike; each element plus Q s^n where it has a constant-phase element. A process that is left out
    of the cell (ideal contact, insulating pores, ideal counter electrode, no boundaries) or that has no area (contact at
    fraction 0, pores at fraction 1) has no entry. Conductances are those at the cell's temperature.

    Parameters
    ----------
    cell
        Of any kind; phases of a label image are processes as well.

    Returns
    -------
    dict
        Process -> Admittance, in S/m for the bulk and phases and in S/m2 for all else.
    """
    found: dict[str, Admittance] = {}
    electrolyte, structure = cell.electrolyte, cell.electrolyte.microstructure
    if structure is None and cell.mesh is None:
        found |= between_electrodes(cell)
    else:
        found[BULK] = material(electrolyte, BULK)
    if structure is not None and structure.boundary is not None:
        found[GRAIN_BOUNDARY] = boundary(structure.boundary)
    if cell.mesh is not None and cell.mesh.boundary is not None:
        found[GRAIN_BOUNDARY] = boundary(cell.mesh.boundary)
    metal = [] if structure is None else list(structure.electrodes.values())
    working, counter = (CHARGE_TRANSFER, PORE, INTERPHASE), (COUNTER_ELECTRODE, COUNTER_PORE, COUNTER_INTERPHASE)
    for side, electrode, fraction, depth, names in (
        ("working", cell.working_electrode, cell.contact_fraction, cell.working_pores.mean, working),
        ("counter", cell.counter_electrode, cell.counter_touch.fraction, cell.counter_pores.mean, counter),
    ):
        found |= _of_electrode(electrode, fraction, depth, names, buried=side in metal)
    if structure is not None:
        found |= {each.phase: material(each, each.phase) for each in structure.materials}
    if cell.temperature is not None:  # conductances change, capacitances do not
        each = {element.process for y in found.values() for element in y.elements}
        factors = {process: cell.temperature.factor(process) for process in each}
        found = {name: y.heated(factors) for name, y in found.items()}
    return found


def _transfer(section: ChargeTransfer, process: str) -> Admittance:
    """1/R_pol + s C_dl + Q s^n in S/m2."""
    return film(1 / section.resistance, section.capacitance, section.cpe, process)


def _of_electrode(
    electrode: Electrode, fraction: float, depth: float | None, names: tuple[str, str, str], buried: bool
) -> dict[str, Admittance]:
    """What an electrode conducts where it touches this fraction of its face, and beside: films, then charge transfer or pores.

    depth: that pores of different depths come to together, m; names: of the place where it touches, of the one beside, and of
    films; buried: whether it is metal inside an image as well.
    """
    found = {}
    transfer, pore, interphase = names
    called = numbered(interphase, len(electrode.interphase))
    films = [
        (each.covers, film(each.areal_conductance, each.areal_capacitance, each.cpe, name))
        for name, each in zip(called, electrode.interphase, strict=False)
    ]
    touching = [y for _, y in films]
    if electrode.charge_transfer is not None:
        touching.append(_transfer(electrode.charge_transfer, transfer))
    if touching and (fraction > 0 or buried):
        found[transfer] = Admittance.series(*touching)
    if electrode.pore is not None and fraction < 1:
        alone = film(*electrode.pore.areal(depth), electrode.pore.cpe, pore)
        found[pore] = Admittance.series(*(y for covers, y in films if covers == "face"), alone)
    return found


def direct_current(cell: Cell) -> bool:
    """Whether direct current can flow: through a contact, or through pores that conduct, at both electrodes."""
    return all(
        fraction > 0 or (electrode.pore is not None and bool(electrode.pore.conductivity))
        for electrode, fraction in (
            (cell.working_electrode, cell.contact_fraction),
            (cell.counter_electrode, cell.counter_touch.fraction),
        )
    )
