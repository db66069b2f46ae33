"""L = E' (sum of C_z (x) P_xy) E: matrices of an extruded mesh, applied factor by factor and never written out.

E ties nodes together: those of an ideal contact are V, those of an ideal counter electrode are phi = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.assembly import Array


@dataclass(frozen=True, eq=False)
class Numbering:
    """Which unknown each node is: rows of nodes as in the mesh, then V.

    rows: number of rows of nodes; first: which nodes of the first row (the WE face) are unknowns, the others being V;
    grounded: whether the last row (the CE face) is phi = 0. Unknowns are the remaining nodes in their order, then V.
    """

    rows: int
    first: NDArray[np.bool_]
    grounded: bool

    @property
    def unknowns(self) -> int:
        """Number of unknowns, V included."""
        return int(self.first.sum()) + (self.rows - 1 - self.grounded) * self.first.size + 1

    def spread(self, columns: Array, rows: NDArray[np.int64]) -> Array:
        """Return E x on some rows of nodes, shape (len(rows), nodes of a row, k), from values of the unknowns."""
        size, start = self.first.size, int(self.first.sum())
        values = np.zeros((rows.size, size, columns.shape[1]))
        for image, row in zip(values, rows, strict=True):
            if row == 0:
                image[:] = columns[-1]
                image[self.first] = columns[:start]
            elif row < self.rows - self.grounded:
                image[:] = columns[start + (row - 1) * size : start + row * size]
        return values

    def gather(self, values: Array, rows: NDArray[np.int64]) -> Array:
        """Return E' v: sums over the nodes of each unknown, values given on some rows and 0 elsewhere."""
        size, start = self.first.size, int(self.first.sum())
        columns = np.zeros((self.unknowns, values.shape[2]))
        for value, row in zip(values, rows, strict=True):
            if row == 0:
                columns[:start] = value[self.first]
                columns[-1] = value[~self.first].sum(0)
            elif row < self.rows - self.grounded:
                columns[start + (row - 1) * size : start + row * size] = value
        return columns

    def matrix(self) -> sparse.csr_array:
        """Return E, (nodes, unknowns)."""
        nodes, unknowns = self.rows * self.first.size, self.unknowns
        last = nodes - self.first.size * self.grounded
        free = np.append(np.flatnonzero(self.first), np.arange(self.first.size, last))
        tied = np.flatnonzero(~self.first)
        columns = np.append(np.arange(free.size), np.full(tied.size, unknowns - 1))
        return sparse.csr_array((np.ones(columns.size), (np.append(free, tied), columns)), shape=(nodes, unknowns))


@dataclass(frozen=True, eq=False)
class Extruded:
    """sum over terms of C (x) P for nodes (row, node of the plane), C of shape (rows, rows), P over the plane.

    load: for a sheet between the metal and the nodes of the first row, int psi over it, (nodes of the plane): adds
    -load to the border with V and sum(load) to its diagonal; None for a process that does not touch the metal.
    """

    terms: Sequence[tuple[sparse.csr_array, sparse.csr_array]]
    numbering: Numbering
    load: Array | None = None

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Rows of nodes that the process touches."""
        touched = sum((abs(vertical).sum(0) for vertical, _ in self.terms), np.zeros(self.numbering.rows))
        return np.flatnonzero(touched)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self.numbering.unknowns, self.numbering.unknowns

    def __matmul__(self, columns: Array) -> Array:
        """Return the product with a block of columns; only the rows of nodes the process touches are visited."""
        values = self.numbering.spread(columns, self.rows)
        image = np.zeros_like(values)
        for vertical, planar in self.terms:
            across = np.stack([planar @ row for row in values])
            small = vertical[self.rows][:, self.rows]
            image += (small @ across.reshape(self.rows.size, -1)).reshape(across.shape)
        if self.load is not None:
            image[0] -= self.load[:, None] * columns[-1]
        result = self.numbering.gather(image, self.rows)
        if self.load is not None:
            result[-1] += self.load.sum() * columns[-1] - self.load @ values[0]
        return result

    def tocsr(self) -> sparse.csr_array:
        """Return the matrix itself."""
        tie = self.numbering.matrix()
        inner = sum(sparse.kron(vertical, planar, format="csr") for vertical, planar in self.terms)
        matrix = sparse.csr_array(tie.T @ inner @ tie)
        if self.load is not None:
            first = np.zeros(tie.shape[0])
            first[: self.load.size] = self.load
            border = sparse.csr_array(np.asarray(tie.T @ first)[:, None])
            port = sparse.csr_array(([1.0], ([0], [self.shape[0] - 1])), shape=(1, self.shape[0]))
            matrix = matrix - border @ port - port.T @ border.T + self.load.sum() * (port.T @ port)
        return sparse.csr_array(matrix)
