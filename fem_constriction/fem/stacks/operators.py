"""L = E' (sum of C_z (x) P_xy) E: matrices of an extruded mesh, applied factor by factor and never written out.

E ties nodes together: those of an ideal contact are V, those of an ideal counter electrode are phi = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.reduction.assembly import Potentials


@dataclass(frozen=True, eq=False)
class Numbering:
    """Which unknown each node is: rows of nodes as in the mesh, then V.

    rows: number of rows of nodes; first: which nodes of the first row (the WE face) are unknowns, the others being V;
    last: which nodes of the last row (the CE face) are, the others being phi = 0. Unknowns are the remaining nodes in their
    order, then V.
    """

    rows: int
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: int, first: NDArray[np.bool_], *, grounded: bool) -> Numbering:
        """Return that of a counter electrode which is the same everywhere; grounded: its face is phi = 0."""
        return cls(rows, first, np.full(first.shape, not grounded))

    @property
    def grounded(self) -> bool:
        """Whether no node of the last row is an unknown."""
        return not self.last.any()

    @property
    def unknowns(self) -> int:
        """Number of unknowns, V included."""
        return int(self.first.sum()) + (self.rows - 2) * self.first.size + int(self.last.sum()) + 1

    def spread(self, columns: Array, rows: NDArray[np.int64]) -> Array:
        """Return E x on some rows of nodes, shape (len(rows), nodes of a row, k), from values of the unknowns."""
        size, start = self.first.size, int(self.first.sum())
        values = np.zeros((rows.size, size, columns.shape[1]))
        for image, row in zip(values, rows, strict=True):
            if row == 0:
                image[:] = columns[-1]
                image[self.first] = columns[:start]
            elif row < self.rows - 1:
                image[:] = columns[start + (row - 1) * size : start + row * size]
            else:
                image[self.last] = columns[start + (row - 1) * size : -1]
        return values

    def gather(self, values: Array, rows: NDArray[np.int64]) -> Array:
        """Return E' v: sums over the nodes of each unknown, values given on some rows and 0 elsewhere."""
        size, start = self.first.size, int(self.first.sum())
        columns = np.zeros((self.unknowns, values.shape[2]))
        for value, row in zip(values, rows, strict=True):
            if row == 0:
                columns[:start] = value[self.first]
                columns[-1] = value[~self.first].sum(0)
            elif row < self.rows - 1:
                columns[start + (row - 1) * size : start + row * size] = value
            else:
                columns[start + (row - 1) * size : -1] = value[self.last]
        return columns

    def row_of(self, potentials: Potentials) -> Callable[[int], Array]:
        """Return row -> potentials of all its nodes, tied ones included, (nodes of a row, r)."""
        size, start = self.first.size, int(self.first.sum())
        metal = potentials.values(slice(-1, None))

        def row(number: int) -> Array:
            if number == 0:
                values = np.repeat(metal, size, axis=0)
                values[self.first] = potentials.values(slice(0, start))
                return values
            first = start + (number - 1) * size
            if number == self.rows - 1 and not self.last.all():
                values = np.zeros((size, metal.shape[1]), dtype=metal.dtype)
                if self.last.any():
                    values[self.last] = potentials.values(slice(first, self.unknowns - 1))
                return values
            return potentials.values(slice(first, first + size))

        return row

    def matrix(self) -> sparse.csr_array:
        """Return E, (nodes, unknowns)."""
        nodes, unknowns = self.rows * self.first.size, self.unknowns
        last = nodes - self.first.size
        free = np.concatenate([np.flatnonzero(self.first), np.arange(self.first.size, last), last + np.flatnonzero(self.last)])
        tied = np.flatnonzero(~self.first)
        columns = np.append(np.arange(free.size), np.full(tied.size, unknowns - 1))
        return sparse.csr_array((np.ones(columns.size), (np.append(free, tied), columns)), shape=(nodes, unknowns))


@dataclass(frozen=True, eq=False)
class Extruded:
    """sum over terms of C (x) P for nodes (row, node of the plane), C of shape (rows, rows), P over the plane.

    metal: whether the process acts on phi - V, between the first row of nodes and the metal, instead of on phi. Differences
    (jumps, and phi - V) are taken before anything is multiplied by them: a large admittance leaves only a tiny one, and that
    must not be lost in rounding.
    """

    terms: Sequence[tuple[sparse.csr_array, sparse.csr_array]]
    numbering: Numbering
    metal: bool = False

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
        if self.metal:
            values -= columns[-1]
        image = np.zeros_like(values)
        flat = values.reshape(self.rows.size, -1)
        for vertical, planar in self.terms:
            along = (vertical[self.rows][:, self.rows] @ flat).reshape(values.shape)
            for row, value in zip(image, along, strict=True):
                row += planar @ value
        result = self.numbering.gather(image, self.rows)
        if self.metal:
            result[-1] -= image.sum((0, 1))
        return result

    def tocsr(self) -> sparse.csr_array:
        """Return the matrix itself."""
        tie = self.numbering.matrix()
        if self.metal:  # phi - V: every node less the last unknown
            nodes = np.arange(tie.shape[0])
            tie = tie - sparse.csr_array((np.ones(nodes.size), (nodes, np.full(nodes.size, tie.shape[1] - 1))), shape=tie.shape)
        inner = sum(sparse.kron(vertical, planar, format="csr") for vertical, planar in self.terms)
        return sparse.csr_array(tie.T @ inner @ tie)
