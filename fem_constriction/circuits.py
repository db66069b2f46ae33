"""Z(f) = R_elec + sum over arcs of R/(1 + i omega R C): the one-dimensional circuits of a cell.

The physical circuit (1D-PM) follows from the cell alone and knows no constriction. The circuit to be fitted (1D-FM) has
one RC element per process that stores energy, and one for the constriction. Source: Eckhardt et al. 2022, doi
10.1021/acsami.2c12991, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.admittance import (
    BULK,
    CHARGE_TRANSFER,
    COUNTER_ELECTRODE,
    GRAIN_BOUNDARY,
    PORE,
    Admittance,
    admittances,
)
from fem_constriction.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.faults import show

CONSTRICTION: Final = "constriction"
INTERFACE: Final = "interface"
SERIES: Final = "r_elec"

_NAMED = {"1D-FM": 4, "1D-FM-EXTENDED": 5}
_ALLOWED = "R0-p(R1,C1)-p(R2,C2), with R0 or without, 1D-FM (R0 and 4 arcs) or 1D-FM-extended (R0 and 5 arcs)"
_RESISTOR = re.compile(r"R_?\w*")
_PARALLEL = re.compile(r"p\((?:(R_?\w*),(C_?\w*)|(C_?\w*),(R_?\w*))\)")


@dataclass(frozen=True, kw_only=True)
class Arc:
    """Z = R/(1 + i omega R C): a resistance (ohm) and a capacitance (F) in parallel; R may be infinite, C zero."""

    name: str
    resistance: float
    capacitance: float = 0.0

    @property
    def tau(self) -> float:
        """Tau = R C in seconds; infinite for a pure capacitor."""
        return self.resistance * self.capacitance if np.isfinite(self.resistance) else float("inf")

    def impedance(self, frequency: ArrayLike) -> NDArray[np.complex128]:
        """Return Z in ohm at frequencies in Hz, of their shape; infinite if neither part conducts."""
        omega = 2 * np.pi * np.asarray(frequency, dtype=float)
        if not self.resistance:
            return np.zeros(omega.shape, dtype=np.complex128)
        y = 1 / self.resistance + 1j * omega * self.capacitance
        open_circuit = np.full(omega.shape, complex(np.inf, 0))
        return np.asarray(np.divide(1.0, y, out=open_circuit, where=y != 0), dtype=np.complex128)


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """Z = R_elec + sum of the arcs: RC elements in series with one resistance (ohm)."""

    arcs: tuple[Arc, ...]
    r_elec: float = 0.0

    @property
    def resistance(self) -> float:
        """Z(0) = R_elec + sum of R, in ohm; infinite if an arc blocks direct current."""
        return self.r_elec + sum(arc.resistance for arc in self.arcs)

    def impedance(self, frequency: ArrayLike) -> NDArray[np.complex128]:
        """Return Z in ohm at frequencies in Hz, of their shape."""
        shape = np.shape(frequency)
        return sum((arc.impedance(frequency) for arc in self.arcs), np.full(shape, self.r_elec, dtype=np.complex128))

    def __getitem__(self, name: str) -> Arc:
        """The arc of that name; KeyError if there is none."""
        return {arc.name: arc for arc in self.arcs}[name]


def physical(cell: Cell) -> Circuit:
    """Z = L_z/(kappa A) + (layers - 1)/(y_gb A) + 1/(y_ct A_c + y_pore (A - A_c)) + 1/(y_ce A): the (modified) 1D-PM.

    Arcs bulk, grain_boundary, interface, counter_electrode, those the cell has. An ideal contact has no interface; at
    fraction 0 the interface is the pores', and blocks direct current unless they conduct. Source: Eckhardt et al. 2022,
    eq. (1) with R_Pol divided by A_contact.
    """
    y, area = admittances(cell), cell.area
    beside = area - cell.contact_area
    interface = [(y[CHARGE_TRANSFER], cell.contact_area)] if CHARGE_TRANSFER in y else []
    interface += [(y[PORE], beside)] if PORE in y else []
    arcs = [_arc(BULK, [(y[BULK], area / cell.geometry.thickness)])]
    boundaries = cell.electrolyte.grain_boundaries
    if boundaries is not None and GRAIN_BOUNDARY in y:
        arcs.append(_arc(GRAIN_BOUNDARY, [(y[GRAIN_BOUNDARY], area / (boundaries.layers - 1))]))
    if CHARGE_TRANSFER in y or not cell.contact_area:
        arcs.append(_arc(INTERFACE, interface))
    if COUNTER_ELECTRODE in y:
        arcs.append(_arc(COUNTER_ELECTRODE, [(y[COUNTER_ELECTRODE], area)]))
    return Circuit(arcs=tuple(arcs))


def _arc(name: str, parallel: list[tuple[Admittance, float]]) -> Arc:
    conductance = sum(y.conductance * size for y, size in parallel)
    capacitance = sum(y.capacitance * size for y, size in parallel)
    return Arc(name=name, resistance=1 / conductance if conductance else float("inf"), capacitance=capacitance)


@dataclass(frozen=True, kw_only=True)
class Elements:
    """The elements of a cell's 1D-FM.

    names: in the order of current flow from the bulk, r_elec first where it is free; processes: element -> processes
    whose stored energy it stands for; absent: element that is not there -> why; blocking: no direct current flows, and
    there is nothing to fit.
    """

    names: tuple[str, ...]
    processes: Mapping[str, tuple[str, ...]]
    absent: Mapping[str, str]
    blocking: bool = False


def elements(cell: Cell, *, extended: bool = True) -> Elements:
    """Return the elements of the 1D-FM of this cell: no element for what is not there.

    Bulk, grain boundaries, charge transfer and counter electrode give one each if they are there and have a
    capacitance; without one a process is a resistor, and R_elec is freed to hold it. The constriction is the switching
    of the pores: it is there if 0 < fraction < 1 and the pores have a capacitance. extended = False: one element for
    the charge transfer at both electrodes, as in the paper. Source: Eckhardt et al. 2022, section 2.2.2.
    """
    y, fraction = admittances(cell), cell.working_electrode.contact.fraction
    switching = PORE in y and y[PORE].capacitance > 0
    resistor = f"no capacitance: its resistance is in {SERIES}"
    processes: dict[str, tuple[str, ...]] = {}
    absent: dict[str, str] = {}
    series: list[str] = []
    for name in (BULK, GRAIN_BOUNDARY, CHARGE_TRANSFER, CONSTRICTION, COUNTER_ELECTRODE):
        if name == CONSTRICTION:
            if reason := _no_constriction(fraction, PORE in y, switching):
                absent[name] = reason
            else:
                processes[name] = (PORE,)
        elif name in y and y[name].capacitance > 0:
            processes[name] = (name,)
        elif name == CHARGE_TRANSFER and name in y and switching:
            absent[name] = f"no capacitance: its resistance is in {CONSTRICTION}"
        elif name in y:
            absent[name] = resistor
            series.append(name)
    blocking = not fraction and not (PORE in y and y[PORE].conductance > 0)
    if not fraction and not blocking:  # conductive pores over the whole face: laterally uniform
        if switching:
            processes[PORE] = (PORE,)
        else:
            series.append(PORE)
    if not extended and {CHARGE_TRANSFER, COUNTER_ELECTRODE} <= set(processes):
        del processes[COUNTER_ELECTRODE]
        processes[CHARGE_TRANSFER] = (CHARGE_TRANSFER, COUNTER_ELECTRODE)
        absent[COUNTER_ELECTRODE] = f"one element for both electrodes: its resistance is in {CHARGE_TRANSFER}"
    return Elements(names=(SERIES,) * bool(series) + tuple(processes), processes=processes, absent=absent, blocking=blocking)


def _no_constriction(fraction: float, pores: bool, switching: bool) -> str:
    """Why there is no constriction arc, or ""."""
    if fraction == 1:
        return "full contact"
    if fraction == 0:
        return "no contact: the current enters evenly through the pores, or not at all"
    if not pores:
        return "insulating pores: nothing switches, the constriction resistance is spread over the other arcs"
    if not switching:
        return "pores without capacitance: nothing switches, the constriction resistance is spread over the other arcs"
    return ""


def fit_names(cell: Cell, *, extended: bool = True) -> tuple[str, ...]:
    """Return the names of the elements of this cell's 1D-FM; see `elements`."""
    return elements(cell, extended=extended).names


