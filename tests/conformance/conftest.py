"""What is collected of the suite where a built-in backend is its subject."""

from __future__ import annotations

import pytest

from validation.conformance.outcome import Check


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A backend is not compared with itself: such a test would have nothing to say, and is none."""
    left_out = [item for item in items if compares_with_itself(item)]
    items[:] = [item for item in items if not compares_with_itself(item)]
    config.hook.pytest_deselected(items=left_out)


def compares_with_itself(item: pytest.Item) -> bool:
    """Whether it is the check `agreement with NAME: CELL` of the backend of that name."""
    given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    check = given.get("check")
    return isinstance(check, Check) and check.name.startswith(f"agreement with {given.get('backend')}:")
