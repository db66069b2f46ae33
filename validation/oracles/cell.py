"""Impedance and resistance of a layered cell, from plain SI numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from validation.oracles.face import FLOOR, face
from validation.oracles.graded import FloatArray
from validation.oracles.rectangles import Rectangle, partition
from validation.oracles.stack import ComplexArray, mode_impedance

ORDER = 9
OVERHANG = 1e-9  # of the width: regions may reach this far beyond the face


class Admittance(NamedTuple):
    """y(s) = conductance + s capacitance [S/m2]; conductance in S/m2, capacitance in F/m2."""

    conductance: float
    capacitance: float

    def at(self, s: complex) -> complex:
        """y(s), S/m2."""
        return self.conductance + s * self.capacitance


INSULATING = Admittance(0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class LayeredCell:
    """div(kappa grad phi) = 0 in equal layers, j = y_gb [phi] between them, j = y (V - phi) on the face.

    SI: lengths m, conductivity S/m, permittivity F/m (absolute), admittances per m2. `contact` are the
    sides of one centred rectangle; as wide as the cell in one direction it is a strip. `regions` instead: any
    rectangles (x_0, y_0, x_1, y_1) along the axes, the origin in a corner of the face; the contact is their union.
    None: perfect (no boundaries, ideal contact, ideal counter electrode). The pores insulate unless told otherwise.
    """

    width: tuple[float, float]
    thickness: float
    contact: tuple[float, float] = (0.0, 0.0)
    regions: tuple[Rectangle, ...] = ()
    conductivity: float
    permittivity: float = 0.0
    layers: int = 1
    boundary: Admittance | None = None
    charge_transfer: Admittance | None = None
    pore: Admittance = INSULATING
    counter: Admittance | None = None

    def __post_init__(self) -> None:
        if not all(0 <= c <= w for c, w in zip(self.contact, self.width, strict=True)):
            raise ValueError(f"contact {self.contact} m does not fit on the face {self.width} m")
        if self.regions and self.contact != (0.0, 0.0):
            raise ValueError("contact and regions together: give one of them")
        for x0, y0, x1, y1 in self.regions:
            low, high = -OVERHANG, 1 + OVERHANG
            if not (
                low * self.width[0] <= x0 < x1 <= high * self.width[0]
                and low * self.width[1] <= y0 < y1 <= high * self.width[1]
            ):
                raise ValueError(f"region {(x0, y0, x1, y1)} m does not fit on the face {self.width} m")

    @property
    def rectangles(self) -> tuple[Rectangle, ...]:
        """The rectangles of the contact: `regions`, or the centred one; none without contact."""
        if self.regions or min(self.contact) == 0:
            return self.regions
        low, high = ([(w + side * c) / 2 for w, c in zip(self.width, self.contact, strict=True)] for side in (-1, 1))
        return ((low[0], low[1], high[0], high[1]),)

    @property
    def area(self) -> float:
        """A = L_x L_y, m2."""
        return self.width[0] * self.width[1]

    def kappa(self, s: complex) -> complex:
        """Conductivity kappa = sigma + s eps at s, S/m."""
        return self.conductivity + s * self.permittivity


def impedance(cell: LayeredCell, s: Iterable[complex], order: int = ORDER) -> tuple[ComplexArray, FloatArray]:
    """Z(s) = V/I of the whole cell and the estimated relative error of each value.

    s in 1/s: i omega, real s >= 0, or any value with Re s >= 0, Im s >= 0 (the quadrant of passive
    admittances); Z in ohm, infinite where no current can pass. `order` is the polynomial degree of the
    largest segments; 9 gives 1e-7 or better (estimates up to 7e-7),
    one more is about four times more accurate and two to three times as slow. Regions that are not symmetric have two to
    four times as many unknowns: orders 6 and 7 are practical, their estimates 1e-4 to 1e-6. At real s > 0 the value is
    an upper bound of Z, to 1e-9.
    """
    results = [_one(cell, complex(value), order) for value in s]
    z = np.array([value for value, _ in results], dtype=np.complex128)
    return z, np.array([error for _, error in results], dtype=np.float64)


def spectrum(cell: LayeredCell, frequency: Iterable[float], order: int = ORDER) -> tuple[ComplexArray, FloatArray]:
    """Z(2 pi i f) and its estimated relative error; f in Hz, Z in ohm (see `impedance`)."""
    return impedance(cell, [2j * np.pi * f for f in frequency], order)


def resistance(cell: LayeredCell, order: int = ORDER) -> tuple[float, float]:
    """R_DC = Z(0) and its estimated relative error; ohm; infinite where no direct current can pass."""
    z, error = impedance(cell, [0.0], order)
    return float(z[0].real), float(error[0])


def _one(cell: LayeredCell, s: complex, order: int) -> tuple[complex, float]:
    kappa = cell.kappa(s)
    y_pore = cell.pore.at(s)
    y_contact = None if cell.charge_transfer is None else cell.charge_transfer.at(s)
    y_gb = None if cell.boundary is None else cell.boundary.at(s)
    y_ce = None if cell.counter is None else cell.counter.at(s)
    blocked = y_ce == 0 or kappa == 0 or (cell.layers > 1 and y_gb == 0)
    part = partition(cell.rectangles, cell.width)
    full, empty = all(map(all, part.touched)), not any(map(any, part.touched))
    if blocked or (y_pore == 0 and (y_contact == 0 or empty)) or (full and y_contact == 0):
        return complex(np.inf), 0.0
    if full or empty:
        y_face = y_contact if full else y_pore
        stack = mode_impedance(np.zeros(1), kappa, cell.thickness, cell.layers, y_gb, y_ce)
        return complex(stack[0] + (0.0 if y_face is None else 1.0 / y_face)) / cell.area, FLOOR
    unit = cell.width[0]
    layers = 1 if y_gb is None else cell.layers

    def stack_scaled(g: FloatArray) -> ComplexArray:
        return kappa / unit * mode_impedance(g / unit, kappa, cell.thickness, layers, y_gb, y_ce)

    def film(y: complex | None) -> complex | None:
        return 0.0 if y is None else None if y == 0 else kappa / unit / y

    z, error = face(part, order).impedance(stack_scaled, cell.thickness / layers / unit, film(y_contact), film(y_pore))
    return z / (part.copies * kappa * unit), error
