"""-Im Z over Re Z, a row per contact fraction: computed points, and the arcs of a circuit coloured by process."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, MaxNLocator

from fem_constriction.pictures.colours import PROCESSES
from fem_constriction.processes.circuits import CONSTRICTION, INTERFACE, Circuit
from fem_constriction.spectra.spectrum import Spectrum
from validation.paper.sample import Sample

#: The paper's own colours, so that its figures and these can be laid side by side: bulk blue, boundaries red, charge transfer
#: and the interface of the 1D-PM light green, constriction yellow (a dark one, which symbols and lines on white need).
COLOURS: Final = {
    **PROCESSES,
    "bulk": "#4477aa",
    "grain_boundary": "#cc3311",
    "charge_transfer": "#77b62c",
    INTERFACE: "#77b62c",
    CONSTRICTION: "#e0a800",
}
#: Contact fractions whose spectra are drawn, as far as they were computed.
DRAWN: Final = (1.0, 0.49, 0.25, 0.16, 0.09, 0.04)
#: Inches that a row is high at least, and that its axis takes below all rows.
_LEAST, BELOW = 0.24, 0.55


@dataclass(frozen=True, eq=False, kw_only=True)
class ArcRow:
    """A spectrum and its circuit: text beside it; spectrum None: the circuit's own curve; circuit None: no arcs."""

    text: str
    circuit: Circuit | None
    spectrum: Spectrum | None = None

    @property
    def width(self) -> float:
        """Largest Re Z in ohm."""
        found = 0.0 if self.spectrum is None else float(self.spectrum.impedance.real.max())
        return max(found, 0.0 if self.circuit is None else self.circuit.resistance)

    @property
    def height(self) -> float:
        """Largest -Im Z in ohm, of the arcs apart or of the points."""
        found = 0.0 if self.spectrum is None else float((-self.spectrum.impedance.imag).max())
        return max(found, 0.0 if self.circuit is None else max(arc.resistance for arc in self.circuit.arcs) / 2)


def heights(columns: Sequence[Sequence[ArcRow]], inches: float) -> list[float]:
    """Return how high each row is, in inches, where all columns are so many inches wide and both axes have one scale."""
    width = 1.06 * max(row.width for column in columns for row in column)
    return [max(_LEAST, 1.2 * inches * max(row.height for row in across) / width) for across in zip(*columns, strict=True)]


def rows(parent: Figure | SubFigure, columns: Sequence[Sequence[ArcRow]], titles: Sequence[str], inches: float) -> None:
    """Draw columns of rows with one scale for all axes; columns have equally many rows, and are `inches` wide."""
    tall = heights(columns, inches)
    width = 1.06 * max(row.width for column in columns for row in column)
    exponent = 3 * math.floor(math.log10(width) / 3)
    unit, prefix = 10.0**exponent, EngFormatter.ENG_PREFIXES.get(exponent, f"1e{exponent} ")
    drawn = parent.subplots(len(tall), len(columns), squeeze=False, sharex=True, gridspec_kw={"height_ratios": tall})
    for number, (column, title) in enumerate(zip(columns, titles, strict=True)):
        for axes, row, high in zip(drawn[:, number], column, tall, strict=True):
            _row(axes, row, unit)
            axes.set(xlim=(-0.01 * width / unit, width / unit), ylim=(0, high / inches * width / unit))
            axes.set_aspect("equal", adjustable="box", anchor="SW")
            axes.yaxis.set_major_locator(MaxNLocator(2, min_n_ticks=2))
            axes.annotate(row.text, (1.0, 1.0), xycoords="axes fraction", ha="right", va="top")
        drawn[0, number].set_title(title, loc="left")
        drawn[-1, number].set_xlabel(rf"Re $Z$ / {prefix}$\Omega$")
    drawn[len(tall) // 2, 0].set_ylabel(rf"$-$Im $Z$ / {prefix}$\Omega$")


def _row(axes: Axes, row: ArcRow, unit: float) -> None:
    start, angle = 0.0, np.linspace(0, np.pi, 100)
    if row.circuit is not None:
        start = row.circuit.r_elec
        for arc in row.circuit.arcs:
            radius = arc.resistance / 2
            x, y = (start + radius * (1 - np.cos(angle))) / unit, radius * np.sin(angle) / unit
            axes.fill_between(x, y, color=COLOURS.get(arc.name, "#999999"), alpha=0.6, lw=0, zorder=1)
            start += arc.resistance
    if row.spectrum is None and row.circuit is not None:
        z = row.circuit.impedance(np.geomspace(1e-4, 1e10, 600)) / unit
        axes.plot(z.real, -z.imag, color="black", lw=0.9, zorder=2)
    elif row.spectrum is not None:
        z = row.spectrum.impedance / unit
        axes.plot(z.real, -z.imag, ls="", marker=".", ms=3.5, color="black", zorder=2)


def legend(names: Sequence[str], *, computed: bool = True, physical: bool = False) -> list[Any]:
    """Return what a legend says of points, curves and the arcs of these processes."""
    made: list[Any] = []
    if computed:
        made.append(Line2D([], [], ls="", marker=".", color="black", label="computed"))
    if physical:
        made.append(Line2D([], [], color="black", lw=0.9, label="1D-PM"))
    return made + [Patch(color=COLOURS[name], alpha=0.6, lw=0, label=words(name)) for name in names]


def words(name: str) -> str:
    """Return the name of a process as a reader writes it."""
    return name.replace("_", " ")


def drawn(samples: Sequence[Sample]) -> list[Sample]:
    """Those whose spectra are drawn."""
    fitted = {sample.fraction: sample for sample in samples if sample.agreed is not None and sample.agreed.fit is not None}
    return [fitted[x] for x in DRAWN if x in fitted]


def computed(samples: Sequence[Sample]) -> list[ArcRow]:
    """Return the rows of the spectra that are drawn, with the arcs of the fitted circuit."""
    made = []
    for sample in drawn(samples):
        assert sample.agreed is not None
        assert sample.agreed.fit is not None
        text = f"{100 * sample.fraction:g} %"
        made.append(ArcRow(text=text, circuit=sample.agreed.fit.circuit(), spectrum=sample.agreed.spectrum))
    return made


def halves(figure: Figure, *heights: float) -> tuple[SubFigure, SubFigure]:
    """Return two parts of a figure, one above the other."""
    both: Any = figure.subfigures(2, 1, height_ratios=heights)
    return both[0], both[1]
