"""Pages that are made of the code: the cell file's keys, the commands, the public names, and the gallery."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fem_constriction.cell.cell import Cell
from validation.cli.app import COMMANDS

#: Public packages, in the order in which they are met, and further modules that pages import from.
PACKAGES = ("fem_constriction", "fem_constriction.fields", "network", "validation")


def write_pages(docs: Path) -> None:
    """Write docs/generated/*.md; those that have not changed are left as they are."""
    out = docs / "generated"
    out.mkdir(exist_ok=True)
    pages = {"cell-file.md": cell_file(), "commands.md": commands(), "api.md": api(), "gallery.md": gallery(docs / "gallery")}
    for name, text in pages.items():
        path = out / name
        _write(path, text)
    (out / "notebooks").mkdir(exist_ok=True)
    for script in sorted((docs / "gallery").glob("[0-9]*.py")):
        _write(out / "notebooks" / f"{script.stem}.ipynb", json.dumps(notebook(script.read_text("utf-8")), indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def notebook(script: str) -> dict[str, Any]:
    """A script with cells that `# %%` begins as a notebook of Jupyter; its docstring is the first cell."""
    said = ast.get_docstring(ast.parse(script)) or ""
    title, _, rest = said.partition("\n")
    code = script.split('"""', 2)[2]
    cells = [{"cell_type": "markdown", "id": "said", "metadata": {}, "source": f"# {title}\n{rest}"}]
    for number, text in enumerate(part.strip() for part in code.split("# %%")):
        if text:
            made = {"cell_type": "code", "id": f"cell-{number}", "metadata": {}, "execution_count": None, "outputs": []}
            cells.append({**made, "source": text})
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}


def cell_file() -> str:
    """Every key of the cell file by section: unit, default, what it is, an example."""
    parts = [
        "# The cell file, key by key",
        "",
        "A TOML file; quantities are texts with a unit, or numbers in the SI unit of the table. Left out is ideal, or 0.",
        "`fem-constriction schema` prints the same as a JSON schema for editors; [units](../units.md) says how texts are read.",
        "This page is made of the code, so it has every key that this version takes.",
    ]
    for name, section, listed in sections(Cell, ""):
        title = f"[[{name}]]" if listed else f"[{name}]" if name else "At the top of the file"
        heading = f"`{title}`" if name else title
        parts += ["", f"## {heading}", "", *_paragraph(section), ""]
        rows = [_row(key, field) for key, field in section.model_fields.items() if not _inner(field)]
        if rows:
            parts += ["| key | SI unit | left out | what it is | example |", "| --- | --- | --- | --- | --- |", *rows]
        inner = [f"`{key}`" for key, field in section.model_fields.items() if _inner(field)]
        if inner:
            parts += ["", f"Sections in it: {', '.join(inner)}."]
    return "\n".join(parts) + "\n"


def sections(section: type[BaseModel], prefix: str, listed: bool = False) -> Iterator[tuple[str, type[BaseModel], bool]]:
    """(dotted name, section, whether it is one of a list) of a section and all in it."""
    yield prefix, section, listed
    for key, field in section.model_fields.items():
        for inner, several in _inner(field):
            yield from sections(inner, f"{prefix}.{key}".lstrip("."), several)


def _inner(field: FieldInfo) -> list[tuple[type[BaseModel], bool]]:
    """The sections that a key stands for, and whether it is a list of them."""
    found: dict[type[BaseModel], bool] = {}

    def look(kind: Any, several: bool) -> None:
        if inspect.isclass(kind) and issubclass(kind, BaseModel):
            found.setdefault(kind, several)
            return
        origin = get_origin(kind)
        for each in get_args(kind) if origin in (Union, types.UnionType, tuple, list) or origin is not None else ():
            look(each, several or origin in (tuple, list))

    look(field.annotation, False)
    return list(found.items())


def _paragraph(section: type[BaseModel]) -> list[str]:
    text = inspect.getdoc(section) or ""
    return [_cell(text.split("\n\n")[0])]


def _row(key: str, field: FieldInfo) -> str:
    rules = [each for each in _metadata(field) if hasattr(each, "example") or hasattr(each, "unit")]
    unit = next((str(each.unit) for each in rules if getattr(each, "unit", "")), "")
    example = next((each.example for each in rules if getattr(each, "example", None) is not None), None)
    shown = "" if example is None else f'`{key} = "{example}"`' if isinstance(example, str) else f"`{key} = {example}`"
    default = "required" if field.is_required() else _default(field.default)
    return f"| `{key}` | {unit} | {default} | {_cell(field.description or '')} | {shown} |"


def _metadata(field: FieldInfo) -> Iterator[Any]:
    """What annotates a key, and what annotates the parts of its type."""
    yield from field.metadata

    def look(kind: Any) -> Iterator[Any]:
        yield from getattr(kind, "__metadata__", ())
        for each in get_args(kind):
            yield from look(each)

    yield from look(field.annotation)


def _default(value: Any) -> str:
    if value is None or value == "" or value == ():
        return "nothing"
    return f"`{value!r}`" if isinstance(value, (str, int, float, bool)) else "see there"


def _cell(text: str) -> str:
    """A text in one line that a table of Markdown takes as it is."""
    plain = " ".join(text.split()).replace("<", "&lt;")
    return re.sub(r"([|*_$\[\]])", r"\\\1", plain)


def commands() -> str:
    """Every command with its arguments, options and defaults, as `--help` has them."""
    parts = [
        "# Commands",
        "",
        "Also `python -m fem_constriction`. Every command takes `--json` and `--quiet`; `--help` says what this page says;",
        "`--install-completion` lets a shell complete commands and options.",
        "",
        "Exit status: 0 done (and the check passed); 1 a check was made and did not pass; 2 the input is wrong; 3 a",
        "computation failed or is incomplete; 130 interrupted.",
        "",
    ]
    groups: dict[str, list[str]] = {}
    for name, entry in COMMANDS.items():
        groups.setdefault(entry.group, []).append(name)
    for group, names in groups.items():
        parts += [f"## {group}", ""]
        rows = [f"| [`{name}`](#{name}) | {_cell(COMMANDS[name].line)} |" for name in names]
        parts += ["| command | does |", "| --- | --- |", *rows, ""]
    for name, entry in COMMANDS.items():
        parts += [f"({name})=", f"### `{name}`", ""]
        parts += _command(f"fem-constriction {name}", entry.load(name))
    return "\n".join(parts) + "\n"


def _command(name: str, command: Any) -> list[str]:
    """Help, usage and parameters of a command; of a group, of each of its commands."""
    text = inspect.cleandoc(command.help or "")
    if inner := getattr(command, "commands", None):
        parts = [(f"**`{name} {key}`**", "", *_command(f"{name} {key}", each)) for key, each in inner.items()]
        return [_cell(text), "", *(line for part in parts for line in part)]
    rows, words = [], []
    for parameter in command.params:
        metavar = str(parameter.metavar or (parameter.name or "").upper())
        if parameter.param_type_name == "option":
            names = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
        else:
            names = f"`{metavar}`"
            words.append(metavar if parameter.required else f"[{metavar}]")
        rows.append(f"| {names} | {_left_out(parameter)} | {_cell(getattr(parameter, 'help', '') or '')} |")
    usage = " ".join([name, *words, "[OPTIONS]"])
    return [_cell(text), "", "```text", usage, "```", "", "| | left out | |", "| --- | --- | --- |", *rows, ""]


def _left_out(parameter: Any) -> str:
    """What an option is when it is left out, in words."""
    shown = getattr(parameter, "show_default", None)
    if parameter.required:
        return "required"
    if isinstance(shown, str):
        return _cell(shown)
    default = parameter.default
    if default is None or isinstance(default, bool) or callable(default) or default == ():
        return ""
    return f"`{','.join(map(str, default)) if isinstance(default, (list, tuple)) else default}`"


def api() -> str:
    """Every public name by package, from its docstring."""
    parts = ["# API reference", "", "What `import` gives, by package. Every value is in SI.", ""]
    for package in PACKAGES:
        module = importlib.import_module(package)
        parts += [f"## `{package}`", "", (inspect.getdoc(module) or "").split("\n\n")[0], "", "```{eval-rst}"]
        for name in sorted(module.__all__, key=str.lower):
            what = getattr(module, name)
            if inspect.isclass(what):
                parts += _class(what, f"{package}.{name}")
            elif inspect.isfunction(what):
                parts += [f".. autofunction:: {package}.{name}", ""]
        parts += ["```", ""]
    return "\n".join(parts) + "\n"


def _class(what: type[Any], name: str) -> list[str]:
    """A class with the members that are its own: those of a library it stands on are not what is documented."""
    members = [
        key
        for owner in what.__mro__
        if owner.__module__.split(".")[0] in ("fem_constriction", "network", "validation")
        for key, value in vars(owner).items()
        if not key.startswith("_") and (inspect.isfunction(value) or isinstance(value, (property, classmethod, staticmethod)))
    ]
    known = set(dir(what))
    shown = ", ".join(key for key in dict.fromkeys(members) if key in known)
    lines = [f".. autoclass:: {name}"]
    if shown and not issubclass(what, BaseException):
        lines.append(f"   :members: {shown}")
    return [*lines, ""]


def gallery(folder: Path) -> str:
    """Every script of the gallery with its first sentence, its code, and its notebook."""
    parts = ["# Gallery", "", "Each script runs in less than a minute and ends in a picture.", ""]
    for path in sorted(folder.glob("[0-9]*.py")):
        text = path.read_text("utf-8")
        said = (ast.get_docstring(ast.parse(text)) or "").strip()
        title, _, rest = said.partition("\n")
        parts += [f"## {title.rstrip('.')}", "", rest.strip(), ""]
        picture = folder / "pictures" / f"{path.stem}.png"
        if picture.exists():
            parts += [f"![{title}](../gallery/pictures/{picture.name})", ""]
        code = text.split('"""', 2)[2].replace("# %%\n", "").strip()  # where a cell of the notebook begins
        parts += ["```python", code, "```", "", f"As a [notebook](notebooks/{path.stem}.ipynb).", ""]
    return "\n".join(parts) + "\n"
