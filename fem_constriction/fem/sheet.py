"""a_p = int [phi][psi] over faces: drops between the two sides of each first, then the mass matrix of the faces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array


@dataclass(frozen=True, eq=False)
class Sheet:
    """D' M D: drops across the faces of a place, weighted by the mass matrix of its faces.

    drop: (pairs of nodes, unknowns), +1 and -1: differences before anything is multiplied by them, since a large admittance
    leaves only a tiny one. mass: (pairs, pairs), m2.
    """

    drop: sparse.csr_array
    mass: sparse.csr_array

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self.drop.shape[1], self.drop.shape[1]

    def __matmul__(self, columns: Array) -> Array:
        """Return the product with a block of columns."""
        return np.asarray(self._back @ (self.mass @ (self.drop @ columns)))

    @cached_property
    def _back(self) -> sparse.csr_array:
        return sparse.csr_array(self.drop.T)

    def tocsr(self) -> sparse.csr_array:
        """Return the matrix itself."""
        return sparse.csr_array(self._back @ self.mass @ self.drop)


def sheet(first: NDArray[Any], second: NDArray[Any], masses: Array, metal: int) -> Sheet:
    """Return int [phi][psi] over faces, phi dropping from the nodes `first` to `second`.

    Parameters
    ----------
    first, second
        Unknowns of the nodes of each face on its two sides, (faces, nodes of a face), -1 being phi = 0.
    masses
        int u v of each face, (faces, nodes of a face, nodes of a face), m2.
    metal
        The unknown of V, the last one.

    Returns
    -------
    Sheet
        Of shape (metal + 1, metal + 1).
    """
    size = metal + 2
    keys, number = np.unique((first.astype(np.int64).ravel() + 1) * size + second.ravel() + 1, return_inverse=True)
    pairs = np.stack(np.divmod(keys, size)) - 1
    number = np.asarray(number).reshape(first.shape)
    rows = np.broadcast_to(number[:, :, None], (*first.shape, first.shape[1]))
    entries = (masses.ravel(), (rows.ravel(), rows.transpose(0, 2, 1).ravel()))
    mass = sparse.csr_array(entries, shape=(pairs.shape[1], pairs.shape[1]))
    kept = pairs >= 0
    index = np.broadcast_to(np.arange(pairs.shape[1]), pairs.shape)
    signs = np.broadcast_to(np.array([[1.0], [-1.0]]), pairs.shape)
    drop = sparse.csr_array((signs[kept], (index[kept], pairs[kept])), shape=(pairs.shape[1], metal + 1))
    drop.eliminate_zeros()
    return Sheet(drop, mass)
