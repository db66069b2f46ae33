"""Z(f) = R_elec + sum over arcs of R/(1 + (i omega R C)^alpha): circuits of arcs in series, and what their parts are called.

Those that follow from a cell are in `problem.one_dimensional`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.cell.units import array_in
from fem_constriction.processes.elements import Admittance, Element

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


def arc_of(name: str, element: Element) -> Arc | None:
    """Return the arc of an element, or None where a capacitor and a constant-phase element stand side by side, or nothing else.

    The capacitance of one with a constant-phase element is tau/R, tau = (Q R)^(1/alpha): Hsu and Mansfeld's.
    """
    resistance = 1 / element.conductance if element.conductance else float("inf")
    if not element.cpe:
        return Arc(name=name, resistance=resistance, capacitance=element.capacitance)
    if element.capacitance or not element.conductance:
        return None
    tau = element.relaxation_time
    return Arc(name=name, resistance=resistance, capacitance=tau / resistance, alpha=element.exponent)


@dataclass(frozen=True)
class Branches:
    """1/Z = sum over branches of y(s): places beside each other, each a series of elements that need not be arcs.

    Parameters
    ----------
    name
        What an element is called that stands for no process.
    parallel
        In S and F, of the whole cell.
    """

    name: str
    parallel: tuple[Admittance, ...]

    @property
    def resistance(self) -> float:
        """Z(0) in ohm, infinite where no branch conducts direct current."""
        conductance = sum(y.conductance for y in self.parallel)
        return 1 / conductance if conductance else float("inf")

    def impedance(self, frequency: ArrayLike) -> NDArray[np.complex128]:
        """Return Z in ohm at frequencies in Hz, of their shape; infinite where nothing conducts."""
        s = 2j * np.pi * array_in("Hz", frequency, "frequency").astype(float)
        y = np.asarray(sum((each(s) for each in self.parallel), np.zeros(s.shape)), dtype=np.complex128)
        return np.asarray(np.divide(1.0, y, out=np.full(s.shape, complex(np.inf, 0)), where=y != 0))

    def text(self) -> str:
        """The part as circuits are written: p(p(R_film,C_film)-p(R_contact,CPE_contact),C_pore)."""
        branches = ["-".join(_parallel(_parts(each, self.name)) for each in y.elements) for y in self.parallel]
        single = len(branches) == 1
        if single or any(len(y.elements) > 1 for y in self.parallel):
            return _parallel(branches) if not single else branches[0]
        return _parallel([part for y in self.parallel for part in _parts(y.elements[0], self.name)])


def _parts(element: Element, name: str) -> list[str]:
    """R, C and CPE of an element, those it has."""
    named = element.process or name
    given = {"R": element.conductance, "C": element.capacitance, "CPE": element.cpe}
    return [f"{symbol}_{named}" for symbol, value in given.items() if value]


def _parallel(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"p({','.join(parts)})"


class Block(Protocol):
    """Any other part of a circuit in series: what `Circuit` needs of it."""

    @property
    def resistance(self) -> float:
        """Z(0) in ohm, infinite where it blocks direct current."""

    def impedance(self, frequency: ArrayLike) -> NDArray[np.complex128]:
        """Z in ohm at frequencies in Hz, of their shape."""

    def text(self) -> str:
        """The part in the notation of circuits."""


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
    blocks
        Parts of any other form.
    """

    arcs: tuple[Arc, ...]
    r_elec: float = 0.0
    inductance: float = 0.0
    capacitance: float = float("inf")
    cpe: tuple[float, float] | None = None
    blocks: tuple[Block, ...] = ()

    @property
    def resistance(self) -> float:
        """Z(0) = R_elec + sum of R, in ohm; infinite if an arc, or a capacitor in series, blocks direct current."""
        blocking = 0.0 if np.isinf(self.capacitance) and self.cpe is None else float("inf")
        rest = sum(arc.resistance for arc in self.arcs) + sum(block.resistance for block in self.blocks)
        return self.r_elec + rest + blocking

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
        rest = sum((block.impedance(frequency) for block in self.blocks), rest)
        return sum((arc.impedance(frequency) for arc in self.arcs), rest)

    def text(self) -> str:
        """The circuit in the notation of `notation.parse`: "R_elec-p(R_bulk,C_bulk)-p(R_interface,CPE_interface)"."""
        parts = ["R_elec"] * bool(self.r_elec) + ["L_series"] * bool(self.inductance)
        parts += ["C_series"] * bool(np.isfinite(self.capacitance)) + ["CPE_series"] * (self.cpe is not None)
        arcs = [f"p(R_{a.name},{'C' if a.alpha == 1 else 'CPE'}_{a.name})" for a in self.arcs]
        return "-".join([*parts, *arcs, *(block.text() for block in self.blocks)])

    def __getitem__(self, name: str) -> Arc:
        """The arc of that name; KeyError if there is none."""
        return {arc.name: arc for arc in self.arcs}[name]
