"""What the terminal shows is what the page shows, table by table, with signs for ohm and micro; all frequencies as numbers."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table as Terminal
from rich.text import Text

from fem_constriction.pictures.words import signed
from validation.gate.result import Result
from validation.show.page.sections import Paragraph, Section, Table


def from_terminal(shown: RenderableType | Iterable[RenderableType]) -> list[Section]:
    """Return the sections that say what rich's tables and texts say, in their order.

    Raises TypeError for anything else that rich can show: there is no section for it.
    """
    if isinstance(shown, Group):
        return from_terminal(shown.renderables)
    if isinstance(shown, Terminal):
        return [_table(shown)]
    if isinstance(shown, (Text, str)):
        return [Paragraph(signed(str(shown)))]
    if isinstance(shown, Iterable):
        return [section for each in shown for section in from_terminal(each)]
    raise TypeError(f"no section shows a {type(shown).__name__}")


def numbers(result: Result) -> Table:
    """Every frequency: Z and u of every backend, |Z_1 - Z_2|, u_1 + u_2, the verdict; ten digits, the files have all."""
    found = result.agreement
    columns, parts = ["f / Hz"], [[f"{f:.6g}" for f in found.frequency]]
    for name, limit in found.limits.items():
        columns += [f"{name}: Re Z / ohm", "Im Z / ohm", "u / ohm"]
        parts += [[f"{value:.10g}" for value in part] for part in (limit.impedance.real, limit.impedance.imag)]
        parts.append([""] * len(limit) if limit.uncertainty is None else [f"{u:.2e}" for u in limit.uncertainty])
    columns += ["difference / ohm", "allowed / ohm", "verdict"]
    parts += [[f"{value:.2e}" for value in part] for part in (found.difference, found.allowance)]
    parts.append([str(verdict) for verdict in found.verdicts])
    return Table(
        caption="All frequencies", columns=[signed(column) for column in columns], rows=list(zip(*parts, strict=True)), left=1
    )


def _table(shown: Terminal) -> Table:
    left = sum(column.justify == "left" for column in shown.columns)
    cells = [[signed(str(cell)) for cell in column.cells] for column in shown.columns]
    return Table(
        caption=str(shown.title or ""),
        columns=[signed(str(column.header)) for column in shown.columns],
        rows=list(zip(*cells, strict=True)),
        left=left,
    )
