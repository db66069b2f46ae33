"""Fields of label images: currents conserved plane by plane, jumps of y_gb, and a solution that is known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import meshio
import numpy as np
import pytest
from images import BOUNDARY, ELECTRODE, image_cell

import fem_constriction as fc
from fem_constriction.fields import Fields, fields_at
from fem_constriction.geometry.grains import voronoi

BACKENDS = ["network", "fem"]
H = 1e-6


def grains() -> np.ndarray:
    """Grains, a conductor and a hole."""
    labels = voronoi((4, 6, 6), 6, seed=2) + 100
    labels[2, 2:4, 4] = 50
    labels[1, 5, 0] = 70
    return labels


@pytest.fixture(scope="module", params=BACKENDS)
def polycrystal(request: pytest.FixtureRequest) -> tuple[Fields, ...]:
    inclusions = [{"label": 50, "conductivity": "5 mS/cm"}, {"label": 70, "conductivity": 0}]
    cell = image_cell((4, 6, 6), 4 / 9, {"image": grains(), "inclusions": inclusions, "boundary": BOUNDARY})
    return fields_at(cell, [0.0, 1e5], backend=request.param)


def test_every_plane_passes_the_whole_current(polycrystal: tuple[Fields, ...]) -> None:
    for found in polycrystal:
        planes = np.linspace(0, 4e-6, 9) * (1 - 1e-12)
        assert found.through(planes) == pytest.approx(np.full(9, found.current), rel=1e-7)


def test_the_current_of_a_grid_is_that_of_its_spectrum(polycrystal: tuple[Fields, ...]) -> None:
    for found in polycrystal[1:]:
        spectrum = fc.solve(found.cell, [found.frequency], backend=found.backend)
        assert found.impedance == pytest.approx(complex(spectrum.impedance[0]), rel=2e-6)  # the model's target is 1e-6


def test_holes_have_no_potential_and_no_current(polycrystal: tuple[Fields, ...]) -> None:
    inside = 5.5 * H, 0.5 * H, 1.5 * H  # x, y, z
    for found in polycrystal:
        assert np.isnan(found.potential(*inside))
        assert np.all(found.current_density(*inside) == 0)
        assert np.isfinite(found.potential(5.5 * H, 1.5 * H, 1.5 * H))


@pytest.mark.parametrize("backend", BACKENDS)
def test_layers_have_the_straight_lines_of_their_circuit(backend: str) -> None:
    """Two grains, one above the other, under full contact: phi is a straight line in each, with the jump j/y_gb between."""
    labels = np.repeat([1, 2], 2)[:, None, None] + np.zeros((1, 2, 2), dtype=int)
    cell = image_cell(labels.shape, 1.0, {"image": labels, "boundary": BOUNDARY})
    f = 1e4
    (found,) = fields_at(cell, [f], backend=backend)
    s = 2j * np.pi * f
    kappa = 0.046 + s * 150 * 8.8541878128e-12
    gb = (5.97e-4 + s * 150 * 8.8541878128e-12) / 10e-9
    contact = 1e4 + s * 8.85
    j = 1 / (1 / contact + 4 * H / kappa + 1 / gb)
    z = np.array([0.3, 1.0, 1.9, 2.1, 3.5]) * H
    expected = 1 - j / contact - j * z / kappa - np.where(z > 2 * H, j / gb, 0)
    assert found.potential(0.7 * H, 1.2 * H, z) == pytest.approx(expected, rel=1e-8)
    density = found.current_density(0.7 * H, 1.2 * H, z)
    assert density[:, 2] == pytest.approx(np.full(5, j), rel=1e-8)
    assert np.abs(density[:, :2]).max() < 1e-8 * abs(j)


@pytest.mark.parametrize("backend", BACKENDS)
def test_metal_has_its_potential_and_planes_beside_it_the_whole_current(backend: str) -> None:
    labels = np.ones((5, 4, 4), dtype=int)
    labels[:2, 1:3, 1:3] = 9  # tied to V
    labels[3, 0, 0] = 9  # floats
    phases = [{"label": 9, "kind": "electrode", "tied_to": "working"}]
    cell = image_cell(labels.shape, 1.0, {"image": labels, "phases": phases}, electrode=ELECTRODE)
    (found,) = fields_at(cell, [1e3], backend=backend)
    assert found.potential(2 * H, 1.7 * H, [0.5 * H, 1.5 * H]) == pytest.approx(np.ones(2), abs=1e-12)
    floating = found.potential([0.2 * H, 0.8 * H], [0.4 * H, 0.5 * H], 3.5 * H)
    assert np.ptp(floating) < 1e-12
    assert 0 < floating[0].real < 1
    assert np.all(np.isnan(found.current_density(2 * H, 1.7 * H, 0.5 * H)))
    assert found.through([2.1 * H, 2.9 * H, 4.5 * H]) == pytest.approx(np.full(3, found.current), rel=1e-7)
    assert np.isnan(found.through(1.0 * H))


def test_the_command_writes_and_draws_them(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    inclusions = [{"label": 50, "conductivity": "5 mS/cm"}, {"label": 70, "conductivity": 0}]
    cell = image_cell((4, 6, 6), 4 / 9, {"image": grains(), "inclusions": inclusions, "boundary": BOUNDARY})
    cell.save(tmp_path / "cell.toml")
    status, out, err = run("fields", tmp_path / "cell.toml", "--frequency", "1e3", "--out", tmp_path / "f")
    assert status == 0, err
    assert "1000" in out
    mesh = meshio.read(tmp_path / "f" / "fields-1000Hz.vtu")
    assert mesh.cells[0].data.shape == (144, 8)  # the image's own voxels
    phi = mesh.cell_data["potential_real / V"][0]
    assert np.isnan(phi).sum() == 1  # the hole
    assert 0 < np.nanmin(phi) < np.nanmax(phi) < 1
    assert (tmp_path / "f" / "section.png").stat().st_size > 10_000
