"""The house: arrows point one way, and the two backends never meet."""

from __future__ import annotations

import ast
import re
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


#: Modules whose files hold code, and functions that run texts.
UNSAFE = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "jsonpickle")
RUNNING = ("eval", "exec", "compile", "read_pickle", "__import__")


def unsafe(path: Path) -> list[str]:
    """What in a module could run code that a file holds."""
    found = [name for name in imports(path) if name.split(".")[0] in UNSAFE]
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        options = {each.arg: each.value for each in node.keywords}
        allowed = options.get("allow_pickle")
        if called in RUNNING or called.split(".")[-1] == "read_pickle":
            found.append(called)
        elif called in ("np.load", "numpy.load", "np.lib.format.read_array") and not (
            isinstance(allowed, ast.Constant) and allowed.value is False
        ):
            found.append(f"{called} without allow_pickle=False")
        elif "allow_pickle" in options and not (isinstance(allowed, ast.Constant) and allowed.value is False):
            found.append(f"{called} with allow_pickle")
    return found


def test_nothing_that_could_hold_code_is_read_from_a_file() -> None:
    """`work` pickles what goes from process to process, in memory; it opens no file."""
    found = {path.name: what for name in PACKAGES for path in modules(name) if (what := unsafe(path))}
    assert found == {"work.py": ["pickle"]}
    assert not {"open", "read_bytes", "read_text"} & set(
        re.findall(r"\w+", (PACKAGES["validation"] / "study" / "work.py").read_text())
    )


def test_what_could_hold_code_is_seen(tmp_path: Path) -> None:
    stray = tmp_path / "stray.py"
    stray.write_text("import joblib\neval('1')\nnp.load(a)\nnp.load(a, allow_pickle=False)\nnp.load(a, allow_pickle=x)\n")
    assert unsafe(stray) == ["joblib", "eval", *["np.load without allow_pickle=False"] * 2]


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
    data = {"validation.references.data"}  # no modules, but setuptools takes every folder below a package for one
    assert there | data == listed


def test_the_shared_language_names_neither_network_nor_validation_but_at_the_door() -> None:
    """Nor by a text that is imported: `__main__.py` and `distribution.py` start the command."""
    found = []
    for path in modules("fem_constriction"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("import_module", "__import__")
            names = [arg.value for arg in node.args if isinstance(arg, ast.Constant)] if isinstance(node, ast.Call) else []
            if called and any(str(name).partition(".")[0] in ("network", "validation") for name in names):
                found.append(path.name)
    assert set(found) <= {"__main__.py", "distribution.py"}
