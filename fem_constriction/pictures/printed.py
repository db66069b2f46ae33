"""Picture -> PNG and PDF, by matplotlib: `figure(picture)`, `write(picture, folder)`; and the style of everything printed."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from functools import partial, singledispatch
from pathlib import Path
from typing import IO, Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import EngFormatter, FixedFormatter, FixedLocator, FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from fem_constriction.errors import InputError, Written
from fem_constriction.pictures.picture import (
    Area,
    Axis,
    Circles,
    Mark,
    Note,
    Panel,
    Picture,
    Rule,
    Series,
    Span,
    few_ticks,
    marked,
    power_text,
    tick_text,
)

#: Of everything printed; `one_column` and `two_columns` beside it are for papers.
STYLE: Final[Any] = mpl.rc_params_from_file(Path(__file__).with_name("plain.mplstyle"), use_default_template=False)
LINES: Final[Any] = {"": "none", "solid": "-", "dash": (0, (5, 3)), "dashdot": "-.", "dot": ":"}

#: Letters of a title that stand in one line, and decades that are named on an axis, per inch.
PER_INCH, PER_PANEL = 13.0, 2.0

#: What is left free around everything printed, inches.
MARGIN: Final = 0.05


def save(draw: Callable[[], Figure], folder: Path, name: str) -> list[Path]:
    """Draw a figure and write it as name.png and name.pdf; return their paths. Raises InputError."""
    paths = [folder / f"{name}.{suffix}" for suffix in ("png", "pdf")]
    with mpl.rc_context(STYLE):  # ticks are made when they are drawn
        drawn = draw()
        box = _laid_out(drawn)
        for path in paths:
            try:
                date = {"CreationDate": None} if path.suffix == ".pdf" else None
                drawn.savefig(path, dpi=200, metadata=date, bbox_inches=box)
            except OSError as error:
                raise InputError(f"cannot be written ({error.strerror or error})", file=path) from None
    return paths


def _laid_out(drawn: Figure) -> Bbox:
    """Lay a figure out once, for every file it is written to, and return what of it is not empty, in inches.

    To lay it out is to draw it, and matplotlib would do so twice for each file.
    """
    drawn.draw_without_rendering()
    drawn.set_layout_engine("none")
    return Bbox(drawn.get_tightbbox().padded(MARGIN))


def write(picture: Picture, folder: Path, name: str = "") -> list[Path]:
    """Write a picture as PNG and PDF under its name, or another one; return the paths. Raises InputError."""
    return save(partial(figure, picture), folder, name or picture.name)


@mpl.rc_context(STYLE)
def figure(picture: Picture) -> Figure:
    """Return the picture as a figure."""
    made = Figure(figsize=picture.size, layout="constrained")
    _compose(picture, made)
    return made


def png(draw: Callable[[], Figure], file: IO[bytes], dots: int) -> None:
    """Draw a figure and write it as PNG, so many dots per inch."""
    with mpl.rc_context(STYLE):  # ticks are made when they are drawn
        drawn = draw()
        drawn.savefig(file, format="png", dpi=dots, bbox_inches=_laid_out(drawn))


def draw(picture: Picture, ax: Any = None) -> Any:
    """Draw a picture on axes, one for each of its panels, or on those of a new figure of `pyplot`; return them.

    Raises InputError for another number of axes than panels.
    """
    if ax is None:
        from matplotlib import pyplot

        with mpl.rc_context(STYLE):
            drawn = _compose(picture, pyplot.figure(figsize=picture.size, layout="constrained"))
        return drawn[0] if len(drawn) == 1 else drawn
    given = [ax] if isinstance(ax, Axes) else list(np.ravel(ax))
    if len(given) != len(picture.panels):
        allowed = f"this picture has {len(picture.panels)} panels, and takes as many axes"
        raise InputError(key="ax", value=Written(f"{len(given)} axes"), allowed=allowed)
    widths = [float(axes.get_window_extent().width) / axes.figure.dpi for axes in given]
    picture = picture if picture.fitted is None else picture.fitted(widths[0])
    for axes, panel, inches in zip(given, picture.panels, widths, strict=True):
        _fill(axes, panel, (picture.extent(panel, "x"), picture.extent(panel, "y")), inches)
        if not panel.legend and len(axes.get_legend_handles_labels()[0]) > 1:
            axes.legend()
    _keep_apart(given)
    return ax


def _compose(picture: Picture, made: Any) -> list[Axes]:
    """Draw the picture on a figure; return the axes of its panels."""
    columns = zip(*picture.rows, strict=True)
    widths = [max((panel.weight for panel in column if panel is not None), default=1.0) for column in columns]
    shared: Any = {"y": {"sharey": "row"}, "x": {"sharex": "col"}}.get(picture.together, {})
    grid = made.subplots(len(picture.rows), len(widths), squeeze=False, width_ratios=widths, **shared)
    for axes, panel in zip(grid.ravel(), (panel for row in picture.rows for panel in row), strict=True):
        if panel is None:
            axes.set_axis_off()
            continue
        extents = picture.extent(panel, "x"), picture.extent(panel, "y")
        _fill(axes, panel, extents, picture.size[0] * panel.weight / sum(widths))
    if picture.together == "x":
        for axes in grid[:-1].ravel():
            axes.set_xlabel("")
    if picture.together == "y":
        for axes in grid[:, 1:].ravel():
            axes.set_ylabel("")
    _title(made, picture, grid)
    entries: dict[str, Any] = {}
    for axes, panel in zip(grid.ravel(), (panel for row in picture.rows for panel in row), strict=True):
        if panel is not None and not panel.legend:
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                entries.setdefault(label, handle)
    if entries:
        made.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=min(picture.columns, len(entries)))
    every = (panel for row in picture.rows for panel in row)
    found = [axes for axes, panel in zip(grid.ravel(), every, strict=True) if panel is not None]
    _keep_apart(found)
    return found


def _keep_apart(every: Sequence[Axes]) -> None:
    """Take away the notes that would lie over an earlier one, or over the edge of the figure.

    How large words are is known once they are drawn, and on axes of a user's alone.
    """
    if not any(axes.texts for axes in every):
        return
    figure: Any = every[0].figure
    figure.draw_without_rendering()  # places axes, and with them what is told on them
    for axes in every:
        taken: list[Bbox] = []
        for note in list(axes.texts):
            box = Text.get_window_extent(note).expanded(1.02, 0.9)
            inside = figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
            if note.get_text() and (not inside or any(box.overlaps(other) for other in taken)):
                note.remove()
            else:
                taken.append(box)


def mathtext(text: str) -> str:
    """Return marked words in matplotlib's own notation; a dollar sign is one."""
    forms = {"": "{}", "variable": "${}$", "below": r"$_\mathrm{{{}}}$", "above": "$^{{{}}}$"}
    parts = ((kind, words if kind else words.replace("$", r"\$")) for kind, words in marked(text))
    return "".join(forms[kind].format(words) for kind, words in parts).replace("$$", "")


