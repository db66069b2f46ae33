"""Public docstrings say what goes in and what comes out, in sections that `help()` and documentation tools can render."""

from __future__ import annotations

import importlib
import inspect
import re
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator, validate

ROOT = Path(__file__).parents[1]

#: What a library user imports: everything of these packages, and of other modules the names that docs/*.md import.
PACKAGES = ("fem_constriction", "fem_constriction.fields", "network", "validation")

#: What numpydoc finds, by its codes: unknown sections and their order, no docstring, no summary; parameters that are not
#: documented, not there, in another order or without a description; no Returns, or one without a description; no Yields.
CODES = {"GL06", "GL07", "GL08", "SS01", "PR01", "PR02", "PR03", "PR07", "PR10", "RT01", "RT03", "YD01"}


def imported() -> Iterator[tuple[str, str]]:
    """(module, name) of everything public."""
    for package in PACKAGES:
        for name in importlib.import_module(package).__all__:
            yield package, name
    for page in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]:
        for module, names in re.findall(
            r"from ((?:fem_constriction|network|validation)[\w.]*) import ([\w, ]+)", page.read_text()
        ):
            for name in names.split(","):
                yield module, name.split(" as ")[0].strip()


def public() -> list[str]:
    """Dotted names of functions and classes, and of the public members of the latter that are ours."""
    found = {}
    for module, name in imported():
        what = getattr(importlib.import_module(module), name)
        if not (inspect.isclass(what) or inspect.isfunction(what)):
            continue  # a package, or a constant
        dotted = f"{what.__module__}.{what.__qualname__}"
        found[dotted] = None
        for member, value in vars(what).items() if inspect.isclass(what) else ():
            callable_ = inspect.isfunction(value) or isinstance(value, (classmethod, staticmethod))
            if not member.startswith("_") and (callable_ or isinstance(value, (property, cached_property))):
                found[f"{dotted}.{member}"] = None
    return list(found)


def faults(dotted: str) -> list[str]:
    """What is wrong with a docstring: the checks of numpydoc that make sense for what it belongs to."""
    what: Any = Validator._load_obj(dotted)
    alone = inspect.isfunction(what) and set(inspect.signature(what).parameters) <= {"self"}
    unmade = inspect.isclass(what) and (issubclass(what, Exception) or getattr(what, "_is_protocol", False))
    left_out = set()
    if alone:
        left_out.add("RT01")  # without parameters the first line says all: Return Z as JSON can hold it
    if unmade or getattr(what, "__name__", "").startswith("test_"):
        left_out.add("PR01")  # nobody makes one with arguments of its own; pytest calls tests
    return [f"{code} {words}" for code, words in validate(dotted)["errors"] if code in CODES - left_out]


@pytest.mark.parametrize("dotted", public())
def test_a_public_docstring_has_its_sections(dotted: str) -> None:
    assert faults(dotted) == []


@pytest.mark.parametrize("dotted", public())
def test_a_public_docstring_is_read_without_a_warning(dotted: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert str(get_doc_object(Validator._load_obj(dotted)))


def test_what_most_users_import_is_among_them() -> None:
    expected = {"fem_constriction.api.solve", "fem_constriction.cell.cell.Cell.vary", "validation.gate.run.crosscheck"}
    assert expected <= set(public())
