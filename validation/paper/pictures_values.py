"""R, C and tau of arcs over contact fraction, with error bars, and lines of what is compared with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from fem_constriction.fitting.values import Value
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.circuits import CONSTRICTION, Circuit
from fem_constriction.processes.names import CHARGE_TRANSFER
from validation.paper.cells import TABLE, cell
from validation.paper.pictures_arcs import COLOURS, words
from validation.paper.sample import Sample
from validation.study.measured import CONTRIBUTIONS

Series = Mapping[str, Sequence[Sample]]
#: Inches: all figures are a page wide.
WIDE: Final = 7.2
#: A marker per process.
MARKERS: Final = {
    "bulk": "s",
    "grain_boundary": "D",
    "charge_transfer": "^",
    "counter_electrode": "v",
    "constriction": "o",
}
#: Quantity of an arc -> its symbol and its unit.
AXES: Final = {"R": ("R", r"$\Omega$"), "C": ("C", "F"), "tau": (r"\tau", "s")}
FRACTION: Final = r"contact fraction $A_\mathrm{c}/A$"
BARS: Final = "bars: largest of discretisation, model and nominal"
#: Contact fractions that lines are drawn at.
DENSE: Final = np.concatenate([np.geomspace(0.01, 0.1, 30), np.linspace(0.11, 1.0, 90)])


def value(sample: Sample, element: str, letter: str, *, extended: bool = False) -> Value | None:
    """Return R, C or tau of an arc of the agreed spectrum; None where there is no such arc."""
    if sample.agreed is None:
        return None
    found = sample.agreed.extended if extended else sample.agreed.fit
    arc = None if found is None else found.arcs.get(element)
    made: Value | None = None if arc is None else getattr(arc, letter)
    return None if made is None or made.value is None else made


def spread(found: Value) -> float:
    """Return the largest of what is uncertain about a value, in its unit."""
    parts = [part for each in CONTRIBUTIONS if (part := getattr(found, each)) is not None and np.isfinite(part)]
    return max(parts, default=0.0)


def points(
    axes: Axes,
    samples: Sequence[Sample],
    element: str,
    letter: str,
    *,
    colour: Any = None,
    marker: str | None = None,
    scale: float = 1.0,
    joined: bool = True,
    hollow: Callable[[Sample], bool] = lambda sample: False,
) -> None:
    """Draw the values of an arc with their error bars, times `scale`; open symbols where `hollow`."""
    known = [(sample, found) for sample in samples if (found := value(sample, element, letter)) is not None]
    if not known:
        return
    x = np.array([sample.fraction for sample, _ in known])
    y = scale * np.array([found.value for _, found in known], dtype=float)
    bars = scale * np.array([spread(found) for _, found in known])
    colour, marker = COLOURS[element] if colour is None else colour, MARKERS[element] if marker is None else marker
    below = np.minimum(bars, 0.99 * y)  # a bar down to 0 has no end on a logarithmic axis
    open_ = np.array([hollow(sample) for sample, _ in known])
    axes.errorbar(x, y, [below, bars], color=colour, lw=0.9 * joined, elinewidth=0.8, capsize=1.8, zorder=3)
    for at, face in ((~open_, colour), (open_, "white")):
        axes.plot(x[at], y[at], ls="", marker=marker, color=colour, mfc=face, zorder=4)


_FAINT: Final = 0.3  # opacity of what is not the cell's
_DARK: Final = 0.55  # of a colour: crosses of the ladder on symbols of the arcs are seen
#: Element and quantity -> what the ladder of the same fit calls it.
LADDER: Final = {
    (CONSTRICTION, "R"): "R_Cstr",
    (CONSTRICTION, "C"): "C_pore",
    (CHARGE_TRANSFER, "R"): "R_CT",
    (CHARGE_TRANSFER, "C"): "C_CT",
}


def ladder_points(axes: Axes, samples: Sequence[Sample], element: str, letter: str, *, colour: Any = None) -> None:
    """Draw the same quantity as the ladder has it, C_pore || (R_Cstr + R_CT || C_CT), as crosses; nothing of tau.

    They are faint where the ladder does not tell the constriction, and its other elements are none of the cell's either.
    """
    if (name := LADDER.get((element, letter))) is None:
        return
    known = []
    for sample in samples:
        found = None if sample.agreed is None else sample.agreed.extended or sample.agreed.fit
        read = None if found is None or found.ladder is None else getattr(found.ladder, name)
        if found is not None and found.ladder is not None and read is not None and read.value is not None:
            known.append((sample.fraction, read.value, found.ladder.R_Cstr.value is not None))
    x, y, told = np.array(known, dtype=float).reshape(-1, 3).T
    shade = tuple(_DARK * part for part in to_rgb(COLOURS[element] if colour is None else colour))
    for some, alpha in ((told == 1, 1.0), (told == 0, _FAINT)):
        axes.plot(x[some], y[some], ls="", marker="x", ms=5, color=shade, alpha=alpha, zorder=5)


def crosses(text: str = "") -> list[Line2D]:
    """Return what a legend says of the ladder's symbols."""
    text = text or r"ladder of the same fit: $R_\mathrm{Cstr}$, $C_\mathrm{pore}$, $R_\mathrm{CT}$, $C_\mathrm{CT}$"
    look: dict[str, Any] = {"ls": "", "marker": "x", "ms": 5, "color": "#333333"}
    return [Line2D([], [], label=text, **look), Line2D([], [], alpha=_FAINT, label="where it does not tell the cell", **look)]


