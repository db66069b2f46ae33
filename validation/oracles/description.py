"""A cell file (TOML, design.md section 3) as plain SI numbers, read without the project's own reader."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from typing import Any

from validation.oracles.cell import Admittance, LayeredCell
from validation.oracles.rectangles import Rectangle

VACUUM_PERMITTIVITY = 8.8541878128e-12  # F/m, CODATA 2018
PREFIX = {"": 1.0, "G": 1e9, "M": 1e6, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "c": 1e-2}
QUANTITY = re.compile(r"\s*([-+0-9.eE]+)\s*(.+?)\s*")


def si(value: float | str) -> float:
    """Number of SI units: '0.46 mS/cm' -> 0.046, '1 ohm cm^2' -> 1e-4, '885 uF/cm2' -> 8.85.

    Numbers are SI already. Understands products and one quotient of m, S, F, ohm with decimal prefixes,
    each with an optional power.
    """
    if not isinstance(value, str):
        return float(value)
    match = QUANTITY.fullmatch(value.replace("\u00b5", "u").replace("\u03bc", "u").replace("\u00b7", " "))
    if match is None:
        raise ValueError(f"cannot read {value!r}: a number and a unit expected")
    result = float(match[1])
    for place, part in enumerate(match[2].split("/")):
        for unit in part.replace("*", " ").split():
            found = re.fullmatch(r"([GMkmunpc]?)(m|S|F|[oO]hm|\u03a9|\u2126)\^?(\d?)", unit)
            if found is None:
                raise ValueError(f"cannot read the unit {unit!r} of {value!r}")
            result *= PREFIX[found[1]] ** ((-1 if place else 1) * int(found[3] or 1))
    return result


def from_description(cell: Mapping[str, Any]) -> LayeredCell:
    """The cell of a parsed TOML file: side of the contact = sqrt(fraction L_x L_y), at 1 the face; or its rectangles.

    Raises ValueError for contacts that are neither one square nor rectangles along the axes.
    """
    geometry, electrolyte, electrode = cell["geometry"], cell["electrolyte"], cell["working_electrode"]
    width = geometry["width"]
    lengths = [si(w) for w in width] if isinstance(width, list) else [si(width)] * 2
    contact = electrode["contact"]
    shape = contact.get("shape", "square")
    sides: tuple[float, float] = (0.0, 0.0)
    regions: tuple[Rectangle, ...] = ()
    if shape == "regions":
        regions = tuple(_rectangle(region) for region in contact["regions"])
    elif shape == "square":
        fraction = float(contact["fraction"])
        side = sqrt(fraction * lengths[0] * lengths[1])
        sides = (lengths[0], lengths[1]) if fraction == 1 else (side, side)
    else:
        raise ValueError(f"contact of shape {shape!r}: a mode expansion knows squares and rectangles along the axes")
    boundaries = electrolyte.get("grain_boundaries")
    return LayeredCell(
        width=(lengths[0], lengths[1]),
        thickness=si(geometry["thickness"]),
        contact=sides,
        regions=regions,
        conductivity=si(electrolyte["conductivity"]),
        permittivity=float(electrolyte.get("relative_permittivity", 0)) * VACUUM_PERMITTIVITY,
        layers=1 if boundaries is None else int(boundaries["layers"]),
        boundary=None if boundaries is None else _film(boundaries, "thickness"),
        charge_transfer=_charge_transfer(electrode),
        pore=_film(electrode.get("pore", {}), "depth"),
        counter=_charge_transfer(cell.get("counter_electrode", {})),
    )


def load(path: str | Path) -> LayeredCell:
    """The cell in a TOML file."""
    return from_description(tomllib.loads(Path(path).read_text(encoding="utf-8")))


def _rectangle(region: Mapping[str, Any]) -> Rectangle:
    """(x_0, y_0, x_1, y_1) of centre and size, SI."""
    if region["shape"] != "rectangle" or region.get("angle"):
        raise ValueError(f"region {dict(region)}: a mode expansion knows rectangles along the axes")
    (x, y), (a, b) = ([si(v) for v in region[key]] for key in ("centre", "size"))
    return x - a / 2, y - b / 2, x + a / 2, y + b / 2


def _charge_transfer(electrode: Mapping[str, Any]) -> Admittance | None:
    film = electrode.get("charge_transfer")
    if film is None:
        return None
    conductance = 1.0 / si(film["resistance"]) if "resistance" in film else 0.0
    return Admittance(conductance, si(film.get("capacitance", 0.0)))


def _film(film: Mapping[str, Any], depth: str) -> Admittance:
    """(sigma + s eps)/depth, or what is given per area."""
    if depth not in film:
        return Admittance(0.0, si(film.get("capacitance", 0.0)))
    d = si(film[depth])
    permittivity = float(film.get("relative_permittivity", 0)) * VACUUM_PERMITTIVITY
    return Admittance(si(film.get("conductivity", 0.0)) / d, permittivity / d)
