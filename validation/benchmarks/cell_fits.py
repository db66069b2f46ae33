"""Seconds of a fit of a cell to its own spectrum with noise: one evaluation with all derivatives, and the whole fit.

The spectrum is that of the cell as it is; the fit starts from values that are off by a factor, so that it has a way to go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike
from rich.console import Group, RenderableType
from rich.text import Text

from fem_constriction import api
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.inverse.cell_fit import fit_cell
from fem_constriction.inverse.unknowns import unknowns
from fem_constriction.spectra.frequencies import frequencies_taken
from fem_constriction.spectra.spectrum import Spectrum
from validation.benchmarks.harness import Clock
from validation.gate.optimum import checked
from validation.show.report import table

#: What is fitted of the paper's figure 2 where nothing is named.
FREE: Final = (
    "working_electrode.contact.fraction",
    "electrolyte.conductivity",
    "working_electrode.charge_transfer.resistance",
)
#: Relative noise, and what values start at, as parts of theirs.
NOISE, OFF = 0.005, 0.8
_REPEATS: Final = 50  # evaluations that are timed


def cell_fits(cell: Cell, frequencies: ArrayLike, free: Sequence[str] = FREE, *, check: bool = True) -> dict[str, Any]:
    """Return what a fit of a cell takes.

    Parameters
    ----------
    cell
        Whose values are found again.
    frequencies
        Hz, (f,).
    free
        Keys that are fitted.
    check
        Whether both backends look at the optimum.

    Returns
    -------
    dict
        seconds and cpu_seconds of the fit, evaluation_seconds of one, evaluations, grids, verdict, and of each key its value
        over the true one with the standard error.

    Raises
    ------
    InputError
        For keys that hold no number.
    """
    points = frequencies_taken(frequencies)
    random = np.random.default_rng(0)
    z = api.solve(cell, points, backend="fem")
    parts = random.normal(size=(2, points.size))
    measured = Spectrum(points, z.impedance * (1 + NOISE * (parts[0] + 1j * parts[1])))
    truth = {each.key: each.start for each in unknowns(cell, free)}
    begin = cell.vary({key: OFF * value for key, value in truth.items()})
    clock = Clock()
    found = fit_cell(measured, begin, free, noise=NOISE, check=checked if check else False)
    seconds, worked = clock.seconds, clock.cpu_seconds
    one = Clock()
    for n in range(_REPEATS):
        found.models[0].log_impedance(points, found.u * (1 + 1e-6 * n))
    return {
        "free": list(truth),
        "frequencies": points.size,
        "seconds": seconds,
        "cpu_seconds": worked,
        "evaluation_seconds": one.cpu_seconds / _REPEATS,
        "evaluations": found.evaluations,
        "grids": found.grids,
        "verdict": found.verdict,
        "values": {
            key: {"ratio": float(found.values[key]) / value, "error": (found.values[key].nominal or 0.0) / value}
            for key, value in truth.items()
        },
    }


def cell_fits_table(record: dict[str, Any]) -> RenderableType:
    """Return the tables of a record."""
    rows = [(key, f"{each['ratio']:.4f}", f"{each['error']:.4f}") for key, each in record["values"].items()]
    told = (
        f"{record['seconds']:.3g} s, {record['cpu_seconds']:.3g} s of the processor: {record['evaluations']} evaluations of "
        f"{1e3 * record['evaluation_seconds']:.3g} ms ({1 / record['evaluation_seconds']:.0f} a second, with all derivatives), "
        f"{record['grids']} grids; {record['verdict']}."
    )
    heads = ("key", "found / true", "standard error / true")
    return Group(table(f"A cell fitted to its spectrum, {record['frequencies']} frequencies", heads, rows), Text(told))


def keys_named(text: str | None) -> tuple[str, ...]:
    """Return keys that are written with commas between; those of figure 2 for none. Raises InputError for an empty list."""
    if text is None:
        return FREE
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        raise InputError(key="free", value=text, allowed="keys of the cell with commas between")
    return found
