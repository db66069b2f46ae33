"""`fem-constriction figures`: exit status 0 all agreed, 1 some did not, 2 wrong input, 3 some failed, 130 interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from validation.show import terminal


def figures(
    numbers: Annotated[
        list[str] | None, typer.Argument(metavar="[2 … 7]", help="Figures of the paper.", show_default="all")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few contact fractions: minutes instead of most of an hour.")] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for points, tables, data set and plots.")] = Path("figures"),
    workers: Annotated[int | None, typer.Option(help="Processes of this machine.", show_default="processors, memory")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Compute failed points again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout, and nothing else there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no tables: files and exit status only.")] = False,
) -> int:
    """Recompute the figures of Eckhardt et al. 2022; the same command goes on where it was interrupted."""
    from validation.paper import cells, dataset, pictures, series, summary, tables
    from validation.study.dataset import save

    chosen = list(dict.fromkeys(numbers or cells.FIGURES))
    series.check(chosen)
    terminal.check_folder(out, [])
    found: dict[str, Any] = {}
    failed: dict[str, int] = {}
    written: list[Path] = []
    for figure in chosen:
        call = partial(
            series.compute, out, [figure], quick=quick, workers=workers, retry=retry_failed, progress=_watching(quiet)
        )
        made = terminal.named("--out", partial(terminal.named, "--workers", call))
        found |= made
        for point, reason in series.failures(out, figure, quick=quick):
            label, varied = cells.identify(figure, point.cell)
            failed[label] = failed.get(label, 0) + 1
            terminal.say(f"{cells.cell(label, point.cell.contact_fraction, varied).title} failed: {reason}")
        written += tables.write([sample for samples in made.values() for sample in samples], out, f"figure-{figure}")
        written += pictures.write(made, out, figure)
    every = [sample for samples in found.values() for sample in samples]
    if every:
        written.append(save(dataset.build(every), out))
    refused = [sample for sample in every if sample.refusal is not None]
    record = {
        "cells": len(every),
        "not_agreed": len(refused),
        "failed": sum(failed.values()),
        "files": [str(path) for path in written],
        "results": summary.records(found),
    }
    terminal.show(record, lambda: summary.overview(found, failed), as_json, quiet)
    if not (quiet or as_json):
        terminal.console().print(f"Written to {out}: {', '.join(path.name for path in written)}")
    for sample in refused:
        terminal.say(f"{sample.cell.title}: {sample.refusal}")
    return 3 if failed else 1 if refused else 0


def _watching(quiet: bool) -> Any:
    """Say which figure it is, and how far."""
    from validation.study.show import watching

    @contextmanager
    def watch(study: Any) -> Iterator[Any]:
        if not quiet:
            terminal.say(f"{study.name}, {len(study.points)} cells")
        with watching(study, quiet) as told:
            yield told

    return watch
