"""Level, cells, unknowns, step, value, error, orders, seconds, memory: a convergence study as tables, text and CSV."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.text import Text

from fem_constriction.pictures.words import amount
from validation.convergence.findings import Findings
from validation.convergence.parameters import FITTED, PARTS
from validation.convergence.series import ENOUGH, Series
from validation.show import report

WIDTH: Final = 120
HEAD: Final = (
    "backend", "grids", "quantity", "frequency/Hz", "unit", "level", "cells", "unknowns", "h/m", "value", "imaginary part",
    "relative error", "below uncertainty of reference", "observed order", "expected order", "seconds", "memory/MB", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A title, column heads and rows of text; the first `left` columns are aligned to the left."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1

    def draw(self) -> RenderableType:
        """Return the table for a terminal."""
        return report.table(self.title, self.columns, self.rows, left=self.left)


def all_tables(result: Findings) -> tuple[Table, ...]:
    """Return the summary and a table per quantity."""
    return (summary(result), *(of_quantity(result, quantity) for quantity in result.quantities))


def judged(result: Findings, quantity: str | None = None) -> list[Series]:
    """Return the series that are judged: not those of Z at single frequencies."""
    return [
        each for each in result.series if (each.frequency is None and (quantity is None or each.quantity == quantity))
    ]  # fmt: skip


def summary(result: Findings) -> Table:
    """Return observed and expected orders, the fitted law, and uncertainties: of the finest value and of the limit."""
    rows = []
    for each in judged(result):
        law = each.law
        rows.append(
            (
                each.quantity,
                each.solved.name,
                order(each.observed),
                _expected(each),
                "" if law is None else f"{law.order:.2f} ± {law.order_error:.2f}",
                "" if law is None else ("n. d." if law.floor is None else small(law.floor)),
                small(each.gci) + ("" if each.asymptotic else "?"),
                small(each.uncertainty / _size(each)),
                order(each.gci_ratio),
                verdict(each),
            )
        )
    heads = ("", "family", "order", "expected", "p of C h^p", "floor", "GCI, finest", "u, limit", "ratio", "verdict")
    return Table(
        "Orders of convergence (relative: GCI of the finest grid's value, ? if not asymptotic; u of the limit)",
        heads,
        tuple(rows),
        left=2,
    )


def of_quantity(result: Findings, quantity: str) -> Table:
    """Return one quantity on every grid of every family."""
    every = judged(result, quantity)
    fitted = quantity in FITTED
    one = every[0].value is not None
    extra = tuple({"discretisation": "discr."}.get(part, part) for part in PARTS) if fitted else ()
    value = (f"value / {every[0].unit}",) if one else ()
    size, theory = (() if fitted else (head,) for head in ("cells", "expected"))
    heads = ("family", "level", *size, "unknowns", "h", *value, "error", "order", *theory, "GCI", *extra, "seconds", "MB")
    rows = []
    for each in every:
        for level, cells in enumerate(each.solved.cells):
            rows.append(
                (
                    each.solved.name if level == 0 else "",
                    str(level),
                    *(("x".join(map(str, cells)),) if not fitted else ()),
                    f"{each.solved.unknowns[level]:,}",
                    amount(float(each.solved.step[level]), "m", 2),
                    *((f"{float(np.real(each.value[level])):.8g}",) if each.value is not None else ()),
                    small(each.error[level]) + ("*" if each.below[level] else ""),
                    order(each.order[level]),
                    *((_expected(each) if level else "",) if not fitted else ()),
                    small(each.indices[level]),
                    *(_share(each, part, level) for part in PARTS if fitted),
                    f"{each.solved.seconds[level]:.2f}",
                    f"{each.solved.memory[level] / 1e6:.0f}",
                )
            )
        if one and each.limit is not None:
            last = (
                f"{float(np.real(each.limit)):.8g}",
                small(abs(each.limit - (each.reference or 0)) / abs(each.reference or 1)),
            )
            parts = tuple(_share(each, part, -1) for part in PARTS if fitted)
            gaps = [""] * (len(size) + 2), [""] * (len(theory) + 2)
            rows.append(("", "limit", *gaps[0], *last, *gaps[1], *parts, "", ""))
    what = "Z, largest error over frequency" if not one else quantity
    tail = "; contributions to its uncertainty relative" if fitted else ""
    return Table(f"{what} (error relative to the best limit known, * below its uncertainty{tail})", heads, tuple(rows))


def render(result: Findings) -> Group:
    """Return tables, reasons, notes and failures for a terminal."""
    parts: list[RenderableType] = [table.draw() for table in all_tables(result)]
    parts += [Text(f"{name}: expected order {value}, {reason}.") for name, value, reason in reasons(result)]
    laws = [each.law for each in judged(result) if each.law is not None]
    if open_ := sum(law.floor is None for law in laws):
        parts.append(Text(f"Floors e0 of C h^p + e0: n. d., not determined, for {open_} of {len(laws)} fits; JSON says why."))
    parts += [Text(f"{note[0].upper()}{note[1:]}.") for note in result.notes]
    parts.append(
        Text(
            "Memory: largest increase of the process's resident memory while the grid was solved, seen every 5 ms. GCI: factor "
            "1.25 from three grids on, 3 for the first two; ratio: GCI_2/(2^p GCI_1) with theory's p, which should be 1."
        )
    )  # fmt: skip
    parts += [Text(f"Failed: {failure}.", style="bold") for failure in result.failures]
    return Group(*parts)


def text(result: Findings) -> str:
    """Return what `render` shows as plain text."""
    out = io.StringIO()
    Console(file=out, width=WIDTH, highlight=False, emoji=False, markup=False).print(render(result))
    return out.getvalue()


def reasons(result: Findings) -> list[tuple[str, str, str]]:
    """Return (families and quantities, order, reason), each reason once."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for each in judged(result):
        key = ("none" if each.expected.order is None else f"{each.expected.order:g}", each.expected.reason)
        found.setdefault(key, {}).setdefault(each.solved.name, []).append(each.quantity)
    return [
        ("; ".join(f"{name} ({', '.join(each)})" for name, each in names.items()), value, reason)
        for (value, reason), names in found.items()
    ]


