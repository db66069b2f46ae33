"""x = Phi(A X + b): reference triangles onto triangles of bent patches, exactly, as a mapping for scikit-fem."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skfem import MeshTri
from skfem.mapping import Mapping

from fem_constriction.arrays import Array
from fem_constriction.fem.prisms.bands import bend
from fem_constriction.fem.prisms.outline_mesh import PlanarMesh


def skeleton(mesh: PlanarMesh, unit: float) -> MeshTri:
    """Return the triangles as scikit-fem's mesh, straight: what it needs to number its unknowns."""
    return MeshTri(np.ascontiguousarray(mesh.p / unit), np.ascontiguousarray(mesh.t))


class CurvedMapping(Mapping):  # type: ignore[misc]
    """The mapping of a planar mesh with its lengths divided by `unit`: affine where patch = -1, bent elsewhere.

    Shapes are scikit-fem's: X (2, points) -> x (2, triangles, points), DF (2, 2, triangles, points).
    """

    dim = 2

    def __init__(self, mesh: PlanarMesh, unit: float) -> None:
        self.mesh = skeleton(mesh, unit)  # elements of currents ask it for their orientation
        corners = mesh.p[:, mesh.t].transpose(1, 0, 2)  # (3, 2, triangles)
        self.corners, self.unit = corners / unit, unit
        self.bent = np.flatnonzero(mesh.patch >= 0)
        self.local = mesh.local[:, :, self.bent]
        numbers = np.array(mesh.arcs).reshape(-1, 16)
        self.numbers = numbers[mesh.patch[self.bent]]
        self.place = np.full(mesh.t.shape[1], -1)
        self.place[self.bent] = np.arange(self.bent.size)

    def F(self, X: Array, tind: NDArray[np.int64] | None = None) -> Array:  # noqa: N802
        """Return the points, (2, triangles, points)."""
        return self._all(X, tind)[0]

    def DF(self, X: Array, tind: NDArray[np.int64] | None = None) -> Array:  # noqa: N802
        """Return the Jacobian, (2, 2, triangles, points)."""
        return self._all(X, tind)[1]

    def detDF(self, X: Array, tind: NDArray[np.int64] | None = None) -> Array:  # noqa: N802
        """Return its determinant, (triangles, points)."""
        d = self.DF(X, tind)
        return np.asarray(d[0, 0] * d[1, 1] - d[0, 1] * d[1, 0])

    def invDF(self, X: Array, tind: NDArray[np.int64] | None = None) -> Array:  # noqa: N802
        """Return its inverse, (2, 2, triangles, points)."""
        d = self.DF(X, tind)
        det = d[0, 0] * d[1, 1] - d[0, 1] * d[1, 0]
        return np.asarray(np.stack([np.stack([d[1, 1], -d[0, 1]]), np.stack([-d[1, 0], d[0, 0]])]) / det)

    def each(self, X: Array, tind: NDArray[np.int64]) -> tuple[Array, Array]:
        """Return x (2, n) and DF (2, 2, n) of n triangles, each at a point of its own, X (2, n)."""
        x, d = self._placed(X[:, :, None], tind)
        return x[..., 0], d[..., 0]

    def _all(self, X: Array, tind: Any) -> tuple[Array, Array]:
        chosen = np.arange(self.corners.shape[2])
        return self._placed(X[:, None, :], chosen if tind is None else chosen[tind])

    def _placed(self, X: Array, chosen: NDArray[np.int64]) -> tuple[Array, Array]:
        """x and DF at points X, (2, 1 or triangles, points), of triangles."""
        shape = np.stack([1 - X[0] - X[1], X[0], X[1]])  # (3, 1 or triangles, points)
        slope = np.array([[-1.0, -1.0], [1.0, 0.0], [0.0, 1.0]])
        corners = self.corners[:, :, chosen]
        x = np.sum(shape[:, None] * corners[..., None], 0)
        d = np.repeat(np.einsum("kj,kit->ijt", slope, corners)[..., None], X.shape[2], axis=3)
        here = self.place[chosen]
        bent = np.flatnonzero(here >= 0)
        if bent.size:
            local = self.local[:, :, here[bent]]
            own = shape if shape.shape[1] == 1 else shape[:, bent]
            xi, r = np.sum(own[:, None] * local[..., None], 0)
            inner = np.einsum("kj,kit->ijt", slope, local)
            # A triangle lies on one side of the outline: what is 0 there belongs to that side.
            sign = np.sign(local[:, 1].sum(0))[:, None]
            numbers = self.numbers[here[bent]].T[:, :, None]
            place, by_xi, by_r = bend(numbers, xi, r, sign)
            x[:, bent] = place / self.unit
            outer = np.stack([by_xi, by_r], 1) / self.unit
            d[:, :, bent] = np.einsum("iktp,kjt->ijtp", outer, inner)
        return x, d
