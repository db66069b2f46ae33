"""A network in slabs is the network: row by row without MPI, and as a whole with PETSc where that is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import images
import numpy as np
import outline_cells
import pytest
from paper_cells import DATA
from scipy import sparse

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.problem.problem import Problem
from network import Network
from network.distributed import _Part, reduce_distributed
from network.links import Electrodes, network_links

CELLS = ["homogeneous-25", "figure-6-16", "figure-3a-16"]
#: Of tests/shared/distributed_run.py: grains with boundaries in all directions.
POLYCRYSTAL = "polycrystal"
#: Links in series across the outline of a contact, and across boundaries between grains of an image.
DESCRIBED = {
    "resistive disc": outline_cells.cell(outline_cells.DISC),
    "label image": images.image_cell(
        (12, 12, 12), 0.25, {"generator": "voronoi", "grains": 9, "seed": 0, "boundary": images.BOUNDARY}
    ),
}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("slabs", [1, 2, 5])
def test_slabs_hold_the_rows_of_every_matrix(name: str, slabs: int) -> None:
    cell = fc.Cell.load(DATA / "cells" / f"{name}.toml")
    backend = Network()
    grid = backend.uniform(cell, 8)
    assembly = backend.assemble(cell, grid)
    electrodes = Electrodes.of(Problem.of(cell), grid)
    vertical = electrodes.column(Problem.of(cell), grid)
    ends = np.linspace(0, vertical.rows, slabs + 1).astype(int)
    found: dict[str, list[_Part]] = {process: [] for process in assembly.operators}
    for start, stop in pairwise(ends):
        links, numbering = network_links(grid, vertical, electrodes, rows=range(start, stop))
        for process, parts in found.items():
            own = range(numbering.first(start), numbering.first(stop))
            parts.append(_Part(links.get(process), own, numbering.unknowns - 1))
    for process, parts in found.items():
        whole = assembly.operators[process].tocsr()
        rows = sparse.vstack([part.local for part in parts])
        assert abs(rows - whole[:-1, :-1]).max() <= 1e-13 * abs(whole).max()
        coupling = whole[:-1, [-1]].toarray().ravel()
        assert np.allclose(np.concatenate([part.coupling for part in parts]), coupling, rtol=1e-12, atol=0)
        assert sum(part.voltage for part in parts) == pytest.approx(whole[-1, -1], rel=1e-12)


def test_every_link_of_a_resistive_disc_has_an_admittance() -> None:
    """Voxels that its outline cuts conduct through contact and bulk in series: a process that no place is."""
    cell = outline_cells.cell(outline_cells.DISC)
    problem, backend = Problem.of(cell), Network()
    grid = backend.uniform(problem, 8)
    electrodes = Electrodes.of(problem, grid)
    links, _ = network_links(grid, electrodes.column(problem, grid), electrodes)
    assert set(links) - set(problem.places)
    assert set(links) <= set(electrodes.conducting(problem.places))


@pytest.mark.skipif(find_spec("petsc4py") is None, reason="petsc4py, an extra, is not installed")
@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("name", [*CELLS, POLYCRYSTAL, *DESCRIBED])
def test_petsc_gives_what_the_built_in_route_gives(name: str, ranks: int, tmp_path: Path) -> None:
    mpiexec = shutil.which("mpiexec") or pytest.skip("no mpiexec")
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1"}
    version = subprocess.run([mpiexec, "--version"], capture_output=True, text=True).stdout
    more = ["--oversubscribe"] if "Open" in version else []  # Open MPI, OpenRTE; MPICH does so anyway
    script = Path(__file__).parents[1] / "shared" / "distributed_run.py"
    what = name if name == POLYCRYSTAL else DATA / "cells" / f"{name}.toml"
    if name in DESCRIBED:
        what = tmp_path / "cell.toml"
        DESCRIBED[name].save(what)
    command = [mpiexec, "-n", str(ranks), *more, sys.executable, script, what, "12"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, **allowed})
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    assert record["ranks"] == ranks
    assert record["unknowns"][0] == record["unknowns"][1]
    assert record["difference"] <= 2e-8  # both projections are made for 1e-8
    assert record["resistance"] <= 1e-10
    assert record["entry"] <= 1e-6  # first order in the potentials, whose error is the root of 1e-8 or less


def test_without_petsc_it_says_what_is_missing(small: fc.Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("network.distributed.find_spec", lambda name: None)
    with pytest.raises(InputError, match="not installed: petsc4py, mpi4py"):
        reduce_distributed(small, Network().uniform(small, 8), None)
