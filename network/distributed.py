"""Z(s) of the voxel network with its nodes spread over MPI ranks, solved by PETSc: for networks larger than one machine.

Each rank holds a slab of rows of nodes: their links, its part of every matrix and of every solution. With the electrode at
V = 1 the other nodes solve A_ff phi = -A_fV at real shifts, by conjugate gradients and an algebraic multigrid; the solutions
are orthonormalised where they are (each rank's QR factors, then one of all their small R), and only matrices as large as the
number of shifts travel. The rest is the mechanism of every other grid (`projection`). The variable PETSC_OPTIONS sets another
solver or preconditioner.

    mpiexec -n 4 python -m network.distributed CELL.toml z.csv --resolution 200
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from fem_constriction.api import provenance
from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, ConstrictionError, InputError
from fem_constriction.grids.grid import Grid
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.problem.kinds import IMAGE, OUTLINES, PIXELS, RECTANGLES, TWO_OUTLINES, TWO_PIXELS, TWO_RECTANGLES
from fem_constriction.problem.problem import Band, Described, Problem
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.reduction.growing import triangular
from fem_constriction.reduction.projection import Basis, enough_shifts
from fem_constriction.reduction.reduced import RANK, ReducedModel
from fem_constriction.reduction.solver import ShiftedSolutions
from fem_constriction.solving.choice import brings_grid
from fem_constriction.solving.refinement import angular_band
from fem_constriction.spectra.frequencies import parse_frequencies
from fem_constriction.spectra.spectrum import Spectrum
from network.backend import Network
from network.image.image_network import image_voxels
from network.image.paths import at_direct_current
from network.links import GROUND, Electrodes, Links, network_links

#: Relative energy error that conjugate gradients stop at; that of Z is its square.
TOLERANCE = 1e-9


def reduce_distributed(described: Described, grid: Grid, band: tuple[float, float] | None, comm: Any = None) -> ReducedModel:
    """Return the reduced model of the voxel network of a cell on a grid, on every rank of an mpi4py communicator.

    Parameters
    ----------
    described
        A Cell, the path of a cell file, or a dictionary with its keys.
    grid
        Of the network.
    band
        Angular frequencies from least to greatest, 1/s; None: direct current alone.
    comm
        An mpi4py communicator; left out: all ranks.

    Returns
    -------
    ReducedModel
        The same on every rank.

    Raises
    ------
    InputError
        Without petsc4py, and for what cannot be distributed.
    ComputationError
        Where a solve stops.
    """
    ranks = _world(comm)
    problem = Problem.of(described)
    problem.check_solvable()
    model, made = KINDS[problem.kind.name](problem, grid, band, ranks)
    described = {"backend": "network, distributed", "grid": grid.name, "cells": grid.shape, **made}
    return replace(model, statistics={**described, **model.statistics})


Made = tuple[ReducedModel, dict[str, Any]]


def _reduce_stack(problem: Problem, grid: Grid, band: Band | None, ranks: Any) -> Made:
    """The reduced model of a stack: every rank has the links of its own rows of nodes."""
    electrodes = Electrodes.of(problem, grid)
    vertical = electrodes.column(problem, grid)
    if ranks.size > vertical.rows:
        raise InputError(f"{ranks.size} ranks are not allowed: the grid has {vertical.rows} rows of nodes")
    ends = np.linspace(0, vertical.rows, ranks.size + 1).astype(int)
    rows = range(int(ends[ranks.rank]), int(ends[ranks.rank + 1]))
    links, numbering = network_links(grid, vertical, electrodes, rows=rows)
    own = range(numbering.first(rows.start), numbering.first(rows.stop))
    flows, conducting = problem.direct_current, electrodes.conducting(problem.places)
    return reduce_links(links, conducting, own, numbering.unknowns, band, direct_current=flows, comm=ranks), {}


def _reduce_image(problem: Problem, grid: Grid, band: Band | None, ranks: Any) -> Made:
    """The reduced model of a label image: every rank reads its labels, and keeps the links of its own voxels."""
    labels, made = labels_of(problem)
    voxels = image_voxels(problem, labels, grid)
    if voxels.kept is not None:
        raise InputError(
            "holes and metal inside an image are not allowed over several machines",
            remedy="give such inclusions a conductivity or permittivity",
        )
    metal = voxels.unknowns - 1
    own = range(metal * ranks.rank // ranks.size, metal * (ranks.rank + 1) // ranks.size)
    links = {kind: each.touching(own) for kind, each in voxels.links().items()}
    conducting = problem.places if voxels.series is None else voxels.series(problem.places)
    flows = problem.direct_current and at_direct_current(voxels, conducting)[1]
    return reduce_links(links, conducting, own, voxels.unknowns, band, direct_current=flows, comm=ranks), made


#: Kind of cell -> how its links are shared out over ranks.
KINDS = {
    RECTANGLES.name: _reduce_stack,
    OUTLINES.name: _reduce_stack,
    PIXELS.name: _reduce_stack,
    TWO_RECTANGLES.name: _reduce_stack,
    TWO_OUTLINES.name: _reduce_stack,
    TWO_PIXELS.name: _reduce_stack,
    IMAGE.name: _reduce_image,
}


def reduce_links(
    links: Mapping[str, Links],
    processes: Mapping[str, Admittance],
    own: range,
    unknowns: int,
    band: tuple[float, float] | None,
    *,
    direct_current: bool = True,
    comm: Any = None,
) -> ReducedModel:
    """Return the reduced model of any network, that of a microstructure for instance, on every rank.

    Parameters
    ----------
    links
        Process -> all links that touch the unknowns which this rank owns.
    processes
        Process -> y(s).
    own
        The unknowns of this rank, ranks one after the other.
    unknowns
        How many there are in all; the electrode potential V is the last, and nobody's.
    band
        Angular frequencies from least to greatest, 1/s; None: direct current alone.
    direct_current
        Whether direct current can flow.
    comm
        An mpi4py communicator; left out: all ranks.

    Returns
    -------
    ReducedModel
        Its statistics are ranks, iterations, and the largest number of bytes that matrices and solutions take on one rank.

    Raises
    ------
    InputError
        Without petsc4py.
    ComputationError
        Where a solve stops.
    """
    ranks = _world(comm)
    from mpi4py import MPI
    from petsc4py import PETSc

    basis = _Solutions(links, processes, own, unknowns, ranks, PETSc)
    model, estimate = enough_shifts(basis, band, direct_current=direct_current)
    statistics = {
        "unknowns": unknowns,
        "ranks": ranks.size,
        "shifts": len(model.shifts),
        "iterations": basis.iterations,
        "bytes_per_rank": ranks.allreduce(basis.bytes(), op=MPI.MAX),
        "projection_error": estimate,
    }
    return replace(model, statistics=statistics, basis=())


def _world(comm: Any) -> Any:
    missing = [name for name in ("petsc4py", "mpi4py") if find_spec(name) is None]
    if missing:
        raise InputError(
            f"networks over several machines take petsc4py and mpi4py; not installed: {', '.join(missing)} "
            '(allowed is pip install "fem-constriction[petsc]", or a cluster\'s own)'
        )
    from mpi4py import MPI

    return comm or MPI.COMM_WORLD


class _Ranks:
    """Rows of columns on every rank of a communicator; sums and the QR of all rows at once go through it."""

    rounding = RANK

    def __init__(self, comm: Any) -> None:
        self.comm = comm

    def products(self, one: Array, other: Array) -> Array:
        """Return one' other, on every rank."""
        return self.total(one.T @ other)

    def total(self, values: ArrayLike) -> Array:
        """Return the sum over ranks."""
        return np.asarray(self.comm.allreduce(np.asarray(values)))

    def without(self, new: Array, block: Array, products: Array) -> Array:
        """Return new - block products, this rank's rows."""
        return np.asarray(new - block @ products)

    def orthonormal(self, new: Array) -> tuple[Array, Array] | None:
        """Return this rank's rows of Q, and R: of each rank's QR factors, then one of all their small R."""
        q, r = np.linalg.qr(new)
        every = self.comm.allgather(r)
        found = triangular(np.vstack(every))
        if found is None:
            return None
        start = sum(len(each) for each in every[: self.comm.rank])
        return np.asarray(q @ found[0][start : start + len(r)]), found[1]


