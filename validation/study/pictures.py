"""A picture per numeric axis: R_Cstr, C_Cstr and tau_Cstr over it, with error bars; the other axes as colours and markers."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter

from fem_constriction.arrays import Array
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.pictures.printed import STYLE, save
from validation.study import ensembles
from validation.study.axes import is_number
from validation.study.plan import Study
from validation.study.show import names, value_text
from validation.study.work import Record

#: Okabe and Ito's palette without its yellow, which is hard to see in print.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#56b4e9", "#e69f00", "#7d3c98")
MARKERS: Final = "os^Dv<>p"
#: Viridis without its yellow end.
_SCALE: Final = ListedColormap(mpl.colormaps["viridis"](np.linspace(0, 0.88, 256)))
_PANELS: Final = {
    "R_Cstr": (r"$R_\mathrm{Cstr}$", r"$\Omega$"),
    "C_Cstr": (r"$C_\mathrm{Cstr}$", "F"),
    "tau_Cstr": (r"$\tau_\mathrm{Cstr}$", "s"),
}
_DIRECT: Final = {"resistance_dc": (r"$R_\mathrm{DC}$", r"$\Omega$")}
#: A quotient of the largest and the smallest value from which on an axis is logarithmic by itself.
_WIDE: Final = 30.0
#: Numbers that still have a colour each in the legend; more have a scale of colours.
_FEW: Final = 6


def write(study: Study, records: Sequence[Record], folder: Path) -> list[Path]:
    """Write a picture per numeric axis of two values or more, as PNG and PDF; return their paths. Raises ComputationError."""
    written = []
    drawn = ensembles.seeds(study)
    for key in study.axes:
        if key in drawn and len(drawn) < len(study.axes):
            continue  # over the other axes, as bands
        values = [point.values[key] for point in study.points]
        if all(map(is_number, values)) and len(set(values)) > 1:
            try:
                written += save(partial(summary, study, records, key), folder, f"over-{key.replace('.', '-')}")
            except InputError as error:  # the folder was fine before: its disk is full, for instance
                raise ComputationError(str(error)) from None
    return written


@dataclass(frozen=True, eq=False)
class _Look:
    """The other axes: colours of the first, markers of the second, and lines between points that share all of them."""

    colour: str | None
    marker: str | None
    colours: dict[Any, Any]
    markers: dict[Any, str]
    scale: ScalarMappable | None
    rest: tuple[str, ...]

    def of(self, values: Any) -> tuple[Any, str]:
        """Return colour and marker of a point."""
        colour = COLOURS[0] if self.colour is None else self.colours[_plain(values[self.colour])]
        return colour, MARKERS[0] if self.marker is None else self.markers[_plain(values[self.marker])]


@mpl.rc_context(STYLE)
def summary(study: Study, records: Sequence[Record], key: str) -> Figure:
    """R, C and tau of the constriction over one axis (R_DC for one backend); open symbols: the geometric R_Cstr."""
    panels = _PANELS if study.crosschecked else _DIRECT
    look = _look(study, key)
    banded = _banded(study, key)
    beside = study.crosschecked and not banded and any("R_geometric" in record.numbers for record in records)
    handles = _legend(study, look, beside, banded)
    tall = 0.18 * math.ceil(len(handles) / 3)
    figure = Figure(figsize=(7.2, 2.9 + tall) if len(panels) > 1 else (4.6, 3.2 + tall), layout="constrained")
    drawn = figure.subplots(1, len(panels), sharex=True, squeeze=False)[0]
    missing = sum(not np.isfinite(record.numbers.get(next(iter(panels)), math.nan)) for record in records)
    for axes, (name, (symbol, unit)) in zip(drawn, panels.items(), strict=True):
        _panel(axes, study, records, key, name, look)
        values = [record.numbers.get(name, math.nan) for record in records]
        if name == "R_Cstr":
            values += [record.numbers.get("R_geometric", math.nan) for record in records]
        _scale(axes, np.array(values), symbol, unit)
        if _is_log(np.array([point.values[key] for point in study.points], dtype=float), study.axes[key].scale):
            axes.set_xscale("log")
    unit = study.axes[key].unit
    drawn[len(drawn) // 2].set_xlabel(key if unit in ("", "1") else f"{key} / ({unit})" if "/" in unit else f"{key} / {unit}")
    without = f", {missing} of {len(records)} points without a value" if missing else ""
    figure.suptitle(textwrap.fill(f"{study.name}{without}", 100), fontsize=9, parse_math=False)
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    if look.scale is not None and look.colour is not None:
        figure.colorbar(look.scale, ax=list(drawn), label=_axis_text(study, look.colour), aspect=30, pad=0.01)
    return figure


def _look(study: Study, key: str) -> _Look:
    drawn = ensembles.seeds(study)
    others = [other for other in study.axes if other != key and other not in drawn]
    several = [other for other in others if len({_plain(point.values[other]) for point in study.points}) > 1]
    first = several[0] if several else None
    second = several[1] if len(several) > 1 and study.mode == "product" else None
    seen = {} if first is None else dict.fromkeys(_plain(point.values[first]) for point in study.points)
    markers = {} if second is None else dict.fromkeys(_plain(point.values[second]) for point in study.points)
    if len(markers) > len(MARKERS):
        second, markers = None, {}
    scale = None
    colours: dict[Any, Any]
    if first is not None and len(seen) > _FEW and all(map(is_number, seen)):
        low, high = min(seen), max(seen)
        norm = (
            LogNorm(low, high) if _is_log(np.array(list(seen), dtype=float), study.axes[first].scale) else Normalize(low, high)
        )
        scale = ScalarMappable(norm, _SCALE)
        colours = {value: scale.to_rgba(value) for value in seen}
    else:
        colours = {value: COLOURS[number % len(COLOURS)] for number, value in enumerate(seen)}
    symbols = dict(zip(markers, MARKERS, strict=False))
    rest = tuple(other for other in several if other not in (first, second))
    return _Look(first, second, colours, symbols, scale, rest)


def _panel(axes: Axes, study: Study, records: Sequence[Record], key: str, name: str, look: _Look) -> None:
    """Draw a quantity over an axis; points that share all other axes are joined, realisations are a band about their median."""
    if _banded(study, key):
        _bands(axes, study, records, key, name, look)
        return
    lines: dict[Any, list[tuple[float, float, float, float]]] = {}
    looks: dict[Any, tuple[Any, str]] = {}
    for number, (point, record) in enumerate(zip(study.points, records, strict=True)):
        others = tuple(_plain(value) for other, value in point.values.items() if other != key)
        line = others if study.mode == "product" or not others else (*others, number)
        value, geometric = record.numbers.get(name, math.nan), record.numbers.get("R_geometric", math.nan)
        lines.setdefault(line, []).append((float(point.values[key]), value, ensembles.uncertainty(record, name), geometric))
        looks[line] = look.of(point.values)
    for line, rows in lines.items():
        x, y, error, geometric_ = np.array(sorted(rows)).T
        y, geometric_ = (np.where(np.isfinite(each), each, np.nan) for each in (y, geometric_))
        colour, marker = looks[line]
        axes.errorbar(x, y, error, color=colour, marker=marker, lw=1.0, capsize=2, elinewidth=0.8, zorder=3)
        if name == "R_Cstr":
            axes.plot(x, geometric_, color=colour, marker=marker, mfc="white", ls=":", lw=0.8, zorder=2)


def _banded(study: Study, key: str) -> bool:
    """Whether points are realisations of cells whose values lie over this axis."""
    drawn = ensembles.seeds(study)
    return bool(drawn) and key not in drawn


def _bands(axes: Axes, study: Study, records: Sequence[Record], key: str, name: str, look: _Look) -> None:
    """Draw 16 to 84 % of the realisations as a band, their median, bars of two standard errors about it, and each as a dot."""
    drawn = ensembles.seeds(study)
    for point, record in zip(study.points, records, strict=True):
        colour, _ = look.of(point.values)
        axes.plot(float(point.values[key]), record.numbers.get(name, math.nan), ".", color=colour, ms=2.5, alpha=0.5, zorder=2)
    lines: dict[Any, list[tuple[float, ensembles.Distribution]]] = {}
    looks: dict[Any, tuple[Any, str]] = {}
    for values, found in ensembles.ensembles(study, records):
        if name in found:
            line = tuple(_plain(value) for other, value in values.items() if other != key and other not in drawn)
            lines.setdefault(line, []).append((float(values[key]), found[name]))
            looks[line] = look.of(values)
    for line, rows in lines.items():
        colour, marker = looks[line]
        x, low, median, high = ensembles.band(rows)
        numerical = np.array([2 * each.numerical for _, each in sorted(rows, key=lambda row: row[0])])
        axes.fill_between(x, low, high, color=colour, alpha=0.22, lw=0, zorder=1)
        axes.errorbar(x, median, numerical, color=colour, marker=marker, lw=1.0, capsize=2, elinewidth=0.8, zorder=3)


def _scale(axes: Axes, values: Array, symbol: str, unit: str) -> None:
    """Give the axis a scale and a prefix that its values can be read in."""
    known = values[np.isfinite(values)]
    if _is_log(known):
        axes.set_yscale("log")
        axes.set_ylabel(f"{symbol} / {unit}")
        return
    size = float(np.abs(known).max()) if known.size else 0.0
    exponent = 3 * math.floor(math.log10(size) / 3) if size > 0 else 0
    prefix = EngFormatter.ENG_PREFIXES.get(exponent)
    factor = 1.0 if prefix is None else 10.0**exponent
    axes.yaxis.set_major_formatter(lambda value, _: f"{value / factor:.6g}")
    axes.set_ylabel(f"{symbol} / {prefix or ''}{unit}")
    if known.size and known.min() >= 0:
        axes.set_ylim(bottom=0)


def _is_log(values: Array, scale: str = "linear") -> bool:
    if not values.size or values.min() <= 0:
        return False
    return scale == "log" or bool(values.max() > _WIDE * values.min())


def _legend(study: Study, look: _Look, geometric: bool, banded: bool) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = []
    if look.colour is not None and look.scale is None:
        for value, colour in look.colours.items():
            text = f"{names(study)[look.colour]} {value_text(study, look.colour, value)}"
            handles.append(Line2D([], [], color=colour, marker=MARKERS[0], label=text))
    for value, marker in look.markers.items():
        text = f"{names(study)[look.marker or '']} {value_text(study, look.marker or '', value)}"
        handles.append(Line2D([], [], color="#555555", ls="", marker=marker, label=text))
    if geometric:
        handles.append(Line2D([], [], color="#555555", marker="o", label="fitted arc"))
        text = r"geometric $R$: $R_\mathrm{DC}$(3D) $-$ $R_\mathrm{DC}$(1D-PM)"
        handles.append(Line2D([], [], color="#555555", marker="o", mfc="white", ls=":", label=text))
    bars = "bars: largest of discretisation, model and nominal" if study.crosschecked else "bars: uncertainty"
    if banded:
        handles.append(Patch(color="#555555", alpha=0.22, lw=0, label="16 to 84 % of the realisations (dots)"))
        bars = "median, bars: its values' numerical uncertainty"
    handles.append(Line2D([], [], color="#555555", ls="", marker="|", ms=8, label=bars))
    if look.rest:
        handles.append(Line2D([], [], ls="", label=f"lines differ in {', '.join(names(study)[each] for each in look.rest)}"))
    return handles


def _axis_text(study: Study, key: str) -> str:
    unit = study.axes[key].unit
    return names(study)[key] if unit in ("", "1") else f"{names(study)[key]} / ({unit})"


def _plain(value: Any) -> Any:
    return value if is_number(value) or isinstance(value, str) else str(value)
