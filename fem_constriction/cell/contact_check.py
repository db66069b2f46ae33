"""Do the contact of an electrode, and the depths of its pores, fit its face?"""

from __future__ import annotations

from fem_constriction.cell.description import Description, Touch
from fem_constriction.cell.patterns import check_pattern
from fem_constriction.errors import InputError


def check_touches(cell: Description) -> None:
    """Raise InputError where what an electrode says of its face does not fit it; a mesh has faces of its own."""
    named = "mesh" if cell.mesh is not None else "electrolyte.microstructure"
    plain = cell.mesh is None and cell.electrolyte.microstructure is None
    for key, touch in (("working_electrode", cell.working_touch), ("counter_electrode", cell.counter_touch)):
        if cell.mesh is None:
            _check(f"{key}.contact", touch)
        pore = getattr(cell, key).pore
        if pore is None or not pore.varied:
            continue
        if not plain:
            why = "its pores have one depth"
            raise InputError(key=f"{key}.pore.depth", when=f"that differs from place to place together with {named}", why=why)
        try:
            _ = cell.working_pores if key == "working_electrode" else cell.counter_pores
        except InputError as error:
            raise error.inside(f"{key}.pore") from None


def _check(key: str, touch: Touch) -> None:
    if touch.contact.shape == "mesh":
        raise InputError(key=f"{key}.shape", value=touch.contact.shape, why="it needs the section mesh")
    try:
        check_pattern(touch.contact, touch.width)
    except InputError as error:
        raise error.inside(key) from None
