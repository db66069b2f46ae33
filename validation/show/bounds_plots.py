"""A picture of bounds: the triangles that they come from, and half the gap between them over refinement."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve

from fem_constriction.cell.cell import Cell
from fem_constriction.fem import Enclosed, MixedElements, Prisms
from fem_constriction.pictures.printed import STYLE

_CONTACT = "#e69f00"


@mpl.rc_context(STYLE)
def bounds(cell: Cell, found: Enclosed) -> Figure:
    """Return the coarsest triangulation of the face, its contact shaded, and the gap of every triangulation tried.

    Drawn is the part of the face that mirror symmetry leaves; bent triangles are drawn straight, the outline as it is.
    """
    figure = Figure(figsize=(7.4, 3.3), layout="constrained")
    mesh, gap = figure.subplots(1, 2)
    _face(mesh, MixedElements().grid(cell, 0), cell)
    number = np.array([row["triangles"] for row in found.table], dtype=float)
    radius = np.array([row["radius"] for row in found.table])
    gap.loglog(number, radius, "o-", color="#0072b2", label="half the gap over Z, worst s")
    reach = np.array([number[0], max(number[-1], 4 * number[0])])
    gap.loglog(reach, 1.5 * radius[0] * (reach / reach[0]) ** -2.0, ":", color="black", lw=0.9, label="order 4 in the step")
    gap.set(xlabel="triangles of the face", ylabel="(upper − lower)/(2 Z)")
    gap.legend(loc="lower left")
    figure.suptitle(cell.title or "Bounds", fontsize=9)
    return figure


def _face(axes: mpl.axes.Axes, grid: Prisms, cell: Cell) -> None:
    plane = grid.plane
    x, y = plane.p * 1e6
    axes.tripcolor(
        x, y, plane.t.T, facecolors=plane.contact.astype(float), cmap=ListedColormap(["white", _CONTACT]), alpha=0.35, lw=0
    )
    axes.triplot(x, y, plane.t.T, color="black", lw=0.35)
    for outline in plane.face.outlines:
        ring = np.array(outline.shape.exterior.coords) * 1e6
        axes.add_patch(PathPatch(Curve(ring), fill=False, ec=_CONTACT, lw=1.2))
    width, height = (each * 1e6 for each in plane.face.width)
    part = {1: "the face", 2: "half of the face", 4: "a quarter of the face"}[plane.copies]
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal", xlabel="x / µm", ylabel="y / µm")
    axes.set_title(f"{part}: {plane.t.shape[1]} triangles at level 0")
