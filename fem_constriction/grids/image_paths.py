"""Where a label image is closed: no path of voxels that conduct leads from one electrode to the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from fem_constriction.errors import InputError, Written
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import PORE


def no_path(problem: Problem, labels: NDArray[Any], contact: NDArray[np.bool_]) -> InputError:
    """Return what is said of an image through which no current flows at any frequency, for the caller to raise."""
    body = Image.of(problem.body)
    holes = [label for label, phase in body.inclusions.items() if phase not in problem.places]
    first = blocked(labels, holes, contact | (PORE in problem.places))
    where = f"all end at layer {first + 1} of {len(labels)}" if first else "none begins: the first layer has holes there"
    return InputError(
        key="electrolyte.microstructure.image",
        value=Written(f"'{body.structure.image}'"),
        why="no path for current leads from the working to the counter electrode at any frequency "
        f"({where}, counted from the working electrode)",
        remedy="inclusions with neither conductivity nor relative_permittivity are holes, "
        f"here label {', '.join(map(str, holes[:5]))}",
    )


def blocked(labels: NDArray[Any], holes: Sequence[int], entry: NDArray[np.bool_]) -> int:
    """Return the first layer that no path of voxels other than holes reaches from an entry, (nx, ny), of the first layer."""
    clusters, _ = scipy.ndimage.label(~np.isin(labels, holes))
    reached = np.unique(clusters[0][entry & (clusters[0] > 0)])
    if not reached.size:
        return 0
    layers = np.flatnonzero(np.isin(clusters, reached).any((1, 2)))
    return int(layers[-1]) + 1
