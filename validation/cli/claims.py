"""`fem-constriction claims`: exit status 0 no claim fails, 1 one does, 2 wrong input, 3 failed, 130 interrupted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fem_constriction.errors import InputError
from fem_constriction.files import json_text, write_text
from validation.show import terminal

if TYPE_CHECKING:
    from validation.paper.claims import Claim, DecidedClaim


def claims(
    numbers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[8 | 7-17 | figure-3]…", help="Claims, or those of a figure.", show_default="all"),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few contact fractions: minutes instead of most of an hour.")] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder that `figures` computes in, too.")] = Path("figures"),
    workers: Annotated[int | None, typer.Option(help="Processes of this machine.", show_default="processors, memory")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout, and nothing else there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no tables: files and exit status only.")] = False,
) -> int:
    """Check the claims of Eckhardt et al. 2022 on both backends; what they need is computed, unless `figures` has."""
    from validation.paper.claims import table
    from validation.paper.claims.base import FAILS
    from validation.paper.claims.notes import notes
    from validation.paper.claims.source import on_disk

    asked = chosen(numbers or [])
    terminal.check_folder(out, [])
    context = on_disk(out, quick=quick, watch=partial(_watch, quiet=quiet or as_json), workers=workers)
    outcomes = terminal.named("--workers", partial(_decided, asked, context))
    told = [note for note in notes() if not numbers or set(note.claims) & {claim.number for claim in asked}]
    record = table.record(outcomes, told, quick=quick)
    write_text(out / "claims.json", json_text(record) + "\n")
    command = " ".join(["fem-constriction claims", *(numbers or []), *["--quick"] * quick])
    write_text(out / "claims.md", table.page(outcomes, told, command))
    terminal.show(record, lambda: table.overview(outcomes, told), as_json, quiet)
    if not (quiet or as_json):
        terminal.console().print(f"Written to {out}: claims.json, claims.md")
    failed = [str(outcome.claim.number) for outcome in outcomes if outcome.verdict == FAILS]
    if failed:
        terminal.say(f"{len(failed)} of {len(outcomes)} claims fail: {', '.join(failed)}")
    return 1 if failed else 0


def chosen(asked: Sequence[str]) -> list[Claim]:
    """Return claims by number ("8", "7-17") and by figure ("figure-3"), in their order; all of them for none. InputError."""
    from validation.paper.claims import REGISTRY

    found: set[int] = set() if asked else set(REGISTRY)
    for text in asked:
        if match := re.fullmatch(r"(\d+)(?:-(\d+))?", text):
            first, last = int(match[1]), int(match[2] or match[1])
            some = {number for number in REGISTRY if first <= number <= last}
            whole = first in REGISTRY and last in REGISTRY
        else:
            figure = text.removeprefix("figure-") if text.startswith("figure-") else ""
            some = {number for number, claim in REGISTRY.items() if figure and claim.figure[:1] == figure}
            whole = True
        if not some or not whole:
            allowed = f"a number from {min(REGISTRY)} to {max(REGISTRY)}, two with a dash between, or figure-2 to figure-7"
            raise InputError(key="claim", value=text, allowed=allowed)
        found |= some
    return [REGISTRY[number] for number in sorted(found)]


def _decided(asked: Sequence[Claim], context: Any) -> list[DecidedClaim]:
    from validation.paper.claims import decide

    return [decide(claim, context) for claim in asked]


def _watch(study: Any, quiet: bool) -> AbstractContextManager[Any]:
    """Say which series it is, and how far."""
    from validation.study.show import watching

    if not quiet:
        terminal.say(f"{study.name}, {len(study.points)} cells")
    return watching(study, quiet)
