"""Kinds of cell: what backends say that they offer of each, and what commands ask for.

A kind follows from the body (a stack, a label image, a mesh) and, of a stack, from the face: whether grid lines can follow the
contact's edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """A kind of cell: its name in declarations, the key that makes a cell one, and what it is called."""

    name: str
    key: str
    words: str


RECTANGLES: Final = Kind("rectangles", "working_electrode.contact", "a stack with a contact of rectangles along the axes")
OUTLINES: Final = Kind("outlines", "working_electrode.contact", "a stack with a contact of another outline")
IMAGE: Final = Kind("image", "electrolyte.microstructure", "a label image")
MESH: Final = Kind("mesh", "mesh", "a mesh from a file")
KINDS: Final = (RECTANGLES, OUTLINES, IMAGE, MESH)
