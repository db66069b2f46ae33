"""Run under mpiexec: one network, its impedance from all ranks beside that of the built-in route, as JSON."""

from __future__ import annotations

import json
import sys

import numpy as np

import fem_constriction as fc
from fem_constriction.processes.elements import Admittance
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel
from fem_constriction.solving.one_grid import solve_grid
from network import Network
from network.distributed import reduce_distributed, reduce_links
from network.links import GROUND, Links

BAND = (2 * np.pi * 1e-2, 2 * np.pi * 1e8)
PROCESSES = {
    "bulk": Admittance.of(0.046, 1.3e-9),
    "grain_boundary": Admittance.of(6e4, 0.13),
    "charge_transfer": Admittance.of(1e4, 8.85),
    "pore": Admittance.of(0.0, 0.0885),
}


def polycrystal(size: int, step: float = 1e-6) -> tuple[dict[str, Links], int]:
    """Voronoi grains of size^3 voxels: links of every process, boundaries in all three directions, and the number of unknowns.

    A link across a boundary has a node on both of its sides; half of the upper face is contact, the other half pores.
    """
    random = np.random.default_rng(7)
    seeds = random.uniform(0, size, (9, 3))
    voxels = np.stack(np.meshgrid(*[np.arange(size)] * 3, indexing="ij"), -1)
    label = np.argmin(np.sum((voxels[..., None, :] - seeds) ** 2, -1), -1)
    number = np.arange(size**3).reshape(label.shape)
    parts: dict[str, list[tuple[np.ndarray, np.ndarray, float]]] = {name: [] for name in PROCESSES}
    count = size**3
    for axis in range(3):
        one, other = (np.take(number, np.arange(start, start + size - 1), axis).ravel() for start in (0, 1))
        same = label.ravel()[one] == label.ravel()[other]
        parts["bulk"].append((one[same], other[same], step))
        across = np.count_nonzero(~same)
        near, far = count + np.arange(across), count + across + np.arange(across)
        count += 2 * across
        parts["bulk"] += [(one[~same], near, 2 * step), (far, other[~same], 2 * step)]
        parts["grain_boundary"].append((near, far, step**2))
    top, bottom = number[:, :, 0].ravel(), number[:, :, -1].ravel()
    face = count + np.arange(top.size)
    metal = count + top.size
    parts["bulk"] += [(face, top, 2 * step), (bottom, np.full_like(bottom, GROUND), 2 * step)]
    half = face.size // 2
    parts["charge_transfer"].append((np.full(half, metal), face[:half], step**2))
    parts["pore"].append((np.full(face.size - half, metal), face[half:], step**2))
    links = {}
    for name, pieces in parts.items():
        geometry = np.concatenate([np.full(a.size, g) for a, _, g in pieces])
        links[name] = Links(np.concatenate([a for a, _, _ in pieces]), np.concatenate([b for _, b, _ in pieces]), geometry)
    return links, metal + 1


def both(name: str, size: int) -> tuple[ReducedModel, ReducedModel | None]:
    """The model from all ranks, and on rank 0 the built-in one."""
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    if name == "polycrystal":
        links, unknowns = polycrystal(size)
        ends = np.linspace(0, unknowns - 1, comm.size + 1).astype(int)
        own = range(int(ends[comm.rank]), int(ends[comm.rank + 1]))
        mine = {}
        for process, each in links.items():
            here = np.isin(each.a, own) | np.isin(each.b, own)
            mine[process] = Links(each.a[here], each.b[here], each.geometry[here])
        found = reduce_links(mine, PROCESSES, own, unknowns, BAND)
        plain = Assembly({process: each.laplacian(unknowns) for process, each in links.items()})
        return found, reduce(plain, PROCESSES, BAND) if comm.rank == 0 else None
    cell, backend = fc.Cell.load(name), Network()
    grid = backend.uniform(cell, size)
    found = reduce_distributed(cell, grid, BAND)
    return found, solve_grid(cell, backend, grid, BAND).model if comm.rank == 0 else None


def main(name: str, size: int) -> None:
    found, own = both(name, size)
    if own is None:
        return
    s = 2j * np.pi * np.geomspace(1e-2, 1e8, 21)
    z, expected = found.impedance(s), own.impedance(s)
    entry, own_entry = (each.entry([2j * np.pi * 1e4])["charge_transfer"][0] for each in (found, own))
    record = {
        "difference": float(np.max(np.abs(z - expected) / np.abs(expected))),
        "resistance": abs(found.resistance() / own.resistance() - 1),
        "entry": abs(entry - own_entry),
        "unknowns": [
            found.statistics["unknowns"],
            len(own.port) and own.statistics.get("unknowns", found.statistics["unknowns"]),
        ],
        **{key: found.statistics[key] for key in ("ranks", "iterations", "bytes_per_rank", "shifts")},
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
