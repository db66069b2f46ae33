"""A cell at a glance: its sizes and materials in a few lines, and its working electrode's face as a picture."""

from __future__ import annotations

from typing import Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.cell.description import Description
from fem_constriction.geometry import pixels as images
from fem_constriction.pictures.picture import Axis, Mark, Panel, Picture, Series
from fem_constriction.pictures.words import amount

MICRO: Final = 1e6


def facts(cell: Description) -> list[tuple[str, str]]:
    """Return the box, the contact, and which sections the file has besides, by name."""
    x, y, z = cell.geometry.lengths
    rows = [("box", " x ".join(amount(each, "m", 1) for each in (x, y, z)))]
    contact = cell.working_electrode.contact
    rows.append(("contact", f"{contact.shape}, {100 * cell.contact_fraction:.3g} % of {amount(cell.area * 1e6, 'mm^2')}"))
    for name in ("electrolyte", "working_electrode", "counter_electrode"):
        section = getattr(cell, name)
        inner = [key for key in type(section).model_fields if key != "contact" and getattr(section, key) not in (None, (), 0.0)]
        rows.append((name.replace("_", " "), ", ".join(key.replace("_", " ") for key in inner) or "ideal"))
    rows += [(name, "given") for name in ("temperature", "mesh", "reference") if getattr(cell, name) is not None]
    return rows


def _rims(cell: Description) -> tuple[list[Array], int]:
    """The rims of the contact, (n, 2) in m each, and how many spots they are of; none of a mesh from a file."""
    if cell.mesh is not None:
        return [], 0
    touch = cell.working_touch
    if (pixels := touch.pixels) is not None:
        size = touch.width[0] / pixels.shape[0], touch.width[1] / pixels.shape[1]
        return images.rims(pixels, size), images.spots(pixels)
    return [np.array(outline.shape.exterior.coords) for outline in cell.outlines], len(cell.outlines)


def face(cell: Description) -> Picture:
    """Return the rims of the contact on the face of the working electrode, in um; of a mesh from a file the box alone."""
    x, y, _ = (MICRO * each for each in cell.geometry.lengths)
    marks: list[Mark] = [Series(x=[0, x, x, 0, 0], y=[0, 0, y, y, 0], colour="#555555", label="face")]
    rims, spots = _rims(cell)
    for number, rim in enumerate(rims):
        corners = MICRO * rim
        marks.append(Series(x=corners[:, 0], y=corners[:, 1], colour="#0072b2", width=1.8, label="" if number else "contact"))
    said = f"Face of the working electrode, {spots} spots, {100 * cell.contact_fraction:.3g} % contact."
    panel = Panel(
        marks=marks,
        x=Axis(label="*x* / \N{MICRO SIGN}m", range=(-0.04 * x, 1.04 * x)),
        y=Axis(label="*y* / \N{MICRO SIGN}m", range=(-0.04 * y, 1.04 * y)),
        equal=True,
    )
    return Picture(name="face", rows=[[panel]], title=cell.title, description=said, caption=said, size=(3.6, 3.6 * y / x + 0.7))
