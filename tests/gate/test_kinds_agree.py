"""Both backends agree on a cell of every kind of interface and layer, with uncertainties below 1 %, certified by discs."""

from __future__ import annotations

import pytest
from kind_cells import CELLS, SLOW, TOLERANCE, checked, coarse


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in CELLS if name not in SLOW])
def test_both_backends_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On coarse families: u together below 1 %, limits inside discs of at most 1 %; two electrodes have no discs."""
    coarse(monkeypatch, name)
    found = checked(name)
    assert found.faults == ()
    assert found.verdict == "agree"
    assert found.difference <= found.known <= TOLERANCE
    assert (found.radius is None) == name.startswith("two electrodes")
    assert found.radius is None or found.radius < TOLERANCE
