"""Potential and current on a section of the cell: equipotential lines over the filled potential, and lines of the current.

The lines follow Re(J |I|/I), the current at the instant at which the whole cell's is largest: at any other phase the capacitive
parts lead and the lines say little. They are field lines where the section is a plane of symmetry (the middle of the cell).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter
from scipy.ndimage import map_coordinates

from fem_constriction.arrays import Array
from fem_constriction.errors import InputError
from fem_constriction.fields.section import Section
from fem_constriction.pictures.printed import STYLE

Part = Literal["modulus", "real", "imaginary", "phase"]

#: part -> values of a complex potential in V, and what the colour bar says.
PARTS: Final[dict[str, tuple[Any, str]]] = {
    "modulus": (np.abs, r"$|\varphi|$ / V"),
    "real": (np.real, r"Re $\varphi$ / V"),
    "imaginary": (np.imag, r"Im $\varphi$ / V"),
    "phase": (lambda phi: np.degrees(np.angle(phi)), r"arg $\varphi$ / °"),
}
MICRO: Final = 1e6
METAL: Final = "#808080"
#: How deep the metal is drawn, as a part of the depth of the section.
METAL_DEPTH: Final = 0.04
#: Rows that a section is drawn and its current followed on.
ROWS: Final = 400


def section(
    axes: Axes,
    found: Section,
    part: Part = "modulus",
    *,
    limits: tuple[float, float] | None = None,
    lines: int = 20,
    currents: int = 16,
    colourbar: bool = True,
) -> ScalarMappable:
    """Draw a section on axes: filled potential, `lines` equipotentials, `currents` lines of the current; um, for 1 V.

    limits: of the colours, in V (degrees for the phase), those of the section if left out; colourbar: beside these axes. The
    metal is grey: above where it touches, below the counter electrode. Return the colours, for a bar. Raises InputError.
    """
    values, label = _part(found, part)
    low, high = _span(values) if limits is None else limits
    scale = Normalize(low, high)
    colours = ScalarMappable(scale, "viridis")
    x, z = MICRO * found.x, MICRO * found.z
    across = (x[-1] - x[0]) / (len(x) - 1) / 2  # pixels have their middles at the points
    below = float(np.ptp(z)) / (ROWS - 1) / 2
    axes.imshow(
        evenly(found, values)[1],
        cmap=colours.cmap,
        norm=scale,
        interpolation="bilinear",
        extent=(x[0] - across, x[-1] + across, z[-1] + below, z[0] - below),
    )
    axes.contour(x, z, values, np.linspace(low, high, lines + 2)[1:-1], colors="white", linewidths=0.6, linestyles="solid")
    if currents > 0:
        _currents(axes, found, currents)
    deep = METAL_DEPTH * float(np.ptp(z))
    for start, end in found.contact:
        axes.add_patch(Rectangle((MICRO * start, z[0] - deep), MICRO * (end - start), deep, color=METAL, lw=0))
    axes.add_patch(Rectangle((x[0], z[-1]), x[-1] - x[0], deep, color=METAL, lw=0))
    other = "y" if found.plane == "x" else "x"
    axes.set(xlim=(x[0], x[-1]), ylim=(z[-1] + deep, z[0] - deep), xlabel=rf"${other}$ / µm", ylabel=r"$z$ / µm")
    axes.set_aspect("equal")
    axes.set_title(frequency_of(found))
    if colourbar:
        _colourbar(axes.figure, colours, axes, label)
    return colours


@mpl.rc_context(STYLE)
def sections(found: Sequence[Section], part: Part = "modulus", *, title: str = "", **options: Any) -> Figure:
    """Return sections side by side (frequencies of one cell) in one scale of colours; options: of `section`."""
    if not found:
        raise InputError(key="sections", value=[], allowed="at least one section of a cell")
    spans = [_span(_part(each, part)[0]) for each in found]
    limits = (min(low for low, _ in spans), max(high for _, high in spans))
    tall = float(np.ptp(found[0].z) / np.ptp(found[0].x))
    wide = min(7.4, 1.3 + 3.0 * len(found))
    panel = (wide - 1.3) / len(found)
    figure = Figure(figsize=(wide, min(panel * tall, 6.0) + 0.8 + 0.2 * bool(title)), layout="compressed")
    panels = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    for number, (axes, each) in enumerate(zip(panels, found, strict=True)):
        colours = section(axes, each, part, limits=limits, colourbar=False, **options)
        if number:
            axes.set_ylabel("")
    _colourbar(figure, colours, list(panels), _part(found[0], part)[1])
    if title:
        figure.suptitle(title, fontsize=9, parse_math=False)
    return figure


def instant(found: Section) -> tuple[Array, Array]:
    """Return z (rows,) equally spaced, m, and Re(J |I|/I) in the section there, (rows, nx, 2), A/m2."""
    density = np.nan_to_num(found.within)  # metal has no current of its own, and no lines
    return evenly(found, np.real(density * (abs(found.current) / found.current)))


def evenly(found: Section, values: Array) -> tuple[Array, Array]:
    """Return z (rows,) equally spaced, m, and values given on the rows of a section there, straight between them."""
    down = np.linspace(found.z[0], found.z[-1], ROWS)
    below = np.clip(np.searchsorted(found.z, down, side="right"), 1, len(found.z) - 1)
    above, width = found.z[below - 1], found.z[below] - found.z[below - 1]
    t = np.where(width > 0, (down - above) / np.where(width > 0, width, 1.0), 1.0)
    t = t.reshape(-1, *[1] * (values.ndim - 1))
    return down, np.asarray((1 - t) * values[below - 1] + t * values[below])


def frequency_of(found: Section) -> str:
    """Return the frequency in words."""
    return str(EngFormatter(unit="Hz", sep=" ")(found.frequency)) if found.frequency else "direct current"


def current_lines(found: Section, count: int, steps: int = 500) -> Array:
    """Return `count` lines of the instantaneous current, equally spaced at the counter electrode, (points, count, 2), m.

    Followed upwards by the midpoint rule in steps of a fixed length, to the WE face, where they stay.
    """
    across = found.x
    down, flow = instant(found)
    largest = float(np.abs(flow).max())

    def upwards(at: Array) -> Array:
        place = [(points - along[0]) / (along[1] - along[0]) for points, along in ((at[:, 1], down), (at[:, 0], across))]
        j = np.stack([map_coordinates(flow[..., c], place, order=1, mode="nearest") for c in (0, 1)], 1)
        size = np.linalg.norm(j, axis=1, keepdims=True)
        return np.asarray(-j / np.maximum(size, 1e-9 * largest))  # where none flows, nothing moves

    ends = across[0] + np.ptp(across) * (np.arange(count) + 0.5) / count
    points = [np.column_stack([ends, np.full(count, down[-1])])]
    step = 2 * (np.ptp(down) + np.ptp(across)) / steps
    for _ in range(steps):
        here = points[-1]
        move = step * upwards(here + step / 2 * upwards(here))
        rise = here[:, 1] - down[0]
        reach = np.where(-move[:, 1] > rise, rise / np.where(-move[:, 1] > rise, -move[:, 1], 1.0), 1.0)
        points.append(here + reach[:, None] * move)
    return np.stack(points)


def _currents(axes: Axes, found: Section, count: int) -> None:
    """Draw the lines, each with an arrow half way down."""
    middle = (found.z[0] + found.z[-1]) / 2
    for line in np.moveaxis(current_lines(found, count), 1, 0):
        x, z = MICRO * line.T
        axes.plot(x, z, color="black", lw=0.7)
        at = min(int(np.argmin(np.abs(line[:, 1] - middle))), len(line) - 2)  # of a face wider than long they stop early
        axes.annotate(
            "",
            (x[at], z[at]),
            (x[at + 1], z[at + 1]),
            arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 0.7, "mutation_scale": 7, "shrinkA": 0, "shrinkB": 0},
        )


def _part(found: Section, part: str) -> tuple[Array, str]:
    if part not in PARTS:
        raise InputError(key="part", value=part, allowed=f"one of {', '.join(PARTS)}")
    values, label = PARTS[part]
    found_values = np.asarray(values(found.potential), dtype=float)
    if part == "phase":  # an ideal counter electrode has none
        found_values[np.abs(found.potential) < 1e-9] = np.nan
    return found_values, label


def _span(values: Array) -> tuple[float, float]:
    """Lowest and highest value; where nothing varies, a little around it."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    small = 1e-9 * max(abs(low), abs(high), 1e-3)
    return (low, high) if high - low > small else (low - small, high + small)


def _colourbar(figure: Any, colours: ScalarMappable, axes: Any, label: str) -> None:
    bar = figure.colorbar(colours, ax=axes, label=label, pad=0.02, aspect=25)
    bar.outline.set_linewidth(0.5)
