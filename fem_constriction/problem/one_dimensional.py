"""1D-PM and 1D-FM: the one-dimensional circuits of a cell.

The physical circuit (1D-PM) follows from the cell alone and knows no constriction. The circuit to be fitted (1D-FM) has
one RC element per process that stores energy, and one for the constriction. Source: Eckhardt et al. 2022, doi
10.1021/acsami.2c12991, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.problem.problem import Described, Problem
from fem_constriction.processes.circuits import CONSTRICTION, INTERFACE, SERIES, Arc, Branches, Circuit, arc_of
from fem_constriction.processes.elements import Admittance, by_name
from fem_constriction.processes.names import (
    BULK,
    CHARGE_TRANSFER,
    COUNTER_ELECTRODE,
    COUNTER_PORE,
    GRAIN_BOUNDARY,
    PORE,
    in_order,
    kind_of,
)


def physical(described: Described) -> Circuit:
    """Z = L_z/(kappa A) + (layers - 1)/(y_gb A) + 1/(y_ct A_c + y_pore (A - A_c)) + 1/(y_ce A): the (modified) 1D-PM.

    An ideal contact has no interface; at fraction 0 the interface is the pores', and blocks direct current unless they conduct.
    Of a mesh, layers - 1 is what a uniform current along z meets of its boundaries.

    Parameters
    ----------
    described
        Of any kind but a label image.

    Returns
    -------
    Circuit
        Arcs bulk, grain_boundary, interface, counter_electrode, those the cell has; depressed ones for constant-phase
        elements. What is in series in a place has an arc each, by its process. What is no arc, such as a contact with a
        constant-phase element beside pores, is one of the circuit's blocks.

    References
    ----------
    Eckhardt et al. 2022, eq. (1) with R_Pol divided by A_contact.
    """
    found = [part for name, parallel in in_series(described).items() for part in _of_arc(name, list(parallel.values()))]
    return Circuit(
        arcs=tuple(part for part in found if isinstance(part, Arc)),
        blocks=tuple(part for part in found if isinstance(part, Branches)),
    )


def one_dimensional(described: Described, s: ArrayLike) -> NDArray[np.complex128]:
    """Return Z(s) of the 1D-PM in ohm, whatever elements its places are made of: shape of s, 1/s; infinite where it blocks."""
    points = np.asarray(s)
    total = np.zeros(points.shape, dtype=np.complex128)
    for parallel in in_series(described).values():
        beside = (y(points) * size for y, size in parallel.values())
        y = np.asarray(sum(beside, np.zeros(points.shape)), dtype=np.complex128)
        total = total + np.divide(1.0, y, out=np.full(points.shape, complex(np.inf, 0)), where=y != 0)
    return total


def one_dimensional_resistance(described: Described) -> float:
    """Return Z(0) of the 1D-PM in ohm, infinite where direct current is blocked.

    Parameters
    ----------
    described
        Of any kind but a label image.

    Returns
    -------
    float
        In ohm.
    """
    return float(one_dimensional(described, 0.0).real)


def beyond(described: Described, s: ArrayLike, depth: float) -> NDArray[np.complex128]:
    """Return Z(s) = sum of l/(kappa A) + sum of 1/(y_gb A) of the electrolyte below a plane: its mean potential per current.

    Exact between any two planes of a laterally uniform stack whatever the current's path, for the mean of div(kappa grad phi)
    over a plane is d/dz (kappa d/dz of the mean): side walls let nothing through. It is counted from the mean potential of the
    counter electrode's face.

    Parameters
    ----------
    described
        A stack.
    s
        1/s, any shape.
    depth
        Of the plane below the working electrode's face, m.
    """
    problem, points = Problem.of(described), np.asarray(s)
    total = np.zeros(points.shape, dtype=np.complex128)
    ends, course = problem.body.ends, problem.body.course
    for number, (name, top, bottom) in enumerate(zip(course.bulks, ends[:-1], ends[1:], strict=True)):
        total = total + max(bottom - max(top, depth), 0.0) / (problem.places[name](points) * problem.area)
        boundary = course.boundaries[number - 1] if number else None
        if boundary is not None and top > depth:
            total = total + 1 / (problem.places[boundary](points) * problem.area)
    return np.asarray(total)


def in_series(described: Described) -> dict[str, dict[str, tuple[Admittance, float]]]:
    """Return the places of the 1D-PM, in the order of the current: {arc: {place: (y, area in m2, or area/length in m)}}.

    Places of one arc lie beside each other.
    """
    problem = Problem.of(described)
    y, area = problem.places, problem.area
    beside = {CHARGE_TRANSFER: problem.contact_area, PORE: area - problem.contact_area}
    # Boundaries along the current are in nobody's way: they are crossed 0 times.
    crossed = {name: count for name, count in problem.body.across.items() if name in y and count}
    found = {name: {name: (y[name], area / count)} for name, count in crossed.items()}
    if CHARGE_TRANSFER in y or not problem.contact_area:
        found[INTERFACE] = {name: (y[name], size) for name, size in beside.items() if name in y}
    counter = {COUNTER_ELECTRODE: problem.counter_area, COUNTER_PORE: area - problem.counter_area}
    if not problem.ideal_counter:
        found[COUNTER_ELECTRODE] = {name: (y[name], size) for name, size in counter.items() if name in y}
    return found


def _of_arc(name: str, parallel: list[tuple[Admittance, float]]) -> list[Arc | Branches]:
    """What stands for one arc of the 1D-PM: an arc, an arc for each of several elements in series, or whatever it is."""
    places = [y.times(size) for y, size in parallel]
    if len(places) == 1 and len(places[0].elements) > 1:
        each = [arc_of(element.process, element) for element in places[0].elements]
        if all(arc is not None for arc in each):
            return [arc for arc in each if arc is not None]
    if all(len(y.elements) == 1 and not y.elements[0].cpe for y in places):
        single = [y.elements[0] for y in places]
        conductance, capacitance = sum(part.conductance for part in single), sum(part.capacitance for part in single)
        return [Arc(name=name, resistance=1 / conductance if conductance else float("inf"), capacitance=capacitance)]
    arc = arc_of(name, places[0].elements[0]) if len(places) == 1 and len(places[0].elements) == 1 else None
    return [Branches(name, tuple(places)) if arc is None else arc]


@dataclass(frozen=True, kw_only=True)
class Elements:
    """The elements of a cell's 1D-FM.

    names: in the order of current flow from the bulk, r_elec first where it is free; processes: element -> processes
    whose stored energy it stands for; absent: element that is not there -> why; blocking: no direct current flows, and
    there is nothing to fit; depressed: those whose processes have constant-phase elements, arcs R/(1 + (s tau)^alpha).
    """

    names: tuple[str, ...]
    processes: Mapping[str, tuple[str, ...]]
    absent: Mapping[str, str]
    blocking: bool = False
    depressed: frozenset[str] = frozenset()


def elements(described: Described, *, extended: bool = True) -> Elements:
    """Return the elements of the 1D-FM of this cell: no element for what is not there.

    Bulk, grain boundaries, charge transfer and counter electrode give one each if they are there and have a
    capacitance, and so does every element in series with them; without one a process is a resistor, and R_elec is freed to hold
    it. The constriction is the switching of the pores, of both electrodes together: it is there if 0 < fraction < 1 and pores
    store energy. extended = False: one element for the charge transfer at both electrodes, as in the paper. Source: Eckhardt et
    al. 2022, section 2.2.2.
    """
    problem = Problem.of(described)
    y, fraction = problem.places, problem.contact_fraction
    free = {PORE: fraction, COUNTER_PORE: problem.counter_fraction}
    switching = tuple(place for place, part in free.items() if 0 < part < 1 and place in y and y[place].stores)
    beside = {CHARGE_TRANSFER: PORE, COUNTER_ELECTRODE: COUNTER_PORE}
    inside = {place: by_name({place: admittance}) for place, admittance in y.items()}
    constant_phase = {name for parts in inside.values() for name, element in parts.items() if element.cpe}
    resistor = f"no capacitance: its resistance is in {SERIES}"
    processes: dict[str, tuple[str, ...]] = {}
    absent: dict[str, str] = {}
    series: list[str] = []
    between = [place for place in in_order(set(inside)) if kind_of(place) in (BULK, GRAIN_BOUNDARY)]
    for place in (*between, CHARGE_TRANSFER, CONSTRICTION, COUNTER_ELECTRODE):
        if place == CONSTRICTION:
            if switching:
                processes[place] = switching
            else:
                absent[place] = _no_constriction(fraction, PORE in y)
        for name, element in inside.get(place, {}).items():
            if element.capacitance or element.cpe:
                processes[name] = (name,)
            elif beside.get(place) in switching:
                absent[name] = f"no capacitance: its resistance is in {CONSTRICTION}"
            else:
                absent[name] = resistor
                series.append(name)
    blocking = not problem.direct_current
    uniform = [place for place, part in free.items() if not part and not blocking]
    for place in uniform:  # conductive pores over the whole face: laterally uniform
        for name, element in inside[place].items():
            if element.capacitance or element.cpe:
                processes[name] = (name,)
            else:
                series.append(name)
    if not extended and {CHARGE_TRANSFER, COUNTER_ELECTRODE} <= set(processes):
        del processes[COUNTER_ELECTRODE]
        processes[CHARGE_TRANSFER] = (CHARGE_TRANSFER, COUNTER_ELECTRODE)
        absent[COUNTER_ELECTRODE] = f"one element for both electrodes: its resistance is in {CHARGE_TRANSFER}"
    return Elements(
        names=(SERIES,) * bool(series) + tuple(processes),
        processes=processes,
        absent=absent,
        blocking=blocking,
        depressed=frozenset(name for name, stored in processes.items() if constant_phase & set(stored)),
    )


def _no_constriction(fraction: float, pores: bool) -> str:
    """Why there is no constriction arc."""
    if fraction == 1:
        return "full contact"
    if fraction == 0:
        return "no contact: the current enters evenly through the pores, or not at all"
    if not pores:
        return "insulating pores: nothing switches, the constriction resistance is spread over the other arcs"
    return "pores without capacitance: nothing switches, the constriction resistance is spread over the other arcs"


def fit_names(described: Described, *, extended: bool = True) -> tuple[str, ...]:
    """Return the names of the elements of this cell's 1D-FM; see `elements`."""
    return elements(described, extended=extended).names
