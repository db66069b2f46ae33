"""Does the contact of an electrode fit its face?"""

from __future__ import annotations

from fem_constriction.cell.description import Description, Touch
from fem_constriction.cell.patterns import check_pattern
from fem_constriction.errors import InputError


def check_touches(cell: Description) -> None:
    """Raise InputError where the contact of one of the electrodes does not fit its face; a mesh has faces of its own."""
    if cell.mesh is None:
        for electrode, touch in (("working_electrode", cell.working_touch), ("counter_electrode", cell.counter_touch)):
            _check(f"{electrode}.contact", touch)


def _check(key: str, touch: Touch) -> None:
    if touch.contact.shape == "mesh":
        raise InputError(key=f"{key}.shape", value=touch.contact.shape, why="it needs the section mesh")
    try:
        check_pattern(touch.contact, touch.width)
    except InputError as error:
        raise error.inside(key) from None
