"""Three pictures of a crosscheck: the impedance plane, the agreement over frequency, the convergence of each backend."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter, ScalarFormatter
from numpy.typing import ArrayLike, NDArray

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError
from fem_constriction.fitting.extraction import Extraction
from fem_constriction.processes.circuits import CONSTRICTION, SERIES, Circuit, physical
from fem_constriction.solving.refinement import Family
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.result import Result
from validation.show.colours import BACKENDS, DISCS, FIT, GREY, VERDICTS, of_arc

STYLE: Final[Any] = {
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,
}
_FLAT = 0.02  # of the width: the least height of a picture, that of a resistor
_FLOOR = 1e-16  # relative: where a difference of exactly zero is drawn


def save(draw: Callable[[], Figure], folder: Path, name: str) -> list[Path]:
    """Draw a figure and write it as name.png and name.pdf; return their paths. Raises InputError."""
    paths = [folder / f"{name}.{suffix}" for suffix in ("png", "pdf")]
    with mpl.rc_context(STYLE):  # ticks are made when they are drawn
        figure = draw()
        for path in paths:
            try:
                date = {"CreationDate": None} if path.suffix == ".pdf" else None
                figure.savefig(path, dpi=200, metadata=date, bbox_inches="tight", pad_inches=0.05)
            except OSError as error:
                raise InputError(f"cannot be written ({error.strerror or error})", file=path) from None
    return paths


@mpl.rc_context(STYLE)
def nyquist(result: Result) -> Figure:
    """-Im Z over Re Z: what every backend says, the fitted circuit and its arcs, and the 1D-PM for comparison."""
    verdict = f"{result.cell.title or 'Cell'}: {' and '.join(result.agreement.limits)} {_verb(result)}"
    return impedance_plane(result.agreement.limits, result.extraction, reference=physical(result.cell), title=verdict)


def _verb(result: Result) -> str:
    if result.extraction is not None and not result.extraction.arcs:
        return "agree; nothing to extract, as no direct current flows"
    if any(enclosure.violations for enclosure in result.agreement.enclosures):
        return "disagree: the enclosure is violated"
    if result.refusal is not None:
        return {"disagree": "disagree", "unresolved": "are unresolved"}.get(result.agreement.verdict, "agree, not extracted")
    return "agree"


@mpl.rc_context(STYLE)
def impedance_plane(
    spectra: Mapping[str, Spectrum],
    extraction: Extraction | None,
    *,
    reference: Circuit | None = None,
    looks: Sequence[tuple[str, str]] = BACKENDS,
    title: str = "",
) -> Figure:
    """-Im Z over Re Z of spectra, with the fit and its arcs if there is one; both axes in the same unit and scale.

    looks: colour and marker of each spectrum, `(DATA,)` of one that no backend gave. A cell that blocks direct current is shown
    from the high-frequency end, as far up as it is wide, an inductance a quarter of that down.
    """
    first = next(iter(spectra.values()))
    every = np.concatenate([spectrum.impedance for spectrum in spectra.values()])
    width = float(max(every.real.max(), np.abs(every).max() * 1e-3))
    exponent = 3 * math.floor(math.log10(width) / 3)
    unit, prefix = 10.0**exponent, EngFormatter.ENG_PREFIXES.get(exponent, f"1e{exponent} ")
    height = float(np.clip((-every.imag).max(), _FLAT * width, 0.6 * width))
    left = min(-0.02 * width, 1.05 * max(float(every.real.min()), -0.6 * width))
    low = min(-0.03 * height, -1.1 * min(float(every.imag.max()), 0.25 * width))
    tall = (1.17 * height - low) / (1.11 * width - left)
    figure = Figure(figsize=(7, max(6.2 * tall + 1.45, 2.6)), layout="constrained")
    axes = figure.add_subplot()
    dense = np.geomspace(first.frequency.min(), first.frequency.max(), 600)
    if extraction is not None and extraction.arcs:
        _arcs(axes, extraction, unit)
        fitted = extraction.circuit().impedance(dense) / unit
        axes.plot(fitted.real, -fitted.imag, color=FIT, lw=1.0, label="fit", zorder=3)
    if reference is not None:
        plain = reference.impedance(dense) / unit
        axes.plot(plain.real, -plain.imag, color=GREY, lw=0.9, ls=(0, (5, 3)), label="1D-PM", zorder=2)
    for (name, spectrum), (colour, marker) in zip(spectra.items(), _cycle(looks, len(spectra)), strict=True):
        z = spectrum.impedance / unit
        face = "none" if marker not in "x+" else colour
        axes.plot(z.real, -z.imag, ls="", marker=marker, mec=colour, mfc=face, mew=1.0, label=name, zorder=4)
    axes.set(
        xlabel=rf"Re $Z$ / {prefix}$\Omega$",
        ylabel=rf"$-$Im $Z$ / {prefix}$\Omega$",
        xlim=(left / unit, 1.11 * width / unit),
        ylim=(low / unit, 1.17 * height / unit),
    )
    _title(axes, title)
    axes.set_aspect("equal", adjustable="box")
    _label_frequencies(axes, first, unit, width, height, () if reference is None else plain.conj())
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _arcs(axes: Axes, extraction: Extraction, unit: float) -> None:
    """Half circles, depressed ones flattened, side by side, ascending in tau, filled with the colour of the process.

    Those whose resistance the spectrum does not tell are dashed lines, and are said to be so.
    """
    circuit = extraction.circuit()
    start = circuit.r_elec
    angle = np.linspace(0, np.pi, 100)
    for number, arc in enumerate(circuit.arcs):
        colour = of_arc(arc.name, number)
        chosen = arc.name == CONSTRICTION
        z = arc.resistance / unit / (1 + (1j * np.tan(angle / 2)) ** arc.alpha)
        x, y = start / unit + z.real, -z.imag
        if arc.name in extraction.arcs and not extraction.arcs[arc.name].known:
            axes.plot(x, y, color=colour, lw=1.2, ls=(0, (4, 2)), zorder=1, label=f"{_words(arc.name)} (not determined)")
        else:
            axes.fill_between(x, y, color=colour, alpha=0.75 if chosen else 0.35, lw=0, zorder=1, label=_words(arc.name))
            axes.plot(x, y, color=colour, lw=1.6 if chosen else 0.8, zorder=1)
        start += arc.resistance


def _label_frequencies(axes: Axes, spectrum: Spectrum, unit: float, width: float, height: float, avoid: ArrayLike) -> None:
    """Name decades beside the curve, outside if there is room, where they are far enough apart to be read."""
    log, z = np.log10(spectrum.frequency), spectrum.impedance.conj() / unit
    order = np.argsort(log)
    low, high = math.ceil(log.min() - 1e-9), math.floor(log.max() + 1e-9)
    curve = np.interp(np.linspace(log.min(), log.max(), 2000), log[order], z[order])
    curve = np.append(curve, np.asarray(avoid, dtype=complex))
    point = 1.13 * width / unit / (6.2 * 72)  # one typographic point on the axes
    taken: list[tuple[complex, complex]] = []
    for decade in range(high, low - 1, -1):
        before, at, after = np.interp(decade + np.array([0.05, 0.0, -0.05]), log[order], z[order])
        if not 0.08 * height / unit < at.imag < 1.02 * height / unit:
            continue
        name = EngFormatter(unit="Hz", sep=" ")(10.0**decade)
        half = 0.5 * point * (8 * 0.62 * len(name) + 8j)
        outward = np.angle(1j * (after - before))
        for turn in np.deg2rad([0, 30, -30, 60, -60, 120, -120, 150, -150, 180]):
            side = np.exp(1j * (outward + turn))
            centre = at + side * (8 * point + abs(side.real) * half.real)
            clear = np.all(_outside(curve - centre, half + 3j * point)) and centre.imag > half.imag
            inside = -0.015 * width / unit < centre.real - half.real and centre.real + half.real < 1.11 * width / unit
            if clear and inside and all(_outside(other - centre, half + reach) for other, reach in taken):
                axes.text(centre.real, centre.imag, name, ha="center", va="center", fontsize=8, zorder=5)
                axes.plot(
                    [at.real, (at + side * 6 * point).real], [at.imag, (at + side * 6 * point).imag], "k-", lw=0.5, zorder=5
                )
                taken.append((centre, half))
                break


def _outside(difference: Any, half: Any) -> Any:
    return (np.abs(np.real(difference)) > np.real(half)) | (np.abs(np.imag(difference)) > np.imag(half))


@mpl.rc_context(STYLE)
def agreement(result: Result) -> Figure:
    """|Z_1 - Z_2|/|Z| over frequency, beside what the uncertainties allow and the tolerance, with the verdict of each point."""
    found = result.agreement
    size = np.min([np.abs(limit.impedance) for limit in found.limits.values()], axis=0)
    gap, width = found.difference / size, found.allowance / size
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = figure.add_subplot()
    f = found.frequency
    axes.axhline(found.tolerance, color=GREY, ls=(0, (5, 3)), lw=0.9, label=f"tolerance {found.tolerance:g}")
    axes.plot(f, _shown(width), color="black", label=r"$\Sigma u/|Z|$, allowed difference")
    for (name, limit), (colour, _) in zip(found.limits.items(), _cycle(BACKENDS, len(found.limits)), strict=True):
        assert limit.uncertainty is not None
        axes.plot(f, _shown(limit.uncertainty / size), color=colour, lw=0.9, ls="-.", label=f"$u/|Z|$ of {name}")
    if found.discs is not None:
        reach = found.discs.radius / size
        axes.plot(f, _shown(reach), color=DISCS, lw=1.1, label="guaranteed radius")
        width = np.maximum(width, reach)
    axes.plot(f, _shown(gap), color="#999999", lw=0.7, zorder=2)
    for verdict, (colour, marker) in VERDICTS.items():
        at = found.verdicts == verdict
        if at.any():
            axes.plot(f[at], _shown(gap[at]), ls="", color=colour, marker=marker, label=f"difference: {verdict}", zorder=3)
    widths = [limit.uncertainty / size for limit in found.limits.values() if limit.uncertainty is not None]
    lowest = float(min(_shown(part).min() for part in (gap, *widths)))
    axes.set(xscale="log", yscale="log", xlabel="frequency / Hz", ylabel=r"relative to $|Z|$")
    axes.set_ylim(lowest / 3, 3 * max(found.tolerance, float(gap.max()), float(width.max())))
    _title(axes, f"{result.cell.title or 'Cell'}: {' and '.join(found.limits)} {_verb(result)}")
    _decades(axes)
    if not gap.all():
        axes.annotate("0 is drawn at 1e-16", (0.01, 0.02), xycoords="axes fraction", fontsize=8)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _shown(values: ArrayLike) -> Array:
    return np.asarray(np.maximum(np.asarray(values, dtype=float), _FLOOR))


@mpl.rc_context(STYLE)
def convergence(result: Result) -> Figure:
    """Distance of every grid to its backend's limit over unknowns^(1/3): the largest over frequency, and at direct current.

    Open symbols: distance to the limit of the other backends, which no extrapolation of its own can please.
    """
    families = result.families
    blocking = result.geometric is None
    figure = Figure(figsize=(3.6 if blocking else 7, 4.2), layout="constrained")
    panels = figure.subplots(1, 1 if blocking else 2, sharey=True, squeeze=False)[0]
    frequency = result.agreement.frequency
    limits = {name: family.limit(frequency) for name, family in families.items()}
    spectra = {name: (family.spectra(frequency), limits[name].value) for name, family in families.items()}
    told = [name for name in result.agreement.limits if name not in families]  # without grids, a limit all the same
    spectra |= {name: (np.empty((0, frequency.size), dtype=complex), result.agreement.limits[name].impedance) for name in told}
    drawn: list[tuple[str, Mapping[str, tuple[NDArray[Any], NDArray[Any]]]]] = [("largest over frequency", spectra)]
    if result.geometric is not None:
        direct = {
            name: (_resistances(family)[:, None], np.array([family.resistance()[0]])) for name, family in families.items()
        }
        one_dimensional = result.geometric.direct - result.geometric.value
        direct |= {
            name: (np.empty((0, 1)), np.array([one_dimensional + result.geometric.by_backend[name][0]])) for name in told
        }
        drawn.append(("direct current", direct))
    for axes, (what, values) in zip(panels, drawn, strict=True):
        for number, (name, family) in enumerate(families.items()):
            order = limits[name].order if what != "direct current" else _observed(values[name][0])
            _distances(axes, name, family, values, _cycle(BACKENDS, number + 1)[-1], np.asarray(order))
        axes.set(xscale="log", yscale="log", xlabel=r"unknowns$^{1/3}$", title=what)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.plot([], [], color=GREY, ls="", marker="s", mfc="none", ms=7, mew=0.8, label="to the limit of the others")
        if len(axes.get_lines()) > 2 * len(families) + 1:
            axes.plot([], [], color=GREY, ls=":", lw=0.9, label="slope of the expected order")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16))
    heading = f"{result.cell.title or 'Cell'}: every grid against the limits"
    figure.suptitle(textwrap.fill(heading, 45 if blocking else 95), fontsize=9, parse_math=False)
    panels[0].set_ylabel(r"distance to the limit, relative to $|Z|$")
    return figure


def _resistances(family: Family) -> Array:
    return np.array([solution.model.resistance() for solution in family.solutions])


def _observed(values: NDArray[Any]) -> Array:
    steps = np.abs(np.diff(values[-3:], axis=0)) + 1e-300
    return np.asarray(np.log2(steps[0] / steps[1]))


def _distances(
    axes: Axes,
    name: str,
    family: Family,
    values: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
    look: tuple[str, str],
    order: Array,
) -> None:
    colour, marker = look
    grids, limit = values[name]
    size = np.abs(limit)
    n = np.array([solution.description["unknowns"] for solution in family.solutions]) ** (1 / 3)
    own = _shown(np.max(np.abs(grids - limit) / size, axis=1))
    others = np.mean([value for other, (_, value) in values.items() if other != name], axis=0)
    cross = _shown(np.max(np.abs(grids - others) / size, axis=1))
    rounding = bool(own.max() < 1e-9)
    low, high = np.min(order), np.max(order)
    seen = f"{np.median(order):.1f}" + (f" ({low:.1f} to {high:.1f})" if high - low >= 0.1 else "")
    label = f"{name}, exact to rounding" if rounding else f"{name}, order {family.order:g}, observed {seen}"
    axes.plot(n, own, color=colour, marker=marker, label=label)
    axes.plot(n, cross, color=colour, ls="", marker="s", mfc="none", ms=7, mew=0.8)
    if not rounding:
        axes.plot(n, 1.6 * own[0] * (n / n[0]) ** -family.order, color=colour, ls=":", lw=0.9)


def _title(axes: Axes, text: str) -> None:
    """A user's words: as long as they like, and a dollar sign is one."""
    axes.set_title(textwrap.fill(text, 95), parse_math=False)


def _decades(axes: Axes) -> None:
    axes.xaxis.set_major_locator(LogLocator(numticks=14))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _cycle(looks: Sequence[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    return [looks[number % len(looks)] for number in range(count)]


def _words(name: str) -> str:
    return "R_elec" if name == SERIES else name.replace("_", " ")
