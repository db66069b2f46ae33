"""What is wrong with a description, in one sentence: key, value, what is allowed, and the key that was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import get_args

import numpy as np
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from fem_constriction.errors import InputError


class FaultError(ValueError):
    """What is wrong with keys taken together; `text` follows the key (relative to its section)."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


def show(value: object) -> str:
    """A value as an error message shows it: short, and without numpy's type names."""
    return short(repr(value.item() if isinstance(value, np.generic) else value))


def short(text: str) -> str:
    """Return a text cut to 60 characters."""
    return text if len(text) <= 60 else text[:57] + "..."


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the section a key stands for, None for a plain key."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def keys(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every dotted key of a section, sections among them, with its field."""
    for name, field in section.model_fields.items():
        yield prefix + name, field
        if inner := section_of(field):
            yield from keys(inner, f"{prefix}{name}.")


def allowed_in(field: FieldInfo) -> str:
    """Return what is allowed for a key, in words."""
    if inner := section_of(field):
        return f"a section with the keys {', '.join(inner.model_fields)}"
    for item in field.metadata:
        if hasattr(item, "allowed"):
            return str(item.allowed)
    return " or ".join(repr(value) for value in get_args(field.annotation)) or "a text"


def unknown_key(root: type[BaseModel], key: str) -> tuple[str, str]:
    """What to say of an unknown key, and the key that was probably meant, or ""."""
    known_keys = [known for known, _ in keys(root)]
    parent, dot, name = key.rpartition(".")
    beside = [known for known in known_keys if known.rpartition(".")[0] == parent]
    close = difflib.get_close_matches(name, [known.rpartition(".")[2] for known in beside], n=1)
    near = [parent + dot + each for each in close] or [known for known in known_keys if known.endswith("." + name)]
    if not near:
        near = [known for known in known_keys if difflib.get_close_matches(name, [known.rpartition(".")[2]], cutoff=0.8)]
    if near:
        return f"unknown key, perhaps {near[0]} is meant", near[0]
    there = ", ".join(beside) or ", ".join(root.model_fields)
    return f"unknown key, the keys here are {there}", ""


def sentence(root: type[BaseModel], error: ValidationError) -> str:
    """The first fault, unknown keys before all others, and how many more there are."""
    fields = dict(keys(root))
    faults = [(".".join(map(str, fault["loc"])), fault) for fault in error.errors(include_url=False)]
    # Items of a list are keys like those of any section: inclusions.0.label is inclusions.label, the first.
    fields |= {key: fields[plain] for key, _ in faults if (plain := re.sub(r"\.\d+(?=\.|$)", "", key)) in fields}
    faults.sort(key=lambda item: item[0] in fields or not item[0])
    texts, meant = [], set()
    for key, fault in faults:
        cause = fault.get("ctx", {}).get("error")
        if isinstance(cause, FaultError):
            texts.append(".".join(filter(None, (key, cause.key))) + str(cause))
        elif isinstance(cause, InputError):
            texts.append(f"{key} = {cause}")
        elif key not in fields:
            text, near = unknown_key(root, key)
            meant.add(near)
            texts.append(f"{key} = {show(fault['input'])} is not allowed: {text}")
        elif fault["type"] != "missing":
            texts.append(f"{key} = {show(fault['input'])} is not allowed: {allowed_in(fields[key])}")
        elif key not in meant:
            texts.append(f"{key} is missing: required is {allowed_in(fields[key])}")
    more = len(texts) - 1
    return texts[0] + (f" (and {more} more fault{'s' * (more > 1)})" if more else "")
