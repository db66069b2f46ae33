"""cells x doubles per cell <= memory: what the counts of a grid alone say, before any of it is made."""

from __future__ import annotations

from fem_constriction import memory

#: Doubles that every way of solving a grid has alive per node of the WE face: measured 150, mode by mode, at 500 x 500 nodes.
DOUBLES_PER_NODE = 250

#: Bytes per layer and per cell along z: lines, and what the recursion through the layers keeps of each (measured 1600 and 60).
BYTES_PER_LAYER, BYTES_PER_ROW = 4000, 100


def check_counts(name: str, face: float, layers: float, rows: float = 0) -> None:
    """Raise MemoryShort for a grid whose counts alone say that nothing can solve it, before any of it is made.

    face: cells of the WE face; layers: of the electrolyte; rows: cells along z.
    """
    needed = 8 * DOUBLES_PER_NODE * face + BYTES_PER_LAYER * layers + BYTES_PER_ROW * rows
    along_z = f"{max(rows, layers):.3g} along z, in {layers:.3g} layers"
    memory.require(needed, f"a grid ({name}) of {face:.3g} cells on the face and {along_z},")


def doubled(count: float, level: int) -> float:
    """count times 2^level, whatever level somebody asks for."""
    return count * 2.0 ** min(level, 900)
