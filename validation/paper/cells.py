"""Table 1 of the paper as cells: one for every figure, contact fraction and varied value.

The table follows the paper's text: rows 5 (a) and 5 (b) are exchanged as printed. Where the paper says only 'varied', the
values here are steps around the base value that keep the order of the time constants. Source: Eckhardt et al. 2022, doi
10.1021/acsami.2c12991, table 1 and section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError

FRACTION: Final = "working_electrode.contact.fraction"
SIGMA_BULK: Final = "electrolyte.conductivity"
SIGMA_BOUNDARY: Final = "electrolyte.grain_boundaries.conductivity"
R_POL: Final = "working_electrode.charge_transfer.resistance"
R_POL_COUNTER: Final = "counter_electrode.charge_transfer.resistance"

#: The paper's figures, and the series of cells that each is made of.
FIGURES: Final[Mapping[str, tuple[str, ...]]] = {
    "2": ("2",),
    "3": ("3a", "3b"),
    "4": ("4",),
    "5": ("5a", "5b"),
    "6": ("6",),
    "7": ("7",),
}


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """A row of table 1: sigma_GB in S/m, R_pol in ohm m2, eps_GB/eps_0, C_pore and C_DL in F/m2; None: not in the cell.

    counter: whether charge transfer is at both electrodes.
    """

    pore: float
    boundary: float | None = None
    permittivity: float = 150.0
    resistance: float | None = None
    double_layer: float = 0.0
    counter: bool = False


#: S/m: the bulk conductivity of all figures, and the conductivity of the boundaries where it is not varied.
CONDUCTIVITY: Final = 0.046
BOUNDARY: Final = 5.97e-4
TABLE: Final[Mapping[str, TableRow]] = {
    "2": TableRow(boundary=BOUNDARY, resistance=1e-4, pore=0.0885, double_layer=8.85),
    "3a": TableRow(boundary=BOUNDARY, pore=0.885),
    "3b": TableRow(boundary=BOUNDARY, permittivity=1.5e6, pore=0.00885),
    "4": TableRow(boundary=BOUNDARY, pore=0.885),
    "5a": TableRow(resistance=1e-4, pore=8.85, double_layer=0.885, counter=True),
    "5b": TableRow(resistance=1e-4, pore=0.00885, double_layer=0.885, counter=True),
    "6": TableRow(resistance=1e-3, pore=8.85, double_layer=0.0885, counter=True),
    "7": TableRow(resistance=1e-3, pore=8.85, double_layer=0.0885, counter=True),
}

#: Factors on sigma_bulk and sigma_GB in figure 4, one of them varied at a time.
FACTORS: Final = (0.25, 4.0)
#: R_pol in figure 6, ohm m2 (1, 10 and 100 ohm cm2).
RESISTANCES: Final = (1e-4, 1e-3, 1e-2)
_BASE: Final = {SIGMA_BULK: CONDUCTIVITY, SIGMA_BOUNDARY: BOUNDARY}
#: What a series varies besides the fraction; one empty set of changes where nothing is.
VARIED: Final[Mapping[str, tuple[Mapping[str, float], ...]]] = {
    **{label: ({},) for label in TABLE},
    "4": ({**_BASE}, *({**_BASE, key: factor * _BASE[key]} for key in _BASE for factor in FACTORS)),
    "6": tuple({R_POL: value, R_POL_COUNTER: value} for value in RESISTANCES),
}

_TITLES: Final = {
    SIGMA_BULK: "sigma_bulk {:.3g} S/m",
    SIGMA_BOUNDARY: "sigma_GB {:.3g} S/m",
    R_POL: "R_pol {:.3g} ohm m^2",
}

#: Contact fractions: of the full set, and of the quick one.
FULL: Final = (0.01, 0.04, 0.09, 0.16, 0.25, 0.36, 0.49, 0.64, 0.78, 0.9, 0.96, 1.0)
QUICK: Final = (0.04, 0.25, 0.49, 0.78, 1.0)


def fractions(label: str, *, quick: bool) -> tuple[float, ...]:
    """Return the contact fractions of a series: no contact only in figure 2, 78 % alone in figure 7."""
    if label == "7":
        return (0.78,)
    return (0.0,) * (label == "2") + (QUICK if quick else FULL)


def cell(label: str, fraction: float, varied: Mapping[str, float] | None = None) -> Cell:
    """Return a cell of table 1: (50 um)^3, 50 layers where there are boundaries, one centred square contact.

    label: a key of `TABLE`. varied: dotted keys with values in SI. Raises InputError.
    """
    if label not in TABLE:
        raise InputError(key="figure", value=label, allowed=", ".join(TABLE))
    row = TABLE[label]
    electrode: dict[str, Any] = {"contact": {"shape": "square", "fraction": fraction}, "pore": {"capacitance": row.pore}}
    electrolyte: dict[str, Any] = {"conductivity": CONDUCTIVITY, "relative_permittivity": 150}
    data: dict[str, Any] = {"geometry": {"width": 50e-6, "thickness": 50e-6}, "electrolyte": electrolyte}
    if row.boundary is not None:
        electrolyte["grain_boundaries"] = {
            "layers": 50,
            "thickness": 10e-9,
            "conductivity": row.boundary,
            "relative_permittivity": row.permittivity,
        }
    if row.resistance is not None:
        transfer = {"resistance": row.resistance, "capacitance": row.double_layer}
        electrode["charge_transfer"] = transfer
        if row.counter:
            data["counter_electrode"] = {"charge_transfer": transfer}
    name = label if label[-1].isdigit() else f"{label[:-1]} ({label[-1]})"
    beside = "".join(f", {text.format(varied[key])}" for key, text in _TITLES.items() if varied and key in varied)
    made = Cell(title=f"Figure {name}, {100 * fraction:g} % contact{beside}", working_electrode=electrode, **data)
    return made.vary(varied) if varied else made


def identify(figure: str, found: Cell) -> tuple[str, dict[str, float]]:
    """Return the series of a figure that a cell belongs to, and its varied values. Raises InputError for any other cell."""
    fraction = found.contact_fraction
    for label in FIGURES[figure]:
        varied = {key: value_of(found, key) for key in VARIED[label][0]}
        if cell(label, fraction, varied).vary({"title": ""}) == found.vary({"title": ""}):
            return label, varied
    raise InputError(key="cell", value=found.title, why=f"it is none of figure {figure}")


def value_of(found: Cell, key: str) -> float:
    """Return the value of a dotted key of a cell, in SI."""
    value: Any = found
    for name in key.split("."):
        value = getattr(value, name)
    return float(value)
