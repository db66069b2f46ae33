"""Z(s) <= min over currents j, div j = 0, of sum_p int |j|^2/y_p per unit current: the other side of the enclosure, on prisms.

Currents are (J, j_z): J in Raviart-Thomas elements of the face times any function of z, j_z in their divergences, discontinuous
polynomials of the same degree, times any continuous one. They are divergence-free at every point, so at direct current and at
every real s > 0 the energy bounds Z from above: the network's bound, for outlines that no voxel fits. On bent triangles both
are mapped as Piola's transform does, and stay so.

Along z nothing is discretised. For B A^-1 B' v = lambda M v (A: int J.J, B: int div J q, M: int q q) every layer is the
two-port of the continuum, sqrt(lambda) tanh and coth of sqrt(lambda) h/2, so `Layered` and its reduction serve as they are;
what is left on the face are the elements' own potentials, and int q q over contact and pores. The same two-ports with Lagrange
elements on the face bound Z from below.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator
from skfem import ElementTriP0, ElementTriP1DG, ElementTriRT1, ElementTriRT2

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.fem.forms import density, density_sheet, divergence_density, flow_energy, potential_density
from fem_constriction.fem.prisms.outline_mesh import PlanarMesh
from fem_constriction.fem.prisms.prisms import Prisms, TriangleSpace, prisms, triangle_basis
from fem_constriction.fem.stacks.two_port import exact
from fem_constriction.grids.grid import Grading, Grid
from fem_constriction.problem.faces import Mesher
from fem_constriction.problem.problem import Described, Problem
from fem_constriction.processes.names import CHARGE_TRANSFER, PORE
from fem_constriction.reduction.assembly import Assembly, Bound
from fem_constriction.reduction.factors import Solver, factorised
from fem_constriction.solving.capabilities import FAMILY, OUTLINES, RECTANGLES
from fem_constriction.stack.layered import Layered
from fem_constriction.stack.modes import DENSE, Lateral, Modes
from fem_constriction.stack.sides import Sides
from fem_constriction.stack.sparse_functions import Pencil

#: Degree of the divergence -> elements of the current (scikit-fem counts them from 1), and of its divergence.
CURRENTS = {0: (ElementTriRT1, ElementTriP0), 1: (ElementTriRT2, ElementTriP1DG)}

#: Densities of a triangle.
PER_TRIANGLE = {0: 1, 1: 3}


def equilibrated(described: Described, grid: Prisms, degree: int = 1) -> Layered:
    """Return the divergence-free currents of a mesh of prisms as a stack: at every real s its Z is an upper bound.

    degree: of their divergence on the face, 0 or 1 (Z converges with twice that plus 2).
    """
    unit, mesh = grid.depth, grid.plane
    space = _Currents(mesh, unit, degree)
    area = grid.copies * unit**2
    inside = np.repeat(mesh.contact, PER_TRIANGLE[degree])
    return _stack(
        described, grid, space.functions, space.mass, space.mass[:, inside] @ _choose(inside), inside, area, "currents"
    )


def semi_discrete(described: Described, grid: Prisms, degree: int = 2) -> Layered:
    """Return Lagrange elements on the face times any function of z as a stack: at every real s its Z is a lower bound."""
    plane = TriangleSpace.build(grid.plane, grid.depth, degree)
    area = grid.copies * grid.depth**2
    held = plane.contact.diagonal() != 0
    return _stack(described, grid, plane.functions, plane.mass, plane.contact, held, area, "potentials")


def triangular_sides(problem: Problem, grid: Prisms) -> Sides:
    """Return both sides of a triangulation, potentials of degree 2 and currents of degree 1."""
    overlap, alone = density_overlaps(grid.plane, grid.depth, 2), sparse.csr_array(np.ones((1, 1)))
    return Sides(semi_discrete(problem, grid, 2), equilibrated(problem, grid, 1), (overlap, alone), grid.name)


def _stack(
    described: Described,
    grid: Prisms,
    lateral: Lateral | Pencil,
    mass: sparse.csr_array,
    contact: sparse.csr_array,
    held: Any,
    area: float,
    what: str,
) -> Layered:
    problem = Problem.of(described)
    ideal = problem.ideal_contact
    return Layered(
        lateral=lateral,
        layers=[np.array([z[-1] - z[0]]) for z in grid.layers],
        two_port=exact,
        area=area,
        unit=grid.depth,
        face={CHARGE_TRANSFER: contact * area, PORE: sparse.csr_array(mass - contact) * area},
        free=~held if ideal else np.ones_like(held),
        description={
            "backend": "fem",
            "bound": what,
            "grid": grid.name,
            "cells": grid.shape[:1],
            "unknowns": int(mass.shape[0]),
        },
        course=problem.body.course,
    )


def _choose(inside: Any) -> sparse.csr_array:
    """The rows of the identity that are inside, (inside, all)."""
    return sparse.csr_array(sparse.eye_array(inside.size, format="csr")[inside])


class MixedElements:
    """Divergence-free currents on prisms as a backend: Z from above at every real s, for any outline of the contact.

    Spectra only: along z nothing is discretised, so there are no matrices of all unknowns.
    """

    name = "mixed"
    bound: Bound = "upper"
    offers: ClassVar[Mapping[str, Collection[str]]] = {RECTANGLES.name: (FAMILY,), OUTLINES.name: (FAMILY,)}

    def __init__(self, degree: int = 1, mesher: Mesher | None = None) -> None:
        self.degree, self.mesher = degree, mesher
        self.order = 2.0 * degree + 2

    def grid(self, described: Described, level: int) -> Prisms:
        """Return member `level` of the cell's family of prisms; one of a contact along the axes has prisms here as well."""
        return prisms(described, Grading(exponent=4.0, steps=2), level, self.mesher)

    def uniform(self, described: Described, resolution: int) -> Grid:
        """Refuse: these grids follow the outline."""
        raise InputError(
            key="resolution", value=resolution, when=f"for {self.name}", why="its grids follow the contact's outline"
        )

    def unknowns(self, described: Described, grid: Grid) -> int:
        """Return how many unknowns the face has."""
        return grid.shape[0] * PER_TRIANGLE[self.degree] + 1

    def layered(self, described: Described, grid: Grid) -> Layered:
        """Return the currents as a stack."""
        assert isinstance(grid, Prisms)
        return equilibrated(described, grid, self.degree)

    def assemble(self, described: Described, grid: Grid) -> Assembly:
        """Refuse: there are no matrices of all unknowns."""
        raise ComputationError(f"{self.name}: nothing is discretised along z, so there are no matrices of all unknowns")


