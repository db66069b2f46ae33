"""Which backend a cross-check refines where the constriction resistance is not known well enough."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from validation.gate.check import Crosscheck


def check(u: dict[str, float], seconds: dict[str, float], grids: dict[str, int]) -> Any:
    """R_Cstr of 1 ohm, each backend's uncertainty of it, what its finest grid took, and how many it has."""
    families = {
        name: SimpleNamespace(solutions=[None] * grids[name], finest=SimpleNamespace(seconds=seconds[name])) for name in u
    }
    geometric = SimpleNamespace(value=1.0, by_backend={name: (1.0, each) for name, each in u.items()})
    return SimpleNamespace(agreement=SimpleNamespace(verdict="agree"), geometric=geometric, families=families)


@pytest.mark.parametrize(
    ("u", "grids", "expected"),
    [
        ({"network": 0.09, "fem": 0.08}, {"network": 3, "fem": 3}, "network"),  # either would do: the cheaper one
        ({"network": 0.3, "fem": 0.08}, {"network": 3, "fem": 3}, "fem"),  # half of 0.3 would not do
        ({"network": 0.3, "fem": 0.2}, {"network": 3, "fem": 3}, "network"),  # neither: the one that is off by more
        ({"network": 0.09, "fem": 0.08}, {"network": 4, "fem": 3}, "fem"),  # what was refined is not taken again
    ],
)
def test_the_cheaper_backend_is_refined_where_it_would_do(u: Any, grids: Any, expected: str) -> None:
    found = check(u, {"network": 0.1, "fem": 20.0}, grids)
    widest = Crosscheck.widest.fget  # type: ignore[attr-defined]
    assert widest(found) == expected
