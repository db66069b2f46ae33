"""What is not used is not imported: packages open at once, and the list of commands imports none of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from paper_cells import DATA

import fem_constriction
import network
import validation
from validation.cli.app import COMMANDS

#: Libraries that take between a tenth of a second and a second each.
HEAVY = ("scipy", "skfem", "lmfit", "pint", "pandas", "matplotlib", "plotly", "h5py", "shapely", "xarray", "meshio")


def imported(code: str) -> set[str]:
    """Names of the packages that a new interpreter has imported once it has run some code."""
    told = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{told}"], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import fem_constriction, network, validation",
        "from validation.cli.app import main; main(['--help'])",
        "from validation.cli.app import main; main(['--version'])",
        "from validation.cli.app import main; main(['nonsense'])",
    ],
)
def test_the_door_opens_without_what_only_computing_needs(code: str) -> None:
    assert not imported(code) & set(HEAVY)


def test_what_computing_needs_is_seen() -> None:
    assert {"scipy", "shapely"} <= imported("import fem_constriction; fem_constriction.Cell")


@pytest.mark.parametrize("backend", ["network", "fem"])
def test_a_spectrum_of_a_stack_is_had_without_what_it_does_not_need(backend: str, tmp_path: Path) -> None:
    """pint alone takes as long as such a spectrum, since it imports dask; meshes, images, pictures are of other cells."""
    words = ["spectrum", str(DATA / "cells" / "homogeneous-25.toml"), "--backend", backend, "--frequencies", "1e3"]
    words += ["--out", str(tmp_path / "z.csv"), "--quiet"]
    found = imported(f"from validation.cli.app import main; assert main({words!r}) == 0")
    assert not found & {"pint", "dask", "meshio", "matplotlib", "plotly", "pandas", "xarray", "lmfit", "h5py"}


@pytest.mark.parametrize("package", [fem_constriction, network, validation])
def test_every_public_name_is_there_and_nothing_else_is_shown(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert {name for name in names if getattr(package, name, None) is None} == set()
    assert set(dir(package)) <= set(names)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_first_line_of_its_help(name: str) -> None:
    command = COMMANDS[name].load(name)
    assert command.name in (name, None)
    assert (command.help or "").strip().splitlines()[0] == COMMANDS[name].line


def test_every_file_of_commands_is_listed() -> None:
    from importlib.resources import files

    there = {path.name.removesuffix(".py") for path in files("validation.cli").iterdir() if path.name.endswith(".py")}
    parts = {"__init__", "app", "options", "cell_fit", "fit_each"}  # the last two are parts of `fit`
    assert there - parts == {entry.module for entry in COMMANDS.values()}


def test_a_missing_option_points_to_the_help_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    from validation.cli.app import main

    assert main(["spectrum"]) == 2
    assert "see fem-constriction spectrum --help" in capsys.readouterr().err


def test_a_module_with_an_app_of_its_own_stays_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    import validation.cli.cells as cells
    from validation.cli.app import Entry

    several = typer.Typer()
    several.command("one")(lambda: None)
    several.command("two")(lambda: None)
    monkeypatch.setattr(cells, "several", several, raising=False)
    assert set(Entry("cells", "", "").load("several").commands) == {"one", "two"}


def test_options_stand_in_groups_and_every_name_of_a_group_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    from validation.cli.app import main
    from validation.cli.options import GROUPS

    every = [each for name in COMMANDS for each in [COMMANDS[name].load(name)]]
    every += [part for each in every for part in getattr(each, "commands", {}).values()]
    known = {parameter.name for each in every for parameter in each.params}
    assert {name for names in GROUPS.values() for name in names} <= known
    assert main(["fit", "--help"]) == 0
    said = capsys.readouterr().out
    places = [said.index(f" {group} ") for group in ("Options", "Circuit", "Cell that is fitted", "Output")]
    assert places == sorted(places)
    circuit, check = (said.index(name, places[0]) for name in ("--circuit", "--check"))  # below what the command does
    assert circuit > places[1] > check
