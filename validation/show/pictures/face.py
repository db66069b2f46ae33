"""A stack as `show` has it: its contacts from above, its layers in section, and its time constants on an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import shapely
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon, Rectangle

from fem_constriction.cell.description import Touch
from fem_constriction.cell.thickness import Thickness
from fem_constriction.pictures.colours import GREY, PROCESSES
from fem_constriction.problem.bodies import Body

MICRO: Final = 1e6
NANO: Final = 1e9

#: Deepest over shallowest pore from which on their colours are logarithmic.
WIDE: Final = 30.0
METAL, PORE, BULK, PLANE, REFERENCE = "#4d4d4d", "#f4f1e8", "#cfe3f1", "#009e73", "#d55e00"

#: The counter electrode.
COLLECTOR = "#9a9a9a"

#: Layers up to which every boundary is drawn; of more the picture would be nothing but lines.
MANY: Final = 60

#: How high the metal is drawn above the section, as a part of its depth.
HIGH: Final = 0.06


def face(
    touches: Mapping[str, Touch],
    body: Body,
    times: Mapping[str, float],
    *,
    counter: Touch,
    reference: float | None = None,
    depths: Sequence[Thickness] = (),
) -> Figure:
    """Return a figure of a stack.

    touches: what is written above each face -> where it is touched, one or both; times: process -> tau in s; counter: where the
    counter electrode touches; reference: depth of the plane of a reference electrode, m; depths: of the pores of each face.
    """
    columns = len(touches) + 1
    figure = Figure(figsize=(4.8 * columns, 5.0), layout="constrained")
    grid = figure.add_gridspec(2, columns, height_ratios=(5, 1.1))
    for column, (words, touch) in enumerate(touches.items()):
        above = figure.add_subplot(grid[0, column])
        _from_above(above, touch)
        if column < len(depths):
            _depth_map(figure, above, depths[column])
        above.set_title(words, fontsize=9)
    section, axis = figure.add_subplot(grid[0, -1]), figure.add_subplot(grid[1, :])
    _section(section, next(iter(touches.values())), counter, body)
    _times(axis, times)
    handles: list[Artist] = [
        Patch(facecolor=METAL, label="metal, in contact"),
        Patch(facecolor=PORE, edgecolor=GREY, label="pore"),
        Patch(facecolor=BULK, edgecolor=GREY, label="electrolyte"),
    ]
    if body.layers > 1:
        handles.append(Patch(facecolor=PLANE, label="grain boundary"))
    if reference is not None:
        handles.append(section.axhline(MICRO * reference, color=REFERENCE, lw=1.2, ls="--", label="reference electrode"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), fontsize=8, frameon=False)
    return figure


def _from_above(ax: Axes, touch: Touch) -> None:
    x, y = (MICRO * width for width in touch.width)
    ax.set_facecolor(PORE)
    if (pixels := touch.pixels) is not None:
        ax.imshow(
            pixels.T, extent=(0, x, 0, y), origin="lower", cmap=ListedColormap([PORE, METAL]), vmin=0, vmax=1,
            interpolation="antialiased" if pixels.size > 250_000 else "nearest",
        )  # fmt: skip
    patches = [Polygon(MICRO * np.array(outline.shape.exterior.coords)) for outline in touch.outlines]
    ax.add_collection(PatchCollection(patches, facecolor=METAL, lw=0))
    ax.set(xlim=(0, x), ylim=(0, y), aspect="equal", xlabel="x / µm", ylabel="y / µm")
    _bar(ax, x, y)


def _depth_map(figure: Figure, ax: Axes, depths: Thickness) -> None:
    """Depths of pores by colour, the metal left out, where they differ."""
    if depths.weights is None or depths.mean is None:
        return
    depth = depths.mean / np.ma.masked_equal(depths.weights.values, 0.0)
    x, y = (MICRO * lines for lines in depths.weights.lines)
    wide = depth.max() > WIDE * depth.min()
    drawn = ax.pcolormesh(x, y, NANO * depth.T, cmap="YlOrBr", norm="log" if wide else None, rasterized=True, zorder=0.5)
    figure.colorbar(drawn, ax=ax, label="depth of the pores / nm", shrink=0.8, pad=0.02)


def _bar(ax: Axes, x: float, y: float) -> None:
    """A scale bar of a round length, about a fifth of the width."""
    decade = 10.0 ** np.floor(np.log10(x / 5))
    length = decade * max(m for m in (1, 2, 5) if m * decade <= x / 5 * (1 + 1e-9))
    left, low = 0.05 * x, 0.05 * y
    corner, size = (left - 0.015 * x, low - 0.02 * y), (length + 0.03 * x, 0.1 * y)
    ax.add_patch(Rectangle(corner, *size, color="white", alpha=0.85, lw=0, zorder=3))
    ax.plot([left, left + length], [low, low], color="black", lw=2.5, solid_capstyle="butt", zorder=4)
    ax.text(left + length / 2, low + 0.012 * y, f"{length:g} µm", ha="center", va="bottom", fontsize=7, zorder=4)


def _section(ax: Axes, touch: Touch, counter: Touch, body: Body) -> None:
    """Through the middle of y: where the metals touch on that line, and the layers between."""
    x, depth = MICRO * touch.width[0], MICRO * body.lengths[2]
    high = HIGH * depth
    ax.add_patch(Rectangle((0, 0), x, depth, facecolor=BULK, lw=0))
    ends = MICRO * body.ends[1:-1]
    for at in ends if len(ends) <= MANY else ends[:: len(ends) // MANY + 1]:
        ax.axhline(at, color=PLANE, lw=0.7)
    patterned = counter.fraction < 1
    for here, top, collector in ((touch, -high, -1.8 * high), (counter, depth, depth + high * patterned)):
        if here is touch or patterned:
            ax.add_patch(Rectangle((0, top), x, high, facecolor=PORE, lw=0))
            for low, up in _touched(here):
                ax.add_patch(Rectangle((MICRO * low, top), MICRO * (up - low), high, facecolor=METAL, lw=0))
        ax.add_patch(Rectangle((0, collector), x, 0.8 * high, facecolor=METAL if here is touch else COLLECTOR, lw=0))
    ax.set(xlim=(0, x), ylim=(depth + (0.8 + patterned) * high, -1.8 * high), xlabel="x / µm", ylabel="z / µm")
    ax.set_title(f"section at y = {MICRO * touch.width[1] / 2:.4g} µm (heights of pores and metal not to scale)", fontsize=9)


def _touched(touch: Touch) -> list[tuple[float, float]]:
    """Intervals of x in which the middle line along x is metal, m."""
    width, middle = touch.width[0], touch.width[1] / 2
    if (pixels := touch.pixels) is not None:
        row = np.concatenate([[False], pixels[:, pixels.shape[1] // 2], [False]])
        at = np.flatnonzero(np.diff(row.astype(int))) * (width / pixels.shape[0])
        return list(zip(at[::2].tolist(), at[1::2].tolist(), strict=True))
    line = shapely.LineString([(0, middle), (width, middle)])
    found = [line.intersection(outline.shape) for outline in touch.outlines]
    return [(each.bounds[0], each.bounds[2]) for parts in found for each in shapely.get_parts(parts) if each.length > 0]


def _times(ax: Axes, times: Mapping[str, float]) -> None:
    """Time constants of the 1D circuit on one logarithmic axis."""
    known = {name: tau for name, tau in times.items() if 0 < tau < np.inf}
    ax.set_xscale("log")
    taus = list(known.values()) or [1e-6, 1.0]
    ax.set_xlim(min(taus) / 30, max(taus) * 30)
    for number, (name, tau) in enumerate(sorted(known.items(), key=lambda each: each[1])):
        ax.plot([tau, tau], [0, 1], color=PROCESSES.get(name, GREY), lw=2.5)
        ax.text(tau, 1.12 + 0.55 * (number % 2), name.replace("_", " "), ha="center", va="bottom", fontsize=7)
    ax.set(ylim=(0, 2.4), yticks=[], xlabel="τ of the processes in the physical circuit (1D-PM) / s")
    for side in ("top", "left", "right"):
        ax.spines[side].set_visible(False)