class _Solutions(Basis):
    """Solutions of the network, each rank's rows of them, with V as one more row on the last rank."""

    def __init__(
        self,
        links: Mapping[str, Links],
        processes: Mapping[str, Admittance],
        own: range,
        unknowns: int,
        comm: Any,
        petsc: Any,
    ) -> None:
        self.petsc, self.ranks = petsc, _Ranks(comm)
        self.size, total = len(own), unknowns - 1
        self.last = comm.rank == comm.size - 1
        self.parts = {name: _Part(links.get(name), own, total) for name in processes}
        for part in self.parts.values():
            part.ranks, part.last = self.ranks, self.last
            part.voltage = float(self.ranks.total(part.voltage))
            csr = (part.local.indptr.astype(petsc.IntType), part.local.indices.astype(petsc.IntType), part.local.data)
            part.matrix = petsc.Mat().createAIJ(((self.size, total), (self.size, total)), csr=csr, comm=comm)
        super().__init__(Assembly(self.parts), processes, TOLERANCE, self.ranks)

    def unit_of_port(self) -> Array:
        """Return this rank's rows of the unit vector of V."""
        return np.append(np.zeros(self.size), np.ones(int(self.last)))[:, None]

    def extend(self, shifts: Array) -> None:
        """Solve at these shifts, one after the other, and take the solutions in."""
        solved = [self._solve(float(s)) for s in shifts]
        error = np.full(len(solved), TOLERANCE)
        self.add(ShiftedSolutions(np.column_stack([x for x, _ in solved]), error, max(count for _, count in solved)))

    def bytes(self) -> int:
        """Return what matrices (the processes' and their sum) and solutions take here."""
        stored = sum(
            part.local.data.nbytes + part.local.indices.nbytes + part.local.indptr.nbytes for part in self.parts.values()
        )
        return int(2 * stored + sum(block.nbytes for block in self.blocks))

    def _solve(self, s: float) -> tuple[Array, int]:
        """Return this rank's rows of the potential at V = 1, and the iterations."""
        y = {name: float(value) for name, value in evaluate(self.processes, s).items()}
        total, right = None, np.zeros(self.size)
        for name, part in self.parts.items():
            right -= y[name] * part.coupling
            if total is None:
                total = part.matrix.copy()
                total.scale(y[name])
            elif y[name]:
                total.axpy(y[name], part.matrix, structure=self.petsc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
        assert total is not None
        ksp = self.petsc.KSP().create(self.ranks.comm)
        ksp.setOperators(total)
        ksp.setType("cg")
        ksp.setNormType(self.petsc.KSP.NormType.NATURAL)
        ksp.getPC().setType("gamg")
        ksp.setTolerances(rtol=TOLERANCE, max_it=1000)
        ksp.setFromOptions()
        b, x = total.createVecLeft(), total.createVecRight()
        b.setArray(right)
        ksp.solve(b, x)
        if ksp.getConvergedReason() <= 0:
            raise ComputationError(f"PETSc stopped at s = {s:.3g} 1/s: reason {ksp.getConvergedReason()}")
        iterations = int(ksp.getIterationNumber())
        found = x.getArray().copy()
        for each in (ksp, total, b, x):
            each.destroy()
        return np.append(found, np.ones(int(self.last))), iterations


class _Part:
    """A rank's rows of one process's Laplacian: between free nodes, and their coupling to V; the last rank has V's own."""

    matrix: Any = None
    ranks: _Ranks
    last: bool

    def __init__(self, links: Links | None, own: range, metal: int) -> None:
        first, end = own.start, own.stop
        self.coupling = np.zeros(end - first)
        self.voltage = 0.0
        rows, columns, values = [], [], []
        for one, other, g in [] if links is None else ((links.a, links.b, links.geometry), (links.b, links.a, links.geometry)):
            here = (one >= first) & (one < end) & (one != metal)
            a, b, weight = one[here] - first, other[here], g[here]
            to_metal, to_node = b == metal, (b != metal) & (b != GROUND)
            rows += [a, a[to_node]]
            columns += [one[here], b[to_node]]
            values += [weight, -weight[to_node]]
            np.add.at(self.coupling, a[to_metal], -weight[to_metal])
            self.voltage += float(weight[to_metal].sum())
        shape = (end - first, metal)
        triplets = [np.concatenate(part) if part else np.zeros(0) for part in (values, rows, columns)]
        self.local = sparse.csr_array((triplets[0], (triplets[1].astype(np.int64), triplets[2].astype(np.int64))), shape=shape)
        self.local.sum_duplicates()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows on this rank."""
        rows = len(self.coupling) + int(self.last)
        return rows, rows

    def __matmul__(self, columns: Array) -> Array:
        """Return this rank's rows of the product with a block of columns, of which it has the same rows."""
        free = columns[: len(self.coupling)]
        port = self.ranks.total(columns[-1] if self.last else np.zeros(columns.shape[1]))
        image = np.column_stack([self._between(column) for column in free.T]) + np.outer(self.coupling, port)
        entering = self.ranks.total(self.coupling @ free) + self.voltage * port
        return np.vstack([image, entering[None]]) if self.last else image

    def tocsr(self) -> sparse.csr_array:
        """Not here: no rank has the whole matrix."""
        raise NotImplementedError

    def _between(self, values: Array) -> Array:
        x, image = self.matrix.createVecRight(), self.matrix.createVecLeft()
        x.setArray(np.ascontiguousarray(values))
        self.matrix.mult(x, image)
        found = image.getArray().copy()
        x.destroy()
        image.destroy()
        return np.asarray(found)


def main(file: Path, out: Path, resolution: int | None = None, frequencies: str = "1e-3:1e9:61") -> None:
    """Solve one grid of the voxel network on all ranks and write its spectrum (no uncertainty: one grid has none).

    resolution: left out 50, or that of the cell's label image.
    """
    from mpi4py import MPI

    problem, points = Problem.of(file), np.asarray(parse_frequencies(frequencies))
    network = Network()
    own = resolution is None and brings_grid(problem, network)
    grid = network.grid(problem, 0) if own else network.uniform(problem, 50 if resolution is None else resolution)
    model = reduce_distributed(problem, grid, angular_band(points))
    if MPI.COMM_WORLD.rank == 0:
        made = {**provenance(problem.cell), "grids": [dict(model.statistics)]}
        Spectrum(points, model.impedance(2j * np.pi * points), None, made).save(out)


if __name__ == "__main__":
    import typer

    try:
        typer.run(main)
    except ConstrictionError as error:  # one sentence, no traceback
        sys.stderr.write(f"network.distributed: {error}\n")
        sys.exit(error.exit_status)
