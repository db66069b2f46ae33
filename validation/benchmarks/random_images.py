"""|Z - Z_plain|/|Z| of random label images: both backends' reduced models against plain sparse solutions of their own matrices.

python -m validation.benchmarks.random_images 60

Images of 8^3 to 16^3 voxels have grains, conductors, dielectrics, holes, electrodes that are tied, grounded and afloat, voids,
oblong voxels, both kinds of boundary areas and contacts of any size. What is compared shares the matrices: these are held
against elements and links written out one by one in tests.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from fem_constriction.arrays import Array, Complex
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.geometry.grains import voronoi
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.elements import evaluate
from fem_constriction.solving.backends import BUILT_IN, backend_named
from fem_constriction.solving.one_grid import solve_grid

#: Hz at which they are compared.
FREQUENCIES = np.array([1e-3, 1e1, 1e4, 1e6, 1e9])

#: Labels of what is no grain.
CONDUCTOR, DIELECTRIC, HOLE, METAL, COUNTER, VOID = 201, 202, 203, 204, 205, 206

#: Edges of a voxel, m.
EDGE = 1e-6


def random_image(seed: int, sizes: Sequence[int] = range(8, 17)) -> Cell:
    """Return the random cell of a seed; sizes: voxels per edge that are drawn from."""
    random = np.random.default_rng(seed)
    nz, nx = (int(random.choice(list(sizes))) for _ in range(2))
    shape = nz, nx, nx
    labels = voronoi(shape, int(random.integers(2, 12)), seed)
    phases: list[dict[str, Any]] = []

    def blobs(label: int, part: float, layers: slice = slice(1, -1)) -> None:
        where = labels[layers]
        where[random.random(where.shape) < part] = label

    if random.random() < 0.6:
        blobs(CONDUCTOR, 0.15)
        phases.append(_inclusion(CONDUCTOR, 0.046 * 10 ** random.uniform(-2, 2), 40))
    if random.random() < 0.5:
        blobs(DIELECTRIC, 0.1)
        phases.append(_inclusion(DIELECTRIC, 0.0, 10 ** random.uniform(0, 3)))
    if random.random() < 0.5:
        blobs(HOLE, 0.1)
        phases.append({"label": HOLE, "kind": "hole"})
    transfer = bool(random.random() < 0.7)
    electrode: dict[str, Any] = {"pore": {"capacitance": f"{10 ** random.uniform(-1, 1.5):.3g} uF/cm^2"}}
    if transfer:
        electrode["charge_transfer"] = {
            "resistance": f"{10 ** random.uniform(-1, 3):.3g} ohm cm^2",
            "capacitance": f"{10 ** random.uniform(0, 3):.3g} uF/cm^2",
        }
    counter: dict[str, Any] = {"charge_transfer": {"resistance": "2 ohm cm^2", "capacitance": "100 uF/cm^2"}}
    if random.random() < 0.5:
        front = random.integers(0, 3, shape[1:])
        labels[np.arange(nz)[:, None, None] < front] = METAL
        if random.random() < 0.5:
            blobs(VOID, 0.1, slice(0, 2))
            phases.append({"label": VOID, "kind": "hole", "relative_permittivity": 1})
        if random.random() < 0.5:
            labels[nz // 2, 1:3, 1:3] = METAL
        phases.append({"label": METAL, "kind": "electrode", "tied_to": "working"})
        if random.random() < 0.3:
            labels[-1, 0, :2] = COUNTER
            phases.append({"label": COUNTER, "kind": "electrode", "tied_to": "counter"})
    covered = ((nx - 2 * int(random.integers(0, nx // 2))) / nx) ** 2  # edges lie between voxels
    aside = 2.0 ** random.integers(-1, 2) if covered == 1 else 1.0  # a square contact takes square faces
    edges = [EDGE * 2.0 ** random.integers(-1, 2), EDGE, EDGE * aside]
    structure: dict[str, Any] = {
        "image": labels,
        "voxel": edges,
        "phases": [each for each in phases if np.any(labels == each["label"])],
    }
    if random.random() < 0.7:
        boundary = {"thickness": "10 nm", "conductivity": f"{5.97 * 10 ** random.uniform(-2, 2):.3g} uS/cm"}
        area = "smooth" if random.random() < 0.4 else "voxels"
        structure["boundary"] = {**boundary, "relative_permittivity": 150, "area": area}
    return Cell(
        geometry={"width": [nx * edges[1], nx * edges[2]], "thickness": nz * edges[0]},
        electrolyte={"conductivity": "0.46 mS/cm", "relative_permittivity": 150, "microstructure": structure},
        working_electrode={"contact": {"shape": "square", "fraction": covered}, **electrode},
        counter_electrode=counter if random.random() < 0.7 else {},
    )


def _inclusion(label: int, conductivity: float, permittivity: float) -> dict[str, Any]:
    return {
        "label": label,
        "kind": "inclusion",
        "conductivity": conductivity,
        "relative_permittivity": permittivity,
    }


def plain(problem: Problem, backend: Any, frequency: Array, level: int = 0) -> Complex:
    """Return Z at frequencies in Hz by one complex sparse factorisation each, of what the matrices reach."""
    assembly, found = backend.assemble(problem, backend.grid(problem, level)), []
    for s in 2j * np.pi * frequency:
        y = {name: complex(value) for name, value in evaluate(assembly.admittances(problem.places), s).items()}
        matrix = assembly.matrix(y).tocsr()
        # What hangs on the electrode alone: islands, which neither backend solves, would make the matrix singular.
        part = connected_components(abs(matrix), directed=False)[1]
        kept = np.flatnonzero(part == part[-1])
        port = np.zeros(kept.size, dtype=complex)
        port[-1] = 1.0
        factors = splu(matrix[kept][:, kept].tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        solved = factors.solve(port)
        found.append(solved[-1])
    return np.array(found)


def compared(cell: Cell, frequency: Array = FREQUENCIES) -> dict[str, float]:
    """Return {backend: largest relative difference of Z} of one cell."""
    problem, worst = Problem.of(cell).over(frequency), {}
    for name in BUILT_IN:
        backend = backend_named(name)
        model = solve_grid(problem, backend, backend.grid(problem, 0), problem.band).model
        expected = plain(problem, backend, frequency)
        worst[name] = float(np.max(np.abs(model.impedance(2j * np.pi * frequency) / expected - 1)))
    return worst


def main(count: int) -> None:
    """Write one line of JSON per seed, and what is the largest."""
    largest: dict[str, float] = {}
    for seed in range(count):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found: dict[str, Any] = dict(compared(random_image(seed)))
                largest = {name: max(largest.get(name, 0.0), value) for name, value in found.items()}
            except InputError as error:
                found = {"refused": str(error)}
        sys.stdout.write(json.dumps({"seed": seed, **found}) + "\n")
        sys.stdout.flush()
    sys.stdout.write(json.dumps({"largest": largest}) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
