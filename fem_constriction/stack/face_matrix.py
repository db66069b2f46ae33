"""F_p on the WE face: the matrix of contact or pores, int over them of phi psi."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from fem_constriction.arrays import Array


class Sheet:
    """A symmetric matrix on the nodes of the face, applied to arrays (..., x, y); most are diagonal, and known to be."""

    def __init__(self, matrix: sparse.csr_array, shape: tuple[int, int]) -> None:
        self.matrix, self.shape = matrix, shape
        self.diagonal: Array = matrix.diagonal().reshape(shape)
        self.plain = bool(np.count_nonzero(self.diagonal) == matrix.count_nonzero())

    def __call__(self, values: Array) -> Array:
        """Return F u, of the shape of u."""
        if self.plain:
            return np.asarray(self.diagonal * values)
        flat = values.reshape(-1, self.matrix.shape[0])
        return np.asarray((self.matrix @ np.ascontiguousarray(flat.T)).T.reshape(values.shape))
