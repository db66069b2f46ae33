"""Z(f) +- u(f) from files that another program exported: a backend that gives spectra alone.

The folder in EXPORTED_SPECTRA holds, for each cell, NAME.toml (its description), NAME.csv (freq/Hz, Re(Z)/Ohm, Im(Z)/Ohm and
u(Z)/Ohm) and, where direct current flows, NAME.dc (R_DC and its uncertainty in ohm, with a blank between).
"""

import os
from pathlib import Path

import numpy as np

from fem_constriction import Cell, Spectrum
from fem_constriction.solving.backends import NoData


class ExportedSpectra:
    """Whatever was exported, and NoData for everything else."""

    name = "exported"
    bound = None

    def __init__(self) -> None:
        self.unable = {"no contact": "cells without direct current were not exported"}
        folder = Path(os.environ.get("EXPORTED_SPECTRA", "exported"))
        self.files = {Cell.load(path): path for path in folder.glob("*.toml")}

    def impedance(self, cell: Cell, frequencies: np.ndarray) -> Spectrum:
        found = Spectrum.load(self._file(cell, ".csv"))
        same = np.isclose(found.frequency, np.reshape(frequencies, (-1, 1)), rtol=1e-9)
        if not same.any(axis=1).all():
            raise NoData(f"frequencies = {frequencies[~same.any(axis=1)][:1]} were not exported, in Hz")
        at = same.argmax(axis=1)
        return Spectrum(frequencies, found.impedance[at], None if found.uncertainty is None else found.uncertainty[at])

    def resistance(self, cell: Cell) -> tuple[float, float]:
        value, uncertainty = np.loadtxt(self._file(cell, ".dc"))
        return value, uncertainty

    def _file(self, cell: Cell, suffix: str) -> Path:
        if cell not in self.files:
            raise NoData("it was not exported")
        path = self.files[cell].with_suffix(suffix)
        if not path.exists():
            raise NoData(f"there is no {path.name}")
        return path
