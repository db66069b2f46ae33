"""Z(f) = R_elec + sum over arcs of R/(1 + (i omega R C)^alpha): the one-dimensional circuits of a cell.

The physical circuit (1D-PM) follows from the cell alone and knows no constriction. The circuit to be fitted (1D-FM) has
one RC element per process that stores energy, and one for the constriction. Source: Eckhardt et al. 2022, doi
10.1021/acsami.2c12991, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.description import measure_of
from fem_constriction.cell.units import array_in
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.processes.of_cell import admittances

CONSTRICTION: Final = "constriction"
INTERFACE: Final = "interface"
SERIES: Final = "r_elec"


@dataclass(frozen=True, kw_only=True)
class Arc:
    """Z = R/(1 + (i omega R C)^alpha): a resistance (ohm) and a capacitance (F) in parallel; R may be infinite, C zero.

    alpha: 1, or the exponent of a constant-phase element Q = (R C)^alpha/R in its place, which C is the effective value of.
    """

    name: str
    resistance: float
    capacitance: float = 0.0
    alpha: float = 1.0

    @property
    def tau(self) -> float:
        """Tau = R C in seconds; infinite for a pure capacitor."""
        return self.resistance * self.capacitance if np.isfinite(self.resistance) else float("inf")

    def impedance(self, frequency: ArrayLike) -> NDArray[np.complex128]:
        """Return Z in ohm at frequencies in Hz, of their shape; infinite if neither part conducts."""
        omega = 2 * np.pi * array_in("Hz", frequency, "frequency").astype(float)
        if not self.resistance:
            return np.zeros(omega.shape, dtype=np.complex128)
        if self.alpha != 1:
            return np.asarray(self.resistance / (1 + (1j * omega * self.tau) ** self.alpha), dtype=np.complex128)
        y = 1 / self.resistance + 1j * omega * self.capacitance
        open_circuit = np.full(omega.shape, complex(np.inf, 0))
        return np.asarray(np.divide(1.0, y, out=open_circuit, where=y != 0), dtype=np.complex128)


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """Z = R_elec + sum of the arcs + i omega L + 1/(i omega C) + 1/(Q (i omega)^alpha): arcs in series with a resistance.

    Parameters
    ----------
    arcs
        In series.
    r_elec
        Ohm.
    inductance
        H.
    capacitance
        F, of a capacitor in series, infinite if there is none.
    cpe
        Q in F s^(alpha - 1) and alpha of a constant-phase element in series, None if there is none.
    """

    arcs: tuple[Arc, ...]
    r_elec: float = 0.0
    inductance: float = 0.0
    capacitance: float = float("inf")
    cpe: tuple[float, float] | None = None

    @property
    def resistance(self) -> float:
        """Z(0) = R_elec + sum of R, in ohm; infinite if an arc, or a capacitor in series, blocks direct current."""
        blocking = 0.0 if np.isinf(self.capacitance) and self.cpe is None else float("inf")
        return self.r_elec + sum(arc.resistance for arc in self.arcs) + blocking

    def impedance(self, frequency: ArrayLike) -> NDArray[np.complex128]:
        """Return Z in ohm.

        Parameters
        ----------
        frequency
            Hz, of any shape.

        Returns
        -------
        numpy.ndarray
            Ohm, complex, of the same shape.
        """
        s = 2j * np.pi * array_in("Hz", frequency, "frequency").astype(float)
        rest = np.asarray(self.r_elec + s * self.inductance + (1 / self.capacitance) / s, dtype=np.complex128)
        if self.cpe is not None:
            rest = rest + 1 / (self.cpe[0] * s ** self.cpe[1])
        return sum((arc.impedance(frequency) for arc in self.arcs), rest)

    def text(self) -> str:
        """The circuit in the notation of `notation.parse`: "R_elec-p(R_bulk,C_bulk)-p(R_interface,CPE_interface)"."""
        parts = ["R_elec"] * bool(self.r_elec) + ["L_series"] * bool(self.inductance)
        parts += ["C_series"] * bool(np.isfinite(self.capacitance)) + ["CPE_series"] * (self.cpe is not None)
        return "-".join([*parts, *(f"p(R_{a.name},{'C' if a.alpha == 1 else 'CPE'}_{a.name})" for a in self.arcs)])

    def __getitem__(self, name: str) -> Arc:
        """The arc of that name; KeyError if there is none."""
        return {arc.name: arc for arc in self.arcs}[name]


def physical(cell: Cell) -> Circuit:
    """Z = L_z/(kappa A) + (layers - 1)/(y_gb A) + 1/(y_ct A_c + y_pore (A - A_c)) + 1/(y_ce A): the (modified) 1D-PM.

    An ideal contact has no interface; at fraction 0 the interface is the pores', and blocks direct current unless they conduct.
    Of a mesh, layers - 1 is what a uniform current along z meets of its boundaries.

    Parameters
    ----------
    cell
        Of any kind but a label image.

    Returns
    -------
    Circuit
        Arcs bulk, grain_boundary, interface, counter_electrode, those the cell has.

    References
    ----------
    Eckhardt et al. 2022, eq. (1) with R_Pol divided by A_contact.
    """
    return Circuit(arcs=tuple(_arc(name, list(parallel.values())) for name, parallel in in_series(cell).items()))


def one_dimensional(cell: Cell, s: ArrayLike) -> NDArray[np.complex128]:
    """Return Z(s) of the 1D-PM in ohm, whatever elements its places are made of: shape of s, 1/s; infinite where it blocks."""
    points = np.asarray(s)
    total = np.zeros(points.shape, dtype=np.complex128)
    for parallel in in_series(cell).values():
        beside = (y(points) * size for y, size in parallel.values())
        y = np.asarray(sum(beside, np.zeros(points.shape)), dtype=np.complex128)
        total = total + np.divide(1.0, y, out=np.full(points.shape, complex(np.inf, 0)), where=y != 0)
    return total


def one_dimensional_resistance(cell: Cell) -> float:
    """Return Z(0) of the 1D-PM in ohm, infinite where direct current is blocked."""
    return float(one_dimensional(cell, 0.0).real)


def in_series(cell: Cell) -> dict[str, dict[str, tuple[Admittance, float]]]:
    """Return the places of the 1D-PM, in the order of the current: {arc: {place: (y, area in m2, or area/length in m)}}.

    Places of one arc lie beside each other.
    """
    y, area = admittances(cell), cell.area
    beside = {CHARGE_TRANSFER: cell.contact_area, PORE: area - cell.contact_area}
    found = {BULK: {BULK: (y[BULK], area / cell.geometry.thickness)}}
    boundaries = cell.electrolyte.grain_boundaries
    crossings = measure_of(cell).crossings if cell.mesh is not None else 0.0 if boundaries is None else boundaries.layers - 1
    if crossings and GRAIN_BOUNDARY in y:  # boundaries along the current are in nobody's way
        found[GRAIN_BOUNDARY] = {GRAIN_BOUNDARY: (y[GRAIN_BOUNDARY], area / crossings)}
    if CHARGE_TRANSFER in y or not cell.contact_area:
        found[INTERFACE] = {name: (y[name], size) for name, size in beside.items() if name in y}
    if COUNTER_ELECTRODE in y:
        found[COUNTER_ELECTRODE] = {COUNTER_ELECTRODE: (y[COUNTER_ELECTRODE], area)}
    return found


def _arc(name: str, parallel: list[tuple[Admittance, float]]) -> Arc:
    parts = [y.linear("a one-dimensional circuit").times(size) for y, size in parallel]
    conductance, capacitance = sum(part.conductance for part in parts), sum(part.capacitance for part in parts)
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
    y, fraction = admittances(cell), cell.contact_fraction
    for admittance in y.values():
        admittance.linear("the elements of a circuit to be fitted")
    switching = PORE in y and y[PORE].stores
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
        elif name in y and y[name].stores:
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
