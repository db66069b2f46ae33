"""Figure 2 (b): potential and current in the middle of the cell, below, at and above the switching of the pores."""

from __future__ import annotations

from typing import Final

from matplotlib.figure import Figure

from fem_constriction.fields import drawn as field_plots
from fem_constriction.fields import fields_at
from validation.paper.cells import cell

#: Hz: the pores insulate; they switch (1/(2 pi tau_Cstr) is 3 kHz at this contact); they conduct.
FREQUENCIES: Final = (1.0, 3e3, 1e6)
#: The contact fraction of the section.
SHOWN: Final = 0.25


def figure_2b(backend: str = "fem", level: int = 1) -> Figure:
    """Sections of figure 2's cell at three frequencies, on one grid of a backend."""
    shown = cell("2", SHOWN)
    found = [fields.section() for fields in fields_at(shown, FREQUENCIES, backend=backend, level=level)]
    title = f"Figure 2 (b), {100 * SHOWN:g} % contact: equipotentials (white) and lines of the current (black)"
    return field_plots.sections(found, title=title)
