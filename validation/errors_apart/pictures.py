"""Two pictures: the parts of the error over the voxel's size, and the staircases that they belong to."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve
from matplotlib.ticker import NullFormatter, ScalarFormatter

from fem_constriction.pictures.printed import STYLE
from fem_constriction.problem.faces import face_of
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from validation.errors_apart.images import PARTS as IMAGE_PARTS
from validation.errors_apart.images import ImageErrors
from validation.errors_apart.outcome import ErrorsApart

#: name -> colour, marker, line: parts drawn thin, sums thick.
LOOK = {
    "grid": ("#0072b2", "o", "-"),
    "interface": ("#009e73", "^", "-"),
    "staircase": ("#d55e00", "s", "-"),
    "outline": ("#cc79a7", "D", "--"),
    "total": ("#000000", "x", "--"),
}

#: Relative size below which a part is rounding, and not drawn.
VANISHED = 1e-12
NAMES = {"outline": "outline = interface + staircase"}


@mpl.rc_context(STYLE)
def image_errors(found: ImageErrors) -> Figure:
    """Return |part|/|Z| of a label image over the points, a panel for each part; filled: it raises Re Z."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    panels = figure.subplots(1, len(IMAGE_PARTS), sharey=True)
    where = np.arange(len(found.points))
    for axes, name in zip(panels, IMAGE_PARTS, strict=True):
        for number, (backend, own) in enumerate(found.parts.items()):
            if name not in own:
                axes.text(0.5, 0.5, "not known", transform=axes.transAxes, ha="center", color="#777777")
                break
            value, spread = found.relative(backend, name)
            colour, x = ("#0072b2", "#d55e00")[number % 2], where + 0.2 * (number - 0.5)
            size = np.abs(value)
            for at, high, off, up in zip(x, size, spread, value.real > 0, strict=True):
                if high > VANISHED:
                    axes.plot(at, high, "os"[number % 2], color=colour, mfc=colour if up else "white", zorder=3)
                    axes.vlines(at, max(high - off, high / 30), high + off, color=colour, lw=0.8)
            axes.plot([], [], "os"[number % 2], color=colour, label=backend)
        if not any(np.any(np.abs(own[name].value)) for own in found.parts.values() if name in own) and name in own:
            axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", color="#777777")
        axes.set(yscale="log", title=name, xlim=(-0.6, len(where) - 0.4))
        axes.set_xticks(where, found.points, rotation=30, ha="right")
    panels[0].set_ylabel("part of the error, relative to |Z|")
    panels[0].legend(loc="best")
    title = f"{found.cell.title or 'Label image'}: filled symbols raise Re Z, open ones lower it"
    figure.suptitle(title, fontsize=9, parse_math=False)
    return figure


@mpl.rc_context(STYLE)
def errors(found: ErrorsApart) -> Figure:
    """Return |part|/|Z| over the size of a voxel for each backend, the largest over the points; filled: it raises Re Z."""
    figure = Figure(figsize=(7.2, 3.9), layout="constrained")
    panels = figure.subplots(1, len(found.backends), sharey=True, squeeze=False)[0]
    sizes = np.array([np.abs(found.relative(backend, name)).max(1) for backend in found.backends for name in LOOK])
    low, high = sizes[sizes > VANISHED].min(), sizes.max()
    step = max(found.cell.geometry.lengths[:2]) / np.array(found.resolutions) * 1e6
    for axes, backend in zip(panels, found.backends, strict=True):
        for name, (colour, marker, line) in LOOK.items():
            values = found.relative(backend, name)
            worst = np.abs(values).argmax(1)[:, None]
            value = np.take_along_axis(values, worst, 1)[:, 0]
            size, spread = np.abs(value), np.take_along_axis(found.spread(backend, name), worst, 1)[:, 0]
            shown = size > VANISHED
            order = found.order(backend, name)
            label = NAMES.get(name, name) + ("" if order is None else f", order {order.text()}")
            axes.plot(step[shown], size[shown], line, color=colour, lw=1.4 if line == "--" else 1.0, zorder=2)
            axes.vlines(
                step[shown], np.maximum(size - spread, size / 30)[shown], (size + spread)[shown], color=colour, lw=0.8, zorder=1
            )
            for x, y, up in zip(step[shown], size[shown], value.real[shown] > 0, strict=True):
                axes.plot(x, y, marker, color=colour, mfc=colour if up else "white", zorder=3)
            axes.plot([], [], line, color=colour, marker=marker, label=label)
        for label, power, at in (("h", 1, 2.5 * high * (step / step[0])), ("h²", 2, 0.4 * low * (step / step[-1]) ** 2)):
            axes.plot(step, at, ":", color="#777777", lw=0.9, zorder=0)
            axes.annotate(label, (step[-power], at[-power]), (0, 3), textcoords="offset points", fontsize=8)
        axes.set(xscale="log", yscale="log", xlabel="voxel size h / µm", title=backend)
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xticks(step, [f"{each:.3g}" for each in step])
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17))
    panels[0].set_ylabel("part of the error, relative to |Z|")
    where = found.points[0] if len(found.points) == 1 else f"largest of {', '.join(found.points)}"
    title = f"{found.cell.title or 'Cell'}: {where}; filled symbols raise Re Z, open ones lower it"
    figure.suptitle(title, fontsize=9, parse_math=False)
    return figure


@mpl.rc_context(STYLE)
def outlines(found: ErrorsApart) -> Figure:
    """Return the voxelised contact of up to three resolutions: shares in grey, the sharp staircase and the true outline."""
    chosen = found.resolutions[:3]
    figure = Figure(figsize=(2.5 * len(chosen), 2.75), layout="constrained")
    panels = figure.subplots(1, len(chosen), squeeze=False)[0]
    cell, backend = found.cell, backend_named("network")
    for axes, n in zip(panels, chosen, strict=True):
        grid, face = backend.uniform(Problem.of(cell), n), face_of(cell, whole=n % 2 == 1)
        x, y = grid.x * 1e6, grid.y * 1e6
        axes.pcolormesh(x, y, grid.touched.T, cmap="Greys", vmin=0, vmax=1.6, rasterized=True)
        for axis in range(2):
            inner = np.argwhere(np.diff(grid.contact, axis=axis))
            for i, j in inner:
                ends = (x[[i + 1, i + 1]], y[[j, j + 1]]) if axis == 0 else (x[[i, i + 1]], y[[j + 1, j + 1]])
                axes.plot(*ends, color="#d55e00", lw=1.1, solid_capstyle="projecting")
        for outline in face.outlines:
            ring = np.array(outline.shape.exterior.coords) * 1e6
            axes.add_patch(PathPatch(Curve(ring), fill=False, ec="#0072b2", lw=1.1))
        area = next(split.area for split in found.splits if split.resolution == n)
        axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), aspect="equal", xlabel="x / µm")
        axes.set_title(f"N = {n}, area {100 * area + 0.0:+.2f} %".replace("-0.00", "0.00"))
    panels[0].set_ylabel("y / µm")
    return figure
