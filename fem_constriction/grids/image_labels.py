"""label(z, x, y) of a cell, read (`cell.labels`) or generated, checked against what the cell file says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fem_constriction.cell.label_array import LabelArray
from fem_constriction.cell.labels import Labels as Labels
from fem_constriction.cell.labels import read
from fem_constriction.cell.microstructure import contents_of
from fem_constriction.errors import InputError
from fem_constriction.geometry.grains import bricks, voronoi
from fem_constriction.problem.bodies import Image
from fem_constriction.problem.problem import Described, Problem

_SECTION = "electrolyte.microstructure"


def labels_of(described: Described) -> tuple[Labels, dict[str, Any]]:
    """Return the label image of a cell, (nz, nx, ny), read or generated, and where it comes from.

    Raises InputError for a file that is not there, not readable or not of the cell's shape, for labels that are not whole
    numbers, and for inclusions that the image does not hold.
    """
    body = Image.of(Problem.of(described).body)
    structure, shape = body.structure, body.shape
    made: dict[str, Any]
    if structure.generator == "voronoi":
        seed = structure.seed or 0
        labels = voronoi(shape, structure.grains or 1, seed, structure.edges)
        made = {"generator": "voronoi", "grains": structure.grains, "seed": seed}
    elif structure.generator == "cubic":
        size = structure.grain_size or max(structure.edges)
        labels = bricks(shape, tuple(max(1, round(size / h)) for h in structure.edges))
        made = {"generator": "cubic", "grain_size_m": structure.grain_size}
    else:
        if structure.crop is None and structure.shape is not None:
            along = zip(structure.shape, structure.coarsening, strict=True)
            _check_shape(body, tuple(n // step for n, step in along))
        found = contents_of(structure)
        if structure.sha256 not in (None, found.digest):
            raise found.mismatch(f"{_SECTION}.sha256", str(structure.sha256), "image")
        labels = read(structure)
        made = {"image": str(structure.image), "sha256": found.digest}
    _check_shape(body, labels.shape)
    listed = [(f"inclusions.{number}", each.label) for number, each in enumerate(structure.inclusions)]
    listed += [(f"phases.{number}", each.label) for number, each in enumerate(structure.phases)]
    for key, label in listed:
        if not np.any(labels == label):
            raise InputError(
                key=f"electrolyte.microstructure.{key}.label",
                value=label,
                why=f"no voxel of {structure.image} has it",
            )
    return labels, made


def _check_shape(body: Image, found: tuple[int, ...]) -> None:
    structure, shape = body.structure, body.shape
    if found != shape:
        raise InputError(
            key="electrolyte.microstructure.image",
            value=structure.image if isinstance(structure.image, LabelArray) else Path(str(structure.image)),
            why=f"it has {_by(found)} voxels (z, x, y), and geometry {body.lengths[2]:.6g} m thick and "
            f"{body.lengths[0]:.6g} m x {body.lengths[1]:.6g} m wide with voxel = {_edges(structure.edges)} m "
            f"makes {_by(shape)}",
        )


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _edges(edges: tuple[float, float, float]) -> str:
    return f"{edges[0]:.6g}" if len(set(edges)) == 1 else " x ".join(f"{each:.6g}" for each in edges)
