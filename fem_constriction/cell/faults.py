"""What is wrong with a description, in one sentence: key, value, what is allowed, and the key that was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from fem_constriction.errors import Absent, InputError, show

#: A key that TOML writes without quotes and a message whole.
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,60}")


#: What pydantic calls keys that a section does not have.
_UNKNOWN: Final = ("extra_forbidden", "invalid_key")

#: Unknown keys for which one is looked for that was meant: a section may have 100,000 of them.
LOOKED_AT: Final = 20

#: Keys of a section up to which each is named from the file's top on; of more the names alone fit into a sentence.
MOST_WHOLE: Final = 8


def dotted(place: tuple[int | str, ...]) -> str:
    """Where a key stands, as messages write it: parts that are no plain TOML keys in quotes, long ones cut."""
    return ".".join(part if _PLAIN.fullmatch(part) else show(part) for part in map(str, place))


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the section a key stands for, None for a plain key."""
    kinds = (field.annotation, *get_args(field.annotation))
    either = (inner for kind in kinds if hasattr(kind, "__metadata__") for inner in get_args(get_args(kind)[0]))
    return next((kind for kind in (*kinds, *either) if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def keys(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every dotted key of a section, sections among them, with its field."""
    for name, field in section.model_fields.items():
        yield prefix + name, field
        if inner := section_of(field):
            yield from keys(inner, f"{prefix}{name}.")


def is_list(field: FieldInfo) -> bool:
    """Whether a key stands for a list of sections."""
    return any(get_origin(kind) is tuple for kind in (field.annotation, *get_args(field.annotation)))


def allowed_in(field: FieldInfo, item: bool = False) -> str:
    """Return what is allowed for a key, in words; item: for one of its list."""
    if (inner := section_of(field)) and rule_of(field) is None:
        listed = "a list of sections" if is_list(field) and not item else "a section"
        return f"{listed} with the keys {', '.join(inner.model_fields)}"
    if (rule := rule_of(field)) is not None:
        several = len(_listed(field)) if rule not in field.metadata and not item else 0
        return f"a list of {several}, each {rule.allowed}" if several else str(rule.allowed)
    if str in (kinds := (field.annotation, *get_args(field.annotation))):
        pattern = next((each.pattern for each in field.metadata if getattr(each, "pattern", None)), None)
        return f"a text of the form {pattern}" if pattern else "a text"
    values = [each for kind in kinds if get_origin(kind) is Literal for each in get_args(kind)]
    return " or ".join(map(repr, values)) or "a value of another kind"


def rule_of(field: FieldInfo) -> Any:
    """Return what says which values a key takes (`units.Quantity`, `units.Number` and the like), None for others."""
    inside = (item for kind in (*get_args(field.annotation), *_listed(field)) for item in getattr(kind, "__metadata__", ()))
    return next((item for item in (*field.metadata, *inside) if hasattr(item, "allowed")), None)


def _listed(field: FieldInfo) -> tuple[Any, ...]:
    """What the items of a list of fixed length are, () for a key that is none."""
    kinds = (field.annotation, *get_args(field.annotation))
    return next((get_args(kind) for kind in kinds if get_origin(kind) is tuple), ())


def unknown_key(root: type[BaseModel], place: tuple[int | str, ...]) -> tuple[str, str]:
    """What to say of an unknown key, and the key that was probably meant, or "".

    place: the keys that lead to it; numbers are those of items in a list. The key that is meant has the numbers as well.
    """
    fields = dict(keys(root))
    *parent, name = place
    plain = ".".join(str(each) for each in parent if isinstance(each, str))
    beside = [known for known in fields if known.rpartition(".")[0] == plain] if not plain or plain in fields else []
    inside = f"{dotted(tuple(parent))}." if parent else ""
    here = [inside + known.rpartition(".")[2] for known in beside]
    wanted = str(name)[:100]
    near = [inside + each for each in difflib.get_close_matches(wanted, [known.rpartition(".")[2] for known in here], n=1)]
    near = near or [known for known in fields if known.endswith("." + wanted)]
    near = near or [k for k in fields if difflib.get_close_matches(wanted, [k.rpartition(".")[2]], cutoff=0.8)]
    if near:
        return f"unknown key, perhaps {near[0]} is meant", near[0]
    names = [known.rpartition(".")[2] for known in beside]
    there = ", ".join(here if len(here) <= MOST_WHOLE else names) or ", ".join(root.model_fields)
    return f"unknown key, the keys here are {there}", ""


def fault(root: type[BaseModel], error: ValidationError, given: Any = None) -> InputError:
    """Return the first fault, unknown keys before all others, with how many more there are.

    given: what was validated; a section that stands there alone for a list of it has no number in the key.

    A fault that a validator of ours did not word itself is worded as that of its key, with its own text: no exception of a
    library passes for an unknown key.
    """
    fields = {tuple(key.split(".")): field for key, field in keys(root)}
    first: InputError | None = None
    count, meant = 0, set()
    for each in sorted(error.errors(include_url=False), key=lambda each: each["type"] not in _UNKNOWN):
        place = _as_given(tuple(each["loc"]), given)
        if each["type"] in _UNKNOWN:
            why, near = unknown_key(root, place) if count < LOOKED_AT else ("", "")
            meant.add(near)
            first = first or InputError(key=dotted(place), value=each["input"], why=why)
        elif each["type"] == "missing" and dotted(place) in meant:
            continue
        count += 1
        first = first or _of_known_key(root, each, place, fields.get(tuple(part for part in place if isinstance(part, str))))
    assert first is not None, "a ValidationError has a fault at least"
    return first.vary(note=f"and {count - 1} more fault{'s' * (count > 2)}") if count > 1 else first


def _as_given(place: tuple[int | str, ...], given: Any) -> tuple[int | str, ...]:
    """Return a place without the numbers that lists of one section have, which was given by itself."""
    found: list[int | str] = []
    for key in place:
        if isinstance(key, int) and isinstance(given, Mapping):
            continue
        found.append(key)
        inside = given.get(key) if isinstance(given, Mapping) else given
        known = isinstance(key, int) and isinstance(inside, Sequence) and key < len(inside)
        given = inside[key] if known and isinstance(key, int) and isinstance(inside, Sequence) else inside
    return tuple(found)


def _of_known_key(root: type[BaseModel], each: Any, place: tuple[int | str, ...], field: FieldInfo | None) -> InputError:
    """Return what one fault of pydantic says of a key that there is."""
    cause = each.get("ctx", {}).get("error")
    key = dotted(place)
    if isinstance(cause, InputError):
        return cause.inside(key) if key else cause
    if each["type"] == "missing" and field is not None:
        return InputError(key=key, value=Absent.MISSING, allowed=f"required is {allowed_in(field)}")
    if cause is not None or field is None:
        why = str(cause or each["msg"])
        return InputError(key=key, value=each["input"], why=why) if key else InputError(key=root.__name__.lower(), why=why)
    return InputError(key=key, value=each["input"], allowed=allowed_in(field, item=isinstance(place[-1], int)))
