"""Kinds of cell: what backends say that they offer of each, and what commands ask for.

A kind follows from the body (a stack, a label image, a mesh) and, of a stack, from the face: whether grid lines can follow the
contact's edges. A cell whose counter electrode is patterned as well is of a kind of its own: a backend that knows nothing of
such electrodes offers nothing of it.
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
PIXELS: Final = Kind("pixels", "working_electrode.contact", "a stack with an image as its contact")
IMAGE: Final = Kind("image", "electrolyte.microstructure", "a label image")
MESH: Final = Kind("mesh", "mesh", "a mesh from a file")
TWO_RECTANGLES: Final = Kind(
    "two_rectangles", "counter_electrode.contact", "a stack with contacts of rectangles along the axes at both electrodes"
)
TWO_OUTLINES: Final = Kind(
    "two_outlines", "counter_electrode.contact", "a stack with contacts of another outline at two electrodes"
)
TWO_PIXELS: Final = Kind("two_pixels", "counter_electrode.contact", "a stack with images as the contacts at two electrodes")
TWO_MESH: Final = Kind("two_mesh", "counter_electrode.contact", "a mesh from a file with a patterned counter electrode")
KINDS: Final = (RECTANGLES, OUTLINES, PIXELS, IMAGE, MESH, TWO_RECTANGLES, TWO_OUTLINES, TWO_PIXELS, TWO_MESH)


def with_counter(kind: Kind) -> Kind:
    """Return the kind of a cell whose counter electrode is patterned as well."""
    return {RECTANGLES: TWO_RECTANGLES, OUTLINES: TWO_OUTLINES, PIXELS: TWO_PIXELS}.get(kind, TWO_MESH)
