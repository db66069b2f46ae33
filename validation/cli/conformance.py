"""`fem-constriction conformance --backend NAME`: the suite as a table. Exit status 0: conforms, 1: a check failed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from fem_constriction.errors import Absent, InputError
from fem_constriction.files import json_text, write_text
from fem_constriction.solving.backends import any_backend
from validation.cli.options import Json, Quiet
from validation.conformance.cells import CELLS, write_cells
from validation.conformance.outcome import Outcome
from validation.conformance.subject import Subject
from validation.conformance.suite import ConformanceVerdict, check_declarations, chosen, conform
from validation.show import terminal
from validation.show.tables import table


def conformance(
    backend: Annotated[
        str | None, typer.Option(help="Backend, see `backends`; needed unless --cells.", show_default=False)
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The cheaper checks only.")] = False,
    check: Annotated[
        list[str] | None, typer.Option(help="Only the check of this name; may be repeated.", show_default=False)
    ] = None,
    cells: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write the cells of the suite and what is asked of them; check nothing.", show_default=False
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for conformance.json.", show_default=False)] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Put a backend through the suite of checks that every backend must pass; see docs/backends.md."""
    if cells is not None:
        return _cells(cells, as_json, quiet)
    if backend is None:
        raise InputError(
            key="--backend",
            value=Absent.MISSING,
            allowed="allowed is the name of a backend (see `backends`), or --cells DIR instead",
        )
    subject = terminal.named("--backend", lambda: Subject(any_backend(backend)))
    check_declarations(subject)
    asked = check or []
    total = len(terminal.named("--check", lambda: chosen(quick, asked)))
    if out is not None:
        terminal.check_folder(out, [])
    with terminal.counted(f"conformance of {subject.name}", total, quiet) as step:
        found = terminal.aside(lambda: conform(subject, quick=quick, only=asked, progress=step))()
    if out is not None:
        write_text(out / "conformance.json", json_text(found.as_dict()) + "\n")
    terminal.show(found.as_dict(), lambda: report(found), as_json, quiet)
    if not found.passed:
        terminal.say(found.summary())
    return 0 if found.passed else 1


def report(found: ConformanceVerdict) -> RenderableType:
    """Return every check as two lines, what it asserts and what came out, failures once more below, then the verdict."""
    rows = [(outcome.check.name, outcome.check.statement, _measured(outcome), outcome.status) for outcome in found.outcomes]
    parts: list[RenderableType] = [
        table(
            f"Conformance of {found.backend}",
            ("check", "asserted", "measured / allowed (negative: a margin)", ""),
            rows,
            left=4,
        )
    ]
    reasons: dict[str, list[str]] = {}
    for outcome in found.outcomes:
        if outcome.status in ("passed", "failed"):
            reasons.setdefault(outcome.check.reason, []).append(outcome.check.name)
    allowed = [("; ".join(names), reason) for reason, names in reasons.items()]
    parts.append(table("What is allowed, and why", ("checks", "allowed"), allowed, left=2))
    for title, status in (("Failed", "failed"), ("Declared as unable", "declared"), ("Does not apply", "does not apply")):
        listed = [outcome for outcome in found.outcomes if outcome.status == status]
        if listed:
            parts.append(table(title, ("check", "why"), [(each.check.name, _why(each)) for each in listed], left=2))
    return Group(*parts, Text(found.summary(), style="bold"))


def _measured(outcome: Outcome) -> str:
    return f"{outcome.measured} / {outcome.allowed}" if outcome.measured else ""


def _why(outcome: Outcome) -> str:
    parts = [outcome.detail or "no more is known"]
    if outcome.status == "failed" and outcome.measured:
        parts.insert(0, f"{outcome.measured}, allowed {outcome.allowed}, {outcome.check.reason}")
    return "; ".join(filter(None, [*parts, outcome.note]))


def _cells(folder: Path, as_json: bool, quiet: bool) -> int:
    terminal.check_folder(folder, [])
    written: Sequence[str] = write_cells(folder)
    record: dict[str, Any] = {"folder": str(folder), "files": list(written)}
    terminal.show(
        record, lambda: Text(f"{len(CELLS)} cells written to {folder}; cells.json says what is asked of each"), as_json, quiet
    )
    return 0
