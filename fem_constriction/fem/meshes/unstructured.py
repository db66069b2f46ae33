"""sum_p y_p(s) a_p(phi, psi) = V_psi on tetrahedra or hexahedra from a file: scikit-fem's elements, with jumps at named faces.

Nodes of grain boundaries are doubled (`cut`), so that phi may jump there. Each thin layer is a sheet, a_p = int [phi][psi] over
its faces: differences between its two sides are taken first (V - phi at the working electrode), then multiplied by the mass
matrix of the faces. Conforming, and with exact quadrature where cells are affine: a lower bound at every real s > 0 there.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import sparse

from fem_constriction.cell.meshfile import read_mesh
from fem_constriction.errors import InputError
from fem_constriction.fem.meshes.cut import cut
from fem_constriction.fem.meshes.space import Space, refined
from fem_constriction.fem.meshes.twolevel import Shifted
from fem_constriction.fem.sheet import Sheet, sheet
from fem_constriction.geometry.facets import Facets, Integers
from fem_constriction.grids.mesh_grid import MeshGrid
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.names import BULK, CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE
from fem_constriction.reduction.assembly import Assembly, Operator


def most_unknowns(grid: MeshGrid, degree: int) -> int:
    """Return how many unknowns a mesh has at most, from its numbers of cells, vertices and outer facets (Euler)."""
    cells, outside, vertices = grid.measure.cells, grid.measure.outside, grid.measure.vertices + grid.measure.doubled
    for _ in range(grid.level + degree - 1):  # the nodes of degree 2 are the vertices of the mesh refined once
        tetrahedra = grid.measure.corners == 4
        edges = vertices + (1 if tetrahedra else 2) * cells + outside // 2
        facets = 0 if tetrahedra else 3 * cells + outside // 2
        vertices += edges + facets + (0 if tetrahedra else cells)
        cells, outside = 8 * cells, 4 * outside
    return vertices + 1


def assemble_mesh(problem: Problem, grid: MeshGrid, degree: int) -> Assembly:
    """Return one matrix per process of a cell with a mesh, as it is in the file or refined. Raises InputError."""
    processes, depth, source = problem.places, grid.depth, grid.body.source
    mesh = refined(read_mesh(source), grid.level)
    facets = Facets.build(mesh.cells)
    inner = facets.find(mesh.faces.get("grain_boundaries", mesh.cells[:0, :3]))
    opened = cut(mesh.cells, facets, inner)
    space = Space((mesh.points[opened.origin] - mesh.points.min(0)) / depth, opened.cells, degree)
    sheets = {region: opened.outside(facets.find(mesh.faces[region])) for region in ("contact", "pore", "counter_electrode")}

    unknown = np.zeros(space.size, dtype=np.int64)
    if problem.ideal_contact:  # the contact's edge belongs to it
        unknown[space.on_faces(sheets["contact"])] = -2
    if COUNTER_ELECTRODE not in processes:
        grounded = space.on_faces(sheets["counter_electrode"])
        if short := int(np.sum(unknown[np.unique(grounded)] == -2)):
            raise InputError(
                key="mesh.file",
                value=source.file,
                why=f"contact and counter_electrode, both ideal, share {short} nodes, a short circuit",
                remedy="allowed is charge transfer at one of them, or faces that do not meet",
            )
        unknown[grounded] = -1
    free = unknown == 0
    metal = int(free.sum())
    unknown[free] = np.arange(metal)
    unknown[unknown == -2] = metal
    known = np.flatnonzero(unknown >= 0)
    tie = sparse.csr_array((np.ones(known.size), (known, unknown[known])), shape=(space.size, metal + 1))
    operators: dict[str, Operator] = {BULK: sparse.csr_array(tie.T @ space.stiffness() @ tie) * depth}
    if GRAIN_BOUNDARY in processes:
        one, other = opened.sides(inner)
        operators[GRAIN_BOUNDARY] = _sheet(space, one, unknown[space.on_faces(one)], unknown[space.on_faces(other)], metal)
    for process, region in ((CHARGE_TRANSFER, "contact"), (PORE, "pore"), (COUNTER_ELECTRODE, "counter_electrode")):
        if process in processes:
            near = unknown[space.on_faces(sheets[region])]
            far = np.full_like(near, -1 if process == COUNTER_ELECTRODE else metal)
            operators[process] = _sheet(space, sheets[region], far, near, metal)
    for operator in operators.values():
        if isinstance(operator, Sheet):
            operator.mass.data *= depth**2
    described = {
        "backend": "fem",
        "degree": degree,
        "grid": grid.name,
        "cells": (len(mesh.cells),),
        "unknowns": metal + 1,
        "mesh": source.file,
        "sha256": grid.measure.sha256,
        "walls_m2": grid.measure.walls,
        "volume_of_box": grid.measure.volume / float(np.prod(grid.measure.box)),
    }
    return Assembly(
        operators=operators,
        precondition=partial(
            Shifted.of, operators, space.from_vertices()[free][:, free[space.basis.nodal_dofs[0]]], space.basis.doflocs[:, free]
        ),
        bound="lower" if grid.fits else None,
        description=described,
    )


def _sheet(space: Space, faces: Integers, first: Integers, second: Integers, metal: int) -> Sheet:
    """The drop from `first` to `second`, unknowns of the nodes of faces (k, nodes of a face), -1 being phi = 0."""
    return sheet(first, second, space.masses(faces), metal)
