"""sum over processes p of y_p(s) a_p(phi, psi) = V_psi: the weak form, in scikit-fem.

a_bulk = int over the electrolyte of grad phi . grad psi; every thin layer (boundary, contact, pore, counter electrode) is
a sheet, a_p = int over its face of [phi][psi] with [phi] the jump of the potential across it. All forms are real: materials
and frequency multiply the assembled matrices as scalars. On an extruded mesh each integral is a product of one over the
plane and one over z: a_bulk = bulk_xy sheet_z + sheet_xy bulk_z (sheet_z: int u v dz), a_p = sheet_xy times the jumps in z.
"""

from __future__ import annotations

from typing import Any

from skfem import BilinearForm, LinearForm
from skfem.helpers import div, dot, grad


@BilinearForm
def bulk(phi: Any, psi: Any, _: Any) -> Any:
    """Return grad phi . grad psi."""
    return dot(grad(phi), grad(psi))


@BilinearForm
def sheet(phi: Any, psi: Any, _: Any) -> Any:
    """Return phi psi."""
    return phi * psi


@BilinearForm
def flow_energy(j: Any, k: Any, _: Any) -> Any:
    """Return J . K of two currents."""
    return dot(j, k)


@BilinearForm
def divergence_density(j: Any, q: Any, w: Any) -> Any:
    """Return div J times a density, q^/det: what a triangle's own functions become, as the divergence does."""
    return div(j) * q / w["det"]


@BilinearForm
def density_sheet(p: Any, q: Any, w: Any) -> Any:
    """Return the product of two densities."""
    return p * q / w["det"] ** 2


@BilinearForm
def potential_density(phi: Any, q: Any, w: Any) -> Any:
    """Return a potential times a density."""
    return phi * q / w["det"]


@LinearForm
def density(q: Any, w: Any) -> Any:
    """Return a density."""
    return q / w["det"]
