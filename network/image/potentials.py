"""phi and J of a label image's network at points: straight from a voxel's centre to its faces, and the currents of its links.

J: the currents of the links, spread over the faces they cross and straight between opposite faces: conserved voxel by voxel.
phi: that of the voxel's centre less what half links drop, along each axis, up to the point: along a link the potential of a
resistor, and across a face between two grains it jumps by what the boundary takes. A point on a face belongs to the voxel
behind it. Metal has its potential and no current of its own; holes have neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array, Complex
from fem_constriction.space.voxels import Currents, voxels_at
from network.image.flux import through_faces
from network.image.voxels import Voxels


@dataclass(frozen=True, eq=False)
class VoxelNetwork:
    """One potential of an image and its currents (`Inside`).

    Parameters
    ----------
    voxels
        Its links.
    centres
        Potentials of the voxels' centres, (nz, nx, ny), V; nan where there is nothing.
    flow
        Currents through the faces across z, x and y, A.
    kappa
        What each voxel conducts, (nz, nx, ny), S/m: infinite in metal, 0 where there is nothing.
    """

    voxels: Voxels
    centres: Complex
    flow: Currents
    kappa: Complex

    @classmethod
    def build(cls, voxels: Voxels, potential: NDArray[Any], y: Mapping[str, complex]) -> VoxelNetwork:
        """Return the fields of the potential of all voxels and V, (unknowns,); y: of phases in S/m, and of links in S/m2."""
        assert voxels.series is not None, "links of a cell"
        centres, flow = through_faces(voxels, potential[:, None], {name: np.array([y[name]]) for name in voxels.kinds})
        phases = [y.get(name, 0.0) for name in voxels.series.phases]
        number = np.zeros(voxels.shape, dtype=np.intp) if voxels.phase is None else voxels.phase.astype(np.intp)
        metal = number >= len(phases)
        kappa = np.append(np.array(phases, dtype=np.complex128), np.inf)[np.minimum(number, len(phases))]
        left_out = np.zeros(voxels.shape, dtype=bool) if voxels.kept is None else ~voxels.kept
        nothing = (left_out | (kappa == 0)) & ~metal
        kappa[nothing] = 0
        down, across, aside = (each[..., 0] for each in flow)
        return cls(voxels, np.where(nothing, np.nan, centres[..., 0]), (down, across, aside), kappa)

    def potential(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return phi at n points, (n,), V; nan in holes."""
        at, local = voxels_at(self.voxels.edges, self.voxels.shape, z, x, y)
        found, kappa = self.centres[at].copy(), self.kappa[at]
        inside = np.isfinite(kappa) & (kappa != 0)
        kappa = np.where(inside, kappa, 1.0)
        for axis, t in enumerate(local):
            before, behind = self._densities(axis, at)
            drop = np.where(t > 0.5, behind, before) * (t - 0.5) * self.voxels.edges[axis] / kappa
            found -= np.where(inside, drop, 0.0)
        return found

    def current_density(self, layer: int, x: Array, y: Array, z: Array) -> NDArray[Any]:
        """Return J at n points, (3, n), A/m2; 0 in holes and nan in metal."""
        at, local = voxels_at(self.voxels.edges, self.voxels.shape, z, x, y)
        metal = ~np.isfinite(self.kappa[at])
        found = []
        for axis in (1, 2, 0):
            before, behind = self._densities(axis, at)
            found.append(np.where(metal, np.nan, before + (behind - before) * local[axis]))
        return np.stack(found)

    def _densities(self, axis: int, at: tuple[NDArray[np.intp], ...]) -> tuple[Complex, Complex]:
        """Current densities on the faces before and behind the voxels of points, across an axis, (n,), A/m2."""
        further = tuple(each + (number == axis) for number, each in enumerate(at))
        area = self.voxels.areas[axis]
        flow = np.asarray(self.flow[axis], dtype=np.complex128)
        return flow[at] / area, flow[further] / area
