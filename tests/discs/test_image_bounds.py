"""Bounds and discs of label images as narrow as asked: voxels are cut until they are, and what they hold is known otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from images import BOUNDARY, image_cell

import fem_constriction as fc
from fem_constriction.errors import ComputationError, InputError
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.backends import backend_named
from fem_constriction.solving.refinement import solve_family
from validation import crosscheck, guarantee
from validation.discs.bounds import bounds_of

#: Grains under a contact on 4/9 of the face; and layers, whose R_DC is that of their circuit.
GRAINS = np.kron(np.arange(4).reshape(1, 2, 2), np.ones((3, 3, 3), dtype=int))


def polycrystal() -> fc.Cell:
    """Four columns of grains, 3 x 6 x 6 voxels of 1 um."""
    return image_cell(GRAINS.shape, 4 / 9, {"image": GRAINS, "boundary": BOUNDARY})


def layers() -> fc.Cell:
    """Two layers with a boundary between them."""
    labels = np.repeat(np.arange(2), 2)[:, None, None] + np.zeros((1, 2, 2), dtype=int)
    return image_cell(labels.shape, 1.0, {"image": labels, "boundary": BOUNDARY})


@pytest.mark.filterwarnings("ignore::fem_constriction.errors.ResolutionWarning")  # of differences of 1e-4 at 10 MHz
def test_discs_are_as_small_as_asked_and_hold_the_limit() -> None:
    cell, points = polycrystal(), np.array([1e-1, 1e4, 1e7])
    found = guarantee(cell, points, 6e-2)
    assert np.all(found.discs.radius <= 6e-2 * np.abs(found.discs.centre))
    radii = [step["radius"] for step in found.steps]
    assert len(radii) > 1
    assert all(fine < 0.6 * coarse for coarse, fine in pairwise(radii))  # 2^-1.5 to 2^-1
    limit = fc.solve(cell, points, backend="network", accuracy=5e-2)
    assert np.all(found.discs.holds(limit.impedance, limit.uncertainty))
    assert found.spectrum().provenance["guaranteed"]


def test_a_cross_check_takes_discs_as_small_as_asked() -> None:
    """Layers have discs of no size, so that the first grid will do."""
    result = crosscheck(layers(), [1e-1, 1e4, 1e7], accuracy=1e-4)
    discs = result.agreement.discs
    assert discs is not None
    assert np.all(discs.radius <= 1e-4 * np.abs(discs.centre))
    assert result.agreement.verdict == "agree"


def test_bounds_hold_the_limits_of_both_backends() -> None:
    cell = polycrystal()
    found = bounds_of(cell, 3e-2, np.array([0.0, 1e3, 1e6]))
    enclosed = found.enclosed
    assert np.all(enclosed.radius <= 3e-2 * enclosed.middle)
    assert np.all(enclosed.lower > 0)
    for name in ("network", "fem"):
        value, u = solve_family(Problem.of(cell).within(None), backend_named(name), None).resistance()
        assert enclosed.lower[0] - u <= value <= enclosed.upper[0] + u
    # That of the same body under full contact is the columns' alone: uniform, no current crosses their boundaries.
    low, high = found.constriction
    full = 3e-6 / (0.046 * cell.area) + 1e-4 / (4 / 9) / cell.area  # 1 ohm cm2 over the contact, spread over the face
    assert enclosed.lower[0] - full <= high
    assert low == pytest.approx(enclosed.lower[0] - full, rel=1e-4)
    assert high == pytest.approx(enclosed.upper[0] - full, rel=1e-4)


def test_layers_of_an_image_are_enclosed_by_their_circuit() -> None:
    cell = layers()
    exact = 4e-6 / (0.046 * cell.area) + 10e-9 / (5.97e-4 * cell.area) + 1e-4 / cell.area
    found = bounds_of(cell, 1e-5, np.zeros(1))
    assert found.enclosed.lower[0] <= exact <= found.enclosed.upper[0]
    assert found.enclosed.radius[0] < 1e-5 * exact
    low, high = found.constriction
    assert low <= 0 <= high


def test_what_is_out_of_reach_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validation.discs.bounds.FINEST", 0)
    with pytest.raises(ComputationError, match=r"half the gap is .* of Z, asked 1e-06; level 0 is the finest"):
        bounds_of(polycrystal(), 1e-6, np.zeros(1))
    with pytest.raises(InputError, match="accuracy = 0"):
        bounds_of(polycrystal(), 0, np.zeros(1))


def test_the_command_draws_them(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    polycrystal().save(tmp_path / "cell.toml")
    status, out, err = run("bounds", tmp_path / "cell.toml", "--accuracy", "0.1", "--out", tmp_path / "b", "--json")
    assert status == 0, err
    record = json.loads(out)
    low, high = record["constriction_ohm"]
    assert 0 < low < high
    assert [row["voxels"] for row in record["subdivisions"]][:1] == [108]
    assert (tmp_path / "b" / "bounds.png").stat().st_size > 10_000