def csv_text(result: Findings) -> str:
    """Return a row per quantity, family and grid, every number in full."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for each in result.series:
        for level, cells in enumerate(each.solved.cells):
            value = None if each.value is None else complex(each.value[level])
            writer.writerow(
                [
                    each.solved.backend, each.solved.grids, each.quantity, _full(each.frequency), each.unit, level,
                    "x".join(map(str, cells)), each.solved.unknowns[level], _full(each.solved.step[level]),
                    _full(value and value.real), _full(value and value.imag), _full(each.error[level]),
                    "yes" if each.below[level] else "no", _full(each.order[level]), _full(each.expected.order),
                    _full(each.solved.seconds[level]), _full(each.solved.memory[level] / 1e6), each.expected.reason,
                ]
            )  # fmt: skip
    return out.getvalue()


def verdict(series: Series) -> str:
    """Return the verdict on an order in a word or three."""
    if series.failure is not None:
        return "too low" if series.expected.order is not None else "not exact"
    if series.expected.order is None:
        return "exact"
    known = series.order[np.isfinite(series.order)]
    if known.size < 2 or series.expected.least == 0:
        return "not judged"
    within = ENOUGH * series.expected.least <= known[-1] <= 1.5 * series.expected.order
    return "passed" if within else "not asymptotic"


def small(value: float) -> str:
    """Return a small number with two digits."""
    return "" if not math.isfinite(value) else f"{value:.1e}"


def order(value: float) -> str:
    """Return an order with two decimals, nothing where it is not determined."""
    return "" if not math.isfinite(value) else f"{value:.2f}"


def _expected(series: Series) -> str:
    expected = series.expected
    if expected.order is None:
        return "exact"
    return f"{expected.order:g}" + (f" (>= {expected.least:.2g})" if expected.least < expected.order else "")


def _size(series: Series) -> float:
    return 1.0 if series.value is None or not series.reference else abs(series.reference)


def _share(series: Series, part: str, level: int) -> str:
    value = series.value[level] if level >= 0 and series.value is not None else series.limit
    contribution = series.parts[part][level]
    return small(abs(contribution / value)) if value else ""


def _full(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and not math.isfinite(value)) else repr(float(value))
