"""How much memory functions of a triangulated face take, by its nodes alone."""

from __future__ import annotations

from fem_constriction import memory
from fem_constriction.stack.modes import DENSE

#: Matrices of doubles, square in the unknowns of the face, that are alive while its modes are found.
SQUARES = 10

#: Doubles alive at once per node of a plane without its modes: some 60 factorisations for its functions and up to 88 of those
#: that precondition, each of 30 to 90 entries per node; measured 13 000 at 3e4 nodes.
FACTORS = 16_000


#: What helps where an outline has too many triangles for them.
DRAWN = "a coarser level, fewer regions, or the contact drawn on an image (a mask, or spots with `pixels`)"


def check_plane(nodes: int, what: str) -> None:
    """Raise MemoryShort where functions of a triangulation with so many nodes would not fit."""
    doubles = SQUARES * nodes if nodes < DENSE else FACTORS
    memory.require(8 * doubles * nodes, f"{what}, functions of its plane: {nodes:.3g} nodes", DRAWN)
