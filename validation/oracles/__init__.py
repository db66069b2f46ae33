"""Z(s) of a layered cell with one centred rectangular contact, without a mesh of its volume: the referee.

Semi-analytic, and independent of the backends: no code is shared with the rest of the project. The stack
below the contact face is solved exactly, mode by mode (`stack`); the current density on the face is found
by a Galerkin method in a basis graded towards the edges of the contact (`graded`, `heat`, `face`); `cell`
puts them together, `description` reads a cell file with a unit reader of its own. Closed forms, each with
its source: `spreading` (constriction resistances) and `circuit` (one-dimensional circuits).

Everything is SI. Typical use:

    >>> from validation import oracles
    >>> cell = oracles.load("cell.toml")
    >>> z, relative_error = oracles.spectrum(cell, [1e-3, 1.0, 1e3])
    >>> r, relative_error = oracles.resistance(cell)
"""

from validation.oracles.cell import Admittance, LayeredCell, impedance, resistance, spectrum
from validation.oracles.circuit import one_dimensional, series_stack
from validation.oracles.description import from_description, load
from validation.oracles.spreading import (
    disc_half_space_equipotential,
    disc_half_space_isoflux,
    disc_tube_correlation,
    disc_tube_series,
    square_half_space_equipotential,
    square_half_space_isoflux,
    square_tube_isoflux,
    square_tube_isoflux_fit,
    strip_constriction_half_infinite,
    strip_equipotential,
)
from validation.oracles.stack import mode_impedance

__all__ = [
    "Admittance",
    "LayeredCell",
    "disc_half_space_equipotential",
    "disc_half_space_isoflux",
    "disc_tube_correlation",
    "disc_tube_series",
    "from_description",
    "impedance",
    "load",
    "mode_impedance",
    "one_dimensional",
    "resistance",
    "series_stack",
    "spectrum",
    "square_half_space_equipotential",
    "square_half_space_isoflux",
    "square_tube_isoflux",
    "square_tube_isoflux_fit",
    "strip_constriction_half_infinite",
    "strip_equipotential",
]
