"""x_i = a -+ l r^k about every contact edge a, and z alike in the first layer: hexahedra of the quarter cell, for NGSolve."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import numpy as np

from fem_constriction.arrays import Array
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE, GRAIN_BOUNDARY, PORE

#: What the faces of the mesh are called, by process, and its layers in turn.
REGIONS: Final = {CHARGE_TRANSFER: "contact", PORE: "pore", COUNTER_ELECTRODE: "counter", GRAIN_BOUNDARY: "boundary"}
COLOURS: Final = ("odd", "even")


def geometric(length: float, layers: int, ratio: float) -> Array:
    """Return distances from an edge: 0, length ratio^layers, ..., length."""
    return np.concatenate([[0.0], length * ratio ** np.arange(layers, -1, -1.0)])


def mesh_of(ng: Any, x: Array, y: Array, layers: list[Array], ends: Array) -> Any:
    """Hexahedra between the lines, layers coloured in turn, with the regions of the faces."""
    netgen = import_module("netgen.meshing")
    mesh = netgen.Mesh()
    mesh.dim = 3
    z = np.concatenate([layers[0], *(lines[1:] for lines in layers[1:])])
    layer = np.repeat(np.arange(len(layers)), [len(lines) - 1 for lines in layers])
    points = [[[mesh.Add(netgen.MeshPoint(netgen.Pnt(a, b, c))) for c in z] for b in y] for a in x]
    regions = list(REGIONS.values())
    for number in range(1, len(regions) + 1):
        mesh.Add(netgen.FaceDescriptor(surfnr=number, domin=1, domout=0, bc=number))
    for i in range(len(x) - 1):
        for j in range(len(y) - 1):
            around = [points[i][j], points[i + 1][j], points[i + 1][j + 1], points[i][j + 1]]
            for k in range(len(z) - 1):
                corners = [column[k] for column in around] + [column[k + 1] for column in around]
                mesh.Add(netgen.Element3D(1 + int(layer[k] % 2), corners))
                if k and layer[k] != layer[k - 1]:
                    mesh.Add(netgen.Element2D(1 + regions.index("boundary"), [column[k] for column in around]))
            touches = (x[i] + x[i + 1]) / 2 < ends[0] and (y[j] + y[j + 1]) / 2 < ends[1]
            top = "contact" if touches else "pore"
            mesh.Add(netgen.Element2D(1 + regions.index(top), [column[0] for column in around]))
            mesh.Add(netgen.Element2D(1 + regions.index("counter"), [column[-1] for column in around]))
    for number, name in enumerate(regions):
        mesh.SetBCName(number, name)
    for number, name in enumerate(COLOURS[: min(len(layers), 2)], 1):
        mesh.SetMaterial(number, name)
    return ng.Mesh(mesh)
