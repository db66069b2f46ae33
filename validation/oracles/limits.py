"""s Z(s) -> 1/C as s -> inf: every admittance y(s) = g + s c is its capacitance alone, in series and in parallel."""

from __future__ import annotations

from dataclasses import replace

from validation.oracles.cell import ORDER, Admittance, LayeredCell, resistance
from validation.oracles.circuit import one_dimensional


def capacitive(cell: LayeredCell) -> LayeredCell:
    """The cell with every conductance replaced by the capacitance beside it: its resistance is 1/C, farads for siemens.

    Raises ValueError where the limit is not a capacitance: no permittivity, or a film in series that has none (Z then goes to
    a resistance, or like a power of 1/s between 0 and 1).
    """
    if cell.permittivity == 0:
        raise ValueError("permittivity = 0.0 F/m is not allowed: Z(s) goes to a resistance, not to 1/(s C)")
    boundary = cell.boundary if cell.layers > 1 else None
    for name, film in (("boundary", boundary), ("counter", cell.counter)):
        if film is not None and film.capacitance == 0:
            raise ValueError(f"{name} has no capacitance: Z(s) goes to its resistance, not to 1/(s C)")
    changed = replace(
        cell,
        conductivity=cell.permittivity,
        permittivity=0.0,
        boundary=_capacitance(boundary),
        charge_transfer=_capacitance(cell.charge_transfer),
        pore=Admittance(cell.pore.capacitance, 0.0),
        counter=_capacitance(cell.counter),
    )
    touched = bool(cell.rectangles) and (cell.charge_transfer is None or cell.charge_transfer.capacitance > 0)
    if not touched and cell.pore.capacitance == 0:
        raise ValueError("neither contact nor pores have a capacitance: Z(s) goes to a resistance, not to 1/(s C)")
    return changed


def high_frequency_limit(cell: LayeredCell, order: int = ORDER) -> tuple[float, float]:
    """lim s Z(s) = 1/C, s -> inf, in 1/F, and its estimated relative error: exact but for the mode expansion's own error.

    Constriction included: field lines squeeze in a dielectric as current lines do in a conductor. s Z(s) differs from it by
    O(1/s), with the cell's fastest relaxation as the scale. Valid where every part in series has a capacitance or is perfect.
    Source: y(s)/s -> c for every process, and Z depends on them continuously.
    """
    return resistance(capacitive(cell), order)


def series_capacitance(cell: LayeredCell) -> float:
    """1/C_1D in 1/F: the capacitances of bulk, boundaries, WE face and CE in series, WE face in parallel; no constriction.

    A lower bound of `high_frequency_limit`, as the circuit is of Z at every real s > 0; exact at full contact and where contact
    and pores have one capacitance per area. Source: series and parallel connection.
    """
    c = capacitive(cell)
    area = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in cell.rectangles)
    value = one_dimensional(
        cell.area,
        area,
        c.conductivity,
        cell.thickness,
        layers=cell.layers if c.boundary is not None else 1,
        y_gb=None if c.boundary is None else c.boundary.conductance,
        y_contact=None if c.charge_transfer is None else c.charge_transfer.conductance,
        y_pore=c.pore.conductance,
        y_ce=None if c.counter is None else c.counter.conductance,
    )
    return value.real


def _capacitance(film: Admittance | None) -> Admittance | None:
    return None if film is None else Admittance(film.capacitance, 0.0)
