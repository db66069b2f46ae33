"""Z(f) +- u(f) and R_DC +- u of a cell by name: all that the checks know of a backend, whichever of the two kinds it is.

A `Backend` is solved on the first three grids of its family and extrapolated; a `SpectrumBackend` says what it says. Everything
is computed once per cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

import numpy as np

from fem_constriction.api import resistance, spectrum_of
from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.processes.of_cell import direct_current
from fem_constriction.solving.backends import Backend, NoData, SpectrumBackend, backend_named, unable
from fem_constriction.solving.capabilities import FAMILY, OFFERS, SPECTRA, features, kind_of, offers
from fem_constriction.solving.refinement import Family, angular_band, solve_family
from fem_constriction.spectra.spectrum import Spectrum
from validation import oracles
from validation.conformance.cells import CELLS, FREQUENCIES, frequencies
from validation.conformance.exceptions import BrokenContractError

#: The backends that every other one is compared with.
BUILT_IN = ("network", "fem")


class Subject:
    """A backend under test. Raises InputError for an object that is neither kind of backend."""

    def __init__(self, backend: Backend | SpectrumBackend) -> None:
        if not isinstance(backend, (Backend, SpectrumBackend)):
            raise InputError(
                key="backend",
                value=type(backend).__name__,
                allowed="an object with the members of fem_constriction.solving.backends.Backend or SpectrumBackend",
            )
        self.backend = backend
        self._spectra: dict[str, Spectrum] = {}
        self._resistances: dict[str, tuple[float, float]] = {}
        self._families: dict[str, Family] = {}

    @property
    def name(self) -> str:
        """What the backend is called."""
        return self.backend.name

    @property
    def assembling(self) -> Backend | None:
        """The backend, if it hands over grids and matrices."""
        return self.backend if isinstance(self.backend, Backend) else None

    @property
    def unable(self) -> Mapping[str, str]:
        """What it declares that it cannot do: name of a check, of a cell or of a feature of cells -> reason."""
        return unable(self.backend)

    def refusal(self, cell: str) -> str:
        """Return why the backend says that it cannot take a cell of the suite, or ""."""
        kind = kind_of(CELLS[cell])
        has = (cell, kind.name, *sorted(features(CELLS[cell])))
        reasons = [f"{what}: {self.unable[what]}" for what in has if what in self.unable]
        if not offers(self.backend, kind) & {FAMILY, SPECTRA}:
            reasons.append(f"offers.{kind.name}: neither {OFFERS[FAMILY]} nor {OFFERS[SPECTRA]}")
        return reasons[0] if reasons else ""

    def spectrum(self, cell: str) -> Spectrum:
        """Return the spectrum of a cell of the suite at `frequencies(cell)`. Raises BrokenContractError."""
        if cell not in self._spectra:
            self._spectra[cell] = self.computed(cell)
        return self._spectra[cell]

    def computed(self, cell: str) -> Spectrum:
        """Return the same, computed now."""
        points = frequencies(cell)
        if isinstance(self.backend, Backend):
            return spectrum_of(self._family(cell, points), points)
        with _naming(cell):
            return _checked(self.backend.impedance(CELLS[cell], points), points)

    def coarse(self, cell: str) -> Spectrum:
        """Return the spectrum at `FREQUENCIES`, which are every eighth of `DENSE`."""
        found = self.spectrum(cell)
        step = (len(found) - 1) // (FREQUENCIES.size - 1)
        assert found.uncertainty is not None
        return Spectrum(found.frequency[::step], found.impedance[::step], found.uncertainty[::step])

    def resistance(self, cell: str) -> tuple[float, float]:
        """Return (R_DC, its uncertainty) of a cell of the suite in ohm."""
        if cell not in self._resistances:
            with _naming(cell):
                self._resistances[cell] = self._resistance(CELLS[cell])
        return self._resistances[cell]

    def _resistance(self, cell: Cell) -> tuple[float, float]:
        if isinstance(self.backend, Backend):
            value, width = resistance(cell, backend=self.backend, uncertainty=True)
            return float(value), float(width)
        found = self.backend.resistance(cell)
        try:
            value, width = (float(each) for each in found)
        except (TypeError, ValueError):
            raise BrokenContractError(f"resistance gave {found!r}, not (R_DC, its uncertainty) in ohm") from None
        return value, width

    def family(self, cell: str) -> Family:
        """Return the solutions of the first grids of a cell, of a backend that has grids."""
        if cell not in self._families:
            self.spectrum(cell)
        return self._families[cell]

    def _family(self, cell: str, points: Array) -> Family:
        assert isinstance(self.backend, Backend)
        found = solve_family(CELLS[cell], self.backend, angular_band(points))
        self._families[cell] = found.without_potentials()
        return self._families[cell]


@contextmanager
def _naming(cell: str) -> Iterator[None]:
    """Say of which cell there are no data."""
    try:
        yield
    except NoData as error:
        raise NoData(f"no data for the cell '{cell}': {error}") from None


def _checked(found: object, points: Array) -> Spectrum:
    if not isinstance(found, Spectrum):
        raise BrokenContractError(f"impedance gave {type(found).__name__}, not fem_constriction.Spectrum")
    if not np.array_equal(found.frequency, points):
        raise BrokenContractError("impedance gave a spectrum at other frequencies than those it was asked for")
    if found.uncertainty is None:
        raise BrokenContractError("impedance gave a spectrum without uncertainty: comparisons need one")
    return found


def direct_current_cells(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those cells that conduct direct current."""
    return tuple(name for name in names if direct_current(CELLS[name]))


@lru_cache
def built_in(name: str) -> Subject:
    """Return a built-in backend as a subject, which is solved once per cell for all that are compared with it."""
    return Subject(backend_named(name))


@lru_cache
def reference(cell: str) -> tuple[Spectrum, float, float]:
    """Return Z of a cell of the suite by mode expansion at `FREQUENCIES`, R_DC and its error, in ohm."""
    described = oracles.from_description(CELLS[cell].model_dump(mode="json", exclude_none=True))
    z, error = oracles.spectrum(described, FREQUENCIES)
    r, relative = oracles.resistance(described) if direct_current(CELLS[cell]) else (float("inf"), 0.0)
    return Spectrum(FREQUENCIES, z, np.abs(z) * error), r, relative * r
