"""Errors of label images told apart: grid, area of boundaries, outline."""

from __future__ import annotations

import numpy as np
import pytest
from images import BOUNDARY, image_cell
from rich.console import Console

import fem_constriction as fc
from fem_constriction.errors import InputError
from validation.errors_apart import pictures, tables
from validation.errors_apart.images import tell_image_apart

STACK = """
geometry = { width = "50 um", thickness = "50 um" }
electrolyte = { conductivity = "1 mS/cm" }
working_electrode = { contact = { shape = "square", fraction = 0.25 } }
"""
VORONOI = {"generator": "voronoi", "grains": 5, "boundary": BOUNDARY}


def test_bricks_are_what_they_picture() -> None:
    bricks = {"generator": "cubic", "grain_size": "2 um", "boundary": BOUNDARY}
    found = tell_image_apart(image_cell((4, 4, 4), 0.25, bricks))
    for backend, sign in (("network", 1), ("fem", -1)):
        grid, spread = found.relative(backend, "grid")
        assert sign * grid[0].real > spread[0]  # from above and from below
        for name in ("area", "outline"):  # planes along the axes, drawn alike at every size: solvers leave 1e-6
            assert abs(found.relative(backend, name)[0][0]) < 1e-5
    assert not found.disagreements
    assert "cut finer" in found.verdict()[0]


def test_parts_of_a_polycrystal_add_up_to_smooth_boundaries_at_their_limit() -> None:
    cell = image_cell((4, 4, 4), 0.25, VORONOI)
    found = tell_image_apart(cell, [1e4])
    smooth = cell.vary({"electrolyte.microstructure.boundary.area": "smooth"})
    for name in ("network", "fem"):
        with pytest.warns(UserWarning, match="h y_gb/kappa"):
            limit = fc.solve(smooth, [1e4], backend=name, accuracy=0.5)
        parts = found.parts[name]
        right = found.impedance[name][1] - parts["grid"].value[1] - parts["area"].value[1]
        allowed = parts["grid"].uncertainty[1] + parts["area"].uncertainty[1] + limit.uncertainty[0]
        assert abs(right - limit.impedance[0]) < allowed
        # Voxels overcount boundaries by about 3/2, so Z with their area right is larger.
        assert found.relative(name, "area")[0][0].real < -0.005


def test_with_smooth_boundaries_there_is_no_error_of_their_area() -> None:
    smooth = {**VORONOI, "boundary": {**BOUNDARY, "area": "smooth"}}
    found = tell_image_apart(image_cell((4, 4, 4), 1.0, smooth))
    assert all(np.all(each["area"].value == 0) for each in found.parts.values())


@pytest.mark.parametrize(("size", "known"), [(4, True), (5, False)])
def test_voxels_of_a_file_are_taken_together_in_pairs(size: int, known: bool) -> None:
    labels = np.zeros((size, size, size), dtype=int)
    labels[size // 2 :] = 1  # a plane between voxels; of pairs as well if there are four
    found = tell_image_apart(image_cell(labels.shape, 1.0, {"image": labels, "boundary": BOUNDARY}))
    assert ("outline" in found.parts["fem"]) == known
    assert found.outline.startswith("voxels taken together" if known else "not known")
    assert "not known" not in "".join(each.text for each in Console(width=200).render(tables.of_image(found))) or not known
    if known:
        assert abs(found.relative("fem", "outline")[0][0]) < 1e-5  # a plane stays a plane
    pictures.image_errors(found)


def test_a_wrong_backend_is_named() -> None:
    labels = np.zeros((4, 4, 4), dtype=int)
    found = tell_image_apart(image_cell(labels.shape, 1.0, {"image": labels}))
    assert not found.disagreements
    z = {**found.limits}
    z["fem"] = type(z["fem"])(1.1 * z["fem"].z, z["fem"].u)
    wrong = type(found)(found.cell, found.frequency, found.impedance, z, found.parts, found.outline)
    assert "the limits of network and fem differ" in wrong.disagreements[0]


def test_a_stack_is_no_image() -> None:
    with pytest.raises(InputError, match="only a label image"):
        tell_image_apart(fc.Cell.loads(STACK))
