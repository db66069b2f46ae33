"""|Z - Z_true| <= u: how often it holds over random cells, and how much wider u is than the error it covers.

Each backend's default result (`fem_constriction.solve`, `resistance`) beside the mode-expansion oracle of the same cell, which
has an error estimate of its own, u_o: the difference between two truncations. A cell holds if |Z - Z_o| <= u + u_o at every
frequency and at direct current. The oracle is refined where u_o > u/2; a cell with more than half of its points still so is
left out, by widths alone, whatever the error. The share of cells with |Z - Z_o| <= u, no allowance for u_o, at all points where
u_o <= u/2 stands beside it. Width: the median of u/|Z - Z_o| over cells and frequencies, infinite where the error is
below u_o, so that what is not known counts as wide; errors below FLOOR |Z|, which no u goes below, are counted apart.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

import fem_constriction as fc
from fem_constriction import memory
from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.processes.of_cell import direct_current
from fem_constriction.reduction.projection import TARGET
from validation import oracles
from validation.benchmarks.random_cells import FREQUENCY, random_cell
from validation.show.report import table

BACKENDS = ("fem", "network")
LAYERS = 5  # at most, between boundaries
SEED = 42

#: What is asked for: the share of cells that hold (95 % within the sampling error of 200), and the median width.
SHARE, WIDTH = 0.92, 10.0

#: The oracle tells right from wrong where its own error is below this part of u.
SHARP = 1 / 2

FLOOR = TARGET

#: Orders of the oracle, tried until it is sharp, by how many lines through edges cut the part of the face that it solves: two
#: (one along each axis), or more. The last ones take some 20 s per cell.
FEW_LINES, ORDERS = 2, ((8, 9), (7,))

#: Result of one backend: Z, u at frequencies, then R_DC and its u; anything that `solve` and `resistance` would give.
Solver = Callable[[Cell, str], tuple[Any, Any]]


def solved(cell: Cell, backend: str) -> tuple[Any, Any]:
    """Return (Z, u) at all points in ohm: the frequencies, then direct current where it can flow. Default settings."""
    spectrum = fc.solve(cell, FREQUENCY, backend=backend)
    z, u = np.asarray(spectrum.impedance), np.asarray(spectrum.uncertainty)
    if direct_current(cell):
        resistance, uncertain = fc.resistance(cell, backend=backend, uncertainty=True)
        z, u = np.append(z, resistance), np.append(u, uncertain)
    return z, u


def truth(cell: Cell, wanted: Array) -> tuple[Any, Array]:
    """Return (Z, u_o/|Z|) of the mode-expansion oracle at the same points, refined where u_o is above what is wanted."""
    described = oracles.from_description(tomllib.loads(cell.dumps()))
    lines = sum(map(len, oracles.partition(described.rectangles, described.width).edges))
    s = np.append(2j * np.pi * FREQUENCY, [0.0] * direct_current(cell))
    orders = ORDERS[lines > FEW_LINES]
    z, error = oracles.impedance(described, s, orders[0])
    for order in orders[1:]:
        if np.mean(again := error > wanted) >= 0.5:
            z[again], error[again] = oracles.impedance(described, s[again], order)
    return z, error


def one(number: int, seed: int, solver: Solver = solved) -> dict[str, Any]:
    """Return the comparison of one random cell, everything relative to |Z|."""
    cell = random_cell(number, seed, layers=LAYERS, kinds=True)
    results = {backend: solver(cell, backend) for backend in BACKENDS}
    z_true, u_oracle = truth(cell, SHARP * np.min([u / np.abs(z) for z, u in results.values()], axis=0))
    size = np.abs(z_true)
    found: dict[str, Any] = {"cell": number, **kind(cell), "u_oracle": u_oracle.tolist()}
    for backend, (z, u) in results.items():
        found[backend] = {"u": (u / size).tolist(), "error": (np.abs(z - z_true) / size).tolist()}
    return found


def kind(cell: Cell) -> dict[str, Any]:
    """Return what a reader asks about a cell that did not hold."""
    x, y, depth = cell.geometry.lengths
    electrode, boundaries = cell.working_electrode, cell.electrolyte.grain_boundaries
    transfer = electrode.charge_transfer
    return {
        "fraction": cell.contact_fraction,
        "contact": electrode.contact.shape if electrode.contact.shape == "square" else f"{len(electrode.contact.regions)} off",
        "width_over_depth": [x / depth, y / depth],
        "zeta": None if transfer is None else cell.electrolyte.conductivity * transfer.resistance / depth,
        "layers": 1 if boundaries is None else boundaries.layers,
        "pores": electrode.pore is not None,
        "counter_electrode": cell.counter_electrode.charge_transfer is not None,
    }


def honesty(
    cells: int, seed: int = SEED, *, workers: int = 1, solver: Solver = solved, progress: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Return every comparison and what they come to, a verdict per backend. Raises InputError for less than one cell."""
    if cells < 1:
        raise InputError(key="cells", value=cells, allowed="at least 1")
    if seed < 0:
        raise InputError(key="seed", value=seed, allowed="a whole number of at least 0")
    rows = []
    work = partial(one, seed=seed, solver=solver)
    pool = None
    if workers > 1:
        pool = ProcessPoolExecutor(workers, initializer=memory.settle, initargs=(memory.free() // workers,))
    try:
        for row in (map if pool is None else pool.map)(work, range(cells)):
            rows.append(row)
            if progress is not None:
                progress(len(rows))
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
    verdicts = {backend: judge(rows, backend) for backend in BACKENDS}
    return {
        "seed": seed,
        "frequency_Hz": FREQUENCY.tolist(),
        "asked": {"share": SHARE, "width": WIDTH},
        "backends": verdicts,
        "honest": all(each["honest"] for each in verdicts.values()),
        "cells": rows,
    }


def judge(rows: Sequence[dict[str, Any]], backend: str) -> dict[str, Any]:
    """Return shares, widths and the worst cells of one backend, from the rows of `one`."""
    kept, worst, strict, ratios, below = [], [], [], [], 0
    for row in rows:
        u, error, u_oracle = (np.array(each) for each in (row[backend]["u"], row[backend]["error"], row["u_oracle"]))
        sharp = u_oracle <= SHARP * u
        if np.mean(sharp) < 0.5:
            continue
        kept.append(bool(np.all(error <= u + u_oracle)))
        strict.append(bool(np.all((error <= u)[sharp])))
        worst.append((float(np.max(error / (u + u_oracle))), row))
        tiny = error <= FLOOR
        below += int(tiny.sum())
        with np.errstate(divide="ignore"):
            ratios.append(np.where(error > u_oracle, u / error, np.inf)[~tiny])
    ratio = np.concatenate(ratios) if ratios else np.array([])
    known = ratio[np.isfinite(ratio)]
    share = float(np.mean(kept)) if kept else float("nan")
    width = float(np.median(ratio)) if ratio.size else float("nan")
    return {
        "cells": len(rows),
        "left_out": len(rows) - len(kept),
        "holds": share,
        "holds_without_allowance": float(np.mean(strict)) if strict else float("nan"),
        "width": width,
        "width_where_known": {f"{p} %": float(np.percentile(known, p)) for p in (1, 10, 50, 90, 99)} if known.size else {},
        "points": {
            "all": int(ratio.size + below),
            "error_below_floor": below,
            "error_below_oracle": int(np.isinf(ratio).sum()),
        },
        "worst": [
            {"error_over_u": value, **{key: row[key] for key in row if key not in (*BACKENDS, "u_oracle")}}
            for value, row in sorted(worst, key=lambda each: -each[0])[:5]
        ],
        "honest": share >= SHARE and width <= WIDTH,
    }


def honesty_report(record: dict[str, Any]) -> RenderableType:
    """The verdicts side by side, and the cells that came nearest to their u or passed it."""
    found = record["backends"]
    lines: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        (f"cells that hold at all points (asked {SHARE:.0%})", lambda v: f"{v['holds']:.1%}"),
        ("cells left out: oracle not sharp", lambda v: str(v["left_out"])),
        ("cells that hold without allowance for the oracle", lambda v: f"{v['holds_without_allowance']:.1%}"),
        (f"median u over error (asked at most {WIDTH:g})", lambda v: f"{v['width']:.3g}"),
        ("  10 % and 90 %, where the error is known", lambda v: " to ".join(_percentiles(v))),
        ("points", lambda v: str(v["points"]["all"])),
        ("  of them with errors below the solver's 1e-8", lambda v: str(v["points"]["error_below_floor"])),
        ("  of them with errors below the oracle's", lambda v: str(v["points"]["error_below_oracle"])),
        ("verdict", lambda v: "honest" if v["honest"] else "not as asked"),
    ]
    rows = [(name, *(text(found[backend]) for backend in BACKENDS)) for name, text in lines]
    worst = [
        (backend, str(each["cell"]), f"{each['error_over_u']:.2f}", f"{each['fraction']:.3g}", each["contact"],
         "ideal" if each["zeta"] is None else f"{each['zeta']:.2g}", str(each["layers"]),
         "yes" if each["pores"] else "none", "yes" if each["counter_electrode"] else "ideal")
        for backend in BACKENDS
        for each in found[backend]["worst"]
    ]  # fmt: skip
    names = ("backend", "cell", "largest error/u", "fraction", "contact", "zeta", "layers", "pores", "counter")
    return Group(
        table(f"Stated uncertainties of {len(record['cells'])} random cells, seed {record['seed']}", ("", *BACKENDS), rows),
        table("Cells nearest to their u, or beyond", names, worst),
        Text("zeta = sigma R_pol/depth. A cell's points are 25 frequencies from 1 mHz to 1 GHz and direct current."),
    )


def _percentiles(verdict: dict[str, Any]) -> list[str]:
    known = verdict["width_where_known"]
    return [f"{known[p]:.3g}" if known else "none" for p in ("10 %", "90 %")]