def _title(made: Any, picture: Picture, grid: Any) -> None:
    """A user's words: as long as they like, and a dollar sign is one."""
    if not picture.title:
        return
    text = textwrap.fill(picture.title, int(PER_INCH * picture.size[0]))
    if grid.size == 1 and not picture.panels[0].title:
        grid[0, 0].set_title(text, parse_math=False)
    else:
        made.suptitle(text, fontsize=9, parse_math=False)


def _fill(axes: Axes, panel: Panel, extents: tuple[Any, Any], inches: float) -> None:
    """Everything of one panel that is so wide."""
    axes.set(xscale=panel.x.scale, yscale=panel.y.scale, xlabel=mathtext(panel.x.label), ylabel=mathtext(panel.y.label))
    for number, mark in enumerate(panel.marks):
        _draw(mark, axes, 1 + 0.01 * number)
    axes.set(xlim=extents[0], ylim=extents[1])
    for axis, described, extent in zip((axes.xaxis, axes.yaxis), (panel.x, panel.y), extents, strict=True):
        _ticks(axis, described, extent, inches)
    if panel.equal:
        axes.set_aspect("equal", adjustable="box")
    if panel.title:
        axes.set_title(mathtext(panel.title))
    if panel.legend == "below":
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16))
    elif panel.legend:
        place: Any = panel.legend
        axes.legend(loc=place)


