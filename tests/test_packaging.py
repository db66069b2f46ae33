"""What is built holds what it should and nothing else; the lowest versions that are allowed are those that are tested."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_requirement_has_a_lower_bound_and_it_is_the_one_that_is_tested() -> None:
    pinned = list(script("lowest").lowest(PROJECT["dependencies"]))
    assert [each.replace("==", ">=") for each in pinned] == PROJECT["dependencies"]
    extras = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
    assert [each for each in extras if ">=" not in each and not each.startswith("fem-constriction[")] == []


@pytest.mark.parametrize(
    ("tracked", "source", "wheel", "said"),
    [
        (
            ["network/a.py", "tests/t.py"],
            ["network/a.py", "tests/t.py", "PKG-INFO"],
            ["network/a.py", "x.dist-info/METADATA"],
            [],
        ),
        (["tests/data/d.msh"], [], [], ["missing in the source distribution: tests/data/d.msh"]),
        ([], ["tests/a.npy"], [], ["too much in the source distribution: tests/a.npy"]),
        (["validation/page/p.css"], ["validation/page/p.css"], [], ["missing in the wheel: validation/page/p.css"]),
        (["tests/t.py"], ["tests/t.py"], ["tests/t.py"], ["too much in the wheel: tests/t.py"]),
    ],
)
def test_a_file_that_is_missing_or_too_much_is_seen(
    tracked: list[str], source: list[str], wheel: list[str], said: list[str]
) -> None:
    assert script("package").faults(tracked, source, wheel) == said


def test_a_warning_of_a_build_tool_is_seen() -> None:
    warnings = script("package").warnings
    assert warnings("copying a\nSetuptoolsDeprecationWarning: License classifiers are deprecated\n")
    assert warnings("        # Package would be ignored #\n")
    assert not warnings("copying a\nwarning: build_py: byte-compiling is disabled, skipping.\n")
