"""Random cells of five kinds, each with what an oracle knows it as, where one does.

A rotated square needs no oracle of its own. A face of width W that is mirrored at its walls is a square lattice of contacts;
turned by 45 degrees the same lattice has mirror lines W/sqrt(2) apart, along the contact's edges. So the diamond in the middle
of W x W has Z = Z'/2, Z' that of the cell of width W/sqrt(2) with a quarter of an upright square in each of two opposite
corners: the oracle for upright rectangles says what oblique edges do. Four triangles in the corners of the face are the same
diamond on a lattice moved by half its period.
"""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from shapely import box, unary_union

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ImplausibleWarning
from validation.benchmarks.random_cells import FREQUENCY, random_cell, rectangles

#: At most so many layers in the kinds of moderate cells.
LAYERS: Final = 60

#: Two points per decade over everything that a command takes.
WIDE: Final = np.logspace(-6, 12, 37)

Description = Mapping[str, Any]
Generator = np.random.Generator


@dataclass(frozen=True, eq=False)
class Drawn:
    """Random cell `number` of a kind, and the points that it is asked at.

    frequency: Hz, (n,); known_as: description, as in a cell file, of a cell that the oracle knows, None where none is the same;
    times: Z of the cell over Z of that one.
    """

    kind: str
    number: int
    cell: Cell
    frequency: Array
    known_as: Description | None
    times: float = 1.0


