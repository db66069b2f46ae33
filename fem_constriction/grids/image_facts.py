"""What a label image is like: volume fractions, grains, area of boundaries, and which of its phases lead from face to face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from fem_constriction.grids.boundary_area import overcounted
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.processes.names import BULK

Labels = NDArray[Any]

#: Voxels of which more facts are told: counting takes a few seconds.
MOST = 50_000_000


@dataclass(frozen=True)
class PhaseFacts:
    """name; fraction: of the volume; pieces: face-connected ones; percolates: whether one of them reaches from z = 0 to L_z."""

    name: str
    fraction: float
    pieces: int
    percolates: bool


@dataclass(frozen=True)
class ImageFacts:
    """phases: all grains together first; grains: how many labels they have; faces: area of voxels' faces between grains, m2.

    smooth: about that of the boundaries that they picture; path: whether what is not insulating leads from face to face.
    """

    phases: tuple[PhaseFacts, ...]
    grains: int
    faces: float
    smooth: float
    path: bool


def phases_of(body: Image, labels: Labels) -> tuple[list[str], NDArray[np.uint8]]:
    """Return the names of phases, all grains together first, and the number of each voxel's."""
    names = [BULK, *body.inclusions.values(), *(f"electrode {label}" for label in body.electrodes)]
    found = np.zeros(labels.shape, dtype=np.uint8)
    for number, label in enumerate([*body.inclusions, *body.electrodes], start=1):
        found[labels == label] = number
    return names, found


def facts_of(described: Described) -> tuple[ImageFacts, Labels]:
    """Return what the image of a cell is like, and its labels. Raises InputError as `labels_of`."""
    problem = Problem.of(described)
    body = Image.of(problem.body)
    labels, _ = labels_of(problem)
    names, phase = phases_of(body, labels)
    found = []
    for number, name in enumerate(names):
        there = phase == number
        clusters, pieces = scipy.ndimage.label(there)
        through = np.intersect1d(clusters[0][there[0]], clusters[-1][there[-1]]).size > 0
        found.append(PhaseFacts("grains" if name == BULK else name, float(there.mean()), int(pieces), bool(through)))
    grain = phase == 0
    faces = 0.0
    for axis, edge in enumerate(body.structure.edges):
        one, other, a, b = (
            np.moveaxis(each, axis, 0)[part] for each in (labels, grain) for part in (slice(None, -1), slice(1, None))
        )
        faces += np.count_nonzero((one != other) & a & b) * float(np.prod(body.structure.edges)) / edge
    solid = np.isin(phase, [number for number, name in enumerate(names) if name in problem.places or "electrode" in name])
    clusters, _ = scipy.ndimage.label(solid)
    path = np.intersect1d(clusters[0][solid[0]], clusters[-1][solid[-1]]).size > 0
    factor = overcounted(body, labels) if faces else 1.0
    return ImageFacts(tuple(found), len(np.unique(labels[grain])), faces, faces / factor, bool(path)), labels
