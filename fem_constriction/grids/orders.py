"""h^p: the order of convergence of grids that are refined alike everywhere, which singular edges limit."""

from __future__ import annotations

from fem_constriction.problem.problem import Described, Problem


def uniform_order(described: Described) -> float:
    """Return the order of convergence under uniform refinement: the edges of the contact decide it, not the elements.

    1 at an ideal contact, whose potential goes like the root of the distance to its edge; h^2 ln h where current density is
    finite there: 2, and seen were 1.3 to 1.9 at direct current, about 1 where the double layer is nearly a short circuit. All
    lie on one side, so the uncertainty, from the observed order against this one, never vanishes by chance. Without an edge
    re-entrant corners and lines where boundaries meet are left: 2 again, whatever the degree.

    Parameters
    ----------
    described
        A Cell, the path of a cell file, a dictionary with its keys, or a Problem.

    Returns
    -------
    float
        Of Z, for a mesh from a file or the voxels of an image.
    """
    problem = Problem.of(described)
    return 1.0 if problem.ideal_contact and problem.contact_fraction < 1 else 2.0
