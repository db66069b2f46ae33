"""Z(s) = b' (sum over kinds k of y_k(s) L_k)^-1 b of a label image: its links as an assembly, solved by their stencil.

The assembly has the matrices of every kind for whoever wants them, but its reduced model is made by `network.image.shifts`,
which never writes one down.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, MemoryShort, ResolutionWarning
from fem_constriction.grids.boundary_area import BoundaryArea, area_of, warn_of_remainder
from fem_constriction.grids.grid import Grid
from fem_constriction.grids.image_grid import UNKNOWN, edges_of, image_grid, subdivided
from fem_constriction.grids.image_labels import Labels, labels_of
from fem_constriction.grids.image_paths import no_path
from fem_constriction.grids.singular_edges import edge_orders
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER
from fem_constriction.processes.series_links import LinkKinds, volume_kind
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.reduction.projection import enough_shifts
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.capabilities import CURRENTS, FAMILY, FIELDS, GRID
from fem_constriction.solving.one_grid import check_memory
from fem_constriction.solving.schemes import Scheme
from network.image.edges import SHARE, Edges
from network.image.flux import currents
from network.image.meanfield import MeanField
from network.image.paths import at_direct_current
from network.image.potentials import VoxelNetwork
from network.image.shifts import SMALL, ImageSolutions
from network.image.voxels import Voxels, classified

if TYPE_CHECKING:
    pass

#: Relative error of Z that the reduced model of an image is made for: its voxels are known to far less.
TARGET = 1e-6

#: Vectors are in single precision first (6e-8 each, their energy squared in Z) for relative errors of Z above this one, and
#: where no phase conducts so many times better than the grains: its rounding weighs as much more (measured: 7e-6 of Z at 2e5).
SINGLE, CONTRAST = 1e-7, 1e3

#: Precision and strictness of what is tried, one after the other, until the estimate is as asked.
ATTEMPTS: tuple[tuple[type[np.floating[Any]], float], ...] = ((np.float32, 1.0), (np.float64, 1.0), (np.float64, 0.1))

#: Shifts per decade to begin with (and three more): fewer than for 1e-8.
PER_DECADE = 0.5


@dataclass(frozen=True, eq=False)
class KindOperator:
    """L_k, h^2 times the Laplacian of the links of one kind, applied as a stencil."""

    voxels: Voxels
    kind: str

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self.voxels.unknowns, self.voxels.unknowns

    def __matmul__(self, columns: Array) -> Array:
        """Return the product with a block of columns."""
        weights, found = self.voxels.only(self.kind), np.empty_like(columns)
        image = np.empty(self.voxels.shape)
        for k, column in enumerate(columns.T):
            potential, metal = np.array(column[:-1]).reshape(image.shape), self.voxels.metal_of
            if metal is not None:
                metal.hold(potential, float(column[-1]))
            found[-1, k] = weights.apply(potential, float(column[-1]), image)
            if metal is not None:  # a piece is one unknown, its first voxel
                sums = image.ravel()[metal.first] * metal.sizes
                image.reshape(-1)[metal.floating] = 0
                image.reshape(-1)[metal.first] = sums
            found[:-1, k] = image.ravel()
        return found

    def tocsr(self) -> sparse.csr_array:
        """Return the matrix itself."""
        whole, metal = self.voxels.links()[self.kind].laplacian(self.voxels.unknowns).tocsr(), self.voxels.metal_of
        return whole if metal is None else metal.reduced(whole)


class MeanFields:
    """The mean-field stacks at several real shifts, for the shared solver."""

    def __init__(self, voxels: Voxels, y: Mapping[str, Array]) -> None:
        self.shape = voxels.shape
        each = [{name: float(values[k]) for name, values in y.items()} for k in range(len(next(iter(y.values()))))]
        self.stacks = [MeanField(voxels.weights(one), voxels.kept) for one in each]

    def solve(self, columns: Array) -> Array:
        """Return approximately A(s_k)^-1 r_k for each column k."""
        found, out = np.empty_like(columns), np.empty(self.shape)
        for k, stack in enumerate(self.stacks):
            found[:, k] = stack.solve(columns[:, k].reshape(self.shape), out).ravel()
        return found


def image_assembly(voxels: Voxels, description: Mapping[str, Any]) -> Assembly:
    """Return the assembly of a label image's links."""

    def reduction(
        processes: Mapping[str, Admittance],
        band: tuple[float, float] | None,
        *,
        direct_current: bool,
        tolerance: float | None,
        keep: bool,
    ) -> ReducedModel:
        target = tolerance or TARGET
        kept, conducts = at_direct_current(voxels, processes)
        flows = direct_current and conducts
        if band is None and not flows:
            return ImageSolutions(voxels, processes, target).model(np.empty(0))
        double = target < SINGLE or voxels.unknowns <= SMALL
        double = double or _contrast(processes, (0.0,) if band is None else band) > CONTRAST
        found: ReducedModel | None = None
        failure: Exception = ComputationError("no precision was tried")
        best = np.inf
        edges: Edges | None = None
        ends = () if band is None else (band[0], (band[0] * band[1]) ** 0.5, band[1])
        points = (0.0, *ends) if flows else ends
        for kind, strict in ATTEMPTS[int(double) :]:
            try:
                check_memory(voxels.unknowns, f"a label image in {np.dtype(kind).name}", 5 * np.dtype(kind).itemsize)
                solutions = ImageSolutions(voxels, processes, target, kind, strict, kept)
                model, estimate = enough_shifts(solutions, band, direct_current=flows, tolerance=target, per_decade=PER_DECADE)
            except (ComputationError, MemoryShort) as error:
                failure = error
                continue
            if found is None or estimate < best:
                statistics = {**description, **solutions.statistics(estimate)}
                found, best = replace(model, statistics=statistics, basis=tuple(solutions.blocks) if keep else ()), estimate
                edges = solutions.singular_edges(points)
            if estimate <= target:
                break
        if found is None:
            raise failure
        if edges is not None and edges.share > SHARE:
            warnings.warn(ResolutionWarning(str(edges)), stacklevel=2)
        return found

    return Assembly(
        operators={kind: KindOperator(voxels, kind) for kind in voxels.kinds},
        precondition=lambda y: MeanFields(voxels, y),
        reduction=reduction,
        series=voxels.series,
        inside=lambda potential, y, _: VoxelNetwork.build(voxels, potential.values(slice(None))[:, 0], y),
        through=lambda potentials, y: currents(voxels, potentials.values(slice(None)), y),
        bound="upper",
        description=description,
    )


