"""Seconds of a fit of a cell to its own spectrum with noise: one evaluation with all derivatives, and the whole fit.

The spectrum is that of the cell as it is; the fit starts from values that are off by a factor, so that it has a way to go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike
from rich.console import Group, RenderableType
from rich.text import Text

from fem_constriction import api
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.inverse.cell_fit import fit_cell
from fem_constriction.inverse.result import CellFit
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
#: Part of seeds whose interval of one standard error holds the truth, and how far the mean over keys may be off, times the
#: root of the number of seeds: 57 to 79 of 100, 2.4 standard deviations of a key by itself.
SHARE, BAND = 0.68, 1.1
_REPEATS: Final = 50  # evaluations that are timed


def cell_fits(
    cell: Cell, frequencies: ArrayLike, free: Sequence[str] = FREE, *, check: bool = True, seeds: int = 0
) -> dict[str, Any]:
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
    seeds
        So many spectra with other noise are fitted as well, with the models of the first: how often the truth lies within one
        standard error.

    Returns
    -------
    dict
        seconds and cpu_seconds of the fit, evaluation_seconds of one, evaluations, grids, verdict, and of each key its value
        over the true one with the standard error; with `seeds` the part of them whose interval holds the truth, by key and in
        the mean, what the mean may be, and the seconds of such a fit.

    Raises
    ------
    InputError
        For keys that hold no number.
    """
    points = frequencies_taken(frequencies)
    z = api.solve(cell, points, backend="fem")

    def measured(seed: int) -> Spectrum:
        parts = np.random.default_rng(seed).normal(size=(2, points.size))
        return Spectrum(points, z.impedance * (1 + NOISE * (parts[0] + 1j * parts[1])))

    truth = {each.key: each.start for each in unknowns(cell, free)}
    begin = cell.vary({key: OFF * value for key, value in truth.items()})
    clock = Clock()
    found = fit_cell(measured(0), begin, free, noise=NOISE, check=checked if check else False)
    seconds, worked = clock.seconds, clock.cpu_seconds
    one = Clock()
    for n in range(_REPEATS):
        found.models[0].log_impedance(points, found.u * (1 + 1e-6 * n))
    evaluation = one.cpu_seconds / _REPEATS
    coverage = _coverage(measured, begin, found, truth, seeds) if seeds else None
    return {
        "coverage": coverage,
        "free": list(truth),
        "frequencies": points.size,
        "seconds": seconds,
        "cpu_seconds": worked,
        "evaluation_seconds": evaluation,
        "evaluations": found.evaluations,
        "grids": found.grids,
        "verdict": found.verdict,
        "values": {
            key: {"ratio": float(found.values[key]) / value, "error": (found.values[key].nominal or 0.0) / value}
            for key, value in truth.items()
        },
    }


def _coverage(
    measured: Callable[[int], Spectrum], begin: Cell, like: CellFit, truth: Mapping[str, float], seeds: int
) -> dict[str, Any]:
    """How often the truth lies within one standard error of fits to spectra with other noise."""
    clock = Clock()
    held = []
    for seed in range(1, seeds + 1):
        each = fit_cell(measured(seed), begin, list(truth), noise=NOISE, like=like)
        held.append([abs(float(each.values[key]) - true) <= (each.values[key].nominal or 0.0) for key, true in truth.items()])
    width = BAND / np.sqrt(seeds)
    return {
        "seeds": seeds,
        "within": dict(zip(truth, np.mean(held, axis=0).tolist(), strict=True)),
        "mean": float(np.mean(held)),
        "allowed": [max(SHARE - width, 0.0), min(SHARE + width, 1.0)],
        "cpu_seconds": clock.cpu_seconds / seeds,
    }


def holds(record: dict[str, Any]) -> bool:
    """Whether intervals hold the truth as often as they say, where that was asked."""
    found = record["coverage"]
    return found is None or found["allowed"][0] <= found["mean"] <= found["allowed"][1]


def cell_fits_table(record: dict[str, Any]) -> RenderableType:
    """Return the tables of a record."""
    rows = [(key, f"{each['ratio']:.4f}", f"{each['error']:.4f}") for key, each in record["values"].items()]
    told = (
        f"{record['seconds']:.3g} s, {record['cpu_seconds']:.3g} s of the processor: {record['evaluations']} evaluations of "
        f"{1e3 * record['evaluation_seconds']:.3g} ms ({1 / record['evaluation_seconds']:.0f} a second, with all derivatives), "
        f"{record['grids']} grids; {record['verdict']}."
    )
    heads = ("key", "found / true", "standard error / true")
    title = f"A cell fitted to its spectrum, {record['frequencies']} frequencies"
    parts: list[RenderableType] = [table(title, heads, rows), Text(told)]
    if (found := record["coverage"]) is not None:
        low, high = found["allowed"]
        each = ", ".join(f"{value:.0%} ({key})" for key, value in found["within"].items())
        parts.append(
            Text(
                f"Truth within one standard error, {found['seeds']} seeds, {found['cpu_seconds']:.2g} s of the processor each: "
                f"{each}; {found['mean']:.1%} in the mean, {low:.0%} to {high:.0%} are allowed."
            )
        )
    return Group(*parts)


def keys_named(text: str | None) -> tuple[str, ...]:
    """Return keys that are written with commas between; those of figure 2 for none. Raises InputError for an empty list."""
    if text is None:
        return FREE
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        raise InputError(key="free", value=text, allowed="keys of the cell with commas between")
    return found
