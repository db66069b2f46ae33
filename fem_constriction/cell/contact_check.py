"""Does the contact of an electrode fit its face?"""

from __future__ import annotations

import math
from typing import Final

from fem_constriction.cell.description import Description, Touch, radius_of
from fem_constriction.errors import InputError
from fem_constriction.geometry.outlines import faults

#: A square may be this much too wide for its face, relatively, and is then as wide as the face.
WIDTH_TOLERANCE: Final = 1e-12


def check_touches(cell: Description) -> None:
    """Raise InputError where the contact of one of the electrodes does not fit its face; a mesh has faces of its own."""
    if cell.mesh is None:
        for electrode, touch in (("working_electrode", cell.working_touch), ("counter_electrode", cell.counter_touch)):
            _check(f"{electrode}.contact", touch)


def _check(key: str, touch: Touch) -> None:
    (x, y), shape = touch.width, touch.contact.shape
    if shape == "mesh":
        raise InputError(key=f"{key}.shape", value=shape, why="it needs the section mesh")
    if shape == "regions":
        if wrong := faults(touch.outlines, (x, y)):
            raise InputError(key=f"{key}.regions", why=wrong)
        return
    fraction, largest = touch.fraction, min(x, y) / max(x, y)
    if shape == "disc":
        largest *= math.pi / 4
    if fraction > largest * (1 + WIDTH_TOLERANCE) and (fraction < 1 or shape == "disc"):
        size = math.sqrt(fraction) * math.sqrt(x) * math.sqrt(y)
        what = f"a square of side {size:.6g} m" if shape == "square" else f"a disc of radius {radius_of(size):.6g} m"
        whole = ", or 1 for the whole face" if shape == "square" else ""
        allowed = f"{what} does not fit a face of {x:.6g} m x {y:.6g} m, at most {largest:.6g}{whole}"
        raise InputError(key=f"{key}.fraction", value=fraction, allowed=allowed)
