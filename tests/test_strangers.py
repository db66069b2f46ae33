"""`network` and `validation` are common words: a stranger's module of that name is named, by the library and by the command."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from fem_constriction import distribution
from fem_constriction.errors import InputError

CELL = Path(__file__).parent / "data" / "cells" / "homogeneous-25.toml"

#: What people have in files of that name.
DECOYS = ["class Net: ...\n", "raise RuntimeError('no GPU')\n", "import sys; sys.exit('usage: network FILE')\n"]


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter in a folder of the user's; -c and -m look there first."""
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("text", DECOYS)
def test_the_library_names_a_users_network(tmp_path: Path, text: str) -> None:
    (tmp_path / "network.py").write_text(text)
    found = python(tmp_path, "-c", f"import fem_constriction as fc; fc.solve({str(CELL)!r}, [1e3])")
    last = found.stderr.strip().splitlines()[-1]
    assert last.startswith("fem_constriction.errors.InputError: the package 'network'"), found.stderr
    assert str(tmp_path / "network.py") in last
    assert "rename it" in last
    assert "AttributeError" not in found.stderr


def test_importing_the_library_runs_no_module_of_such_a_name(tmp_path: Path) -> None:
    for name in ("network", "validation"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('it was run')\n")
    found = python(tmp_path, "-c", "import fem_constriction as fc, sys; print({'network', 'validation'} & {*sys.modules})")
    assert (found.returncode, found.stdout) == (0, "set()\n"), found.stderr


def test_the_elements_work_beside_a_users_network(tmp_path: Path) -> None:
    (tmp_path / "network.py").write_text(DECOYS[0])
    code = f"import fem_constriction as fc; print(fc.solve({str(CELL)!r}, [1e3], backend='fem', resolution=4).impedance.size)"
    found = python(tmp_path, "-c", code)
    assert (found.returncode, found.stdout) == (0, "1\n"), found.stderr


@pytest.mark.parametrize("name", ["network.py", "network/__init__.py"])
@pytest.mark.parametrize("module", ["validation", "fem_constriction"])
def test_the_command_names_a_users_network(tmp_path: Path, name: str, module: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(DECOYS[0])
    found = python(tmp_path, "-m", module, "backends")
    assert (found.returncode, found.stdout) == (2, ""), found.stderr
    assert found.stderr.count("\n") == 1
    assert str(path) in found.stderr


def test_the_command_names_a_users_validation(tmp_path: Path) -> None:
    (tmp_path / "validation.py").write_text("def validate(): ...\n")
    found = python(tmp_path, "-m", "fem_constriction", "backends")
    assert (found.returncode, found.stdout) == (2, ""), found.stderr
    assert str(tmp_path / "validation.py") in found.stderr


@pytest.mark.parametrize("module", ["validation", "fem_constriction"])
def test_a_folder_without_init_is_passed_over_or_named(tmp_path: Path, module: str) -> None:
    """Python passes it over for an installed package; not for one installed in place, which it looks for last."""
    for name in ("network", "validation"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data.py").write_text("x = 1\n")
    found = python(tmp_path, "-m", module, "schema", "--quiet")
    if found.returncode != 0:
        assert found.returncode == 2, found.stderr
        assert str(tmp_path / "network") in found.stderr
        assert found.stderr.count("\n") == 1


def test_what_another_distribution_put_there_is_to_be_reinstalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site folder in which `network` belongs to a distribution called netkit."""
    (tmp_path / "network").mkdir()
    (tmp_path / "network" / "__init__.py").write_text("")
    info = tmp_path / "netkit-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: netkit\nVersion: 1.0\n")
    (info / "RECORD").write_text("network/__init__.py,,\nnetkit-1.0.dist-info/METADATA,,\nnetkit-1.0.dist-info/RECORD,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "network")
    with pytest.raises(InputError, match="netkit brings it: uninstall netkit and reinstall fem-constriction"):
        distribution.check(("network",))


def test_what_lies_where_ours_was_is_to_be_reinstalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of our own distribution, overwritten by what left no record."""
    monkeypatch.setattr(distribution, "_installed", lambda name, place: name == distribution.DISTRIBUTION and bool(place))
    (tmp_path / "network.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "network")
    with pytest.raises(InputError, match="overwritten: reinstall fem-constriction"):
        distribution.check(("network",))


def test_a_backend_that_cannot_be_loaded_is_wrong_input() -> None:
    point = metadata.EntryPoint("odd", "no_such_module:Odd", "fem_constriction.solving.backends")
    with pytest.raises(InputError, match=r"backend = 'odd' is not allowed: no_such_module:Odd.*ModuleNotFoundError"):
        distribution.load(point)
