"""A small cell of every kind of interface and layer, cross-checked on coarse grids: `python tests/shared/kind_cells.py`.

It prints the table of docs/interfaces.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from validation import Result, crosscheck

FREQUENCIES = np.geomspace(1e-2, 1e8, 6)
TOLERANCE = 1e-2
SQUARE = {"shape": "square", "fraction": 0.25}
TRANSFER = {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}
PORE = {"capacitance": "8.85 uF/cm^2"}
FILM = {"resistance": "5 ohm cm^2", "capacitance": "1 uF/cm^2"}
CPE = {"cpe": {"Q": "20 uS s^n/cm^2", "exponent": 0.9}}
BULK = {"conductivity": "0.46 mS/cm", "relative_permittivity": 150}
BOUNDARY = {"layers": 2, "thickness": "10 nm", "conductivity": "6 uS/cm", "relative_permittivity": 150}
BASE: Mapping[str, Any] = {
    "geometry": {"width": "50 um", "thickness": "50 um"},
    "electrolyte": BULK,
    "working_electrode": {"contact": SQUARE, "charge_transfer": TRANSFER, "pore": PORE},
}


def _working(**changes: Any) -> dict[str, Any]:
    return {**BASE, "working_electrode": {**BASE["working_electrode"], **changes}}


def _counter(**electrode: Any) -> dict[str, Any]:
    return {**BASE, "counter_electrode": electrode}


def _electrolyte(**changes: Any) -> dict[str, Any]:
    return {**BASE, "electrolyte": {**BULK, **changes}}


#: 8 x 8 pixels without a mirror plane, 22 of them metal.
PIXELS = np.random.default_rng(3).random((8, 8)) < 0.35
LAYERS = [
    {"thickness": "15 um", "conductivity": "0.1 mS/cm", "relative_permittivity": 50},
    {"thickness": "35 um", "conductivity": "1 mS/cm", "relative_permittivity": 150},
]
PLANE = {"position": "15 um", "resistance": "0.2 ohm cm^2", "capacitance": "1 uF/cm^2"}

#: Name -> keys of a cell file.
CELLS: Mapping[str, Mapping[str, Any]] = {
    "mask of 8 x 8 pixels": _working(contact={"shape": "mask", "image": PIXELS}),
    "rough": _working(
        contact={"shape": "rough", "fraction": 0.3, "correlation_length": "12 um", "hurst": 0.8, "pixel": "3.125 um", "seed": 1}
    ),
    "spots": _working(contact={"shape": "spots", "count": 3, "fraction": 0.12, "gap": "4 um", "seed": 2}),
    "interphase under the contact": _working(interphase=FILM),
    "interphase under the whole face": _working(interphase={**FILM, "covers": "face"}),
    "two interphases in a row": _working(interphase=[FILM, {**FILM, "covers": "face"}]),
    "interphase at the counter electrode": _counter(charge_transfer=TRANSFER, interphase=FILM),
    "constant phase: bulk": _electrolyte(cpe={"Q": "2 nS s^n/cm", "exponent": 0.8}),
    "constant phase: boundary": _electrolyte(grain_boundaries={**BOUNDARY, **CPE}),
    "constant phase: double layer": _working(charge_transfer={"resistance": "1 ohm cm^2", **CPE}),
    "constant phase: pores": _working(pore=CPE),
    "constant phase: interphase": _working(interphase={"resistance": "5 ohm cm^2", **CPE}),
    "constant phase: counter electrode": _counter(charge_transfer={"resistance": "1 ohm cm^2", **CPE}),
    "two layers of materials": {**BASE, "electrolyte": {"layers": LAYERS}},
    "two layers and a plane between": {**BASE, "electrolyte": {"layers": LAYERS, "grain_boundaries": {"planes": [PLANE]}}},
    "two electrodes": _counter(contact={"shape": "square", "fraction": 0.16}, charge_transfer=TRANSFER, pore=PORE),
    "two electrodes, a mask each": {
        **_working(contact={"shape": "mask", "image": PIXELS}),
        "counter_electrode": {"contact": {"shape": "mask", "image": PIXELS.T}, "charge_transfer": TRANSFER, "pore": PORE},
    },
    "two electrodes, layers, interphase and constant phase": {
        **_working(interphase={**FILM, "covers": "face"}, pore=CPE),
        "electrolyte": {"layers": LAYERS},
        "counter_electrode": {"contact": SQUARE, "charge_transfer": {"resistance": "1 ohm cm^2", **CPE}},
    },
}


def checked(name: str) -> Result:
    """Return the cross-check of one of them."""
    return crosscheck(dict(CELLS[name]), FREQUENCIES, tolerance=TOLERANCE)


def row(result: Result) -> tuple[float, float, float | None, int]:
    """Return |Z_1 - Z_2|, u_1 + u_2 and the discs' radius, at most and over |Z|, and at how many frequencies they agree."""
    found = result.agreement
    size = np.abs(result.spectrum.impedance)
    radius = None if found.discs is None else float(np.max(found.discs.radius / size))
    agree = int((found.verdicts == "agree").sum())
    return float(np.max(found.difference / size)), float(np.max(found.allowance / size)), radius, agree


def main() -> None:
    """Print the table."""
    import time

    print("| cell | backends differ by | u together | discs |\n| --- | --- | --- | --- |")
    for name in CELLS:
        start = time.process_time()
        try:
            result = checked(name)
            gap, known, radius, agree = row(result)
            print(
                f"| {name} | {gap:.0e} | {known:.0e} | {'-' if radius is None else f'{radius:.0e}'} |",
                result.agreement.verdict,
                agree,
                round(time.process_time() - start, 1),
                result.agreement.notes[:1],
                flush=True,
            )
        except Exception as error:
            print(name, type(error), error, flush=True)


if __name__ == "__main__":
    main()
