"""A small cell of every kind of interface and layer, on coarse grids: `python tests/shared/kind_cells.py`.

It prints the table of docs/interfaces.md; tests hold what it says.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import network.stacks
from fem_constriction.api import spectrum_of
from fem_constriction.fem import FiniteElements
from fem_constriction.fem.stacks import elements
from fem_constriction.grids.grading import Grading
from fem_constriction.problem.problem import Problem
from network import Network
from validation.discs.face import discs_of
from validation.gate.agreement import compare
from validation.gate.electrodes import electrodes_apart
from validation.gate.families import solve_families

FREQUENCIES = np.geomspace(1.0, 1e6, 4)
TOLERANCE = 1e-2
SQUARE = {"shape": "square", "fraction": 0.25}
TRANSFER = {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}
PORE = {"capacitance": "8.85 uF/cm^2"}
FILM = {"resistance": "5 ohm cm^2", "capacitance": "1 uF/cm^2"}
CPE = {"cpe": {"Q": "20 uS s^n/cm^2", "exponent": 0.9}}
BULK = {"conductivity": "0.46 mS/cm", "relative_permittivity": 150}
BOUNDARY = {"layers": 2, "thickness": "10 nm", "conductivity": "6 uS/cm", "relative_permittivity": 150}
WORKING = {"contact": SQUARE, "charge_transfer": TRANSFER, "pore": PORE}
BASE: Mapping[str, Any] = {
    "geometry": {"width": "50 um", "thickness": "50 um"},
    "electrolyte": BULK,
    "working_electrode": WORKING,
}
#: 6 x 6 pixels that are their own mirror images, so that a quarter is solved: four L-shaped corners of metal, and its pores.
PIXELS = np.array([[1, 1, 0, 0, 1, 1], [1, 0, 0, 0, 0, 1], *[[0] * 6] * 2, [1, 0, 0, 0, 0, 1], [1, 1, 0, 0, 1, 1]]) > 0
MASK = {"shape": "mask", "image": PIXELS}
LAYERS = [
    {"thickness": "15 um", "conductivity": "0.2 mS/cm", "relative_permittivity": 50},
    {"thickness": "35 um", "conductivity": "1 mS/cm", "relative_permittivity": 150},
]
SPOTS = {"shape": "spots", "count": 2, "fraction": 0.1, "seed": 1}
FILLED = {"relative_permittivity": 10}
#: nm, on 8 x 8 pixels, on whose lines the square's edges lie.
DEPTHS = np.outer([1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 2.0, 1.0], np.ones(8))
PLANE = {"position": "15 um", "resistance": "0.2 ohm cm^2", "capacitance": "1 uF/cm^2"}


def working(**changes: Any) -> dict[str, Any]:
    """What differs at the working electrode."""
    return {"working_electrode": {**WORKING, **changes}}


#: Name -> sections in place of those of BASE.
CELLS: Mapping[str, Mapping[str, Any]] = {
    "mask": working(contact=MASK),
    "spots": working(contact=SPOTS),
    "spots on pixels": working(contact={**SPOTS, "gap": "10 um", "pixels": 12}),
    "rough": working(contact={"shape": "rough", "fraction": 0.3, "correlation_length": "20 um", "pixels": 8, "seed": 3}),
    "repeat": working(contact={**SQUARE, "repeat": [2, 2]}),
    "pores of a depth map": working(pore={**FILLED, "depth": {"image": DEPTHS, "unit": "nm"}}),
    "pores of regions' depths": working(
        pore={**FILLED, "depth": "1 nm", "regions": [{"centre": ["25 um"] * 2, "size": ["50 um", "12.5 um"], "depth": "5 nm"}]}
    ),
    "reference electrode": {"reference": {"depth": "20 um"}},
    "interphase under the contact": working(interphase=FILM),
    "interphase under the whole face": working(interphase={**FILM, "covers": "face"}),
    "two interphases in a row": working(interphase=[FILM, {**FILM, "covers": "face"}]),
    "interphase at the counter electrode": {"counter_electrode": {"charge_transfer": TRANSFER, "interphase": FILM}},
    "constant phase: bulk": {"electrolyte": {**BULK, "cpe": {"Q": "2 nS s^n/cm", "exponent": 0.8}}},
    "constant phase: boundary": {"electrolyte": {**BULK, "grain_boundaries": {**BOUNDARY, **CPE}}},
    "constant phase: double layer": working(charge_transfer={"resistance": "1 ohm cm^2", **CPE}),
    "constant phase: pores": working(pore=CPE),
    "constant phase: interphase": working(interphase={"resistance": "5 ohm cm^2", **CPE}),
    "constant phase: counter electrode": {"counter_electrode": {"charge_transfer": {"resistance": "1 ohm cm^2", **CPE}}},
    "two materials": {"electrolyte": {"layers": LAYERS}},
    "two materials, a plane between": {"electrolyte": {"layers": LAYERS, "grain_boundaries": {"planes": [PLANE]}}},
    "two electrodes": {"counter_electrode": {**WORKING, "contact": {"shape": "square", "fraction": 0.16}}},
    "two electrodes, a disc each": {
        **working(contact={"shape": "disc", "fraction": 0.16}),
        "counter_electrode": {**WORKING, "contact": {"shape": "disc", "fraction": 0.36}},
    },
    "two electrodes, a mask each": {
        **working(contact=MASK),
        "counter_electrode": {**WORKING, "contact": {"shape": "mask", "image": ~PIXELS}},
    },
    "two electrodes, materials, interphase, constant phase": {
        **working(interphase={**FILM, "covers": "face"}, pore=CPE),
        "electrolyte": {"layers": LAYERS},
        "counter_electrode": {"contact": SQUARE, "charge_transfer": {"resistance": "1 ohm cm^2", **CPE}},
    },
}

#: 10 to 35 s each, of faces without symmetry: the table alone has them.
SLOW = ("spots", "spots on pixels", "rough")


@dataclass(frozen=True)
class Checked:
    """|Z_1 - Z_2|, u_1 + u_2 and the radius of guaranteed discs, None without, at most over the frequencies, over |Z|."""

    verdict: str
    difference: float
    known: float
    radius: float | None
    faults: tuple[str, ...]


def checked(name: str) -> Checked:
    """Return what both backends say of one of them."""
    backends = [Network(), FiniteElements()]
    problem = Problem.of({**BASE, **CELLS[name]}).over(FREQUENCIES)
    families = solve_families([problem], backends, side_by_side=False)
    discs, _ = discs_of(problem, backends, FREQUENCIES)
    limits = {each: spectrum_of(family, FREQUENCIES) for each, family in families.items()}
    found = compare(limits, TOLERANCE, discs=discs)
    apart = [] if problem.reference is None else electrodes_apart(limits, families, TOLERANCE).values()
    verdict = next((each.verdict for each in apart if each.verdict != "agree"), found.verdict)
    size = np.abs(found.combined().impedance)
    radius = None if discs is None else float(np.max(discs.radius / size))
    return Checked(verdict, float(np.max(found.difference / size)), float(np.max(found.allowance / size)), radius, found.faults)


def coarse(patch: Any, name: str) -> None:
    """Make the coarsest grids a few cells wide, of two materials a few more; patch: has `setattr` and `setitem`."""
    patch.setattr(network.stacks, "GRADING", Grading(exponent=2.5, steps=3 if name.startswith("two materials") else 2))
    patch.setitem(elements.GRADINGS, 2, Grading(exponent=4.0, steps=1))
    patch.setattr(network.stacks, "VOXELS", 32)


def main(names: list[str]) -> None:
    """Print the table, of these cells or of all."""
    import pytest

    print("| cell | verdict | backends differ by | u together | discs |\n| --- | --- | --- | --- | --- |")
    for name in names or CELLS:
        with pytest.MonkeyPatch.context() as patch:
            coarse(patch, name)
            each = checked(name)
        radius = "none" if each.radius is None else f"{each.radius:.0e}"
        print(f"| {name} | {each.verdict} | {each.difference:.0e} | {each.known:.0e} | {radius} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
