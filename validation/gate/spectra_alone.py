"""Z(f) +- u and R_DC +- u of a backend that gives spectra alone, beside the families of those that have grids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError, Written
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import Backend, SpectrumBackend, any_backend
from fem_constriction.solving.refinement import FIRST_LEVELS
from fem_constriction.spectra.spectrum import Spectrum


@dataclass(frozen=True, eq=False)
class Told:
    """What a backend without grids says of a cell: its spectrum, and (R_DC, uncertainty) in ohm, infinite where none flows."""

    spectrum: Spectrum
    resistance: tuple[float, float]


def told(
    problem: Problem,
    backend: SpectrumBackend,
    frequencies: Array,
    progress: Callable[[str, int], None] | None = None,
) -> Told:
    """Return what a backend says of a cell at frequencies in Hz; progress(name, last level) is called when it has spoken.

    Raises what the backend raises: `fem_constriction.solving.backends.NoData`, an InputError, for a cell it does not know.
    """
    spectrum = backend.impedance(problem.cell, frequencies)
    resistance = backend.resistance(problem.cell) if problem.direct_current else (float("inf"), 0.0)
    if progress is not None:
        progress(backend.name, FIRST_LEVELS[-1])
    return Told(spectrum, (float(resistance[0]), float(resistance[1])))


def different(backends: Sequence[str | Backend | SpectrumBackend]) -> list[Backend | SpectrumBackend]:
    """Return the backends of these names. Raises InputError for fewer than two different ones."""
    chosen = [any_backend(backend) for backend in backends]
    if len({backend.name for backend in chosen}) < 2:
        raise InputError(
            key="backends", value=Written(",".join(b.name for b in chosen)), allowed="name at least two different ones"
        )
    return chosen


def by_kind(backends: Sequence[str | Backend | SpectrumBackend]) -> tuple[list[Backend], list[SpectrumBackend]]:
    """Return those with grids, and those that give spectra alone. Raises InputError unless one of at least two has grids.

    The relaxation times of its matrices are what arcs are named by.
    """
    chosen = different(backends)
    grids = [backend for backend in chosen if isinstance(backend, Backend)]
    if not grids:
        names = Written(",".join(backend.name for backend in chosen))
        raise InputError(key="backends", value=names, allowed="one of them must have grids, whose relaxations name the arcs")
    return grids, [backend for backend in chosen if not isinstance(backend, Backend)]
