"""Run under mpiexec: one network, its impedance from slabs on all ranks beside that of the built-in route, as JSON."""

from __future__ import annotations

import json
import sys

import numpy as np

import fem_constriction as fc
from fem_constriction.backends import solve_grid
from network import Network
from network.distributed import reduce_distributed


def main(file: str, resolution: int) -> None:
    from mpi4py import MPI

    cell = fc.Cell.load(file)
    backend, frequency = Network(), np.geomspace(1e-2, 1e8, 21)
    band = (2 * np.pi * 1e-2, 2 * np.pi * 1e8)
    grid = backend.uniform(cell, resolution)
    found = reduce_distributed(cell, grid, band)
    z = found.impedance(2j * np.pi * frequency)
    if MPI.COMM_WORLD.rank == 0:
        own = solve_grid(cell, backend, grid, band).model
        expected = own.impedance(2j * np.pi * frequency)
        entry, own_entry = (each.entry([2j * np.pi * 1e4])["charge_transfer"][0] for each in (found, own))
        record = {
            "difference": float(np.max(np.abs(z - expected) / np.abs(expected))),
            "resistance": abs(found.resistance() / own.resistance() - 1),
            "entry": abs(entry - own_entry),
            "unknowns": [found.statistics["unknowns"], own.statistics["unknowns"]],
            **{key: found.statistics[key] for key in ("ranks", "iterations", "bytes_per_rank", "shifts")},
        }
        print(json.dumps(record))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
