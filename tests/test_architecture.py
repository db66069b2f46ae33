"""The house: arrows point one way, and the two backends never meet."""

from __future__ import annotations

import ast
import re
import tomllib
from graphlib import CycleError, TopologicalSorter
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


#: The rooms in the order of a cell's walk: each imports from those before it alone (docs/architecture.md).
ROOMS = (
    *(
        f"fem_constriction.{name}"
        for name in ("errors", "arrays", "chatter", "files", "records", "memory", "distribution", "__main__")
    ),
    "fem_constriction.pictures",
    "fem_constriction.held",
    *(f"fem_constriction.{name}" for name in ("geometry", "space", "sources", "cell", "spectra", "processes", "problem")),
    *(f"fem_constriction.{name}" for name in ("grids", "reduction", "stack", "fitting", "solving", "budgets", "api")),
    *(f"fem_constriction.{name}" for name in ("inverse", "fem", "fields")),
    "fem_constriction",
    "network",
    *(f"validation.{name}" for name in ("oracles", "ours", "__main__", "discs", "gate", "references", "show", "conformance")),
    *(f"validation.{name}" for name in ("benchmarks", "errors_apart", "study", "convergence", "paper")),
    "validation",
    "validation.cli",
)


def room(module: str) -> str:
    """The room of a module: a folder, a module beside the folders, or a package itself; the network is one room."""
    return "network" if module.startswith("network") else ".".join(module.split(".")[:2])


def arrows() -> dict[str, set[str]]:
    """Module -> modules of ours that it imports, those for types alone included."""
    files = {name: path for package in PACKAGES for path in modules(package) if (name := dotted(package, path))}
    found = {}
    for name, path in files.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                found[name] |= {
                    full if (full := f"{node.module}.{each.name}") in files else node.module for each in node.names
                } & set(files)
    return found


def dotted(package: str, path: Path) -> str:
    parts = path.relative_to(PACKAGES[package].parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def upwards(found: dict[str, set[str]]) -> list[str]:
    """Arrows that do not lead to a room before."""
    return [
        f"{one} imports {other}"
        for one, others in found.items()
        for other in others
        if room(one) != room(other) and ROOMS.index(room(one)) < ROOMS.index(room(other))
    ]


def circle(found: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, or none."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_room_imports_those_before_it_alone() -> None:
    assert upwards(arrows()) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(arrows()) == []


def test_an_arrow_up_and_a_circle_are_seen() -> None:
    found = {"fem_constriction.cell.units": {"fem_constriction.solving.backends"}}
    assert upwards(found) == ["fem_constriction.cell.units imports fem_constriction.solving.backends"]
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}


#: Rooms behind the door: they take a `Problem`, and read no section of a cell's description.
BEHIND = (
    *(f"fem_constriction.{name}" for name in ("grids", "reduction", "stack", "fitting", "solving", "budgets", "api")),
    *("fem_constriction.fem", "fem_constriction.fields", "network", "validation.discs", "validation.gate"),
)

#: Sections by name alone, and those whose names other things have as well: read from something that is called a cell.
SECTIONS = ("electrolyte", "working_electrode", "microstructure")
OF_A_CELL = ("geometry", "mesh", "temperature", "counter_electrode")


def sections_read(path: Path) -> list[str]:
    """Where a module reads a section of a description."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Attribute):
            continue
        owner = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
        if node.attr in SECTIONS or (node.attr in OF_A_CELL and owner == "cell"):
            found.append(f"{path.name}:{node.lineno} reads {ast.unparse(node)}")
    return found


def test_nobody_behind_the_door_reads_sections_of_a_cell() -> None:
    behind = [path for package in PACKAGES for path in modules(package) if room(dotted(package, path)) in BEHIND]
    assert len(behind) > 80
    assert [line for path in behind for line in sections_read(path)] == []


def test_a_section_that_is_read_is_seen(tmp_path: Path) -> None:
    stray = tmp_path / "stray.py"
    stray.write_text("a = family.cell.mesh\nb = cell.working_electrode.pore\nc = grid.mesh\nd = problem.cell.title\n")
    assert sections_read(stray) == ["stray.py:1 reads family.cell.mesh", "stray.py:2 reads cell.working_electrode"]


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
    """setuptools finds no packages by itself in a tree with three of them: what it is told to take covers them all."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    taken = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert set(taken) == {f"{name}*" for name in PACKAGES}
    for name in PACKAGES:
        for path in modules(name):
            assert (path.parent / "__init__.py").exists(), f"{path.parent.name} has modules and is no package"


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


def test_tests_stand_in_the_room_of_what_they_test() -> None:
    """Tests of the house as a whole stand beside the rooms; `shared` is what several tests need, `data` what they read."""
    tests = Path(__file__).parent
    folders = {each.name for each in tests.iterdir() if each.is_dir() and not each.name.startswith(("_", "."))}
    rooms = {each.name for path in PACKAGES.values() for each in (path, *path.rglob("*")) if each.is_dir()}
    assert folders - {"shared", "data"} <= rooms


def test_meshio_is_called_where_mesh_files_are_read_and_written_and_nowhere_else() -> None:
    """What CONTRIBUTING.md plans for the day on which it is not there any more."""
    pattern = re.compile(r"^\s*(import|from) meshio\b", re.M)
    callers = {path.name for name in PACKAGES for path in modules(name) if pattern.search(path.read_text("utf-8"))}
    assert callers == {"meshfile.py", "meshreaders.py", "mesh.py"}
