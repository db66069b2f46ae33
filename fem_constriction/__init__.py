"""Z(s) = V/I of a solid-state cell whose electrode touches only in spots: dynamic constriction, by two discretisations.

The shared language (cell, admittances, spectrum), the shared mechanism (assembly, projection, refinement, extraction) and the
finite elements. The voxel network is the package `network`; what compares the two is `validation`.
"""

from fem_constriction import fields
from fem_constriction.api import resistance, solve
from fem_constriction.cell.cell import Cell
from fem_constriction.distribution import DISTRIBUTION
from fem_constriction.errors import (
    ComputationError,
    ConstrictionError,
    ImplausibleWarning,
    InputError,
    NotAgreed,
    ResolutionWarning,
)
from fem_constriction.solving.backends import backends
from fem_constriction.spectra.frequencies import parse_frequencies
from fem_constriction.spectra.spectrum import Spectrum

__all__ = [
    "DISTRIBUTION",
    "Cell",
    "ComputationError",
    "ConstrictionError",
    "ImplausibleWarning",
    "InputError",
    "NotAgreed",
    "ResolutionWarning",
    "Spectrum",
    "backends",
    "fields",
    "parse_frequencies",
    "resistance",
    "solve",
]
