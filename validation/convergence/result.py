"""What a convergence study ends with: its findings, which can be printed and written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fem_constriction.files import json_text, write_text
from fem_constriction.pictures.held import Held
from fem_constriction.pictures.picture import Picture
from validation.convergence import latex, pictures, tables
from validation.convergence.findings import Findings
from validation.show.page import converge_sections, write_page


class Convergence(Held, Findings):
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

    __repr__ = Held.__repr__

    def facts(self) -> tuple[str, list[tuple[str, str]]]:
        """Return what was solved, the verdict on the orders, and what falls short."""
        solved = dict.fromkeys(f"{each.family.backend.name}, {each.grids}" for each in self.families)
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
        texts = (json_text(record) + "\n", tables.csv_text(self), latex.document(self))
        for path, content in zip(written, texts, strict=True):
            write_text(path, content)
        page = out / "converge.html"
        sections = converge_sections(record, self.failures, cell=self.cell.dumps(), command=self._command())
        write_page(page, f"{self.cell.title or 'Cell'}: orders of convergence", sections)
        return [*written, page, *pictures.write(self, out)]

    def _command(self) -> str:
        """The command that makes the study again."""
        names = dict.fromkeys(each.family.backend.name for each in self.families)
        kinds = list(dict.fromkeys(each.grids for each in self.families))
        words = [f"--backend {name}" for name in names]
        words.append(f"--levels {max(each.step.size for each in self.families)}")
        words.append(f"--grids {kinds[0] if len(kinds) == 1 else 'both'}")
        words += [f"--quantity {quantity}" for quantity in self.quantities]
        return f"fem-constriction converge CELL.toml {' '.join(words)}"
