"""The built-in backends conform: the whole suite, collected the way anyone's own backend is."""

from __future__ import annotations

import pytest

from fem_constriction.solving.backends import Backend, backend_named
from validation.conformance import *  # noqa: F403

pytestmark = pytest.mark.long


@pytest.fixture(scope="session", params=["network", "fem"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return backend_named(request.param)
