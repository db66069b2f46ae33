"""The faces of a stack as `show` has them: pieces of metal, gaps, and the grids that backends begin with; and a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from rich.console import RenderableType
from scipy.spatial.distance import pdist

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.description import Touch
from fem_constriction.cell.thickness import Thickness
from fem_constriction.errors import ConstrictionError
from fem_constriction.geometry import pixels as images
from fem_constriction.grids.grid import Grid
from fem_constriction.pictures.printed import save
from fem_constriction.pictures.words import amount, signed
from fem_constriction.problem.bodies import Stack
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.capabilities import BUILT_IN, FAMILY, offers
from validation.show.pictures.face import face
from validation.show.tables import table

#: The levels of a family that a limit takes at least: the first and the last of them are named.
LEVELS = (0, 2)


def record(cell: Cell) -> dict[str, Any] | None:
    """Return what a stack's face is like, and its grids, as JSON has them; None of a cell that is no stack."""
    problem = Problem.of(cell)
    if not isinstance(problem.body, Stack):
        return None
    found = {
        **_of_face(cell.working_touch, cell.working_pores),
        "kind": problem.kind.name,
        "grids": [each for name in BUILT_IN for each in _grids(problem, name)],
    }
    if problem.patterned_counter:
        found["counter"] = _of_face(cell.counter_touch, cell.counter_pores)
    return found


def _of_face(touch: Touch, depths: Thickness) -> dict[str, Any]:
    gap = _gap(touch)
    return {
        "fraction": touch.fraction,
        "pieces": _pieces(touch),
        "smallest_gap_m": gap if math.isfinite(gap) else None,
        "pixels": None if touch.pixels is None else list(touch.pixels.shape),
        **_depths(depths),
    }


def _depths(found: Thickness) -> dict[str, Any]:
    """How deep the pores are where the file gives a depth, m: what they come to, and the ends of a map."""
    return {} if found.mean is None else {"pore_depth_m": {"mean": found.mean, "least": found.least, "most": found.most}}


def _pieces(touch: Touch) -> int:
    if touch.pixels is not None:
        return images.spots(touch.pixels)
    if not touch.outlines:
        return 0
    return len(shapely.get_parts(shapely.union_all([outline.shape for outline in touch.outlines])))


def _gap(touch: Touch) -> float:
    """The smallest distance between two pieces, m."""
    if (pixels := touch.pixels) is not None:
        return images.smallest_gap(pixels, (touch.width[0] / pixels.shape[0], touch.width[1] / pixels.shape[1]))
    if len(touch.outlines) < 2:
        return math.inf
    pieces = shapely.get_parts(shapely.union_all([outline.shape for outline in touch.outlines]))
    if len(pieces) < 2:
        return math.inf
    return _smallest_distance(list(pieces))


def _smallest_distance(pieces: Sequence[Any]) -> float:
    """The smallest distance between two of many polygons, m: measured where circles about them leave one that is smaller."""
    rings = [np.array(piece.exterior.coords) for piece in pieces]
    centres = np.array([(ring.min(0) + ring.max(0)) / 2 for ring in rings])
    reach = np.array([np.linalg.norm(ring - middle, axis=1).max() for ring, middle in zip(rings, centres, strict=True)])
    one, other = np.triu_indices(len(pieces), 1)
    least = pdist(centres) - reach[one] - reach[other]
    found = math.inf
    for pair in np.argsort(least):
        if least[pair] >= found:
            break
        found = min(found, float(shapely.distance(pieces[one[pair]], pieces[other[pair]])))
    return found


def _grids(problem: Problem, name: str) -> list[dict[str, Any]]:
    """The first grids of a backend's family; of triangles, which take time to make, none."""
    backend = backend_named(name)
    scheme = getattr(backend, "schemes", {}).get(problem.kind.name)
    if scheme is None or scheme.grids is not Grid or FAMILY not in offers(backend, problem.kind):
        return []
    found = []
    for level in LEVELS:
        try:
            grid = backend.grid(problem, level)
            unknowns = backend.unknowns(problem, grid)
            found.append({"backend": name, "level": level, "cells": list(grid.shape), "unknowns": unknowns})
        except ConstrictionError as error:
            found.append({"backend": name, "level": level, "refused": str(error)})
    return found


def _words(gap: float | None) -> str:
    """A gap in words, "" where there is none."""
    return "" if gap is None else amount(gap, "m") if gap else "0, at corners of pixels"


def tables(facts: dict[str, Any] | None) -> Sequence[RenderableType]:
    """Return the tables of a face; none of a cell that has no record."""
    if facts is None:
        return []
    rows = []
    for name, each in {"": facts, "counter electrode: ": facts.get("counter")}.items():
        if each is not None:
            rows.append((f"{name}pieces of metal", str(each["pieces"])))
            rows.append((f"{name}smallest gap between two", _words(each["smallest_gap_m"]) or "-"))
            if (depth := each.get("pore_depth_m")) is not None:
                text = amount(depth["mean"], "m")
                if depth["least"] != depth["most"]:
                    text = f"{text}, from {amount(depth['least'], 'm')} to {amount(depth['most'], 'm')}"
                rows.append((f"{name}depth of the pores (1 / mean of 1/d)", text))
            if each["pixels"] is not None:
                rows.append((f"{name}pixels (x, y)", " x ".join(map(str, each["pixels"]))))
    grids = [
        (
            each["backend"],
            str(each["level"]),
            " x ".join(map(str, each["cells"])) if "cells" in each else each["refused"],
            f"{each['unknowns']:,}" if "unknowns" in each else "",
        )
        for each in facts["grids"]
    ]
    found = [table("Face", ("", ""), rows, left=2)]
    if grids:
        name = "Grids that a family begins with, on the part that mirror symmetry leaves"
        found.append(table(name, ("backend", "level", "cells", "unknowns"), grids))
    return found


def write(cell: Cell, facts: dict[str, Any], times: dict[str, float], folder: Path) -> list[Path]:
    """Write the picture of a stack and return its files."""
    problem = Problem.of(cell)
    touches = {_said("contact" if "counter" not in facts else "working electrode", facts): cell.working_touch}
    if "counter" in facts:
        touches[_said("counter electrode", facts["counter"])] = cell.counter_touch
    folder.mkdir(parents=True, exist_ok=True)
    depths = (cell.working_pores, cell.counter_pores)
    drawn = partial(face, touches, problem.body, times, counter=cell.counter_touch, reference=problem.reference, depths=depths)
    return save(drawn, folder, "cell")


def _said(name: str, facts: dict[str, Any]) -> str:
    """What is written above a face."""
    gap = f", smallest gap {known}" if (known := _words(facts["smallest_gap_m"])) else ""
    pieces = f"{facts['pieces']} piece{'s' * (facts['pieces'] != 1)} of metal"
    return signed(f"{name} from above: {100 * facts['fraction']:.4g} %, {pieces}{gap}")
