"""The house: arrows point one way, and the two backends never meet."""

from __future__ import annotations

import ast
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGES = {name: Path(find_spec(name).submodule_search_locations[0]) for name in ("fem_constriction", "network", "validation")}


def modules(package: str) -> list[Path]:
    return sorted(PACKAGES[package].rglob("*.py"))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def offenders(package: str, forbidden: tuple[str, ...], skip: str = "") -> list[str]:
    return [
        f"{path.name} imports {name}"
        for path in modules(package)
        if not skip or skip not in path.parts
        for name in imports(path)
        if any(name == wrong or name.startswith(f"{wrong}.") for wrong in forbidden)
    ]


def test_the_shared_language_knows_neither_network_nor_validation() -> None:
    assert offenders("fem_constriction", ("network", "validation")) == []


def test_the_network_knows_neither_finite_elements_nor_validation() -> None:
    assert offenders("network", ("fem_constriction.fem", "validation", "skfem")) == []


def test_the_shared_mechanism_knows_no_backend() -> None:
    assert offenders("fem_constriction", ("fem_constriction.fem", "skfem"), skip="fem") == []


def test_the_oracles_know_nothing_of_what_they_judge() -> None:
    wrong = [name for path in modules("validation") if "oracles" in path.parts for name in imports(path)
             if name.split(".")[0] in ("fem_constriction", "network", "skfem")]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is(package: str) -> None:
    for path in modules(package):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path.name


def test_an_arrow_the_wrong_way_is_seen(tmp_path: Path) -> None:
    stray = tmp_path / "stray.py"
    stray.write_text("import network.links\nfrom validation import gate\n")
    assert imports(stray) == {"network.links", "validation"}


def test_every_package_is_installed() -> None:
    """setuptools finds no packages by itself in a tree with three of them: each is listed, or it is missing where it counts."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    listed = set(project["tool"]["setuptools"]["packages"])
    root = Path(__file__).parents[1]
    there = {".".join(path.parent.relative_to(root).parts) for name in PACKAGES for path in (root / name).rglob("__init__.py")}
    assert there == listed
