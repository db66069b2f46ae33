"""One Z(f) from what was measured: several sweeps told apart, repeated frequencies merged, very many rows thinned.

A sweep runs through its band in one direction. Where the direction turns, or the frequency jumps back, another one begins; two
that cover the same band are two spectra, and one circuit fits neither. Rows in no order at all are one spectrum, as are pieces
of a band one after the other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError, Written
from fem_constriction.spectra.spectrum import Spectrum

#: Rows of which a spectrum keeps at most so many, evenly over log f: 200 a decade over ten decades, far more than arcs need.
MOST: Final = 2000
SAME: Final = 1e-6  # of a frequency: what two sweeps of an instrument print alike
_OVERLAP: Final = 0.2  # of the points of the shorter one: pieces of one spectrum overlap by less, sweeps by more
_ROWS: Final = 3  # of a sweep at least; shorter runs on average are rows in no order
_SCATTER: Final = 0.1  # of |Z|: what repeats may differ by and be merged


def sweeps(frequency: Array) -> list[slice]:
    """Return the rows of each sweep, a slice of all if there is one. frequency: Hz, (f,), in the order measured."""
    log = np.log(frequency)
    whole = [slice(0, log.size)]
    starts, direction = [0], 0.0
    for row in range(1, log.size):
        step = log[row] - log[row - 1]
        if abs(step) <= SAME:
            continue
        if direction and np.sign(step) != direction:
            starts.append(row)
            direction = 0.0
        else:
            direction = float(np.sign(step))
    runs = [slice(first, last) for first, last in zip(starts, [*starts[1:], log.size], strict=True)]
    if len(runs) < 2 or log.size < _ROWS * len(runs):
        return whole
    found: list[slice] = []
    for run in runs:
        if found and _pieces(log[found[-1]], log[run]):
            found[-1] = slice(found[-1].start, run.stop)
        else:
            found.append(run)
    return found


def _pieces(one: Array, other: Array) -> bool:
    """Whether two runs are pieces of one band: few points of either lie within the other, or one is too short to be a sweep."""
    if min(one.size, other.size) < _ROWS:
        return True
    within = [int(np.sum((a >= b.min() - SAME) & (a <= b.max() + SAME))) for a, b in ((one, other), (other, one))]
    return min(within) < _ROWS or max(within) <= _OVERLAP * min(one.size, other.size)


class Part(NamedTuple):
    """A sweep of a spectrum: its name, "" where the file gives none, and its rows."""

    name: str
    rows: slice


def parts(spectrum: Spectrum) -> tuple[Part, ...]:
    """Return the sweeps of a spectrum: those that its file names (cycles, tables, sheets), each apart where it turns."""
    measured = spectrum.provenance.get("measured")
    named = measured.get("sweeps") if isinstance(measured, dict) else None
    blocks = [(each["name"], slice(each["first"] - 1, each["last"])) for each in named] if named else []
    if not blocks or blocks[-1][1].stop != len(spectrum):
        blocks = [("", slice(0, len(spectrum)))]
    found = []
    for name, block in blocks:
        runs = [slice(block.start + run.start, block.start + run.stop) for run in sweeps(spectrum.frequency[block])]
        words = [name] if len(runs) == 1 else [f"{name}, sweep {n}" if name else "" for n in range(1, len(runs) + 1)]
        found += [Part(word, run) for word, run in zip(words, runs, strict=True)]
    return tuple(found)


def sweep(spectrum: Spectrum, chosen: int | str | None = None) -> Spectrum:
    """Return one sweep of a spectrum, by its number (the first is 1) or its name; left out the spectrum, if it is one sweep.

    Raises InputError, which names the sweeps and the rows where they begin, for several without a choice and for a choice that
    none has.
    """
    found = parts(spectrum)
    if chosen is None and len(found) == 1:
        return spectrum
    begins = ", ".join(str(each.rows.start + 1) for each in found[:8]) + ", ..." * (len(found) > 8)
    names = [each.name for each in found if each.name]
    called = f", called {', '.join(names[:5])}{', ...' * (len(names) > 5)}" if names else ""
    if chosen is None:
        raise InputError(
            f"the frequencies run through the band {len(found)} times, from rows {begins} on{called}: these are {len(found)} "
            f"spectra, and one of them can be fitted; choose it by its number, 1 to {len(found)}{', or name' * bool(names)}"
        )
    number = next((n for n, each in enumerate(found, 1) if each.name and each.name == chosen), None)
    if number is None and (isinstance(chosen, int) or chosen.strip().isdigit()):
        number = int(chosen)
    if number is None or not 1 <= number <= len(found):
        raise InputError(key="sweep", value=chosen, allowed=f"1 to {len(found)}{called}, the sweeps begin at rows {begins}")
    one = _rows(spectrum, found[number - 1].rows)
    if len(found) == 1 or not isinstance(measured := spectrum.provenance.get("measured"), dict):
        return one
    kept = {key: value for key, value in measured.items() if key != "sweeps"} | {"sweep": found[number - 1].name or number}
    return replace(one, provenance={**one.provenance, "measured": kept})


def prepared(spectrum: Spectrum) -> tuple[Spectrum, tuple[str, ...]]:
    """Return the spectrum in the order of frequency, repeats merged and at most `MOST` rows, and what was done, in sentences.

    A frequency that occurs several times, to six digits, has the mean of its impedances; its uncertainty is the largest of
    theirs. Raises InputError where they differ by more than 10 % of |Z|, or where the spectrum has several sweeps.
    """
    notes: list[str] = []
    one = sweep(spectrum)
    steps = np.diff(one.frequency)
    if not (np.all(steps >= 0) or np.all(steps <= 0)):
        one = _rows(one, np.argsort(one.frequency, kind="stable"))
    one, note = _merged(one)
    notes += [note] * bool(note)
    if len(one) > MOST:
        many, one = len(one), _rows(one, _thinned(one.frequency))
        notes.append(f"{many} frequencies: {len(one)} of them, evenly spaced over log f, are fitted and tested")
    return one, tuple(notes)


def groups(frequency: Array) -> NDArray[np.intp]:
    """Return for each row the number of its group: rows of one frequency, to six digits, wherever they are. (f,)"""
    order = np.argsort(frequency, kind="stable")
    step = np.diff(np.log(frequency[order])) > SAME
    found = np.empty(frequency.size, dtype=np.intp)
    found[order] = np.concatenate([[0], np.cumsum(step)])
    return found


def _merged(spectrum: Spectrum) -> tuple[Spectrum, str]:
    group = groups(spectrum.frequency)
    count = np.bincount(group)
    if count.max() == 1:
        return spectrum, ""
    mean = (np.bincount(group, spectrum.impedance.real) + 1j * np.bincount(group, spectrum.impedance.imag)) / count
    scatter = np.abs(spectrum.impedance - mean[group])
    size = np.abs(mean[group])
    worst = int(np.argmax(scatter - _SCATTER * size))
    if scatter[worst] > _SCATTER * size[worst]:
        raise InputError(
            f"occurs {count[group[worst]]} times with impedances that differ by more than {_SCATTER:.0%} from their mean",
            key="frequency",
            value=Written(f"{spectrum.frequency[worst]:g}"),
            unit="Hz",
            why="these are several spectra, and one of them can be fitted",
        )
    first = np.unique(group, return_index=True)[1]
    first = first[np.argsort(first)]
    uncertainty = None
    if spectrum.uncertainty is not None:
        uncertainty = np.zeros(count.size)
        np.maximum.at(uncertainty, group, spectrum.uncertainty)
        uncertainty = uncertainty[group[first]]
    impedance = np.asarray(mean[group[first]], dtype=np.complex128)
    made = Spectrum(spectrum.frequency[first], impedance, uncertainty, spectrum.provenance)
    relative = float(np.max(scatter / np.where(size > 0, size, 1.0)))
    repeated = int(np.sum(count > 1))
    times = "1 frequency occurs" if repeated == 1 else f"{repeated} frequencies occur"
    return made, f"{times} several times: the mean is taken, from which repeats differ by up to {relative:.1e} |Z|"


def _thinned(frequency: Array) -> NDArray[np.intp]:
    """At most `MOST` rows, those next to a comb evenly spaced over log f, in their order."""
    log = np.log(frequency)
    order = np.argsort(log)
    comb = np.linspace(log[order[0]], log[order[-1]], MOST)
    after = np.clip(np.searchsorted(log[order], comb), 1, log.size - 1)
    nearer = np.where(comb - log[order[after - 1]] < log[order[after]] - comb, after - 1, after)
    return np.sort(order[np.unique(nearer)])


def _rows(spectrum: Spectrum, rows: slice | NDArray[np.intp]) -> Spectrum:
    uncertainty = None if spectrum.uncertainty is None else spectrum.uncertainty[rows]
    return replace(spectrum, frequency=spectrum.frequency[rows], impedance=spectrum.impedance[rows], uncertainty=uncertainty)
