"""Discs as small as asked, on planes that are refined until they are."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from outline_cells import cell as outlined
from paper_cells import DATA

import fem_constriction as fc
from fem_constriction.errors import ComputationError, InputError
from validation import guarantee

REFERENCES = json.loads((DATA / "references.json").read_text())["spectra"]


@pytest.mark.parametrize("accuracy", [1e-3, 1e-5])
def test_discs_are_as_small_as_asked_and_hold_the_references(accuracy: float) -> None:
    for entry in REFERENCES[:: 1 if accuracy > 1e-4 else 3]:
        cell = fc.Cell.load(DATA / entry["cell"])
        found = guarantee(cell, entry["frequency"], accuracy)
        z = np.array(entry["real"]) + 1j * np.array(entry["imag"])
        assert np.all(found.discs.radius <= accuracy * np.abs(found.discs.centre))
        assert np.all(found.discs.holds(z, 1e-5 * np.abs(z)))
        low, high = found.discs.resistance
        assert (high - low) / (high + low) <= accuracy
        radii = [step["radius"] for step in found.steps]
        assert all(fine < coarse / 8 for coarse, fine in pairwise(radii))  # theory 16
        assert found.spectrum().uncertainty == pytest.approx(found.discs.radius)


@pytest.mark.parametrize("shape", ["disc", "ellipse"])
def test_any_outline_has_them(shape: str) -> None:
    region = {"shape": shape, "centre": ["25 um", "25 um"]}
    region |= {"radius": "10 um"} if shape == "disc" else {"semi_axes": ["14 um", "7 um"], "angle": "0 deg"}
    cell = outlined({"shape": "regions", "regions": [region]}, layers=3)
    found = guarantee(cell, [1e-2, 1e3, 1e6], 1e-3)
    assert np.all(found.discs.radius <= 1e-3 * np.abs(found.discs.centre))
    limit = fc.solve(cell, found.discs.frequency, backend="fem", accuracy=1e-3)
    assert np.all(found.discs.holds(limit.impedance, limit.uncertainty))


def test_what_cannot_be_had_is_refused_with_what_was_reached(small: fc.Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"accuracy = 0 is not allowed"):
        guarantee(small, [1.0], 0)
    with pytest.raises(InputError, match="none of them offers potentials and currents of one plane"):
        guarantee(small, [1.0], 1e-3, backends=("network",))
    monkeypatch.setattr("validation.discs.guaranteed.FINEST", 1)
    with pytest.raises(ComputationError, match=r"the guaranteed radius is .* of \|Z\| at 1 Hz, asked 1e-09; level 1 is"):
        guarantee(small, [1.0], 1e-9)
