"""Potentials and currents that are admissible in the continuous cell: what guaranteed bounds are made of.

Any conforming potential bounds Z(s) from below and any divergence-free current of unit total from above, at real s; together
they enclose Z(i omega) in a disc (`validation.discs.certificate`). A lower-bound backend offers the traces of its potentials,
an upper-bound one its currents; the two may live on different grids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.space.reconstruction import Reconstruction


@dataclass(frozen=True, eq=False)
class Fluxes:
    """Divergence-free currents of unit total through a cell, r of them.

    gram: process -> int J_l . J_m (r, r), over its volume (1/m) or its faces (1/m2); through: process -> current density
    through its faces, downwards, mean over each lateral cell, (faces, x cells, y cells, r), 1/m2; x, y: what makes densities
    of such means; imbalance: the largest difference, relative to the largest density, between these currents and those of
    the network's own links, from which they differ by what makes their divergence vanish to rounding.
    """

    gram: Mapping[str, Array]
    through: Mapping[str, Array]
    x: Reconstruction
    y: Reconstruction
    imbalance: float


@dataclass(frozen=True, eq=False)
class Traces:
    """Jumps of r potentials across every interface, integrated against the densities of currents with unit mean in one cell.

    metal: int (V - phi) on the WE face, (1, x cells, y cells, r), V m2; boundaries: int [phi], above less below,
    (boundaries, …); counter: int phi on the CE face, (1, …), 0 for an ideal one.
    """

    metal: Array
    boundaries: Array
    counter: Array


class Field(Protocol):
    """In space: k currents J (1/m2 per unit current), or k potentials as -grad phi (V/m) and their drops at interfaces (V)."""

    def at(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return J or -grad phi at the points of a tensor grid inside a layer, (3, z, x, y, k)."""
        ...

    def across(self, x: Array, y: Array) -> NDArray[Any]:
        """Return J_z through, or drops across, the WE face, every boundary and the CE face, (faces, x, y, k)."""
        ...
