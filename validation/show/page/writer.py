"""Sections -> one HTML file that needs nothing else: style, script and data are in it, and nothing is ever fetched.

The file's own content security policy forbids the browser every request and every script but the two that are named by their
digests; text is escaped wherever it comes from. The plots are plotly's (MIT), whose script, 4.8 MB, is nearly the whole file.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from fem_constriction.errors import InputError
from fem_constriction.files import write_text
from validation.show.page.sections import Folded, Heading, Plot, Section


def write_page(path: str | os.PathLike[str], title: str, sections: Sequence[Section], subtitle: str = "") -> None:
    """Write the page whole or not at all. Raises InputError where the file cannot be written."""
    write_text(path, page_text(title, sections, subtitle))


def page_text(title: str, sections: Sequence[Section], subtitle: str = "") -> str:
    """Return the page as HTML: title (any text), sections in their order, a table of contents of the headings.

    Raises InputError for two headings of one name: a link could not tell them apart.
    """
    headings = [section.text for section in sections if isinstance(section, Heading)]
    for heading in headings:
        if [slug(other) for other in headings].count(slug(heading)) > 1:
            raise InputError(f"heading '{heading}' is not allowed twice on one page")
    plots = [section for section in _every(sections) if isinstance(section, Plot)]
    own = _resource("page.js")
    scripts = [_plotly(), own] if plots else [own]
    text: str = _template().render(
        title=title,
        subtitle=subtitle,
        sections=sections,
        headings=headings,
        style=Markup(_resource("page.css")),
        scripts=[Markup(script) for script in scripts],
        policy=f"default-src 'none'; script-src {' '.join(map(_digest, scripts))}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'",
        version=version("fem-constriction"),
    )
    return text


def slug(text: str) -> str:
    """A heading as the name of its anchor: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"


def _every(sections: Sequence[Section]) -> Iterator[Section]:
    for section in sections:
        yield section
        if isinstance(section, Folded):
            yield from _every(section.sections)


@cache
def _template() -> Any:
    environment = Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["slug"] = slug
    return environment.get_template("page.html.jinja")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("\r\n", "\n")  # as HTML reads it, and the digest with it


@cache
def _resource(name: str) -> str:
    return files("validation.show.page").joinpath(name).read_text("utf-8")


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
