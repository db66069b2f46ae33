"""What the pages say is what works: every block of code in README and docs is run, or at least read, page by page.

A block is run in the order of its page, in one folder and one interpreter for Python. A comment before it may say otherwise:

- `<!-- block: long -->`: run with the studies alone;
- `<!-- block: not run: REASON -->`: Python is compiled, TOML parsed, commands are looked up with their options;
- `<!-- file: NAME -->`: what the block holds is written to NAME, for the blocks below;
- `<!-- given: PYTHON -->`: run before the page's first block: what a reader has already.

Every folder has `CELL.toml`, `cell.toml`: a small cell.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from paper_cells import DATA

import fem_constriction as fc
from fem_constriction.errors import Absent
from validation.cli.app import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "guides").glob("*.md")])
_BLOCK = re.compile(
    r"(?:^<!-- (?P<how>block|file): (?P<what>[^\n]*?) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.S | re.M
)
_GIVEN = re.compile(r"^<!-- given: (.*?) -->$", re.S | re.M)
#: Seconds that a command may take on a busy machine.
PATIENCE = 120


@dataclass(frozen=True)
class Block:
    """A block of a page; how: "" (run), "long", "not run", "file"."""

    language: str
    code: str
    how: str
    what: str


def blocks(page: Path) -> list[Block]:
    found = []
    for each in _BLOCK.finditer(page.read_text("utf-8")):
        how, what = each["how"] or "", each["what"] or ""
        if how == "block":
            how, _, what = what.partition(": ")
        assert how in ("", "long", "not run", "file"), f"{page.name}: {how}"
        assert how != "not run" or len(what) > 5, f"{page.name}: a block that is not run says why"
        found.append(Block(each["language"], each["code"], how, what))
    return found


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    text = (DATA / "cells" / "homogeneous-25.toml").read_text()
    for name in ("CELL.toml", "cell.toml"):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


def run(page: Path, folder: Path, long: bool) -> int:
    """Run a page's blocks, the long ones only if asked; return how many were."""
    names: dict[str, Any] = {"__name__": "page"}
    done = 0
    for given in _GIVEN.findall(page.read_text("utf-8")):
        exec(compile(given, f"{page.name}: given", "exec"), names)
    for block in blocks(page):
        if block.how == "file":
            (folder / block.what).write_text(block.code)
        if block.how == "not run" or (block.how == "long" and not long) or block.language not in ("python", "bash"):
            continue
        done += 1
        if block.language == "python":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(compile(block.code, page.name, "exec"), names)
        else:
            command = ["bash", "-euo", "pipefail", "-c", block.code]
            finished = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
            assert finished.returncode == 0, f"{page.name}: {block.code}{finished.stdout[-2000:]}{finished.stderr[-2000:]}"
    return done


def has(page: Path, *how: str) -> bool:
    return any(block.how in how and block.language in ("python", "bash") for block in blocks(page))


def pages() -> list[Any]:
    """Pages of which blocks are run; those with long ones are studies, whose other blocks are not run a second time."""
    marked = {page: [pytest.mark.long] if has(page, "long") else [] for page in PAGES if page.name != "README.md"}
    return [pytest.param(page, id=named(page), marks=marks) for page, marks in marked.items() if marks or has(page, "")]


@pytest.mark.parametrize("page", pages())
def test_a_page_runs_from_its_first_block_to_its_last(page: Path, folder: Path) -> None:
    assert run(page, folder, long=True) > 0


def tables(text: str) -> Mapping[str, Any]:
    return tomllib.loads(text)


def refers(data: Any) -> bool:
    """Whether a cell leads to files of its own."""
    return isinstance(data, dict) and any(key in ("image", "file") or refers(value) for key, value in data.items())


def toml() -> list[Any]:
    return [
        pytest.param(block.code, id=f"{named(page)}-{n}")
        for page in PAGES
        for n, block in enumerate(blocks(page))
        if block.language == "toml"
    ]


@pytest.mark.parametrize("text", toml())
def test_what_is_shown_of_a_cell_file_is_taken(text: str) -> None:
    """Whole cells are loaded; a section is put into a cell instead of its own; other files are parsed."""
    data = dict(tables(text))
    if not set(data) & set(fc.Cell.model_fields) or refers(data):
        return
    if "geometry" not in data:
        base = dict(tables((DATA / "cells" / "homogeneous-25.toml").read_text()))
        for name, section in data.items():
            base[name] = {**base.get(name, {}), **section} if isinstance(section, dict) else section
        try:
            fc.Cell.of(base)
        except fc.InputError as error:
            assert error.value is Absent.MISSING  # a fragment shows some keys of a section, the others stand elsewhere
        return
    assert fc.Cell.of(data).area > 0


def commands(text: str) -> Iterator[list[str]]:
    """The words of every call of the command in a text of bash."""
    for line in text.replace("\\\n", " ").splitlines():
        if (found := re.match(r"\s*(?:[\w/.]*/)?fem-constriction (.*)", line)) is not None:
            yield shlex.split(found[1], comments=True)


def lines() -> list[Any]:
    found = {}
    for page in PAGES:
        text = page.read_text("utf-8")
        fenced = re.findall(r"^```\w*\n(.*?)^```$", text, re.S | re.M)
        for each in (*fenced, *re.findall(r"^    .*$", text, re.M)):
            for words in commands(each):
                if words and words[0].isalpha():
                    found[f"{named(page)}: {' '.join(words)}"] = words
    return [pytest.param(words, id=name) for name, words in found.items()]


@pytest.mark.parametrize("words", lines())
def test_a_command_that_is_shown_is_there_with_its_options(words: list[str]) -> None:
    name, *rest = words
    assert name in COMMANDS, name
    command = COMMANDS[name].load(name)
    every = [command, *getattr(command, "commands", {}).values()]
    known = {option for each in every for parameter in each.params for option in (*parameter.opts, *parameter.secondary_opts)}
    asked = {re.split(r"[=\]|]", word.strip("[]"))[0] for word in rest if word.strip("[").startswith("--")}
    assert asked <= known | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_python_that_is_not_run_is_python_all_the_same(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            ast.parse(block.code)


def test_a_block_that_fails_is_seen(tmp_path: Path, folder: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- given: x = 1 -->\n\n```python\nassert x == 2\n```\n")
    with pytest.raises(AssertionError):
        run(page, folder, long=False)
    page.write_text("```bash\nfem-constriction show missing.toml\n```\n")
    with pytest.raises(AssertionError, match="missing"):
        run(page, folder, long=False)
    page.write_text("<!-- block: long -->\n```python\nassert False\n```\n")
    assert run(page, folder, long=False) == 0


def test_an_option_that_is_not_there_is_seen() -> None:
    with pytest.raises(AssertionError):
        test_a_command_that_is_shown_is_there_with_its_options(["spectrum", "CELL.toml", "--nonsense", "1"])


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Offline; what it is made of is generated from the code."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-d", str(tmp_path / "d"), "-b", "html"]
    done = subprocess.run([*command, str(ROOT / "docs"), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("index", "tutorial", "generated/cell-file", "generated/commands", "generated/api"):
        assert (tmp_path / f"{name}.html").exists()
    page = (tmp_path / "generated" / "cell-file.html").read_text()
    assert "working_electrode.contact" in page
    assert "https://cdn" not in page  # nothing that needs a network
