"""max over f of |Z_h(f) - Z(f)|/|Z(f)| against processor seconds, unknowns and memory: a work-precision study in one run.

Voxel network and finite elements on their families of grids, mode by mode and with all their unknowns; prisms, exact along z;
and NGSolve where installed. Each starts from the cell and ends with the spectrum, and, apart from that, with R_DC alone (one
solve); methods run one after the other, on one thread, short ones several times, of which the fastest counts. Z is that of the
mode-expansion oracle, which shares no code with any of them, for cells that it knows; else the limit of the finite elements.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from fem_constriction.api import provenance
from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.processes.of_cell import direct_current
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.capabilities import BUILT_IN, require
from fem_constriction.solving.refinement import FIRST_LEVELS, angular_band, solve_family
from fem_constriction.spectra.frequencies import frequencies_taken
from validation import oracles
from validation.benchmarks import precision_peers
from validation.benchmarks.harness import LIMIT, REPEATS, Climber, Row, climb, fastest, machine
from validation.benchmarks.precision_methods import METHODS, NGSOLVE, Method

#: Grids per family.
LEVELS: Final = 4

#: Errors at which methods are compared.
TARGETS: Final = (1e-4, 1e-5)

#: Orders of the oracle, tried until it states an error of TRUTH at most: a tenth of the finest grids' errors.
ORDERS, TRUTH = (7, 9, 10), 1e-7


def precision(
    cell: Cell,
    frequencies: ArrayLike,
    levels: int = LEVELS,
    *,
    peers: bool = True,
    limit: float = LIMIT,
    progress: Callable[[str, int], None] | None = None,
    methods: Mapping[str, Method] | None = None,
) -> dict[str, Any]:
    """Return a row per method and grid, what was left out and why, and the comparison at equal error, as JSON can hold it.

    levels: grids per family; limit: s, see LIMIT; methods: METHODS. Raises InputError, ComputationError.
    """
    points = np.sort(frequencies_taken(frequencies))
    angular_band(points)
    if levels < 1 or levels > 6:
        raise InputError(key="levels", value=levels, allowed="1 to 6 grids of each family")
    require("benchmark fem", cell, [backend_named(name) for name in BUILT_IN])
    if not direct_current(cell):
        raise InputError("the cell is not allowed here: a single solve is one at direct current, and none can flow")
    chosen = METHODS if methods is None else methods
    with threadpool_limits(limits=1, user_api="blas"):
        truth = reference(cell, points)
        rows: list[Row] = []
        left_out: dict[str, str] = {}
        for name, method in chosen.items():
            reason = method.missing(cell) if method.ours or peers else "no peers were asked for"
            if reason:
                left_out[name] = reason
                continue
            for row in climb(_climber(name, method, cell, points), range(method.count(levels)), limit):
                if isinstance(row, str):
                    left_out[name] = row
                    continue
                rows.append(_judged(row, truth, rows, method))
                if progress is not None:
                    progress(name, row["level"])
    return {
        **provenance(cell),
        "machine": machine(),
        "peers": {"NGSolve": precision_peers.version()} if any(row["method"] == NGSOLVE for row in rows) else {},
        "frequencies": points.size,
        "reference": {key: truth[key] for key in ("source", "uncertainty", "resistance_uncertainty")},
        "rows": rows,
        "left_out": left_out,
        "equal_error": [equal_error(rows, target, [n for n, each in chosen.items() if each.ours]) for target in TARGETS],
    }


def known_to_oracle(cell: Cell) -> bool:
    """Whether the cell is one that the mode expansion describes: a centred square, admittances as they stand in the file."""
    return cell.working_electrode.contact.shape == "square" and cell.temperature is None


def reference(cell: Cell, points: Array) -> dict[str, Any]:
    """Return Z (ohm) at frequencies in Hz and R_DC of the continuum cell, their relative uncertainties and their source."""
    if known_to_oracle(cell):
        described = oracles.from_description(tomllib.loads(cell.dumps()))
        for order in ORDERS:
            z, error = oracles.spectrum(described, points, order)
            resistance, wrong = oracles.resistance(described, order)
            if max(float(np.max(error)), wrong) <= TRUTH:
                break
        source, uncertainty = f"mode expansion, order {order}", float(np.max(error))
    else:
        family = solve_family(cell, backend_named("fem"), angular_band(points), levels=[each + 1 for each in FIRST_LEVELS])
        limit, (resistance, wrong) = family.limit(points), family.resistance()
        z, uncertainty, wrong = limit.value, float(np.max(limit.uncertainty / np.abs(limit.value))), wrong / resistance
        source = "limit of the finite elements' family"
    return {
        "impedance": z,
        "resistance": resistance,
        "uncertainty": uncertainty,
        "resistance_uncertainty": wrong,
        "source": source,
    }


def _climber(name: str, method: Method, cell: Cell, points: Array) -> Climber[int]:
    """The method on its grids; the seconds that grow are the processor's, of the spectrum and of R_DC."""

    def measure(level: int) -> Row:
        row, found = fastest(lambda: method.spectrum(cell, level, points), REPEATS)
        once, resistance = fastest(lambda: method.once(cell, level), REPEATS)
        spent = row["cpu_seconds"] + once["cpu_seconds"]
        row["seconds"] += found.seconds
        row["cpu_seconds"] += found.cpu_seconds
        return {
            "method": name,
            "level": level,
            "grid": method.grid(level),
            "unknowns": found.unknowns,
            **row,
            **{f"{key}_once": once[key] for key in ("seconds", "cpu_seconds", "peak_bytes")},
            "extrapolated": found.places is not None and found.places.size < points.size,
            **found.more,
            "impedance": found.impedance,
            "places": found.places,
            "resistance": resistance,
            "spent": spent,
        }

    return Climber(measure, size=lambda level: method.growth**level, growth=1.0, called=method.grid)


