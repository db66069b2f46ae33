"""A picture of bounds: the triangles or voxels that they come from, and half the gap between them over refinement."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Curve

from fem_constriction.cell.cell import Cell
from fem_constriction.fem import Enclosed, MixedElements, Prisms
from fem_constriction.grids.image_grid import image_grid
from fem_constriction.grids.image_labels import labels_of
from fem_constriction.pictures.printed import STYLE
from fem_constriction.problem.problem import Problem

_CONTACT = "#e69f00"

#: What the grids of bounds are made of -> what all of them together are called.
GRIDS = {"triangles": "triangulations", "voxels": "subdivisions"}

#: Order of half the gap in the step, as a line beside it: of parabolas on the face; of voxels beside grains' edges.
ORDERS = {"triangles": 4.0, "voxels": 1.5}


@mpl.rc_context(STYLE)
def bounds(cell: Cell, found: Enclosed) -> Figure:
    """Return the coarsest grid of the face, its contact shaded, and the gap of every grid tried.

    Of a stack the triangles are drawn, on the part of the face that mirror symmetry leaves; bent triangles are drawn straight,
    the outline as it is. Of an image the first layer of its voxels.
    """
    unit = next(name for name in GRIDS if name in found.table[0])
    figure = Figure(figsize=(7.4, 3.3), layout="constrained")
    mesh, gap = figure.subplots(1, 2)
    if unit == "voxels":
        _first_layer(mesh, Problem.of(cell))
    else:
        _face(mesh, MixedElements().grid(cell, 0), cell)
    number = np.array([row[unit] for row in found.table], dtype=float)
    radius = np.array([row["radius"] for row in found.table])
    gap.loglog(number, radius, "o-", color="#0072b2", label="half the gap over Z, worst s")
    dimensions = {"triangles": 2, "voxels": 3}[unit]
    reach = np.array([number[0], max(number[-1], 2.0**dimensions * number[0])])
    fall = 1.5 * radius[0] * (reach / reach[0]) ** (-ORDERS[unit] / dimensions)
    gap.loglog(reach, fall, ":", color="black", lw=0.9, label=f"order {ORDERS[unit]:g} in the step")
    gap.set(xlabel="triangles of the face" if unit == "triangles" else unit, ylabel="(upper − lower)/(2 Z)")
    gap.legend(loc="lower left")
    figure.suptitle(cell.title or "Bounds", fontsize=9)
    return figure


def _first_layer(axes: mpl.axes.Axes, problem: Problem) -> None:
    labels, _ = labels_of(problem)
    width, height, _ = (each * 1e6 for each in problem.body.lengths)
    _, number = np.unique(labels[0], return_inverse=True)
    extent = (0.0, width, 0.0, height)
    axes.imshow(number.reshape(labels[0].shape).T % 20, cmap="tab20", origin="lower", extent=extent, alpha=0.35)
    touched = image_grid(problem).contact
    axes.imshow(np.where(touched, 1.0, np.nan).T, cmap=ListedColormap([_CONTACT]), origin="lower", extent=extent, alpha=0.45)
    axes.set(xlabel="x / µm", ylabel="y / µm")
    axes.set_title("the first layer of voxels, the contact shaded")


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