def _ticks(axis: Any, described: Axis, extent: tuple[float, float], inches: float) -> None:
    if described.ticks == "few":
        ticks = few_ticks(*extent)
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter(FixedFormatter([tick_text(tick) for tick in ticks]))
    elif described.scale == "log" and axis.axis_name == "x":
        axis.set_major_locator(LogLocator(numticks=max(4, round(PER_PANEL * inches))))
    if described.scale == "log" and described.ticks == "auto" and mpl.rcParams["font.family"] == STYLE["font.family"]:
        axis.set_major_formatter(FuncFormatter(power_text))
    if described.ticks == "unit":
        axis.set_major_formatter(EngFormatter(unit=described.unit, sep=" "))
    if described.scale == "log":
        axis.set_minor_formatter(NullFormatter())


@singledispatch
def _draw(mark: Mark, axes: Axes, front: float) -> None:
    raise TypeError(f"no way to draw a {type(mark).__name__}")


@_draw.register
def _series(mark: Series, axes: Axes, front: float) -> None:
    x, y, label = np.asarray(mark.x), np.asarray(mark.y), mathtext(mark.label) or None
    face = mark.colour if mark.filled or mark.marker in "x+" else "none"
    if mark.fill:
        axes.fill_between(x, y, color=mark.colour, alpha=mark.fill, lw=0, zorder=front, label=label)
        label = None
    line: dict[str, Any] = {
        "color": mark.colour,
        "ls": LINES[mark.line],
        "lw": mark.width,
        "alpha": mark.opacity,
        "zorder": front,
    }
    marker: dict[str, Any] = {"marker": mark.marker or "None", "ms": mark.size, "mec": mark.colour, "mfc": face, "mew": 1.0}
    drawn = Line2D(x, y, label=label, drawstyle="steps-post" if mark.steps else "default", **line, **marker)
    axes.add_line(drawn)


@_draw.register
def _area(mark: Area, axes: Axes, front: float) -> None:
    label = mathtext(mark.label) or None
    low, high = np.asarray(mark.low, dtype=float), np.asarray(mark.high, dtype=float)
    axes.fill_between(
        np.asarray(mark.x), low, high, color=mark.colour, alpha=mark.opacity, lw=0, zorder=front, label=label
    )  # fmt: skip


@_draw.register
def _span(mark: Span, axes: Axes, front: float) -> None:
    span = axes.axhspan if mark.across == "y" else axes.axvspan
    span(mark.low, mark.high, color=mark.colour, alpha=mark.opacity, lw=0, zorder=front, label=mathtext(mark.label) or None)


@_draw.register
def _rule(mark: Rule, axes: Axes, front: float) -> None:
    line = axes.axhline if mark.across == "y" else axes.axvline
    line(mark.at, color=mark.colour, ls=LINES[mark.line], lw=mark.width, zorder=front, label=mathtext(mark.label) or None)


@_draw.register
def _note(mark: Note, axes: Axes, front: float) -> None:
    words, size = mathtext(mark.text), mark.size
    if mark.place is not None:
        (x, y), line = mark.place, {"arrowstyle": "-", "color": mark.colour, "lw": 0.5, "shrinkA": 0.0, "shrinkB": 1.0}
        axes.annotate(
            words, (mark.x, mark.y), (x, y), ha="center", va="center", fontsize=size, color=mark.colour, zorder=3 + front,
            arrowprops={**line, "relpos": (0.5, 0.5)}, bbox={"pad": 0.5, "lw": 0, "fc": "none"},
        )  # fmt: skip
        return
    if mark.side == "inside":
        axes.annotate(words, (mark.x, mark.y), xycoords="axes fraction", fontsize=size, color=mark.colour)
        return
    places: Any = {
        "above": ((0, 3), "center", "bottom"),
        "left": ((-5, 0), "right", "center"),
        "right": ((5, 0), "left", "center"),
    }
    shift, across, up = places[mark.side]
    axes.annotate(
        words, (mark.x, mark.y), xytext=shift, textcoords="offset points", ha=across, va=up, fontsize=size, color=mark.colour
    )  # fmt: skip


@_draw.register
def _circles(mark: Circles, axes: Axes, front: float) -> None:
    x, y, r = (np.asarray(each, dtype=float) for each in (mark.x, mark.y, mark.radius))
    face = f"{mark.colour}33"
    axes.add_collection(
        EllipseCollection(
            2 * r, 2 * r, 0, units="xy", offsets=np.column_stack([x, y]), offset_transform=axes.transData, facecolors=face,
            edgecolors=mark.colour, linewidths=0.6, zorder=front,
        )
    )  # fmt: skip
    if mark.label:
        axes.plot([], [], ls="", marker="o", mfc=face, mec=mark.colour, label=mathtext(mark.label))
