from . import fields
from .api import resistance, solve
from .cell.cell import Cell
from .distribution import DISTRIBUTION
from .errors import (
    ComputationError,
    ConstrictionError,
    ImplausibleWarning,
    InputError,
    NotAgreed,
    ResolutionWarning,
)
from .fitting.result import Extraction
from .inverse.cell_fit import fit_cell
from .inverse.result import CellFit
from .solving.backends import backends
from .spectra.frequencies import parse_frequencies
from .spectra.spectrum import Spectrum

__version__: str

__all__ = [
    "DISTRIBUTION",
    "Cell",
    "CellFit",
    "ComputationError",
    "ConstrictionError",
    "Extraction",
    "ImplausibleWarning",
    "InputError",
    "NotAgreed",
    "ResolutionWarning",
    "Spectrum",
    "backends",
    "fields",
    "fit_cell",
    "parse_frequencies",
    "resistance",
    "solve",
]