def _contrast(processes: Mapping[str, Admittance], band: tuple[float, ...]) -> float:
    """Return how many times better than a grain the best phase conducts, at most, over real s in a band."""
    s = np.asarray(band)
    grain = next(y for kind, y in processes.items() if kind.startswith(volume_kind(BULK, BULK)))(s)
    return float(np.max([y(s) / grain for y in processes.values()]))


class Images(Scheme):
    """A label image on its own voxels: one Laplacian per kind of link."""

    offers: ClassVar[Collection[str]] = (GRID, FAMILY, CURRENTS, FIELDS)

    def grid(self, problem: Problem, level: int) -> Grid:
        """Return the image's voxels, each cut into 2^level along every edge."""
        return image_grid(problem, level)

    def unknowns(self, problem: Problem, grid: Grid) -> int:
        """Return how many voxels and sides of the electrodes there are at most."""
        nx, ny, nz = grid.shape
        return nx * ny * (nz + 2 * len(grid.layers)) + 1

    def erratic(self, problem: Problem, grid: Grid, s: ArrayLike) -> Array:
        """Return what is not known of the order of voxels, as a part of the last difference, (n,) of s in 1/s."""
        return np.full(np.shape(s), UNKNOWN)

    def edges(self, problem: Problem, grid: Grid, s: ArrayLike) -> tuple[Array, Array]:
        """Return the order of edges between phases, and what conducts along them: here nothing does, and Z is too large."""
        return edge_orders(problem, s)

    def assemble(self, problem: Problem, grid: Grid) -> Assembly:
        """Return the assembly of the image's links. Raises InputError without a path for current."""
        labels, made = labels_of(problem)
        warn_of_remainder(problem)
        voxels = image_voxels(problem, labels, grid)
        return image_assembly(voxels, {"grid": grid.name, "cells": grid.shape, "unknowns": voxels.unknowns, **made})


def image_voxels(
    described: Described,
    labels: Labels,
    grid: Grid,
    stands_for: Mapping[str, float] = MappingProxyType({}),
    boundaries: BoundaryArea | None = None,
) -> Voxels:
    """Return the links of a cell's label image, read already, on its own voxels or on parts of them.

    stands_for: process on the face -> the area that conducts there over that of its pixels, where that is another one;
    boundaries: what of y_gb faces have, where the image does not say it.
    """
    problem = Problem.of(described)
    body = Image.of(problem.body)
    touches = problem.contact_area > 0 or CHARGE_TRANSFER in body.electrodes.values()
    buried = bool(body.electrodes)
    area = (area_of(body, labels) if boundaries is None else boundaries).cut(grid.shape[2] // body.shape[0])
    labels, phases = subdivided(labels, grid), (BULK, *body.inclusions.values())
    series = LinkKinds(phases, edges_of(grid), touches, area.shares, body.voids, buried, stands_for)
    voxels = classified(
        labels,
        grid.contact,
        inclusions=body.inclusions,
        kinds=tuple(series(problem.places)),
        edges=series.edges,
        copies=grid.copies,
        electrodes=body.electrodes,
        area=area,
    )
    voxels = replace(voxels, series=series)
    metal = voxels.metal_of
    if not voxels.metal.any() and (metal is None or not metal.reached):
        raise no_path(problem, labels, grid.contact)
    return voxels
