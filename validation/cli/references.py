"""fem-constriction references: the published spectra listed, copied, computed anew, or checked (1: not reproduced)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from fem_constriction.errors import InputError
from fem_constriction.pictures.words import amount
from validation.cli.options import Json, Quiet
from validation.references import release
from validation.references.computed import Recomputed, recompute
from validation.references.published import index, load
from validation.show import terminal
from validation.show.tables import table


def references(
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="This reference; may be given again.", show_default="all")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Compute anew: is each reproduced within its uncertainty?")] = False,
    anew: Annotated[bool, typer.Option("--recompute", help="Compute anew what is written, instead of copying it.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the set.", show_default="none: it is listed")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """List the published reference spectra, copy them to a folder, compute them anew, or check that they are reproduced."""
    published = index()
    known = release.names_of_set() if anew else [record["name"] for record in published["references"]]
    for name in only or ():
        if name not in known:
            raise InputError(key="--only", value=name, allowed=f"one of {', '.join(known)}")
    chosen = [name for name in known if not only or name in only]
    if anew and out is None:
        raise InputError(key="--recompute", when="without --out", allowed="a folder that the set is written to")
    if anew and check:
        raise InputError(key="--recompute", when="with --check", allowed="one writes a set, the other judges the published one")
    if out is not None:
        terminal.check_folder(out, [])
    if check:
        return _check(chosen, as_json, quiet)
    if anew and out is not None:
        return _anew(chosen, out, as_json, quiet)
    if out is not None:
        written = release.copy_published(out, chosen)
        terminal.show({"written": written}, lambda: f"Written to {out}: {', '.join(written)}", as_json, quiet)
        return 0
    terminal.show(published, lambda: _listed(published, chosen), as_json, quiet)
    return 0


def _recomputed(names: Sequence[str], quiet: bool) -> dict[str, Recomputed]:
    found = {}
    with terminal.counted("references", len(names), quiet) as step:
        for done, name in enumerate(names):
            found[name] = terminal.aside(partial(recompute, release.cell_of_set(name)))()
            step(done + 1)
    return found


def _anew(names: Sequence[str], out: Path, as_json: bool, quiet: bool) -> int:
    made = release.publish(list(_recomputed(names, quiet).items()), out)
    terminal.show(made, lambda: f"Written to {out}: version {made['version']}, {len(names)} references", as_json, quiet)
    return 0


def _check(names: Sequence[str], as_json: bool, quiet: bool) -> int:
    found = [release.reproduced(load(name), again) for name, again in _recomputed(names, quiet).items()]
    terminal.show({"references": found}, lambda: _checked(found), as_json, quiet)
    wrong = [each["name"] for each in found if not each["reproduced"]]
    if wrong:
        terminal.say(f"not reproduced within the stated uncertainty: {', '.join(wrong)}")
    return 1 if wrong else 0


def _listed(published: dict[str, Any], names: Sequence[str]) -> Any:
    rows = [
        (
            record["name"],
            record["title"],
            "none" if record["direct_current"] is None else amount(record["direct_current"]["R_ohm"], "ohm"),
            f"{record['largest_relative_uncertainty']:.1e}",
        )
        for record in published["references"]
        if record["name"] in names
    ]
    title = f"Reference spectra, version {published['version']} of {published['date']}, {published['licence']}"
    return table(title, ("name", "cell", "R_DC", "u / |Z| at most"), rows, left=2)


def _checked(found: Sequence[dict[str, Any]]) -> Any:
    rows = [
        (
            each["name"],
            "reproduced" if each["reproduced"] else "not reproduced",
            f"{each['largest_part_of_u']:.1e}",
            amount(each["at_Hz"], "Hz"),
            "" if each["part_of_u_at_direct_current"] is None else f"{each['part_of_u_at_direct_current']:.1e}",
        )
        for each in found
    ]
    return table("Reference spectra, computed anew", ("name", "", "|Z - Z_ref| / u at most", "at", "at 0 Hz"), rows, left=2)
