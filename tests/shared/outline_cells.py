"""Cells whose contacts are discs, ellipses, polygons and rectangles."""

from __future__ import annotations

from typing import Any

import numpy as np

import fem_constriction as fc

MANY = [
    {"shape": "disc", "centre": ["10 um", "12 um"], "radius": "5 um"},
    {"shape": "ellipse", "centre": ["33 um", "32 um"], "semi_axes": ["9 um", "4 um"], "angle": "30 deg"},
    {"shape": "polygon", "vertices": [["3 um", "36 um"], ["15 um", "33 um"], ["12 um", "46 um"], ["8 um", "40 um"]]},
    {"shape": "rectangle", "centre": ["38 um", "12 um"], "size": ["10 um", "6 um"], "angle": "20 deg"},
]
DISC = {"shape": "disc", "fraction": 0.2}
ROBIN = {
    "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
    "pore": {"capacitance": "8.85 uF/cm^2"},
}


def regions(*each: dict[str, Any]) -> dict[str, Any]:
    """A contact of regions."""
    return {"shape": "regions", "regions": list(each)}


def cell(contact: dict[str, Any], robin: bool = True, layers: int = 1, width: Any = "50 um") -> fc.Cell:
    """A cell of 50 um with this contact; robin: with charge transfer and pores, else an ideal contact beside nothing."""
    electrolyte: dict[str, Any] = {"conductivity": "0.46 mS/cm", "relative_permittivity": 150}
    if layers > 1:
        electrolyte["grain_boundaries"] = {
            "layers": layers, "thickness": "10 nm", "conductivity": "5.97 uS/cm", "relative_permittivity": 150
        }  # fmt: skip
    return fc.Cell(
        geometry={"width": width, "thickness": "50 um"},
        electrolyte=electrolyte,
        working_electrode={"contact": contact, **(ROBIN if robin else {})},
    )


def star(random: np.random.Generator, corners: int) -> np.ndarray:
    """A ring about the middle of the face whose corners lie in order of their angle: simple, convex or not."""
    angle = (np.arange(corners) + random.uniform(0.1, 0.9, corners)) * 2 * np.pi / corners
    return 25e-6 + random.uniform(5e-6, 23e-6, corners)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