class _Currents:
    """A, B and M of a face. Densities q = q^/det are scaled so that the coefficients of 1, projected, are all 1."""

    def __init__(self, mesh: PlanarMesh, unit: float, degree: int) -> None:
        current, divergences = CURRENTS[degree]
        order = degree + 1
        flow = triangle_basis(mesh, unit, order, element=current())
        sheet = triangle_basis(mesh, unit, order, element=divergences())
        det = {"det": np.abs(flow.mapping.detDF(flow.X))}
        number = np.concatenate([sheet.element_dofs[:, k] for k in range(mesh.t.shape[1])])
        energy = sparse.csc_array(flow_energy.assemble(flow))
        divergence = sparse.csr_array(divergence_density.assemble(flow, sheet, **det))[number]
        mass = sparse.csr_array(density_sheet.assemble(sheet, **det))[number][:, number]
        scale = sparse.diags_array(_ones(mass, density.assemble(sheet, **det)[number]))
        free = np.setdiff1d(np.arange(energy.shape[0]), flow.get_dofs().all())  # nothing leaves through the walls
        self.energies = sparse.csr_array(energy[free][:, free])
        self.divergence = sparse.csr_array(scale @ divergence[:, free])
        self.mass = sparse.csr_array(scale @ mass @ scale)

    @property
    def functions(self) -> Lateral | Pencil:
        """Functions of K = B A^-1 B' and M; of eigenvalue 0 the uniform current."""
        size = self.mass.shape[0]
        inverse = factorised(self.energies)

        def energies(vectors: Array) -> Array:
            driven = self.divergence.T @ vectors
            return np.asarray(driven.T @ inverse.solve(driven))

        if size < DENSE:
            stiffness = energies(np.eye(size))
            return Lateral(Modes.refined((stiffness + stiffness.T) / 2, self.mass.toarray(), energies), Modes.single())
        stiffness = LinearOperator((size, size), matvec=self._driven(inverse), matmat=self._driven(inverse), dtype=float)
        return Pencil(stiffness, self.mass, self._saddle)

    def _driven(self, inverse: Solver) -> Callable[[Array], Array]:
        return lambda densities: np.asarray(self.divergence @ inverse.solve(self.divergence.T @ densities))

    def _saddle(self, added: sparse.csr_array, free: NDArray[np.bool_]) -> Solver:
        """(K + S)^-1 r = x from A j = B' x, B j + S x = r: [A, B'; B, -S] (j, -x) = (0, r), quasi-definite in any order."""
        rows = np.flatnonzero(free)
        driven = self.divergence[rows]
        matrix = sparse.block_array([[self.energies, driven.T], [driven, -added[rows][:, rows]]], format="csc")
        return _Lower(factorised(matrix), self.energies.shape[0])


def density_overlaps(mesh: PlanarMesh, unit: float, degree: int) -> sparse.csr_array:
    """Return int N_i q_j of Lagrange elements of one degree and the densities of currents of the one below, (nodes, densities).

    Exact on bent triangles as well: what a density is divided by, the area is multiplied by.
    """
    _, divergences = CURRENTS[degree - 1]
    nodes = triangle_basis(mesh, unit, degree)
    sheet = triangle_basis(mesh, unit, degree, element=divergences())
    det = {"det": np.abs(sheet.mapping.detDF(sheet.X))}
    number = np.concatenate([sheet.element_dofs[:, k] for k in range(mesh.t.shape[1])])
    mass = sparse.csr_array(density_sheet.assemble(sheet, **det))[number][:, number]
    scale = sparse.diags_array(_ones(mass, density.assemble(sheet, **det)[number]))
    return sparse.csr_array(sparse.csr_array(potential_density.assemble(nodes, sheet, **det))[number].T @ scale)


def _ones(mass: sparse.csr_array, integrals: Array) -> Array:
    """The coefficients of 1 in densities of these integrals: with them as their unit, those of 1 are all 1."""
    return np.asarray(factorised(mass).solve(integrals))


class _Lower:
    """The lower right block of the inverse of a saddle point's matrix, negative."""

    def __init__(self, solver: Solver, upper: int) -> None:
        self.solver, self.upper = solver, upper

    def solve(self, right: Array) -> Array:
        """Return x for columns (n, k)."""
        above = np.zeros((self.upper, *right.shape[1:]))
        return np.asarray(-self.solver.solve(np.asfortranarray(np.concatenate([above, right])))[self.upper :])
