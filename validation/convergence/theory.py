"""error = C h^p: the order p that theory gives a family of grids on a cell, and why.

Four cases. Regular: nothing varies along the face, and both built-in backends are exact. Ideal edge: the potential goes like
r^(1/2) at the edge of a contact without resistance, so grids of equal cells have order 1 whatever their degree k. Robin edge:
with a contact resistance it goes like r ln r, and they have order 2, with a logarithm. Graded: lines r_i ~ (i/n)^mu towards the
edge restore 2 k for mu > 2 k at an ideal edge, mu > k at a Robin edge (numerics of the project; Babuska, Kellogg, Pitkaranta,
Numer. Math. 33 (1979) 447, for the grading). Label images and meshes bring their grids with them, and are cut finer: edges of
grains and phases inside them decide, whose potential goes like r^lambda, and Z has the order 2 lambda.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.units import array_in
from fem_constriction.fem import FiniteElements
from fem_constriction.fem.stacks.elements import GRADINGS
from fem_constriction.grids.grid import Grading
from fem_constriction.processes.elements import evaluate
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, PORE
from fem_constriction.processes.of_cell import admittances
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.refinement import Family
from network import Network
from network.stacks import GRADING

Grids = Literal["graded", "uniform", "subdivision", "image"]

GRIDS: Final[tuple[Grids, ...]] = ("graded", "uniform")

#: Families of a cell that brings its grid with it: that grid cut finer, or the image drawn again at finer voxels.
SUBDIVISION: Final[Grids] = "subdivision"
REDRAWN: Final[Grids] = "image"
OWN: Final[tuple[Grids, ...]] = (SUBDIVISION, REDRAWN)

#: Cells per length kappa/y of a Robin edge below which grids do not see that it is one.
RESOLVED: Final = 10.0


@dataclass(frozen=True)
class Expected:
    """Order as h -> 0 (None: exact, up to rounding), the least order at the steps at hand, a short name and the reason."""

    order: float | None
    least: float
    case: str
    reason: str


def regular(cell: Cell) -> bool:
    """Whether nothing varies along the face: full contact or none, or pores that conduct as the contact does."""
    y = admittances(cell)
    return not 0 < cell.contact_fraction < 1 or (CHARGE_TRANSFER in y and y[CHARGE_TRANSFER] == y.get(PORE))


def expected_order(
    cell: Cell, backend: Backend, grids: Grids, frequency: Sequence[float] = (0.0,), step: float = 0.0
) -> Expected:
    """Return the order of convergence of Z that theory gives a backend's family of grids, with the reason in words.

    frequency: Hz, 0 for direct current; step: m, of the finest grid. From them follows whether the length |kappa/y| of a Robin
    edge is resolved: where it is not, anywhere, the order at these steps is that of an ideal edge, which `least` says; 0 where
    contact and pores are both so good that grids do not tell them from an electrode.
    """
    if grids in OWN:
        return _own(cell, grids, frequency)
    built_in = type(backend) in (Network, FiniteElements)
    if built_in and regular(cell):
        reason = "nothing varies along the face: the solution is one-dimensional, and exact up to rounding and solver"
        return Expected(None, 0.0, "regular", reason)
    ideal = CHARGE_TRANSFER not in admittances(cell)
    if grids == "uniform":
        return _uniform(cell, backend, ideal, frequency, step)
    grading = _grading(backend)
    if grading is None:
        return Expected(backend.order, backend.order, "stated by the backend", "stated by the backend")
    return _graded(backend, grading, ideal)


def _own(cell: Cell, grids: Grids, frequency: Sequence[float]) -> Expected:
    if grids == REDRAWN:
        reason = "every image is another body, whose boundaries are those pictured to the size of a voxel: at best order 1"
        return Expected(1.0, 0.0, "drawn again", reason)
    y = admittances(cell)
    structure = cell.electrolyte.microstructure
    inside = [BULK] if structure is None else [BULK, *(each.phase for each in structure.materials)]
    known = evaluate({name: y[name] for name in inside if name in y}, 2j * np.pi * np.asarray(frequency, dtype=float))
    conducts = [np.abs(value) for value in known.values()]
    # No better than the edge of a contact, order 1; a re-entrant corner, of a hole or a contrast of 3, has 4/3.
    contrast = max((float(np.max(a / b)) for a in conducts for b in conducts if np.all(b > 0)), default=1.0)
    least = min(1.0, 8 / math.pi * math.atan(contrast**-0.5))
    reason = "voxels cut finer: 1.5 beside edges of grains, 1 to 2 at those of the contact"
    if least < 1:
        reason += f", {least:.2g} where phases with a contrast of {contrast:.3g} meet at an edge"
    return Expected(1.5, least, "cut finer", reason)


def of_family(family: Family, expected: Expected) -> Expected:
    """Return what is expected of a family whose grids state an order of their own, else what was expected."""
    stated = family.finest.grid.order
    if expected.case in ("cut finer", "drawn again"):
        return expected
    if stated is None or stated == expected.order or expected.order is None:
        return expected
    why = "" if family.finest.grid.fits else ": their lines do not fit the outline of the contact"
    return Expected(stated, stated, "stated by the grids", f"stated by the grids{why}")


def _uniform(cell: Cell, backend: Backend, ideal: bool, frequency: Sequence[float], step: float) -> Expected:
    shorter, longer = _lengths(cell, frequency)
    if ideal:
        order, case = 1.0, "ideal edge"
        reason = "ideal edge, potential r^(1/2): grids of equal cells are of order 1, whatever the degree of the scheme"
    else:
        order, case = min(2.0, backend.order), "Robin edge"
        reason = "Robin edge, potential r ln r: order 2 with a logarithm, h^2 ln h"
    if step <= 0:
        return Expected(order, order, case, reason)
    if longer < RESOLVED * step:
        reason += (
            f"; but contact and pores are both nearly ideal there, kappa/y = {longer:.2g} m, {longer / step:.2g} steps of the "
            "finest grid: until that is resolved the error falls like a logarithm"
        )
        return Expected(order, 0.0, case, reason)
    if ideal:
        return Expected(order, order, case, reason)
    ratio = shorter / step
    if ratio < RESOLVED:
        reason += (
            f"; its length kappa/y, {shorter:.2g} m at the least, is {ratio:.2g} steps of the finest grid: between 1 and 2"
        )
        return Expected(order, min(1.0, order), case, reason)
    # h^2 ln(l/h) from h to 2 h.
    local = 2 - math.log2(1 + math.log(2) / math.log(ratio))
    return Expected(order, min(order, local), case, f"{reason}, which makes it {local:.2f} at these steps")


def _lengths(cell: Cell, frequency: Sequence[float]) -> tuple[float, float]:
    """The least |kappa/y| over frequency in m of the better conductor of contact and pore, and of the worse one."""
    y = evaluate(admittances(cell), 2j * np.pi * array_in("Hz", frequency, "frequency").astype(float))
    kappa, none = np.abs(y[BULK]), np.full(len(frequency), np.inf)
    with np.errstate(divide="ignore"):
        pore = kappa / np.abs(y[PORE]) if PORE in y else none
        contact = kappa / np.abs(y[CHARGE_TRANSFER]) if CHARGE_TRANSFER in y else 0 * kappa
    return float(np.min(np.minimum(contact, pore))), float(np.min(np.maximum(contact, pore)))


def _grading(backend: Backend) -> Grading | None:
    if type(backend) is Network:
        return GRADING
    return GRADINGS.get(backend.degree) if type(backend) is FiniteElements else None


def _graded(backend: Backend, grading: Grading, ideal: bool) -> Expected:
    full, mu = backend.order, grading.exponent
    needed = full if ideal else full / 2
    edge = "ideal" if ideal else "Robin"
    lines = (
        f"graded, r_i ~ (i/n)^{mu:g} towards an {edge} edge" if ideal else f"graded, r_i ~ (i/n)^{mu:g} towards a {edge} edge"
    )
    if mu > needed:
        return Expected(full, full, f"graded, {edge} edge", f"{lines}: mu > {needed:g} keeps the full order {full:g}")
    if mu == needed:
        reason = f"{lines}: at mu = {needed:g} the full order {full:g} with a logarithm, which takes half an order"
        return Expected(full, full - 0.5, f"graded, {edge} edge", reason)
    reached = mu if ideal else 2 * mu
    return Expected(reached, reached, f"graded, {edge} edge", f"{lines}: mu < {needed:g} leaves order {reached:g}")
