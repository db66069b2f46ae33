"""y = 2 kappa/(h + D) s/(1 - s), D = sqrt(h^2 + d^2): the link from ideal metal to a voxel of which it covers the part s.

What joins the metal to the voxels of the WE face, each of width h and height d. A contact resistance and pores are links of
their area, side by side where an outline cuts a voxel. An ideal contact holds what it covers, and at a straight edge between
whole voxels the network then conducts as a continuum would whose edge lies D/4 farther inside (edge-shift law: h/4 for flat
voxels, 0.354 h for cubes). The link above keeps that distance wherever the edge crosses a voxel, from s = 0 (no link) to 1
(held): found from strips, where it holds to 1e-4 h for every s and d/h from 0.1 to 4. Oblique and curved edges cross voxels
at all s and are as far inside, 0.34 +- 0.01 h measured for cubes. So an outline that lies on no grid line costs one term of
first order, the same on every grid, which extrapolation takes away; voxels that are metal or not would add an erratic one.

A contact with a resistance that an outline cuts has its area s h^2 in series with this link, 1/y = 1/y_ct + (1 - s)(h + D)/(2
kappa) per m2 of metal: the ideal contact's where it conducts well, as a double layer does at high frequency, and one term of
second order where it does not, instead of one that differs from grid to grid. The parts s of all cut voxels are put into
`KINDS` kinds, each with its mean of 1 - s, so that a kind is one admittance and one matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.grids.grid import Grid
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_PORE, PORE

#: Part of the last difference that the distance of oblique edges varies by: 0.01 of 0.34 h, extrapolated 0.06, as it is counted
#: against the difference before (`refinement.extrapolate`), which is sqrt 2 times more.
VARIES = 0.04

#: What a voxel may lack of being all metal to be held as one: its link would be a million times better than the others.
WHOLE = 1e-6


#: Kinds of voxels that the outline of a contact with a resistance cuts, by the part of them that it covers.
KINDS = 8


@dataclass(frozen=True)
class Cut:
    """1/y = 1/y_contact + l/kappa: what a contact with a resistance conducts per m2 of metal in voxels that its outline cuts.

    lengths: kind of these voxels -> contact, material of the layer beside it, and l in m.
    """

    lengths: Mapping[str, tuple[str, str, float]]

    def __call__(self, places: Mapping[str, Admittance]) -> dict[str, Admittance]:
        """Return the places, and each kind of cut voxels."""
        found = dict(places)
        for kind, (contact, bulk, length) in self.lengths.items():
            found[kind] = Admittance.series(places[contact], places[bulk].times(1 / length))
        return found

    @staticmethod
    def together(cuts: Iterable[Cut | None]) -> Cut | None:
        """Return those of several faces, None where there are none."""
        lengths = {kind: each for cut in cuts if cut is not None for kind, each in cut.lengths.items()}
        return Cut(lengths) if lengths else None


@dataclass(frozen=True, eq=False)
class Metal:
    """Links between the metal of an electrode and the nodes of its face, patch by patch.

    Parameters
    ----------
    held
        Which nodes an ideal contact holds at the metal's potential, (x cells * y cells,); none with a contact resistance.
    geometry
        Process -> area of its link in m2, of bulk area over length in m; 0 where there is none. Each (x cells * y cells,).
    series
        What those processes conduct that are no places but several in series; None where all are places.
    """

    held: NDArray[np.bool_]
    geometry: Mapping[str, Array]
    series: Cut | None = None

    @property
    def matrices(self) -> dict[str, sparse.csr_array]:
        """The same as diagonal matrices on the nodes of the face."""
        return {process: sparse.diags_array(each).tocsr() for process, each in self.geometry.items()}


def metal(
    grid: Grid,
    touched: Array,
    height: float,
    *,
    ideal: bool,
    names: tuple[str, str] = (CHARGE_TRANSFER, PORE),
    bulk: str = BULK,
    free: Array | None = None,
) -> Metal:
    """Return what joins the metal to a face of a grid.

    Parameters
    ----------
    grid
        Whose patches the face has.
    touched
        The part of every patch that the metal covers, (x cells, y cells).
    height
        Of the voxels beside the face, m.
    ideal
        Whether the contact is without resistance.
    names
        Of the contact and of the pores beside it.
    bulk
        What the layer beside the face is made of.
    free
        What every patch has of pores, weighted with d_0/d; left out: 1 - touched, of pores that are equally deep.
    """
    area = grid.copies * np.outer(np.diff(grid.x), np.diff(grid.y)).ravel()
    share, (contact, pore) = touched.ravel(), names
    pores = 1 - share if free is None else free.ravel()
    held = share > 1 - WHOLE
    width = np.sqrt(area / grid.copies)
    length = (width + np.hypot(width, height)) / 2
    if not ideal:
        return _with_resistance(area, share, pores, length, (contact, pore, bulk))
    cut = np.where(held, 0.0, share)
    geometry = {contact: area * held, pore: area * np.where(held, 0.0, pores)}
    if np.any(cut):
        geometry[bulk] = area / length * cut / (1 - cut)
    return Metal(held, geometry)


def _with_resistance(area: Array, share: Array, pores: Array, length: Array, names: tuple[str, str, str]) -> Metal:
    """The links of a contact with a resistance: whole voxels, those that its outline cuts by their kinds, and pores.

    pores: what each voxel has of them, weighted; length: (h + D)/2 of each, m; names: of the contact, of the pores beside it,
    of the layer below.
    """
    contact, pore, bulk = names
    whole = share > 1 - WHOLE
    geometry = {contact: area * np.where(whole, share, 0.0), pore: area * pores}
    cut = np.where(whole, 0.0, share)
    kind = np.minimum((KINDS * cut).astype(int), KINDS - 1)
    lengths = {}
    for number in np.unique(kind[cut > 0]):
        metal = area * np.where(kind == number, cut, 0.0)
        mean = float(np.sum(metal * (1 - cut) * length) / metal.sum())
        name = f"{contact} - {mean:.6g} m of {bulk}"
        geometry[name], lengths[name] = metal, (contact, bulk, mean)
    return Metal(np.zeros(share.shape, dtype=bool), geometry, Cut.together([Cut(lengths)]))


def erratic(problem: Problem, grid: Grid, s: ArrayLike) -> Array:
    """Return which part of the difference between a grid and the one before follows no series, 0 to 1, (n,) of s in 1/s.

    The links leave what the distance of the edge varies by, where pores conduct less than the voxels below them; where they
    conduct as well, h |y_pore/kappa| = 1, voxels that the outline cuts share the area of pores, and all of it is erratic.
    """
    points = np.asarray(s)
    if grid.fits:
        return np.zeros(points.shape)
    y = evaluate(problem.places, points)
    step = np.sqrt(grid.area / grid.copies / np.prod(grid.shape[:2]))
    found = np.zeros(points.shape)
    for share, pore in ((grid.share, PORE), (grid.counter_share, COUNTER_PORE)):
        if share is not None:
            pores = step * np.abs(y[pore] / y[BULK]) if pore in y else np.zeros(points.shape)
            found = np.maximum(found, np.minimum(1.0, VARIES + pores))
    return np.asarray(found)
