"""What is allowed in a cell and nobody means: values outside what is usual, and layers thicker than what they lie between.

Ranges of single values come with their units (`units`, "usual"); here is what takes several keys together. A warning is no
error: scaled cells, of 1 m and 1 S/m, are as right as any.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import numpy as np
import shapely
from pydantic import BaseModel
from scipy.constants import epsilon_0

from fem_constriction.cell.description import Description, Touch
from fem_constriction.cell.faults import rule_of
from fem_constriction.cell.sections import Pore
from fem_constriction.cell.thickness import Thickness
from fem_constriction.geometry.pixels import perimeter as perimeter_of
from fem_constriction.geometry.pixels import spots

#: Depth of a pore over its width, 2 A_pore/(perimeter of the contact), from which on j = y_pore (V - phi) may cost 1 % of |Z|.
#: Measured against voids that are resolved, with metal above and beside them (finite volumes in two dimensions, strips and
#: discs, ideal contacts of 0.1 to 0.9 of the half period L; the code: `tests/cell/test_plausible.py`), at the worst frequency:
#: with a permittivity in the void of at least the bulk's from 0.038 on for an electrolyte of thickness L/4, from 0.06 on
#: for L, from 0.08 on for 2 L; with 1/15 of it from 0.06 and 0.1 on; with 1/150 (air) never, for nothing flows there then.
#: Direct current through voids that conduct: from 0.05 on.
DEEP: Final = 0.04

#: What the law costs at most at such ratios, as parts of |Z|: the worst of these strips and discs, contacts of 0.1, 0.5 and 0.9
#: of L, thicknesses L/4 (with ten times the bulk's permittivity in the void) and L, at the worst frequency. Wide contacts and
#: voids of a low permittivity cost far less; beyond the last ratio Z is another one altogether.
RATIOS: Final = (0.04, 0.08, 0.16, 0.32, 0.64, 1.3)
COSTS: Final = (0.0115, 0.039, 0.11, 0.285, 0.69, 1.45)


def implausible(cell: Description) -> tuple[str, ...]:
    """Return the sentences, each with key, value and what is usual; () for a cell as others are."""
    return (*_values(cell, ""), *_boundaries(cell), *_interphases(cell), *_pores(cell))


def _values(section: BaseModel, prefix: str) -> Iterator[str]:
    for name, rule in _rules(type(section)):
        value = getattr(section, name)
        key = prefix + name
        if isinstance(value, BaseModel):
            yield from _values(value, f"{key}.")
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for number, each in enumerate(value):
                yield from _values(each, f"{key}.{number}.")
        elif rule is not None and value is not None:
            yield from (f"{key} = {text}" for each in _numbers(value) if (text := rule.unusual(each)))


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, tuple):
        for each in value:
            yield from _numbers(each)
    else:
        yield value


@lru_cache(maxsize=256)
def _rules(section: type[BaseModel]) -> tuple[tuple[str, Any], ...]:
    """Every key of a section with the rule of its values, None where it has no usual range."""
    rules = ((name, rule_of(field)) for name, field in section.model_fields.items())
    return tuple((name, rule if hasattr(rule, "unusual") else None) for name, rule in rules)


def _boundaries(cell: Description) -> Iterator[str]:
    """Grain boundaries take no thickness from the bulk: they are thin against the grains between them."""
    x, y, z = cell.geometry.lengths
    planes, image = cell.electrolyte.grain_boundaries, cell.electrolyte.microstructure
    if planes is not None and planes.layers and planes.layers > 1 and planes.thickness > z / planes.layers:
        yield _thicker("electrolyte.grain_boundaries.thickness", planes.thickness, "a layer of the bulk", z / planes.layers)
    if image is not None and image.boundary is not None:
        what, size = "a voxel", min(image.edges)
        if image.grain_size is not None:
            what, size = "a grain", image.grain_size
        elif image.grains is not None:
            what, size = "a grain", (x * y * z / image.grains) ** (1 / 3)
        if image.boundary.thickness > size:
            yield _thicker("electrolyte.microstructure.boundary.thickness", image.boundary.thickness, what, size)


def _interphases(cell: Description) -> Iterator[str]:
    """Interphases take no thickness from the electrolyte either."""
    for electrode in ("working_electrode", "counter_electrode"):
        for number, each in enumerate(getattr(cell, electrode).interphase):
            most = DEEP * cell.geometry.thickness
            if each.thickness is not None and each.thickness > most:
                key = f"{electrode}.interphase.{number}.thickness"
                yield _thicker(key, each.thickness, f"{DEEP:g} of the electrolyte", most, "interphases")


def _thicker(key: str, thickness: float, what: str, size: float, films: str = "boundaries") -> str:
    return f"{key} = {thickness!r} m is more than the thickness of {what}, {size:.3g} m: {films} are thin layers"


def _pores(cell: Description) -> Iterator[str]:
    """Pores are thin layers, j = y_pore (V - phi): shallow against their width, and against the contact beside them."""
    if cell.mesh is not None:
        yield from _pores_of("working_electrode", cell.working_electrode.pore, cell.working_pores, *_widths_of_mesh(cell))
        return
    for electrode, pore, depths, touch in (
        ("working_electrode", cell.working_electrode.pore, cell.working_pores, cell.working_touch),
        ("counter_electrode", cell.counter_electrode.pore, cell.counter_pores, cell.counter_touch),
    ):
        yield from _pores_of(electrode, pore, depths, *_widths(touch))


def _pores_of(electrode: str, pore: Pore | None, depths: Thickness, contact: float, width: float) -> Iterator[str]:
    """contact, width: of the contact and of the pores beside it, m; infinite where there is only one of them."""
    if pore is None:
        return
    key, given, depth = f"{electrode}.pore.depth", depths.most, depths.most
    if depth is None and pore.capacitance:  # at least as deep as a vacuum of that capacitance
        key, depth = f"{electrode}.pore.capacitance", epsilon_0 / pore.capacitance
    if not depth:
        return
    value = f"{key} = {given!r} m" if given else f"{key} = {pore.capacitance!r} F/m^2, that of a vacuum {depth:.3g} m deep,"
    if depth > DEEP * width:
        costs = f"pores are thin layers, and from {DEEP:g} times on that may cost 1 % of Z, here up to {_cost(depth / width)}"
        yield f"{value} is {depth / width:.2g} times the width of the pore, {width:.3g} m: {costs}"
    elif depth > contact:
        yield f"{value} is more than the width of the contact, {contact:.3g} m: pores are thin layers"


def cost_of(ratio: float) -> float:
    """Return what the thin-layer law costs at most at a depth over width, as a part of |Z|; infinite beyond what was measured.

    Parameters
    ----------
    ratio
        Depth of a pore over its width, from `DEEP` on.

    Returns
    -------
    float
        Between the measured ratios a power of the ratio.
    """
    return float(np.exp(np.interp(np.log(ratio), np.log(RATIOS), np.log(COSTS)))) if ratio <= RATIOS[-1] else math.inf


def _cost(ratio: float) -> str:
    found = cost_of(ratio)
    return f"{100 * found:.2g} %" if found < 1 else "all of it: Z is another one"


def _widths(touch: Touch) -> tuple[float, float]:
    """Width of the contact, 4 A_c/P, and of the pore, 2 A_pore/P; beside small contacts not more than their distance."""
    made, count, pixels = touch.contact, 1, touch.pixels
    if pixels is not None:
        (x, y), (nx, ny) = touch.width, pixels.shape
        perimeter, count = perimeter_of(pixels, (x / nx, y / ny)), max(1, spots(pixels))
    elif made.several:
        metal = shapely.union_all([outline.shape for outline in touch.outlines])
        perimeter, count = metal.length, max(1, len(shapely.get_parts(metal)))
    else:
        perimeter = sum(touch.sides) * (math.pi / 2 if made.shape == "disc" else 2)
    return _over(perimeter, touch.area, touch.face - touch.area, count)


def _widths_of_mesh(cell: Description) -> tuple[float, float]:
    """The same where the contact is a face of a mesh, by its extent."""
    return _over(2 * sum(cell.contact_sides), cell.contact_area, cell.area - cell.contact_area, 1)


def _over(perimeter: float, covered: float, free: float, count: int) -> tuple[float, float]:
    if not (perimeter > 0 and covered > 0 and free > 0):
        return math.inf, math.inf
    return 4 * covered / perimeter, min(2 * free / perimeter, math.sqrt(free / count))
