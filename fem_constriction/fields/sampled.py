"""phi and J at any point of the whole cell: what sections and files are made of, whichever way the fields were had."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fem_constriction.cell.cell import Cell
from fem_constriction.fields.symmetry import Unfolding
from fem_constriction.grids.grid import Grid


class Sampled(Protocol):
    """Fields for 1 V at one frequency; see `fields.Fields`, which they are of."""

    @property
    def cell(self) -> Cell:
        """The cell they are of."""
        ...

    @property
    def grid(self) -> Grid:
        """The grid they were solved on, which may cover a quarter of the cell."""
        ...

    @property
    def frequency(self) -> float:
        """Hz."""
        ...

    @property
    def torn(self) -> bool:
        """Whether the potential may jump between any two cells of the grid."""
        ...

    @property
    def current(self) -> complex:
        """I = 1/Z in A."""
        ...

    @property
    def whole(self) -> Unfolding:
        """The whole cell."""
        ...

    def potential(self, x: ArrayLike, y: ArrayLike, z: ArrayLike, *, layer: int | None = None) -> NDArray[np.complex128]:
        """Return phi in V at points of the whole cell (m)."""
        ...

    def current_density(self, x: ArrayLike, y: ArrayLike, z: ArrayLike, *, layer: int | None = None) -> NDArray[np.complex128]:
        """Return J in A/m2 at points of the whole cell (m), components last."""
        ...
