"""sum over processes p of y_p(s) a_p(phi, psi) = V_psi: the weak form, in scikit-fem.

a_bulk = int over the electrolyte of grad phi . grad psi; every thin layer (boundary, contact, pore, counter electrode) is
a sheet, a_p = int over its face of [phi][psi] with [phi] the jump of the potential across it. All forms are real: materials
and frequency multiply the assembled matrices as scalars. On an extruded mesh each integral is a product of one over the
plane and one over z: a_bulk = bulk_xy sheet_z + sheet_xy bulk_z (sheet_z: int u v dz), a_p = sheet_xy times the jumps in z.
"""

from __future__ import annotations

from typing import Any

from skfem import BilinearForm
from skfem.helpers import dot, grad


@BilinearForm
def bulk(phi: Any, psi: Any, _: Any) -> Any:
    """Return grad phi . grad psi."""
    return dot(grad(phi), grad(psi))


@BilinearForm
def sheet(phi: Any, psi: Any, _: Any) -> Any:
    """Return phi psi."""
    return phi * psi
