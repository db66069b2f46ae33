"""One suite for every backend: contract, laws, limits, bounds, orders, oracles, agreement. In a terminal and in pytest.

`fem-constriction conformance --backend NAME`, `conform(backend)`, or in a test module of its own, with pytest:

    from validation.conformance import BackendConformance  # or: import *

    @pytest.fixture
    def backend():
        return MyBackend()

`wrong` holds backends with one known fault each, which the suite must find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from validation.conformance.cells import CELLS, FEATURES
from validation.conformance.outcome import Check, Outcome
from validation.conformance.suite import CHECKS, ConformanceVerdict, conform, outcomes

if TYPE_CHECKING:
    from validation.conformance.collected import BackendConformance

__all__ = ["CELLS", "CHECKS", "FEATURES", "BackendConformance", "Check", "ConformanceVerdict", "Outcome", "conform", "outcomes"]


def __getattr__(name: str) -> Any:
    """Import the pytest part, and pytest with it, only where it is asked for."""
    if name == "BackendConformance":
        from validation.conformance.collected import BackendConformance

        return BackendConformance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
