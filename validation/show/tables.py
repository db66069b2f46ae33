"""Tables as terminals show them, and that of one spectrum: what needs no fit and no gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from fem_constriction.pictures.words import amount
from fem_constriction.spectra.spectrum import Spectrum


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> Table:
    """Return a table with a title; all columns but the first `left` are aligned to the right."""
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD if any(columns) else box.SIMPLE,
        show_header=any(columns),
        padding=0,
        min_width=len(title),
    )
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number < left else "right", overflow="fold")
    for row in rows:
        made.add_row(*map(Text, row))
    return made


def spectrum_report(spectrum: Spectrum) -> RenderableType:
    """Where the spectrum lies, how well it is known, and on which grids it was computed."""
    size = np.abs(spectrum.impedance)
    known = "guaranteed, " if spectrum.provenance.get("guaranteed") else ""
    rows = [
        (
            "frequencies",
            f"{len(spectrum)}, {amount(spectrum.frequency.min(), 'Hz')} to {amount(spectrum.frequency.max(), 'Hz')}",
        ),
        ("|Z|", f"{amount(size.min(), 'ohm')} to {amount(size.max(), 'ohm')}"),
        (
            "uncertainty",
            "not known (one grid)"
            if spectrum.uncertainty is None
            else f"{known}at most {np.max(spectrum.uncertainty / size):.1e} |Z|",
        ),
    ]
    for number, grid in enumerate(spectrum.provenance.get("grids", []), 1):
        if "radius" in grid:  # a pair of grids that discs were made on, a grid of each backend
            pair = "; ".join(f"{name} {_grid(made)}" for name, made in grid.items() if isinstance(made, Mapping))
            rows.append((f"pair {number}", f"radius at most {grid['radius']:.1e} |Z|: {pair}"))
            continue
        distance = f", {grid['distance']:.1e} |Z| from the limit" if "distance" in grid else ""
        rows.append((f"{grid['grid']}", f"{_grid(grid)}{distance}"))
    return table("Spectrum", ("", ""), rows, left=2)


def _grid(made: Mapping[str, Any]) -> str:
    return f"{' x '.join(map(str, made['cells']))} cells, {made['unknowns']:,} unknowns"


def columns(found: Spectrum) -> dict[str, Any]:
    """Return provenance, frequencies (Hz), impedance and its uncertainty (ohm, None: not known)."""
    return {
        **found.provenance,
        "frequency_Hz": found.frequency.tolist(),
        "real_ohm": found.impedance.real.tolist(),
        "imag_ohm": found.impedance.imag.tolist(),
        "uncertainty_ohm": None if found.uncertainty is None else found.uncertainty.tolist(),
    }