def draw(kind: str, number: int, seed: int) -> Drawn:
    """Return random cell `number` of a kind of `KINDS`, which depends on nothing but the arguments."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImplausibleWarning)  # that is what they are for
        cell, frequency, known_as, times = KINDS[kind](number, seed)
        titled = cell.vary({"title": f"{kind} {number}, seed {seed}"})
    return Drawn(kind, number, titled, frequency, known_as, times)


_Made = tuple[Cell, Array, Description | None, float]


def _as_written(cell: Cell, frequency: Array = FREQUENCY) -> _Made:
    return cell, frequency, tomllib.loads(cell.dumps()), 1.0


def _mixed(number: int, seed: int) -> _Made:
    """Squares, and 15 % rectangles, up to five layers: the cells of the first study of this kind."""
    return _as_written(random_cell(number, seed, layers=5, kinds=True))


def _squares(number: int, seed: int) -> _Made:
    return _as_written(random_cell(number, seed, layers=LAYERS))


def _rectangles(number: int, seed: int) -> _Made:
    """One or two rectangles at walls, in corners or off the middle."""
    cell, random = random_cell(number, seed, layers=LAYERS), np.random.default_rng([seed, number, 1])
    x, y, _ = (1e6 * length for length in cell.geometry.lengths)
    fraction = random.uniform(0.01, 0.9)
    return _as_written(cell.vary({"working_electrode.contact": _regions(rectangles(random, x, y, fraction))}))


def _outlines(number: int, seed: int) -> _Made:
    """Plus, L and T shapes, rotated squares, triangles in the corners; discs, ellipses and triangles, which no oracle knows."""
    cell, random = random_cell(number, seed, layers=LAYERS), np.random.default_rng([seed, number, 2])
    form = OUTLINES[number % len(OUTLINES)]
    x, y, _ = cell.geometry.lengths
    return form(cell, random, x, y)


def _plus(cell: Cell, random: Generator, x: float, y: float) -> _Made:
    """Two crossing bars in the middle of the face."""
    (long, wide), (high, low) = _nested(random, x), _nested(random, y)
    return _upright(
        cell, [(x / 2 - a / 2, y / 2 - b / 2, x / 2 + a / 2, y / 2 + b / 2) for a, b in ((long, low), (wide, high))]
    )


def _corner(cell: Cell, random: Generator, x: float, y: float) -> _Made:
    """An L along two walls."""
    (long, wide), (high, low) = _nested(random, x), _nested(random, y)
    return _upright(cell, [(0.0, 0.0, long, low), (0.0, 0.0, wide, high)])


def _tee(cell: Cell, random: Generator, x: float, y: float) -> _Made:
    """A T that stands on its head at a wall."""
    (long, wide), (high, low) = _nested(random, x), _nested(random, y)
    return _upright(cell, [(x / 2 - long / 2, 0.0, x / 2 + long / 2, low), (x / 2 - wide / 2, 0.0, x / 2 + wide / 2, high)])


def _nested(random: Generator, width: float) -> tuple[float, float]:
    """Two lengths, one a part of the other, neither within 5 % of the width of it or of the width."""
    outer = random.uniform(0.2, 0.95)
    return float(outer * width), float(random.uniform(0.05, outer - 0.05) * width)


def _upright(cell: Cell, parts: Sequence[tuple[float, float, float, float]]) -> _Made:
    """The union of rectangles (x_0, y_0, x_1, y_1) as one polygon, and as the rectangles that the oracle takes."""
    whole: Any = unary_union([box(*part) for part in parts])  # one polygon, as the parts cross
    ring = whole.exterior.coords[:-1]
    made = cell.vary({"working_electrode.contact": _regions([_polygon(ring)])})
    known = [_rectangle(part) for part in parts]
    return made, FREQUENCY, _with_contact(made, known), 1.0


def _diamond(cell: Cell, random: Generator, x: float, y: float) -> _Made:
    """A square turned by 45 degrees in the middle of a square face."""
    square, side, known_as = _turned(cell, random, x)
    turned = {"shape": "rectangle", "centre": [x / 2, x / 2], "size": [side, side], "angle": "45 deg"}
    return square.vary({"working_electrode.contact": _regions([turned])}), FREQUENCY, known_as, 0.5


def _triangles(cell: Cell, random: Generator, x: float, y: float) -> _Made:
    """Right triangles in the four corners of a square face."""
    square, side, known_as = _turned(cell, random, x)
    leg = side / np.sqrt(2)
    corners = [(a, b, 1 - 2 * (a > 0), 1 - 2 * (b > 0)) for a in (0.0, x) for b in (0.0, x)]
    each = [_polygon([(a, b), (a + i * leg, b), (a, b + j * leg)]) for a, b, i, j in corners]
    return square.vary({"working_electrode.contact": _regions(each)}), FREQUENCY, known_as, 0.5


def _turned(cell: Cell, random: Generator, width: float) -> tuple[Cell, float, Description]:
    """The cell with a square face, the side of the diamond, and the cell of half the area that the oracle takes for it."""
    square = cell.vary({"geometry.width": width, "working_electrode.contact": {"shape": "square", "fraction": 0.1}})
    narrow = width / np.sqrt(2)
    side = float(np.sqrt(random.uniform(0.005, 0.9)) * narrow)
    quarters = [_rectangle((0.0, 0.0, side / 2, side / 2)), _rectangle((narrow - side / 2, narrow - side / 2, narrow, narrow))]
    described = _with_contact(square, quarters)
    return square, side, {**described, "geometry": {**described["geometry"], "width": narrow}}


def _ellipse(cell: Cell, random: Generator, x: float, y: float) -> _Made:
    """An ellipse at any angle in the middle, at times a disc."""
    longer = random.uniform(0.1, 0.45) * min(x, y)
    shorter = longer if random.random() < 0.5 else longer * random.uniform(0.2, 0.9)
    angle = f"{random.uniform(0, 180):.6g} deg"
    region = {"shape": "ellipse", "centre": [x / 2, y / 2], "semi_axes": [longer, shorter], "angle": angle}
    return cell.vary({"working_electrode.contact": _regions([region])}), FREQUENCY, None, 1.0


def _star(cell: Cell, random: Generator, x: float, y: float) -> _Made:
    """A polygon of three to six corners around the middle."""
    corners = int(random.integers(3, 7))
    turn = (np.arange(corners) + random.uniform(0.2, 0.8, corners)) * 2 * np.pi / corners
    reach = random.uniform(0.25, 0.95, corners) * min(x, y) / 2
    ring = np.stack([x / 2 + reach * np.cos(turn), y / 2 + reach * np.sin(turn)], axis=1)
    return cell.vary({"working_electrode.contact": _regions([_polygon(ring)])}), FREQUENCY, None, 1.0


OUTLINES: Final = (_diamond, _plus, _ellipse, _triangles, _corner, _star, _tee)


def _extremes(number: int, seed: int) -> _Made:
    """Squares of which everything is extreme: contrasts of 1e-6 to 1e6, fractions of 0.001 to 0.999, 1 to 200 layers, 1:100."""
    random = np.random.default_rng([seed, number, 3])

    def log(low: float, high: float) -> float:
        return float(f"{np.exp(random.uniform(np.log(low), np.log(high))):.6g}")

    width = log(1e-6, 1e-3)
    oblong = width * log(1 / 3, 3) if random.random() < 0.3 else width
    depth = width * log(0.01, 100)
    fits = min(width, oblong) / max(width, oblong)
    fraction = log(0.001, 0.5) if random.random() < 0.5 else 1 - log(0.001, 0.5)
    sigma = log(1e-6, 1e2)

    def film() -> float:
        """S/m2, 1e-6 to 1e6 times that of the bulk."""
        return sigma / depth * log(1e-6, 1e6)

    def transfer() -> dict[str, Any]:
        return {"resistance": 1 / film(), "capacitance": log(1e-5, 1e2)}

    electrolyte: dict[str, Any] = {"conductivity": sigma, "relative_permittivity": log(1, 1e4)}
    layers = round(log(1, 200))
    delta = min(1e-8, 0.01 * depth / layers)
    if layers > 1:
        across = film() * (layers - 1)  # all boundaries together have the contrast
        electrolyte["grain_boundaries"] = {
            "layers": layers, "thickness": delta, "conductivity": across * delta, "relative_permittivity": log(1, 1e4)
        }  # fmt: skip
    electrode: dict[str, Any] = {"contact": {"shape": "square", "fraction": max(0.001, fraction * fits)}}
    if random.random() < 0.75:
        electrode["charge_transfer"] = transfer()
    if random.random() < 0.5:
        electrode["pore"] = {"capacitance": log(1e-5, 1e2)}
    elif random.random() < 0.6:
        electrode["pore"] = {"depth": delta, "conductivity": film() * delta, "relative_permittivity": log(1, 1e4)}
    counter = {"counter_electrode": {"charge_transfer": transfer()}} if random.random() < 0.5 else {}
    cell = Cell(
        geometry={"width": [width, oblong], "thickness": depth}, electrolyte=electrolyte, working_electrode=electrode, **counter
    )
    return _as_written(cell, WIDE)


#: Kind -> what makes cell `number` of a seed.
KINDS: Final[Mapping[str, Callable[[int, int], _Made]]] = {
    "mixed": _mixed,
    "squares": _squares,
    "rectangles": _rectangles,
    "outlines": _outlines,
    "extremes": _extremes,
}


def _regions(each: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"shape": "regions", "regions": list(each)}


def _polygon(ring: Any) -> dict[str, Any]:
    return {"shape": "polygon", "vertices": [[float(x), float(y)] for x, y in ring]}


def _rectangle(part: tuple[float, float, float, float]) -> dict[str, Any]:
    x0, y0, x1, y1 = part
    return {"shape": "rectangle", "centre": [(x0 + x1) / 2, (y0 + y1) / 2], "size": [x1 - x0, y1 - y0]}


def _with_contact(cell: Cell, regions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The cell as a file describes it, with other regions as its contact."""
    described = tomllib.loads(cell.dumps())
    electrode = {**described["working_electrode"], "contact": _regions(regions)}
    return {**described, "working_electrode": electrode}
