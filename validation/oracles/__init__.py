"""Z(s) of a layered cell with rectangular contacts, without a mesh of its volume, and closed forms: the referee.

Semi-analytic, and independent of the backends: no code is shared with the rest of the project. The stack
below the contact face is solved exactly, mode by mode (`stack`); the current density on the face is found
by a Galerkin method in a basis graded towards the edges of the contacts (`graded`, `heat`, `rectangles`, `face`);
`cell` puts them together, `description` reads a cell file with a unit reader of its own. Closed forms, each with
its source and the range it checks: `spreading`, `discs` and `spots` (constriction resistances), `circuit` (one-dimensional
circuits), `limits` (high frequency), `manufactured` (a potential with jumps). `registry` lists them.

Everything is SI. Typical use:

    >>> from validation import oracles
    >>> cell = oracles.load("cell.toml")
    >>> z, relative_error = oracles.spectrum(cell, [1e-3, 1.0, 1e3])
    >>> r, relative_error = oracles.resistance(cell)
"""

from validation.oracles.cell import Admittance, LayeredCell, impedance, resistance, spectrum
from validation.oracles.circuit import one_dimensional, series_stack
from validation.oracles.description import from_description, load
from validation.oracles.discs import (
    disc_half_space_equipotential,
    disc_half_space_isoflux,
    disc_square_tube_isoflux,
    disc_tube_correlation,
    disc_tube_equipotential,
    disc_tube_isoflux,
    disc_tube_series,
)
from validation.oracles.limits import capacitive, high_frequency_limit, series_capacitance
from validation.oracles.manufactured import Manufactured
from validation.oracles.rectangles import partition
from validation.oracles.registry import ORACLES, Oracle
from validation.oracles.spots import many_discs
from validation.oracles.spreading import (
    square_half_space_equipotential,
    square_half_space_isoflux,
    square_tube_equipotential,
    square_tube_finite_contact,
    square_tube_isoflux,
    square_tube_isoflux_fit,
    strip_constriction_half_infinite,
    strip_equipotential,
)
from validation.oracles.stack import mode_impedance

__all__ = [
    "ORACLES",
    "Admittance",
    "LayeredCell",
    "Manufactured",
    "Oracle",
    "capacitive",
    "disc_half_space_equipotential",
    "disc_half_space_isoflux",
    "disc_square_tube_isoflux",
    "disc_tube_correlation",
    "disc_tube_equipotential",
    "disc_tube_isoflux",
    "disc_tube_series",
    "from_description",
    "high_frequency_limit",
    "impedance",
    "load",
    "many_discs",
    "mode_impedance",
    "one_dimensional",
    "partition",
    "resistance",
    "series_capacitance",
    "series_stack",
    "spectrum",
    "square_half_space_equipotential",
    "square_half_space_isoflux",
    "square_tube_equipotential",
    "square_tube_finite_contact",
    "square_tube_isoflux",
    "square_tube_isoflux_fit",
    "strip_constriction_half_infinite",
    "strip_equipotential",
]
