"""Z(s) = b' (sum_p y_p(s) L_p)^-1 b with L_p the Laplacian of one process's links: the voxel RC network.

At every real s > 0 an upper bound of the continuum: its Kirchhoff currents are admissible, divergence-free
(Raviart-Thomas) currents of the continuous cell, and their link energy is at least the continuous one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

from fem_constriction.problem.kinds import IMAGE, MESH, OUTLINES, PIXELS, RECTANGLES, TWO_OUTLINES, TWO_PIXELS, TWO_RECTANGLES
from fem_constriction.reduction.assembly import Bound
from fem_constriction.solving.schemes import ByKind, Scheme
from network.image.image_network import Images
from network.image.twins import Twins
from network.stacks import Graded, Pixelated, Shared, TwoGraded, TwoPixelated, TwoShared

SCHEMES: Mapping[str, type[Scheme]] = {
    RECTANGLES.name: Graded,
    OUTLINES.name: Shared,
    PIXELS.name: Pixelated,
    IMAGE.name: Images,
    MESH.name: Twins,
    TWO_RECTANGLES.name: TwoGraded,
    TWO_OUTLINES.name: TwoShared,
    TWO_PIXELS.name: TwoPixelated,
}


class Network(ByKind):
    """The voxel RC network on rectilinear grids, as a backend."""

    name = "network"
    order = 2.0
    bound: Bound = "upper"
    offers: ClassVar[Mapping[str, Collection[str]]] = {kind: scheme.offers for kind, scheme in SCHEMES.items()}

    @property
    def schemes(self) -> Mapping[str, Scheme]:
        """Name of a kind of cell -> what the network does with it."""
        return {kind: scheme(self.name) for kind, scheme in SCHEMES.items()}
