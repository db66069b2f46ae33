"""Layers make up the electrolyte, planes and references lie inside it: what takes several sections to check."""

from __future__ import annotations

import numpy as np

from fem_constriction.cell.description import Description
from fem_constriction.cell.layers import SAME
from fem_constriction.errors import InputError


def check_layers(description: Description) -> None:
    """Raise InputError unless layers make up the electrolyte and planes lie inside it, each at a place of its own."""
    electrolyte, length = description.electrolyte, description.geometry.thickness
    boundaries = electrolyte.grain_boundaries
    planes = () if boundaries is None else boundaries.planes
    for key, given in (("layers", electrolyte.layers), ("grain_boundaries.planes", planes)):
        if given and description.mesh is not None:
            raise InputError(key=f"electrolyte.{key}", when="together with mesh", why="a mesh has its own cells and faces")
    total = sum(each.thickness for each in electrolyte.layers)
    if electrolyte.layers and abs(total - length) > SAME * length:
        why = f"together they are {total:.9g} m thick, and geometry.thickness is {length:.9g} m"
        raise InputError(key="electrolyte.layers", why=why, remedy="make the two equal")
    seen = 0.0
    for number, plane in sorted(enumerate(planes), key=lambda each: each[1].position):
        key = f"electrolyte.grain_boundaries.planes.{number}.position"
        if plane.position >= (1 - SAME) * length:
            raise InputError(key=key, value=plane.position, unit="m", allowed=f"less than the thickness, {length!r} m")
        if plane.position - seen <= SAME * length:
            raise InputError(key=key, value=plane.position, unit="m", why="another plane, or the electrode, is there already")
        seen = plane.position


def check_reference(description: Description) -> None:
    """Raise InputError unless a reference's plane lies inside a stack, on none of its boundaries: the potential jumps there."""
    reference, electrolyte, length = description.reference, description.electrolyte, description.geometry.thickness
    if reference is None:
        return
    depth, key = reference.depth, "reference.depth"
    for other, there in (("mesh", description.mesh), ("electrolyte.microstructure", electrolyte.microstructure)):
        if there is not None:
            why = "the mean potential of a plane divides Z exactly only where every plane conducts alike everywhere"
            raise InputError(key="reference", when=f"together with {other}", why=why, remedy="allowed are stacks of layers")
    if depth >= (1 - SAME) * length:
        raise InputError(key=key, value=depth, unit="m", allowed=f"less than the thickness, {length!r} m")
    boundaries = electrolyte.grain_boundaries
    if boundaries is None:
        return
    planes = [each.position for each in boundaries.planes]
    at = planes or np.linspace(0.0, length, (boundaries.layers or 1) + 1)[1:-1].tolist()
    if any(abs(depth - z) <= SAME * length for z in at):
        why = "a grain boundary is there, across which the potential jumps"
        raise InputError(key=key, value=depth, unit="m", why=why, remedy="move the plane to one side of it")
