"""Every script of the gallery runs and ends in a picture, and is a notebook as well."""

from __future__ import annotations

import ast
import importlib.util
import json
import runpy
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import matplotlib as mpl
import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "gallery"
SCRIPTS = sorted(FOLDER.glob("[0-9]*.py"))


@pytest.fixture
def pyplot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    mpl.use("agg")
    from matplotlib import pyplot

    monkeypatch.chdir(tmp_path)
    pyplot.close("all")
    yield pyplot
    pyplot.close("all")


@pytest.mark.long
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_ends_in_a_picture(script: Path, pyplot: ModuleType) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of coarse grids, and of show() where nobody looks
        runpy.run_path(str(script))
    (number,) = pyplot.get_fignums()
    axes = pyplot.figure(number).axes
    assert axes
    assert any(each.has_data() for each in axes)
    assert all(each.get_xlabel() or each.get_ylabel() for each in axes)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_says_what_it_shows_and_has_a_picture(script: Path) -> None:
    text = script.read_text("utf-8")
    said = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")
    assert len(said) == 2
    assert text.count("# %%") >= 2
    assert len(text.splitlines()) < 70
    picture = FOLDER / "pictures" / f"{script.stem}.png"
    assert picture.exists()
    assert picture.stat().st_size < 200_000


def test_there_are_twenty_and_each_picture_is_of_one() -> None:
    assert len(SCRIPTS) >= 20
    assert {path.stem for path in (FOLDER / "pictures").glob("*.png")} == {path.stem for path in SCRIPTS}


def test_a_script_is_a_notebook_of_the_same_code() -> None:
    spec = importlib.util.spec_from_file_location("site_pages", FOLDER.parent / "site_pages.py")
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    text = SCRIPTS[0].read_text("utf-8")
    made = json.loads(json.dumps(pages.notebook(text)))
    assert (made["nbformat"], made["cells"][0]["cell_type"]) == (4, "markdown")
    code = "\n".join(cell["source"] for cell in made["cells"] if cell["cell_type"] == "code")
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(text.split('"""', 2)[2]))
    assert len({cell["id"] for cell in made["cells"]}) == len(made["cells"])
