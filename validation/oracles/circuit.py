"""One-dimensional circuits of the cell: what is left when the current does not squeeze."""

from __future__ import annotations

from validation.oracles.validity import positive, within


def series_stack(
    kappa: complex,
    thickness: float,
    layers: int = 1,
    y_gb: complex | None = None,
    y_ce: complex | None = None,
) -> complex:
    """Z A = L_z/kappa + (layers - 1)/y_gb + 1/y_ce: the laterally uniform mode of the stack below the face.

    Units: kappa S/m, thickness m, admittances S/m2 (None: perfect); returns ohm m2. Valid for uniform
    current density. Source: series connection.
    """
    positive(thickness=thickness, layers=layers)
    boundaries = 0.0 if y_gb is None else (layers - 1) / y_gb
    return thickness / kappa + boundaries + (0.0 if y_ce is None else 1.0 / y_ce)


def one_dimensional(
    area: float,
    contact_area: float,
    kappa: complex,
    thickness: float,
    *,
    layers: int = 1,
    y_gb: complex | None = None,
    y_contact: complex | None = None,
    y_pore: complex = 0.0,
    y_ce: complex | None = None,
) -> complex:
    """Z = L_z/(kappa A) + (layers - 1)/(y_gb A) + 1/(y_ct A_c + y_pore (A - A_c)) [+ 1/(y_ce A)].

    The 1D-PM; with y_ce the modified one. Units: areas m2, thickness m, kappa S/m, admittances S/m2 (None:
    perfect); returns ohm. A lower bound of Z at real s > 0, exact at full contact, and at every fraction
    when y_ct = y_pore. At a full contact the pores take no part. Source: Eckhardt et al. 2022, eq. (1) with
    R_Pol divided by A_contact.
    """
    positive(area=area)
    within("contact_area", contact_area, 0.0, area * (1.0 + 1e-9))
    stack = series_stack(kappa, thickness, layers, y_gb, y_ce) / area
    if y_contact is None and contact_area > 0:
        return stack
    y = (y_contact or 0.0) * contact_area + y_pore * (area - contact_area)
    return stack + (1.0 / y if y else complex("inf"))
