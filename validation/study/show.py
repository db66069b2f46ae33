"""What a sweep says while it runs, on standard error, and at its end: points done, the last of them, and the time left."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from matplotlib.ticker import EngFormatter
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fem_constriction.errors import short
from fem_constriction.pictures.words import amount
from validation.show import terminal
from validation.show.tables import table
from validation.study import ensembles
from validation.study.axes import is_number, label
from validation.study.driver import Progress, Step
from validation.study.measured import CONTRIBUTIONS
from validation.study.plan import Study
from validation.study.points import Point
from validation.study.work import Record

#: Seconds between two lines where nobody watches.
INTERVAL = 60.0
#: Rows of the live table, and of the one at the end.
_LAST, _ROWS = 8, 40
_VALUES: Final = {"R_Cstr": "ohm", "C_Cstr": "F", "tau_Cstr": "s"}


def names(study: Study) -> dict[str, str]:
    """Return axis -> its last part, or the whole key where two end alike."""
    ends = [key.rpartition(".")[2] for key in study.axes]
    return {key: end if ends.count(end) == 1 else key for key, end in zip(study.axes, ends, strict=True)}


def value_text(study: Study, key: str, value: Any) -> str:
    """Return a value of an axis with its unit."""
    unit = study.axes[key].unit
    if not is_number(value):
        return short(label(value))
    if unit in ("", "1"):
        return f"{value:.6g}"
    return EngFormatter(unit=unit, sep=" ")(float(f"{value:.4g}")).replace("\N{MICRO SIGN}", "u")


def points_table(study: Study, rows: Sequence[tuple[Point, Record]], title: str) -> Table:
    """Return a row per point: its values, the verdict, and the constriction with its uncertainty, or why there is none."""
    checked = study.crosschecked
    values = ("R_Cstr", "+-", "C_Cstr", "tau_Cstr") if checked else ("R_DC", "+-")
    heads = (*names(study).values(), "result", *values)
    return table(title, heads, [_row(study, point, record) for point, record in rows], left=len(study.axes) + 1)


def _row(study: Study, point: Point, record: Record) -> list[str]:
    cells = [value_text(study, key, value) for key, value in point.values.items()]
    if not record.done:
        return [*cells, f"failed: {short(record.reason)}"]
    numbers = record.numbers
    if not study.crosschecked:
        direct, spread = numbers.get("resistance_dc"), numbers.get("resistance_dc_uncertainty")
        return [*cells, "done", amount(direct, "ohm"), amount(spread, "ohm", 1)]
    parts = [numbers[name] for part in CONTRIBUTIONS if (name := f"R_Cstr_{part}") in numbers]
    spread_text = amount(max(parts), "ohm", 1) if parts else ""
    found = [amount(numbers[name], unit) if name in numbers else "none" for name, unit in _VALUES.items()]
    return [*cells, record.texts.get("verdict", ""), found[0], spread_text, *found[1:]]


def ending(study: Study, records: Sequence[Record]) -> Group:
    """Return what is said at the end: the points, as many as fit, and what of them is not as it should be."""
    rows = list(zip(study.points, records, strict=True))
    parts: list[RenderableType] = [points_table(study, rows[:_ROWS], study.name)]
    if len(rows) > _ROWS:
        parts.append(Text(f"and {len(rows) - _ROWS} more points, in the data set"))
    if (spread := realisations(study, records)) is not None:
        parts.append(spread)
    return Group(*parts)


def realisations(study: Study, records: Sequence[Record]) -> Table | None:
    """Return what points that differ in seeds alone differ by, beside what each is uncertain by; None where there are none."""
    drawn, rows = ensembles.seeds(study), []
    others = {key: name for key, name in names(study).items() if key not in drawn}
    for values, found in ensembles.ensembles(study, records):
        for name, each in found.items():
            unit = ensembles.quantities(study)[name]
            texts = [amount(part, unit) for part in (each.mean, each.low, each.high)]
            spread = f"{amount(each.spread, unit, 2)} +- {amount(each.spread_error, unit, 1)}"
            apart = "" if each.told_apart else "not told from numerical"
            numerical = amount(each.numerical, unit, 1)
            rows.append([*(value_text(study, key, values[key]) for key in others), name, str(each.members), *texts, spread])
            rows[-1] += [numerical, apart]
    heads = (*others.values(), "of", "members", "mean", "16 %", "84 %", "spread", "numerical", "")
    return table("Realisations (standard deviations)", heads, rows[:_ROWS], left=len(others) + 1) if rows else None


def counts(records: Sequence[Record]) -> dict[str, int]:
    """Return how many points there are, agreed or done by one backend, not agreed, and failed."""
    failed = sum(not record.done for record in records)
    refused = sum(record.done and bool(record.reason) for record in records)
    return {"points": len(records), "done": len(records) - failed - refused, "not_agreed": refused, "failed": failed}


def duration(seconds: float | None) -> str:
    """Return seconds as a person says them: 40 s, 12 min, 3 h 20 min."""
    if seconds is None:
        return "time left not known yet"
    if seconds < 90:
        return f"{seconds:.0f} s left"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min left" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min left"


@contextmanager
def watching(study: Study, quiet: bool) -> Iterator[Progress | None]:
    """Yield what is to be called after each point: a live table in a terminal, a line now and then elsewhere."""
    shown = terminal.console(stderr=True)
    if quiet:
        yield None
    elif shown.is_terminal:
        board = _Board(study)
        with Live(board, console=shown, refresh_per_second=4, transient=True):
            yield board.take
    else:
        yield _lines()


def _state(step: Step) -> str:
    failed = f", {step.failed} failed" if step.failed else ""
    groups = f", preparing {step.preparing} group{'s' * (step.preparing > 1)} of cells" if step.preparing else ""
    others = f", {step.elsewhere} left to another process" if step.elsewhere else ""
    return f"{step.finished} of {step.total} points{failed}{groups}{others}"


def _lines() -> Callable[[Step], None]:
    """Say a line at the start, every so often, and at the end."""
    last = -math.inf

    def say(step: Step) -> None:
        nonlocal last
        if step.note:
            terminal.say(step.note)
        if step.finished == step.total or time.monotonic() - last >= INTERVAL:
            last = time.monotonic()
            left = "" if step.finished == step.total else f", {duration(step.left)}"
            terminal.say(f"{_state(step)}{left}")

    return say


class _Board:
    """The last points that were finished, and a bar with the time left."""

    def __init__(self, study: Study) -> None:
        self.study, self.step, self.at = study, Step(None, None, 0, 0, len(study.points), 0, None), time.monotonic()
        self.last: deque[tuple[Point, Record]] = deque(maxlen=_LAST)

    def take(self, step: Step) -> None:
        """Take note of a step."""
        if step.note:
            terminal.say(step.note)
        self.step, self.at = step, time.monotonic()
        if step.point is not None and step.record is not None:
            self.last.append((step.point, step.record))

    def __rich__(self) -> RenderableType:
        step = self.step
        left = None if step.left is None else max(0.0, step.left - (time.monotonic() - self.at))
        line = Table.grid(padding=(0, 1))
        line.add_row(ProgressBar(total=step.total, completed=step.finished, width=24), f"{_state(step)}, {duration(left)}")
        if not self.last:
            return line
        return Group(points_table(self.study, list(self.last), "Last finished"), line)
