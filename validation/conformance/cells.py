"""The cells of the suite, all of them, by name: small ones, whose answers are known or known to be related.

Every cell that a check takes is in `CELLS`, so that they can be written as files and computed elsewhere. Spectra are asked at
`FREQUENCIES`, one per decade, of the cell "every process" at `DENSE` instead, of which those are every eighth.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fem_constriction.cell.cell import Cell
from fem_constriction.files import json_text, write_text
from fem_constriction.processes.of_cell import direct_current
from fem_constriction.solving.capabilities import features

#: Hz, one per decade, 1 mHz to 1 GHz, and eight per decade.
FREQUENCIES: Final = np.geomspace(1e-3, 1e9, 13)
DENSE: Final = np.geomspace(1e-3, 1e9, 97)

#: Factor of the scaling laws.
FACTOR: Final = 3.0

BASE: Final = Cell(
    geometry={"width": "40 um", "thickness": "40 um"},
    electrolyte={
        "conductivity": "0.46 mS/cm",
        "relative_permittivity": 150,
        "grain_boundaries": {
            "layers": 3,
            "thickness": "10 nm",
            "conductivity": "0.6 uS/cm",
            "relative_permittivity": 150,
        },
    },
    working_electrode={
        "contact": {"shape": "square", "fraction": 0.25},
        "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
        "pore": {"capacitance": "8.85 uF/cm^2"},
    },
    counter_electrode={"charge_transfer": {"resistance": "0.5 ohm cm^2", "capacitance": "8.85 uF/cm^2"}},
)

#: A homogeneous cube of 50 um with an ideal counter electrode, whose constriction is known in closed form.
PLAIN: Final = Cell(
    geometry={"width": "50 um", "thickness": "50 um"},
    electrolyte={"conductivity": "0.46 mS/cm"},
    working_electrode={"contact": {"shape": "square", "fraction": 0.25}},
)

WE, CE, GB = "working_electrode.charge_transfer", "counter_electrode.charge_transfer", "electrolyte.grain_boundaries"
POLARISATION, DOUBLE_LAYER = f"{WE}.resistance", f"{WE}.capacitance"
FRACTION, PORES = "working_electrode.contact.fraction", "working_electrode.pore"


def with_lengths(cell: Cell, factor: float) -> Cell:
    """Return the cell with lengths times a factor and admittances per area divided by it: Z divided by it."""
    changes = {f"{film}.{key}": _value(cell, f"{film}.{key}") for film in (WE, CE) for key in ("resistance", "capacitance")}
    scaled = {key: value * factor if key.endswith("resistance") else value / factor for key, value in changes.items()}
    lengths = {key: _value(cell, key) * factor for key in ("geometry.width", "geometry.thickness", f"{GB}.thickness")}
    return cell.vary({**lengths, **scaled, f"{PORES}.capacitance": _value(cell, f"{PORES}.capacitance") / factor})


def with_admittances(cell: Cell, conductances: float = 1.0, capacitances: float = 1.0) -> Cell:
    """Return the cell with all conductances and all capacitances times a factor."""
    made: dict[str, float] = {}
    for key in ("electrolyte.conductivity", f"{GB}.conductivity"):
        made[key] = _value(cell, key) * conductances
    for film in (WE, CE):
        made[f"{film}.resistance"] = _value(cell, f"{film}.resistance") / conductances
        made[f"{film}.capacitance"] = _value(cell, f"{film}.capacitance") * capacitances
    for key in ("electrolyte.relative_permittivity", f"{GB}.relative_permittivity", f"{PORES}.capacitance"):
        made[key] = _value(cell, key) * capacitances
    return cell.vary(made)


def _value(cell: Cell, key: str) -> Any:
    found: Any = cell
    for part in key.split("."):
        found = getattr(found, part)
    return found


def _film(resistance: float, capacitance: float) -> dict[str, float]:
    return {"resistance": resistance, "capacitance": capacitance}


_ONE, _OTHER = _film(1e-4, 8.85), _film(2e-4, 0.3)
_FULL = BASE.vary({FRACTION: 1.0, PORES: None, WE: _ONE, CE: _OTHER})
_IDEAL = {WE: None, CE: None, GB: None}

CELLS: Final[Mapping[str, Cell]] = {
    "every process": BASE,
    "every process, lengths x 3": with_lengths(BASE, FACTOR),
    "every process, admittances x 3": with_admittances(BASE, FACTOR, FACTOR),
    "every process, capacitances x 10": with_admittances(BASE, 1.0, 10.0),
    "wide in x": BASE.vary({"geometry.width": ["60 um", "40 um"], FRACTION: 1 / 6}),
    "wide in y": BASE.vary({"geometry.width": ["40 um", "60 um"], FRACTION: 1 / 6}),
    "full contact": _FULL,
    "full contact, films exchanged": _FULL.vary({WE: _OTHER, CE: _ONE}),
    "no contact": BASE.vary({FRACTION: 0.0}),
    # 1e-9 m of 1e-5 S/m: 1e4 S/m2 = 1/(1e-4 ohm m2); its relative permittivity 999.5 makes 8.85 F/m2.
    "pores like the contact": BASE.vary(
        {PORES: {"depth": 1e-9, "conductivity": 1e-5, "relative_permittivity": 8.85e-9 / 8.8541878128e-12}}
    ),
    "almost dielectric": BASE.vary(
        {"electrolyte.conductivity": 1e-6, f"{GB}.conductivity": 1e-9, POLARISATION: 10.0, f"{CE}.resistance": 10.0}
    ),
    "small contact": BASE.vary({FRACTION: 1 / 16}),
    "large contact": BASE.vary({FRACTION: 9 / 16}),
    "R_pol / 10": BASE.vary({POLARISATION: 1e-5}),
    "R_pol x 10": BASE.vary({POLARISATION: 1e-3}),
    "ideal contact": BASE.vary({**_IDEAL, "geometry.width": "50 um", "geometry.thickness": "50 um"}),
    "ideal contact, insulating pores": PLAIN,
    "resistive contact, insulating pores": PLAIN.vary({WE: _film(1e-4, 0.0)}),
    "strip contact": PLAIN.vary({"geometry.width": [50e-6, 25e-6], FRACTION: 0.5}),
}


#: What the cells have that a backend may declare as beyond it.
FEATURES: Final[frozenset[str]] = frozenset().union(*map(features, CELLS.values()))


def frequencies(name: str) -> NDArray[np.float64]:
    """Return the frequencies in Hz at which the spectrum of a cell is asked."""
    return DENSE if name == "every process" else FREQUENCIES


def write_cells(folder: Path) -> list[str]:
    """Write every cell as a TOML file and what is asked of it as `cells.json`; return the names of the files."""
    index: dict[str, Any] = {}
    for name, cell in CELLS.items():
        file = f"{name.replace(',', '').replace(' / ', '-over-').replace(' ', '-').lower()}.toml"
        cell.save(folder / file)  # without a title: loading it gives an equal cell
        index[file] = {"name": name, "frequency_Hz": frequencies(name).tolist(), "direct_current": direct_current(cell)}
    write_text(folder / "cells.json", json_text(index) + "\n")
    return [*index, "cells.json"]
