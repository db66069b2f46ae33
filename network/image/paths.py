"""Current flows through a voxel only where links that conduct join it, face by face, to the counter electrode.

All other voxels are islands: their potential is arbitrary, so their rows would make the matrix singular, and no current of an
electrode ever reaches them. A link conducts where both of its voxels do, so that the voxels with any such link tell it all.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from network.image.clusters import Mask, joined
from network.image.voxels import Voxels


def at_direct_current(voxels: Voxels, processes: Mapping[str, Admittance]) -> tuple[Mask | None, bool]:
    """Return which voxels carry direct current (None: all), and whether any of it finds a path between the electrodes."""
    conducts = np.array([False, *(bool(processes[name](0.0) > 0) for name in voxels.kinds)])
    inside = [not name.startswith((CHARGE_TRANSFER, PORE)) for name in voxels.kinds]
    kept, metal = voxels.kept, voxels.metal_of
    entering = conducts[voxels.metal]
    if metal is not None:
        reached = joined(voxels.z, voxels.x, voxels.y, voxels.counter, conducts, metal.pieces)
        flows = np.any(entering & reached[0] & metal.free[0]) or np.any(reached.ravel()[metal.tied])
        return reached & metal.free, bool(flows)
    if not conducts[1:][inside].all():
        kept = joined(voxels.z, voxels.x, voxels.y, voxels.counter, conducts)
    return kept, bool(np.any(entering if kept is None else entering & kept[0]))
