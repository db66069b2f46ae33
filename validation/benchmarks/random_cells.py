"""Cells drawn at random: materials over decades, contact fractions from 1 to 99 %, boundaries, films and electrodes or none."""

from __future__ import annotations

from typing import Any

import numpy as np

from fem_constriction.cell.cell import Cell

#: 25 values over the twelve decades of the main job.
FREQUENCY = np.logspace(-3, 9, 25)
SEED = 20220611

#: Contacts that are no centred square: (along x, along y); two: two rectangles, at both walls. Off both axes, away from the
#: walls, a contact costs the oracle a hundred times more than in the middle; there are none.
PLACES = (("wall", "wall"), ("wall", "middle"), ("off", "middle"), ("off", "wall"), ("two", "middle"))

#: How often a contact is none, how often there are no pores.
ELSEWHERE, PORELESS = 0.15, 0.2


def random_cell(number: int, seed: int = SEED, *, layers: int = 60, kinds: bool = False) -> Cell:
    """Return random cell `number`, which depends on nothing but the arguments.

    layers: the most layers between boundaries. kinds: some without pores, and some with one or two rectangles off the
    middle as contact, instead of the centred square.
    """
    random = np.random.default_rng([seed, number])

    def log(low: float, high: float) -> float:
        return float(f"{np.exp(random.uniform(np.log(low), np.log(high))):.6g}")

    def transfer() -> dict[str, Any]:
        capacitance = log(1, 1000)
        found: dict[str, Any] = {"resistance": f"{log(0.01, 100):g} ohm cm^2"}
        return {**found, "capacitance": f"{capacitance:g} uF/cm^2"} if random.random() < 0.9 else found

    width = log(5, 500)
    width_y = float(f"{width * log(1 / 3, 3):.6g}") if random.random() < 0.3 else width
    thickness = float(f"{width * log(0.3, 3):.6g}")
    largest = min(width, width_y) / max(width, width_y)  # the square must fit on the shorter side
    fraction = random.uniform(0.01, 0.99) if random.random() < 0.5 else log(0.01, 0.99)
    if largest < 1:
        fraction = max(0.01, fraction * largest)
    sigma, epsilon = log(1e-4, 10), log(1, 300)
    electrolyte: dict[str, Any] = {"conductivity": f"{sigma:g} S/m", "relative_permittivity": epsilon}
    if random.random() < 0.6:
        planes, delta, share = (
            round(log(2, layers)),
            log(1, 20),
            log(0.01, 10),
        )  # share: the boundaries' resistance over the bulk's
        across = sigma * (planes - 1) * delta * 1e-9 / (share * thickness * 1e-6)
        electrolyte["grain_boundaries"] = {
            "layers": planes,
            "thickness": f"{delta:g} nm",
            "conductivity": f"{across:.6g} S/m",
            "relative_permittivity": log(1, 300),
        }
    electrode: dict[str, Any] = {"contact": {"shape": "square", "fraction": float(f"{fraction:.6g}")}}
    if random.random() < 0.7:
        electrode["charge_transfer"] = transfer()
    electrode["pore"] = {"capacitance": f"{log(0.1, 1000):g} uF/cm^2"}
    counter = {"charge_transfer": transfer()} if random.random() < 0.5 else None
    if kinds:
        if random.random() < PORELESS:
            del electrode["pore"]
        if random.random() < ELSEWHERE:
            electrode["contact"] = {"shape": "regions", "regions": rectangles(random, width, width_y, fraction)}
    return Cell(
        title=f"random cell {number}",
        geometry={"width": f"{width:g} um" if width_y == width else [f"{width:g} um", f"{width_y:g} um"],
                  "thickness": f"{thickness:g} um"},
        electrolyte=electrolyte,
        working_electrode=electrode,
        **({} if counter is None else {"counter_electrode": counter}),
    )  # fmt: skip


def rectangles(random: np.random.Generator, width: float, width_y: float, fraction: float) -> list[dict[str, Any]]:
    """One rectangle at a wall, in a corner or off the middle, or two of different width; lengths in um."""
    share = fraction ** random.uniform(0.3, 0.7)  # of its sides in those of the face; the product is the fraction
    sizes = (share * width, fraction / share * width_y)
    place = PLACES[random.integers(len(PLACES))]
    along = []
    for size, room, where in zip(sizes, (width - sizes[0], width_y - sizes[1]), place, strict=True):
        # Off the middle by a tenth of the room or more, and as far from the wall: gaps are no slits.
        first, second = random.uniform(0.1, 0.4), random.uniform(0.2, 0.8)
        pieces = {
            "middle": [(room / 2, size)],
            "wall": [(0.0, size)],
            "off": [(first * room, size)],
            "two": [(0.0, second * size), (second * size + room, (1 - second) * size)],
        }
        along.append(pieces[where])
    return [
        {
            "shape": "rectangle",
            "centre": [f"{low + length / 2:.13g} um", f"{low_y + length_y / 2:.13g} um"],
            "size": [f"{length:.13g} um", f"{length_y:.13g} um"],
        }
        for low, length in along[0]
        for low_y, length_y in along[1]
    ]
