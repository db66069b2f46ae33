"""sum_p y_p(s) a_p(phi, psi) = V_psi in Lagrange elements: the finite elements, as a backend.

Conforming within each layer, with exact quadrature, jumps across every grain boundary and thin-layer (Robin) terms on both
electrodes: at every real s > 0 a lower bound of the continuum, since the potential minimises over too few functions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

from fem_constriction.fem.elements import Elements
from fem_constriction.fem.meshes.elements import MeshElements
from fem_constriction.fem.prisms.elements import PrismElements, TwoPrismElements
from fem_constriction.fem.stacks.elements import Hexahedra, PixelElements, TwoHexahedra, TwoPixelElements
from fem_constriction.fem.voxels.elements import VoxelElements
from fem_constriction.problem.faces import Mesher
from fem_constriction.problem.kinds import IMAGE, MESH, OUTLINES, PIXELS, RECTANGLES, TWO_OUTLINES, TWO_PIXELS, TWO_RECTANGLES
from fem_constriction.reduction.assembly import Bound
from fem_constriction.solving.schemes import ByKind, Scheme

SCHEMES: Mapping[str, type[Elements]] = {
    RECTANGLES.name: Hexahedra,
    OUTLINES.name: PrismElements,
    PIXELS.name: PixelElements,
    IMAGE.name: VoxelElements,
    MESH.name: MeshElements,
    TWO_RECTANGLES.name: TwoHexahedra,
    TWO_OUTLINES.name: TwoPrismElements,
    TWO_PIXELS.name: TwoPixelElements,
}


class FiniteElements(ByKind):
    """Lagrange elements of degree 1 to 4: hexahedra, prisms where the contact's outline is on no grid line, a mesh's own."""

    name = "fem"
    bound: Bound = "lower"
    offers: ClassVar[Mapping[str, Collection[str]]] = {kind: scheme.offers for kind, scheme in SCHEMES.items()}

    def __init__(self, degree: int | None = None, mesher: Mesher | None = None) -> None:
        self.degree, self.mesher = degree or Elements.usual_degree, mesher
        self.order = 2.0 * self.degree
        self._given = degree

    @property
    def schemes(self) -> Mapping[str, Scheme]:
        """Name of a kind of cell -> the elements for it."""
        return {kind: scheme(self.name, self._given or scheme.usual_degree, self.mesher) for kind, scheme in SCHEMES.items()}
