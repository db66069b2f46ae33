"""`fem-constriction sweep`: exit status 0 all agreed, 1 some did not, 2 wrong input, 3 some failed, 130 interrupted."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from validation.show import terminal
from validation.study.points import text_of


def sweep(
    study_file: Annotated[Path, typer.Argument(metavar="SWEEP.toml", help="Study file.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for points, data set and plots.", show_default="stem of the file")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes of this machine.", show_default="processors, memory")] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, tcp://…, or mpi.", show_default="this machine")
    ] = None,
    file_format: Annotated[str, typer.Option("--format", help="netcdf or zarr.")] = "netcdf",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Compute failed points again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout, and nothing else there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no tables: files and exit status only.")] = False,
) -> int:
    """Compute a parameter study, point by point; the same command goes on where it was interrupted."""
    from validation.study import dataset, pictures, run, show
    from validation.study.plan import Study
    from validation.study.pool import chosen

    study = Study.load(study_file)
    folder = Path(study_file.stem) if out is None else out
    terminal.named("--format", lambda: dataset.check_format(file_format))
    terminal.check_folder(folder, [])
    with chosen(scheduler) as pool, show.watching(study, quiet) as progress:
        call = partial(run.run, study, folder, pool, workers=workers, progress=progress, retry=retry_failed)
        records = terminal.named("--out", lambda: terminal.named("--workers", call))
    written = [dataset.save(dataset.build(study, records), folder, file_format), *pictures.write(study, records, folder)]
    found = show.counts(records)
    terminal.show(_record(study, records, found, written), lambda: show.ending(study, records), as_json, quiet)
    if not (quiet or as_json):
        terminal.console().print(f"Written to {folder}: {', '.join(path.name for path in written)}")
    for kind, what in (("failed", "failed"), ("not_agreed", "have nothing extracted")):
        if found[kind]:
            first = next(n for n, r in enumerate(records) if r.reason and r.done == (kind == "not_agreed"))
            where = text_of(study.points[first].values)
            terminal.say(f"{found[kind]} of {len(records)} points {what}, the first at {where}: {records[first].reason}")
    return 3 if found["failed"] else 1 if found["not_agreed"] else 0


def _record(study: Any, records: Any, found: dict[str, int], written: list[Path]) -> dict[str, Any]:
    from validation.study import ensembles

    points = [
        {
            **point.values,
            "status": "done" if record.done else "failed",
            "reason": record.reason,
            **record.texts,
            **record.numbers,
        }
        for point, record in zip(study.points, records, strict=True)
    ]
    spread = [
        {**values, **{name: vars(each) for name, each in known.items()}}
        for values, known in ensembles.ensembles(study, records)
    ]
    beside = {"realisations": spread} if spread else {}
    return {**found, "study_sha256": study.digest, "files": [str(path) for path in written], "results": points, **beside}