def geometric(axes: Axes, samples: Sequence[Sample], *, colour: Any = None) -> None:
    """Draw the geometric R_Cstr, known from direct current alone, as a dotted line."""
    pairs = [(sample.fraction, sample.geometric[0]) for sample in samples if sample.geometric is not None]
    known = np.array(sorted(pairs), dtype=float).reshape(-1, 2)
    known = known[known[:, 1] > 0]
    axes.plot(known[:, 0], known[:, 1], ls=":", lw=1.1, color=COLOURS[CONSTRICTION] if colour is None else colour, zorder=2)


def line(
    axes: Axes, function: Callable[[NDArray[np.float64]], Any], *, colour: Any = "#555555", style: Any = (0, (5, 3))
) -> None:
    """Draw a function of the contact fraction."""
    axes.plot(DENSE, np.broadcast_to(function(DENSE), DENSE.shape), color=colour, lw=0.9, ls=style, zorder=2)


def pores(label: str) -> Callable[[NDArray[np.float64]], Any]:
    """Return C_pore (A - A_c) of a figure's cells in F as a function of the contact fraction, NaN at full contact."""
    row, area = TABLE[label], cell(label, 1.0).area
    return lambda x: np.where(x < 1, row.pore * area * (1 - x), np.nan)


def finish(axes: Axes, letter: str, name: str, *, log: bool = True, below: bool = True) -> None:
    """Scale and label the axes of R, C or tau with index `name` over contact fraction, a linear one with an SI prefix."""
    symbol, unit = AXES[letter]
    prefix = ""
    if log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
        exponent = 3 * math.floor(math.log10(axes.get_ylim()[1]) / 3)
        prefix = EngFormatter.ENG_PREFIXES[exponent]
        axes.yaxis.set_major_formatter(lambda value, _: f"{value / 10.0**exponent:.6g}")
    axes.set(xlim=(0, 1.03), ylabel=rf"${symbol}_{{{name}}}$ / {prefix}{unit}")
    if below:
        axes.set_xlabel(FRACTION)


def handles(elements: Sequence[str], *, joined: bool = True) -> list[Line2D]:
    """Return what a legend says of the symbols of these processes."""
    style = "-" if joined else ""
    return [Line2D([], [], color=COLOURS[n], marker=MARKERS[n], lw=0.9, ls=style, label=words(n)) for n in elements]


def dashed(text: str) -> Line2D:
    """Return what a legend says of lines for comparison."""
    return Line2D([], [], color="#555555", lw=0.9, ls=(0, (5, 3)), label=text)


def heading(figure: str, series: Series) -> str:
    """Return what stands above a figure: how many of its cells the backends agree on."""
    every = [sample for samples in series.values() for sample in samples]
    names = " and ".join(every[0].backends) if every else "the backends"
    agreed = sum(sample.refusal is None for sample in every)
    return f"Figure {figure}: {names} agree on {agreed} of {len(every)} cells"


def physical_arc(label: str, element: str, letter: str) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Contact fraction -> R, C or tau of an arc of the 1D-PM, whose conductance and capacitance are linear in the fraction."""
    ends = [(1 / arc.resistance, arc.capacitance) for x in _ENDS for arc in [_physical(label, x)[element]]]
    (g, c), slopes = ends[0], (np.array(ends[1]) - ends[0]) / (_ENDS[1] - _ENDS[0])

    def law(x: NDArray[np.float64]) -> NDArray[np.float64]:
        conductance, capacitance = g + slopes[0] * (x - _ENDS[0]), c + slopes[1] * (x - _ENDS[0])
        return np.asarray({"R": 1 / conductance, "C": capacitance, "tau": capacitance / conductance}[letter])

    return law


#: Contact fractions at which the 1D-PM is computed; the line through both is exact.
_ENDS: Final = (0.5, 1.0)


@cache
def _physical(label: str, fraction: float) -> Circuit:
    return physical(cell(label, fraction))
