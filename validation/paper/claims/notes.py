"""What looks inconsistent in the paper: notes I1 to I13, each with the numbers that show it, from the cells alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from scipy.constants import epsilon_0

from fem_constriction.cell.cell import Cell
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.circuits import INTERFACE
from fem_constriction.processes.names import GRAIN_BOUNDARY
from fem_constriction.processes.of_cell import admittances
from validation import oracles
from validation.paper import cells

_NANOMETRE: Final = 1e-9
_MICRO: Final = 1e2  # F/m2 in uF/cm2
_AREAL: Final = 1e4  # ohm m2 in ohm cm2
_FRACTION: Final = 0.25
#: Polynomial degree of the oracle, far better than two digits ask for.
_ORDER: Final = 5


@dataclass(frozen=True)
class Note:
    """An inconsistency: its label in the list of claims, what it is, the evidence, and the claims that bear on it."""

    label: str
    statement: str
    evidence: str
    claims: tuple[int, ...] = ()


def notes() -> tuple[Note, ...]:
    """Return the notes with their evidence."""
    return tuple(Note(label, statement, evidence(), claims) for label, statement, evidence, claims in _NOTES)


def _equation_1() -> str:
    cell = cells.cell("2", _FRACTION)
    r_pol = cells.value_of(cell, cells.R_POL)
    right, printed = r_pol / cell.contact_area, _AREAL * r_pol * 1e4 * cell.contact_area
    return (
        f"R_Pol A_contact = {printed:.3g} ohm cm4 at 25 % contact of figure 2, which is no resistance; "
        f"R_Pol/A_contact = {right:.4g} ohm is, and it falls with A_contact as in figure 2 (d)"
    )


def _equation_2() -> str:
    cell = cells.cell("2", _FRACTION)
    pore = cells.TABLE["2"].pore
    return (
        "1 - A_contact takes a relative area where C_DL A_contact takes an absolute one; with areas, the interface has "
        f"{1e12 * physical(cell)[INTERFACE].capacitance:.4g} pF at 25 % contact of figure 2, of it "
        f"{1e12 * pore * (cell.area - cell.contact_area):.3g} pF in the pores"
    )


def switching_time(cell: Cell) -> float:
    """Return R_Cstr C_pore (1 - x) A in s, R_Cstr the equipotential one of the bulk alone."""
    pore = cell.working_electrode.pore
    capacitance = 0.0 if pore is None else pore.areal_capacitance
    squeezed = _squeezed(cell.geometry.lengths, cell.contact_sides) / cell.electrolyte.conductivity
    return squeezed * capacitance * (cell.area - cell.contact_area)


@lru_cache
def _squeezed(lengths: tuple[float, float, float], sides: tuple[float, float]) -> float:
    """R_Cstr sigma of an ideal contact in 1/m."""
    x, y, z = lengths
    bulk = oracles.LayeredCell(width=(x, y), thickness=z, contact=sides, conductivity=1.0)
    return oracles.resistance(bulk, _ORDER)[0] - z / (x * y)


def _rows_of_figure_5() -> str:
    row = cells.TABLE["5a"]
    found = {_MICRO * cells.TABLE[label].pore: switching_time(cells.cell(label, _FRACTION)) for label in ("5a", "5b")}
    times = ", ".join(f"{time:.2g} s with {pore:.3g} uF/cm2" for pore, time in found.items())
    return (
        f"at 25 % contact R_Cstr C_pore (1 - x) A is {times}, and R_pol C_DL {(row.resistance or 0) * row.double_layer:.3g} s: "
        "the row printed as 5 (a), 0.89 uF/cm2, makes constriction the faster one, which the text calls case 2"
    )


def _boundaries() -> str:
    return (
        f"50 layers have 49 boundaries; with 50, R_GB would be {100 * (50 / 49 - 1):.2f} % larger; their 49 x 10 nm are "
        f"{100 * 49 * 10e-9 / 50e-6:.2f} % of L_z and are not deducted from the bulk"
    )


def _depths() -> str:
    found = sorted({round(row.pore * _NANOMETRE / epsilon_0) for row in cells.TABLE.values()})
    return f"at the one depth of 1 nm (L_z/delta = 50 k) the table's C_pore stand for eps_r = {', '.join(map(str, found))}"


def _rounding() -> str:
    return (
        f"eps_0/1 nm = {_MICRO * epsilon_0 / _NANOMETRE:.4f} uF/cm2, printed 0.89 and, times ten and more, 8.85, 88.5 and 885"
    )


def _matches() -> str:
    return "R_pol/A_c is a lower bound of R_CT: the current through the contact is uneven, most of all at its edges"


def _order() -> str:
    a, b = (admittances(cells.cell(label, _FRACTION))[GRAIN_BOUNDARY].relaxation_time for label in ("3a", "3b"))
    return f"figures 3 (a) and (b) differ in C_pore and in eps_GB (tau_GB {a:.3g} s and {b:.3g} s), and in their R_Cstr"


def voxels(fraction: float, most: int) -> list[tuple[int, int]]:
    """Return the centred squares of whole voxels, (side, edge of the cell), that come closest, up to `most` voxels per edge."""
    found = [(round(np.sqrt(fraction) * n), n) for n in range(50, most + 1)]
    centred = [(side, n) for side, n in found if (n - side) % 2 == 0]
    return sorted(centred, key=lambda each: abs((each[0] / each[1]) ** 2 - fraction))


def _squares() -> str:
    side = max(n for n in range(0, 51, 2) if (n / 50) ** 2 <= 0.78)
    on_50 = ", ".join(f"{n}/50 = {100 * (n / 50) ** 2:.2f} %" for n in (side, side + 2))
    close = ", ".join(f"{n}/{edge} = {100 * (n / edge) ** 2:.2f} %" for n, edge in sorted(voxels(0.78, 60)[:2]))
    return f"centred squares on 50 x 50 voxels: {on_50}; {close} come close"


def lateral_links(cell: Cell, depth: float = _NANOMETRE) -> float:
    """Return the admittance of the pores' layer along itself over that of the bulk beside it, at 1/tau_Cstr.

    omega eps_pore depth/(sigma_b w), the bulk as deep as the pore is wide, w = (1 - sqrt x) L/2.
    """
    pore = cell.working_electrode.pore
    width = (cell.geometry.lengths[0] - cell.contact_sides[0]) / 2
    capacitance = 0.0 if pore is None else pore.areal_capacitance
    return capacitance * depth**2 / (switching_time(cell) * cell.electrolyte.conductivity * width)


def _links() -> str:
    usual = lateral_links(cells.cell("2", _FRACTION))
    worst = max(lateral_links(cells.cell(label, x)) for label in cells.TABLE for x in (0.01, _FRACTION, 0.78, 0.96))
    return (
        f"at 1 nm the layer's lateral admittance is {usual:.1g} of that of the bulk beside a pore in figure 2 at 25 % contact, "
        f"and at most {worst:.1g} in any figure from 1 % to 96 %, at 1/tau_Cstr: they are left out"
    )


def _varied() -> str:
    found = {
        x: max(
            admittances(cells.cell("4", x, varied))[GRAIN_BOUNDARY].relaxation_time / switching_time(cells.cell("4", x, varied))
            for varied in cells.VARIED["4"]
        )
        for x in (0.04, _FRACTION, 0.78)
    }
    factors = ", ".join(f"{factor:g}" for factor in cells.FACTORS)
    seen = ", ".join(f"{ratio:.2g} at {100 * x:g} %" for x, ratio in found.items())
    return (
        f"figure 4 is computed with factors {factors} on one conductivity at a time; the largest tau_GB over R_Cstr C_pore "
        f"(1 - x) A, R_Cstr of the bulk alone, is {seen} contact: a tenth is exceeded near full contact only"
    )


def _plain(text: str) -> Callable[[], str]:
    return lambda: text


_NOTES: Final[tuple[tuple[str, str, Callable[[], str], tuple[int, ...]], ...]] = (
    ("I1", "Eq. (1) prints R_Pol times A_contact; the unit needs a quotient.", _equation_1, (12,)),
    ("I2", "Eq. (2) mixes relative and absolute area.", _equation_2, (14,)),
    ("I3", "Rows 5 (a) and 5 (b) of table 1 look exchanged against text and caption.", _rows_of_figure_5, (35, 38)),
    ("I4", "50 layers have 49 boundaries, which are not deducted from the bulk.", _boundaries, (11,)),
    (
        "I5",
        "Section 2.2.2 refers to figure 3 where figure 4 is meant.",
        _plain("what it refers to, R_Cstr and tau_Cstr over transport quantities, is figure 4"),
        (30, 40),
    ),
    ("I6", "The text says the pore depth varies between studies; the table varies C_pore at one depth.", _depths, (5,)),
    ("I7", "0.89 uF/cm2 is 0.885.", _rounding, ()),
    ("I8", "'R_CT matches the 1D-PM' can only hold approximately.", _matches, (12,)),
    ("I9", "'Independent of the order of time constants' contradicts figures 3 and 4.", _order, (28, 34)),
    (
        "I10",
        "Z_Elec is called an RC element but has no resistance.",
        _plain("the metal is said to be resistance-free and its capacitance to be 0: it drops out of every circuit"),
        (),
    ),
    ("I11", "78 % is no centred square of whole voxels on 50 x 50.", _squares, (48,)),
    ("I12", "The paper's interface layer has lateral links between pore voxels.", _links, ()),
    ("I13", "'Varied' conductivities: tau_GB has to stay below tau_Cstr/10, or the order reverses.", _varied, (29, 30)),
)
