"""The three middle sections of a label image, grains in shades and other phases in colours, with the contact above."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from fem_constriction.arrays import Array
from fem_constriction.grids.image_facts import phases_of
from fem_constriction.problem.bodies import Image
from fem_constriction.processes.names import BULK

MICRO: Final = 1e6

#: Inclusions, and voids and metal apart; one after the other.
COLOURS: Final = ("#d55e00", "#009e73", "#cc79a7", "#f0e442", "#56b4e9")
METAL: Final = ("#4d4d4d", "#7a7a7a", "#9a9a9a")
VOID: Final = ("#ffffff", "#eeeeee")

#: How deep the metal of an electrode is drawn, as a part of the section's depth.
DEEP: Final = 0.05


def sections(body: Image, labels: NDArray[Any]) -> Figure:
    """Return a figure of the sections through the middle of x, of y and of z; lengths in um, z downwards from the WE."""
    names, phase = phases_of(body, labels)
    colours = _colours(body, names)
    nz, nx, ny = labels.shape
    x, y, z = (MICRO * length for length in body.lengths)
    figure = Figure(figsize=(10.0, 3.9), layout="constrained")
    axes = figure.subplots(1, 3)
    middle = {
        "x": (np.s_[:, nx // 2, :], (y, z), "y"),
        "y": (np.s_[:, :, ny // 2], (x, z), "x"),
        "z": (np.s_[nz // 2], (y, x), "y"),
    }
    contact = {"x": body.contact[nx // 2], "y": body.contact[:, ny // 2]}
    for ax, (across, (part, (width, depth), along)) in zip(axes, middle.items(), strict=True):
        image = _painted(labels[part], phase[part], colours)
        ax.imshow(image, extent=(0, width, depth, 0), interpolation="nearest")
        ax.set_xlabel(f"{along} / µm")
        ax.set_ylabel("x / µm" if across == "z" else "z / µm")
        half = {"x": x, "y": y, "z": z}[across] / 2
        ax.set_title(f"{across} = {half:.4g} µm", fontsize=9)
        if across == "z":
            _outline(ax, body, x, y)
        else:
            _electrodes(ax, contact[across], width, depth)
    handles: list[Any] = [Patch(facecolor=colours[k], edgecolor="#555555", label=_word(n)) for k, n in enumerate(names)]
    handles.append(Patch(facecolor="#808080", label="collectors"))
    handles.append(Line2D([], [], color="#c00000", ls="--", label="contact, seen along z"))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(6, len(handles)), fontsize=8)
    return figure


def _word(name: str) -> str:
    return "grains" if name == BULK else name


def _electrodes(ax: Axes, contact: NDArray[np.bool_], width: float, depth: float) -> None:
    """The collectors' metal: above where it touches along the middle line, below everywhere."""
    deep = DEEP * depth
    ends = np.flatnonzero(np.diff(np.concatenate([[False], contact, [False]]).astype(np.int8)))
    for begin, end in ends.reshape(-1, 2) * width / len(contact):
        ax.add_patch(Rectangle((begin, -deep), end - begin, deep, color="#808080", lw=0))
    ax.add_patch(Rectangle((0, depth), width, deep, color="#808080", lw=0))
    ax.set_ylim(depth + deep, -deep)


def _outline(ax: Axes, body: Image, x: float, y: float) -> None:
    """The edges of the contact, wherever voxels that it covers lie beside others or a wall."""
    covered = np.pad(body.contact, 1)
    (_, nx, ny), segments = body.shape, []
    for i, j in zip(*np.nonzero(np.diff(covered, axis=0)[:, 1:-1]), strict=True):
        segments.append([(y * j / ny, x * i / nx), (y * (j + 1) / ny, x * i / nx)])
    for i, j in zip(*np.nonzero(np.diff(covered, axis=1)[1:-1]), strict=True):
        segments.append([(y * j / ny, x * i / nx), (y * j / ny, x * (i + 1) / nx)])
    ax.add_collection(LineCollection(segments, colors="#c00000", linewidths=1.2, linestyles="dashed"))


def _colours(body: Image, names: list[str]) -> list[str]:
    found, inclusions, metals, voids = ["#9ecae1"], 0, 0, 0
    for name in names[1:]:
        if name.startswith("electrode"):
            found.append(METAL[metals % len(METAL)])
            metals += 1
        elif name in body.voids:
            found.append(VOID[voids % len(VOID)])
            voids += 1
        else:
            found.append(COLOURS[inclusions % len(COLOURS)])
            inclusions += 1
    return found


def _painted(labels: NDArray[Any], phase: NDArray[np.uint8], colours: list[str]) -> Array:
    """Colours of pixels, (rows, columns, 3): grains of neighbouring labels in shades that are far from each other."""
    table = np.array([to_rgb(colour) for colour in colours])
    image = table[phase]
    grain = phase == 0
    shade = (labels[grain].astype(np.int64) * 0.6180339887) % 1.0
    image[grain] = np.clip(image[grain] * (0.62 + 0.55 * shade)[:, None], 0, 1)
    return np.asarray(image)
