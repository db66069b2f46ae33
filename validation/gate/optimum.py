"""The cross-check of the cell that a fit ends with: the entry point `crosscheck` in the group `fem_constriction.checks`."""

from __future__ import annotations

import warnings

from fem_constriction.arrays import Array
from fem_constriction.cell.cell import Cell
from fem_constriction.errors import ImplausibleWarning
from fem_constriction.inverse.check import Checked
from validation.gate.run import crosscheck


def checked(cell: Cell, frequencies: Array) -> Checked:
    """Return what both backends say of a cell, |Z - Z_true| <= u, and their verdict.

    Parameters
    ----------
    cell
        With the values that a fit ends with.
    frequencies
        Hz, (f,), those of the measurement.

    Returns
    -------
    Checked
        The limits together, with the verdict and the geometric R_Cstr.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImplausibleWarning)
        found = crosscheck(cell, frequencies, discs=False)
    geometric = None if found.geometric is None else (found.geometric.value, found.geometric.uncertainty)
    agreement = found.agreement
    return Checked(spectrum=found.spectrum, verdict=agreement.verdict, summary=agreement.summary(), geometric=geometric)
