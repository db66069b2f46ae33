"""Budgets: the parts of R_Cstr by process over contact fraction, in ohm, and stacked as shares of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.pictures.colours import BACKENDS, PROCESSES
from fem_constriction.pictures.picture import Area, Axis, Mark, Panel, Picture, Series, cycled, plain
from fem_constriction.processes.circuits import CONSTRICTION
from validation.gate.budgets import Compared, processes_of

#: Parts down to the smallest R_Cstr over this are shown.
SMALLEST: Final = 1e3


def over_fraction(found: Sequence[Compared], title: str = "") -> Picture:
    """The parts of R_Cstr over A_c/A: lines and areas are of the backend that is known best, symbols of every one.

    found: ascending in fraction. A cell without constriction (full contact) is left out, and so is a part within its
    uncertainty. Negative parts (pores that conduct relieve the contact) are drawn by their size, dashed, and below zero.
    """
    there = [each for each in found if each.stated and not each.vanished]
    x = np.array([each.cell.contact_fraction for each in there])
    processes = processes_of(there)
    best = _parts(there, processes)
    total = np.array([each.best.constriction[0] for each in there])
    marks: list[Mark] = [Series(x=x, y=total, label="*R*_{Cstr}")]
    for process, part in zip(processes, best, strict=True):
        colour = _colour(process)
        marks.append(Series(x=x, y=np.where(part > 0, part, np.nan), colour=colour, label=plain(process.replace("_", " "))))
        marks.append(Series(x=x, y=np.where(part < 0, -part, np.nan), colour=colour, line="dash"))
    for number, name in enumerate(found[0].budgets):
        colour, marker = cycled(BACKENDS, number)
        whole = np.array([each.budgets[name].constriction[0] for each in there])
        for k, part in enumerate([whole, *np.abs(_parts(there, processes, name))]):
            marks.append(Series(x=x, y=part, colour=colour, line="", marker=marker, label=plain(name) if k == 0 else ""))
    drawn = np.concatenate([np.asarray(mark.y)[np.asarray(mark.y) > 0] for mark in marks if isinstance(mark, Series)])
    low = max(float(np.nanmin(drawn)) / 1.5, float(total.min()) / SMALLEST)
    fraction = Axis(label="contact fraction *A*_{c}/*A*", range=(0, 1))
    shares = 100 * best / total
    ohm = Axis(
        label="parts of *R*_{Cstr}",
        scale="log",
        ticks="unit",
        unit="\N{GREEK CAPITAL LETTER OMEGA}",
        range=(low, 1.5 * float(np.nanmax(drawn))),
    )
    part = Axis(label="share of *R*_{Cstr} / %", range=(0, 100) if np.all(shares >= 0) else None)
    return Picture(
        name="budget",
        rows=[
            [
                Panel(marks=marks, x=fraction, y=ohm),
                Panel(marks=list(_stack(x, processes, shares)), x=fraction, y=part),
            ]
        ],
        title=title,
        caption="Which process makes how much of the constriction resistance.",
        description=f"Parts of R_Cstr over contact fraction: {', '.join(processes)}.",
        size=(7.2, 3.5),
        columns=6,
    )


def _parts(found: Sequence[Compared], processes: Sequence[str], backend: str = "") -> Array:
    """Parts of R_Cstr in ohm, (processes, cells); left out: of the backend that is known best."""
    chosen = [(each.budgets[backend] if backend else each.best).parts for each in found]
    known = {name: [parts.get(name) for parts in chosen] for name in processes}
    return np.array(
        [
            [
                0.0 if part is None or abs(part.constriction) <= part.constriction_uncertainty else part.constriction
                for part in known[name]
            ]
            for name in processes
        ]
    )


def _stack(x: Array, processes: Sequence[str], shares: Array) -> Iterator[Area]:
    """Areas one on the other, negative ones below zero."""
    for sign in (1, -1):
        below = np.zeros(x.size)
        for process, edge in zip(processes, sign * np.cumsum(np.maximum(sign * shares, 0), axis=0), strict=True):
            yield Area(x=x, low=below, high=edge, colour=_colour(process), opacity=0.8)
            below = edge


def _colour(process: str) -> str:
    return PROCESSES.get(process, PROCESSES[CONSTRICTION])
