"""Which voxels a path joins, face by face, to the counter electrode."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from fem_constriction.grids.image_metal import GROUNDED, NO_METAL, Pieces

Codes = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def joined(z: Codes, x: Codes, y: Codes, counter: Codes, conducts: Mask, pieces: Pieces | None = None) -> Mask:
    """Return which voxels a path joins to the counter electrode; links as in `Voxels`, conducts: by their code.

    pieces: of metal (`fem_constriction.grids.image_metal`), one piece being one conductor.
    """
    linked = np.zeros(y.shape, dtype=bool)
    down, along_x, along_y, out = conducts[z], conducts[x], conducts[y[:, :, :-1]], conducts[counter]
    for axis, on in enumerate((down, along_x, along_y)):
        moved = np.moveaxis(linked, axis, 0)
        moved[:-1] |= np.moveaxis(on, axis, 0)
        moved[1:] |= np.moveaxis(on, axis, 0)
    linked[-1] |= out
    if pieces is not None:
        linked |= pieces != NO_METAL
    clusters, _ = scipy.ndimage.label(linked)
    reached = np.unique(clusters[-1][out])
    if pieces is not None:
        reached = np.union1d(reached, clusters[pieces == GROUNDED])
    return np.asarray(linked & np.isin(clusters, reached))
