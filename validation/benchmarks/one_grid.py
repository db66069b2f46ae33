"""Seconds for Z(f) on one grid: solutions at real shifts beside one complex sparse solve per frequency.

Both start from the matrices that one backend assembled on one grid of its family, on one thread. A peer is solved at a few
frequencies only, and its mean time multiplied by their number. Where they were solved, the peer's Z is also the check of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.console import Group, RenderableType
from rich.text import Text
from scipy import sparse
from scipy.sparse.linalg import splu
from threadpoolctl import threadpool_limits

from fem_constriction import memory
from fem_constriction.api import provenance
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.pictures.words import amount
from fem_constriction.problem.problem import Problem, check_solvable
from fem_constriction.processes.elements import Admittance, evaluate
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.assembly import Assembly
from fem_constriction.solving.backends import Backend
from fem_constriction.solving.capabilities import require
from fem_constriction.solving.choice import FINEST
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.solving.refinement import angular_band
from fem_constriction.spectra.frequencies import frequencies_taken
from validation.benchmarks.harness import Clock, cost, machine, sampled
from validation.show.tables import table

#: Where the fastest peer so far takes more processor seconds per solve, the peers after it are left out: they may take 15 times
#: as long (default ordering, voxel network), or be faster (the same, finite elements).
SLOW = 30.0


def superlu(matrix: sparse.csc_array, port: NDArray[Any]) -> NDArray[Any]:
    """x = A^-1 b by SuperLU with minimum degree on A' + A, as befits a symmetric matrix."""
    factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return np.asarray(factors.solve(port))


def superlu_default(matrix: sparse.csc_array, port: NDArray[Any]) -> NDArray[Any]:
    """x = A^-1 b by SuperLU as scipy's spsolve calls it: column minimum degree, partial pivoting."""
    return np.asarray(splu(matrix).solve(port))


@dataclass(frozen=True)
class Peer:
    """A way to solve A(s) x = b, and the memory it needs: at most `bytes` n^(4/3) for n unknowns.

    Fill grows like n^(4/3) in three dimensions. Measured peaks over n^(4/3), network and finite elements, levels 0 and 1 of
    figure 2 at 25 % and of the homogeneous cell: 56 to 460 bytes (minimum degree on A' + A), 160 to 630 (default).
    """

    name: str
    solve: Callable[[sparse.csc_array, NDArray[Any]], NDArray[Any]]
    bytes: float

    def memory(self, unknowns: int) -> float:
        """Return the estimate in bytes."""
        return float(self.bytes * unknowns ** (4 / 3))


#: The first is the reference for accuracy and always solved; the others where they can be afforded.
PEERS = (
    Peer("SuperLU, MMD on A'+A", superlu, 500),
    Peer("SuperLU, default (COLAMD)", superlu_default, 700),
)


def benchmark(cell: Cell, backend: Backend, frequencies: ArrayLike, level: int = 0) -> dict[str, Any]:
    """Return seconds, memory and accuracy of one grid's spectrum, ours and every peer's, as JSON can hold it.

    frequencies: Hz; level: member of the backend's family of grids. Raises InputError, before anything is computed, for a
    grid on which a direct solve would not fit in memory, ComputationError where a solver fails.
    """
    points = np.sort(frequencies_taken(frequencies))
    band = angular_band(points)
    if not 0 <= level <= FINEST:
        raise InputError(key="level", value=level, allowed=f"0 to {FINEST}")
    check_solvable(cell)
    require("benchmark NAME --level", cell, [backend])
    grid = backend.grid(Problem.of(cell), level)
    unknowns = backend.unknowns(Problem.of(cell), grid)
    free = memory.free()
    if (needed := PEERS[0].memory(unknowns)) > free:
        raise InputError(
            key="level",
            value=level,
            why=f"a direct solve of {unknowns:,} unknowns may need {needed / 2**30:.3g} GiB of memory "
            f"({PEERS[0].bytes:g} bytes n^(4/3)) and {free / 2**30:.3g} GiB are free",
            remedy="allowed is a lower level",
        )
    with threadpool_limits(limits=1, user_api="blas"):
        with cost() as ours:
            solution = solve_grid(cell, backend, grid, band)
            solution.model.impedance(2j * np.pi * points)
        checked = points[sampled(points.size)]
        s = 2j * np.pi * checked
        peers, reference, left_out = _peers(
            lambda: backend.assemble(Problem.of(cell), grid), admittances(cell), s, points.size, unknowns, free
        )
    difference = np.abs(solution.model.impedance(s) - reference) / np.abs(reference)
    for row in (ours, *peers):
        row["seconds_per_frequency"] = row["seconds"] / points.size
        row["ratio"] = row["seconds"] / ours["seconds"]
    return {
        **provenance(cell),
        "machine": machine(),
        "backend": backend.name,
        "level": level,
        "cells": grid.shape,
        "unknowns": solution.model.statistics.get("unknowns", unknowns),
        "frequencies": points.size,
        "ours": {**ours, "shifts": len(solution.model.shifts), "route": solution.description.get("route", "all unknowns")},
        "peers": peers,
        "left_out": left_out,
        "ratio": min(row["ratio"] for row in peers),
        "accuracy": {
            "frequency_Hz": checked,
            "difference": difference,
            "projection_error": float(solution.description["projection_error"]),
        },
    }


