"""x = P u: potentials in all voxels from those of free voxels, of floating pieces of metal, and V.

Vectors stay arrays of all voxels. A potential has V in metal that is tied, 0 in metal that is grounded, and one value in each
floating piece. A residual has 0 in tied and grounded metal, and in a floating piece the mean of what flows out of it: sums of
products over voxels are then those over unknowns, and conjugate gradients need not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.grids.image_metal import GROUNDED, NO_METAL, TIED, Pieces

Real = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Metal:
    """tied, grounded: flat indices of the voxels at V and at ground; floating: of those of floating pieces, ascending by piece.

    piece: which one each of `floating` belongs to, from 0 on; pieces: what every voxel hangs on, (nz, nx, ny);
    reached: whether a path leads from tied metal to the counter electrode.
    """

    tied: NDArray[np.intp]
    grounded: NDArray[np.intp]
    floating: NDArray[np.intp]
    piece: NDArray[np.intp]
    pieces: Pieces
    reached: bool

    @classmethod
    def of(cls, pieces: Pieces, kept: Mask) -> Metal:
        """Return the metal of an image; kept: voxels that a path joins to the counter electrode, other pieces are left out."""
        flat = pieces.ravel()
        there = np.flatnonzero((flat >= 0) & kept.ravel())
        order = np.argsort(flat[there], kind="stable")
        floating = there[order]
        piece = np.unique(flat[floating], return_inverse=True)[1] if floating.size else floating
        tied, grounded = (np.flatnonzero(flat == which) for which in (TIED, GROUNDED))
        return cls(tied, grounded, floating, piece.astype(np.intp), pieces, bool(np.any(kept.ravel()[tied])))

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """Voxels of each floating piece."""
        return np.bincount(self.piece)

    @property
    def free(self) -> Mask:
        """Which voxels' potentials are unknowns, or parts of one, (nz, nx, ny)."""
        return np.asarray((self.pieces == NO_METAL) | (self.pieces >= 0))

    def hold(self, potential: Real, voltage: Any) -> Real:
        """Give tied and grounded metal its potential, and every floating piece that of its first voxel, in place."""
        flat = potential.reshape(-1)
        flat[self.tied], flat[self.grounded] = voltage, 0
        flat[self.floating] = flat[self.first][self.piece]
        return potential

    @cached_property
    def first(self) -> NDArray[np.intp]:
        """The first voxel of each floating piece."""
        return self.floating[np.searchsorted(self.piece, np.arange(len(self.sizes)))] if self.floating.size else self.floating

    def gathered(self, current: Real) -> float:
        """Return the current out of tied metal; of all metal it becomes what a residual has, in place."""
        flat = current.reshape(-1)
        found = float(np.sum(flat[self.tied], dtype=np.float64))
        flat[self.tied] = flat[self.grounded] = 0
        self.level(current)
        return found

    def level(self, values: Real) -> Real:
        """Give every floating piece its mean, in place."""
        if self.floating.size:
            flat = values.reshape(-1)
            means = np.bincount(self.piece, flat[self.floating].astype(np.float64)) / self.sizes
            flat[self.floating] = means[self.piece]
        return values

    def reduced(self, matrix: sparse.csr_array) -> sparse.csr_array:
        """Return P' L P of a matrix of all voxels and V, with as many rows: metal has those of V and of its first voxels."""
        size = matrix.shape[0]
        place = np.arange(size)
        place[self.tied] = size - 1
        place[self.floating] = self.first[self.piece]
        there = np.ones(size)
        there[self.grounded] = 0
        spread = sparse.csr_array((there, (np.arange(size), place)), shape=matrix.shape)
        return sparse.csr_array(spread.T @ matrix @ spread)

    def unknowns(self, kept: Mask) -> sparse.csr_array:
        """Return P from unknowns to voxels, (voxels, unknowns): a column for each free voxel that is kept, and each piece."""
        alone = kept.copy()
        alone.reshape(-1)[self.floating] = False
        rows = np.flatnonzero(alone)
        columns = np.concatenate([np.arange(rows.size), rows.size + self.piece])
        shape = (kept.size, rows.size + len(self.sizes))
        return sparse.csr_array((np.ones(columns.size), (np.concatenate([rows, self.floating]), columns)), shape=shape)
