"""phi and J over z, x and y of the whole cell, with units: fields as an xarray data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from fem_constriction.fields.sampled import Sampled


def labelled(fields: Sampled) -> Any:
    """Return phi and J on the lines of the grid, a boundary with two rows, one a side: see `Fields.to_xarray`."""
    import xarray as xr

    lines = [fields.whole.lines(axis) for axis in (0, 1)]
    layers = [np.asarray(each) for each in fields.grid.layers]
    if fields.torn:  # the potential jumps on every line: points are the middles of cells
        lines = [(each[1:] + each[:-1]) / 2 for each in lines]
        layers = [(each[1:] + each[:-1]) / 2 for each in layers]
    x, y = lines[0][:, None], lines[1]
    phi = [fields.potential(x, y, z[:, None, None], layer=n) for n, z in enumerate(layers)]
    j = [fields.current_density(x, y, z[:, None, None], layer=n) for n, z in enumerate(layers)]
    over = ("z", "x", "y")
    data = {
        "potential": (over, np.concatenate(phi), {"units": "V"}),
        "current_density": ((*over, "component"), np.concatenate(j), {"units": "A/m2"}),
    }
    places = {
        "z": ("z", np.concatenate(layers), {"units": "m", "long_name": "depth below the working electrode's face"}),
        "x": ("x", lines[0], {"units": "m"}),
        "y": ("y", lines[1], {"units": "m"}),
        "layer": ("z", np.repeat(np.arange(len(layers)), [each.size for each in layers])),
        "component": ["x", "y", "z"],
    }
    known = {"frequency_Hz": fields.frequency, "voltage_V": 1.0, "title": fields.cell.title}
    return xr.Dataset(data, places, known)
