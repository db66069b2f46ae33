"""The documentation site: `sphinx-build -W -b html docs docs/_build`, offline; what is generated is made by `site/`."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import version as _version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from site_pages import write_pages

project = "fem-constriction"
author = "the fem-constriction developers"
version = release = _version(project)
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
exclude_patterns = ["_build", "gallery/README.md"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = f"fem-constriction {release}"
html_show_sourcelink = False
html_show_copyright = False
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
numpydoc_show_class_members = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
default_role = "code"
smartquotes = False
autosummary_generate = False
write_pages(Path(__file__).parent)

#: What reStructuredText reads as markup, and docstrings of formulas mean as it stands: |Z|, *args, tau_.
_MARKUP = re.compile(r"(`+[^`]*`+)|([|*\\])|(\w)_(?=\W|$)")


def _plain(app: Any, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    def escaped(found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        return f"\\{found[2]}" if found[2] else f"{found[3]}\\_"

    lines[:] = [_MARKUP.sub(escaped, line) for line in lines]


#: Where files stand that are no pages: what `pyproject.toml` calls the repository.
_PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
_FILES = f"{_PROJECT['urls']['Repository']}/blob/main"


def _outside(app: Any, docname: str, source: list[str]) -> None:
    """Links of pages to files outside docs/ lead to the repository."""
    up = "../" * (docname.count("/") + 1)
    source[0] = source[0].replace(f"]({up}", f"]({_FILES}/")


def setup(app: Any) -> None:
    """Read docstrings as plain text with sections, before numpydoc takes them apart."""
    app.connect("source-read", _outside)
    app.connect("autodoc-process-docstring", _plain, priority=100)
