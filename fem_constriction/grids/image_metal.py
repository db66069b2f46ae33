"""What the metal of a label image hangs on: V, ground, or nothing.

Metal is one equipotential as far as it is joined face by face. A piece that touches its collector, the metal above the first
voxels (where `working_electrode.contact` says that it touches) or below the last, has the collector's potential; any other
floats: its potential is an unknown, and the current into it is zero. Voxels that touch at edges or corners alone are not
joined, as current through an edge is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import scipy
from numpy.typing import NDArray

from fem_constriction.errors import InputError
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE

Pieces = NDArray[np.int32]

#: Of a voxel: no metal, metal at V, metal at ground; from 0 on the number of a floating piece.
NO_METAL, TIED, GROUNDED = -3, -2, -1

_SIDES: Final = {CHARGE_TRANSFER: "working", COUNTER_ELECTRODE: "counter"}


def pieces_of(labels: NDArray[Any], electrodes: Mapping[int, str], contact: NDArray[np.bool_]) -> Pieces | None:
    """Return what each voxel of metal hangs on, (nz, nx, ny); None for an image without metal.

    Parameters
    ----------
    labels
        (nz, nx, ny), z = 0 at the working electrode.
    electrodes
        Label of metal -> the process where it meets the electrolyte: charge transfer or counter electrode.
    contact
        Where the working electrode's collector touches the first layer, (nx, ny).

    Raises
    ------
    InputError
        Where metal joins both collectors, or touches the other electrode's.
    """
    if not electrodes:
        return None
    metal = np.isin(labels, list(electrodes))
    numbers, count = scipy.ndimage.label(metal)
    tied = np.unique(numbers[0][contact & metal[0]])
    grounded = np.unique(numbers[-1][metal[-1]])
    for label, process in electrodes.items():
        own, other = (tied, grounded) if process == CHARGE_TRANSFER else (grounded, tied)
        there = np.intersect1d(np.unique(numbers[labels == label]), other)
        if there.size:
            short = np.intersect1d(there, own).size > 0
            touched = "counter" if process == CHARGE_TRANSFER else "working"
            raise InputError(
                key="electrolyte.microstructure.phases",
                why=f"metal with label {label} is tied to the {_SIDES[process]} electrode, and a piece of it "
                + ("joins both collectors, a short circuit" if short else f"hangs on the collector of the {touched} electrode"),
            )
    lookup = np.full(count + 1, NO_METAL, dtype=np.int32)
    floating = np.setdiff1d(np.arange(1, count + 1), np.concatenate([tied, grounded]))
    lookup[floating] = np.arange(len(floating))
    lookup[tied], lookup[grounded] = TIED, GROUNDED
    return np.asarray(lookup[numbers])
