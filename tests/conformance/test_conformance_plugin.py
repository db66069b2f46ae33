"""A third party's backends: installed from a wheel, found by name, judged by the command line and by pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fem_constriction as fc
from validation.conformance.cells import CELLS, frequencies

Run = Callable[..., tuple[int, str, str]]

PLUGIN = Path(__file__).parent / "plugin"
DOCS = Path(__file__).parents[2] / "docs" / "backends.md"
MODULES = ("plain_voxels.py", "exported_spectra.py")

#: What the plain voxels are asked here: every kind of check, on cells that its direct solver has in a second or two.
ASKED = (
    "attributes",
    "symmetric matrices",
    "plain solution",
    "films exchanged",
    "one dimension: full contact",
    "resistance falls with contact",
    "resistance: strip contact",
    "order: ideal contact",
    "bound holds: ideal contact",
    "enclosure: ideal contact",
    "agreement with fem: ideal contact",
    "oracle: ideal contact",
)

pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="docs/backends.md is not beside the tests")


def wheel(folder: Path) -> Path:
    """The plug-in as a wheel, from its pyproject.toml: what a build would make, without a network."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    name, version = project["name"].replace("-", "_"), project["version"]
    info = f"{name}-{version}.dist-info"
    points = project["entry-points"]["fem_constriction.backends"]
    files = {module: (PLUGIN / module).read_text() for module in MODULES}
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    lines = [f"{key} = {value}" for key, value in points.items()]
    files[f"{info}/entry_points.txt"] = "\n".join(["[fem_constriction.backends]", *lines, ""])
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugin")
    target = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile", "--target", target]
    subprocess.run([*map(str, pip), str(wheel(folder))], check=True, timeout=120)
    return target


@pytest.fixture
def found(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plug-in is where python looks for packages."""
    monkeypatch.syspath_prepend(str(installed))
    return installed


@pytest.mark.parametrize("module", MODULES)
def test_the_code_in_the_documentation_is_the_code_of_the_plugin(module: str) -> None:
    assert f"```python\n{(PLUGIN / module).read_text()}```\n" in DOCS.read_text()


@pytest.mark.parametrize("module", MODULES)
def test_the_plugin_imports_public_names_alone(module: str) -> None:
    imports = [line for line in (PLUGIN / module).read_text().splitlines() if line.startswith(("import ", "from "))]
    assert not [line for line in imports if " _" in line or "network" in line or "validation" in line]


@pytest.mark.long
def test_an_installed_backend_is_found_by_name_and_conforms(installed: Path) -> None:
    asked = [part for name in ASKED for part in ("--check", name)]
    paths = os.pathsep.join(filter(None, [str(installed), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "-m", "validation", "conformance", "--backend", "plain", "--json", *asked],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {check["name"]: check["status"] for check in found["checks"]} == dict.fromkeys(ASKED, "passed")


def test_both_kinds_of_backend_are_listed(found: Path, run: Run) -> None:
    rows = {row["name"]: row for row in json.loads(run("backends", "--json")[1])}
    assert rows["plain"]["bound"] == "upper"
    assert rows["exported"]["error"] is None
    assert rows["exported"]["order"] is None


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three cells of the suite, as another program would export them: here from the finite elements."""
    folder = tmp_path_factory.mktemp("exported")
    for name in ("full contact", "full contact, films exchanged", "ideal contact"):
        cell, stem = CELLS[name], name.replace(",", "").replace(" ", "-")
        cell.save(folder / f"{stem}.toml")
        fc.solve(cell, frequencies(name), backend="fem").save(folder / f"{stem}.csv")
        np.savetxt(folder / f"{stem}.dc", fc.resistance(cell, backend="fem", uncertainty=True))
    return folder


@pytest.fixture
def here(found: Path, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of exported spectra, where the plug-in looks for them."""
    for path in exported.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("EXPORTED_SPECTRA", str(tmp_path))
    return tmp_path


def test_exported_spectra_are_judged_and_what_was_not_exported_is_listed(here: Path, run: Run) -> None:
    passed = (
        "films exchanged",
        "one dimension: full contact",
        "oracle: ideal contact",
        "agreement with network: ideal contact",
    )
    others = ("scaling of lengths", "blocking", "symmetric matrices")
    asked = [part for name in (*passed, *others) for part in ("--check", name)]
    code, out, _ = run("conformance", "--backend", "exported", "--json", *asked)
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert code == 0
    assert [checks[name]["status"] for name in passed] == ["passed"] * len(passed)
    assert checks["symmetric matrices"]["status"] == "does not apply"
    assert checks["scaling of lengths"]["status"] == checks["blocking"]["status"] == "declared"
    assert checks["scaling of lengths"]["detail"] == "no data for the cell 'every process': it was not exported"
    assert checks["blocking"]["detail"] == "no contact: cells without direct current were not exported"


def test_a_digit_changed_in_an_exported_spectrum_is_seen(here: Path, run: Run) -> None:
    right = fc.Spectrum.load(here / "full-contact.csv")
    z = right.impedance.copy()
    z[6] *= 1 + 1e-6
    fc.Spectrum(right.frequency, z, right.uncertainty).save(here / "full-contact.csv")
    code, out, _ = run("conformance", "--backend", "exported", "--json", "--check", "one dimension: full contact")
    (check,) = json.loads(out)["checks"]
    assert code == 1
    assert check["status"] == "failed"
    assert check["detail"] == "at 1e+03 Hz"


def test_nothing_exported_conforms_to_nothing(found: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPORTED_SPECTRA", str(tmp_path))
    code, _, err = run("conformance", "--backend", "exported", "--check", "films exchanged")
    assert code == 1
    assert "does not conform (1 declared)" in err


def test_a_backend_of_spectra_alone_is_refused_where_grids_are_needed(here: Path, run: Run) -> None:
    code, _, err = run("spectrum", here / "ideal-contact.toml", "--backend", "exported", "--out", here / "z" / "z.csv")
    assert code == 2
    assert "it gives spectra, and neither grids nor matrices" in err
