"""What the terminal shows is what the page shows: the report's tables and texts as sections, so that they cannot differ."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table as Terminal
from rich.text import Text

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
        return [Paragraph(str(shown))]
    if isinstance(shown, Iterable):
        return [section for each in shown for section in from_terminal(each)]
    raise TypeError(f"no section shows a {type(shown).__name__}")


def _table(shown: Terminal) -> Table:
    left = sum(column.justify == "left" for column in shown.columns)
    cells = [[str(cell) for cell in column.cells] for column in shown.columns]
    return Table(
        caption=str(shown.title or ""),
        columns=[str(column.header) for column in shown.columns],
        rows=list(zip(*cells, strict=True)),
        left=left,
    )
