"""Figure -> the samples of its series: computed point by point as a study, and read from the disk.

A folder holds a study per figure, `figure-2` with all fractions and `figure-2-quick` with a few; what is finished in one of
them is not computed again in the other, and both are read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from numpy.typing import ArrayLike

from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.files import read_text
from validation.gate.run import FREQUENCIES
from validation.paper import cells
from validation.paper.sample import Sample
from validation.paper.work import Fitted
from validation.study.driver import Progress
from validation.study.plan import Study
from validation.study.points import Point
from validation.study.pool import Pool
from validation.study.run import run
from validation.study.store import Store
from validation.study.work import Record, Work

#: Study -> what its progress is told to while it is computed: `validation.study.show.watching`, for instance.
Watch = Callable[[Study], AbstractContextManager[Progress | None]]
_QUICK: Final = "-quick"


def study(figure: str, *, quick: bool, frequencies: ArrayLike | None = None) -> Study:
    """Return the study of a figure, "2" to "7": its cells as points, in the order of its series, varied values and fractions.

    frequencies: Hz (default: 61 from 1 mHz to 1 GHz). Raises InputError.
    """
    check([figure])
    made = [
        cells.cell(label, fraction, varied)
        for label in cells.FIGURES[figure]
        for varied in cells.VARIED[label]
        for fraction in cells.fractions(label, quick=quick)
    ]
    differ = [key for key in _KEYS if len({cells.value_of(each, key) for each in made if _has(each, key)}) > 1]
    return Study(
        title=f"Figure {figure}",
        cell=made[0].vary({"title": ""}),
        mode="zip",
        frequencies=FREQUENCIES if frequencies is None else frequencies,
        axes={key: [cells.value_of(each, key) for each in made] for key in (cells.FRACTION, *differ)},
    )


#: What cells of one figure may differ in, besides the fraction.
_KEYS: Final = (
    cells.SIGMA_BULK,
    cells.SIGMA_BOUNDARY,
    "electrolyte.grain_boundaries.relative_permittivity",
    "working_electrode.pore.capacitance",
    cells.R_POL,
    cells.R_POL_COUNTER,
)


def _has(cell: Cell, key: str) -> bool:
    try:
        cells.value_of(cell, key)
    except AttributeError:
        return False
    return True


def check(figures: Sequence[str]) -> None:
    """Raise InputError for a figure that the paper has no series of."""
    for figure in figures:
        if figure not in cells.FIGURES:
            raise InputError(key="figure", value=figure, allowed=", ".join(cells.FIGURES))


def compute(
    folder: str | os.PathLike[str],
    figures: Sequence[str] = tuple(cells.FIGURES),
    *,
    quick: bool = False,
    frequencies: ArrayLike | None = None,
    progress: Watch | None = None,
    workers: int | None = None,
    retry: bool = False,
    work: Work | None = None,
    pool: Pool | None = None,
) -> Mapping[str, tuple[Sample, ...]]:
    """Return label -> samples of the series of some figures ("2" to "7"), computed as far as they are missing in the folder.

    quick: few fractions. progress: study -> a context whose value is called with a `Step` after each point. retry: compute
    failed points again; points that fail have no sample (`failures`). pool: where points are computed, by default `workers`
    processes of this machine. Raises InputError, ComputationError if the disk is full.
    """
    check(figures)
    found: dict[str, tuple[Sample, ...]] = {}
    for figure in figures:
        asked = study(figure, quick=quick, frequencies=frequencies)
        with nullcontext() if progress is None else progress(asked) as told:
            own = Fitted(figure) if work is None else work
            kept = place(folder, figure, quick=quick)
            _adopt(asked, kept, place(folder, figure, quick=not quick))
            run(asked, kept, pool, workers=workers, progress=told, retry=retry, work=own)
        found |= {label: samples(folder, label) for label in cells.FIGURES[figure]}
    return found


def _adopt(asked: Study, kept: Path, beside: Path) -> None:
    """Take what the other set of the same figure has finished."""
    found = {point.digest: record for point, record in _stored(beside) if record.done}
    store = Store(kept, asked) if found else None
    for point in asked.points:
        if store is not None and point.digest in found and store.load(point.digest) is None:
            store.save(point.digest, found[point.digest])


def place(folder: str | os.PathLike[str], figure: str, *, quick: bool) -> Path:
    """Return where the study of a figure is kept."""
    return Path(folder) / f"figure-{figure}{_QUICK * quick}"


def samples(folder: str | os.PathLike[str], label: str) -> tuple[Sample, ...]:
    """Return the samples of a series ("2", "3a", …) that are on the disk, by varied values, then fraction."""
    found: dict[Cell, Sample] = {}
    figure = _figure(label)
    for point, record in _records(folder, figure):
        name, varied = cells.identify(figure, point.cell)
        if record.done and name == label:
            cell = cells.cell(label, point.cell.contact_fraction, varied)
            found.setdefault(cell, Sample.of_record(record, label, cell, varied))
    return tuple(sorted(found.values(), key=lambda sample: (tuple(sample.varied.values()), sample.fraction)))


def failures(folder: str | os.PathLike[str], figure: str, *, quick: bool) -> tuple[tuple[Point, str], ...]:
    """Return the points of a figure ("2" to "7") that failed, and why."""
    return tuple((point, record.reason) for point, record in _stored(place(folder, figure, quick=quick)) if not record.done)


def _figure(label: str) -> str:
    for figure, labels in cells.FIGURES.items():
        if label in labels:
            return figure
    raise InputError(key="figure", value=label, allowed=", ".join(cells.TABLE))


def _records(folder: str | os.PathLike[str], figure: str) -> Iterator[tuple[Point, Record]]:
    """What is on the disk of a figure, the full set first."""
    for quick in (False, True):
        yield from _stored(place(folder, figure, quick=quick))


def _stored(kept: Path) -> Iterator[tuple[Point, Record]]:
    """The points of a study that are on the disk, whichever study it is."""
    path = kept / "study.json"
    if not path.exists():
        return
    asked = Study.loads(json.loads(read_text(path))["study"], source=str(path))
    store = Store(kept, asked)
    for point in asked.points:
        record = store.load(point.digest)
        if record is not None:
            yield point, record