@dataclass(frozen=True, kw_only=True)
class Topology:
    """R_elec (if series) and so many arcs, all in series."""

    arcs: int
    series: bool


def parse(text: str) -> Topology:
    """Return what "R0-p(R1,C1)-p(R2,C2)", "1D-FM" or "1D-FM-extended" stands for.

    Labels (R_0, R0, R), their order and blanks do not matter, but no label may occur twice. Raises InputError.
    """
    refused = f"circuit = {show(text)} is not allowed"
    plain = re.sub(r"\s+", "", text)
    if plain.upper() in _NAMED:
        return Topology(arcs=_NAMED[plain.upper()], series=True)
    labels: list[str] = []
    arcs = series = 0
    for part in plain.split("-"):
        if match := _PARALLEL.fullmatch(part):
            labels += [label.replace("_", "") for label in match.groups() if label]
            arcs += 1
        elif _RESISTOR.fullmatch(part):
            labels.append(part.replace("_", ""))
            series += 1
        else:
            raise InputError(f"{refused}, {show(part)} is neither R nor p(R,C): {_ALLOWED}")
    twice = sorted({label for label in labels if len(label) > 1 and labels.count(label) > 1})
    if twice:
        raise InputError(f"{refused}, {twice[0]} occurs twice: {_ALLOWED}")
    if not arcs or series > 1:
        raise InputError(f"{refused}, {'there is no arc' if not arcs else 'there are two resistors'}: {_ALLOWED}")
    return Topology(arcs=arcs, series=bool(series))
