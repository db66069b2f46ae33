"""P^-1 = A^-1, factorised, or one V-cycle of classical multigrid: what converges where the mean-field stack does not.

Both see every link. Classical multigrid coarsens along strong links, so that a cluster of good conductors in a bad one, or of
grains in a dielectric, is one unknown of a coarser level: 4 to 8 iterations whatever the contrast is (measured from 1e-6 to
1e6). They take the written-out matrix, in double precision, of the voxels that carry current.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.reduction.factors import factorised
from network.image.voxels import Weights

Real = NDArray[Any]

#: A link that conducts so much less than the best one counts for so much in the factors: below that, a cluster that it alone
#: holds would be singular in rounding. The iteration around them knows what it conducts.
LEAST = 1e-14

#: Unknowns of the coarsest level at most: it is factorised.
COARSEST = 500


class Factorised:
    """A itself, factorised: for images so small that nothing else is faster."""

    name = "factorised matrix"

    def __init__(self, weights: Weights, kept: NDArray[np.bool_] | None) -> None:
        self.unknowns = _Unknowns(weights, kept)
        self.factors = factorised(self.unknowns.matrix(weights))

    def solve(self, residual: Real, out: Real) -> Real:
        """Write P^-1 residual into out and return it."""
        return self.unknowns.within(residual, out, self.factors.solve)


class Multigrid:
    """One symmetric V-cycle of classical (Ruge-Stuben) multigrid."""

    name = "classical multigrid"

    def __init__(self, weights: Weights, kept: NDArray[np.bool_] | None) -> None:
        # Imported here: it takes a quarter of a second, and most cells never need it.
        from pyamg import ruge_stuben_solver

        self.unknowns = _Unknowns(weights, kept)
        hierarchy = ruge_stuben_solver(self.unknowns.matrix(weights), max_coarse=COARSEST, coarse_solver="splu")
        self.cycle = hierarchy.aspreconditioner(cycle="V")

    def solve(self, residual: Real, out: Real) -> Real:
        """Write P^-1 residual into out and return it."""
        return self.unknowns.within(residual, out, self.cycle.matvec)


class _Unknowns:
    """The voxels that carry current, those of a floating piece of metal being one unknown."""

    def __init__(self, weights: Weights, kept: NDArray[np.bool_] | None) -> None:
        self.kept, metal = kept, weights.metal_of
        pieces = metal is not None and metal.floating.size and kept is not None
        self.spread = metal.unknowns(kept) if pieces and metal is not None and kept is not None else None

    def within(self, residual: Real, out: Real, solve: Any) -> Real:
        """Write the solution of their equations into out, 0 elsewhere."""
        if self.spread is not None:
            out[...] = (self.spread @ solve(self.spread.T @ residual.ravel())).reshape(out.shape)
        elif self.kept is None:
            out[...] = solve(residual.ravel()).reshape(out.shape)
        else:
            out[...] = 0
            out[self.kept] = solve(residual[self.kept])
        return out

    def matrix(self, weights: Weights) -> sparse.csr_matrix:
        """Return A of them, V held, as compressed rows (a matrix, not an array: pyamg takes these)."""
        matrix = _matrix(weights)
        if self.spread is not None:
            matrix = sparse.csr_matrix(self.spread.T @ matrix @ self.spread)
        elif self.kept is not None:
            rows = np.flatnonzero(self.kept)
            matrix = matrix[rows][:, rows]
        matrix.eliminate_zeros()
        return matrix


def _matrix(weights: Weights) -> sparse.csr_matrix:
    """Return A of all voxels, V held."""
    nz, nx, ny = weights.y.shape
    links = [np.zeros((nz, nx, ny)) for _ in range(3)]
    links[0][:-1], links[1][:, :-1], links[2][...] = weights.z, weights.x, weights.y
    least = LEAST * max(float(each.max()) for each in (*links, weights.metal, weights.counter))
    for each in links:
        np.maximum(each, least, out=each, where=each > 0)
    diagonal = np.zeros((nz, nx, ny))
    for axis, each in enumerate(links):
        diagonal += each
        np.moveaxis(diagonal, axis, 0)[1:] += np.moveaxis(each, axis, 0)[:-1]
    diagonal[0] += weights.metal
    diagonal[-1] += weights.counter
    size = diagonal.size
    bands: dict[int, Real] = {}
    for step, each in zip((nx * ny, ny, 1), links, strict=True):  # in a single row of voxels two steps are the same
        if step < size:
            bands[step] = bands.get(step, 0.0) - each.ravel()[: size - step]
    return sparse.diags(
        [diagonal.ravel(), *bands.values(), *bands.values()], [0, *bands, *(-step for step in bands)], format="csr"
    )
