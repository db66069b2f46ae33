"""What a convergence study ends with: its findings, which can be printed and written."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from fem_constriction.files import write_text
from fem_constriction.held import Recorded
from fem_constriction.pictures.picture import Picture
from validation.convergence import latex, pictures, tables
from validation.convergence.findings import Findings
from validation.show.page import converge_sections, write_page


class Convergence(Recorded, Findings):
    """A cell, families of grids, and how they converge; as tables, text, files and pictures.

    Parameters
    ----------
    cell
        What was solved.
    families
        As solved: cells, unknowns, step, time and memory of each grid.
    reference
        The family whose limit is the best known of Z: what errors are relative to.
    series
        Every quantity on every family: values, errors and observed order.
    spectra
        Of every family.
    notes
        What was left out, and why.
    apart
        Limits that are not the same, one sentence each.
    """

    __repr__ = Recorded.__repr__
    as_dict = Findings.as_dict

    def facts(self) -> tuple[str, list[tuple[str, str]]]:
        """Return what was solved, the verdict on the orders, and what falls short."""
        solved = dict.fromkeys(each.name for each in self.families)
        rows = [("families", "; ".join(solved)), ("quantities", ", ".join(self.quantities)), ("reference", self.reference)]
        rows.append(("orders", "as theory has them, or not settled yet" if self.passed else "short of theory's"))
        rows += [("", failure) for failure in self.failures]
        return f"Convergence of {self.cell.title or 'a cell'}", rows

    def picture(self) -> Picture:
        """Return the errors of Z over step and unknowns, or, where Z was not looked at, those of the numbers."""
        return pictures.impedance(self) if "Z" in self.quantities else pictures.parameters(self)

    def to_pandas(self) -> Any:
        """Return a table with a row for each quantity on each family.

        Returns
        -------
        pandas.DataFrame
            Steps, values, errors and orders, as in converge.json.
        """
        import pandas as pd

        return pd.json_normalize(self.as_dict()["families"])

    @property
    def tables(self) -> tuple[tables.Table, ...]:
        """The tables that are printed: a summary, then one per quantity."""
        return tables.all_tables(self)

    def text(self) -> str:
        """Return the tables, reasons and notes as text."""
        return tables.text(self)

    def to_xarray(self) -> Any:
        """Return a labelled data set over family, quantity and grid.

        Returns
        -------
        xarray.Dataset
            error (relative) and order over family, quantity and level, with step (m) and unknowns over family and level; of Z
            the largest over frequency; what is not there is NaN.
        """
        import numpy as np
        import xarray as xr

        families = [each.name for each in self.families]
        levels = max(each.step.size for each in self.families)
        sizes = len(families), len(self.quantities), levels
        made = {name: np.full(sizes, np.nan) for name in ("error", "order")}
        grids = {name: np.full(sizes[::2], np.nan) for name in ("step", "unknowns")}
        for row, solved in enumerate(self.families):
            for name, values in grids.items():
                values[row, : solved.step.size] = getattr(solved, name)
        for each in (one for one in self.series if one.frequency is None or one.quantity != "Z"):
            place = families.index(each.solved.name), self.quantities.index(each.quantity)
            for name, values in made.items():
                values[(*place, slice(each.error.size))] = getattr(each, name)
        data: dict[str, Any] = {name: (("family", "quantity", "level"), values) for name, values in made.items()}
        data |= {name: (("family", "level"), values) for name, values in grids.items()}
        found = xr.Dataset(data, {"family": families, "quantity": list(self.quantities), "level": range(levels)})
        found["step"].attrs["units"] = "m"
        return found

    def kept(self) -> Self:
        """Return the same with what its grids cost, and without the grids."""
        series = tuple(replace(each, solved=each.solved.kept) for each in self.series)
        spectra = tuple(replace(each, solved=each.solved.kept) for each in self.spectra)
        return replace(self, families=tuple(each.kept for each in self.families), series=series, spectra=spectra)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the study in a folder that `save`, or the command, wrote.

        Parameters
        ----------
        path
            Of the folder, or of the file converge.json in it.

        Raises
        ------
        InputError
            Where it holds none.
        """
        there = Path(path)
        return super().load(there / "converge.json" if there.is_dir() else there)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write converge.json, .csv, .tex, .html and the plots into a folder.

        Parameters
        ----------
        folder
            It is made where it is not there.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        InputError
            Where a file cannot be written.
        """
        out = Path(folder)
        written = [out / f"converge.{suffix}" for suffix in ("json", "csv", "tex")]
        record = self.as_dict()
        texts = (self.written(), tables.csv_text(self), latex.document(self))
        for path, content in zip(written, texts, strict=True):
            write_text(path, content)
        page = out / "converge.html"
        sections = converge_sections(record, self.failures, cell=self.cell.dumps(), command=self._command())
        write_page(page, f"{self.cell.title or 'Cell'}: orders of convergence", sections)
        return [*written, page, *pictures.write(self, out)]

    def _command(self) -> str:
        """The command that makes the study again."""
        names = dict.fromkeys(each.backend for each in self.families)
        kinds = list(dict.fromkeys(each.grids for each in self.families))
        words = [f"--backend {name}" for name in names]
        words.append(f"--levels {max(each.step.size for each in self.families)}")
        words.append(f"--grids {kinds[0] if len(kinds) == 1 else 'both'}")
        words += [f"--quantity {quantity}" for quantity in self.quantities]
        return f"fem-constriction converge CELL.toml {' '.join(words)}"
