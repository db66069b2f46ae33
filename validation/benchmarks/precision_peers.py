"""sum_p y_p(s) a_p(w, v) = 0 with w = V - phi, V = 1 V at the counter electrode: the same cell in NGSolve, at its best.

hp elements on hexahedra of the quarter cell, geometrically graded towards the contact's edges and the WE, inner unknowns
condensed; 1/Z = a(w, w), so the error of Z is quadratic in that of w, as here. Layers belong in turn to two spaces ("odd",
"even"), each compressed: none touches another layer of its own space, so w may jump across every boundary. Factorised by the
sparse Cholesky that NGSolve ships (complex symmetric, too), the fastest of its own here (UMFPACK: 1.2 to 2.2 times as long).
Only the cell and y_p(s) are shared with our code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.problem.faces import face_of
from fem_constriction.processes.elements import evaluate
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel
from validation.benchmarks.harness import Clock
from validation.benchmarks.precision_mesh import COLOURS, REGIONS, geometric, mesh_of


@dataclass(frozen=True)
class Variant:
    """Polynomial order, and layers of elements graded by `ratio` towards each contact edge and the WE."""

    order: int
    layers: int
    ratio: float

    def __str__(self) -> str:
        return f"p = {self.order}, {self.layers} layers, {self.ratio:g}"


#: The best of a scan over orders 2 to 6, 1 to 5 layers, ratios 0.15 to 0.5: error and time of R_DC, cells of docs/precision.md.
VARIANTS: Final = (
    Variant(2, 2, 0.3),
    Variant(3, 2, 0.3),
    Variant(3, 3, 0.3),
    Variant(4, 2, 0.3),
    Variant(5, 2, 0.2),
    Variant(4, 3, 0.3),
    Variant(5, 3, 0.2),
)

SOLVER: Final = "sparsecholesky"


def missing(cell: Cell) -> str:
    """Return why NGSolve is left out, "" if it is not."""
    if find_spec("ngsolve") is None:
        return "it is not installed (extra ngsolve)"
    if not 0 < cell.contact_fraction < 1 or cell.working_electrode.contact.shape != "square":
        return "written for one centred square contact alone"
    if COUNTER_ELECTRODE in admittances(cell):
        return "written for an ideal counter electrode alone"
    return ""


def version() -> str:
    """Return the version that is installed."""
    return metadata.version("ngsolve")


class Hexahedra:
    """The cell in NGSolve: mesh, spaces, and one condensed real matrix per process on one sparsity pattern.

    Lengths in units of the thickness; `weights` are what makes siemens of y_p a_p.
    """

    def __init__(self, cell: Cell, variant: Variant) -> None:
        self.ng = import_module("ngsolve")
        self.ng.SetNumThreads(1)
        depth, face = cell.geometry.lengths[2], face_of(cell)
        self.processes = admittances(cell)
        self.weights = {p: face.copies * depth ** (1 if p == BULK else 2) for p in self.processes}
        boundaries = cell.electrolyte.grain_boundaries
        count = 1 if boundaries is None else boundaries.layers
        self.colours, self.last = COLOURS[: min(count, 2)], (count - 1) % 2
        ends = np.array([face.edges(axis)[0] for axis in range(2)]) / depth
        lateral = []
        for edge, width in zip(ends, np.divide(face.width, depth), strict=True):
            inner, outer = (geometric(length, variant.layers, variant.ratio) for length in (edge, width - edge))
            lateral.append(np.concatenate([edge - inner[:0:-1], edge + outer]))
        layers = [geometric(1 / count, variant.layers, variant.ratio)]
        layers += [np.array([k, k + 1]) / count for k in range(1, count)]
        self.mesh = mesh_of(self.ng, lateral[0], lateral[1], layers, ends)
        self.order = variant.order
        held = "counter|contact" if CHARGE_TRANSFER not in self.processes else "counter"
        self.held = held
        self.space = self._space(complex_=False)
        self.unknowns = sum(self.space.FreeDofs(True))

    def resistance(self) -> float:
        """Return R_DC from one assembly and one real factorisation."""
        y = {name: float(np.real(value)) for name, value in evaluate(self.processes, 0.0).items()}
        scaled = {name: y[name] * weight for name, weight in self.weights.items()}
        matrix = self._form(self.space, scaled).mat
        return float(self._solved(matrix, self.space))

    def process_matrices(self) -> None:
        """Assemble the matrix of every process once, real, as values on the pattern of all of them together."""
        ones = dict.fromkeys(self.processes, 1.0)
        self.real = self._form(self.space, ones).mat
        rows, columns, values = (np.asarray(each) for each in self.real.COO())
        pattern = rows.astype(np.int64) * self.space.ndof + columns
        order = np.argsort(pattern)
        self.values = np.zeros((len(self.processes), values.size))
        for number, name in enumerate(self.processes):
            i, j, found = (np.asarray(each) for each in self._form(self.space, {name: self.weights[name]}).mat.COO())
            used = found != 0
            place = order[np.searchsorted(pattern, (i.astype(np.int64) * self.space.ndof + j)[used], sorter=order)]
            self.values[number, place] = found[used]
        self.rows, self.columns = rows, columns

    def spectrum(self, s: NDArray[np.complex128]) -> tuple[NDArray[np.complex128], float, float]:
        """Return Z(s) in ohm, one complex factorisation each, and the seconds and processor seconds that these alone took."""
        space = self._space(complex_=True)
        matrix = self._form(space, dict.fromkeys(self.processes, 1.0)).mat
        clock = Clock()
        z = np.empty(s.size, dtype=complex)
        for place, point in enumerate(s):
            y = evaluate(self.processes, point)
            matrix.AsVector().FV().NumPy()[:] = np.array([y[name] for name in self.processes]) @ self.values
            z[place] = self._solved(matrix, space)
        return z, clock.seconds, clock.cpu_seconds

    def reduced(self, band: tuple[float, float]) -> ReducedModel:
        """Return what our real shifts and projection make of NGSolve's matrices and factorisations."""
        free = np.array(self.space.FreeDofs(True), dtype=bool)
        constant = self._constant(everywhere=True)
        constant[~free] = self._constant(everywhere=False)[~free]
        kept = np.flatnonzero(free)
        entries = np.append(np.full(kept.size, -1.0), constant[constant != 0])
        places = (
            np.append(kept, np.flatnonzero(constant)),
            np.append(np.arange(kept.size), np.full(np.count_nonzero(constant), kept.size)),
        )
        spread = sparse.csr_array((entries, places), shape=(free.size, kept.size + 1))  # w = V - phi
        operators = {}
        for name, values in zip(self.processes, self.values, strict=True):
            lower = sparse.csr_array((values, (self.rows, self.columns)), shape=(free.size, free.size))
            lower.eliminate_zeros()
            whole = lower + sparse.tril(lower, -1).T if sparse.triu(lower, 1).nnz == 0 else lower
            operators[name] = sparse.csr_array(spread.T @ whole @ spread)
        assembly = Assembly(operators, precondition=lambda y: _Factors(self, y, kept), description={"unknowns": self.unknowns})
        return reduce(assembly, self.processes, band)

    def _space(self, *, complex_: bool) -> Any:
        ng = self.ng
        parts = [
            ng.H1(self.mesh, order=self.order, definedon=self.mesh.Materials(colour), dirichlet=self.held, complex=complex_)
            for colour in self.colours
        ]
        return ng.FESpace([ng.Compress(part) for part in parts]) if len(parts) > 1 else parts[0]

    def _form(self, space: Any, weights: Mapping[str, float]) -> Any:
        """sum over processes of weight a_p, its inner unknowns condensed; symmetric, so half of it is stored."""
        ng = self.ng
        u, v = space.TnT()
        if len(self.colours) == 1:
            u, v = (u,), (v,)
        form = ng.BilinearForm(space, symmetric=True, condense=True)
        for name, weight in weights.items():
            if name == BULK:
                for colour, one, other in zip(self.colours, u, v, strict=True):
                    form += weight * ng.grad(one) * ng.grad(other) * ng.dx(colour)
            elif name == GRAIN_BOUNDARY:
                form += weight * (u[0] - u[1]) * (v[0] - v[1]) * ng.ds(REGIONS[name])
            else:
                form += weight * u[0] * v[0] * ng.ds(REGIONS[name])
        return form.Assemble()

    def _constant(self, *, everywhere: bool) -> Array:
        """w = 1 on the counter electrode or everywhere: 1 at vertices, 0 at all other unknowns of the hierarchical basis."""
        field = self.ng.GridFunction(self.space)
        parts = field.components if len(self.colours) > 1 else (field,)
        for number, (colour, part) in enumerate(zip(self.colours, parts, strict=True)):
            if everywhere:
                part.Set(1, definedon=self.mesh.Materials(colour))
            elif number == self.last:
                part.Set(1, definedon=self.mesh.Boundaries("counter"))
        return np.asarray(np.round(field.vec.FV().NumPy()))

    def _solved(self, matrix: Any, space: Any) -> Any:
        """Z = 1/(w' A w), w = 1 on the counter electrode."""
        given, residual = matrix.CreateColVector(), matrix.CreateColVector()
        given.FV().NumPy()[:] = self._constant(everywhere=False)
        residual.data = -matrix * given
        given.data += matrix.Inverse(space.FreeDofs(True), inverse=SOLVER) * residual
        residual.data = matrix * given
        return 1 / np.dot(given.FV().NumPy(), residual.FV().NumPy())


class _Factors:
    """A(s_k)^-1 by NGSolve's factorisation, one per shift."""

    def __init__(self, cell: Hexahedra, y: Mapping[str, Array], kept: NDArray[np.int64]) -> None:
        self.kept, self.factors = kept, []
        for each in np.stack([y[name] for name in cell.processes], axis=1):
            cell.real.AsVector().FV().NumPy()[:] = each @ cell.values
            self.factors.append(cell.real.Inverse(cell.space.FreeDofs(True), inverse=SOLVER))
        self.given, self.found = cell.real.CreateColVector(), cell.real.CreateColVector()

    def solve(self, columns: Array) -> Array:
        """Return A(s_k)^-1 r_k."""
        result = np.empty_like(columns)
        for k, factor in enumerate(self.factors):
            self.given.FV().NumPy()[:] = 0
            self.given.FV().NumPy()[self.kept] = columns[:, k]
            self.found.data = factor * self.given
            result[:, k] = self.found.FV().NumPy()[self.kept]
        return result