def _judged(row: Row, truth: Mapping[str, Any], rows: Sequence[Row], method: Method) -> Row:
    """The row with its errors in the place of its values."""
    z, places, resistance = row.pop("impedance"), row.pop("places"), row.pop("resistance")
    exact = truth["impedance"] if places is None else truth["impedance"][places]
    row["error_once"] = abs(resistance / truth["resistance"] - 1)
    row["error"] = max(row["error_once"], float(np.max(np.abs(z / exact - 1))))
    for other in rows:
        if (other["method"], other["level"]) == (method.same, row["level"]) and row["error"] <= 1.001 * other["error"]:
            row["error"] = other["error"]
    # Below three times what the reference may be off, the error is not known.
    row["resolved"] = row["error"] > 3 * max(truth["uncertainty"], truth["resistance_uncertainty"])
    return row


def equal_error(rows: Sequence[Row], target: float, ours: Sequence[str]) -> dict[str, Any]:
    """Return processor seconds of every method at this error, and their ratios to the fastest of ours that reaches it.

    bound: "<" where a coarsest grid is already better, ">" where the finest one is not as good, nothing more is known; "?" is
    a ratio of two that are both "<".
    """
    found: list[Row] = []
    for name in dict.fromkeys(row["method"] for row in rows):
        entry: Row = {"method": name}
        for suffix in ("", "_once"):
            pairs = [(row["error" + suffix], row["cpu_seconds" + suffix]) for row in rows if row["method"] == name]
            entry["seconds" + suffix], entry["bound" + suffix] = seconds_at(pairs, target)
        found.append(entry)
    result: dict[str, Any] = {"error": target, "rows": found}
    for suffix in ("", "_once"):
        reached = [each for each in found if each["method"] in ours and each["bound" + suffix] != ">"]
        best = min(reached, key=lambda each: float(each["seconds" + suffix]), default=None)
        result["fastest" + suffix] = best and best["method"]
        for each in found:
            each["ratio" + suffix] = each["seconds" + suffix] / best["seconds" + suffix] if best else None
            each["ratio_bound" + suffix] = _ratio_bound(each["bound" + suffix], best["bound" + suffix]) if best else ""
        if best:
            best["ratio_bound" + suffix] = ""
    return result


def _ratio_bound(mine: str, best: str) -> str:
    """The sign of a quotient of two numbers of which one or both are bounds."""
    return {("<", "<"): "?", ("", "<"): ">"}.get((mine, best), mine)


def seconds_at(pairs: Sequence[tuple[float, float]], target: float) -> tuple[float, str]:
    """Return the seconds at an error, log-log between the (error, seconds) that nothing beats, and whether they are a bound."""
    front: list[tuple[float, float]] = []
    for error, seconds in sorted(pairs, key=lambda pair: (pair[1], pair[0])):
        if not front or error < front[-1][0]:
            front.append((error, seconds))
    if target < front[-1][0]:
        return front[-1][1], ">"
    if target > front[0][0]:
        return front[0][1], "<"
    errors, times = (np.log([pair[axis] for pair in reversed(front)]) for axis in range(2))
    return float(np.exp(np.interp(np.log(target), errors, times))), ""
