"""Z_potentials <= Z <= Z_currents of one face: two stacks that are not discretised along z, and what couples them.

Potentials are conforming functions of the plane times any function of z, currents divergence-free ones. Both are known by what
they are on the planes between layers, so that whatever is made of both (guaranteed discs) is a matter of planes.
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy import sparse

from fem_constriction.stack.layered import Layered


@dataclass(frozen=True, eq=False)
class Sides:
    """The two sides of a face.

    Parameters
    ----------
    potentials, currents
        The stacks, of the same layers, area and unit. Values on the face of the first are potentials at nodes, of the second
        densities; a density belongs to contact or to pores alone.
    overlap
        int N_i q_j along x and along y, (potentials, densities) each: their product is the plane's. A plane without product
        structure has all of it along x, and [[1]] along y.
    name
        What the sides stand on, for messages and provenance.
    """

    potentials: Layered
    currents: Layered
    overlap: tuple[sparse.csr_array, sparse.csr_array]
    name: str