def _peers(
    assemble: Callable[[], Assembly],
    processes: Mapping[str, Admittance],
    s: NDArray[Any],
    count: int,
    unknowns: int,
    free: float,
) -> tuple[list[dict[str, Any]], NDArray[Any], dict[str, str]]:
    """Return what each peer cost for `count` frequencies, Z of the first at s, and why others were left out."""
    rows: list[dict[str, Any]] = []
    impedance: list[complex] = []
    left_out: dict[str, str] = {}
    for peer in PEERS:
        fastest = min((row["cpu_seconds_per_solve"] for row in rows), default=0.0)
        if rows and fastest > SLOW:
            left_out[peer.name] = (
                f"another takes {fastest:.0f} s per solve, more than {SLOW:g} s; this one may be slower or faster"
            )
            continue
        if rows and peer.memory(unknowns) > free:
            left_out[peer.name] = f"it may need {peer.memory(unknowns) / 2**30:.3g} GiB of memory"
            continue
        solves = 0
        with cost() as row:
            built = assemble()
            plain = Assembly({name: operator.tocsr() for name, operator in built.operators.items()}, series=built.series)
            port = np.zeros(plain.unknowns, dtype=complex)
            port[-1] = 1.0
            clock = Clock()
            for point in s:
                try:
                    matrix = plain.matrix(
                        {name: complex(y) for name, y in evaluate(plain.admittances(processes), point).items()}
                    )
                    found = peer.solve(matrix, port)[-1]
                except (MemoryError, RuntimeError) as error:
                    raise ComputationError(f"{peer.name} failed on {unknowns:,} unknowns: {error}") from None
                solves += 1
                if not rows:
                    impedance.append(complex(found))
                elif clock.cpu_seconds / solves > 1.5 * fastest:
                    break  # not the one to beat: enough is known of it
            per_solve, cpu = clock.seconds / solves, clock.cpu_seconds / solves
        row["seconds"] += per_solve * (count - solves)
        row["cpu_seconds"] += cpu * (count - solves)
        row |= {"seconds_per_solve": per_solve, "cpu_seconds_per_solve": cpu, "solves": solves, "extrapolated": solves < count}
        rows.append({"name": peer.name, **row})
    return rows, np.array(impedance), left_out


def benchmark_report(record: dict[str, Any]) -> RenderableType:
    """The benchmark as a table, with what was measured and what was not."""
    ours, count, accuracy = record["ours"], record["frequencies"], record["accuracy"]
    lines = [
        (
            row.get("name", f"{ours['shifts']} real shifts, {ours['route']}"),
            f"{row['seconds']:.3g}",
            amount(row["seconds_per_frequency"], "s", 1),
            f"{row['peak_bytes'] / 2**30:.2f}",
            f"{row['solves']} of {count}" if "solves" in row else "all",
            f"{row['ratio']:.3g}",
        )
        for row in (ours, *record["peers"])
    ]
    cells = " x ".join(map(str, record["cells"]))
    title = f"{record['backend']}, level {record['level']}: {cells} cells, {record['unknowns']:,} unknowns, {count} frequencies"
    notes = [f"Left out: {name}: {reason}." for name, reason in record["left_out"].items()]
    if any(row["extrapolated"] for row in record["peers"]):
        notes.append(f"Peers: matrices assembled once, then the mean time of the frequencies solved, multiplied by {count}.")
    where = ", ".join(amount(f, "Hz", 0) for f in accuracy["frequency_Hz"])
    notes.append(
        f"Largest difference from the first peer at {where}: {max(accuracy['difference']):.1e} |Z|; "
        f"projection error stated: {accuracy['projection_error']:.1e} |Z|."
    )
    heads = ("method", "seconds", "per frequency", "GiB", "solved", "ratio")
    return Group(table(title, heads, lines), *map(Text, notes))
